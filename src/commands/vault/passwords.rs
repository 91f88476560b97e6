//! The passwords of `wodctl vault`, and what they open.

use super::file::{Content, Place};
use crate::commands::Error;
use crate::commands::unlock::{self, Vault};
use crate::vault::{self, DEFAULT_ID, Secret};

/// Passwords, and which of them encrypts.
#[derive(clap::Args, Clone, Debug)]
pub struct Passwords {
    #[command(flatten)]
    pub vault: Vault,
    /// Label of the vault password to encrypt with
    #[arg(long, value_name = "LABEL")]
    pub encrypt_vault_id: Option<String>,
}

impl Passwords {
    /// The one password that encrypts. Without any the operator makes one up.
    pub fn to_encrypt(&self) -> Result<Secret, Error> {
        let mut secrets = self.vault.secrets()?;
        if let Some(id) = &self.encrypt_vault_id {
            let found = secrets.into_iter().find(|secret| secret.id == *id);
            return found.ok_or_else(|| format!("no vault password has the label `{id}`").into());
        }
        match (secrets.pop(), secrets.len()) {
            (None, _) => unlock::new_secret(DEFAULT_ID),
            (Some(secret), 0) => Ok(secret),
            _ => Err("several vault passwords were given: say with --encrypt-vault-id which one encrypts".into()),
        }
    }
}

fn trouble(place: &Place, problem: &vault::Problem) -> Error {
    let help = problem.help().map_or_else(String::new, |help| format!("; {help}"));
    format!("{place}: {problem}{help}").into()
}

/// What is in an encrypted file.
pub fn open(content: &Content) -> Result<Vec<u8>, Error> {
    vault::decrypt(&content.text()?).map_err(|problem| trouble(&content.place, &problem))
}
