//! The entries of the registry.

use super::{ArgError, Arguments, Effects, Given, Module, Param, Things};
use crate::value::{Map, Value};

/// Where a module's work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// By the agent on the target.
    Target,
    /// By the runner itself (`debug`, `assert`, `set_fact`, …).
    Controller,
    /// By nobody: it decides where a host goes from there (`meta`).
    Course,
}

/// One entry of the registry.
pub struct ModuleSpec {
    /// Its short name, `copy`.
    pub name: &'static str,
    /// Its collection, `ansible.builtin`.
    pub collection: &'static str,
    /// Other short names of the same module (`systemd_service` for `systemd`).
    pub aliases: &'static [&'static str],
    /// The manual, first line the summary. From the doc comment of the argument struct.
    pub doc: fn() -> &'static str,
    /// The arguments.
    pub params: fn() -> &'static [Param],
    /// The argument that takes the free form (`command: ls -l`).
    pub free_form: Option<&'static str>,
    /// Takes any further arguments (`set_fact`).
    pub any_arguments: bool,
    /// Where the work is done.
    pub place: Place,
    /// What a call reads and writes, see [`ModuleSpec::effects_of`].
    pub effects: fn(&Given) -> Effects,
    /// The first host of a batch does it for all (`pause`, `add_host`): as where Ansible bypasses its loop over hosts.
    pub once: bool,
    /// Checks the arguments and makes the module; `None` for the controller's own.
    pub build: Option<Build>,
}

/// Checks arguments and makes a module.
pub type Build = fn(&Map) -> Result<Box<dyn Module>, ArgError>;

impl std::fmt::Debug for ModuleSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}.{}", self.collection, self.name)
    }
}

impl ModuleSpec {
    /// The entry of a module whose work is done on the target. Exceptions are written over it:
    /// `ModuleSpec { free_form: Some("cmd"), ..ModuleSpec::of::<Args>("ansible.builtin", "command") }`.
    pub const fn of<A: Arguments + Module + 'static>(collection: &'static str, name: &'static str) -> ModuleSpec {
        ModuleSpec {
            place: Place::Target,
            effects: A::effects,
            build: Some(|map| {
                let args = A::read(map)?;
                args.check()?;
                Ok(Box::new(args))
            }),
            ..ModuleSpec::controller::<A>(collection, name)
        }
    }

    /// The entry of a module that the runner itself carries out.
    pub const fn controller<A: Arguments>(collection: &'static str, name: &'static str) -> ModuleSpec {
        ModuleSpec {
            name,
            collection,
            aliases: &[],
            doc: A::doc,
            params: A::params,
            free_form: None,
            any_arguments: A::ANY,
            place: Place::Controller,
            effects: |_| Effects::none(),
            once: false,
            build: None,
        }
    }

    /// Whether its files lie on the target: by `remote_src`, or by its contrary `copy`, which `unarchive` had before.
    pub fn is_remote<T>(&self, given: impl Fn(&str) -> Option<T>, truth: impl Fn(T) -> bool) -> bool {
        let says = |name: &str| self.param(name).and_then(|_| given(name)).map(&truth);
        let by_default = || self.param("remote_src").and_then(|param| param.default) == Some("true");
        says("remote_src").or_else(|| says("copy").map(|copy| !copy)).unwrap_or_else(by_default)
    }

    /// What a call reads and writes. Arguments that are not known yet are `Value::Unknown`.
    pub fn effects_of(&self, args: &Map) -> Effects {
        let given = Given::new(args, (self.params)());
        let effects = (self.effects)(&given);
        match given.brings_files(self.is_remote(|name| given.value(name), |value| *value == Value::Bool(true))) {
            true => effects.reading(Things::FILES),
            false => effects,
        }
    }

    /// What users may give.
    pub fn public_params(&self) -> impl Iterator<Item = &'static Param> {
        (self.params)().iter().filter(|param| !param.is_internal())
    }

    /// The parameter of this name or alias.
    pub fn param(&self, name: &str) -> Option<&'static Param> {
        (self.params)().iter().find(|param| param.name == name || param.aliases.contains(&name))
    }
}
