//! Values of INI inventories: Python literals where they are some, text otherwise.

use crate::value::{Map, Value};

/// `5`, `True`, `'text'`, `[1, 2]`, `{'a': 1}` as Python would read them; anything else, `true` and `0644` too, is text.
pub(super) fn value(text: &str) -> Value {
    let mut reader = Reader { text, at: 0 };
    match reader.whole() {
        Some(value) => value,
        None => Value::Str(text.to_owned()),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn whole(&mut self) -> Option<Value> {
        // Several values side by side are a tuple.
        let first = self.value(0)?;
        let mut items = vec![first];
        let mut tuple = false;
        while self.take(',') {
            tuple = true;
            if self.peek().is_none() {
                break;
            }
            items.push(self.value(0)?);
        }
        let value = if tuple { Value::List(items) } else { items.pop()? };
        self.peek().is_none().then_some(value)
    }

    /// The next character behind spaces and comments.
    fn peek(&mut self) -> Option<char> {
        loop {
            let rest = &self.text[self.at..];
            match rest.chars().next()? {
                ' ' | '\t' | '\u{c}' => self.at += 1,
                '#' => self.at = self.text.len(),
                letter => return Some(letter),
            }
        }
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += if found { wanted.len_utf8() } else { 0 };
        found
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > 50 {
            return None;
        }
        match self.peek()? {
            '[' => self.items('[', ']', depth).map(|(items, _)| Value::List(items)),
            '(' => {
                let (mut items, comma) = self.items('(', ')', depth)?;
                if items.len() == 1 && !comma { items.pop() } else { Some(Value::List(items)) }
            }
            '{' => self.braces(depth),
            '\'' | '"' => self.strings(),
            '-' => {
                self.at += 1;
                self.peek();
                match self.number()? {
                    Value::Int(number) => Some(Value::Int(-number)),
                    Value::Float(number) => Some(Value::Float(-number)),
                    _ => None,
                }
            }
            '+' => {
                self.at += 1;
                self.peek();
                self.number()
            }
            letter if letter.is_ascii_digit() || letter == '.' => self.number(),
            _ => self.word(),
        }
    }

    /// Items between brackets, and whether a comma stood among them.
    fn items(&mut self, open: char, close: char, depth: usize) -> Option<(Vec<Value>, bool)> {
        self.take(open);
        let (mut items, mut comma) = (Vec::new(), false);
        while !self.take(close) {
            if !items.is_empty() && !self.take(',') {
                return None;
            }
            comma |= !items.is_empty();
            if self.take(close) {
                break;
            }
            items.push(self.value(depth + 1)?);
        }
        Some((items, comma))
    }

    /// A dictionary, or a set, which becomes a list.
    fn braces(&mut self, depth: usize) -> Option<Value> {
        self.take('{');
        let (mut map, mut set) = (Map::new(), Vec::new());
        let mut first = true;
        while !self.take('}') {
            if !first && !self.take(',') {
                return None;
            }
            if self.take('}') {
                break;
            }
            let key = self.value(depth + 1)?;
            if self.take(':') {
                let value = self.value(depth + 1)?;
                map.insert(key_text(key)?, value);
            } else if !set.contains(&key) {
                set.push(key);
            }
            first = false;
        }
        match (map.is_empty(), set.is_empty()) {
            (false, false) => None,
            (_, true) => Some(Value::Map(map)),
            _ => Some(Value::List(set)),
        }
    }

    fn word(&mut self) -> Option<Value> {
        let rest = &self.text[self.at..];
        let length = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
        let word = &rest[..length];
        if matches!(rest[length..].chars().next(), Some('\'' | '"')) {
            return self.strings();
        }
        self.at += length;
        match word {
            "None" => Some(Value::Null),
            "True" => Some(Value::Bool(true)),
            "False" => Some(Value::Bool(false)),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<Value> {
        let rest = &self.text[self.at..];
        let hexadecimal = rest.starts_with("0x") || rest.starts_with("0X");
        let mut previous = ' ';
        let mut inside = |letter: char| {
            let exponent = matches!(previous, 'e' | 'E') && !hexadecimal && matches!(letter, '+' | '-');
            previous = letter;
            letter.is_alphanumeric() || letter == '_' || letter == '.' || exponent
        };
        let length = rest.find(|letter| !inside(letter)).unwrap_or(rest.len());
        self.at += length;
        number(&rest[..length])
    }

    /// One string or several side by side, which are joined.
    fn strings(&mut self) -> Option<Value> {
        let mut text = String::new();
        loop {
            self.string(&mut text)?;
            match self.peek() {
                Some('\'' | '"' | 'r' | 'R' | 'u' | 'U' | 'b' | 'B') => {}
                _ => return Some(Value::Str(text)),
            }
        }
    }

    fn string(&mut self, out: &mut String) -> Option<()> {
        let rest = &self.text[self.at..];
        let prefix = rest.find(['\'', '"'])?;
        let raw = match rest[..prefix].to_ascii_lowercase().as_str() {
            "" | "u" | "b" => false,
            "r" | "br" | "rb" => true,
            _ => return None,
        };
        let quote = &rest[prefix..=prefix];
        let triple = quote.repeat(3);
        let end = if rest[prefix..].starts_with(&triple) { triple.as_str() } else { quote };
        let mut at = prefix + end.len();
        while !rest[at..].starts_with(end) {
            let letter = rest[at..].chars().next()?;
            at += letter.len_utf8();
            if letter != '\\' {
                out.push(letter);
                continue;
            }
            let next = rest[at..].chars().next()?;
            if raw {
                out.push('\\');
                out.push(next);
                at += next.len_utf8();
            } else {
                at += escape(&rest[at..], next, out)?;
            }
        }
        self.at += at + end.len();
        Some(())
    }
}

/// Writes what the escape `\next…` stands for and returns its length without the backslash.
fn escape(rest: &str, next: char, out: &mut String) -> Option<usize> {
    let code = |digits: usize| {
        let code = u32::from_str_radix(rest.get(1..1 + digits)?, 16).ok()?;
        Some((char::from_u32(code)?, 1 + digits))
    };
    let (letter, length) = match next {
        'n' => ('\n', 1),
        't' => ('\t', 1),
        'r' => ('\r', 1),
        'a' => ('\u{7}', 1),
        'b' => ('\u{8}', 1),
        'f' => ('\u{c}', 1),
        'v' => ('\u{b}', 1),
        '\\' | '\'' | '"' => (next, 1),
        'x' => code(2)?,
        'u' => code(4)?,
        'U' => code(8)?,
        '0'..='7' => {
            let digits = rest.bytes().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
            (char::from_u32(u32::from_str_radix(&rest[..digits], 8).ok()?)?, digits)
        }
        other => {
            out.push('\\');
            (other, other.len_utf8())
        }
    };
    out.push(letter);
    Some(length)
}

fn number(text: &str) -> Option<Value> {
    if text.starts_with('_') || text.ends_with('_') || text.contains("__") {
        return None;
    }
    let clean = text.replace('_', "").to_ascii_lowercase();
    let radix = |prefix: &str, radix| i64::from_str_radix(clean.strip_prefix(prefix)?, radix).ok();
    if let Some(number) = radix("0x", 16).or_else(|| radix("0o", 8)).or_else(|| radix("0b", 2)) {
        return Some(Value::Int(number));
    }
    if clean.bytes().all(|byte| byte.is_ascii_digit()) {
        let number = clean.parse().ok()?;
        // `0644` is no Python.
        return (number == 0 || !clean.starts_with('0')).then_some(Value::Int(number));
    }
    let fits = clean.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'+' | b'-'));
    fits.then(|| clean.parse().ok().map(Value::Float)).flatten()
}

/// A key of a dictionary as text, as the YAML reader makes it.
fn key_text(key: Value) -> Option<String> {
    Some(match key {
        Value::Str(text) => text,
        Value::Int(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Bool(flag) => String::from(if flag { "True" } else { "False" }),
        Value::Null => String::from("None"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::value;

    /// What it is, as JSON.
    fn json(text: &str) -> String {
        value(text).to_json().to_string()
    }

    #[test]
    fn literals() {
        for (text, expected) in [
            ("5", "5"),
            ("-5", "-5"),
            ("+5", "5"),
            ("0", "0"),
            ("00", "0"),
            ("1_000", "1000"),
            ("0x1F", "31"),
            ("0o644", "420"),
            ("1.5", "1.5"),
            ("1e3", "1000.0"),
            ("1.", "1.0"),
            (".5", "0.5"),
            ("-1E-2", "-0.01"),
            ("True", "true"),
            ("None", "null"),
            ("'it''s'", r#""its""#),
            (r#""a\tb\x41\u00fc""#, r#""a\tbAü""#),
            (r"r'a\d'", r#""a\\d""#),
            (r"'a\d'", r#""a\\d""#),
            ("'''x'''", r#""x""#),
            ("[1, 'a', [], [True,]]", r#"[1,"a",[],[true]]"#),
            ("(1, 2)", "[1,2]"),
            ("(1)", "1"),
            ("1, 2", "[1,2]"),
            ("{'a': {'b': None}, 1: 2}", r#"{"a":{"b":null},"1":2}"#),
            ("{1, 2, 1}", "[1,2]"),
            ("1 # why", "1"),
        ] {
            assert_eq!(json(text), expected, "{text}");
        }
    }

    #[test]
    fn everything_else_is_text() {
        for text in [
            "",
            "0644",
            "true",
            "yes",
            "null",
            "a b",
            "1.2.3",
            "10.0.0.1",
            "1a",
            "'open",
            "[1, 2",
            "{a: 1}",
            "[a]",
            "{{ x }}",
            "1 2",
            "99999999999999999999",
            "1__0",
            "-x",
            "--1",
            "0x",
            "f'x'",
            "é",
            "a'b",
            "[1 2]",
            "{'a' 1}",
        ] {
            assert_eq!(value(text).as_str(), Some(text));
        }
    }
}
