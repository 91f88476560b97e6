//! Roles: how they are named, and what their own folders hold.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

use super::fields::{self, expected};
use super::keywords::{self, ROLE};
use super::{Problems, RoleUse};
use crate::diagnostic::Diagnostic;
use crate::value::Value;
use crate::yaml::{Entry, Node, NodeKind, Nodes};

/// A role as `meta/main.yml` describes it; its tasks, handlers and variables are read when they are asked for.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its name as it was asked for.
    pub name: String,
    /// Its folder.
    pub path: PathBuf,
    /// Roles that are run before it.
    pub dependencies: Vec<RoleUse>,
    /// Whether it runs as often as it is named, even with the same parameters.
    pub allow_duplicates: bool,
    /// What its parameters must be: an entry point's name (`main`) to its specification.
    pub argument_specs: Option<Arc<Node>>,
}

/// Reads one entry of `roles` or `dependencies`: a name, or a mapping with `role` or `name`.
pub(super) fn role_use(node: Node, dependency: bool, problems: &mut Problems) -> Option<RoleUse> {
    let span = node.span;
    let entries = match node.kind {
        NodeKind::Map(entries) => entries,
        NodeKind::Scalar(Value::Str(_)) => return Some(named(node)),
        NodeKind::Scalar(Value::Int(number)) => return Some(named(Node::scalar(span, number.to_string()))),
        _ => {
            problems.push(expected(&node, "a role", "a name or a mapping with `role: NAME`"));
            return None;
        }
    };
    let mut role = None;
    let mut others: IndexMap<String, Entry> = IndexMap::new();
    let mut base = fields::walk(
        entries,
        ROLE,
        problems,
        |_, entry, _| role = Some(entry.value),
        |key, entry, _| {
            others.insert(key, entry);
        },
    );
    let role = role.or_else(|| base.name.take().map(|name| (*name).clone())).or_else(|| {
        // Galaxy's form in a role's dependencies.
        let source = others.get("src").filter(|_| dependency)?;
        let text = source.value.as_str()?;
        Some(Node::scalar(source.value.span, text.rsplit('/').next().unwrap_or(text)))
    });
    let Some(role) = role.filter(|node| node.as_str().is_some()) else {
        problems.push(Diagnostic::error(span, "this role has no name").help("write `- role: NAME`"));
        return None;
    };
    let near_keyword = |key: &str| (!fields::is_variable_name(key)).then(|| keywords::names(ROLE));
    for (key, entry) in &others {
        if near_keyword(key).is_some() {
            keywords::unknown(key, entry, ROLE, problems);
        }
    }
    let params = others.into_iter().map(|(key, entry)| (key, Arc::new(entry.value))).collect();
    Some(RoleUse { span, role: Arc::new(role), base, params })
}

fn named(node: Node) -> RoleUse {
    RoleUse { span: node.span, role: Arc::new(node), base: Default::default(), params: Nodes::new() }
}

impl Role {
    /// Makes a role of what `meta/main.yml` and `meta/argument_specs.yml` hold.
    pub(super) fn read(
        name: &str,
        path: &Path,
        meta: Option<Node>,
        specs: Option<Node>,
        problems: &mut Problems,
    ) -> Role {
        let mut role = Role {
            name: name.to_owned(),
            path: path.to_owned(),
            dependencies: Vec::new(),
            allow_duplicates: false,
            argument_specs: specs
                .as_ref()
                .and_then(|node| node.get("argument_specs"))
                .map(|node| Arc::new(node.clone())),
        };
        let entries =
            meta.filter(|meta| !meta.is_null()).and_then(|meta| fields::entries(meta, "`meta/main`", problems));
        for (key, entry) in entries.unwrap_or_default() {
            match key.as_str() {
                "dependencies" => {
                    let items = fields::items(entry.value, "`dependencies`", problems);
                    role.dependencies = items.into_iter().filter_map(|node| role_use(node, true, problems)).collect();
                }
                "allow_duplicates" => match fields::literal_bool(&entry.value) {
                    Some(flag) => role.allow_duplicates = flag,
                    None => problems.push(expected(&entry.value, "`allow_duplicates`", "a boolean (yes or no)")),
                },
                "argument_specs" if role.argument_specs.is_none() => role.argument_specs = Some(Arc::new(entry.value)),
                "argument_specs" | "galaxy_info" | "collections" => {}
                _ => problems.push(
                    Diagnostic::error(entry.key, format!("a role's `meta/main` has no key `{key}`")).suggest(
                        &key,
                        ["dependencies", "allow_duplicates", "argument_specs", "galaxy_info", "collections"],
                    ),
                ),
            }
        }
        role
    }
}
