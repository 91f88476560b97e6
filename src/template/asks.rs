//! What a rendering asks beside its variables, so that a scheduler can tell when it may happen.

use std::collections::BTreeSet;
use std::ops::BitOr;

use super::{Binding, Scope};

/// What a filter, test, lookup or function asks beyond its arguments. Each declares it in its registry entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asks {
    /// Files of the controller: whether they are there, what they hold.
    pub files: bool,
    /// The world outside: programs, addresses, the clock, chance, the environment.
    pub world: bool,
    /// Other hosts: their variables, the inventory's groups.
    pub hosts: bool,
    /// It has an effect, or a new answer each time: to be evaluated exactly once for a task, host and item.
    pub once: bool,
}

impl Asks {
    /// Its arguments only.
    pub const NOTHING: Asks = Asks { files: false, world: false, hosts: false, once: false };
    /// Files of the controller.
    pub const FILES: Asks = Asks { files: true, ..Asks::NOTHING };
    /// The world, which answers the same within a run.
    pub const WORLD: Asks = Asks { world: true, ..Asks::NOTHING };
    /// The world, with an effect or with a new answer each time.
    pub const ONCE: Asks = Asks { world: true, once: true, ..Asks::NOTHING };
    /// Chance: nothing that a step could change, but a new answer each time.
    pub const CHANCE: Asks = Asks { once: true, ..Asks::NOTHING };
    /// Other hosts.
    pub const HOSTS: Asks = Asks { hosts: true, ..Asks::NOTHING };
    /// What cannot be told beforehand.
    pub const ANYTHING: Asks = Asks { files: true, world: true, hosts: true, once: true };

    /// Both.
    pub const fn and(self, other: Asks) -> Asks {
        Asks {
            files: self.files || other.files,
            world: self.world || other.world,
            hosts: self.hosts || other.hosts,
            once: self.once || other.once,
        }
    }
}

impl BitOr for Asks {
    type Output = Asks;

    fn bitor(self, other: Asks) -> Asks {
        self.and(other)
    }
}

/// What a text needs to be rendered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The variables that it may look at, also those that it only asks for by `is defined`.
    pub names: BTreeSet<&'static str>,
    /// Whether it may look at variables that cannot be named beforehand (`vars[name]`, an included template).
    pub any_name: bool,
    /// What its filters, tests, lookups and functions ask.
    pub asks: Asks,
}

impl Needs {
    /// Adds what something else needs.
    pub fn add(&mut self, other: &Needs) {
        self.names.extend(&other.names);
        self.any_name |= other.any_name;
        self.asks = self.asks | other.asks;
    }

    /// With what the variables need that the names stand for: they are rendered when they are used.
    pub(super) fn followed(mut self, scope: &dyn Scope, needs: impl Fn(&crate::yaml::Node) -> Needs) -> Needs {
        let mut open: Vec<&'static str> = self.names.iter().copied().collect();
        while let Some(name) = open.pop() {
            match scope.lookup(name) {
                Some(Binding::Template(node)) => {
                    let more = needs(&node);
                    open.extend(more.names.difference(&self.names).copied());
                    self.add(&more);
                }
                Some(Binding::HostVars(_)) => self.asks = self.asks | Asks::HOSTS,
                Some(Binding::Data(_) | Binding::Pending) | None => {}
            }
        }
        self
    }
}
