//! The failures of a run, repeated at its end: where they come from, what was said, what the programs printed.

use std::fmt::Write;

use super::style::{Paint, Palette};
use super::text::{clean, counted, indent, label, printed, tail};
use crate::diagnostic::Diagnostic;
use crate::event::{Status, TaskResult};
use crate::source::Span;
use crate::value::{Map, Value};

/// So many lines of a program's output are repeated.
const LINES: usize = 20;

/// Collects failures. Those that were ignored or rescued are left out.
#[derive(Debug, Default)]
pub struct Failures {
    failed: Vec<TaskResult>,
}

impl Failures {
    /// Takes up a result.
    pub fn add(&mut self, result: &TaskResult) {
        if !matches!(result.status, Status::Failed | Status::Unreachable) {
            return;
        }
        let same = |other: &TaskResult| other.host == result.host && other.task.position == result.task.position;
        if result.ignored || result.rescued {
            // What the items said is settled by what the step says as a whole.
            self.failed.retain(|other| !(result.is_summary && same(other)));
        } else if !(result.is_summary && self.failed.iter().any(same)) {
            self.failed.push(result.clone());
        }
    }

    /// The section at the end of a run; empty if nothing failed.
    pub fn render(&self, palette: Palette) -> String {
        if self.failed.is_empty() {
            return String::new();
        }
        let title = format!("FAILURES ({})", self.failed.len());
        let mut out = format!("\n{}\n", palette.paint(Paint::Bold, &title));
        for result in &self.failed {
            out.push('\n');
            out.push_str(&one(result, palette));
        }
        out
    }
}

/// One failure in full.
pub fn one(result: &TaskResult, palette: Palette) -> String {
    let word = palette.paint(Paint::of(result.status), result.status.as_str());
    let title = clean(&result.task.title()).replace('\n', " ");
    let mut out = format!("{word}: [{}] {title}{}\n", place(result), item(result));
    let message = message(&result.values);
    let mut lines = message.lines();
    let first = lines.next().unwrap_or("failed");
    out.push_str(&match (&result.diagnostic, position(result)) {
        (Some(diagnostic), _) => diagnostic.render(palette.on),
        (None, Some(span)) => Diagnostic::error(span, first).render(palette.on),
        (None, None) => format!("{}: {first}\n", palette.paint(Paint::Red, "error")),
    });
    if result.diagnostic.is_none() {
        out.push_str(&indent(&lines.collect::<Vec<_>>().join("\n"), "  "));
    }
    out.push_str(&details(&result.values));
    out
}

/// A failure of a single question, whose place in a text is of no interest.
pub fn answer(result: &TaskResult, palette: Palette) -> String {
    let word = palette.paint(Paint::of(result.status), result.status.as_str());
    let place = place(result);
    match &result.diagnostic {
        Some(diagnostic) => format!("{place}: {word}\n{}", diagnostic.render(palette.on)),
        None => {
            let message = message(&result.values);
            let mut lines = message.lines();
            let first = lines.next().unwrap_or("failed");
            let rest: Vec<&str> = lines.collect();
            format!(
                "{place}: {word}: {first}\n{}{}",
                indent(&rest.join("\n"), "    "),
                indent(&details(&result.values), "    ")
            )
        }
    }
}

/// `host`, or `host -> delegate`.
pub fn place(result: &TaskResult) -> String {
    match &result.delegate {
        Some(delegate) => format!("{} -> {delegate}", result.host),
        None => result.host.clone(),
    }
}

/// ` => (item=label)` for one of a loop.
pub fn item(result: &TaskResult) -> String {
    result.item.as_ref().map_or_else(String::new, |value| format!(" => (item={})", label(value)))
}

/// What the module said, harmless.
pub fn message(values: &Map) -> String {
    match values.get("msg") {
        Some(Value::Str(text)) => printed(text.trim_end()),
        Some(other) => super::text::inline(other),
        None => String::new(),
    }
}

fn position(result: &TaskResult) -> Option<Span> {
    result.cause.into_iter().chain([result.task.span]).find(|span| span.is_somewhere())
}

/// The program that was run, how it ended, and the end of what it printed.
fn details(values: &Map) -> String {
    let mut out = String::new();
    if let Some(line) = command_line(values) {
        let _ = writeln!(out, "command: {line}");
    }
    if let Some(Value::Int(rc)) = values.get("rc") {
        let _ = writeln!(out, "exit status: {rc}");
    }
    for stream in ["stdout", "stderr"] {
        let text = values.get(stream).and_then(Value::as_str).map(printed).unwrap_or_default();
        if !text.trim().is_empty() {
            let _ = write!(out, "{stream}:\n{}", indent(&tail(&text, LINES), "    "));
        }
    }
    out
}

fn command_line(values: &Map) -> Option<String> {
    let line = match values.get("cmd")? {
        Value::Str(line) => line.clone(),
        Value::List(words) => words
            .iter()
            .map(|word| word.as_str().map_or_else(|| super::text::inline(word), crate::words::quote))
            .collect::<Vec<_>>()
            .join(" "),
        _ => return None,
    };
    Some(tail(&clean(&line), LINES).replace('\n', "\n         "))
}

/// What to say about a failure in the line where it happens: the message, and the end of what the program said.
pub fn brief(result: &TaskResult) -> String {
    let message = message(&result.values);
    let mut lines = message.lines();
    let mut out = lines.next().unwrap_or("failed").to_owned();
    let count = lines.count();
    if count > 0 {
        let _ = write!(out, " … ({} more)", counted(count, "line"));
    }
    out
}
