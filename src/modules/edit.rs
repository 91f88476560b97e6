//! A text file that is edited: what `lineinfile`, `blockinfile` and `replace` share. A link is followed: what it points
//! at is edited.

use std::path::{Path, PathBuf};

use super::file_args::{Common, make_dirs};
use super::put::Put;
use crate::change::{Action, Attributes};
use crate::failure::{During, Failure};
use crate::probe::{attributes, paths};
use crate::python_regex::{Flags, Pattern};
use crate::system::{Content, FileKind, Stat, System};

/// What is added to the message where owner, group or permissions change.
const ATTRIBUTES: &str = "ownership, perms or SE linux context changed";

/// A file before it is edited.
pub struct Text {
    path: PathBuf,
    stat: Option<Stat>,
    /// What it holds; nothing where there is none.
    pub bytes: Vec<u8>,
}

/// What an edit comes to.
pub struct Edited {
    /// What must be done.
    pub actions: Vec<Action>,
    /// What is said of it.
    pub message: String,
    /// Where the old file is kept.
    pub backup: Option<String>,
}

impl Text {
    /// Reads the file. There need not be one.
    pub fn open(system: &dyn System, path: &Path) -> Result<Text, Failure> {
        let path = paths::real(system, &paths::absolute(system, path)?)?;
        let stat = paths::stat(system, &path, false)?;
        if stat.as_ref().is_some_and(|stat| stat.kind == FileKind::Dir) {
            let failure = Failure::new(format!("Path {} is a directory !", path.display()));
            return Err(failure.with("rc", 256).argument("path"));
        }
        let bytes = system.read(&path).during(|| format!("read {}", path.display()))?.unwrap_or_default();
        Ok(Text { path, stat, bytes })
    }

    /// Whether there is such a file.
    pub fn exists(&self) -> bool {
        self.stat.is_some()
    }

    /// The failure where there must be one.
    pub fn missing(&self, hint: &str) -> Failure {
        Failure::new(format!("Path {} does not exist !{hint}", self.path.display())).with("rc", 257).argument("path")
    }

    /// Writes the new content, if it is new, and gives the file what it lacks. `message` is about the content.
    pub fn save(&self, system: &dyn System, put: &Put, new: Vec<u8>, message: &str) -> Result<Edited, Failure> {
        let stat = self.stat.as_ref();
        let is_new = stat.is_none() || new != self.bytes;
        let write = || put.write(system, &self.path, stat, Content::Bytes(new), &Attributes::default());
        let actions = match stat {
            Some(stat) if !is_new => put.common.settle(system, &self.path, stat)?,
            Some(_) => write()?,
            None => {
                let missing = paths::missing_dirs(system, self.path.parent().unwrap_or(Path::new("/")))?;
                let mut actions = make_dirs(system, &missing, &Common::default())?;
                actions.extend(write()?);
                actions
            }
        };
        let differs = self.attributes_differ(system, &put.common)?;
        let message = match (message, differs) {
            (message, false) => message.to_owned(),
            ("", true) => ATTRIBUTES.to_owned(),
            (message, true) => format!("{message} and {ATTRIBUTES}"),
        };
        let backup = put.backup_of(system, &self.path, stat.filter(|_| is_new));
        Ok(Edited { actions, message, backup: backup.map(|path| path.to_string_lossy().into_owned()) })
    }

    fn attributes_differ(&self, system: &dyn System, common: &Common) -> Result<bool, Failure> {
        let wanted = common.attributes(system, self.stat.as_ref(), false)?;
        Ok(match &self.stat {
            Some(stat) => attributes::differ(&wanted, stat),
            None => {
                let who = system.identity();
                wanted.mode.is_some_and(|mode| mode != 0o666 & !system.umask())
                    || wanted.uid.is_some_and(|uid| uid != who.uid)
                    || wanted.gid.is_some_and(|gid| gid != who.gid)
            }
        })
    }
}

/// A pattern on bytes: they are read as Latin-1, as [`latin`] does, and classes know ASCII only.
pub fn byte_pattern(text: &str, argument: &str) -> Result<Pattern, Failure> {
    let flags = Flags { ascii: true, ..Flags::default() };
    Pattern::new(&latin(text.as_bytes()), flags).map_err(|why| Failure::new(why).argument(argument))
}

/// A search that cannot be carried out.
pub fn gave_up(argument: &str) -> impl Fn(String) -> Failure + '_ {
    move |why| Failure::new(why).argument(argument)
}

/// Bytes as letters of the same numbers, so that every content can be searched.
pub fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// The way back from [`latin`].
pub fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|letter| letter as u8).collect()
}
