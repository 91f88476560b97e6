//! What went wrong in a template, for people: where it stands, and what to do.

use minijinja::{Error, ErrorKind};

use super::RenderError;
use super::unit::Problem;
use crate::catalog;
use crate::diagnostic::{Diagnostic, kinds};
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

/// What an error of a filter, test, function or method means.
pub fn problem(error: &Error, span: Span) -> RenderError {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = source {
        if let Some(Ended(why)) = inner.downcast_ref::<Ended>() {
            return why.clone();
        }
        source = inner.source();
    }
    match error.kind() {
        ErrorKind::UndefinedError => {
            RenderError::Undefined(Box::new(Diagnostic::error(span, "a part of this is undefined")))
        }
        _ => wrong(span, message(error)),
    }
}

/// A problem that is not about a variable.
pub fn wrong(span: Span, message: impl Into<String>) -> RenderError {
    RenderError::Wrong(Box::new(Diagnostic::error(span, message)))
}

/// A filter, test, function or lookup that does not exist.
pub fn unknown(span: Span, kind: &str, name: &str, known: &[String]) -> Diagnostic {
    use catalog::Kind;
    let (exists, unknown) = match Kind::of(kind) {
        Some(Kind::Filter) => (&kinds::UNSUPPORTED_FILTER, &kinds::UNKNOWN_FILTER),
        Some(Kind::Test) => (&kinds::UNSUPPORTED_TEST, &kinds::UNKNOWN_TEST),
        Some(Kind::Lookup) => (&kinds::UNSUPPORTED_LOOKUP, &kinds::UNKNOWN_LOOKUP),
        Some(Kind::Module) | None => (&kinds::UNDEFINED_VARIABLE, &kinds::UNDEFINED_VARIABLE),
    };
    match Kind::of(kind).and_then(|kind| catalog::find(kind, name)) {
        Some(full) => Diagnostic::error(span, format!("wodctl has no {kind} `{name}`"))
            .of(exists)
            .label(format!("it is `{full}` of the `ansible` package")),
        None => Diagnostic::error(span, format!("there is no {kind} `{name}`"))
            .of(unknown)
            .suggest(name, known.iter().map(String::as_str)),
    }
}

/// The engine's words.
pub fn message(error: &Error) -> String {
    let kind = match error.kind() {
        ErrorKind::UnknownFilter => "filter",
        ErrorKind::UnknownTest => "test",
        _ => "",
    };
    match error.detail() {
        Some(detail) if !kind.is_empty() => {
            format!("there is no {kind} `{}`", detail.split_whitespace().nth(1).unwrap_or_default())
        }
        Some(detail) => detail.to_owned(),
        None => error.kind().to_string(),
    }
}

/// What is wrong with a text that cannot be parsed.
pub fn syntax(problem: &Problem, node: &Node) -> RenderError {
    RenderError::Wrong(Box::new(syntax_problem(problem, node)))
}

/// The same for people.
pub fn syntax_problem(problem: &Problem, node: &Node) -> Diagnostic {
    let span = problem.range.clone().map_or(node.span, |range| node.position(range));
    Diagnostic::error(span, problem.message.clone()).of(&kinds::TEMPLATE_SYNTAX)
}

/// A variable that needs itself.
pub fn recursive(node: &Node) -> RenderError {
    RenderError::Wrong(Box::new(
        Diagnostic::error(node.span, "this variable needs itself to be rendered")
            .help("a variable cannot be defined by way of its own name: use another name"),
    ))
}
