//! What is wrong with text that is no YAML: the usual slips, named.

use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// A parser's complaint at byte `at` of `text`, in words for the person who wrote it.
pub(super) fn explain(complaint: &str, text: &str, whole: Span, at: usize) -> Diagnostic {
    let span = |start: usize, end: usize| Span { source: whole.source, start: start as u32, end: end as u32 };
    let at = at.min(text.len());
    let line = Line::around(text, at);
    if let Some(template) = unquoted_template(line) {
        return template_needs_quotes(text, span(template, template + 2));
    }
    let indent = line.text.len() - line.text.trim_start().len();
    if let Some(tab) = line.text[..indent].find('\t') {
        return Diagnostic::error(span(line.start + tab, line.start + tab + 1), "a tab in the indentation")
            .label("tab")
            .help("YAML is indented with spaces only");
    }
    // A point at the very end of a line is easily overlooked: show the line then.
    let content = line.start + indent;
    let point = if text[at..].starts_with(['\n', '\r']) || at == text.len() {
        span(content.min(at), line.start + line.text.trim_end().len())
    } else {
        span(at, at + text[at..].chars().next().map_or(0, char::len_utf8))
    };
    let (message, help) = words(complaint);
    let problem = Diagnostic::error(point, message);
    if help.is_empty() { problem } else { problem.help(help) }
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
fn words(complaint: &str) -> (String, &'static str) {
    let (message, help) = if complaint.contains("mapping values are not allowed") {
        (
            "a `:` where no key can stand",
            "if it belongs to the text, put the text in quotes; otherwise look at the indentation of this line and the one above",
        )
    } else if complaint.contains("end of stream") || complaint.contains("unexpected document indicator") {
        ("the quotes that open here are never closed", "add the closing quote")
    } else if complaint.contains("unknown escape") {
        ("YAML knows no such escape", "inside double quotes write `\\\\` for a backslash, or use single quotes")
    } else if complaint.contains("unknown anchor") {
        ("no anchor of this name stands above", "an anchor is written `&name` before the value that `*name` repeats")
    } else if complaint.contains("did not find expected key") || complaint.contains("block indentation") {
        ("this does not fit the mapping around it", "the keys of a mapping start in the same column")
    } else if complaint.contains("expected '-' indicator") {
        ("this does not fit the list around it", "the items of a list start with `-` in the same column")
    } else if complaint.contains("',' or '}'") {
        ("this mapping in braces is not complete", "its entries are separated by `,` and a `}` closes it")
    } else if complaint.contains("',' or ']'") {
        ("this list in brackets is not complete", "its items are separated by `,` and a `]` closes it")
    } else if complaint.contains("trailing content after") {
        ("text behind the closing quote", "put the whole value in quotes")
    } else if complaint.contains("unexpected character") {
        ("no value starts with this character", "put the value in quotes")
    } else if complaint.contains("simple key expect") {
        ("a key without its `:`", "write `key: value`, with a space behind the colon")
    } else if complaint.contains("invalid indentation") {
        ("this line is not indented far enough", "")
    } else if complaint.contains("tab") {
        ("a tab where YAML allows spaces only", "replace it by spaces")
    } else {
        return (format!("this is no YAML: {complaint}"), "");
    };
    (message.to_owned(), help)
}
