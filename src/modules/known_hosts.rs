mod entry;

use std::path::PathBuf;

use crate::change::Change;
use crate::failure::Failure;
use crate::module::{ArgError, Effects, Module, ModuleSpec};
use crate::modules::text_file::TextFile;
use crate::probe::{attributes, expand};
use crate::system::{Output, System};
use crate::value::Map;
use crate::{args, choices, map};

use entry::Entry;

choices! {
    /// What may be wanted of a host's key.
    pub enum State { Present = "present", Absent = "absent" }
}

args! {
    /// Adds and removes the keys of hosts that SSH knows.
    ///
    /// A key of the same type that the host had before is replaced.
    pub struct Args {
        /// The host, as SSH looks it up: `example.org`, `[example.org]:2222`.
        name: String, alias("host");
        /// The line of the key as `ssh-keyscan` prints it. As in Ansible the host's key of that type is removed, whichever it
        /// is. May be left out where all keys of the host are removed.
        key: Option<String>;
        /// The file.
        path: PathBuf = PathBuf::from("~/.ssh/known_hosts");
        /// Whether the host's name is hidden in the file.
        hash_host: bool = false;
        /// Whether the key shall be there.
        state: State = State::Present;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "known_hosts");

/// What is wrong with a key that cannot be read.
const NO_KEY: &str = "`key` must be a line of known_hosts: a host, a type and a key";

impl Module for Args {
    fn plan(&self, system: &dyn System, _done: &[Output]) -> Result<Change, Failure> {
        let path = expand::path(system, &self.path)?;
        let file = TextFile::read(system, &path)?;
        let wanted = self.settle(file.text())?;
        let mut values = map! {
            "name" => self.name.as_str(),
            "key" => self.key.as_ref().map(|key| key.trim()),
            "hash_host" => self.hash_host,
            "path" => path.to_string_lossy().into_owned(),
            "state" => self.state.as_str(),
        };
        values.extend::<Map>(attributes::values(system, &path)?);
        // Where nothing is to be added or removed no file is made.
        let action = if wanted == file.text() { None } else { file.write(&wanted) };
        Ok(match action {
            None => Change::none(values),
            Some(action) => Change::again(vec![action], values),
        })
    }

    fn check(&self) -> Result<(), ArgError> {
        match (&self.key, self.state) {
            (None, State::Present) => Err(ArgError::new("key", "`key` is required: what is to be added?")),
            (None, State::Absent) => Ok(()),
            (Some(key), _) => match Entry::parse(key) {
                None => Err(ArgError::new("key", NO_KEY)),
                Some(entry) if !entry.is_of(&self.host()) => {
                    let message = "Host parameter does not match hashed host field in supplied key";
                    Err(ArgError::new("key", message))
                }
                Some(_) => Ok(()),
            },
        }
    }

    fn effects(_: &crate::module::Given) -> Effects {
        Effects::host()
    }
}

impl Args {
    /// SSH looks hosts up in small letters.
    fn host(&self) -> String {
        self.name.to_lowercase()
    }

    /// The file's text as it shall be.
    fn settle(&self, text: &str) -> Result<String, Failure> {
        let host = self.host();
        let Some(key) = &self.key else {
            // As `ssh-keygen -R`: an entry for a pattern may be other hosts' too.
            let stays =
                |line: &&str| !Entry::parse(line).is_some_and(|entry| entry.is_of(&host) && !entry.is_pattern());
            return Ok(joined(text.lines().filter(stays)));
        };
        let key = Entry::parse(key).ok_or_else(|| Failure::new(NO_KEY).argument("key"))?;
        let key = if self.hash_host { key.hashed(&host).map_err(|why| Failure::new(why.to_string()))? } else { key };
        let lines: Vec<&str> = text.lines().collect();
        let entries: Vec<Option<Entry>> = lines.iter().map(|line| Entry::parse(line)).collect();
        let stands_for = |entry: &Entry| entry.is_of(&host) && entry.kind == key.kind;
        let found = entries.iter().position(|entry| entry.as_ref().is_some_and(stands_for));
        let is_same = found.and_then(|at| entries[at].as_ref()).is_some_and(|entry| entry.is_same(&key));
        let others = lines.iter().enumerate().filter(|(index, _)| Some(*index) != found).map(|(_, line)| *line);
        Ok(match self.state {
            State::Present if is_same => text.to_owned(),
            State::Present => joined(others.chain([key.to_string().as_str()])),
            State::Absent if found.is_none() => text.to_owned(),
            State::Absent => joined(others),
        })
    }
}

fn joined<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.map(|line| format!("{line}\n")).collect()
}
