//! AES-256 in counter mode, sealed with HMAC-SHA-256; both keys are stretched from the password by PBKDF2.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::envelope::Envelope;
use crate::system::random;

const ROUNDS: u32 = 10_000;
const BLOCK: usize = 16;

/// The keys that a password and a salt make.
#[derive(Clone)]
struct Keys {
    cipher: [u8; 32],
    mac: [u8; 32],
    counter: [u8; BLOCK],
}

// Stretching takes long on purpose, and one text is opened for many hosts.
static STRETCHED: Mutex<Option<HashMap<[u8; 32], Keys>>> = Mutex::new(None);

impl Keys {
    fn stretch(password: &[u8], salt: &[u8]) -> Self {
        let length = (password.len() as u64).to_be_bytes();
        let known_as = Sha256::new().chain_update(length).chain_update(password).chain_update(salt).finalize().into();
        let known = |known: &HashMap<_, Keys>| known.get(&known_as).cloned();
        let lock = || STRETCHED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(keys) = lock().as_ref().and_then(known) {
            return keys;
        }
        let mut bytes = [0; 80];
        pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, ROUNDS, &mut bytes);
        let mut keys = Keys { cipher: [0; 32], mac: [0; 32], counter: [0; BLOCK] };
        keys.cipher.copy_from_slice(&bytes[..32]);
        keys.mac.copy_from_slice(&bytes[32..64]);
        keys.counter.copy_from_slice(&bytes[64..]);
        lock().get_or_insert_default().insert(known_as, keys.clone());
        keys
    }

    fn apply(&self, bytes: &mut [u8]) {
        Ctr128BE::<Aes256>::new(&self.cipher.into(), &self.counter.into()).apply_keystream(bytes);
    }

    fn mac(&self, bytes: &[u8]) -> Hmac<Sha256> {
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.mac).expect("HMAC takes keys of any length");
        mac.chain_update(bytes)
    }
}

/// The content; `None` if the password does not fit.
pub fn open(password: &[u8], envelope: &Envelope) -> Result<Option<Vec<u8>>, String> {
    let keys = Keys::stretch(password, &envelope.salt);
    if keys.mac(&envelope.content).verify_slice(&envelope.mac).is_err() {
        return Ok(None);
    }
    let mut content = envelope.content.clone();
    keys.apply(&mut content);
    // The last byte says how many were added to fill the last block.
    let padding = content.last().map_or(0, |last| usize::from(*last));
    if !(1..=BLOCK).contains(&padding) || padding > content.len() {
        return Err("its content does not fill its blocks".into());
    }
    content.truncate(content.len() - padding);
    Ok(Some(content))
}

/// Encrypts and seals.
pub fn seal(content: &[u8], password: &[u8], salt: &[u8], id: Option<String>) -> Envelope {
    let keys = Keys::stretch(password, salt);
    let mut content = content.to_vec();
    let padding = BLOCK - content.len() % BLOCK;
    content.resize(content.len() + padding, padding as u8);
    keys.apply(&mut content);
    let mac = keys.mac(&content).finalize().into_bytes().to_vec();
    Envelope { id, salt: salt.to_vec(), mac, content }
}

/// A salt that nobody has used.
pub fn new_salt() -> Result<[u8; 32], String> {
    let mut salt = [0; 32];
    random::fill(&mut salt).map_err(|error| format!("cannot make a salt: {error}"))?;
    Ok(salt)
}
