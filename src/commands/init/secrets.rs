//! The secrets of an inventory, and the password of its vault.
#![expect(clippy::disallowed_methods, reason = "writes the file with the vault's password")]

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::commands::{Error, unlock};
use crate::failure::plain;
use crate::template::unguessable;
use crate::vault::{self, DEFAULT_ID, Secret};

/// What the roles make themselves unless it is given (`roles/settings/defaults`), and its length.
const SECRETS: &[(&str, usize)] = &[
    ("wod_db_password", 32),
    ("wod_db_admin_password", 32),
    ("wod_api_moderator_password", 32),
    ("wod_api_admin_password", 32),
    ("wod_jwt_secret", 48),
    ("wod_hub_token", 48),
    ("wod_vault_password", 32),
];

/// A vault and the file with its password.
pub struct Vault {
    /// The file.
    pub file: PathBuf,
    secret: Secret,
    is_new: bool,
}

impl Vault {
    /// With the password of a file that is there, or a new password that is to go to `otherwise`.
    pub fn open(given: Option<&Path>, otherwise: &Path) -> Result<Vault, Error> {
        Ok(match given {
            Some(file) => {
                let secret = unlock::secret(DEFAULT_ID, &file.to_string_lossy())?;
                Vault { file: file.to_owned(), secret, is_new: false }
            }
            None => {
                let password = unguessable(32)?.into_bytes();
                Vault { file: otherwise.to_owned(), secret: Secret { id: DEFAULT_ID.into(), password }, is_new: true }
            }
        })
    }

    /// The encrypted file of new secrets.
    pub fn content(&self) -> Result<String, Error> {
        let mut text = "# Made by `wodctl init`; `wodctl vault edit` changes them.\n".to_owned();
        for (name, length) in SECRETS {
            text.push_str(&format!("{name}: \"{}\"\n", unguessable(*length)?));
        }
        Ok(vault::encrypt(text.as_bytes(), &self.secret, None)?)
    }

    /// Writes a new password, for the user's eyes only.
    pub fn write_password(&self) -> Result<(), Error> {
        if !self.is_new {
            return Ok(());
        }
        let cannot = |error: std::io::Error| format!("cannot write {}: {}", self.file.display(), plain(&error));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.file).map_err(cannot)?;
        file.write_all(&self.secret.password).and_then(|()| file.write_all(b"\n")).map_err(cannot)?;
        Ok(file.sync_all().map_err(cannot)?)
    }

    /// Removes the file of a new password, which nothing is encrypted with.
    pub fn forget_password(&self) {
        if self.is_new {
            let _ = std::fs::remove_file(&self.file);
        }
    }
}
