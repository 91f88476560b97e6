//! The inventory of a run, as the runner asks for it.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::Error;
use crate::diagnostic::Diagnostic;
use crate::failure::Failure;
use crate::inventory::{self, Inventory, Limit};
use crate::playbook::Play;
use crate::runner::{self, Hosts};
use crate::source::{self, Span};
use crate::template::{RenderError, Scope, Templar};
use crate::value::{Map, Value};
use crate::vars::{self, Layer, Level, extra, magic};
use crate::yaml::Node;

/// The inventory, the extra variables, and where the playbooks lie.
pub struct Machines {
    inventory: Shared,
    extra: Vec<Arc<Layer>>,
    folder: PathBuf,
    /// The magic variables that are the same in the whole run.
    magic: Map,
    /// What it was read from.
    source: String,
    /// What the run has added to it, in order.
    added: Vec<Added>,
}

/// What a run adds to an inventory.
enum Added {
    Host(String, Vec<String>, Map),
    Group(String, String, Vec<String>),
}

impl Added {
    fn to(&self, inventory: &mut Inventory) -> bool {
        match self {
            Added::Host(name, groups, vars) => inventory.add_host(name, groups, vars),
            Added::Group(host, group, parents) => inventory.group_by(host, group, parents),
        }
    }
}

/// The inventory, shared between the runner, which adds to it, and what selects hosts from it.
#[derive(Clone)]
pub struct Shared(Rc<RefCell<Inventory>>);

impl Machines {
    /// Reads an inventory; `folder` holds the playbooks, whose `group_vars` and `host_vars` count too. Also gives what is to
    /// be said about the files. What is wrong in the variables beside them is told by [`Machines::problems`].
    pub fn load(
        path: &Path,
        folder: &Path,
        extra_vars: &[String],
        limit: Option<&str>,
    ) -> Result<(Machines, Vec<Diagnostic>), Error> {
        let loaded = inventory::load(&[path.to_string_lossy()])?;
        let extra = vec![Arc::new(extra::read(extra_vars)?)];
        let inventory = Shared(Rc::new(RefCell::new(loaded.inventory)));
        let source = path.to_string_lossy().into_owned();
        // A list of hosts is no file.
        let shown = if path.exists() { magic::absolute(path) } else { source.clone() };
        let mut magic = magic::of_run(&[shown], limit);
        magic.insert("playbook_dir".into(), magic::absolute(folder).into());
        let machines = Machines { inventory, extra, folder: folder.to_owned(), magic, source, added: Vec::new() };
        Ok((machines, loaded.warnings))
    }

    /// What is wrong in `group_vars` and `host_vars`.
    pub fn problems(&self) -> Vec<Diagnostic> {
        let (mut problems, warnings) = self.inventory().check(Some(&self.folder));
        problems.extend(warnings);
        problems
    }

    /// The extra variables.
    pub fn extra(&self) -> Vec<Arc<Layer>> {
        self.extra.clone()
    }

    /// The inventory, to look at.
    pub fn inventory(&self) -> std::cell::Ref<'_, Inventory> {
        self.inventory.0.borrow()
    }

    /// The inventory, to select hosts from.
    pub fn share(&self) -> Shared {
        self.inventory.clone()
    }

    /// The one host that `name` means.
    pub fn one(&self, name: &str) -> Result<String, Error> {
        let mut selected = self.inventory().select(&Node::scalar(source::add("<HOST>", name), name))?;
        match selected.hosts.len() {
            1 => Ok(selected.hosts.remove(0)),
            0 if !selected.unknown.is_empty() => Err(Error::Text(selected.unknown)),
            count => Err(format!("`{name}` is not one host but {count}").into()),
        }
    }

    fn add(&mut self, added: Added) -> bool {
        let changed = added.to(&mut self.inventory.0.borrow_mut());
        self.added.push(added);
        changed
    }

    /// Whether any host has this variable.
    pub fn mentions(&self, name: &str) -> bool {
        let defines = |host: &String| self.layers(host).iter().any(|layer| layer.values.contains_key(name));
        self.names().iter().any(defines)
    }
}

impl Hosts for Machines {
    fn add_host(&mut self, name: &str, groups: &[String], vars: &Map) -> bool {
        self.add(Added::Host(name.to_owned(), groups.to_vec(), vars.clone()))
    }

    fn group_by(&mut self, host: &str, group: &str, parents: &[String]) -> bool {
        self.add(Added::Group(host.to_owned(), group.to_owned(), parents.to_vec()))
    }

    fn reload(&mut self) -> Result<(), Failure> {
        let loaded = inventory::load(&[&self.source]).map_err(|problem| Failure::new(problem.message))?;
        let mut inventory = loaded.inventory;
        for added in &self.added {
            added.to(&mut inventory);
        }
        *self.inventory.0.borrow_mut() = inventory;
        Ok(())
    }

    fn layers(&self, host: &str) -> Vec<Arc<Layer>> {
        let inventory = self.inventory.0.borrow();
        // What is wrong in group_vars and host_vars was reported when they were loaded.
        let mut layers = inventory.layers(host, Some(&self.folder)).unwrap_or_default();
        let mut values = self.magic.clone();
        values.insert("groups".into(), inventory.groups_value());
        layers.push(runner::magic(values));
        layers.extend(self.extra.iter().cloned());
        layers
    }

    fn names(&self) -> Vec<String> {
        self.inventory.0.borrow().hosts().map(|host| host.name.clone()).collect()
    }
}

impl Shared {
    /// The hosts of a play's pattern, within `--limit`. Names that mean nothing were spoken of by the checks.
    pub fn select(&self, pattern: &str, span: Span, limit: Option<&str>) -> Result<Vec<String>, Box<Diagnostic>> {
        let inventory = self.0.borrow();
        let node = Node::scalar(span, pattern);
        let selected = inventory.select(&node).map_err(Box::new)?;
        let Some(limit) = limit else { return Ok(selected.hosts) };
        let limit = Limit::parse(limit).map_err(Box::new)?;
        let limited = inventory.limit(&selected.hosts, &limit).map_err(Box::new)?;
        match limited.unknown.into_iter().next() {
            Some(problem) => Err(Box::new(problem)),
            None => Ok(limited.hosts),
        }
    }

    /// The `vars_files` of a play, as one host sees them: names may hold its variables.
    pub fn vars_files(
        &self,
        play: &Play,
        templar: &Templar,
        scope: &Arc<dyn Scope>,
    ) -> Result<Vec<Arc<Layer>>, Box<Diagnostic>> {
        let folder = play.path.parent().unwrap_or(Path::new("."));
        let mut layers = Vec::new();
        for node in &play.vars_files {
            let mut names = Vec::new();
            for node in node.as_list().unwrap_or(std::slice::from_ref(node.as_ref())) {
                match templar.render(node, scope) {
                    Ok(Value::List(items)) => names.extend(items),
                    Ok(name) => names.push(name),
                    // As in Ansible: a name that cannot be told, or a file that is not there, is passed over.
                    Err(RenderError::Undefined(_)) => {}
                    Err(RenderError::Wrong(problem)) => return Err(problem),
                    Err(_) => {
                        return Err(Box::new(Diagnostic::error(
                            node.span,
                            "this must be known before the play starts",
                        )));
                    }
                }
            }
            // Of a list the first that exists counts.
            let found = names.iter().filter_map(Value::as_str).find_map(|name| vars::vars_file(folder, name));
            let Some(path) = found else { continue };
            let file = vars::read_file(&path).map_err(Box::new)?;
            layers.push(Arc::new(file.layer(Level::PlayFiles, format!("vars_files: {}", path.display()))));
        }
        Ok(layers)
    }
}
