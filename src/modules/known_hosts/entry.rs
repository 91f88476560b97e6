//! A line of `known_hosts`.

use std::fmt;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::system::random;

/// What stands before a name that is hidden.
const HASHED: &str = "|1|";

/// A key and whose it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// `@cert-authority` or `@revoked`.
    marker: Option<String>,
    /// Names and patterns with commas between them, or a hidden name.
    hosts: String,
    /// Its type: `ssh-ed25519`.
    pub kind: String,
    key: String,
    /// What stands behind it.
    rest: String,
}

impl Entry {
    /// Reads a line. `None`: it is empty, a comment, or no key.
    pub fn parse(line: &str) -> Option<Entry> {
        let mut words = line.split_whitespace().map(str::to_owned).peekable();
        if words.peek()?.starts_with('#') {
            return None;
        }
        let marker = words.next_if(|word| word.starts_with('@'));
        let (hosts, kind, key) = (words.next()?, words.next()?, words.next()?);
        Some(Entry { marker, hosts, kind, key, rest: words.collect::<Vec<_>>().join(" ") })
    }

    /// Whether SSH takes it for this host's.
    pub fn is_of(&self, host: &str) -> bool {
        if let Some(hidden) = self.hosts.strip_prefix(HASHED) {
            let decoded = |text: &str| STANDARD.decode(text).ok();
            let parts = hidden.split_once('|').and_then(|(salt, hash)| Some((decoded(salt)?, decoded(hash)?)));
            return parts.is_some_and(|(salt, hash)| hash_of(&salt, host) == hash);
        }
        let fits = |pattern: &str| matches(pattern.to_lowercase().as_bytes(), host.as_bytes());
        let mut patterns = self.hosts.split(',');
        patterns.clone().any(&fits) && !patterns.any(|pattern| pattern.strip_prefix('!').is_some_and(&fits))
    }

    /// Whether it may be the key of hosts that are not named.
    pub fn is_pattern(&self) -> bool {
        !self.hosts.starts_with(HASHED) && self.hosts.contains(['*', '?', '!'])
    }

    /// Whether it says the same, whatever stands behind it. Hidden names of one host differ by chance.
    pub fn is_same(&self, other: &Entry) -> bool {
        let hidden = |entry: &Entry| entry.hosts.starts_with(HASHED);
        let hosts = self.hosts == other.hosts || hidden(self) && hidden(other);
        hosts && (&self.marker, &self.kind, &self.key) == (&other.marker, &other.kind, &other.key)
    }

    /// The same with the host's name hidden.
    pub fn hashed(self, host: &str) -> io::Result<Entry> {
        if self.hosts.starts_with(HASHED) {
            return Ok(self);
        }
        let mut salt = [0; 20];
        random::fill(&mut salt)?;
        let hosts = format!("{HASHED}{}|{}", STANDARD.encode(salt), STANDARD.encode(hash_of(&salt, host)));
        Ok(Entry { hosts, ..self })
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [self.marker.as_deref().unwrap_or_default(), &self.hosts, &self.kind, &self.key, &self.rest];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        f.write_str(&words.join(" "))
    }
}

fn hash_of(salt: &[u8], host: &str) -> Vec<u8> {
    let mut mac = <Hmac<Sha1> as KeyInit>::new_from_slice(salt).expect("HMAC takes keys of any length");
    mac.update(host.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Whether a name fits a pattern: `*` is any text, `?` any letter. Brackets stand for themselves (`[host]:port`).
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            (0..=name.len()).any(|taken| rest.first() != Some(&b'*') && matches(rest, &name[taken..]))
                || rest.first() == Some(&b'*') && matches(rest, name)
        }
        (Some((b'?', pattern)), Some((_, name))) => matches(pattern, name),
        (Some((letter, pattern)), Some((other, name))) if letter == other => matches(pattern, name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_a_key_is() {
        let is_of = |hosts: &str, host: &str| Entry::parse(&format!("{hosts} ssh-rsa AAAA")).unwrap().is_of(host);
        assert!(
            is_of("a.org", "a.org") && is_of("b,A.org", "a.org") && is_of("*.org", "a.org") && is_of("?.org", "a.org")
        );
        assert!(!is_of("a.org", "b.org") && !is_of("*.org,!a.org", "a.org") && !is_of("a", "a.org"));
        assert!(is_of("[a.org]:2222", "[a.org]:2222") && !is_of("[a.org]:2222", "a.org"));
        // As `ssh-keygen -H` hides it.
        let hidden = "|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg=";
        assert!(is_of(hidden, "192.168.1.61") && !is_of(hidden, "192.168.1.62"));
    }

    #[test]
    fn hidden_names() {
        let plain = Entry::parse("a.org ssh-rsa AAAA by hand").unwrap();
        let (one, other) = (plain.clone().hashed("a.org").unwrap(), plain.clone().hashed("a.org").unwrap());
        assert!(one != other && one.is_same(&other) && one.is_of("a.org") && !one.is_same(&plain));
        assert!(one.to_string().starts_with("|1|") && one.to_string().ends_with(" ssh-rsa AAAA by hand"));
        assert_eq!(Entry::parse("# a comment here"), None);
    }
}
