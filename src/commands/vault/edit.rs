//! Encrypted files in an editor.
#![expect(clippy::disallowed_methods, reason = "an editor works on a file of its own")]

use std::fs;
use std::path::Path;
use std::process::Command;

use super::file::{Content, Place};
use super::passwords::{Passwords, open};
use crate::commands::{Error, say};
use crate::failure::plain;
use crate::vault::{self, Secret};
use crate::words;

/// Opens a file, and encrypts what the editor makes of it with the same password, unless another is asked for.
pub fn existing(path: &Path, passwords: &Passwords) -> Result<(), Error> {
    let content = Content::read(&Place::of(path))?;
    let text = content.text()?;
    let before = open(&content)?;
    let after = edited(path, &before)?;
    if after == before {
        return Ok(());
    }
    let secret = match &passwords.encrypt_vault_id {
        Some(_) => passwords.to_encrypt()?,
        None => opens(&text, passwords)?,
    };
    content.place.write(vault::encrypt(&after, &secret, None)?.as_bytes(), content.mode)?;
    say("Encryption successful\n");
    Ok(())
}

/// The password that opens a text, under the label that the text has.
fn opens(text: &str, passwords: &Passwords) -> Result<Secret, Error> {
    let id = vault::id_of(text).unwrap_or_else(|| vault::DEFAULT_ID.to_owned());
    let secrets = passwords.vault.secrets()?;
    let fits = |secret: &&Secret| vault::decrypt_with(text, std::slice::from_ref(*secret)).is_ok();
    match secrets.iter().find(fits) {
        Some(secret) => Ok(Secret { id, password: secret.password.clone() }),
        None => Err("the vault passwords have changed meanwhile".into()),
    }
}

/// Makes a new file of what is written in the editor.
pub fn new(path: &Path, secret: &Secret) -> Result<(), Error> {
    if path.exists() {
        return Err(format!("{} exists already; `wodctl vault edit` changes it", path.display()).into());
    }
    let content = edited(path, b"")?;
    Place::of(path).write(vault::encrypt(&content, secret, None)?.as_bytes(), 0o600)
}

/// What the operator makes of a content. It lies in a folder of its own that nobody else can look into.
fn edited(path: &Path, content: &[u8]) -> Result<Vec<u8>, Error> {
    let cannot = |error: std::io::Error| format!("cannot edit {}: {}", path.display(), plain(&error));
    let folder = tempfile::Builder::new().prefix("wodctl-").tempdir().map_err(cannot)?;
    // The name tells the editor what kind of file it is.
    let file = folder.path().join(path.file_name().unwrap_or("vault".as_ref()));
    fs::write(&file, content).map_err(cannot)?;
    let editor = std::env::var("EDITOR").unwrap_or_else(|_| "vi".into());
    let words = words::split(&editor).map_err(|why| format!("EDITOR={editor}: {why}"))?;
    let (program, args) = words.split_first().ok_or("EDITOR is empty")?;
    let status = Command::new(program).args(args).arg(&file).status();
    let status = status.map_err(|error| format!("cannot start the editor {program}: {}", plain(&error)))?;
    if !status.success() {
        return Err(format!("the editor {program} failed ({status}); nothing was changed").into());
    }
    Ok(fs::read(&file).map_err(cannot)?)
}
