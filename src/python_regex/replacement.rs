//! What takes the place of a match: `\1`, `\g<name>`, `\n`.

use super::Captures;

/// A replacement, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Replacement(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Group(usize),
}

impl Replacement {
    /// Text that means only itself.
    pub fn literal(text: &str) -> Replacement {
        Replacement(vec![Part::Text(text.to_owned())])
    }

    /// Reads a replacement for a pattern with these groups (the first is the whole match).
    pub fn read(text: &str, groups: &[Option<&str>]) -> Result<Replacement, String> {
        let mut reader = Reader { rest: text, groups, parts: Vec::new() };
        while !reader.rest.is_empty() {
            match reader.rest.strip_prefix('\\') {
                Some(rest) => {
                    reader.rest = rest;
                    reader.escape()?;
                }
                None => {
                    let end = reader.rest.find('\\').unwrap_or(reader.rest.len());
                    reader.text(&reader.rest[..end]);
                    reader.rest = &reader.rest[end..];
                }
            }
        }
        Ok(Replacement(reader.parts))
    }

    /// Writes what replaces this match. A group that took no part in it is empty.
    pub fn expand(&self, captures: &Captures, out: &mut String) {
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Group(number) => out.push_str(captures.get(*number).map_or("", |group| group.as_str())),
            }
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
    groups: &'a [Option<&'a str>],
    parts: Vec<Part>,
}

impl Reader<'_> {
    fn text(&mut self, text: &str) {
        match self.parts.last_mut() {
            Some(Part::Text(last)) => last.push_str(text),
            _ => self.parts.push(Part::Text(text.to_owned())),
        }
    }

    fn group(&mut self, number: usize) -> Result<(), String> {
        if number >= self.groups.len() {
            return Err(format!("there is no group {number}"));
        }
        self.parts.push(Part::Group(number));
        Ok(())
    }

    /// What stands behind a backslash.
    fn escape(&mut self) -> Result<(), String> {
        let letter = self.rest.chars().next().ok_or("it ends in a single backslash")?;
        if letter.is_ascii_digit() {
            return self.number();
        }
        self.rest = &self.rest[letter.len_utf8()..];
        let plain = match letter {
            'g' => return self.named(),
            'a' => "\x07",
            'b' => "\x08",
            'f' => "\x0c",
            'n' => "\n",
            'r' => "\r",
            't' => "\t",
            'v' => "\x0b",
            '\\' => "\\",
            letter if letter.is_ascii_alphabetic() => return Err(format!("bad escape \\{letter}")),
            letter => {
                self.text(&format!("\\{letter}"));
                return Ok(());
            }
        };
        self.text(plain);
        Ok(())
    }

    /// A group's number, or the octal number of a character: three digits, or a zero in front.
    fn number(&mut self) -> Result<(), String> {
        let octal = |text: &str| text.bytes().take_while(|byte| (b'0'..=b'7').contains(byte)).count().min(3);
        let is_octal = self.rest.starts_with('0') || octal(self.rest) == 3;
        let width = match is_octal {
            true => octal(self.rest),
            false => self.rest.bytes().take_while(u8::is_ascii_digit).count().min(2),
        };
        let digits = &self.rest[..width];
        self.rest = &self.rest[width..];
        if !is_octal {
            return self.group(digits.parse().map_err(|_| format!("bad group {digits}"))?);
        }
        let code = u32::from_str_radix(digits, 8).unwrap_or(u32::MAX);
        match char::from_u32(code).filter(|_| code <= 0o377) {
            Some(letter) => self.text(letter.encode_utf8(&mut [0; 4])),
            None => return Err(format!("octal escape \\{digits} is beyond \\377")),
        }
        Ok(())
    }

    /// `<name>` or `<number>` behind `\g`.
    fn named(&mut self) -> Result<(), String> {
        let inner = self.rest.strip_prefix('<').ok_or("missing < behind \\g")?;
        let end = inner.find('>').ok_or("missing > behind \\g<")?;
        let name = &inner[..end];
        self.rest = &inner[end + 1..];
        if let Ok(number) = name.parse() {
            return self.group(number);
        }
        let place = self.groups.iter().position(|group| *group == Some(name));
        self.group(place.ok_or_else(|| format!("there is no group named `{name}`"))?)
    }
}
