//! What was said to be as it should be: `# noqa` at the line, or a kind in the project's settings.

use crate::diagnostic::Diagnostic;
use crate::diagnostic::kinds::Kind;
use crate::source::{self, Span};

/// The problems that are left: `# noqa` silences all that stand at its line, `# noqa: kind, kind` those kinds there, `skip`
/// kinds everywhere. What cannot be loaded cannot be silenced.
pub fn silence(problems: Vec<Diagnostic>, skip: &[&'static Kind]) -> Vec<Diagnostic> {
    let is_silent = |problem: &Diagnostic| {
        problem.kind.is_some_and(|kind| kind.can_be_silenced && (skip.contains(&kind) || is_noted(problem.span, kind)))
    };
    problems.into_iter().filter(|problem| !is_silent(problem)).collect()
}

/// Whether the line where a span begins has a note that means this kind.
pub(super) fn is_noted(span: Span, kind: &Kind) -> bool {
    let Some(source) = source::source(span) else { return false };
    let start = span.start as usize;
    let (Some(before), Some(after)) = (source.text.get(..start), source.text.get(start..)) else { return false };
    let line = [before.rsplit('\n').next().unwrap_or_default(), after.split('\n').next().unwrap_or_default()].concat();
    names(&line, kind.name)
}

/// Whether a line has a `# noqa` that means this kind.
fn names(line: &str, kind: &str) -> bool {
    let Some((_, note)) = line.split_once("# noqa") else { return false };
    match note.trim_start().strip_prefix(':') {
        Some(kinds) => kinds.split([',', ' ']).any(|name| name == kind),
        None => note.trim().is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_silences_all_or_what_it_names() {
        assert!(names("- command: x  # noqa", "visible-secret"));
        assert!(names("- command: x  # noqa: unknown-tag, visible-secret", "visible-secret"));
        assert!(!names("- command: x  # noqa: unknown-tag", "visible-secret"));
        assert!(!names("- command: x  # noqa name[casing]", "visible-secret"), "it means another linter");
        assert!(!names("- command: x", "visible-secret"));
    }
}
