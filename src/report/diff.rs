//! Differences for people: unified for texts, one line for everything else.

use std::fmt::Write;

use similar::{ChangeTag, TextDiff};

use super::style::{Paint, Palette};
use super::text::clean;
use crate::change::diff::Diff;
use crate::words;

/// Lines around a difference.
const CONTEXT: usize = 3;

/// Differences, each line ended by a newline. What something new gets (owner, group, mode) takes one line.
pub fn render_all(diffs: &[Diff], palette: Palette) -> String {
    let together =
        |one: &Diff, next: &Diff| subject_of_new(one).is_some() && subject_of_new(one) == subject_of_new(next);
    let lines = diffs.chunk_by(together).map(|group| match group {
        [single] => render(single, palette),
        several => attributes_of_new(several, palette),
    });
    lines.collect()
}

/// Of what an attribute is that had no value before.
fn subject_of_new(diff: &Diff) -> Option<&str> {
    match diff {
        Diff::Attribute { subject, before, .. } if before.is_empty() => Some(subject),
        _ => None,
    }
}

/// `/etc/motd: owner root, group root, mode 0644`
fn attributes_of_new(diffs: &[Diff], palette: Palette) -> String {
    let subject = diffs.first().and_then(subject_of_new).unwrap_or_default();
    let values = diffs.iter().filter_map(|diff| match diff {
        Diff::Attribute { name, after, .. } => {
            Some(format!("{name} {}", palette.paint(Paint::Green, &one_line(after))))
        }
        _ => None,
    });
    format!("{}: {}\n", one_line(subject), values.collect::<Vec<_>>().join(", "))
}

/// One difference, each line ended by a newline.
pub(super) fn render(diff: &Diff, palette: Palette) -> String {
    match diff {
        Diff::Text { path, before, after } => {
            let path = path.to_string_lossy();
            unified(&path, before.as_deref(), after.as_deref(), palette)
        }
        Diff::Attribute { before, .. } if before.is_empty() => attributes_of_new(std::slice::from_ref(diff), palette),
        Diff::Attribute { subject, name, before, after } => {
            let (before, after) = (one_line(before), one_line(after));
            let (before, after) = (palette.paint(Paint::Red, &before), palette.paint(Paint::Green, &after));
            format!("{}: {name}: {before} → {after}\n", one_line(subject))
        }
        Diff::Run { argv } => {
            let line: Vec<String> = argv.iter().map(|word| words::quote(word)).collect();
            format!("run: {}\n", palette.paint(Paint::Cyan, &one_line(&line.join(" "))))
        }
    }
}

/// Text without line breaks.
fn one_line(text: &str) -> String {
    clean(text).replace('\n', "\\n")
}

fn unified(path: &str, before: Option<&str>, after: Option<&str>, palette: Palette) -> String {
    let mut out = String::new();
    let name = |text: Option<&str>| if text.is_some() { clean(path).into_owned() } else { "(absent)".to_owned() };
    let mut line = |paint: Option<Paint>, text: &str| {
        let text = paint.map_or_else(|| text.to_owned(), |paint| palette.paint(paint, text));
        let _ = writeln!(out, "{text}");
    };
    line(Some(Paint::Bold), &format!("--- {}", name(before)));
    line(Some(Paint::Bold), &format!("+++ {}", name(after)));
    let diff = TextDiff::from_lines(before.unwrap_or_default(), after.unwrap_or_default());
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        line(Some(Paint::Cyan), &hunk.header().to_string());
        for change in hunk.iter_changes() {
            let (sign, paint) = match change.tag() {
                ChangeTag::Delete => ('-', Some(Paint::Red)),
                ChangeTag::Insert => ('+', Some(Paint::Green)),
                ChangeTag::Equal => (' ', None),
            };
            line(paint, &format!("{sign}{}", clean(change.value().trim_end_matches('\n'))));
            if change.missing_newline() {
                line(Some(Paint::Dim), "\\ no newline at the end");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(before: Option<&str>, after: Option<&str>) -> String {
        let [before, after] = [before, after].map(|text| text.map(str::to_owned));
        render(&Diff::Text { path: "/etc/x".into(), before, after }, Palette { on: false })
    }

    #[test]
    fn a_text_is_shown_as_a_unified_diff() {
        insta::assert_snapshot!(text(Some("a\nb\nc\nd\ne\nf\ng\n"), Some("a\nb\nc\nd\nE\nf\ng")), @r"
        --- /etc/x
        +++ /etc/x
        @@ -2,6 +2,6 @@
         b
         c
         d
        -e
        +E
         f
        -g
        +g
        \ no newline at the end
        ");
    }

    #[test]
    fn new_and_removed_files_say_so() {
        insta::assert_snapshot!(text(None, Some("a\n")), @r"
        --- (absent)
        +++ /etc/x
        @@ -0,0 +1 @@
        +a
        ");
        insta::assert_snapshot!(text(Some("\u{1b}[2J\n"), None), @r"
        --- /etc/x
        +++ (absent)
        @@ -1 +0,0 @@
        -␛[2J
        ");
    }

    #[test]
    fn what_is_new_takes_a_line() {
        let attribute = |subject: &str, name: &str, before: &str, after: &str| Diff::Attribute {
            subject: subject.into(),
            name: name.into(),
            before: before.into(),
            after: after.into(),
        };
        let diffs = [
            attribute("/x", "owner", "", "root"),
            attribute("/x", "group", "", "root"),
            attribute("/x", "mode", "", "0644"),
            attribute("/y", "mode", "", "0600"),
            attribute("/y", "owner", "root", "www-data"),
        ];
        insta::assert_snapshot!(render_all(&diffs, Palette { on: false }), @r"
        /x: owner root, group root, mode 0644
        /y: mode 0600
        /y: owner: root → www-data
        ");
    }

    #[test]
    fn other_differences_take_a_line() {
        let attribute =
            Diff::Attribute { subject: "/x".into(), name: "mode".into(), before: "0644".into(), after: "0600".into() };
        assert_eq!(render(&attribute, Palette { on: false }), "/x: mode: 0644 → 0600\n");
        let run = Diff::Run { argv: vec!["echo".into(), "a b".into()] };
        assert_eq!(render(&run, Palette { on: false }), "run: echo 'a b'\n");
    }
}
