//! What a task sees: the layers of its host, its play and itself, and what is not known yet.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use indexmap::IndexMap;

use crate::module::{Names, Things};
use crate::source::Span;
use crate::template::{Binding, HostVars, Scope, SearchPath};
use crate::value::{Map, Value};
use crate::vars::{Layer, Level, Origin, Stack};

/// The variables of all hosts, shared with every scope (`hostvars`).
#[derive(Debug, Default)]
pub struct Table {
    hosts: RwLock<IndexMap<String, HostLayers>>,
}

/// The variables of one host that outlive a play.
#[derive(Clone, Debug)]
pub struct HostLayers {
    /// From the inventory, `group_vars`, `host_vars`, the command line, and the constant magic variables.
    pub fixed: Vec<Arc<Layer>>,
    /// Facts.
    pub facts: Arc<Layer>,
    /// `include_vars`.
    pub included: Arc<Layer>,
    /// `set_fact` and registered results.
    pub set: Arc<Layer>,
    /// Defaults and vars of roles that `include_role` made public.
    pub roles: Vec<Arc<Layer>>,
}

impl HostLayers {
    /// A host of which only the fixed variables are known.
    pub fn new(fixed: Vec<Arc<Layer>>) -> Self {
        let empty = |level, text: &str| Arc::new(layer(level, text, IndexMap::new()));
        HostLayers {
            fixed,
            facts: empty(Level::Facts, "facts"),
            included: empty(Level::IncludeVars, "include_vars"),
            set: empty(Level::SetFacts, "set_fact or register"),
            roles: Vec::new(),
        }
    }

    /// All layers.
    pub fn all(&self) -> impl Iterator<Item = Arc<Layer>> + '_ {
        self.own().chain(self.roles.iter().cloned())
    }

    /// Those that belong to the host and not to the play.
    pub fn own(&self) -> impl Iterator<Item = Arc<Layer>> + '_ {
        self.fixed.iter().chain([&self.facts, &self.included, &self.set]).cloned()
    }

    /// Takes up facts: each by its own name and in `ansible_facts` without the prefix.
    pub fn add_facts(&mut self, facts: &Map) {
        let layer = Arc::make_mut(&mut self.facts);
        let mut all = match layer.values.get("ansible_facts") {
            Some(Binding::Data(known)) => known.as_map().cloned().unwrap_or_default(),
            _ => Map::new(),
        };
        for (name, value) in facts {
            // As in Ansible, this one keeps its name in both places.
            let bare = match name.as_str() {
                "ansible_local" => name,
                _ => name.strip_prefix("ansible_").unwrap_or(name),
            };
            all.insert(bare.to_owned(), value.clone());
            // `ansible_local` and facts of a module without the prefix keep their own name as well.
            layer.values.insert(name.clone(), data(value.clone()));
        }
        layer.values.insert("ansible_facts".into(), data(Value::Map(all)));
    }

    /// Forgets all facts.
    pub fn clear_facts(&mut self) {
        Arc::make_mut(&mut self.facts).values.clear();
    }

    /// Takes up variables of `include_vars`.
    pub fn include(&mut self, values: IndexMap<String, Binding>) {
        Arc::make_mut(&mut self.included).values.extend(values);
    }

    /// Takes up a registered result or a `set_fact`.
    pub fn set(&mut self, name: &str, value: Value) {
        Arc::make_mut(&mut self.set).values.insert(name.to_owned(), data(value));
    }
}

/// Data as a binding.
pub fn data(value: Value) -> Binding {
    Binding::Data(Arc::new(value))
}

/// A layer that stands in no text.
pub fn layer(level: Level, origin: &str, values: IndexMap<String, Binding>) -> Layer {
    Layer { level, origin: Origin { text: origin.to_owned(), span: Span::default() }, values }
}

/// A layer of magic variables.
pub fn magic(values: Map) -> Arc<Layer> {
    let values = values.into_iter().map(|(name, value)| (name, data(value))).collect();
    Arc::new(layer(Level::Magic, "magic variable", values))
}

impl Table {
    /// The hosts, to read.
    pub fn read(&self) -> RwLockReadGuard<'_, IndexMap<String, HostLayers>> {
        self.hosts.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The hosts, to write.
    pub fn write(&self) -> RwLockWriteGuard<'_, IndexMap<String, HostLayers>> {
        self.hosts.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes one host's variables.
    pub fn update(&self, host: &str, change: impl FnOnce(&mut HostLayers)) {
        if let Some(layers) = self.write().get_mut(host) {
            change(layers);
        }
    }
}

/// `hostvars` as a task sees it.
#[derive(Clone, Debug)]
struct Others {
    table: Arc<Table>,
    files: Arc<SearchPath>,
    /// Only this one, with something on top (`ansible_delegated_vars`).
    only: Option<(String, Arc<Layer>)>,
}

/// The variables of other hosts, or of one of them.
pub fn hostvars(table: &Arc<Table>, files: &Arc<SearchPath>, only: Option<(&str, Arc<Layer>)>) -> Binding {
    let only = only.map(|(host, more)| (host.to_owned(), more));
    Binding::HostVars(Arc::new(Others { table: table.clone(), files: files.clone(), only }))
}

impl HostVars for Others {
    fn hosts(&self) -> Vec<String> {
        match &self.only {
            Some((host, _)) => vec![host.clone()],
            None => self.table.read().keys().cloned().collect(),
        }
    }

    fn scope(&self, host: &str) -> Option<Arc<dyn Scope>> {
        if self.only.as_ref().is_some_and(|(only, _)| only != host) {
            return None;
        }
        // As in Ansible: what the play's roles bring is not seen through `hostvars`.
        let more = self.only.iter().map(|(_, more)| more.clone());
        let layers: Vec<_> = self.table.read().get(host)?.own().chain(more).collect();
        Some(Arc::new(TaskScope {
            stack: Stack::new(layers),
            files: self.files.clone(),
            unsettled: Unsettled::default(),
            table: self.table.clone(),
        }))
    }
}

/// What may still be written by steps before the one whose scope this is.
#[derive(Clone, Debug, Default)]
pub struct Unsettled {
    /// Variables of the host.
    pub names: Names,
    /// What lies outside variables.
    pub things: Things,
    /// Variables of other hosts, and which hosts are left: not everybody has come this far.
    pub others: bool,
}

/// The scope of one task on one host.
#[derive(Debug)]
pub struct TaskScope {
    /// All layers.
    pub stack: Stack,
    /// Where files are looked for.
    pub files: Arc<SearchPath>,
    /// What is not known yet.
    pub unsettled: Unsettled,
    /// All hosts.
    pub table: Arc<Table>,
}

impl Scope for TaskScope {
    fn lookup(&self, name: &str) -> Option<Binding> {
        if name == "hostvars" {
            return Some(match self.unsettled.others {
                true => Binding::Pending,
                false => hostvars(&self.table, &self.files, None),
            });
        }
        let found = self.stack.lookup(name);
        match self.unsettled.names.has(name, found.is_some()) {
            true => Some(Binding::Pending),
            false => found.cloned(),
        }
    }

    fn names(&self) -> Vec<String> {
        self.stack.names()
    }

    fn files(&self) -> &SearchPath {
        &self.files
    }
}
