mod entry;

use std::path::PathBuf;

use crate::change::{Action, Change};
use crate::failure::{During, Failure};
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::probe::{dpkg, paths};
use crate::system::{Command, Output, Subject, System};
use crate::value::{Map, Value};
use crate::{args, choices, map};

use entry::Entry;

choices! {
    /// What may be wanted of an entry.
    pub enum State {
        /// Nothing: the list is returned.
        Query = "query",
        Present = "present",
        Absent = "absent",
    }
}

choices! {
    /// Whom an entry is for.
    pub enum Type { User = "user", Group = "group", Mask = "mask", Other = "other" }
}

choices! {
    /// What becomes of the mask.
    pub enum Mask { Default = "default", Mask = "mask", NoMask = "no_mask" }
}

args! {
    /// Sets and removes entries of access control lists (POSIX), with `setfacl` and `getfacl`.
    pub struct Args {
        /// The file or directory.
        path: PathBuf, alias("name");
        /// What is wanted.
        state: State = State::Query;
        /// Whom the entry is for.
        etype: Option<Type>;
        /// The user or group, by name or number.
        entity: String = "";
        /// The permissions: `rwx`, `r-X`, …
        permissions: Option<String>;
        /// The whole entry as `setfacl` takes it (`user:wod:rwx`), instead of the three.
        entry: Option<String>;
        /// The entry is for what is made in the directory later.
        default: bool = false;
        /// For everything in the directory too.
        recursive: bool = false, alias("recurse");
        /// Follow links.
        follow: bool = true;
        /// Whether the mask is computed anew.
        recalculate_mask: Mask = Mask::Default;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.posix", "acl");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        let path = match self.follow {
            true => paths::for_program(system, &self.path)?,
            false => paths::absolute(system, &self.path)?,
        };
        if paths::stat(system, &path, true)?.is_none() {
            let message = format!("{}: Path not found or not accessible.", path.display());
            return Err(Failure::new(message).argument("path"));
        }
        let path = path.to_string_lossy().into_owned();
        let entry = self.wanted().map_err(Failure::from)?;
        let differs = done.is_empty() && entry.is_some() && self.differs(system, &path)?;
        if differs {
            let message = format!("cannot change the access control list of {path}");
            let action = Action::run(Command::new(self.setfacl(&path, false)?), message).expect(Output::default());
            return Ok(Change::again(
                vec![action.settles(self.subject(&path), true)],
                self.values(Value::Unknown(String::new())),
            ));
        }
        let list = self.list(system, &path)?;
        Ok(Change::none(self.values(list)))
    }

    fn check(&self) -> Result<(), ArgError> {
        if self.state == State::Query {
            if self.recursive || self.recalculate_mask != Mask::Default || self.entry.is_some() {
                let message = "`recursive`, `recalculate_mask` and `entry` need `state: present` or `absent`";
                return Err(ArgError::new("state", message));
            }
            return Ok(());
        }
        self.wanted().map(|_| ())
    }

    fn effects(_: &Given) -> Effects {
        Effects::host()
    }
}

impl Args {
    /// The entry that is meant; none for a query.
    fn wanted(&self) -> Result<Option<Entry>, ArgError> {
        let absent = match self.state {
            State::Query => return Ok(None),
            state => state == State::Absent,
        };
        if let Some(text) = &self.entry {
            if self.etype.is_some() || !self.entity.is_empty() || self.permissions.is_some() {
                return Err(ArgError::new("entry", "`entry` excludes `etype`, `entity` and `permissions`"));
            }
            return Entry::parse(text, absent).map(Some).map_err(|why| ArgError::new("entry", why));
        }
        let Some(etype) = self.etype else {
            return Err(ArgError::whole(format!("`etype` is needed for `state: {}`", self.state.as_str())));
        };
        match &self.permissions {
            Some(_) if absent => Err(ArgError::new("permissions", "`state: absent` takes no permissions")),
            None if !absent => Err(ArgError::whole("`permissions` is needed for `state: present`")),
            permissions => Ok(Some(Entry {
                default: false,
                kind: etype.as_str().to_owned(),
                entity: self.entity.clone(),
                permissions: permissions.clone(),
            })),
        }
    }

    fn setfacl(&self, path: &str, test: bool) -> Result<Vec<String>, Failure> {
        let entry = self.wanted().map_err(Failure::from)?.unwrap_or_default();
        let mut words: Vec<&str> = vec!["setfacl"];
        words.extend(test.then_some("--test"));
        words.extend((self.default || entry.default).then_some("-d"));
        let text = entry.to_string();
        words.extend([if self.state == State::Absent { "-x" } else { "-m" }, &text]);
        words.extend(self.recursive.then_some("--recursive"));
        words.extend(match self.recalculate_mask {
            Mask::Default => None,
            Mask::Mask => Some("--mask"),
            Mask::NoMask => Some("--no-mask"),
        });
        words.extend((!self.follow).then_some("--physical"));
        words.extend(["--", path]);
        Ok(words.into_iter().map(str::to_owned).collect())
    }

    /// Whether `setfacl` would change anything. It lists each path, with `*,*` where nothing changes.
    fn differs(&self, system: &dyn System, path: &str) -> Result<bool, Failure> {
        if system.predicted(&self.subject(path)).is_some() {
            return Ok(false);
        }
        if system.which("setfacl").is_none() {
            return match dpkg::has_planned(system) {
                true => Ok(true),
                false => Err(Failure::new("there is no program `setfacl` here; install the package acl")),
            };
        }
        let output = system.query(&Command::new(self.setfacl(path, true)?)).during(|| "start setfacl")?;
        let said = output.errors();
        // What stands there is only planned, or the user is.
        let planned = said.contains("No such file or directory") || said.contains("Invalid argument near");
        match output.ok() {
            true => Ok(output.text().lines().any(|line| !line.trim_end().ends_with("*,*"))),
            false if planned && self.is_planned(system, path) => Ok(true),
            false => Err(Failure::new(format!("setfacl: {}", said.trim())).argument("entity")),
        }
    }

    fn is_planned(&self, system: &dyn System, path: &str) -> bool {
        let entity = |kind: &str| system.predicted(&Subject::Other(kind.into(), self.entity.clone())).is_some();
        let there = |path: &str| system.query(&Command::new(["test", "-e", path])).is_ok_and(|output| output.ok());
        entity("user") || entity("group") || !there(path)
    }

    /// The list, as `getfacl` shows it.
    fn list(&self, system: &dyn System, path: &str) -> Result<Value, Failure> {
        if system.which("getfacl").is_none() {
            return Ok(Value::Unknown(String::new()));
        }
        let mut words = vec!["getfacl", "--absolute-names", "--omit-header"];
        words.extend(self.recursive.then_some("--recursive"));
        words.extend((!self.follow).then_some("--physical"));
        words.extend(self.default.then_some("-d"));
        words.extend(["--", path]);
        let output = system.query(&Command::new(words)).during(|| "start getfacl")?;
        if !output.ok() {
            return Ok(Value::Unknown(String::new()));
        }
        let text = output.text();
        let lines = text.trim_end().lines().filter(|line| !line.starts_with('#')).map(str::trim);
        Ok(lines.collect::<Vec<_>>().into())
    }

    fn subject(&self, path: &str) -> Subject {
        let entry = self.wanted().ok().flatten().unwrap_or_default();
        Subject::Other("acl".into(), format!("{path} {} {} {entry}", self.default, self.state.as_str()))
    }

    fn values(&self, list: Value) -> Map {
        let entry = self.wanted().ok().flatten().map(|entry| entry.to_string()).unwrap_or_default();
        let message = match self.state {
            State::Query => "current acl".to_owned(),
            state => format!("{entry} is {}", state.as_str()),
        };
        map! { "msg" => message, "acl" => list }
    }
}
