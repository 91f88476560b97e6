//! Variables that know where they came from: layers with Ansible's precedence, looked up lazily.

pub mod extra;
pub mod files;
pub mod magic;

use std::sync::Arc;

use indexmap::IndexMap;

pub use self::files::{EXTENSIONS, VarsFile, files_below, read_file, vars_file};
use crate::source::Span;
use crate::template::Binding;

/// Ansible's levels of precedence, lowest first. (Its level 1, command-line values such as `-u`, are not variables.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Defaults of roles.
    RoleDefaults = 2,
    /// Group variables in the inventory itself.
    InventoryGroup,
    /// `group_vars/all` beside the inventory.
    InventoryGroupVarsAll,
    /// `group_vars/all` beside the playbook.
    PlaybookGroupVarsAll,
    /// `group_vars/*` beside the inventory.
    InventoryGroupVars,
    /// `group_vars/*` beside the playbook.
    PlaybookGroupVars,
    /// Host variables in the inventory itself.
    InventoryHost,
    /// `host_vars/*` beside the inventory.
    InventoryHostVars,
    /// `host_vars/*` beside the playbook.
    PlaybookHostVars,
    /// Facts and cached `set_fact`s.
    Facts,
    /// `vars` of the play.
    PlayVars,
    /// `vars_prompt` of the play.
    PlayPrompt,
    /// `vars_files` of the play.
    PlayFiles,
    /// `vars` of roles.
    RoleVars,
    /// `vars` of blocks.
    BlockVars,
    /// `vars` of the task.
    TaskVars,
    /// `include_vars`.
    IncludeVars,
    /// `set_fact` and registered results.
    SetFacts,
    /// Parameters of roles, also of `include_role`.
    RoleParams,
    /// Parameters of includes.
    IncludeParams,
    /// `-e`.
    Extra,
    /// Magic variables, which nothing overrides.
    Magic,
}

/// Where a layer came from, for people.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// `role defaults of base`, `group_vars/all`, `registered by task X`, …
    pub text: String,
    /// Where it stands, if it stands anywhere. (A template's own node has a span too.)
    pub span: Span,
}

/// Variables of one level from one place.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Its precedence.
    pub level: Level,
    /// Where it came from.
    pub origin: Origin,
    /// The variables.
    pub values: IndexMap<String, Binding>,
}

/// The layers that one task on one host sees, highest precedence first.
#[derive(Clone, Debug, Default)]
pub struct Stack {
    layers: Vec<Arc<Layer>>,
}

impl Stack {
    /// Puts layers in order: by level, and within one level in the order given, so that a later one wins.
    pub fn new(layers: impl IntoIterator<Item = Arc<Layer>>) -> Self {
        let mut layers: Vec<_> = layers.into_iter().collect();
        layers.reverse();
        layers.sort_by_key(|layer| std::cmp::Reverse(layer.level));
        Stack { layers }
    }

    /// The binding that wins.
    pub fn lookup(&self, name: &str) -> Option<&Binding> {
        self.layers.iter().find_map(|layer| layer.values.get(name))
    }

    /// All layers that define a name, the winner first.
    pub fn definitions<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a Layer, &'a Binding)> {
        self.layers.iter().filter_map(move |layer| Some((layer.as_ref(), layer.values.get(name)?)))
    }

    /// All names, each once.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.layers.iter().flat_map(|layer| layer.values.keys().cloned()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}
