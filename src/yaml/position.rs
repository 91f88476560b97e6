//! From a place in a scalar's text back to the place in the file that it was read from.

use std::ops::Range;

use super::{Node, NodeKind};
use crate::source::{self, Span};
use crate::value::Value;

impl Node {
    /// Where bytes `range` of this node's text stand in the source, for the caret of a template error.
    ///
    /// It sees through quotes, escapes, indentation and folding. Where the text did not come from the source as it
    /// stands there, it is the span of the whole node.
    pub fn position(&self, range: Range<usize>) -> Span {
        let NodeKind::Scalar(Value::Str(text)) = &self.kind else { return self.span };
        let Some(source) = source::source(self.span) else { return self.span };
        let Some(written) = source.text.get(self.span.start as usize..self.span.end as usize) else { return self.span };
        match align(text, written, &range) {
            Some((start, end)) => self.span.part(start, end),
            None => self.span,
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Quotes {
    None,
    Single,
    Double,
}

fn align(text: &str, written: &str, range: &Range<usize>) -> Option<(usize, usize)> {
    let quoted = match written.as_bytes().first()? {
        b'"' => walk(text, written, 1, Quotes::Double, range),
        b'\'' => walk(text, written, 1, Quotes::Single, range),
        b'|' | b'>' => written.find('\n').and_then(|header| walk(text, written, header + 1, Quotes::None, range)),
        _ => None,
    };
    // Text from elsewhere, such as an INI file, may start with these signs and mean them.
    quoted.or_else(|| walk(text, written, 0, Quotes::None, range))
}

/// Walks the text and what is written side by side until the end of the range.
fn walk(text: &str, written: &str, mut at: usize, quotes: Quotes, range: &Range<usize>) -> Option<(usize, usize)> {
    let mut start = None;
    for (offset, letter) in text.char_indices() {
        if offset >= range.end && start.is_some() {
            break;
        }
        let (from, behind) = find(letter, written, at, quotes)?;
        if offset >= range.start && start.is_none() {
            start = Some(from);
        }
        at = behind;
    }
    // An empty range at the very end stands behind the last letter.
    let start = start.unwrap_or(at);
    Some((start, if range.is_empty() { start } else { at }))
}

/// Where `letter` is written at or behind `at`, and where that ends.
fn find(letter: char, written: &str, mut at: usize, quotes: Quotes) -> Option<(usize, usize)> {
    loop {
        let rest = &written[at..];
        let next = rest.chars().next()?;
        if quotes == Quotes::Double && next == '\\' {
            if rest[1..].starts_with(['\n', '\r']) {
                at += 1;
                continue;
            }
            let length = match rest.as_bytes().get(1)? {
                b'x' => 4,
                b'u' => 6,
                b'U' => 10,
                _ => 1 + rest[1..].chars().next()?.len_utf8(),
            };
            return Some((at, at + length));
        }
        if next == letter {
            let doubled = quotes == Quotes::Single && letter == '\'';
            return Some((at, at + letter.len_utf8() * if doubled { 2 } else { 1 }));
        }
        if letter == ' ' && next == '\n' {
            // A folded line break.
            return Some((at, at + 1));
        }
        if !next.is_whitespace() {
            return None;
        }
        at += next.len_utf8();
    }
}

#[cfg(test)]
mod tests {
    use crate::source;
    use crate::yaml::{self, Node};

    /// What stands in the source where `part` stands in the text of the first key's value.
    fn written(yaml: &str, part: &str) -> String {
        let root = yaml::read_text("<test>", yaml).unwrap().root.unwrap();
        let node = &root.as_map().unwrap()[0].value;
        source_of(node, part)
    }

    fn source_of(node: &Node, part: &str) -> String {
        let start = node.as_str().unwrap().find(part).unwrap();
        let span = node.position(start..start + part.len());
        source::source(span).unwrap().text[span.start as usize..span.end as usize].to_owned()
    }

    #[test]
    fn plain_and_quoted() {
        assert_eq!(written("a: ü {{ x }} y", "{{ x }}"), "{{ x }}");
        assert_eq!(written("a: one\n  two\n\n  {{ x }} y", "{{ x }}"), "{{ x }}");
        assert_eq!(written("a: 'it''s {{ x }}'", "{{ x }}"), "{{ x }}");
        assert_eq!(written("a: 'it''s {{ x }}'", "t's"), "t''s");
        assert_eq!(written(r#"a: "\"\u00fc\t{{ x }}""#, "{{ x }}"), "{{ x }}");
        assert_eq!(written(r#"a: "{{ \"x\" }}""#, r#""x""#), r#"\"x\""#);
        assert_eq!(written("a: \"one \\\n   two {{ x }}\"", "{{ x }}"), "{{ x }}");
    }

    #[test]
    fn blocks() {
        assert_eq!(written("a: |  # why\n  one\n    two {{ x }}\n", "{{ x }}"), "{{ x }}");
        assert_eq!(written("a: |\n\n  {{ x }}\n", "{{ x }}"), "{{ x }}");
        assert_eq!(written("a: >-\n  one\n  {{ x\n  }}\n\n  three", "{{ x }}"), "{{ x\n  }}");
        assert_eq!(written("a: !unsafe &b |\n  {{ x }}", "{{ x }}"), "{{ x }}");
    }

    #[test]
    fn text_from_elsewhere() {
        let span = source::add("<test>", "'{{ x }}' y");
        assert_eq!(source_of(&Node::scalar(span, "'{{ x }}' y"), "{{ x }}"), "{{ x }}");
        // Nothing fits: the whole node.
        assert_eq!(source_of(&Node::scalar(span, "other {{ x }}"), "{{ x }}"), "'{{ x }}' y");
    }
}
