//! Conditions: `when`, `failed_when`, `changed_when`.

use std::sync::Arc;

use minijinja::value::ValueKind;

use super::run::Run;
use super::unit::Kind;
use super::{Binding, RenderError, is_template, native, python, report};
use crate::diagnostic::Diagnostic;
use crate::module::read_bool;
use crate::value::Value;
use crate::yaml::{Node, NodeKind};

/// Whether a condition holds.
pub fn holds(node: &Node, run: &Arc<Run>) -> Result<bool, RenderError> {
    let text = match &node.kind {
        NodeKind::Scalar(Value::Bool(flag)) => return Ok(*flag),
        NodeKind::Scalar(Value::Str(text)) if !text.trim().is_empty() => text,
        NodeKind::Scalar(Value::Str(_) | Value::Null) => {
            return Err(report::wrong(node.span, "the condition is empty"));
        }
        _ => return truth(&run.value(node)?, node, run),
    };
    let bare = without_braces(text);
    if let Some(bare) = &bare {
        run.warn(
            Diagnostic::warning(node.span, "a condition is an expression already, without braces")
                .help(format!("write it as: {}", bare.split_whitespace().collect::<Vec<_>>().join(" "))),
        );
    }
    let value = run.engine().expression(Kind::Condition, bare.as_deref().unwrap_or(text), node, run)?;
    match value.as_str() {
        _ if value.kind() == ValueKind::Bool => Ok(value.is_true()),
        Some(said) => of_text(said, text, node, run),
        None => counts(&python::described(&value), value.is_true(), node, run),
    }
}

fn truth(value: &Value, node: &Node, run: &Run) -> Result<bool, RenderError> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        other => counts(other.kind(), other.is_true(), node, run),
    }
}

/// A condition that came to text. As ansible-core 2.18 did, a variable that holds an expression is evaluated, with a
/// warning; 2.19 refuses all of these. What a host said is never evaluated.
fn of_text(said: &str, text: &str, node: &Node, run: &Arc<Run>) -> Result<bool, RenderError> {
    let what = format!("the text '{said}'");
    if let Some(flag) = read_bool(said) {
        return counts(&what, flag, node, run);
    }
    if said.trim().is_empty() {
        return counts("empty text", false, node, run);
    }
    let Some(variable) = variable(text.trim(), run) else { return Err(no_boolean(&what, node)) };
    let value = run.engine().expression(Kind::Condition, said, &variable, run)?;
    match value.as_str().map(read_bool) {
        _ if value.kind() == ValueKind::Bool => counts(&what, value.is_true(), node, run),
        Some(Some(flag)) => counts(&what, flag, node, run),
        _ => Err(no_boolean(&what, node)),
    }
}

/// What is no boolean and counts as one, with a warning; an error where the run is strict.
fn counts(what: &str, holds: bool, node: &Node, run: &Run) -> Result<bool, RenderError> {
    if run.is_strict() {
        return Err(no_boolean(what, node));
    }
    run.warn(
        Diagnostic::warning(
            node.span,
            format!("a condition should be a boolean, this is {what}: it counts as {holds}"),
        )
        .help(HELP),
    );
    Ok(holds)
}

fn no_boolean(what: &str, node: &Node) -> RenderError {
    RenderError::Wrong(Box::new(
        Diagnostic::error(node.span, format!("a condition must be a boolean, this is {what}")).help(HELP),
    ))
}

const HELP: &str = "compare it with something, or add `| bool`";

/// The variable that a condition names and nothing else, if it is plain text that somebody wrote.
fn variable(text: &str, run: &Run) -> Option<Arc<Node>> {
    let mut name = native::bare_name(text).unwrap_or(text).to_owned();
    for _ in 0..MOST_NAMES {
        let Binding::Template(node) = run.scope().lookup(&name)? else { return None };
        match node.as_str()? {
            text if !is_template(text) => return Some(node),
            text => native::bare_name(text.trim())?.clone_into(&mut name),
        }
    }
    None
}

/// So many variables may stand for one another.
const MOST_NAMES: usize = 16;

/// A condition with `{{ }}` outside of texts, which become parentheses, so that all places stay the same.
pub(super) fn without_braces(text: &str) -> Option<String> {
    let mut quote = None;
    let mut bare = String::with_capacity(text.len());
    let mut letters = text.char_indices();
    let mut found = false;
    while let Some((at, letter)) = letters.next() {
        let pair = &text[at..];
        // Without an opening pair, a closing one ends mappings.
        if quote.is_none() && (pair.starts_with("{{") || (found && pair.starts_with("}}"))) {
            bare.push_str(if letter == '{' { " (" } else { ") " });
            letters.next();
            found = true;
            continue;
        }
        match quote {
            Some(open) if open == letter => quote = None,
            None if letter == '\'' || letter == '"' => quote = Some(letter),
            _ => {}
        }
        bare.push(letter);
    }
    found.then_some(bare)
}
