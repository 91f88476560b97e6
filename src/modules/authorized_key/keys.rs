//! The lines of `authorized_keys`: options, kind, data, comment.

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// A key.
    Key(Key),
    /// A comment, an empty line, or anything else; kept as it is.
    Other(String),
}

/// A public key.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// What stands before it, in order.
    pub options: Vec<(String, Option<String>)>,
    /// `ssh-ed25519` and its like.
    pub kind: String,
    /// The key itself, in base64. It identifies the line.
    pub data: String,
    /// What stands behind it.
    pub comment: String,
    /// The line as it stood in the file.
    line: Option<String>,
}

impl Line {
    /// Reads a line.
    pub fn parse(line: &str) -> Line {
        let other = || Line::Other(line.to_owned());
        let words: Vec<&str> = line.split_whitespace().collect();
        if line.trim_start().starts_with('#') {
            return other();
        }
        let Some(at) = words.iter().position(|word| is_kind(word)) else { return other() };
        let Some(data) = words.get(at + 1) else { return other() };
        Line::Key(Key {
            options: options(&words[..at].join(" ")),
            kind: words[at].to_owned(),
            data: (*data).to_owned(),
            comment: words[at + 2..].join(" "),
            line: Some(line.to_owned()),
        })
    }

    /// Whether it is a key with this data.
    pub fn has(&self, data: &str) -> bool {
        matches!(self, Line::Key(key) if key.data == data)
    }
}

impl Key {
    /// The same key, to be written anew from its parts.
    pub fn anew(self) -> Key {
        Key { line: None, ..self }
    }

    /// Whether both say the same; the order of options means nothing.
    pub fn same(&self, other: &Key) -> bool {
        let sorted = |key: &Key| {
            let mut options = key.options.clone();
            options.sort();
            options
        };
        self.kind == other.kind && self.comment == other.comment && sorted(self) == sorted(other)
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Line::Other(line) => f.write_str(line),
            Line::Key(key) => key.fmt(f),
        }
    }
}

/// As Ansible writes it: with a blank behind the data even where there is no comment.
impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        if let Some(line) = &self.line {
            return f.write_str(line);
        }
        let option = |(name, value): &(String, Option<String>)| match value {
            Some(value) => format!("{name}={value}"),
            None => name.clone(),
        };
        let options = self.options.iter().map(option).collect::<Vec<_>>().join(",");
        let blank = if options.is_empty() { "" } else { " " };
        write!(f, "{options}{blank}{} {} {}", self.kind, self.data, self.comment)
    }
}

/// Options between commas; commas in quotes do not separate.
pub fn options(text: &str) -> Vec<(String, Option<String>)> {
    let mut parts = vec![String::new()];
    let mut quote = None;
    for letter in text.chars() {
        match (letter, quote) {
            (',', None) => {
                parts.push(String::new());
                continue;
            }
            ('"' | '\'', None) => quote = Some(letter),
            (_, Some(open)) if open == letter => quote = None,
            _ => {}
        }
        parts.last_mut().expect("it starts with one").push(letter);
    }
    let parts = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty());
    parts
        .map(|part| match part.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (part.to_owned(), None),
        })
        .collect()
}

/// Whether a word names a kind of key, also of a certificate or a key on a token.
fn is_kind(word: &str) -> bool {
    let word = word.strip_suffix("@openssh.com").unwrap_or(word);
    let word = word.strip_suffix("-v01").and_then(|word| word.strip_suffix("-cert")).unwrap_or(word);
    let word = word.strip_prefix("webauthn-").unwrap_or(word);
    let word = word.strip_prefix("sk-").unwrap_or(word);
    matches!(
        word,
        "ssh-ed25519"
            | "ssh-rsa"
            | "ssh-dss"
            | "ssh-xmss"
            | "rsa-sha2-256"
            | "rsa-sha2-512"
            | "ecdsa-sha2-nistp256"
            | "ecdsa-sha2-nistp384"
            | "ecdsa-sha2-nistp521"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_options_kind_data_and_comment() {
        let line = r#"from="10.0.0.1,10.0.0.2",command="echo a b",no-pty ssh-ed25519 AAAA me at home"#;
        let Line::Key(key) = Line::parse(line) else { panic!("it is a key") };
        assert_eq!(key.options.len(), 3);
        assert_eq!(key.options[0], ("from".into(), Some("\"10.0.0.1,10.0.0.2\"".into())));
        assert_eq!((key.kind.as_str(), key.data.as_str(), key.comment.as_str()), ("ssh-ed25519", "AAAA", "me at home"));
        assert_eq!(key.to_string(), line);
        let bare = Key { options: Vec::new(), comment: String::new(), ..key.anew() };
        assert_eq!(bare.to_string(), "ssh-ed25519 AAAA ");
    }

    #[test]
    fn what_is_no_key_is_kept() {
        for line in ["", "# ssh-rsa AAAA", "nonsense", "ssh-rsa"] {
            assert_eq!(Line::parse(line), Line::Other(line.into()));
        }
        assert!(is_kind("sk-ssh-ed25519@openssh.com") && is_kind("ssh-rsa-cert-v01@openssh.com"));
    }
}
