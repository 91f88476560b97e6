//! Public keys of OpenPGP: armour, and which keys a file holds. No gpg is needed for that.

use base64::Engine as _;

use crate::system::Digest;

const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";

/// Whether this is text that holds keys.
pub fn is_armored(bytes: &[u8]) -> bool {
    bytes.windows(BEGIN.len()).any(|window| window == BEGIN.as_bytes())
}

/// The keys without their armour, if they have one; `None` if the armour is damaged.
pub fn plain(bytes: &[u8]) -> Option<Vec<u8>> {
    if !is_armored(bytes) {
        return Some(bytes.to_vec());
    }
    let text = String::from_utf8_lossy(bytes);
    let mut keys = Vec::new();
    for block in text.split(BEGIN).skip(1) {
        let block = block.split("-----END").next()?;
        // Headers end with an empty line.
        let lines =
            block.lines().map(str::trim).skip(1).skip_while(|line| line.contains(": ")).filter(|line| !line.is_empty());
        let body: String = lines.take_while(|line| !line.starts_with('=')).collect();
        keys.extend(base64::engine::general_purpose::STANDARD.decode(body).ok()?);
    }
    Some(keys)
}

/// A key with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Fingerprints of the key and of the keys below it, in upper case.
    pub fingerprints: Vec<String>,
    /// Its packets.
    pub bytes: Vec<u8>,
}

impl Key {
    /// Whether an id (the last 8, 16 or all digits of a fingerprint) means this key.
    pub fn is_called(&self, id: &str) -> bool {
        let id = id.trim_start_matches("0x").trim_start_matches("0X").replace(' ', "").to_uppercase();
        self.fingerprints.iter().any(|fingerprint| fingerprint.ends_with(&id))
    }
}

/// The keys in a file without armour; `None` if it holds something else.
pub fn keys(bytes: &[u8]) -> Option<Vec<Key>> {
    let mut keys: Vec<Key> = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (tag, body, length) = packet(rest)?;
        if tag == 6 {
            keys.push(Key { fingerprints: Vec::new(), bytes: Vec::new() });
        }
        let key = keys.last_mut()?;
        if matches!(tag, 6 | 14) {
            key.fingerprints.push(fingerprint(body)?);
        }
        key.bytes.extend_from_slice(&rest[..length]);
        rest = &rest[length..];
    }
    Some(keys)
}

/// Tag, body and whole length of the first packet.
fn packet(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let first = *bytes.first()?;
    let octet = |at: usize| bytes.get(at).map(|byte| usize::from(*byte));
    let number = |from: usize, count: usize| (from..from + count).try_fold(0, |sum, at| Some(sum << 8 | octet(at)?));
    if first & 0x80 == 0 {
        return None;
    }
    let (tag, start, length): (u8, usize, usize) = if first & 0x40 != 0 {
        let (start, length) = match octet(1)? {
            short @ 0..=191 => (2, short),
            high @ 192..=223 => (3, ((high - 192) << 8) + octet(2)? + 192),
            255 => (6, number(2, 4)?),
            _ => return None,
        };
        (first & 0x3f, start, length)
    } else {
        let (start, length) = match first & 3 {
            0 => (2, octet(1)?),
            1 => (3, number(1, 2)?),
            2 => (5, number(1, 4)?),
            _ => (1, bytes.len() - 1),
        };
        ((first >> 2) & 0xf, start, length)
    };
    let end = start.checked_add(length)?;
    Some((tag, bytes.get(start..end)?, end))
}

fn fingerprint(body: &[u8]) -> Option<String> {
    let (digest, mut hashed) = match body.first()? {
        4 => (Digest::Sha1, [&[0x99][..], &u16::try_from(body.len()).ok()?.to_be_bytes()].concat()),
        6 => (Digest::Sha256, [&[0x9b][..], &u32::try_from(body.len()).ok()?.to_be_bytes()].concat()),
        _ => return None,
    };
    hashed.extend_from_slice(body);
    Some(digest.of(&hashed).to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found() {
        // A key and a key below it, with made-up bodies; between them a user id.
        let bytes = [0x98, 3, 4, 1, 2, 0xb4, 1, b'u', 0xce, 2, 4, 9];
        let found = keys(&bytes).unwrap();
        let key = Digest::Sha1.of(&[0x99, 0, 3, 4, 1, 2]).to_uppercase();
        let below = Digest::Sha1.of(&[0x99, 0, 2, 4, 9]).to_uppercase();
        assert_eq!(found[0].fingerprints, [key.clone(), below]);
        assert_eq!((found.len(), &found[0].bytes[..]), (1, &bytes[..]));
        assert!(found[0].is_called(&format!("0x{}", &key[24..])) && !found[0].is_called("0000000000000000"));
        assert_eq!(keys(b"<html>"), None);
    }

    #[test]
    fn armour_is_taken_off() {
        let text = format!("{BEGIN}\nVersion: 1\n\nmAMEAQI=\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n");
        assert_eq!(plain(text.as_bytes()).unwrap(), [0x98, 3, 4, 1, 2]);
        assert_eq!(plain(b"\x98\x03").unwrap(), b"\x98\x03");
    }
}
