//! Small readers of one value each: they take a node apart or say what was expected.

use std::sync::Arc;

use indexmap::IndexMap;

use super::keywords::{self, Takes};
use super::{Base, Problems};
use crate::diagnostic::Diagnostic;
use crate::module::read_bool;
use crate::value::Value;
use crate::yaml::{Entry, Node, NodeKind, Nodes, Tag};

/// Whether a text has to be rendered before anything can be said about it.
pub(crate) fn is_template(node: &Node) -> bool {
    node.tag != Some(Tag::Unsafe) && node.as_str().is_some_and(crate::template::is_template)
}

/// What a node is, for messages.
pub(super) fn kind(node: &Node) -> &'static str {
    match &node.kind {
        NodeKind::Scalar(value) => value.kind(),
        NodeKind::List(_) => "a list",
        NodeKind::Map(_) => "a mapping",
    }
}

/// The entries of a mapping, by value; otherwise a problem.
pub(super) fn entries(node: Node, what: &str, problems: &mut Problems) -> Option<IndexMap<String, Entry>> {
    match node.kind {
        NodeKind::Map(entries) => Some(entries),
        _ => {
            problems.push(expected(&node, what, "a mapping"));
            None
        }
    }
}

/// The items of a list, by value; nothing for null, otherwise a problem.
pub(super) fn items(node: Node, what: &str, problems: &mut Problems) -> Vec<Node> {
    match node.kind {
        NodeKind::List(items) => items,
        NodeKind::Scalar(Value::Null) => Vec::new(),
        _ => {
            problems.push(expected(&node, what, "a list"));
            Vec::new()
        }
    }
}

/// "`what` must be X, this is Y".
pub(super) fn expected(node: &Node, what: &str, wanted: &str) -> Diagnostic {
    Diagnostic::error(node.span, format!("{what} must be {wanted}, this is {}", kind(node)))
        .label(format!("expected {wanted}"))
}

/// A list's items, or the one thing that stands there instead; nothing for null.
pub(super) fn many(node: Node) -> Vec<Arc<Node>> {
    match node.kind {
        NodeKind::List(items) => items.into_iter().map(Arc::new).collect(),
        NodeKind::Scalar(Value::Null) => Vec::new(),
        _ => vec![Arc::new(node)],
    }
}

/// Like [`many`]; text is split at commas, as Ansible does for tags.
pub(super) fn commas(node: Node) -> Vec<Arc<Node>> {
    match node.as_str() {
        Some(text) if !is_template(&node) => text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| Arc::new(Node::scalar(node.span, part)))
            .collect(),
        _ => many(node),
    }
}

/// A boolean that is no template.
pub(super) fn literal_bool(node: &Node) -> Option<bool> {
    match &node.kind {
        NodeKind::Scalar(Value::Bool(flag)) => Some(*flag),
        NodeKind::Scalar(Value::Int(0)) => Some(false),
        NodeKind::Scalar(Value::Int(1)) => Some(true),
        NodeKind::Scalar(Value::Str(text)) => read_bool(text),
        _ => None,
    }
}

/// Whether `name` can be a variable's name: a letter or `_`, then letters, digits and `_`, and no word of Python's own.
pub(crate) fn is_variable_name(name: &str) -> bool {
    const RESERVED: &[&str] = &[
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
        "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
        "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
    ];
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !RESERVED.contains(&name)
}

/// The name of a variable, as text.
pub(super) fn variable(node: &Node, problems: &mut Problems) -> Option<String> {
    match node.as_str() {
        Some(name) if is_variable_name(name) => Some(name.to_owned()),
        _ => {
            problems.push(bad_name(node.as_str().unwrap_or_default(), node.span));
            None
        }
    }
}

fn bad_name(name: &str, span: crate::source::Span) -> Diagnostic {
    Diagnostic::error(span, format!("`{name}` cannot be the name of a variable"))
        .help("a name has letters, digits and `_`, does not begin with a digit and is no word of Python's own")
}

/// Variables: a mapping with names as keys.
pub(super) fn vars(node: Node, problems: &mut Problems) -> Nodes {
    if node.is_null() {
        return Nodes::new();
    }
    let Some(entries) = entries(node, "`vars`", problems) else { return Nodes::new() };
    problems.extend(bad_names(&entries));
    named(entries)
}

/// Keys that cannot be names of variables.
pub(super) fn bad_names(entries: &IndexMap<String, Entry>) -> impl Iterator<Item = Diagnostic> {
    entries.iter().filter(|(name, _)| !is_variable_name(name)).map(|(name, entry)| bad_name(name, entry.key))
}

/// Values by their names.
pub(super) fn named(entries: IndexMap<String, Entry>) -> Nodes {
    entries.into_iter().map(|(name, entry)| (name, Arc::new(entry.value))).collect()
}

/// Checks a keyword's value against what it takes; templates fit everywhere but where items stand.
pub(super) fn check(key: &str, takes: Takes, node: &Node, problems: &mut Problems) -> bool {
    let (fits, wanted) = fit(takes, node);
    if !fits {
        let mut problem = expected(node, &format!("`{key}`"), wanted);
        if is_template(node) && takes == Takes::Items {
            problem = problem.help("a template cannot stand for a list of tasks or roles");
        }
        problems.push(problem);
    }
    fits
}

fn fit(takes: Takes, node: &Node) -> (bool, &'static str) {
    if node.is_null() || node.tag == Some(Tag::Vault) || (is_template(node) && takes != Takes::Items) {
        return (true, "");
    }
    let is_scalar = is_scalar_node(node);
    let converts = takes.convert(node.to_value()).is_ok();
    let is_list_of = |test: fn(&Node) -> bool| node.as_list().is_some_and(|items| items.iter().all(test));
    match takes {
        Takes::Bool => (converts, "a boolean (yes or no)"),
        Takes::Text => (is_scalar, "text"),
        Takes::Int => (converts, "a whole number"),
        Takes::Number => (converts, "a number"),
        Takes::Percent => (converts, "a percentage"),
        Takes::Sizes => (converts || is_list_of(is_size), "a number of hosts or a percentage of them"),
        Takes::Conditions => (is_scalar || is_list_of(is_scalar_node), "a condition or a list of conditions"),
        Takes::Map => (node.as_map().is_some(), "a mapping"),
        Takes::Maps => (node.as_map().is_some() || is_list_of(is_map_or_template), "a mapping"),
        Takes::Texts => (is_scalar || is_list_of(is_scalar_node), "text or a list of texts"),
        Takes::Items => (node.as_list().is_some(), "a list"),
        Takes::Any => (true, ""),
    }
}

fn is_scalar_node(node: &Node) -> bool {
    matches!(node.kind, NodeKind::Scalar(_))
}

fn is_map_or_template(node: &Node) -> bool {
    node.as_map().is_some() || is_template(node)
}

fn is_size(node: &Node) -> bool {
    is_template(node) || Takes::Sizes.convert(node.to_value()).is_ok()
}

/// Goes through the entries of a play, role, block or task: checks each keyword, lets [`Base`] take what is common and
/// gives the rest to `own`. What is no keyword goes to `other`.
pub(super) fn walk(
    entries: IndexMap<String, Entry>,
    place: u8,
    problems: &mut Problems,
    mut own: impl FnMut(&str, Entry, &mut Problems),
    mut other: impl FnMut(String, Entry, &mut Problems),
) -> Base {
    let mut base = Base::default();
    for (key, entry) in entries {
        let Some(keyword) = keywords::find(&key, place) else {
            other(key, entry, problems);
            continue;
        };
        if !check(&key, keyword.takes, &entry.value, problems)
            || (entry.value.is_null() && keyword.takes != Takes::Items)
        {
            continue;
        }
        if let Some(entry) = base.take(&key, entry, problems) {
            own(&key, entry, problems);
        }
    }
    base
}

/// A scalar as text: `5` and `true` too.
pub(crate) fn scalar_text(node: &Node) -> String {
    match &node.kind {
        NodeKind::Scalar(Value::Str(text)) => text.clone(),
        NodeKind::Scalar(Value::Null) => String::new(),
        _ => <String as crate::module::Arg>::read(&node.to_value()).unwrap_or_default(),
    }
}
