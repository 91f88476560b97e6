//! What surrounds a task and is handed down to it.

use std::path::PathBuf;
use std::sync::Arc;

use super::in_role::InRole;
use crate::diagnostic::Diagnostic;
use crate::playbook::{Base, Keywords, scalar_text};
use crate::source::Span;
use crate::template::{Binding, SearchPath};
use crate::value::Map;
use crate::vars::{Layer, Level, Origin};
use crate::yaml::{Node, Nodes};

/// What blocks, roles, includes and the play hand down: the nearest keyword wins; conditions, tags, environments and
/// variables add up.
#[derive(Clone, Debug)]
pub struct Context {
    pub(super) keywords: Arc<Keywords>,
    pub(super) when: Vec<Arc<Node>>,
    pub(super) tags: Vec<String>,
    pub(super) module_defaults: Vec<Arc<Node>>,
    /// Collections in which roles are looked for.
    pub(super) collections: Vec<String>,
    /// Keywords that wodctl lacks: what has them cannot be carried out.
    pub(super) unsupported: Vec<Arc<Diagnostic>>,
    /// Variables of blocks and includes. Those of the role are in `role`.
    pub(super) layers: Vec<Arc<Layer>>,
    pub(super) files: Arc<SearchPath>,
    pub(super) role: Option<Arc<InRole>>,
    /// Whether the tasks are handlers.
    pub(super) handlers: bool,
    /// Files of tasks that are being imported, to find one that imports itself.
    pub(super) imports: Vec<PathBuf>,
    /// Files of tasks that were included at run time, outermost first, to end one that includes itself for ever.
    pub(super) included: Vec<String>,
}

impl Context {
    /// What the contents of something with these keywords see. `origin` says what it is, for the origin of variables.
    pub(super) fn inside(&self, base: &Base, span: Span, origin: &str) -> Context {
        let mut inner = self.clone();
        if !base.keywords.is_empty() {
            inner.keywords = Arc::new(base.keywords.inside(&self.keywords));
        }
        inner.when.extend(base.when.iter().cloned());
        add_tags(&mut inner.tags, &base.tags);
        if !base.collections.is_empty() {
            inner.collections.clone_from(&base.collections);
        }
        inner.unsupported.extend(base.unsupported.iter().cloned());
        inner.module_defaults.extend(base.module_defaults.iter().cloned());
        inner.layers.extend(layer(Level::BlockVars, origin, span, &base.vars));
        inner
    }
}

/// Adds tags that are not there yet.
pub(super) fn add_tags(tags: &mut Vec<String>, more: &[Arc<Node>]) {
    for node in more {
        let tag = match node.as_str() {
            Some(text) => text.to_owned(),
            None => scalar_text(node),
        };
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
}

/// A layer of variables as they stand in a file; none if there are no variables.
pub(super) fn layer(level: Level, origin: &str, span: Span, vars: &Nodes) -> Option<Arc<Layer>> {
    if vars.is_empty() {
        return None;
    }
    let values = vars.iter().map(|(name, node)| (name.clone(), Binding::Template(node.clone()))).collect();
    Some(Arc::new(Layer { level, origin: Origin { text: origin.to_owned(), span }, values }))
}

/// Variables as they stand.
pub(super) fn values(nodes: &Nodes) -> Map {
    nodes.iter().map(|(key, node)| (key.clone(), node.to_value())).collect()
}
