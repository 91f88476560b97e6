//! Where text came from, so that anything made of it can point back at it.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, RwLock};

/// A range of bytes in one source. Eight bytes of position and a number: cheap to copy and keep with everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// Which source, see [`source`]. Zero is "nowhere".
    pub source: u32,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span from the start of this one to the end of `other`, in the same source.
    pub fn to(self, other: Span) -> Span {
        Span { end: other.end.max(self.end), ..self }
    }

    /// A part of this span, given in bytes relative to its start.
    pub fn part(self, start: usize, end: usize) -> Span {
        let clamp = |offset: usize| self.start.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX)).min(self.end);
        Span { start: clamp(start), end: clamp(end), ..self }
    }

    /// Whether the span points at any text.
    pub fn is_somewhere(self) -> bool {
        self.source != 0
    }

    /// File, line and column (both from 1) of the start.
    pub fn location(self) -> Option<Location> {
        let source = source(self)?;
        let before = source.text.get(..self.start as usize)?;
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
        Some(Location { path: source.path.clone(), line, column })
    }
}

/// A place as a person reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The file, or a name in angle brackets such as `<command line>`.
    pub path: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.path.display(), self.line, self.column)
    }
}

/// A text that was read, with its name.
#[derive(Debug)]
pub struct Source {
    /// The file, or a name in angle brackets.
    pub path: PathBuf,
    /// The whole text.
    pub text: String,
    /// Whether it must not be shown: it was encrypted.
    pub hidden: bool,
}

impl Source {
    /// The text as it may be shown: one that is hidden has nothing but blanks in its lines.
    pub fn shown(&self) -> Cow<'_, str> {
        match self.hidden {
            false => Cow::Borrowed(&self.text),
            // Byte for byte, so that positions stay.
            true => self.text.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect(),
        }
    }
}

// One table for the whole process: spans are numbers, and a diagnostic may need any source that was ever read.
fn table() -> &'static RwLock<Vec<Arc<Source>>> {
    static TABLE: OnceLock<RwLock<Vec<Arc<Source>>>> = OnceLock::new();
    TABLE.get_or_init(Default::default)
}

/// Registers a text; the returned span covers all of it.
pub fn add(path: impl AsRef<Path>, text: impl Into<String>) -> Span {
    register(path.as_ref(), text.into(), false)
}

/// Registers a text that can be pointed into, but is never shown.
pub fn add_hidden(path: impl AsRef<Path>, text: impl Into<String>) -> Span {
    register(path.as_ref(), text.into(), true)
}

fn register(path: &Path, text: String, hidden: bool) -> Span {
    let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let mut table = table().write().unwrap_or_else(|poisoned| poisoned.into_inner());
    table.push(Arc::new(Source { path: path.to_owned(), text, hidden }));
    Span { source: table.len() as u32, start: 0, end }
}

/// The source a span points into; `None` for a span that points nowhere.
pub fn source(span: Span) -> Option<Arc<Source>> {
    let table = table().read().unwrap_or_else(|poisoned| poisoned.into_inner());
    table.get((span.source as usize).checked_sub(1)?).cloned()
}

/// The text a span covers; `None` for a span that points nowhere.
pub fn text(span: Span) -> Option<String> {
    source(span)?.text.get(span.start as usize..span.end as usize).map(str::to_owned)
}
