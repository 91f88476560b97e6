//! What is wrong with the input, for people: the message, the text under a caret, and what to do.

pub mod kinds;

use self::kinds::Kind;
use crate::source::{self, Span};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The run goes on.
    Warning,
    /// Nothing is touched.
    Error,
}

/// One problem of the input.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of problem it is, where that has a name.
    pub kind: Option<&'static Kind>,
    /// One line: what was wrong.
    pub message: String,
    /// The text under the caret.
    pub span: Span,
    /// What stands beside the caret; may be empty.
    pub label: String,
    /// Other places that matter, each with a word of why.
    pub notes: Vec<(Span, String)>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at `span`.
    pub fn error(span: Span, message: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Error,
            kind: None,
            message: message.into(),
            span,
            label: String::new(),
            notes: Vec::new(),
            help: None,
        }
    }

    /// A warning at `span`.
    pub fn warning(span: Span, message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(span, message) }
    }

    /// Says of which kind it is.
    pub fn of(mut self, kind: &'static Kind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Says of which kind it is, unless that has been said already.
    pub fn or_of(mut self, kind: &'static Kind) -> Self {
        self.kind.get_or_insert(kind);
        self
    }

    /// The same as something that may never happen.
    pub fn possible(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Adds the words beside the caret.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds what to do, unless something better has been said already.
    pub fn or_help(self, help: impl Into<String>) -> Self {
        if self.help.is_some() { self } else { self.help(help) }
    }

    /// Adds another place.
    pub fn note(mut self, span: Span, text: impl Into<String>) -> Self {
        self.notes.push((span, text.into()));
        self
    }

    /// Adds "did you mean X?" where `candidates` holds something near `word`.
    pub fn suggest<'a>(self, word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(word, candidates) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => self,
        }
    }

    /// The whole text for a terminal, ending in a newline; `color` for ANSI colours.
    pub fn render(&self, color: bool) -> String {
        use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let places: Vec<_> = std::iter::once((self.span, self.label.as_str(), true))
            .chain(self.notes.iter().map(|(span, text)| (*span, text.as_str(), false)))
            .filter_map(|(span, text, primary)| Some((source::source(span)?, span, text, primary)))
            .collect();
        let mut title = level.primary_title(self.message.as_str());
        if let Some(kind) = self.kind {
            title = title.id(kind.name);
        }
        let mut group = Group::with_title(title);
        let mut shown = Vec::new();
        for (source, span, _, _) in &places {
            if shown.contains(&span.source) {
                continue;
            }
            shown.push(span.source);
            let mut snippet = Snippet::source(source.shown()).path(source.path.to_string_lossy().into_owned());
            for (_, other, text, primary) in places.iter().filter(|place| place.1.source == span.source) {
                let kind = if *primary { AnnotationKind::Primary } else { AnnotationKind::Context };
                let range = visible(&source.text, *other);
                snippet = snippet.annotation(kind.span(range).label(*text));
            }
            group = group.element(snippet);
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        format!("{}\n", renderer.render(&[group]))
    }
}

/// The range to underline: no further than the end of its first line, so that a caret never spans a whole block.
fn visible(text: &str, span: Span) -> std::ops::Range<usize> {
    let start = (span.start as usize).min(text.len());
    let end = (span.end as usize).clamp(start, text.len());
    let line = text[start..end].find('\n').map_or(end, |offset| start + offset);
    start..line.max(start)
}

/// The candidate that is most likely meant by `word`, if any is near enough.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
