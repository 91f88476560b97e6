//! Inventories in YAML: a mapping of groups, each with `hosts`, `vars` and `children`.

use std::sync::Arc;

use super::reading::Reading;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::template::Binding;
use crate::yaml::{Entry, Node, NodeKind};

type Read<T = ()> = Result<T, Box<Diagnostic>>;

const SECTIONS: &[&str] = &["hosts", "vars", "children"];

/// Takes up the groups of a document.
pub(super) fn read(root: &Node, reading: &mut Reading) -> Read {
    let Some(groups) = root.as_map() else {
        let problem =
            Diagnostic::error(root.span, format!("an inventory is a mapping of groups, and this is {}", kind(root)));
        return Err(Box::new(problem.help("write for example\n  all:\n    hosts:\n      web1:")));
    };
    if let Some(plugin) = groups.get("plugin") {
        let problem = Diagnostic::error(plugin.key, "this configures an inventory plugin, and plugins are not run");
        return Err(Box::new(problem.help("write the hosts into a YAML or INI inventory")));
    }
    groups.iter().try_for_each(|(name, entry)| group(name, entry, reading))
}

fn group(name: &str, entry: &Entry, reading: &mut Reading) -> Read {
    reading.group(name, entry.key);
    let sections = match &entry.value.kind {
        NodeKind::Map(sections) => sections,
        _ if entry.value.is_null() => return Ok(()),
        _ => {
            let problem = Diagnostic::warning(entry.value.span, format!("the group `{name}` is left out"));
            reading.warn(problem.label(format!("{}, not a mapping", kind(&entry.value))));
            return Ok(());
        }
    };
    for (key, section) in sections {
        match key.as_str() {
            "vars" => {
                for (variable, entry) in entries(name, key, section)? {
                    reading.group_var(name, &variable, template(&entry.value), entry.value.span)?;
                }
            }
            "children" => {
                for (child, entry) in entries(name, key, section)? {
                    group(&child, &entry, reading)?;
                    reading.child(name, &child, entry.key)?;
                }
            }
            "hosts" => {
                for (pattern, entry) in entries(name, key, section)? {
                    hosts(name, &pattern, &entry, reading)?;
                }
            }
            _ => {
                let problem = Diagnostic::warning(section.key, format!("`{key}` means nothing in the group `{name}`"));
                let problem = problem.help("a group has hosts, vars and children");
                reading.warn(problem.suggest(key, SECTIONS.iter().copied()));
            }
        }
    }
    Ok(())
}

fn hosts(group: &str, pattern: &str, entry: &Entry, reading: &mut Reading) -> Read {
    let variables = match &entry.value.kind {
        NodeKind::Map(variables) => Some(variables),
        _ if entry.value.is_null() => None,
        _ => {
            let message = format!("the variables of `{pattern}` are a mapping, and this is {}", kind(&entry.value));
            return Err(Box::new(Diagnostic::error(entry.value.span, message)));
        }
    };
    for host in reading.hosts(pattern, group, entry.key)? {
        for (name, entry) in variables.into_iter().flatten() {
            reading.host_var(&host, name, template(&entry.value));
        }
    }
    Ok(())
}

/// The entries of a section. A text alone is a key without a value.
fn entries(group: &str, name: &str, section: &Entry) -> Read<Vec<(String, Entry)>> {
    match &section.value.kind {
        NodeKind::Map(entries) => Ok(entries.iter().map(|(key, entry)| (key.clone(), entry.clone())).collect()),
        _ if section.value.is_null() => Ok(Vec::new()),
        _ => match section.value.as_str() {
            Some(text) => {
                let span = section.value.span;
                let value = Node::scalar(Span { start: span.end, ..span }, crate::value::Value::Null);
                Ok(vec![(text.to_owned(), Entry { key: span, value })])
            }
            None => {
                let message =
                    format!("`{name}` of the group `{group}` is a mapping, and this is {}", kind(&section.value));
                let problem = Diagnostic::error(section.value.span, message);
                Err(Box::new(match name {
                    "vars" => problem,
                    _ => problem.help("write each name as a key: `web1:` instead of `- web1`"),
                }))
            }
        },
    }
}

fn template(node: &Node) -> Binding {
    Binding::Template(Arc::new(node.clone()))
}

fn kind(node: &Node) -> &'static str {
    match &node.kind {
        NodeKind::List(_) => "a list",
        NodeKind::Map(_) => "a mapping",
        NodeKind::Scalar(value) => value.kind(),
    }
}
