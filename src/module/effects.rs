//! What a call reads and writes, declared by each module: the runner decides from this alone what may be looked at early.

use std::collections::BTreeSet;

use super::{Kind, Param};
use crate::value::{Map, Value};

/// Kinds of things that a call may read or write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Things(u8);

impl Things {
    /// Nothing.
    pub const NONE: Things = Things(0);
    /// The host that the call is for.
    pub const HOST: Things = Things(1);
    /// Files of the controller.
    pub const FILES: Things = Things(1 << 1);
    /// The inventory, and the variables of other hosts.
    pub const INVENTORY: Things = Things(1 << 2);
    /// Whatever others see too: other hosts, services, networks. Nobody can bound it.
    pub const WORLD: Things = Things(1 << 3);
    /// The connection to the host.
    pub const CONNECTION: Things = Things(1 << 4);
    /// Which steps follow, and on which hosts.
    pub const COURSE: Things = Things(1 << 5);

    /// These and those.
    #[must_use]
    pub const fn and(self, other: Things) -> Things {
        Things(self.0 | other.0)
    }

    /// Whether there is anything in both.
    pub const fn meets(self, other: Things) -> bool {
        self.0 & other.0 != 0
    }

    /// Each kind by itself.
    pub fn each(self) -> impl Iterator<Item = Things> {
        (0..6).map(|bit| Things(1 << bit)).filter(move |kind| self.meets(*kind))
    }

    /// These as they are for others, where this host's own state is `here` to them.
    #[must_use]
    pub const fn with_host_as(self, here: Things) -> Things {
        if self.meets(Things::HOST) { Things(self.0 & !Things::HOST.0 | here.0) } else { self }
    }
}

/// Names of variables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// These.
    pub listed: BTreeSet<String>,
    /// Whatever a gatherer of facts may find: names that begin with `ansible_`, and what `facts.d` holds.
    pub facts: bool,
    /// Any.
    pub all: bool,
}

impl Names {
    /// Whether a variable is among them. `is_known`: it stands somewhere else already, so that it is no new fact.
    pub fn has(&self, name: &str, is_known: bool) -> bool {
        let is_fact = || name == "ansible_facts" || (!is_known && name.starts_with("ansible_"));
        self.all || self.listed.contains(name) || (self.facts && is_fact())
    }

    /// Adds others.
    pub fn add(&mut self, other: &Names) {
        self.listed.extend(other.listed.iter().cloned());
        self.facts |= other.facts;
        self.all |= other.all;
    }
}

/// What a call reads while it is looked at, and what it may write when it is carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// What it reads.
    pub reads: Things,
    /// What it may write.
    pub writes: Things,
    /// The variables of its host that it may set.
    pub sets: Names,
}

impl Effects {
    /// It reads and writes nothing but its arguments and its result.
    pub fn none() -> Self {
        Effects::default()
    }

    /// It looks at its host.
    pub fn looks() -> Self {
        Effects { reads: Things::HOST, ..Effects::default() }
    }

    /// It looks at its host, and changes nothing else.
    pub fn host() -> Self {
        Effects { reads: Things::HOST, writes: Things::HOST, ..Effects::default() }
    }

    /// It looks at its host; what it then does may reach anything.
    pub fn world() -> Self {
        Effects { reads: Things::HOST, writes: Things::HOST.and(Things::WORLD), ..Effects::default() }
    }

    /// [`Effects::world`] if this is true, else [`Effects::host`].
    pub fn world_if(reaches_out: bool) -> Self {
        if reaches_out { Effects::world() } else { Effects::host() }
    }

    /// It reads these too.
    #[must_use]
    pub fn reading(mut self, things: Things) -> Self {
        self.reads = self.reads.and(things);
        self
    }

    /// It writes these too.
    #[must_use]
    pub fn writing(mut self, things: Things) -> Self {
        self.writes = self.writes.and(things);
        self
    }

    /// It sets these variables.
    #[must_use]
    pub fn setting<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.sets.listed.extend(names.into_iter().map(Into::into));
        self
    }

    /// It returns these facts, which are in `ansible_facts` too.
    #[must_use]
    pub fn returning<N: Into<String>>(self, facts: impl IntoIterator<Item = N>) -> Self {
        self.setting(facts).setting(["ansible_facts"])
    }

    /// It gathers facts.
    #[must_use]
    pub fn gathering(mut self) -> Self {
        self.sets.facts = true;
        self
    }

    /// It may set any variable.
    #[must_use]
    pub fn setting_any(mut self) -> Self {
        self.sets.all = true;
        self
    }
}

/// The arguments of a call as far as they are known: what is a template still is `Value::Unknown`.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    args: &'a Map,
    params: &'static [Param],
}

impl<'a> Given<'a> {
    /// Arguments of a module with these parameters.
    pub fn new(args: &'a Map, params: &'static [Param]) -> Self {
        Given { args, params }
    }

    /// An argument, under its name or an alias.
    pub fn value(&self, name: &str) -> Option<&'a Value> {
        let aliases = self.params.iter().find(|param| param.name == name).map_or(&[][..], |param| param.aliases);
        std::iter::once(&name).chain(aliases).find_map(|name| self.args.get(*name))
    }

    /// Whether an argument is given.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| *value != Value::Null)
    }

    /// Whether an argument, or an item of it, may be a text of which `test` says yes. What is not known yet may be.
    pub fn may(&self, name: &str, test: impl Fn(&str) -> bool) -> bool {
        let one = |value: &Value| match value {
            Value::Str(text) => test(text),
            value => value.unknown().is_some(),
        };
        match self.value(name) {
            Some(Value::List(items)) => items.iter().any(one),
            Some(value) => one(value),
            None => false,
        }
    }

    /// The text of an argument; `None` if it is not given or not known yet.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.value(name).and_then(Value::as_str)
    }

    /// The arguments that the schema does not name.
    pub fn others(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let params = self.params;
        let known = move |key: &str| params.iter().any(|param| param.name == key || param.aliases.contains(&key));
        self.args.keys().map(String::as_str).filter(move |key| !known(key))
    }

    /// Whether it brings files of the controller, by arguments that name them. `remote`: they lie on the host.
    pub fn brings_files(&self, remote: bool) -> bool {
        let is_file = |param: &&Param| matches!(param.kind, Kind::Files | Kind::Template);
        !remote && self.params.iter().filter(is_file).any(|param| self.has(param.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map;

    #[test]
    fn what_is_not_known_may_be_anything() {
        let args = map! { "name" => Value::List(vec!["tree".into(), Value::Unknown(String::new())]), "deb" => "a.deb" };
        let given = Given::new(&args, &[]);
        assert!(given.may("name", |name| name.contains("://")));
        assert!(!given.may("deb", |name| name.contains("://")));
        assert!(!given.may("state", |_| true));
    }

    #[test]
    fn facts_are_names_that_nobody_else_defines() {
        let names = Effects::looks().gathering().setting(["here"]).sets;
        assert!(names.has("ansible_os_family", false) && names.has("ansible_facts", true) && names.has("here", true));
        assert!(!names.has("ansible_host", true) && !names.has("port", false));
    }

    #[test]
    fn the_state_of_a_host_may_be_that_of_the_controller() {
        let writes = Effects::host().writes;
        assert!(writes.with_host_as(Things::FILES).meets(Things::FILES));
        assert!(!Effects::none().writes.with_host_as(Things::FILES).meets(Things::FILES));
    }
}
