//! From a parser's events to nodes: anchors, merge keys, tags, duplicate keys, exact spans.

use std::collections::HashMap;

use indexmap::IndexMap;
use indexmap::map::Entry as Slot;

use super::parser::{Event, Kind, Parser, Style};
use super::{Document, Entry, Node, NodeKind, Tag, broken, scalar};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::value::Value;

/// Deeper nesting than this is refused, so that nothing that walks a tree runs out of stack.
const DEEPEST: usize = 200;
/// Aliases may copy this many nodes in one file, so that a few lines cannot grow without bound.
const MOST_COPIES: usize = 1_000_000;

type Read<T = ()> = Result<T, Box<Diagnostic>>;

/// Reads the one document of `text`, which is registered as `whole`.
pub(super) fn read(text: &str, whole: Span) -> Read<Document> {
    let mut reader = Reader::new(text, whole);
    let mut parser = Parser::new(text);
    loop {
        match parser.next() {
            Ok(Event { kind: Kind::StreamEnd, .. }) => break,
            Ok(event) => reader.take(event)?,
            Err(complaint) => return Err(Box::new(broken::explain(&complaint, text, whole))),
        }
    }
    Ok(Document { root: reader.root, warnings: reader.warnings })
}

struct Reader<'t> {
    text: &'t str,
    whole: Span,
    /// The text is JSON, whose numbers have more forms.
    json: bool,
    /// Where the last event ended.
    last: usize,
    open: Vec<Open>,
    root: Option<Node>,
    anchors: HashMap<String, Option<Node>>,
    copies: usize,
    warnings: Vec<Diagnostic>,
}

/// A collection whose end has not come yet.
struct Open {
    span: Span,
    flow: bool,
    anchor: Option<String>,
    tag: Option<Tag>,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { pairs: Vec<(Key, Node)>, key: Option<Key> },
}

struct Key {
    text: String,
    span: Span,
    merge: bool,
}

/// What a tag asks for.
enum Meaning {
    Mark(Tag),
    /// One of YAML's own kinds of scalar.
    Kind(&'static str),
    /// A collection's, which says nothing new.
    Collection,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, whole: Span) -> Self {
        let json =
            text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        Reader {
            text,
            whole,
            json,
            last: 0,
            open: Vec::new(),
            root: None,
            anchors: HashMap::new(),
            copies: 0,
            warnings: Vec::new(),
        }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span { source: self.whole.source, start: start as u32, end: end.max(start) as u32 }
    }

    fn take(&mut self, event: Event) -> Read {
        let (start, end) = (event.start.min(self.text.len()), event.end.min(self.text.len()));
        match event.kind {
            Kind::Scalar { text, style, anchor, tag } => {
                let properties = start;
                let start = self.after_properties(start).min(end);
                // A block goes on to the next token.
                let end = start + self.text[start..end].trim_end().len();
                let span = self.span(start, end);
                self.last = self.last.max(end);
                if self.expects_key() {
                    self.key(text, style == Style::Plain && tag.is_none(), anchor, span);
                    return Ok(());
                }
                let meaning = tag.map(|tag| meaning(&tag, self.span(properties, start))).transpose()?.flatten();
                let node = self.scalar(text, style == Style::Plain, meaning, span)?;
                self.add(node, anchor);
                Ok(())
            }
            Kind::ListStart { flow, anchor, tag } => self.begin(Content::List(Vec::new()), flow, start, anchor, tag),
            Kind::MapStart { flow, anchor, tag } => {
                self.begin(Content::Map { pairs: Vec::new(), key: None }, flow, start, anchor, tag)
            }
            Kind::CollectionEnd => self.end(end),
            Kind::Alias(anchor) => self.alias(&anchor, self.span(start, end)),
            Kind::DocumentStart if self.root.is_some() => {
                let problem = Diagnostic::error(self.span(start, end), "a second document starts here");
                Err(Box::new(problem.help("a file holds one document: put the other one into a file of its own")))
            }
            _ => Ok(()),
        }
    }

    /// The first byte behind any `!tag` and `&anchor`.
    fn after_properties(&self, start: usize) -> usize {
        let mut rest = &self.text[start..];
        while rest.starts_with(['!', '&']) {
            let word = rest.find(|c: char| c.is_whitespace()).unwrap_or(rest.len());
            rest = rest[word..].trim_start();
            while rest.starts_with('#') {
                rest = rest.find('\n').map_or("", |newline| rest[newline..].trim_start());
            }
        }
        self.text.len() - rest.len()
    }

    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { content: Content::Map { key: None, .. }, .. }))
    }

    fn key(&mut self, text: String, plain: bool, anchor: Option<String>, span: Span) {
        let merge = plain && text == "<<";
        let value = scalar::special(&text).filter(|_| plain && !self.json).unwrap_or(Value::Str(text));
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, Some(Node::scalar(span, value.clone())));
        }
        self.set_key(Key { text: key_text(value), span, merge });
    }

    fn set_key(&mut self, new: Key) {
        if let Some(Open { content: Content::Map { key, .. }, .. }) = self.open.last_mut() {
            *key = Some(new);
        }
    }

    fn scalar(&self, text: String, plain: bool, meaning: Option<Meaning>, span: Span) -> Read<Node> {
        let mut tag = self.open.last().and_then(|open| open.tag);
        let value = match meaning {
            Some(Meaning::Mark(mark)) => {
                tag = Some(mark);
                Value::Str(text)
            }
            Some(Meaning::Kind(kind)) => self.as_kind(kind, &text, span)?,
            Some(Meaning::Collection) => {
                return Err(Box::new(Diagnostic::error(span, "the tag is one of collections, and this is none")));
            }
            None if plain && self.json => match serde_json::from_str::<serde_json::Value>(&text) {
                Ok(json) => Value::from(json),
                Err(_) => Value::Str(text),
            },
            None if plain => scalar::special(&text).unwrap_or(Value::Str(text)),
            None => Value::Str(text),
        };
        Ok(Node { span, kind: NodeKind::Scalar(value), tag })
    }

    fn as_kind(&self, kind: &str, text: &str, span: Span) -> Read<Value> {
        use base64::Engine;
        let clean = text.replace('_', "");
        let value = match kind {
            "int" => scalar::integer(text).or_else(|| clean.parse().ok()).map(Value::Int),
            "float" => scalar::float(text).or_else(|| clean.parse().ok()).map(Value::Float),
            "bool" => scalar::boolean(&text.to_lowercase()).map(Value::Bool),
            "null" => Some(Value::Null),
            "binary" => {
                let packed: String = text.split_whitespace().collect();
                let bytes = base64::engine::general_purpose::STANDARD.decode(packed).ok();
                bytes.and_then(|bytes| String::from_utf8(bytes).ok()).map(Value::Str)
            }
            _ => Some(Value::Str(text.to_owned())),
        };
        value.ok_or_else(|| Box::new(Diagnostic::error(span, format!("this cannot be read as !!{kind}"))))
    }

    fn begin(
        &mut self,
        content: Content,
        flow: bool,
        start: usize,
        anchor: Option<String>,
        tag: Option<String>,
    ) -> Read {
        let properties = start;
        let start = self.after_properties(start);
        let span = self.span(start, start + usize::from(flow));
        if self.expects_key() {
            return Err(Box::new(broken::key_is_no_text(self.text, span)));
        }
        if self.open.len() >= DEEPEST {
            return Err(Box::new(Diagnostic::error(span, format!("nested more than {DEEPEST} levels deep"))));
        }
        let tag = match tag.map(|tag| meaning(&tag, self.span(properties, start))).transpose()?.flatten() {
            Some(Meaning::Mark(Tag::Unsafe)) => Some(Tag::Unsafe),
            Some(Meaning::Mark(Tag::Vault) | Meaning::Kind(_)) => {
                return Err(Box::new(Diagnostic::error(span, "the tag is one of scalars, and this is a collection")));
            }
            _ => self.open.last().and_then(|open| open.tag),
        };
        if let Some(anchor) = &anchor {
            // Known, so that an alias inside can be told from a misspelt one.
            self.anchors.insert(anchor.clone(), None);
        }
        self.last = self.last.max(start);
        self.open.push(Open { span, flow, anchor, tag, content });
        Ok(())
    }

    fn end(&mut self, end: usize) -> Read {
        let Some(Open { span, flow, anchor, tag, content }) = self.open.pop() else { return Ok(()) };
        let (kind, inner) = match content {
            Content::List(items) => {
                let inner = items.last().map_or(span, |item| item.span);
                (NodeKind::List(items), inner)
            }
            Content::Map { pairs, .. } => {
                let inner =
                    pairs.last().map_or(span, |(key, value)| if value.is_null() { key.span } else { value.span });
                (NodeKind::Map(self.entries(pairs)?), inner)
            }
        };
        // An alias or a merged mapping stands elsewhere and says nothing about the end.
        let end = if flow { end } else { (inner.end.max(span.end) as usize).max(self.last) };
        self.last = self.last.max(end);
        self.add(Node { span: Span { end: end as u32, ..span }, kind, tag }, anchor);
        Ok(())
    }

    /// A finished node goes into what is open around it.
    fn add(&mut self, node: Node, anchor: Option<String>) {
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, Some(node.clone()));
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open { content: Content::List(items), .. }) => items.push(node),
            Some(Open { content: Content::Map { pairs, key }, .. }) => {
                pairs.extend(key.take().map(|key| (key, node)));
            }
        }
    }

    fn alias(&mut self, anchor: &str, span: Span) -> Read {
        self.last = self.last.max(span.end as usize);
        let mut node = match self.anchors.get(anchor) {
            Some(Some(node)) => node.clone(),
            Some(None) => return Err(Box::new(Diagnostic::error(span, "this alias stands inside of what it names"))),
            None => {
                let problem = Diagnostic::error(span, format!("no anchor `&{anchor}` stands above"));
                let known = self.anchors.keys().map(String::as_str);
                return Err(Box::new(
                    problem.help("an anchor marks the value that an alias repeats").suggest(anchor, known),
                ));
            }
        };
        if self.expects_key() {
            return match node.kind {
                NodeKind::Scalar(value) => {
                    self.set_key(Key { text: key_text(value), span, merge: false });
                    Ok(())
                }
                _ => Err(Box::new(broken::key_is_no_text(self.text, span))),
            };
        }
        self.copies += count(&node);
        if self.copies > MOST_COPIES {
            return Err(Box::new(Diagnostic::error(span, "aliases make this file grow beyond a million values")));
        }
        if let Some(Tag::Unsafe) = self.open.last().and_then(|open| open.tag) {
            mark_unsafe(&mut node);
        }
        self.add(node, None);
        Ok(())
    }

    /// Merged entries come first, so that written ones win; of several written ones the last wins.
    fn entries(&mut self, pairs: Vec<(Key, Node)>) -> Read<IndexMap<String, Entry>> {
        let mut entries = IndexMap::with_capacity(pairs.len());
        if pairs.iter().any(|(key, _)| key.merge) {
            for (key, value) in pairs.iter().filter(|(key, _)| key.merge) {
                merge(&mut entries, key, value)?;
            }
        }
        let merged = entries.len();
        let mut written: HashMap<String, Span> = HashMap::new();
        for (key, value) in pairs {
            if key.merge {
                continue;
            }
            let entry = Entry { key: key.span, value };
            match entries.entry(key.text) {
                Slot::Vacant(slot) => {
                    slot.insert(entry);
                }
                Slot::Occupied(mut slot) => {
                    let earlier = if slot.index() >= merged {
                        Some(slot.get().key)
                    } else {
                        written.insert(slot.key().clone(), key.span)
                    };
                    if let Some(earlier) = earlier {
                        self.warnings.push(duplicate(slot.key(), earlier, key.span));
                    }
                    slot.insert(entry);
                }
            }
        }
        Ok(entries)
    }
}

/// `span` covers the tag and what follows it up to the value.
fn meaning(tag: &str, span: Span) -> Read<Option<Meaning>> {
    Ok(Some(match tag.strip_prefix("tag:yaml.org,2002:").unwrap_or(tag) {
        "!vault" | "!vault-encrypted" => Meaning::Mark(Tag::Vault),
        "!unsafe" => Meaning::Mark(Tag::Unsafe),
        "str" => Meaning::Kind("str"),
        "int" => Meaning::Kind("int"),
        "float" => Meaning::Kind("float"),
        "bool" => Meaning::Kind("bool"),
        "null" => Meaning::Kind("null"),
        "binary" => Meaning::Kind("binary"),
        "timestamp" => Meaning::Kind("timestamp"),
        "map" | "seq" | "set" | "omap" | "pairs" => Meaning::Collection,
        "!" => return Ok(None),
        _ => {
            let shown = tag.replacen("tag:yaml.org,2002:", "!!", 1);
            let span = span.part(0, shown.len());
            let problem = Diagnostic::error(span, format!("the tag `{shown}` has no meaning here"));
            return Err(Box::new(problem.help("known tags are !vault, !unsafe and YAML's own, such as !!str")));
        }
    }))
}

fn merge(entries: &mut IndexMap<String, Entry>, key: &Key, value: &Node) -> Read {
    match &value.kind {
        NodeKind::Map(map) => entries.extend(map.iter().map(|(name, entry)| (name.clone(), entry.clone()))),
        // Of several mappings the first wins.
        NodeKind::List(items) => items.iter().rev().try_for_each(|item| match item.kind {
            NodeKind::Map(_) => merge(entries, key, item),
            _ => Err(no_mapping(key)),
        })?,
        NodeKind::Scalar(_) => return Err(no_mapping(key)),
    }
    Ok(())
}

fn no_mapping(key: &Key) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(key.span, "`<<` needs a mapping or a list of mappings to merge"))
}

fn duplicate(name: &str, earlier: Span, later: Span) -> Diagnostic {
    Diagnostic::warning(later, format!("the key `{name}` stands twice in one mapping"))
        .label("this one counts")
        .note(earlier, "this one is lost")
}

/// A key as text: what Python's `str` makes of it.
fn key_text(value: Value) -> String {
    match value {
        Value::Str(text) => text,
        Value::Int(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Bool(flag) => String::from(if flag { "True" } else { "False" }),
        _ => String::from("None"),
    }
}

fn count(node: &Node) -> usize {
    1 + match &node.kind {
        NodeKind::Scalar(_) => 0,
        NodeKind::List(items) => items.iter().map(count).sum(),
        NodeKind::Map(entries) => entries.values().map(|entry| count(&entry.value)).sum::<usize>(),
    }
}

fn mark_unsafe(node: &mut Node) {
    node.tag = Some(Tag::Unsafe);
    match &mut node.kind {
        NodeKind::Scalar(_) => {}
        NodeKind::List(items) => items.iter_mut().for_each(mark_unsafe),
        NodeKind::Map(entries) => entries.values_mut().for_each(|entry| mark_unsafe(&mut entry.value)),
    }
}
