//! How an encrypted text is written: a line that says what it is, then hexadecimal digits within hexadecimal digits.

use std::fmt;

use super::HEADER;

/// So many letters stand on a line.
const WIDTH: usize = 80;

/// An encrypted text, taken apart.
#[derive(Debug, PartialEq)]
pub struct Envelope {
    /// The name of the password, where there is one.
    pub id: Option<String>,
    /// Makes the keys of each text different.
    pub salt: Vec<u8>,
    /// Proves that the password fits and nothing was changed.
    pub mac: Vec<u8>,
    /// The encrypted content.
    pub content: Vec<u8>,
}

impl Envelope {
    /// Reads a text; blanks around its lines mean nothing, as it may stand indented in YAML.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut lines = text.trim().lines().map(str::trim);
        let first = lines.next().and_then(|first| first.strip_prefix(HEADER));
        let first = first.ok_or_else(|| format!("its first line does not begin with {HEADER}"))?;
        let mut parts = first.split(';').map(str::trim);
        let (version, kind, id) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next());
        if !matches!(version, "1.1" | "1.2") {
            return Err(format!("version {version} is not supported; 1.1 and 1.2 are"));
        }
        if kind != "AES256" {
            return Err(format!("the cipher {kind} is not supported; AES256 is"));
        }
        let inner = unhex(lines.flat_map(str::bytes))?;
        let mut parts = inner.splitn(3, |byte| *byte == b'\n');
        let mut part = || match parts.next() {
            Some(part) => unhex(part.iter().copied()),
            None => Err("it does not have three parts".to_owned()),
        };
        Ok(Envelope {
            salt: part()?,
            mac: part()?,
            content: part()?,
            id: id.filter(|_| version == "1.2").map(str::to_owned),
        })
    }
}

impl fmt::Display for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match &self.id {
            None => writeln!(f, "{HEADER}1.1;AES256")?,
            Some(id) => writeln!(f, "{HEADER}1.2;AES256;{id}")?,
        }
        let inner = [hex(&self.salt), hex(&self.mac), hex(&self.content)].join("\n");
        let outer = hex(inner.as_bytes());
        for at in (0..outer.len()).step_by(WIDTH) {
            writeln!(f, "{}", &outer[at..outer.len().min(at + WIDTH)])?;
        }
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(digits: impl Iterator<Item = u8>) -> Result<Vec<u8>, String> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let digits: Option<Vec<u8>> = digits.filter(|byte| !byte.is_ascii_whitespace()).map(digit).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0).ok_or("it holds more than hexadecimal digits")?;
    Ok(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}
