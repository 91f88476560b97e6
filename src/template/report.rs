//! What went wrong in a template, for people: where it stands, and what to do.

use std::ops::Range;

use minijinja::{Error, ErrorKind};

use super::RenderError;
use super::run::Run;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::yaml::Node;

/// Carries the end of a rendering through the engine.
#[derive(Debug)]
pub struct Ended(pub RenderError);

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("the rendering ended")
    }
}

impl std::error::Error for Ended {}

impl Ended {
    /// As an error of the engine.
    pub fn error(why: RenderError) -> Error {
        Error::new(ErrorKind::InvalidOperation, "the rendering ended").with_source(Ended(why))
    }
}

/// What an error of the engine means.
pub fn problem(error: &Error, node: &Node, run: &Run) -> RenderError {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = source {
        if let Some(Ended(why)) = inner.downcast_ref::<Ended>() {
            return why.clone();
        }
        source = inner.source();
    }
    let range = error.range();
    let span = range.clone().map_or(node.span, |range| node.position(range));
    match error.kind() {
        ErrorKind::UndefinedError => undefined(range, node, span, run),
        _ => wrong(span, message(error)),
    }
}

/// A problem that is not about a variable.
pub fn wrong(span: Span, message: impl Into<String>) -> RenderError {
    RenderError::Wrong(Box::new(Diagnostic::error(span, message)))
}

fn undefined(range: Option<Range<usize>>, node: &Node, span: Span, run: &Run) -> RenderError {
    let written = range.and_then(|range| node.as_str()?.get(range)).unwrap_or_default();
    let name: String = written.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    if let Some(cause) = run.shared().cause(&name) {
        return RenderError::Undefined(Box::new(cause.note(span, "used here")));
    }
    let text =
        if written.is_empty() { "something here is undefined".to_owned() } else { format!("`{written}` is undefined") };
    let names = run.scope().names();
    let problem = Diagnostic::error(span, text).suggest(&name, names.iter().map(String::as_str));
    RenderError::Undefined(Box::new(problem))
}

/// The engine's words.
fn message(error: &Error) -> String {
    match error.detail() {
        Some(detail) => detail.to_owned(),
        None => error.kind().to_string(),
    }
}

/// A variable that needs itself.
pub fn recursive(node: &Node) -> RenderError {
    RenderError::Wrong(Box::new(
        Diagnostic::error(node.span, "this variable needs itself to be rendered")
            .help("a variable cannot be defined by way of its own name: use another name"),
    ))
}
