//! YAML as Ansible reads it, with a position for every node.
//!
//! Structure comes from a maintained parser's events; which scalar is what follows PyYAML (YAML 1.1: `yes` is a boolean,
//! `0644` is 420, `1e3` is text), see `scalar`.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::source::Span;
use crate::value::{Map, Value};

/// A node of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: NodeKind,
    /// Its tag, where the tag has a meaning for us.
    pub tag: Option<Tag>,
}

/// The kinds of node.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeKind {
    /// Anything but a collection, resolved. Text is a template unless it is tagged [`Tag::Unsafe`].
    Scalar(Value),
    /// A list.
    List(Vec<Node>),
    /// A mapping. With duplicate keys the last one wins, as with PyYAML; the reader reports them.
    Map(IndexMap<String, Entry>),
}

/// An entry of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Where the key stands.
    pub key: Span,
    /// The value.
    pub value: Node,
}

/// Tags that change what a scalar means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// `!vault`: encrypted text.
    Vault,
    /// `!unsafe`: text that is never a template, also for everything below the tagged node.
    Unsafe,
}

/// Variables as they stand in a file.
pub type Nodes = IndexMap<String, Arc<Node>>;

impl Node {
    /// A node that stands nowhere, or at the place of something else.
    pub fn scalar(span: Span, value: impl Into<Value>) -> Self {
        Node { span, kind: NodeKind::Scalar(value.into()), tag: None }
    }

    /// The text, if this is text.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Scalar(Value::Str(text)) => Some(text),
            _ => None,
        }
    }

    /// The entries, if this is a mapping.
    pub fn as_map(&self) -> Option<&IndexMap<String, Entry>> {
        match &self.kind {
            NodeKind::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The items, if this is a list.
    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.kind {
            NodeKind::List(items) => Some(items),
            _ => None,
        }
    }

    /// Whether this is YAML's null.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, NodeKind::Scalar(Value::Null))
    }

    /// The entry `key` of a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key).map(|entry| &entry.value)
    }

    /// The data as it stands, templates unrendered.
    pub fn to_value(&self) -> Value {
        match &self.kind {
            NodeKind::Scalar(value) => value.clone(),
            NodeKind::List(items) => Value::List(items.iter().map(Node::to_value).collect()),
            NodeKind::Map(entries) => {
                Value::Map(entries.iter().map(|(key, entry)| (key.clone(), entry.value.to_value())).collect::<Map>())
            }
        }
    }

    /// A node for data that has no text of its own; everything in it stands at `span`.
    pub fn of(value: &Value, span: Span) -> Self {
        let kind = match value {
            Value::List(items) => NodeKind::List(items.iter().map(|item| Node::of(item, span)).collect()),
            Value::Map(map) => NodeKind::Map(
                map.iter().map(|(key, item)| (key.clone(), Entry { key: span, value: Node::of(item, span) })).collect(),
            ),
            scalar => NodeKind::Scalar(scalar.clone()),
        };
        Node { span, kind, tag: None }
    }
}
