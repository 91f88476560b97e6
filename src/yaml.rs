//! YAML as Ansible reads it, with a position for every node.
//!
//! Structure comes from libyaml, as it does for Ansible; which scalar is what follows PyYAML (YAML 1.1: `yes` is a
//! boolean, `0644` is 420, `1e3` is text), see [`scalar`].
#![expect(clippy::disallowed_methods, reason = "reads the files of the language")]

mod broken;
pub mod emitter;
mod parser;
mod position;
mod reader;
pub mod scalar;

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::diagnostic::Diagnostic;
use crate::failure;
use crate::source::{self, Span};
use crate::value::{Map, Value};
use crate::vault;

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// The data; `None` where there is nothing but comments.
    pub root: Option<Node>,
    /// Keys that stand twice in one mapping.
    pub warnings: Vec<Diagnostic>,
}

/// Reads a YAML (or JSON) file.
pub fn read_file(path: &Path) -> Result<Document, Diagnostic> {
    let text = read_source(path)?;
    match vault::is_encrypted(text.as_bytes()) {
        true => read_encrypted(path, &text),
        false => read_text(path, text),
    }
}

/// Reads a file that is encrypted as a whole. All texts in it are secrets from now on.
fn read_encrypted(path: &Path, text: &str) -> Result<Document, Diagnostic> {
    let problem = |problem: vault::Problem| locked(source::add(path, text), &problem);
    let content = vault::decrypt(text).map_err(problem)?;
    let content = String::from_utf8(content);
    let content = content.map_err(|_| problem(vault::Problem::Damaged("what is in it is no UTF-8".into())))?;
    let whole = source::add_hidden(path, content);
    let Some(source) = source::source(whole) else { return Ok(Document::default()) };
    let document = reader::read(&source.text, whole).map_err(|problem| *problem)?;
    document.root.iter().for_each(learn);
    Ok(document)
}

fn learn(node: &Node) {
    match &node.kind {
        NodeKind::Scalar(Value::Str(text)) => vault::learn(text),
        NodeKind::Scalar(_) => {}
        NodeKind::List(items) => items.iter().for_each(learn),
        NodeKind::Map(entries) => entries.values().for_each(|entry| learn(&entry.value)),
    }
}

/// Something encrypted that cannot be opened.
fn locked(span: Span, problem: &vault::Problem) -> Diagnostic {
    let locked = Diagnostic::error(span, problem.to_string());
    match problem.help() {
        Some(help) => locked.help(help),
        None => locked,
    }
}

/// The text of a file, with its byte order mark removed.
pub fn read_source(path: &Path) -> Result<String, Diagnostic> {
    let problem = |why: String| Diagnostic::error(Span::default(), format!("cannot read {}: {why}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| problem(failure::plain(&error)))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..good].iter().filter(|&&byte| byte == b'\n').count() + 1;
        problem(format!("line {line} is not UTF-8"))
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Reads YAML (or JSON) from a text; `name` is a path, or a name such as `<command line>`.
pub fn read_text(name: impl AsRef<Path>, text: impl Into<String>) -> Result<Document, Diagnostic> {
    let whole = source::add(name, text);
    let Some(source) = source::source(whole) else { return Ok(Document::default()) };
    reader::read(&source.text, whole).map_err(|problem| *problem)
}

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

    /// The node with what is in the vault in place of the encrypted text; itself if it is not encrypted.
    pub fn opened(&self) -> Result<Cow<'_, Node>, Box<Diagnostic>> {
        let (Some(Tag::Vault), Some(text)) = (self.tag, self.as_str()) else { return Ok(Cow::Borrowed(self)) };
        let content = vault::reveal(text).map_err(|problem| Box::new(locked(self.span, &problem)))?;
        Ok(Cow::Owned(Node::scalar(self.span, content)))
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
