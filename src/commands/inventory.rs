//! `wodctl inventory`: what the hosts and groups come to, in the shape of `ansible-inventory`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map as Object, Value as Json};

use super::options::Variables;
use super::{Error, Exit, answer, print_diagnostics};
use crate::inventory::{self, Inventory, Limit};
use crate::playbook::root_of;
use crate::source;
use crate::template::Binding;
use crate::value::Value;
use crate::vars::{Layer, Level, Stack, extra};
use crate::yaml::{Node, NodeKind, Tag};

/// Arguments.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Inventory file, folder, or list of hosts such as `a,b`; may be repeated
    #[arg(required = true)]
    inventory: Vec<String>,
    #[command(flatten)]
    what: What,
    /// Limit to hosts that match this pattern
    #[arg(short = 'l', long, value_name = "PATTERN")]
    limit: Option<String>,
    /// Folder with the playbooks' `group_vars` and `host_vars` [default: playbooks of the inventory's project]
    #[arg(long, value_name = "FOLDER")]
    playbook_dir: Option<PathBuf>,
    #[command(flatten)]
    variables: Variables,
}

#[derive(clap::Args, Clone, Debug)]
#[group(required = true, multiple = false)]
struct What {
    /// Print all groups and host variables as JSON
    #[arg(long)]
    list: bool,
    /// Print the groups as a tree
    #[arg(long)]
    graph: bool,
    /// Print the variables of one host as JSON
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
}

/// Prints an inventory.
pub fn run(args: &Args) -> Result<Exit, Error> {
    answer(&text(args)?)
}

/// What [`run`] prints.
pub fn text(args: &Args) -> Result<String, Error> {
    args.variables.vault.unlock_for(&args.inventory)?;
    let loaded = inventory::load(&args.inventory)?;
    let inventory = loaded.inventory;
    let folder = args.playbook_dir.clone().or_else(|| playbooks(&args.inventory));
    let view = View { inventory: &inventory, folder, extra: Arc::new(extra::read(&args.variables.extra_vars)?) };
    let (errors, mut warnings) = inventory.check(view.folder.as_deref());
    if !errors.is_empty() {
        return Err(Error::Text(errors));
    }
    warnings.extend(loaded.warnings);
    if !warnings.is_empty() {
        print_diagnostics(&warnings);
    }
    if let Some(name) = &args.what.host {
        return Ok(view.one_host(name)? + "\n");
    }
    if args.what.graph {
        return Ok(view.graph("all", 0));
    }
    let all: Vec<String> = inventory.members("all").into_iter().map(str::to_owned).collect();
    let hosts = match &args.limit {
        None => all,
        Some(limit) => {
            let limited = inventory.limit(&all, &Limit::parse(limit)?)?;
            if !limited.unknown.is_empty() {
                return Err(Error::Text(limited.unknown));
            }
            limited.hosts
        }
    };
    Ok(view.list(&hosts)? + "\n")
}

/// `playbooks` of the project around the first inventory.
pub(super) fn playbooks(inventories: &[String]) -> Option<PathBuf> {
    let root = root_of(Path::new(inventories.first()?))?;
    Some(root.join("playbooks"))
}

struct View<'a> {
    inventory: &'a Inventory,
    folder: Option<PathBuf>,
    extra: Arc<Layer>,
}

impl View<'_> {
    fn one_host(&self, name: &str) -> Result<String, Error> {
        let pattern = Node::scalar(source::add("<--host>", name), name);
        let selected = self.inventory.select(&pattern)?;
        match &selected.hosts[..] {
            [host] => Ok(pretty(&self.variables(host)?)),
            [] if !selected.unknown.is_empty() => Err(Error::Text(selected.unknown)),
            hosts => Err(format!("`{name}` is not one host but {}", hosts.len()).into()),
        }
    }

    fn graph(&self, name: &str, depth: usize) -> String {
        let line = |name: &str, depth: usize| {
            let branch = if depth == 0 { String::new() } else { "  |".repeat(depth) + "--" };
            format!("{branch}{name}\n")
        };
        let Some(group) = self.inventory.group(name) else { return String::new() };
        let mut text = line(&format!("@{name}:"), depth);
        text.extend(group.children.iter().map(|child| self.graph(child, depth + 1)));
        if name != "all" {
            text.extend(group.hosts.iter().map(|host| line(host, depth + 1)));
        }
        text
    }

    fn list(&self, hosts: &[String]) -> Result<String, Error> {
        let mut groups = BTreeMap::new();
        self.group("all", hosts, &mut groups);
        let mut hostvars = BTreeMap::new();
        for host in hosts {
            let variables = self.variables(host)?;
            if variables.as_object().is_some_and(|variables| !variables.is_empty()) {
                hostvars.insert(host, variables);
            }
        }
        let mut all = Object::new();
        all.insert("_meta".to_owned(), serde_json::json!({"hostvars": hostvars, "profile": "inventory_legacy"}));
        all.extend(groups.into_iter().filter_map(|(name, group)| Some((name, group?))));
        Ok(pretty(&Json::Object(all)))
    }

    /// A group and those below it; `None` for one that is empty.
    fn group(&self, name: &str, hosts: &[String], done: &mut BTreeMap<String, Option<Json>>) {
        let Some(group) = self.inventory.group(name).filter(|_| !done.contains_key(name)) else { return };
        let mut entry = Object::new();
        if !group.children.is_empty() {
            entry.insert("children".to_owned(), Json::from_iter(group.children.iter().map(String::as_str)));
        }
        let own: Vec<&str> = group.hosts.iter().filter(|host| hosts.contains(host)).map(String::as_str).collect();
        if name != "all" && !own.is_empty() {
            entry.insert("hosts".to_owned(), Json::from(own));
        }
        done.insert(name.to_owned(), (!entry.is_empty()).then_some(Json::Object(entry)));
        group.children.iter().for_each(|child| self.group(child, hosts, done));
    }

    /// A host's variables as they are written, without the magic ones.
    fn variables(&self, host: &str) -> Result<Json, Error> {
        let layers = self.inventory.layers(host, self.folder.as_deref())?;
        let layers = layers.into_iter().filter(|layer| layer.level != Level::Magic).chain([self.extra.clone()]);
        let stack = Stack::new(layers);
        let value = |name: String| {
            let value = written(stack.lookup(&name)?);
            Some((name, value))
        };
        Ok(Json::Object(stack.names().into_iter().filter_map(value).collect()))
    }
}

/// What stands in the file: templates are not rendered, nothing is decrypted.
fn written(binding: &Binding) -> Json {
    match binding {
        Binding::Template(node) => of_node(node),
        Binding::Data(value) => value.to_json(),
        Binding::Pending | Binding::HostVars(_) => Json::Null,
    }
}

fn of_node(node: &Node) -> Json {
    match (&node.kind, node.tag) {
        (NodeKind::Scalar(Value::Str(text)), Some(Tag::Vault)) => serde_json::json!({"__ansible_vault": text}),
        (NodeKind::Scalar(Value::Str(text)), Some(Tag::Unsafe)) => serde_json::json!({"__ansible_unsafe": text}),
        (NodeKind::Scalar(value), _) => value.to_json(),
        (NodeKind::List(items), _) => items.iter().map(of_node).collect(),
        (NodeKind::Map(entries), _) => {
            let mut sorted: Vec<_> = entries.iter().collect();
            sorted.sort_by_key(|(name, _)| *name);
            Json::Object(sorted.into_iter().map(|(name, entry)| (name.clone(), of_node(&entry.value))).collect())
        }
    }
}

fn pretty(json: &Json) -> String {
    use serde::Serialize;
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let written = json.serialize(&mut serde_json::Serializer::with_formatter(&mut text, formatter));
    written.map(|()| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default()
}
