//! The variables of a host as layers, and the magic ones that an inventory knows.
#![expect(clippy::disallowed_methods, reason = "the folder of a list of hosts is the working directory")]

use std::path::Path;
use std::sync::Arc;

use super::folders::Kind;
use super::{Host, Inventory};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::template::Binding;
use crate::value::{Map, Value};
use crate::vars::{Layer, Level, Origin};

impl Inventory {
    /// All that the inventory, `group_vars` and `host_vars` (beside it and beside the playbook) give to a host, and its
    /// magic variables. In one level a later layer wins.
    ///
    /// A host that the inventory does not know has the variables of `all`, as a bare name in `delegate_to` has.
    pub fn layers(&self, host: &str, playbook_dir: Option<&Path>) -> Result<Vec<Arc<Layer>>, Diagnostic> {
        let found = self.host(host);
        let mut layers = Vec::new();
        let all = [String::from("all")];
        let groups = match &found {
            Some(host) if !host.groups.is_empty() => host.groups.as_slice(),
            _ => all.as_slice(),
        };
        layers.extend(groups.iter().filter_map(|name| self.groups.get(name)).map(|group| group.layer.clone()));
        // Of two folders the later one wins, whatever the groups.
        for folder in &self.folders {
            layers.extend(self.beside(folder, groups, Level::InventoryGroupVarsAll, Level::InventoryGroupVars)?);
        }
        if let Some(folder) = playbook_dir {
            layers.extend(self.beside(folder, groups, Level::PlaybookGroupVarsAll, Level::PlaybookGroupVars)?);
        }
        layers.extend(found.iter().map(|host| host.layer.clone()));
        let name = found.as_ref().map_or(host, |host| host.name.as_str());
        for folder in &self.folders {
            layers.extend(self.cache.layers(folder, Kind::Host, name, Level::InventoryHostVars)?);
        }
        if let Some(folder) = playbook_dir {
            layers.extend(self.cache.layers(folder, Kind::Host, name, Level::PlaybookHostVars)?);
        }
        layers.push(match &found {
            Some(host) => magic_layer(host.magic()),
            None => magic_layer(Host::implicit(host).magic()),
        });
        Ok(layers)
    }

    /// `group_vars` in a folder.
    fn beside(
        &self,
        folder: &Path,
        groups: &[String],
        all: Level,
        other: Level,
    ) -> Result<Vec<Arc<Layer>>, Diagnostic> {
        let mut layers = Vec::new();
        for name in groups {
            let level = if name == "all" { all } else { other };
            layers.extend(self.cache.layers(folder, Kind::Group, name, level)?);
        }
        Ok(layers)
    }

    /// Reads `group_vars` and `host_vars` of all hosts, so that what is wrong in them is known before anything starts.
    /// The first list holds errors, the second warnings.
    pub fn check(&self, playbook_dir: Option<&Path>) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
        let mut errors: Vec<Diagnostic> = Vec::new();
        for host in self.hosts.keys() {
            if let Err(problem) = self.layers(host, playbook_dir)
                && !errors.contains(&problem)
            {
                errors.push(problem);
            }
        }
        (errors, self.cache.warnings())
    }

    /// `groups`: the hosts of every group.
    pub fn groups_value(&self) -> Value {
        let hosts = |group: &str| Value::List(self.members(group).into_iter().map(Value::from).collect());
        Value::Map(self.groups.keys().map(|name| (name.clone(), hosts(name))).collect())
    }
}

impl Host {
    /// `inventory_hostname`, `inventory_hostname_short`, `group_names`, `inventory_file` and `inventory_dir`.
    pub fn magic(&self) -> Map {
        let mut groups: Vec<&String> = self.groups.iter().filter(|group| *group != "all").collect();
        groups.sort();
        let path = |path: Option<&Path>| path.map_or(Value::Null, |path| Value::from(path.to_string_lossy().as_ref()));
        let folder = match &self.file {
            // A list of hosts has no folder but the current one.
            Some(file) if file.is_relative() => std::env::current_dir().ok(),
            Some(file) => file.parent().map(Path::to_owned),
            None => None,
        };
        crate::map! {
            "inventory_hostname" => self.name.as_str(),
            "inventory_hostname_short" => self.short_name(),
            "group_names" => groups.into_iter().map(|group| Value::from(group.as_str())).collect::<Vec<_>>(),
            "inventory_file" => path(self.file.as_deref()),
            "inventory_dir" => path(folder.as_deref()),
        }
    }
}

fn magic_layer(values: Map) -> Arc<Layer> {
    let origin = Origin { text: "magic variable".to_owned(), span: Span::default() };
    let values = values.into_iter().map(|(name, value)| (name, Binding::Data(Arc::new(value)))).collect();
    Arc::new(Layer { level: Level::Magic, origin, values })
}
