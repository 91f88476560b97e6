//! Small helpers that build what people read, and that make foreign text harmless.

use std::borrow::Cow;
use std::time::Duration;

use crate::value::Value;

/// Makes text safe for a terminal: control characters, and those that turn the direction of writing, become visible
/// signs. Newlines and tabs stay.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if is_unsafe(c) { sign(c) } else { c }).collect())
}

fn is_unsafe(c: char) -> bool {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}');
    turns || (c.is_control() && c != '\n' && c != '\t')
}

/// The picture of a control character (`␛` for escape); the replacement character for all others.
fn sign(c: char) -> char {
    match c as u32 {
        code @ 0..0x20 => char::from_u32(0x2400 + code).unwrap_or(char::REPLACEMENT_CHARACTER),
        0x7f => '␡',
        _ => char::REPLACEMENT_CHARACTER,
    }
}

/// What a program printed, as it reads in the end: colours and cursor movements are taken out, and of a line that was
/// written over (a progress bar) the last state is kept. Everything else goes through [`clean`].
pub fn printed(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\u{1b}' => skip_sequence(&mut letters),
            letter => kept.push(letter),
        }
    }
    let lines = kept.split('\n').map(|line| {
        let line = line.trim_end_matches('\r');
        clean(line.rsplit('\r').next().unwrap_or(line))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Leaves out what belongs to an escape that was just read.
fn skip_sequence(letters: &mut std::iter::Peekable<std::str::Chars>) {
    match letters.next() {
        Some('[') => {
            while letters.next_if(|c| ('\u{20}'..='\u{3f}').contains(c)).is_some() {}
            letters.next_if(|c| ('\u{40}'..='\u{7e}').contains(c));
        }
        Some(']') => while !matches!(letters.next(), None | Some('\u{7}' | '\\' | '\n')) {},
        Some(' '..='/') => {
            letters.next_if(|c| *c != '\n');
        }
        _ => {}
    }
}

/// The last `limit` lines, behind a line that says how many were left out.
pub fn tail(text: &str, limit: usize) -> String {
    let text = text.trim_end_matches('\n');
    let count = text.lines().count();
    if count <= limit {
        return text.to_owned();
    }
    let rest: Vec<&str> = text.lines().skip(count - limit).collect();
    format!("… {} above …\n{}", counted(count - limit, "line"), rest.join("\n"))
}

/// Puts `prefix` before each line; ends in a newline unless the text is empty.
pub fn indent(text: &str, prefix: &str) -> String {
    text.lines().flat_map(|line| if line.is_empty() { ["", "", "\n"] } else { [prefix, line, "\n"] }).collect()
}

/// `1 step`, `3 steps`.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// `210 ms`, `2.1 s`, `4:05`, `1:04:05`.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        1..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3600 => format!("{}:{:02}", seconds / 60, seconds % 60),
        _ => format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60),
    }
}

/// A value in one line: text as it is, everything else as JSON.
pub fn inline(value: &Value) -> String {
    let text = match value {
        Value::Str(text) => text.clone(),
        other => other.to_json().to_string(),
    };
    clean(&text).replace('\n', "\\n")
}

/// The label of a loop's item, short enough for its line.
pub fn label(item: &Value) -> String {
    let text = inline(item);
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A value as YAML, without a newline at its end.
pub fn yaml(value: &Value) -> String {
    let text = serde_yaml::to_string(&crate::value::Plain(value)).unwrap_or_else(|error| error.to_string());
    clean(text.trim_end()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_become_visible() {
        assert_eq!(clean("a\u{1b}[2Jb\u{7}\u{7f}\u{9b}c\td\n"), "a␛[2Jb␇␡\u{fffd}c\td\n");
        assert_eq!(clean("if x \u{202e}⟫"), "if x \u{fffd}⟫");
        assert!(matches!(clean("plain\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn printed_text_keeps_the_last_state_of_a_line() {
        assert_eq!(printed("\u{1b}[1;32mok\u{1b}[0m\r\n"), "ok\n");
        assert_eq!(printed("10%\r50%\r100%\ndone"), "100%\ndone");
        assert_eq!(printed("\u{1b}]0;title\u{7}text\u{1b}(B!"), "text!");
        assert_eq!(printed("bell\u{7}"), "bell␇");
        assert_eq!(printed("cut\u{1b}["), "cut");
    }

    #[test]
    fn a_tail_says_what_it_left_out() {
        assert_eq!(tail("a\nb\nc\n", 3), "a\nb\nc");
        assert_eq!(tail("a\nb\nc\n", 2), "… 1 line above …\nb\nc");
    }

    #[test]
    fn durations() {
        for (millis, text) in [(12, "12 ms"), (2100, "2.1 s"), (245_000, "4:05"), (3_845_000, "1:04:05")] {
            assert_eq!(duration(Duration::from_millis(millis)), text);
        }
    }
}
