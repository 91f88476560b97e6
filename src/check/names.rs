//! The names of all variables that anybody defines, as far as that can be told before the run.

use std::collections::HashSet;
use std::path::Path;

use super::facts;
use super::walk::View;
use crate::inventory::Inventory;
use crate::playbook::is_template;
use crate::steps::{Step, Work};
use crate::vars::{Layer, files_below, magic, read_file, vars_file};
use crate::yaml::Node;

/// Names that are defined.
#[derive(Debug, Default)]
pub(super) struct Known {
    names: HashSet<String>,
    /// Whether more may be defined than can be seen here.
    pub is_open: bool,
}

impl Known {
    /// The names that the inventory and the command line define.
    pub fn new(inventory: &Inventory, playbooks: &[std::path::PathBuf], extra: &[std::sync::Arc<Layer>]) -> Self {
        let mut known = Known::default();
        known.names.extend(magic::NAMES.iter().chain(magic::OF_LOOPS).map(|name| (*name).to_owned()));
        let folders: Vec<Option<&Path>> = match playbooks {
            [] => vec![None],
            playbooks => playbooks.iter().map(|path| path.parent()).collect(),
        };
        for host in inventory.hosts() {
            for folder in &folders {
                match inventory.layers(&host.name, *folder) {
                    Ok(layers) => layers.iter().for_each(|layer| known.layer(layer)),
                    Err(_) => known.is_open = true,
                }
            }
        }
        extra.iter().for_each(|layer| known.layer(layer));
        known
    }

    /// Whether somebody defines a name, or may.
    pub fn has(&self, name: &str) -> bool {
        self.names.contains(name) || facts::is_known(name)
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    fn layer(&mut self, layer: &Layer) {
        self.names.extend(layer.values.keys().cloned());
    }

    /// Adds what a play defines.
    pub fn see(&mut self, view: &View) {
        self.is_open |= view.is_open();
        self.names.extend(view.play.base.vars.keys().cloned());
        self.names.extend(view.play.vars_prompt.iter().map(|prompt| prompt.name.clone()));
        view.layers.iter().for_each(|layer| self.layer(layer));
        self.vars_files(view);
        for step in view.steps.iter().map(|seen| &seen.step) {
            step.layers.iter().for_each(|layer| self.layer(layer));
            self.names.extend(step.keywords.register.clone());
            if let Some(repeat) = &step.repeat {
                self.names.insert(repeat.var.clone());
                self.names.extend(repeat.index_var.clone());
            }
            self.call(step);
        }
    }

    fn vars_files(&mut self, view: &View) {
        let folder = view.play.path.parent().unwrap_or(Path::new(""));
        for node in &view.play.vars_files {
            let names: Vec<&Node> = node.as_list().map_or_else(|| vec![node.as_ref()], |items| items.iter().collect());
            for name in names {
                match name.as_str().filter(|_| !is_template(name)) {
                    Some(text) => vars_file(folder, text).into_iter().for_each(|path| self.file(&path)),
                    None => self.is_open = true,
                }
            }
        }
    }

    /// What a module sets by its own declaration.
    fn call(&mut self, step: &Step) {
        let Work::Call { spec, args, .. } = &step.work else { return };
        let sets = &step.effects.sets;
        self.names.extend(sets.listed.iter().cloned());
        match spec.name {
            "include_vars" => self.include_vars(step, args),
            // It brings variables of other hosts.
            "add_host" => self.names.extend(args.as_map().into_iter().flatten().map(|(key, _)| key.clone())),
            _ => self.is_open |= sets.all,
        }
    }

    fn include_vars(&mut self, step: &Step, args: &Node) {
        if let Some(name) = args.get("name").and_then(Node::as_str) {
            self.names.insert(name.to_owned());
        }
        let text = |key: &str| args.get(key).filter(|node| !is_template(node)).and_then(Node::as_str);
        let find = |name: &str| step.files.candidates("vars", name).into_iter().find(|path| path.exists());
        let named = ["file", "_raw_params"].iter().find_map(|key| text(key));
        match (named.and_then(find), text("dir").and_then(find)) {
            (Some(path), _) => self.file(&path),
            (None, Some(folder)) => {
                let files = files_below(&folder);
                self.is_open |= files.is_err();
                files.iter().flatten().for_each(|path| self.file(path));
            }
            (None, None) => self.is_open = true,
        }
    }

    fn file(&mut self, path: &Path) {
        match read_file(path) {
            Ok(file) => self.names.extend(file.values.into_keys()),
            Err(_) => self.is_open = true,
        }
    }
}
