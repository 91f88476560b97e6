//! What is wanted of an entry.

use std::path::Path;

use super::{Args, FileType, Stamp};
use crate::change::Mode;
use crate::failure::Failure;
use crate::module::ArgError;
use crate::modules::edit::gave_up;
use crate::probe::{attributes, glob};
use crate::python_regex::{Anchor, Flags, Pattern};
use crate::system::{FileKind, Stat, System};

/// The arguments, read.
pub struct Filter<'a> {
    args: &'a Args,
    system: &'a dyn System,
    patterns: Vec<Name>,
    excludes: Vec<Name>,
    contains: Option<Pattern>,
    age: Option<f64>,
    size: Option<i64>,
    mode: Option<u32>,
    now: f64,
}

/// A pattern for names.
enum Name {
    Glob(String),
    Regex(Pattern),
}

impl Name {
    fn matches(&self, name: &str) -> Result<bool, String> {
        match self {
            Name::Glob(pattern) => Ok(glob::matches(pattern, name)),
            Name::Regex(pattern) => pattern.is_match(name),
        }
    }
}

impl<'a> Filter<'a> {
    /// Reads the arguments.
    pub fn new(args: &'a Args, system: &'a dyn System) -> Result<Filter<'a>, Failure> {
        let names = |argument: &str, texts: &[String]| -> Result<Vec<Name>, Failure> {
            let name = |text: &String| match args.use_regex {
                false => Ok(Name::Glob(text.clone())),
                true => Pattern::anchored(text, Flags::default(), Anchor::Start).map(Name::Regex),
            };
            texts.iter().map(name).collect::<Result<_, _>>().map_err(gave_up(argument))
        };
        let anchor = if args.read_whole_file { Anchor::None } else { Anchor::Start };
        let contains = args.contains.as_deref().map(|text| Pattern::anchored(text, Flags::default(), anchor));
        let mode = match &args.mode {
            None => None,
            Some(Mode::Bits(bits)) => Some(*bits),
            Some(Mode::Symbolic(text)) => {
                let bits = attributes::symbolic(text, 0, false, 0);
                Some(bits.map_err(|message| Failure::new(message).argument("mode"))?)
            }
            Some(Mode::Preserve) => return Err(Failure::new("expected permissions such as \"0644\"").argument("mode")),
        };
        Ok(Filter {
            args,
            system,
            patterns: names("patterns", &args.patterns)?,
            excludes: names("excludes", &args.excludes)?,
            contains: contains.transpose().map_err(gave_up("contains"))?,
            age: age(&args.age)?.map(|age| age as f64),
            size: size(&args.size)?,
            mode,
            now: system.now(),
        })
    }

    /// Whether an entry is wanted.
    pub fn wants(&self, name: &str, path: &Path, stat: &Stat) -> Result<bool, Failure> {
        let is_file = stat.kind == FileKind::File;
        let of_kind = match self.args.file_type {
            FileType::Any => true,
            FileType::File => is_file,
            FileType::Directory => stat.kind == FileKind::Dir,
            FileType::Link => stat.kind == FileKind::Link,
        };
        Ok(of_kind
            && self.names(name)?
            && self.is_old(stat)
            && (!is_file || self.has_size(stat))
            && (self.args.file_type != FileType::File || self.holds(path)?)
            && self.has_mode(stat))
    }

    fn names(&self, name: &str) -> Result<bool, Failure> {
        let any = |patterns: &[Name], argument: &str| -> Result<bool, Failure> {
            for pattern in patterns {
                if pattern.matches(name).map_err(gave_up(argument))? {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        Ok((self.patterns.is_empty() || any(&self.patterns, "patterns")?) && !any(&self.excludes, "excludes")?)
    }

    fn is_old(&self, stat: &Stat) -> bool {
        let stamp = match self.args.age_stamp {
            Stamp::Mtime => stat.mtime,
            Stamp::Atime => stat.atime,
            Stamp::Ctime => stat.ctime,
        };
        match self.age {
            None => true,
            Some(age) if age >= 0.0 => self.now - stamp >= age,
            Some(age) => self.now - stamp <= -age,
        }
    }

    fn has_size(&self, stat: &Stat) -> bool {
        match self.size {
            None => true,
            Some(size) if size >= 0 => stat.size >= size.unsigned_abs(),
            Some(size) => stat.size <= size.unsigned_abs(),
        }
    }

    fn has_mode(&self, stat: &Stat) -> bool {
        match self.mode {
            None => true,
            Some(mode) if self.args.exact_mode => stat.mode == mode,
            Some(mode) => stat.mode & mode != 0,
        }
    }

    /// Whether the content is the wanted one. What cannot be read has none.
    fn holds(&self, path: &Path) -> Result<bool, Failure> {
        let Some(pattern) = &self.contains else { return Ok(true) };
        let Ok(Some(bytes)) = self.system.read(path) else { return Ok(false) };
        let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n").replace('\r', "\n");
        if self.args.read_whole_file {
            return pattern.is_match(&text).map_err(gave_up("contains"));
        }
        for line in text.split_inclusive('\n') {
            if pattern.is_match(line).map_err(gave_up("contains"))? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A number with a unit.
fn amount(text: &Option<String>, argument: &str, units: &[(char, i64)]) -> Result<Option<i64>, ArgError> {
    let Some(text) = text else { return Ok(None) };
    let text = text.to_lowercase();
    let unit = units.iter().find(|(unit, _)| text.ends_with(*unit));
    let (number, factor) = unit.map_or((&text[..], 1), |(_, factor)| (&text[..text.len() - 1], *factor));
    let number = number.parse::<i64>().ok().and_then(|number| number.checked_mul(factor));
    let letters: Vec<String> = units.iter().map(|(unit, _)| unit.to_string()).collect();
    let wrong = || {
        let message =
            format!("expected a number with or without one of the units {}, found `{text}`", letters.join(", "));
        ArgError::new(argument, message)
    };
    number.map(Some).ok_or_else(wrong)
}

/// Seconds.
pub fn age(text: &Option<String>) -> Result<Option<i64>, ArgError> {
    amount(text, "age", &[('s', 1), ('m', 60), ('h', 3600), ('d', 86_400), ('w', 604_800)])
}

/// Bytes.
pub fn size(text: &Option<String>) -> Result<Option<i64>, ArgError> {
    amount(text, "size", &[('b', 1), ('k', 1 << 10), ('m', 1 << 20), ('g', 1 << 30), ('t', 1 << 40)])
}
