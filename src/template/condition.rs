//! Conditions: `when`, `failed_when`, `changed_when`.

use std::sync::Arc;

use super::run::Run;
use super::unit::Kind;
use super::{Binding, RenderError, is_template, native, python, report};
use crate::diagnostic::Diagnostic;
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
    let value = match without_braces(text) {
        Some(bare) => {
            run.warn(
                Diagnostic::warning(node.span, "a condition is an expression already, without braces")
                    .help(format!("write it as: {}", bare.split_whitespace().collect::<Vec<_>>().join(" "))),
            );
            let value = run.engine().expression(Kind::Condition, &bare, node, run)?;
            match (value.as_str(), variable(text, run)) {
                // A variable that holds a condition.
                (Some(inner), Some(node)) if !inner.trim().is_empty() => {
                    run.engine().expression(Kind::Condition, inner, &node, run)?
                }
                _ => value,
            }
        }
        None => run.engine().expression(Kind::Condition, text, node, run)?,
    };
    if value.kind() == minijinja::value::ValueKind::Bool {
        return Ok(value.is_true());
    }
    not_boolean(&python::described(&value), value.is_true(), node, run);
    Ok(value.is_true())
}

fn truth(value: &Value, node: &Node, run: &Run) -> Result<bool, RenderError> {
    if !matches!(value, Value::Bool(_)) {
        not_boolean(value.kind(), value.is_true(), node, run);
    }
    Ok(value.is_true())
}

fn not_boolean(what: &str, holds: bool, node: &Node, run: &Run) {
    let counts = if holds { "true" } else { "false" };
    run.warn(
        Diagnostic::warning(
            node.span,
            format!("a condition should be a boolean, this is {what}: it counts as {counts}"),
        )
        .help("compare it with something, or add `| bool`"),
    );
}

/// The variable of `{{ name }}`, if it is plain text that somebody wrote.
fn variable(text: &str, run: &Run) -> Option<Arc<Node>> {
    match run.scope().lookup(native::bare_name(text.trim())?)? {
        Binding::Template(node) if node.as_str().is_some_and(|text| !is_template(text)) => Some(node),
        _ => None,
    }
}

/// A condition with `{{ }}` outside of texts, which become parentheses, so that all places stay the same.
pub(super) fn without_braces(text: &str) -> Option<String> {
    let mut quote = None;
    let mut bare = String::with_capacity(text.len());
    let mut letters = text.char_indices();
    let mut found = false;
    while let Some((at, letter)) = letters.next() {
        let pair = &text[at..];
        if quote.is_none() && (pair.starts_with("{{") || pair.starts_with("}}")) {
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
