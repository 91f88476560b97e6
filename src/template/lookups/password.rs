//! Passwords that are made once and kept in a file of the controller.
#![expect(clippy::disallowed_methods, reason = "keeps passwords in files of the controller")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use minijinja::{Error, Value};

use super::{Asked, Lookup, lookup};
use crate::failure::plain;
use crate::template::Asks;
use crate::template::arguments::wrong;
use crate::template::filters::{Hash, crypt, crypt_salt, home_expanded, seeded};
use crate::template::python;
use crate::template::twister::Random;

pub const LOOKUPS: &[Lookup] = &[lookup("password", "length chars encrypt ident seed", password).asking(Asks::ONCE)];

struct Wanted {
    path: PathBuf,
    length: usize,
    chars: Vec<char>,
    encrypt: Option<String>,
    ident: Option<String>,
    seed: Option<Value>,
}

fn password(asked: &Asked) -> Result<Vec<Value>, Error> {
    asked.texts()?.iter().map(|term| one(&Wanted::read(asked, term)?)).collect()
}

impl Wanted {
    /// `PATH name=value …`; a path may hold blanks.
    fn read(asked: &Asked, term: &str) -> Result<Self, Error> {
        let mut path = Vec::new();
        let mut options: Vec<(String, Value)> = asked.options.to_vec();
        for word in term.split(' ') {
            match word.split_once('=') {
                Some((name @ ("length" | "chars" | "encrypt" | "ident" | "seed"), value)) => {
                    options.push((name.to_owned(), value.into()));
                }
                _ => path.push(word),
            }
        }
        let option = |name: &str| {
            options
                .iter()
                .rev()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.clone())
                .filter(|value| !value.is_none())
        };
        let text =
            |name: &str| option(name).map(|value| python::text(&value).into_owned()).filter(|text| !text.is_empty());
        let length = text("length").map_or(Ok(20), |length| {
            length.parse().map_err(|_| wrong(format!("`length` must be a whole number, it is `{length}`")))
        })?;
        let sets: Vec<String> = match option("chars") {
            Some(chars) if python::is_list(&chars) => {
                python::items(&chars)?.iter().map(|set| python::text(set).into_owned()).collect()
            }
            Some(chars) => listed(&python::text(&chars)),
            None => vec!["ascii_letters".into(), "digits".into(), ".,:-_".into()],
        };
        let path = asked.context.folder().join(home_expanded(path.join(" ").trim())?);
        let chars: Vec<char> = sets.iter().flat_map(|set| letters(set)).collect();
        if chars.is_empty() {
            return Err(wrong("`chars` names no letters"));
        }
        Ok(Wanted { path, length, chars, encrypt: text("encrypt"), ident: text("ident"), seed: option("seed") })
    }

    fn generated(&self) -> Result<String, Error> {
        let mut source = match &self.seed {
            Some(seed) => seeded(seed)?,
            None => Random::system().map_err(wrong)?,
        };
        Ok((0..self.length).map(|_| self.chars[source.below(self.chars.len() as u64) as usize]).collect())
    }
}

/// Sets separated by commas; two commas stand for a comma of their own.
fn listed(text: &str) -> Vec<String> {
    let comma = text.contains(",,").then(|| ",".to_owned());
    text.replace(",,", ",").split(',').filter(|set| !set.is_empty()).map(str::to_owned).chain(comma).collect()
}

/// The letters of a set by its name in Python's `string`, or the letters themselves.
fn letters(set: &str) -> Vec<char> {
    let lower = 'a'..='z';
    let upper = 'A'..='Z';
    match set {
        "ascii_letters" => lower.chain(upper).collect(),
        "ascii_lowercase" => lower.collect(),
        "ascii_uppercase" => upper.collect(),
        "digits" => ('0'..='9').collect(),
        "hexdigits" => "0123456789abcdefABCDEF".chars().collect(),
        "octdigits" => ('0'..='7').collect(),
        "punctuation" => ('!'..='~').filter(char::is_ascii_punctuation).collect(),
        "whitespace" => " \t\n\r\x0b\x0c".chars().collect(),
        "printable" => letters("digits")
            .into_iter()
            .chain(letters("ascii_letters"))
            .chain(letters("punctuation"))
            .chain(letters("whitespace"))
            .collect(),
        other => other.chars().collect(),
    }
}

/// What the file holds: `PASSWORD [salt=SALT] [ident=IDENT]`.
struct Kept {
    password: String,
    salt: Option<String>,
    ident: Option<String>,
}

impl Kept {
    fn read(path: &Path) -> Result<Option<Self>, Error> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(wrong(format!("cannot read {}: {}", path.display(), plain(&error)))),
        };
        let text = text.trim_end();
        let (text, ident) =
            text.rsplit_once(" ident=").map_or((text, None), |(text, ident)| (text, Some(ident.to_owned())));
        let (text, salt) =
            text.rsplit_once(" salt=").map_or((text, None), |(text, salt)| (text, Some(salt.to_owned())));
        Ok(Some(Kept { password: text.to_owned(), salt, ident }))
    }

    fn write(&self, path: &Path) -> Result<(), Error> {
        let mut text = self.password.clone();
        for (name, value) in [("salt", &self.salt), ("ident", &self.ident)] {
            if let Some(value) = value {
                text += &format!(" {name}={value}");
            }
        }
        let problem = |error: std::io::Error| wrong(format!("cannot write {}: {}", path.display(), plain(&error)));
        let folder = path.parent().unwrap_or(Path::new("/"));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(problem)?;
        let temporary =
            folder.join(format!(".{}.{}", path.file_name().unwrap_or_default().to_string_lossy(), std::process::id()));
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&temporary)
            .map_err(problem)?;
        writeln!(file, "{text}").and_then(|()| file.sync_all()).map_err(problem)?;
        fs::rename(&temporary, path).map_err(problem)
    }
}

fn one(wanted: &Wanted) -> Result<Value, Error> {
    // Two hosts that ask at the same time get one password.
    static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let nowhere = wanted.path == Path::new("/dev/null");
    let found = if nowhere { None } else { Kept::read(&wanted.path)? };
    let mut changed = found.is_none();
    let mut kept = match found {
        Some(kept) => kept,
        None => Kept { password: wanted.generated()?, salt: None, ident: None },
    };
    let mut answer = kept.password.clone();
    if let Some(name) = &wanted.encrypt {
        let hash = Hash::named(name)?;
        if kept.salt.is_none() {
            kept.salt = Some(crypt_salt(hash, None)?);
            changed = true;
        }
        if kept.ident.is_none() && hash == Hash::Blowfish {
            kept.ident = Some(wanted.ident.clone().unwrap_or("2b".into()));
            changed = true;
        }
        answer = crypt(&kept.password, hash, kept.salt.as_deref().unwrap_or_default(), None, kept.ident.as_deref())?;
    }
    if changed && !nowhere {
        kept.write(&wanted.path)?;
    }
    Ok(answer.into())
}
