//! Hosts and groups, from YAML files, INI files, folders of both, and lists such as `a,b`; as Ansible reads them.

mod folders;
mod ini;
mod layers;
mod literal;
mod load;
mod names;
mod pattern;
mod reading;
mod yaml;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

pub use self::load::{Loaded, load};
pub use self::pattern::{Limit, Selection};
use crate::source::Span;
use crate::template::Binding;
use crate::value::{Map, Value};
use crate::vars::{Layer, Level, Origin};

/// Names that mean this machine when no inventory defines them.
pub const LOCALHOSTS: &[&str] = &["localhost", "127.0.0.1", "::1"];

/// All hosts and groups of a run.
#[derive(Clone, Debug)]
pub struct Inventory {
    hosts: IndexMap<String, Arc<Host>>,
    groups: IndexMap<String, Group>,
    /// The folders of the sources, whose `group_vars` and `host_vars` count.
    folders: Vec<PathBuf>,
    cache: Arc<folders::Cache>,
}

/// A host.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its name in the inventory.
    pub name: String,
    /// Where it is first named.
    pub span: Span,
    /// The file that first named it (`inventory_file`); `None` for one that was added by a task.
    pub file: Option<PathBuf>,
    /// All its groups, those above included and `all` first, in the order in which their variables are merged.
    pub groups: Vec<String>,
    /// Whether this is the `localhost` that no inventory defines.
    pub implicit: bool,
    layer: Arc<Layer>,
}

/// A group.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Where it is first named.
    pub span: Span,
    /// The hosts that are in it directly.
    pub hosts: IndexSet<String>,
    /// The groups that are in it directly.
    pub children: IndexSet<String>,
    /// `ansible_group_priority`, 1 by default: of groups of one depth the higher one wins.
    pub priority: i64,
    /// How far it lies below `all`, by the longest way.
    pub depth: usize,
    layer: Arc<Layer>,
}

impl Default for Inventory {
    fn default() -> Self {
        let mut inventory =
            Inventory { hosts: IndexMap::new(), groups: IndexMap::new(), folders: Vec::new(), cache: Arc::default() };
        inventory.add_group("all", Span::default());
        inventory.add_group("ungrouped", Span::default());
        inventory.add_child("all", "ungrouped");
        inventory
    }
}

impl Inventory {
    /// The hosts in the order in which they were first named.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.hosts.values().map(Arc::as_ref)
    }

    /// The groups in the order in which they were first named, `all` and `ungrouped` first.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values()
    }

    /// A group by its name.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.get(name)
    }

    /// A host by its name. One of [`LOCALHOSTS`] is found even if no inventory defines it: another of these names that
    /// is defined stands for it, and if there is none, it is this machine.
    pub fn host(&self, name: &str) -> Option<Arc<Host>> {
        if let Some(host) = self.hosts.get(name) {
            return Some(host.clone());
        }
        if !LOCALHOSTS.contains(&name) {
            return None;
        }
        let defined = self.hosts.iter().find(|(name, _)| LOCALHOSTS.contains(&name.as_str()));
        Some(defined.map_or_else(|| Arc::new(Host::implicit(name)), |(_, host)| host.clone()))
    }

    /// The hosts of a group and of all groups below it, each once: its own first, then those of its children, then of
    /// theirs.
    pub fn members(&self, group: &str) -> Vec<&str> {
        let mut hosts = IndexSet::new();
        for name in self.descendants(group) {
            hosts.extend(self.groups[name].hosts.iter().map(String::as_str));
        }
        hosts.into_iter().collect()
    }

    /// A group and all groups below it, level by level.
    fn descendants<'a>(&'a self, group: &'a str) -> IndexSet<&'a str> {
        let mut found = IndexSet::new();
        found.extend(self.groups.get_key_value(group).map(|(name, _)| name.as_str()));
        let mut next = 0;
        while let Some(name) = found.get_index(next).copied() {
            found.extend(self.groups[name].children.iter().map(String::as_str));
            next += 1;
        }
        found
    }

    /// Makes a group, if it is not there yet; whether it is new.
    fn add_group(&mut self, name: &str, span: Span) -> bool {
        if self.groups.contains_key(name) {
            return false;
        }
        let layer = layer(Level::InventoryGroup, format!("group {name} of the inventory"), span);
        let group = Group {
            name: name.to_owned(),
            span,
            hosts: IndexSet::new(),
            children: IndexSet::new(),
            priority: 1,
            depth: 0,
            layer,
        };
        self.groups.insert(name.to_owned(), group);
        true
    }

    /// Makes a host, if it is not there yet, and puts it into a group; whether anything is new.
    fn put_host(&mut self, name: &str, group: &str, file: Option<PathBuf>, span: Span) -> bool {
        let new = !self.hosts.contains_key(name);
        if new {
            let layer = layer(Level::InventoryHost, format!("host {name} of the inventory"), span);
            let host = Host { name: name.to_owned(), span, file, groups: Vec::new(), implicit: false, layer };
            self.hosts.insert(name.to_owned(), Arc::new(host));
        }
        let joined = self.groups.get_mut(group).is_some_and(|group| group.hosts.insert(name.to_owned()));
        new || joined
    }

    /// Puts a group below another; `false` if it would then lie below itself.
    fn add_child(&mut self, parent: &str, child: &str) -> bool {
        if self.descendants(child).contains(parent) {
            return false;
        }
        if let Some(group) = self.groups.get_mut(parent) {
            group.children.insert(child.to_owned());
        }
        true
    }

    fn set_group_var(&mut self, group: &str, name: &str, value: Binding) {
        if let Some(group) = self.groups.get_mut(group) {
            Arc::make_mut(&mut group.layer).values.insert(name.to_owned(), value);
        }
    }

    fn set_host_var(&mut self, host: &str, name: &str, value: Binding) {
        if let Some(host) = self.hosts.get_mut(host) {
            Arc::make_mut(&mut Arc::make_mut(host).layer).values.insert(name.to_owned(), value);
        }
    }

    /// Settles what follows from the rest: every group lies below `all`, a host without a group is in `ungrouped`, and
    /// the order in which the groups of a host are merged.
    fn settle(&mut self) {
        let below: HashSet<String> = self.groups.values().flat_map(|group| group.children.iter().cloned()).collect();
        for name in
            self.groups.keys().filter(|name| *name != "all" && !below.contains(*name)).cloned().collect::<Vec<_>>()
        {
            self.add_child("all", &name);
        }
        let grouped: HashSet<String> = self
            .groups
            .values()
            .filter(|group| group.name != "all" && group.name != "ungrouped")
            .flat_map(|group| group.hosts.iter().cloned())
            .collect();
        let alone: Vec<String> = self.hosts.keys().filter(|host| !grouped.contains(*host)).cloned().collect();
        if let Some(ungrouped) = self.groups.get_mut("ungrouped") {
            ungrouped.hosts.retain(|host| !grouped.contains(host));
            ungrouped.hosts.extend(alone);
        }
        self.measure();
        self.order_groups();
    }

    /// Depths, by the longest way down from `all`.
    fn measure(&mut self) {
        self.groups.values_mut().for_each(|group| group.depth = 0);
        // There are no circles, so no way is longer than the number of groups.
        for depth in 0..self.groups.len() {
            let level = self.groups.values().filter(|group| group.depth == depth);
            let below: Vec<String> = level.flat_map(|group| group.children.iter().cloned()).collect();
            if below.is_empty() {
                break;
            }
            for name in below {
                if let Some(group) = self.groups.get_mut(&name) {
                    group.depth = depth + 1;
                }
            }
        }
    }

    fn order_groups(&mut self) {
        let mut above: IndexMap<&str, HashSet<&str>> = IndexMap::new();
        for group in self.groups.keys() {
            for host in self.members(group) {
                above.entry(host).or_default().insert(group);
            }
        }
        let order = |names: &HashSet<&str>| {
            let mut groups: Vec<&Group> = names.iter().filter_map(|name| self.groups.get(*name)).collect();
            groups.sort_by_key(|group| (group.depth, group.priority, &group.name));
            groups.into_iter().map(|group| group.name.clone()).collect::<Vec<_>>()
        };
        let ordered: Vec<(String, Vec<String>)> =
            above.iter().map(|(host, names)| ((*host).to_owned(), order(names))).collect();
        for (host, groups) in ordered {
            if let Some(host) = self.hosts.get_mut(&host) {
                Arc::make_mut(host).groups = groups;
            }
        }
    }

    /// `add_host`: a host with groups and variables; whether anything is new.
    pub fn add_host(&mut self, name: &str, groups: &[String], vars: &Map) -> bool {
        let mut changed = self.put_host(name, "all", None, Span::default());
        for (key, value) in vars {
            let known = self.hosts.get(name).and_then(|host| host.layer.values.get(key));
            if !matches!(known, Some(Binding::Data(known)) if **known == *value) {
                self.set_host_var(name, key, Binding::Data(Arc::new(value.clone())));
                changed = true;
            }
        }
        for group in groups {
            changed |= self.add_group(group, Span::default());
            changed |= self.put_host(name, group, None, Span::default());
        }
        self.settle();
        changed
    }

    /// `group_by`: puts a host into a group, and the group below others; whether anything is new.
    pub fn group_by(&mut self, host: &str, group: &str, parents: &[String]) -> bool {
        let mut changed = self.add_group(group, Span::default());
        for parent in parents {
            changed |= self.add_group(parent, Span::default());
            let known = self.groups.get(parent).is_some_and(|parent| parent.children.contains(group));
            changed |= !known && self.add_child(parent, group);
        }
        changed |= self.put_host(host, group, None, Span::default());
        self.settle();
        changed
    }
}

impl Host {
    /// The name up to the first dot (`inventory_hostname_short`); an IP address is kept whole.
    pub fn short_name(&self) -> &str {
        match self.name.parse::<std::net::IpAddr>() {
            Ok(_) => &self.name,
            Err(_) => self.name.split('.').next().unwrap_or(&self.name),
        }
    }

    /// The variables that the inventory itself gives it.
    pub fn vars(&self) -> &IndexMap<String, Binding> {
        &self.layer.values
    }

    fn implicit(name: &str) -> Self {
        let mut layer = Layer {
            level: Level::InventoryHost,
            origin: Origin { text: "this machine, which no inventory names".to_owned(), span: Span::default() },
            values: IndexMap::new(),
        };
        layer.values.insert("ansible_connection".to_owned(), Binding::Data(Arc::new(Value::from("local"))));
        Host {
            name: name.to_owned(),
            span: Span::default(),
            file: None,
            groups: Vec::new(),
            implicit: true,
            layer: Arc::new(layer),
        }
    }
}

impl Group {
    /// The variables that the inventory itself gives it.
    pub fn vars(&self) -> &IndexMap<String, Binding> {
        &self.layer.values
    }
}

fn layer(level: Level, text: String, span: Span) -> Arc<Layer> {
    Arc::new(Layer { level, origin: Origin { text, span }, values: IndexMap::new() })
}
