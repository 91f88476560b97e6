//! Whether the password that a server keeps of a role is a given one: SCRAM-SHA-256, MD5, or the hash itself.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha2::Sha256;

/// Whether `stored` (`pg_authid.rolpassword`) is what the server makes of `given` for the role `user`. `given` may be a
/// hash already.
pub fn matches(stored: &str, user: &str, given: &str) -> bool {
    if stored == given {
        return true;
    }
    if is_hash(given) {
        return false;
    }
    match Scram::parse(stored) {
        Some(scram) => scram.is_of(given),
        None => stored == md5(user, given),
    }
}

/// Whether the server takes the text as a hash, not as a password.
pub fn is_hash(text: &str) -> bool {
    let is_md5 = text.strip_prefix("md5").is_some_and(|rest| rest.len() == 32 && rest.chars().all(is_hex));
    is_md5 || Scram::parse(text).is_some()
}

fn is_hex(letter: char) -> bool {
    letter.is_ascii_hexdigit()
}

fn md5(user: &str, password: &str) -> String {
    let digest = Md5::new().chain_update(password).chain_update(user).finalize();
    digest.iter().fold("md5".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// A verifier as RFC 5803 writes it: `SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY`.
struct Scram {
    iterations: u32,
    salt: Vec<u8>,
    stored_key: Vec<u8>,
}

impl Scram {
    fn parse(text: &str) -> Option<Scram> {
        let (head, keys) = text.strip_prefix("SCRAM-SHA-256$")?.split_once('$')?;
        let (iterations, salt) = head.split_once(':')?;
        let (stored_key, server_key) = keys.split_once(':')?;
        BASE64_STANDARD.decode(server_key).ok()?;
        Some(Scram {
            iterations: iterations.parse().ok()?,
            salt: BASE64_STANDARD.decode(salt).ok()?,
            stored_key: BASE64_STANDARD.decode(stored_key).ok()?,
        })
    }

    fn is_of(&self, password: &str) -> bool {
        // A password that cannot be normalised is used as it is, as the server does.
        let prepared = stringprep::saslprep(password).unwrap_or(password.into());
        let salted = pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(prepared.as_bytes(), &self.salt, self.iterations);
        let client_key = Hmac::<Sha256>::new_from_slice(&salted).map(|mac| mac.chain_update("Client Key").finalize());
        client_key.is_ok_and(|key| Sha256::digest(key.into_bytes()).as_slice() == self.stored_key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677: the user's password is `pencil`.
    const STORED: &str = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:\
                          wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

    #[test]
    fn scram() {
        assert!(matches(STORED, "user", "pencil"));
        assert!(matches(STORED, "user", STORED));
        assert!(!matches(STORED, "user", "pencils"));
        assert!(is_hash(STORED));
    }

    #[test]
    fn md5_is_salted_with_the_name() {
        let stored = md5("wod", "secret");
        assert!(matches(&stored, "wod", "secret") && !matches(&stored, "other", "secret"));
        assert!(is_hash(&stored) && !is_hash("md5") && !is_hash("secret"));
        assert!(!matches(STORED, "user", &stored), "a hash is compared as it is");
    }
}
