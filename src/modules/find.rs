mod filter;

use std::path::{Path, PathBuf};

use crate::change::{Change, Mode};
use crate::failure::{During, Failure};
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::modules::stat::Algorithm;
use crate::probe::{expand, paths, stat};
use crate::system::{FileKind, Output, Stat, System};
use crate::value::{Map, Value};
use crate::{args, choices, map};

use filter::{Filter, age, size};

choices! {
    /// What is looked for.
    pub enum FileType { File = "file", Any = "any", Directory = "directory", Link = "link" }
}

choices! {
    /// Which time `age` is about.
    pub enum Stamp { Mtime = "mtime", Atime = "atime", Ctime = "ctime" }
}

args! {
    /// Finds files, directories and links.
    ///
    /// What is found is in `files` of the result, each with its path and with the fields of `stat`.
    pub struct Args {
        /// The directories to look in.
        paths: Vec<PathBuf>, alias("name", "path");
        /// Patterns for names, `*.log`; Python's regular expressions with `use_regex`. One must match.
        patterns: Vec<String>, alias("pattern");
        /// The same for names that are left out.
        excludes: Vec<String>, alias("exclude");
        /// `patterns` and `excludes` are regular expressions, which must match from the start of the name.
        use_regex: bool = false;
        /// Look into directories too.
        recurse: bool = false;
        /// Look so deep only: 1 is what lies in the directory itself.
        depth: Option<i64>;
        /// What is looked for.
        file_type: FileType = FileType::File;
        /// Only what is at least so old: seconds, or with a unit `s`, `m`, `h`, `d`, `w`. Negative: at most.
        age: Option<String>;
        /// Which time `age` is about.
        age_stamp: Stamp = Stamp::Mtime;
        /// Only files of at least so many bytes, or with a unit `b`, `k`, `m`, `g`, `t`. Negative: at most.
        size: Option<String>;
        /// Only files with a line that matches this regular expression from its start. Bytes that are no UTF-8 are
        /// replaced before.
        contains: Option<String>;
        /// Search for `contains` in the file as a whole, anywhere.
        read_whole_file: bool = false;
        /// Also what begins with a dot.
        hidden: bool = false;
        /// Go through links to directories.
        follow: bool = false;
        /// Tell the checksum of files.
        get_checksum: bool = false;
        /// Which checksum.
        checksum_algorithm: Algorithm = Algorithm::Sha1, alias("checksum", "checksum_algo");
        /// Only what has these permissions.
        mode: Option<Mode>;
        /// Exactly these permissions. With `false` one of them is enough.
        exact_mode: bool = true;
        /// Stop when so many were found.
        limit: Option<i64>;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "find");

impl Module for Args {
    fn plan(&self, system: &dyn System, _: &[Output]) -> Result<Change, Failure> {
        let filter = Filter::new(self, system)?;
        let mut search = Search { args: self, system, filter, found: Vec::new(), looked: 0, skipped: Map::new() };
        let mut warnings = Vec::new();
        for path in &self.paths {
            let shown = expand::path(system, path)?;
            let full = system.cwd().join(&shown);
            if !paths::is_dir(system, &full)? {
                let why = format!("'{}' is not a directory", shown.display());
                warnings.push(format!("Skipped '{}' path due to this access issue: {why}", shown.display()));
                search.skipped.insert(shown.to_string_lossy().into_owned(), why.into());
                continue;
            }
            search.walk(&full.components().collect::<PathBuf>(), 1)?;
        }
        let message = match (warnings.is_empty(), search.is_full()) {
            (false, _) => "Not all paths examined, check warnings for details",
            (true, true) => "Limit of matches reached",
            (true, false) => "All paths examined",
        };
        let values = map! {
            "matched" => search.found.len() as i64,
            "files" => Value::List(search.found),
            "examined" => search.looked,
            "skipped_paths" => search.skipped,
            "msg" => message,
        };
        Ok(Change { warnings, ..Change::none(values) })
    }

    fn check(&self) -> Result<(), ArgError> {
        if self.paths.is_empty() {
            return Err(ArgError::new("paths", "`paths` is required"));
        }
        if let Some(limit) = self.limit.filter(|limit| *limit <= 0) {
            return Err(ArgError::new("limit", format!("limit cannot be {limit}: leave it out for no limit")));
        }
        age(&self.age)?;
        size(&self.size)?;
        Ok(())
    }

    fn effects(_: &Given) -> Effects {
        Effects::looks()
    }
}

struct Search<'a> {
    args: &'a Args,
    system: &'a dyn System,
    filter: Filter<'a>,
    found: Vec<Value>,
    looked: i64,
    skipped: Map,
}

impl Search<'_> {
    fn is_full(&self) -> bool {
        self.args.limit.is_some_and(|limit| self.found.len() as i64 >= limit)
    }

    /// Looks at what lies in `dir`, files before directories, then into these.
    fn walk(&mut self, dir: &Path, depth: i64) -> Result<(), Failure> {
        let names = match self.system.list(dir) {
            Ok(names) => names.unwrap_or_default(),
            Err(error) => {
                let why = crate::failure::plain(&error);
                self.skipped.insert(dir.to_string_lossy().into_owned(), why.into());
                return Ok(());
            }
        };
        let (mut files, mut dirs) = (Vec::new(), Vec::new());
        for name in names {
            let path = dir.join(name);
            let Some(found) = paths::stat(self.system, &path, false)? else { continue };
            // A link to a directory counts as one, but is not gone through without `follow`.
            let leads = found.kind == FileKind::Link && paths::is_dir(self.system, &path).unwrap_or(false);
            match found.kind == FileKind::Dir || leads {
                true => dirs.push((path, found)),
                false => files.push((path, found)),
            }
        }
        self.looked += (files.len() + dirs.len()) as i64;
        if self.args.depth.is_some_and(|most| most > 0 && depth > most) {
            return Ok(());
        }
        for (path, found) in files.iter().chain(&dirs) {
            self.one(path, found)?;
            if self.is_full() {
                return Ok(());
            }
        }
        if !self.args.recurse {
            return Ok(());
        }
        for (path, found) in dirs {
            if found.kind == FileKind::Dir || self.args.follow {
                self.walk(&path, depth + 1)?;
            }
            if self.is_full() {
                break;
            }
        }
        Ok(())
    }

    fn one(&mut self, path: &Path, found: &Stat) -> Result<(), Failure> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if (name.starts_with('.') && !self.args.hidden) || !self.filter.wants(&name, path, found)? {
            return Ok(());
        }
        let mut values = map! { "path" => path.to_string_lossy().into_owned() };
        values.extend(stat::fields(found));
        let (owner, group) = stat::owner_names(self.system, found)?;
        values.extend(map! { "gr_name" => group.unwrap_or_default(), "pw_name" => owner.unwrap_or_default() });
        if found.kind == FileKind::File && self.args.get_checksum {
            let sum = self.system.digest(path, self.args.checksum_algorithm.digest());
            values.insert("checksum".to_owned(), sum.during(|| format!("read {}", path.display()))?.into());
        }
        self.found.push(Value::Map(values));
        Ok(())
    }
}
