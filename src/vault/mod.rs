//! Ansible's vault: texts and files that a password opens.
//!
//! The passwords of a process are in one place, since an encrypted value may turn up wherever variables do. It is opened
//! when it is used, so a run needs only the passwords of what it uses.
#![expect(clippy::disallowed_methods, reason = "reads files that may be encrypted")]

mod cipher;
mod envelope;

use std::collections::HashSet;
use std::fmt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use envelope::Envelope;

/// What an encrypted text begins with.
pub const HEADER: &str = "$ANSIBLE_VAULT;";

/// The name of a password that was given none.
pub const DEFAULT_ID: &str = "default";

/// A password, and the name under which texts ask for it.
#[derive(Clone, PartialEq)]
pub struct Secret {
    /// The name.
    pub id: String,
    /// The password.
    pub password: Vec<u8>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Secret").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why a text cannot be opened.
#[derive(Clone, Debug, PartialEq)]
pub enum Problem {
    /// It is no text of a vault, or a damaged one.
    Damaged(String),
    /// There is no password at all.
    NoPassword,
    /// No password fits; the name that the text asks for.
    NoneFits(Option<String>),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Problem::Damaged(why) => write!(f, "this is no text that ansible-vault has encrypted: {why}"),
            Problem::NoPassword => f.write_str("this is encrypted, and no vault password was given"),
            Problem::NoneFits(None) => f.write_str("this is encrypted, and no vault password that was given fits"),
            Problem::NoneFits(Some(id)) => {
                write!(f, "this is encrypted with the vault password `{id}`, and none that was given fits")
            }
        }
    }
}

impl Problem {
    /// What to do about it.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Problem::Damaged(_) => None,
            _ => Some("give the password with --vault-password-file, --vault-id or --ask-vault-pass"),
        }
    }
}

static SECRETS: RwLock<Vec<Secret>> = RwLock::new(Vec::new());
static REVEALED: Mutex<Option<HashSet<String>>> = Mutex::new(None);
static HOOK: OnceLock<fn(&str)> = OnceLock::new();

/// Adds a password to those that are tried.
pub fn add(secret: Secret) {
    let mut secrets = SECRETS.write().unwrap_or_else(PoisonError::into_inner);
    if !secrets.contains(&secret) {
        secrets.push(secret);
    }
}

/// Whether a file or text is encrypted.
pub fn is_encrypted(bytes: &[u8]) -> bool {
    bytes.starts_with(HEADER.as_bytes())
}

/// Opens a text with the passwords of the process: first those of the name that it asks for, then all others.
pub fn decrypt(text: &str) -> Result<Vec<u8>, Problem> {
    let secrets = SECRETS.read().unwrap_or_else(PoisonError::into_inner).clone();
    decrypt_with(text, &secrets)
}

/// Opens a text with one of these passwords.
pub fn decrypt_with(text: &str, secrets: &[Secret]) -> Result<Vec<u8>, Problem> {
    let envelope = Envelope::parse(text).map_err(Problem::Damaged)?;
    if secrets.is_empty() {
        return Err(Problem::NoPassword);
    }
    let wanted = |secret: &&Secret| Some(&secret.id) == envelope.id.as_ref();
    let (first, then): (Vec<&Secret>, Vec<&Secret>) = secrets.iter().partition(wanted);
    for secret in first.into_iter().chain(then) {
        if let Some(content) = cipher::open(&secret.password, &envelope).map_err(Problem::Damaged)? {
            return Ok(content);
        }
    }
    Err(Problem::NoneFits(envelope.id))
}

/// The name of the password that a text asks for.
pub fn id_of(text: &str) -> Option<String> {
    Envelope::parse(text).ok()?.id
}

/// Opens a text that holds text. What was in it is a secret from now on.
pub fn reveal(text: &str) -> Result<String, Problem> {
    let content = String::from_utf8(decrypt(text)?);
    let content = content.map_err(|_| Problem::Damaged("what is in it is no UTF-8".into()))?;
    learn(&content);
    Ok(content)
}

/// All of a file, opened where it is encrypted; what was in it is a secret from now on.
pub fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    if !is_encrypted(&bytes) {
        return Ok(bytes);
    }
    let content = decrypt(&String::from_utf8_lossy(&bytes)).map_err(|problem| {
        let help = problem.help().map_or_else(String::new, |help| format!("; {help}"));
        format!("cannot open {}: {problem}{help}", path.display())
    })?;
    if let Ok(text) = std::str::from_utf8(&content) {
        learn(text);
    }
    Ok(content)
}

/// Encrypts for one password. Without a salt a new one is made.
pub fn encrypt(content: &[u8], secret: &Secret, salt: Option<&[u8]>) -> Result<String, String> {
    let made;
    let salt = match salt {
        Some(salt) => salt,
        None => {
            made = cipher::new_salt()?;
            &made
        }
    };
    let id = Some(&secret.id).filter(|id| *id != DEFAULT_ID).cloned();
    Ok(cipher::seal(content, &secret.password, salt, id).to_string())
}

/// Whoever hides secrets is told of each that was in a vault.
pub fn on_reveal(hook: fn(&str)) {
    // The second who asks is the same as the first: there is one process, and one list of secrets.
    let _ = HOOK.set(hook);
}

/// Remembers that a text was in a vault.
pub fn learn(content: &str) {
    if revealed().insert(content.to_owned())
        && let Some(hook) = HOOK.get()
    {
        hook(content.trim());
    }
}

/// Whether a text was in a vault.
pub fn was_revealed(content: &str) -> bool {
    revealed().contains(content)
}

fn revealed() -> Revealed {
    Revealed(REVEALED.lock().unwrap_or_else(PoisonError::into_inner))
}

struct Revealed(MutexGuard<'static, Option<HashSet<String>>>);

impl std::ops::Deref for Revealed {
    type Target = HashSet<String>;

    fn deref(&self) -> &Self::Target {
        static NONE: OnceLock<HashSet<String>> = OnceLock::new();
        self.0.as_ref().unwrap_or_else(|| NONE.get_or_init(HashSet::new))
    }
}

impl std::ops::DerefMut for Revealed {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.0.get_or_insert_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(id: &str, password: &str) -> Secret {
        Secret { id: id.into(), password: password.into() }
    }

    #[test]
    fn there_and_back() {
        for (id, first) in [("default", "$ANSIBLE_VAULT;1.1;AES256"), ("prod", "$ANSIBLE_VAULT;1.2;AES256;prod")] {
            let text = encrypt(b"hidden\n", &secret(id, "pw"), None).unwrap();
            assert_eq!(text.lines().next(), Some(first));
            assert!(text.lines().all(|line| line.len() <= 80));
            assert_eq!(decrypt_with(&text, &[secret("x", "other"), secret(id, "pw")]).unwrap(), b"hidden\n");
            let wanted = (id != "default").then(|| id.to_owned());
            assert_eq!(decrypt_with(&text, &[secret("x", "other")]), Err(Problem::NoneFits(wanted)));
            assert_eq!(decrypt_with(&text, &[]), Err(Problem::NoPassword));
        }
    }

    /// Made by ansible-vault with the password `pw`.
    #[test]
    fn ansibles_own() {
        let text = include_str!("sample.vault");
        assert_eq!(decrypt_with(text, &[secret("default", "pw")]).unwrap(), b"from ansible\n");
        // The same with its salt gives the same text.
        let envelope = Envelope::parse(text).unwrap();
        assert_eq!(encrypt(b"from ansible\n", &secret("default", "pw"), Some(&envelope.salt)).unwrap(), text);
    }

    #[test]
    fn damage_is_named() {
        let why = |text: &str| match decrypt_with(text, &[secret("default", "pw")]) {
            Err(Problem::Damaged(why)) => why,
            other => panic!("{other:?}"),
        };
        assert!(why("text").contains("first line"));
        assert!(why("$ANSIBLE_VAULT;9.9;AES256\n00").contains("version 9.9"));
        assert!(why("$ANSIBLE_VAULT;1.1;AES\n00").contains("AES"));
        assert!(why("$ANSIBLE_VAULT;1.1;AES256\n0x").contains("hexadecimal"));
        assert!(why("$ANSIBLE_VAULT;1.1;AES256\n3030").contains("three parts"));
    }
}
