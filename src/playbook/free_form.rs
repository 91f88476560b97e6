//! `module: a=b c="d e" rest`: arguments in one line of text, taken apart as Ansible does.
//!
//! Words end at spaces and newlines, but not inside quotes or `{{ }}`, `{% %}`, `{# #}`. The text of what is no `key=value`
//! is kept exactly, spaces and newlines included, because it is a shell's.

/// What one line of arguments holds.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct FreeForm {
    /// `key=value` pairs in order, unquoted.
    pub pairs: Vec<(String, String)>,
    /// Everything else, joined; empty if there is nothing else.
    pub raw: String,
}

/// Keys that are arguments even in the text of a command.
const COMMAND_KEYS: &[&str] =
    &["creates", "removes", "chdir", "executable", "warn", "stdin", "stdin_add_newline", "strip_empty_ends"];

/// Takes a text apart. With `command` set only the few keys of command-like modules are arguments: `A=1 make` is a
/// command. Fails if quotes or braces are left open.
pub(crate) fn parse(text: &str, command: bool) -> Result<FreeForm, Unbalanced> {
    let mut found = FreeForm::default();
    for word in split(text)? {
        let decoded = decode(&word);
        match equals(&decoded) {
            Some(at) if !command || COMMAND_KEYS.contains(&&decoded[..at]) => {
                let value = unquote(decoded[at + 1..].trim());
                found.pairs.push((decoded[..at].trim().to_owned(), value.to_owned()));
            }
            Some(_) => append(&mut found.raw, &word),
            None if decoded.contains('=') => append(&mut found.raw, &decoded.replace("\\=", "=")),
            None => append(&mut found.raw, &word),
        }
    }
    Ok(found)
}

/// A quote or a brace is open at the end.
#[derive(Debug, PartialEq)]
pub(crate) struct Unbalanced;

fn append(raw: &mut String, word: &str) {
    if !raw.is_empty() && !raw.ends_with('\n') {
        raw.push(' ');
    }
    raw.push_str(word);
}

/// The first `=` that is neither the first character nor escaped.
fn equals(word: &str) -> Option<usize> {
    let bytes = word.as_bytes();
    (1..bytes.len()).find(|&at| bytes[at] == b'=' && bytes[at - 1] != b'\\')
}

fn unquote(text: &str) -> &str {
    let bytes = text.as_bytes();
    match bytes {
        [first @ (b'"' | b'\''), middle @ .., last] if first == last && middle.last() != Some(&b'\\') => {
            &text[1..text.len() - 1]
        }
        _ => text,
    }
}

/// Python's escapes (`\n`, `\t`, `\x41`, `\u00e9`, …) that Ansible resolves in this form.
fn decode(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (text, length) = escape(&rest[1..]);
        match text {
            Some(c) => {
                out.push(c);
                rest = &rest[1 + length..];
            }
            None => {
                out.push('\\');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn escape(after: &str) -> (Option<char>, usize) {
    let hex = |digits: usize| {
        let code = after.get(1..1 + digits).and_then(|text| u32::from_str_radix(text, 16).ok());
        (code.and_then(char::from_u32), 1 + digits)
    };
    match after.as_bytes().first() {
        Some(b'\\') => (Some('\\'), 1),
        Some(b'\'') => (Some('\''), 1),
        Some(b'"') => (Some('"'), 1),
        Some(b'a') => (Some('\x07'), 1),
        Some(b'b') => (Some('\x08'), 1),
        Some(b'f') => (Some('\x0c'), 1),
        Some(b'n') => (Some('\n'), 1),
        Some(b'r') => (Some('\r'), 1),
        Some(b't') => (Some('\t'), 1),
        Some(b'v') => (Some('\x0b'), 1),
        Some(b'x') => hex(2),
        Some(b'u') => hex(4),
        Some(b'U') => hex(8),
        _ => (None, 0),
    }
}

/// Where the splitter stands.
#[derive(Default)]
struct State {
    quote: Option<char>,
    // Depths of `{{ }}`, `{% %}` and `{# #}`.
    depth: [usize; 3],
}

impl State {
    fn is_open(&self) -> bool {
        self.quote.is_some() || self.is_in_template()
    }

    fn is_in_template(&self) -> bool {
        self.depth.iter().any(|depth| *depth > 0)
    }

    fn read(&mut self, token: &str) {
        let mut before = '\0';
        for c in token.chars() {
            if (c == '"' || c == '\'') && before != '\\' {
                match self.quote {
                    Some(open) if open == c => self.quote = None,
                    Some(_) => {}
                    None => self.quote = Some(c),
                }
            }
            before = c;
        }
        for (depth, (open, close)) in self.depth.iter_mut().zip([("{{", "}}"), ("{%", "%}"), ("{#", "#}")]) {
            let opened = token.matches(open).count();
            let closed = token.matches(close).count();
            *depth = (*depth + opened).saturating_sub(closed);
        }
    }
}

/// Splits at spaces and newlines outside quotes and templates. Runs of spaces and newlines stay at the end of the word
/// before, so that joining the words gives the text again.
pub(crate) fn split(text: &str) -> Result<Vec<String>, Unbalanced> {
    let mut words: Vec<String> = Vec::new();
    let mut state = State::default();
    if text.is_empty() {
        return Ok(words);
    }
    let last_line = text.matches('\n').count();
    for (number, line) in text.split('\n').enumerate() {
        let mut continued = false;
        for (index, token) in line.split(' ').enumerate() {
            if token.is_empty() && index != 0 {
                last(&mut words).push(' ');
                continue;
            }
            if token == "\\" && state.quote.is_none() {
                continued = true;
                continue;
            }
            let was_open = state.is_open();
            state.read(token);
            if was_open {
                if index > 0 {
                    last(&mut words).push(' ');
                }
                last(&mut words).push_str(token);
            } else if !token.is_empty() {
                words.push(token.to_owned());
            }
        }
        if number != last_line && !continued {
            last(&mut words).push('\n');
        }
    }
    if state.is_open() { Err(Unbalanced) } else { Ok(words) }
}

fn last(words: &mut Vec<String>) -> &mut String {
    if words.is_empty() {
        words.push(String::new());
    }
    let index = words.len() - 1;
    &mut words[index]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        parse(text, false).unwrap().pairs
    }

    #[test]
    fn pairs_are_unquoted_and_keep_templates_whole() {
        assert_eq!(
            pairs(r#"src=a dest="b c" mode={{ m | default('0644') }} x='y'"#),
            [("src", "a"), ("dest", "b c"), ("mode", "{{ m | default('0644') }}"), ("x", "y")]
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
        );
    }

    #[test]
    fn a_command_keeps_its_text() {
        let found = parse("A=1  make -j 2  creates=/tmp/x", true).unwrap();
        assert_eq!(found.raw, "A=1  make -j 2 ");
        assert_eq!(found.pairs, [("creates".to_owned(), "/tmp/x".to_owned())]);
    }

    #[test]
    fn lines_of_a_shell_command_survive() {
        let found = parse("set -e\nif true; then\n  echo \"a  b\"\nfi\n", true).unwrap();
        assert_eq!(found.raw, "set -e\nif true; then\n  echo \"a  b\"\nfi\n");
    }

    #[test]
    fn open_quotes_and_braces_are_refused() {
        assert_eq!(parse("echo 'a", true), Err(Unbalanced));
        assert_eq!(parse("msg={{ a", false), Err(Unbalanced));
    }

    #[test]
    fn escapes_are_resolved_in_pairs_only() {
        assert_eq!(pairs(r"line=a\tb"), [("line".to_owned(), "a\tb".to_owned())]);
        assert_eq!(parse(r"printf 'a\tb'", true).unwrap().raw, r"printf 'a\tb'");
        assert_eq!(parse(r"a\=b", false).unwrap().raw, "a=b");
    }

    /// Random texts, with what ansible-core made of them (`null`: it refused).
    #[test]
    fn texts_are_taken_apart_as_ansible_does() {
        type Case = (String, bool, Option<serde_json::Map<String, serde_json::Value>>);
        let cases: Vec<Case> = serde_json::from_str(include_str!("../../tests/playbook/free_form.json")).unwrap();
        for (text, command, expected) in cases {
            let found = parse(&text, command).ok().map(|found| {
                let raw = (!found.raw.is_empty()).then(|| ("_raw_params".to_owned(), found.raw));
                found.pairs.into_iter().chain(raw).map(|(key, value)| (key, value.into())).collect()
            });
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
