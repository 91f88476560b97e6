//! `hostvars` and `vars`: mappings of variables.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use minijinja::Value as Jinja;
use minijinja::value::{Enumerator, Object};

use super::HostVars;
use super::run::{Run, lock};

/// `hostvars`.
#[derive(Debug)]
pub struct Hosts {
    hosts: Arc<dyn HostVars>,
    run: Arc<Run>,
    known: Mutex<HashMap<String, Jinja>>,
}

impl Hosts {
    /// The hosts as a rendering sees them.
    pub fn new(hosts: Arc<dyn HostVars>, run: &Arc<Run>) -> Self {
        Hosts { hosts, run: run.clone(), known: Mutex::default() }
    }
}

impl Object for Hosts {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        let host = key.as_str()?;
        if let Some(known) = lock(&self.known).get(host) {
            return Some(known.clone());
        }
        let scope = self.hosts.scope(host)?;
        let value = Jinja::from_object(Names(self.run.elsewhere(&scope)));
        lock(&self.known).insert(host.to_owned(), value.clone());
        Some(value)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.hosts.hosts().into_iter().map(Jinja::from).collect())
    }
}

/// All variables of a scope as a mapping: `vars`, and each entry of `hostvars`.
#[derive(Debug)]
pub struct Names(pub Arc<Run>);

impl Object for Names {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.0.variable(key.as_str()?)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.scope().names().into_iter().map(Jinja::from).collect())
    }
}
