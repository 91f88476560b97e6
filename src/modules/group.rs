use crate::change::{Action, Change};
use crate::failure::Failure;
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::modules::printed::add_printed;
use crate::probe::passwd::{self, Group, IdKind};
use crate::system::{Command, Output, System};
use crate::value::{Map, Value};
use crate::{args, choices, map};

choices! {
    /// What may be wanted of a group.
    pub enum State { Present = "present", Absent = "absent" }
}

args! {
    /// Creates, changes and removes groups.
    ///
    /// Uses `groupadd`, `groupmod` and `groupdel`. A group that exists is changed in its id only.
    pub struct Args {
        /// The group's name.
        name: String;
        /// Whether there shall be such a group.
        state: State = State::Present;
        /// Its id; by default the system chooses one.
        gid: Option<u32>;
        /// Allow an id that another group has. Needs `gid`.
        non_unique: bool = false;
        /// Create it as a system group.
        system: bool = false;
        /// Remove it even if it is the primary group of a user.
        force: bool = false;
        /// Look for the group in `/etc/group` only, not in a directory service.
        local: bool = false;
        /// The lowest id that the system may choose, instead of `GID_MIN` of `/etc/login.defs`.
        gid_min: Option<u32>;
        /// The highest id that the system may choose, instead of `GID_MAX` of `/etc/login.defs`.
        gid_max: Option<u32>;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "group");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        let found = match self.local {
            true => passwd::local_group(system, &self.name)?,
            false => passwd::group(system, &self.name)?,
        };
        match (self.state, found) {
            (State::Absent, None) => Ok(Change::none(self.values(None, done))),
            (State::Absent, Some(group)) => Ok(Change::of(vec![self.delete(&group)], self.values(None, done))),
            (State::Present, None) if done.is_empty() => self.create(system),
            (State::Present, None) => Err(Failure::new(format!("groupadd did not create the group {}", self.name))),
            (State::Present, Some(group)) => Ok(self.modify(system, &group, done)),
        }
    }

    fn check(&self) -> Result<(), ArgError> {
        if self.non_unique && self.gid.is_none() {
            return Err(ArgError::new("non_unique", "`non_unique` needs `gid`"));
        }
        Ok(())
    }

    fn effects(_: &Given) -> Effects {
        Effects::host()
    }
}

impl Args {
    fn create(&self, system: &dyn System) -> Result<Change, Failure> {
        let gid = match self.gid {
            Some(gid) => gid,
            None => passwd::next_id(system, IdKind::Gid, self.system)?,
        };
        let mut argv = vec!["groupadd".to_owned()];
        argv.extend(self.gid_words());
        if self.system {
            argv.push("-r".into());
        }
        for (name, limit) in [("GID_MIN", self.gid_min), ("GID_MAX", self.gid_max)] {
            if let Some(limit) = limit {
                argv.extend(["-K".into(), format!("{name}={limit}")]);
            }
        }
        argv.push(self.name.clone());
        let action = Action::run(Command::new(argv), format!("cannot create the group {}", self.name));
        Ok(Change::again(vec![self.settle(action, gid)], self.values(None, &[])))
    }

    fn modify(&self, system: &dyn System, group: &Group, done: &[Output]) -> Change {
        let values = self.values(Some(self.shown_gid(system, group)), done);
        let Some(gid) = self.gid.filter(|gid| *gid != group.gid && done.is_empty()) else {
            return Change::none(values);
        };
        let mut argv = vec!["groupmod".to_owned()];
        argv.extend(self.gid_words());
        argv.push(self.name.clone());
        let action = Action::run(Command::new(argv), format!("cannot change the group {}", self.name));
        let action = action.settles(passwd::subject("gid", &group.gid.to_string()), Value::Null);
        Change::again(vec![self.settle(action, gid)], values)
    }

    fn delete(&self, group: &Group) -> Action {
        let mut argv = vec!["groupdel".to_owned()];
        if self.force {
            argv.push("-f".into());
        }
        argv.push(self.name.clone());
        Action::run(Command::new(argv), format!("cannot remove the group {}", self.name))
            .settles(passwd::subject("group", &self.name), Value::Null)
            .settles(passwd::subject("gid", &group.gid.to_string()), Value::Null)
    }

    fn gid_words(&self) -> Vec<String> {
        let Some(gid) = self.gid else { return Vec::new() };
        let mut words = vec!["-g".to_owned(), gid.to_string()];
        if self.non_unique {
            words.push("-o".into());
        }
        words
    }

    fn settle(&self, action: Action, gid: u32) -> Action {
        action
            .settles(passwd::subject("group", &self.name), Value::Map(map! { "gid" => gid }))
            .settles(passwd::subject("gid", &gid.to_string()), self.name.as_str())
            .expect(Output::default())
    }

    /// A planned group has the id that the user gave, or one that nobody knows yet.
    fn shown_gid(&self, system: &dyn System, group: &Group) -> Value {
        match (self.gid, system.predicted(&passwd::subject("group", &self.name))) {
            (None, Some(_)) => Value::Unknown(String::new()),
            _ => group.gid.into(),
        }
    }

    fn values(&self, gid: Option<Value>, done: &[Output]) -> Map {
        let mut values = map! { "name" => self.name.as_str(), "state" => self.state.as_str() };
        if let Some(gid) = gid {
            values.insert("system".into(), self.system.into());
            values.insert("gid".into(), gid);
        }
        add_printed(&mut values, done);
        values
    }
}
