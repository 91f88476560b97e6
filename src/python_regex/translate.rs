//! From Python's pattern language to that of `fancy-regex`. All flags are resolved here, so the result needs none but
//! those that it sets itself.

use super::Flags;

/// Translates a pattern; the error is about the pattern.
pub fn translate(pattern: &str, flags: Flags) -> Result<String, String> {
    let mut reader = Reader { letters: pattern.chars().collect(), at: 0, out: String::new(), flags };
    reader.flags = reader.global_flags(flags)?;
    let ignore_case = reader.flags.ignore_case;
    reader.alternatives()?;
    if reader.at < reader.letters.len() {
        return Err(format!("unbalanced parenthesis at position {}", reader.at));
    }
    Ok(if ignore_case { format!("(?i:{})", reader.out) } else { reader.out })
}

/// The flags that a pattern sets at its start; none where it is malformed.
pub fn leading(pattern: &str) -> Flags {
    let flags = Flags::default();
    let mut reader = Reader { letters: pattern.chars().collect(), at: 0, out: String::new(), flags };
    reader.global_flags(flags).unwrap_or_default()
}

struct Reader {
    letters: Vec<char>,
    at: usize,
    out: String,
    flags: Flags,
}

/// What was read last, for what may stand behind it.
#[derive(Clone, Copy, PartialEq)]
enum Item {
    Nothing,
    Atom,
    Repeat,
}

/// One member of a set.
enum Member {
    Letter(char),
    Class(&'static str),
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.letters.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.peek(0);
        self.at += usize::from(letter.is_some());
        letter
    }

    fn looks_at(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, letter)| self.peek(ahead) == Some(letter))
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.looks_at(text);
        if found {
            self.at += text.chars().count();
        }
        found
    }

    /// Up to `end`, which is read too.
    fn until(&mut self, end: char, missing: &str) -> Result<String, String> {
        let rest = &self.letters[self.at..];
        let length = rest.iter().position(|letter| *letter == end).ok_or_else(|| missing.to_owned())?;
        let text = rest[..length].iter().collect();
        self.at += length + 1;
        Ok(text)
    }

    /// `(?im)` at the start, which holds for all.
    fn global_flags(&mut self, mut flags: Flags) -> Result<Flags, String> {
        while self.looks_at("(?") && self.peek(2).is_some_and(|letter| letter.is_ascii_alphabetic() && letter != 'P') {
            let rest = &self.letters[self.at + 2..];
            let end = rest.iter().position(|letter| !letter.is_ascii_alphabetic()).unwrap_or(rest.len());
            if rest.get(end) != Some(&')') {
                break;
            }
            for letter in rest[..end].iter().copied() {
                set(&mut flags, letter, true)?;
            }
            self.at += end + 3;
        }
        Ok(flags)
    }

    fn alternatives(&mut self) -> Result<(), String> {
        let mut last = Item::Nothing;
        while let Some(letter) = self.peek(0) {
            match letter {
                ')' => return Ok(()),
                '|' => {
                    self.at += 1;
                    self.out.push('|');
                    last = Item::Nothing;
                }
                '#' if self.flags.verbose => {
                    let _ = self.until('\n', "").map_err(|_| self.at = self.letters.len());
                }
                letter if self.flags.verbose && letter.is_ascii_whitespace() => self.at += 1,
                _ if self.looks_at("(?#") => drop(self.until(')', "missing ), unterminated comment")?),
                _ => last = self.item(last)?,
            }
        }
        Ok(())
    }

    fn item(&mut self, last: Item) -> Result<Item, String> {
        let at = self.at;
        if self.repetition()? {
            return match last {
                Item::Atom => Ok(Item::Repeat),
                Item::Repeat => Err(format!("multiple repeat at position {at}")),
                Item::Nothing => Err(format!("nothing to repeat at position {at}")),
            };
        }
        match self.next() {
            Some('(') => self.group(at)?,
            Some('[') => self.set(at)?,
            Some('\\') => self.escape(at)?,
            Some('.') => self.out.push_str(if self.flags.dot_all { "(?s:.)" } else { "." }),
            Some('^') => self.out.push_str(if self.flags.multiline { "(?m:^)" } else { r"\A" }),
            Some('$') => self.out.push_str(if self.flags.multiline { "(?m:$)" } else { r"(?=\n?\z)" }),
            Some(letter) => self.literal(letter),
            None => {}
        }
        Ok(Item::Atom)
    }

    /// A repetition with its `?` or `+`, if one stands here.
    fn repetition(&mut self) -> Result<bool, String> {
        match self.peek(0) {
            Some(letter @ ('*' | '+' | '?')) => {
                self.at += 1;
                self.out.push(letter);
            }
            Some('{') => match self.count()? {
                Some(count) => self.out.push_str(&count),
                None => return Ok(false),
            },
            _ => return Ok(false),
        }
        if let Some(letter @ ('?' | '+')) = self.peek(0) {
            self.at += 1;
            self.out.push(letter);
        }
        Ok(true)
    }

    /// `{2}`, `{2,}`, `{,3}`; other braces mean themselves.
    fn count(&mut self) -> Result<Option<String>, String> {
        let rest = &self.letters[self.at + 1..];
        let Some(end) = rest.iter().position(|letter| *letter == '}') else { return Ok(None) };
        let inner: String = rest[..end].iter().collect();
        let (low, high) = inner.split_once(',').unwrap_or((&inner, &inner));
        let is_count = |text: &str| text.chars().all(|letter| letter.is_ascii_digit());
        if inner.is_empty() || !is_count(low) || !is_count(high) {
            return Ok(None);
        }
        let number = |text: &str| text.parse::<u32>().map_err(|_| "the repetition number is too large".to_owned());
        if !low.is_empty() && !high.is_empty() && number(low)? > number(high)? {
            return Err("min repeat greater than max repeat".to_owned());
        }
        self.at += end + 2;
        let low = if low.is_empty() { "0" } else { low };
        Ok(Some(if inner.contains(',') { format!("{{{low},{high}}}") } else { format!("{{{low}}}") }))
    }

    fn literal(&mut self, letter: char) {
        match letter {
            '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' => {
                self.out.push('\\');
                self.out.push(letter);
            }
            // Python's bytes and ASCII patterns fold the case of ASCII letters only.
            'k' | 'K' | 's' | 'S' if self.flags.ascii && self.flags.ignore_case => {
                let pair = [letter.to_ascii_lowercase(), letter.to_ascii_uppercase()];
                self.out.push_str(&format!("(?-i:[{}{}])", pair[0], pair[1]));
            }
            letter if self.flags.ascii && self.flags.ignore_case && !letter.is_ascii() => {
                self.out.push_str(&format!("(?-i:{letter})"));
            }
            letter => self.out.push(letter),
        }
    }

    fn group(&mut self, start: usize) -> Result<(), String> {
        let unclosed = format!("missing ), unterminated subpattern at position {start}");
        let outer = self.flags;
        if !self.take("?") {
            self.out.push('(');
        } else if self.take("P<") {
            let name = self.until('>', "missing >, unterminated name")?;
            self.out.push_str(&format!("(?P<{}>", identifier(&name)?));
        } else if self.take("P=") {
            let name = self.until(')', "missing ), unterminated name")?;
            self.out.push_str(&format!("(?P={})", identifier(&name)?));
            return Ok(());
        } else if self.take("(") {
            let name = self.until(')', "missing ), unterminated name")?;
            let is_number = name.chars().all(|letter| letter.is_ascii_digit()) && !name.is_empty();
            let condition = if is_number { name } else { format!("<{}>", identifier(&name)?) };
            self.out.push_str(&format!("(?({condition})"));
        } else if let Some(kind) = [":", "=", "!", "<=", "<!", ">"].into_iter().find(|kind| self.take(kind)) {
            self.out.push_str(&format!("(?{kind}"));
        } else {
            self.local_flags(start)?;
        }
        self.alternatives()?;
        self.flags = outer;
        if self.next() != Some(')') {
            return Err(unclosed);
        }
        self.out.push(')');
        Ok(())
    }

    /// `i-m:` behind `(?`.
    fn local_flags(&mut self, start: usize) -> Result<(), String> {
        let (mut on, mut first) = (true, true);
        let before = self.flags;
        loop {
            match self.next() {
                Some(':') if !first => break,
                Some('-') if on => on = false,
                Some(')') if !first => {
                    return Err(format!("global flags not at the start of the expression at position {start}"));
                }
                Some(letter) if letter.is_ascii_alphabetic() && "aiLmsux".contains(letter) => {
                    set(&mut self.flags, letter, on)?;
                }
                Some(letter) => {
                    let next = self.peek(0).filter(|_| letter == '<').map_or(String::new(), String::from);
                    return Err(format!("unknown extension ?{letter}{next} at position {start}"));
                }
                None => return Err(format!("missing ), unterminated subpattern at position {start}")),
            }
            first = false;
        }
        self.out.push_str(match (before.ignore_case, self.flags.ignore_case) {
            (false, true) => "(?i:",
            (true, false) => "(?-i:",
            _ => "(?:",
        });
        Ok(())
    }

    fn escape(&mut self, start: usize) -> Result<(), String> {
        let letter = self.peek(0).ok_or("bad escape (end of pattern)")?;
        let ascii = self.flags.ascii;
        let word = "[0-9A-Za-z_]";
        let text = match letter {
            'A' => r"\A".to_owned(),
            'Z' | 'z' => r"\z".to_owned(),
            'b' if ascii => format!("(?:(?<={word})(?!{word})|(?<!{word})(?={word}))"),
            'B' if ascii => format!("(?:(?<={word})(?={word})|(?<!{word})(?!{word}))"),
            'b' => r"\b".to_owned(),
            'B' => r"\B".to_owned(),
            '1'..='9' => match self.octal(3) {
                Some(letter) => {
                    self.literal(letter);
                    return Ok(());
                }
                None => {
                    let width = if self.peek(1).is_some_and(|letter| letter.is_ascii_digit()) { 2 } else { 1 };
                    let number: String = self.letters[self.at..self.at + width].iter().collect();
                    self.at += width;
                    self.out.push_str(&format!(r"(?:\{number})"));
                    return Ok(());
                }
            },
            _ => {
                match self.member_escape(start)? {
                    Member::Letter(letter) => self.literal(letter),
                    Member::Class(class) => self.out.push_str(&format!("[{class}]")),
                }
                return Ok(());
            }
        };
        self.at += 1;
        self.out.push_str(&text);
        Ok(())
    }

    /// An octal number of exactly `width` digits.
    fn octal(&mut self, width: usize) -> Option<char> {
        let digits: String = self.letters.get(self.at..self.at + width)?.iter().collect();
        let code = u32::from_str_radix(&digits, 8).ok().filter(|code| *code <= 0o377)?;
        self.at += width;
        char::from_u32(code)
    }

    /// An escape that may also stand in a set.
    fn member_escape(&mut self, start: usize) -> Result<Member, String> {
        let letter = self.next().ok_or("bad escape (end of pattern)")?;
        let ascii = self.flags.ascii;
        Ok(match letter {
            'd' => Member::Class(if ascii { "0-9" } else { r"\d" }),
            'D' => Member::Class(if ascii { "[^0-9]" } else { r"\D" }),
            'w' => Member::Class(if ascii { "0-9A-Za-z_" } else { r"\w" }),
            'W' => Member::Class(if ascii { "[^0-9A-Za-z_]" } else { r"\W" }),
            's' => Member::Class(if ascii { r"\t\n\x0b\x0c\r " } else { r"\s\x1c-\x1f" }),
            'S' => Member::Class(if ascii { r"[^\t\n\x0b\x0c\r ]" } else { r"[^\s\x1c-\x1f]" }),
            'a' => Member::Letter('\x07'),
            'f' => Member::Letter('\x0c'),
            'n' => Member::Letter('\n'),
            'r' => Member::Letter('\r'),
            't' => Member::Letter('\t'),
            'v' => Member::Letter('\x0b'),
            'x' => Member::Letter(self.hex(2, start)?),
            'u' => Member::Letter(self.hex(4, start)?),
            'U' => Member::Letter(self.hex(8, start)?),
            '0'..='7' => {
                self.at -= 1;
                let width = (1..=3).rev().find(|width| {
                    let digits = self.letters.get(self.at..self.at + width);
                    digits.is_some_and(|digits| digits.iter().all(|digit| ('0'..='7').contains(digit)))
                });
                let octal = width.and_then(|width| self.octal(width));
                Member::Letter(octal.ok_or_else(|| format!("octal escape beyond \\377 at position {start}"))?)
            }
            letter if letter.is_ascii_alphanumeric() => {
                return Err(format!("bad escape \\{letter} at position {start}"));
            }
            letter => Member::Letter(letter),
        })
    }

    fn hex(&mut self, width: usize, start: usize) -> Result<char, String> {
        let digits: String = self.letters[self.at..].iter().take(width).collect();
        let is_whole = digits.len() == width && digits.chars().all(|digit| digit.is_ascii_hexdigit());
        let code = u32::from_str_radix(&digits, 16).ok().filter(|_| is_whole);
        self.at += width.min(digits.chars().count());
        code.and_then(char::from_u32).ok_or_else(|| format!("incomplete escape at position {start}"))
    }

    fn set(&mut self, start: usize) -> Result<(), String> {
        let unclosed = || format!("unterminated character set at position {start}");
        self.out.push('[');
        if self.take("^") {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            if self.peek(0) == Some(']') && !first {
                self.at += 1;
                break;
            }
            first = false;
            let low = self.member().ok_or_else(unclosed)??;
            let is_range = self.peek(0) == Some('-') && !matches!(self.peek(1), Some(']') | None);
            if !is_range {
                self.push_member(&low);
                continue;
            }
            self.at += 1;
            let high = self.member().ok_or_else(unclosed)??;
            match (low, high) {
                (Member::Letter(low), Member::Letter(high)) if low <= high => {
                    self.push_member(&Member::Letter(low));
                    self.out.push('-');
                    self.push_member(&Member::Letter(high));
                }
                (Member::Letter(low), Member::Letter(high)) => return Err(format!("bad character range {low}-{high}")),
                _ => return Err(format!("bad character range at position {start}")),
            }
        }
        self.out.push(']');
        Ok(())
    }

    /// The next member of a set; `None` at the end of the pattern.
    fn member(&mut self) -> Option<Result<Member, String>> {
        let start = self.at;
        match self.next()? {
            '\\' if self.peek(0) == Some('b') => {
                self.at += 1;
                Some(Ok(Member::Letter('\x08')))
            }
            '\\' => Some(self.member_escape(start)),
            letter => Some(Ok(Member::Letter(letter))),
        }
    }

    fn push_member(&mut self, member: &Member) {
        match member {
            Member::Class(class) => self.out.push_str(class),
            Member::Letter(letter) => {
                if "\\[]^-&~".contains(*letter) {
                    self.out.push('\\');
                }
                self.out.push(*letter);
            }
        }
    }
}

fn set(flags: &mut Flags, letter: char, on: bool) -> Result<(), String> {
    match letter {
        'i' => flags.ignore_case = on,
        'm' => flags.multiline = on,
        's' => flags.dot_all = on,
        'x' => flags.verbose = on,
        'a' => flags.ascii = on,
        'u' => flags.ascii = !on,
        'L' => return Err("cannot use LOCALE flag with a str pattern".to_owned()),
        letter => return Err(format!("unknown flag {letter}")),
    }
    Ok(())
}

fn identifier(name: &str) -> Result<&str, String> {
    let starts_well = name.chars().next().is_some_and(|letter| letter.is_alphabetic() || letter == '_');
    match starts_well && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_') {
        true => Ok(name),
        false => Err(format!("bad character in group name `{name}`")),
    }
}
