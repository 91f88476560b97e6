//! The passwords that open what ansible-vault has encrypted.
#![expect(clippy::disallowed_methods, reason = "the home folder is where a path with ~ begins")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::{ArgAction, Args};

use super::Error;
use super::passwords::{asked, content};
use crate::runner::secrets;
use crate::vault::{self, DEFAULT_ID, Secret};

/// Where vault passwords come from.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Vault")]
pub struct Vault {
    /// Ask for the vault password
    #[arg(short = 'J', long, visible_alias = "ask-vault-password")]
    pub ask_vault_pass: bool,
    /// Read the vault password from this file (an executable file is run)
    #[arg(
        long,
        visible_alias = "vault-pass-file",
        value_name = "FILE",
        action = ArgAction::Append,
        env = "ANSIBLE_VAULT_PASSWORD_FILE",
        hide_env_values = true
    )]
    pub vault_password_file: Vec<PathBuf>,
    /// Vault password with a label: `LABEL@FILE`, or `LABEL@prompt` to be asked
    #[arg(
        long,
        value_name = "LABEL@SOURCE",
        action = ArgAction::Append,
        env = "ANSIBLE_VAULT_IDENTITY_LIST",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub vault_id: Vec<String>,
}

impl Vault {
    /// The same for what inventories have encrypted: where no option names a password, it is the one that lies beside the
    /// inventory's folder.
    pub fn unlock_for<P: AsRef<Path>>(&self, inventories: impl IntoIterator<Item = P>) -> Result<(), Error> {
        let mut vault = self.clone();
        if self.vault_id.is_empty() && self.vault_password_file.is_empty() && !self.ask_vault_pass {
            let found = inventories.into_iter().filter_map(|inventory| password_of(inventory.as_ref()));
            vault.vault_password_file.extend(found);
        }
        vault.unlock()
    }

    /// Gets the passwords, so that what they open can be read from now on. What was in a vault is hidden wherever it
    /// would be shown.
    pub fn unlock(&self) -> Result<(), Error> {
        vault::on_reveal(hide);
        for secret in self.secrets()? {
            secrets::learn(&String::from_utf8_lossy(&secret.password));
            vault::add(secret);
        }
        Ok(())
    }

    /// The passwords that the options name, in their order.
    pub fn secrets(&self) -> Result<Vec<Secret>, Error> {
        let mut secrets = Vec::new();
        for source in &self.vault_id {
            let (id, source) = labelled(source);
            secrets.push(secret(id, source)?);
        }
        for path in &self.vault_password_file {
            secrets.push(secret(DEFAULT_ID, &path.to_string_lossy())?);
        }
        if self.ask_vault_pass {
            secrets.push(secret(DEFAULT_ID, "prompt")?);
        }
        Ok(secrets)
    }
}

/// Where the password of an inventory's vault lies: beside its folder, as its secrets and backups do.
pub fn beside(folder: &Path) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".vault-password");
    folder.with_file_name(name)
}

/// The file beside the folder of an inventory, if it is there. Nobody named it, so it is never run as a program.
fn password_of(inventory: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(inventory).ok()?;
    let folder = if path.is_dir() { path.as_path() } else { path.parent()? };
    let file = beside(folder);
    let about = file.metadata().ok()?;
    (about.is_file() && about.permissions().mode() & 0o111 == 0).then_some(file)
}

/// A secret of several lines may be shown in part.
fn hide(secret: &str) {
    secrets::learn(secret);
    let lines = secret.lines().map(str::trim).filter(|line| line.len() >= 8 && *line != secret);
    lines.for_each(secrets::learn);
}

/// A label and its source; without an `@` the source alone.
pub fn labelled(text: &str) -> (&str, &str) {
    text.split_once('@').filter(|(label, _)| !label.is_empty()).unwrap_or((DEFAULT_ID, text.trim_start_matches('@')))
}

/// The password of a source: a file, a program, or the operator.
pub fn secret(id: &str, source: &str) -> Result<Secret, Error> {
    let password = match source {
        "prompt" | "prompt_ask_vault_pass" => asked(&question(id), "use --vault-password-file")?,
        path => from_file(id, Path::new(path))?,
    };
    if password.is_empty() {
        return Err(format!("the vault password from {source} is empty").into());
    }
    Ok(Secret { id: id.to_owned(), password: password.into_bytes() })
}

fn question(id: &str) -> String {
    if id == DEFAULT_ID { "Vault password: ".to_owned() } else { format!("Vault password ({id}): ") }
}

/// All of the file, without blanks around it. A program whose name ends in `-client` is told the label.
fn from_file(id: &str, path: &Path) -> Result<String, Error> {
    let path = match path.strip_prefix("~") {
        Ok(rest) => std::env::home_dir().unwrap_or_default().join(rest),
        Err(_) => path.to_owned(),
    };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let args: &[&str] = if stem.ends_with("-client") { &["--vault-id", id] } else { &[] };
    Ok(content(&path, args)?.trim().to_owned())
}

/// A password that is to be typed twice.
pub fn new_secret(id: &str) -> Result<Secret, Error> {
    let name = if id == DEFAULT_ID { String::new() } else { format!(" ({id})") };
    let first = asked(&format!("New Vault password{name}: "), "use --vault-password-file")?;
    let second = asked(&format!("Confirm New Vault password{name}: "), "use --vault-password-file")?;
    if first.is_empty() {
        return Err("the vault password must not be empty".into());
    }
    if first != second {
        return Err("the two passwords differ".into());
    }
    Ok(Secret { id: id.to_owned(), password: first.into_bytes() })
}

#[cfg(test)]
mod tests {
    use super::labelled;

    #[test]
    fn labels() {
        assert_eq!(labelled("prod@prompt"), ("prod", "prompt"));
        assert_eq!(labelled("prod@./a@b"), ("prod", "./a@b"));
        assert_eq!(labelled("file"), ("default", "file"));
        assert_eq!(labelled("@prompt"), ("default", "prompt"));
    }
}
