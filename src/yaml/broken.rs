//! What is wrong with text that is no YAML: the usual slips, named.

use super::parser::Complaint;
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// A parser's complaint in words for the person who wrote the text.
pub(super) fn explain(complaint: &Complaint, text: &str, whole: Span) -> Diagnostic {
    let span = |start: usize, end: usize| Span { source: whole.source, start: start as u32, end: end as u32 };
    let inside = |at: usize| (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    // What is never closed is best shown where it opens.
    let unclosed = ["end of stream", "document indicator"].iter().any(|end| complaint.problem.contains(end));
    let at = inside(if unclosed { complaint.context_at } else { complaint.at });
    let line = Line::around(text, at);
    for line in [Line::around(text, inside(complaint.context_at)), line] {
        if let Some(template) = unquoted_template(line) {
            return template_needs_quotes(text, span(template, template + 2));
        }
    }
    let indent = line.text.len() - line.text.trim_start().len();
    if let Some(tab) = line.text[..indent].find('\t').filter(|_| !unclosed) {
        return Diagnostic::error(span(line.start + tab, line.start + tab + 1), "a tab in the indentation")
            .label("tab")
            .help("YAML is indented with spaces only");
    }
    // A point at the very end of a line is easily overlooked: show the line then.
    let point = if text[at..].starts_with(['\n', '\r']) || at == text.len() {
        span((line.start + indent).min(at), line.start + line.text.trim_end().len())
    } else {
        span(at, at + text[at..].chars().next().map_or(0, char::len_utf8))
    };
    if complaint.problem.contains("expected key") && text[line.start..at].trim_end().ends_with(['"', '\'']) {
        return Diagnostic::error(point, "text behind the closing quote").help("put the whole value in quotes");
    }
    let (message, help) = words(complaint);
    let mut problem = Diagnostic::error(point, message);
    if let Some(collection) = opened(&complaint.context).filter(|_| complaint.problem.contains("expected")) {
        let start = inside(complaint.context_at);
        problem = problem.note(span(start, start + 1), format!("{collection} starts here"));
    }
    if help.is_empty() { problem } else { problem.help(help) }
}

/// What was open, if it was a collection.
fn opened(context: &str) -> Option<&'static str> {
    match context {
        "while parsing a block mapping" | "while parsing a flow mapping" => Some("the mapping"),
        "while parsing a block collection" | "while parsing a flow sequence" => Some("the list"),
        _ => None,
    }
}

/// A mapping or a list stands where a key is expected.
pub(super) fn key_is_no_text(text: &str, span: Span) -> Diagnostic {
    let start = span.start as usize;
    match start.checked_sub(1) {
        Some(before) if text[before..].starts_with("{{") => {
            template_needs_quotes(text, Span { start: before as u32, end: start as u32 + 1, ..span })
        }
        _ => Diagnostic::error(span, "a key must be text, not a list or a mapping"),
    }
}

fn template_needs_quotes(text: &str, span: Span) -> Diagnostic {
    let line = Line::around(text, span.start as usize);
    let value = text[span.start as usize..line.start + line.text.len()].trim_end();
    let quoted = if value.contains('"') { format!("'{value}'") } else { format!("\"{value}\"") };
    Diagnostic::error(
        Span { end: span.start + value.len() as u32, ..span },
        "a value that starts with `{{` needs quotes",
    )
    .label("YAML takes this for a mapping")
    .help(format!("write {quoted}"))
}

#[derive(Clone, Copy)]
struct Line<'t> {
    start: usize,
    text: &'t str,
}

impl<'t> Line<'t> {
    fn around(text: &'t str, at: usize) -> Self {
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
        Line { start, text: text[start..end].trim_end_matches('\r') }
    }
}

/// Where an unquoted value of the line starts with `{{`.
fn unquoted_template(line: Line) -> Option<usize> {
    let at = line.text.find("{{")?;
    let before = line.text[..at].trim_end();
    (before.is_empty() || before.ends_with([':', '-'])).then_some(line.start + at)
}

/// Message and help; the parser's own words where there is nothing better to say.
fn words(complaint: &Complaint) -> (String, &'static str) {
    let Complaint { problem, context, .. } = complaint;
    let has = |part: &str| problem.contains(part);
    let (message, help) = if has("mapping values are not allowed") {
        (
            "a `:` where no key can stand",
            "if it belongs to the text, put the text in quotes; if not, look at the indentation of this line and the one above",
        )
    } else if has("end of stream") || has("document indicator") {
        ("the quotes that open here are never closed", "add the closing quote")
    } else if has("unknown escape") || has("hexadecimal") || has("Unicode character escape") {
        ("YAML knows no such escape", "inside double quotes write `\\\\` for a backslash, or use single quotes")
    } else if has("expected key") {
        ("this does not fit the mapping around it", "the keys of a mapping start in the same column")
    } else if has("'-' indicator") {
        ("this does not fit the list around it", "the items of a list start with `-` in the same column")
    } else if has("',' or '}'") {
        ("this mapping in braces is not complete", "its entries are separated by `,` and a `}` closes it")
    } else if has("',' or ']'") {
        ("this list in brackets is not complete", "its items are separated by `,` and a `]` closes it")
    } else if has("cannot start any token") {
        ("no value starts with this character", "put the value in quotes")
    } else if has("could not find expected ':'") {
        ("a key without its `:`", "write `key: value`, with a space behind the colon")
    } else if has("sequence entries are not allowed") {
        ("a list item where none can stand", "a list starts on a line of its own, below its key")
    } else if has("tab character") {
        ("a tab where YAML allows spaces only", "replace it by spaces")
    } else if has("expected node content") {
        ("a value is missing here", "if this belongs to the text, put the text in quotes")
    } else if has("control characters") {
        ("a control character, which YAML does not allow", "remove it, or write it as an escape in double quotes")
    } else if has("undefined tag handle") || context.contains("tag") {
        ("this is no tag that YAML knows", "if `!` belongs to the text, put the text in quotes")
    } else {
        let context = if context.is_empty() { String::new() } else { format!(" {context}") };
        return (format!("this is no YAML:{context} {problem}"), "");
    };
    (message.to_owned(), help)
}
