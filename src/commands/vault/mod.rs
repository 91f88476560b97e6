//! `wodctl vault`: encrypts and opens files and texts as ansible-vault does.

mod edit;
mod file;
mod passwords;
mod text;

use std::path::PathBuf;

use clap::{ArgAction, Subcommand};

use super::unlock;
use super::{Error, Exit, answer, say};
use crate::vault::{self, DEFAULT_ID};
use file::{Content, Place};
use passwords::{Passwords, open};

/// What to do.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Encrypt files in place
    Encrypt(Files),
    /// Decrypt files in place
    Decrypt(Files),
    /// Print the contents of encrypted files
    View(Named),
    /// Edit an encrypted file ($EDITOR, or vi)
    Edit(Named),
    /// Create an encrypted file in an editor
    Create(Named),
    /// Re-encrypt files with a new password
    Rekey(Rekey),
    /// Encrypt strings for use as variables
    #[command(alias = "encrypt_string")]
    EncryptString(text::Args),
}

#[derive(clap::Args, Clone, Debug)]
struct Files {
    /// Files; reads standard input if omitted or `-`
    files: Vec<PathBuf>,
    /// Output file, or `-` for standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    passwords: Passwords,
}

#[derive(clap::Args, Clone, Debug)]
struct Named {
    /// The files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    passwords: Passwords,
}

#[derive(clap::Args, Clone, Debug)]
struct Rekey {
    /// The files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Read the new password from this file (an executable file is run)
    #[arg(long, value_name = "FILE", conflicts_with = "new_vault_id")]
    new_vault_password_file: Option<PathBuf>,
    /// New password with a label: `LABEL@FILE` or `LABEL@prompt`
    #[arg(long, value_name = "LABEL@SOURCE", action = ArgAction::Set)]
    new_vault_id: Option<String>,
    #[command(flatten)]
    passwords: Passwords,
}

/// Does it.
pub fn run(args: &Args) -> Result<Exit, Error> {
    match &args.action {
        Action::Encrypt(files) => encrypt(files),
        Action::Decrypt(files) => decrypt(files),
        Action::View(named) => view(named),
        Action::Edit(named) => {
            named.passwords.vault.unlock()?;
            named.files.iter().try_for_each(|path| edit::existing(path, &named.passwords))?;
            Ok(Exit::Fine)
        }
        Action::Create(named) => {
            let secret = named.passwords.to_encrypt()?;
            named.files.iter().try_for_each(|path| edit::new(path, &secret))?;
            Ok(Exit::Fine)
        }
        Action::Rekey(rekey) => self::rekey(rekey),
        Action::EncryptString(args) => text::run(args),
    }
}

/// Where each file goes: to `--output`, which only one can, else back to where it came from.
fn places(files: &Files) -> Result<Vec<(Place, Place)>, Error> {
    let from: Vec<Place> = match files.files.is_empty() {
        true => vec![Place::Standard],
        false => files.files.iter().map(|path| Place::of(path)).collect(),
    };
    match &files.output {
        Some(_) if from.len() > 1 => Err("--output takes one file only".into()),
        Some(output) => Ok(from.into_iter().map(|place| (place, Place::of(output))).collect()),
        None => Ok(from.into_iter().map(|place| (place.clone(), place)).collect()),
    }
}

fn encrypt(files: &Files) -> Result<Exit, Error> {
    let places = places(files)?;
    let secret = files.passwords.to_encrypt()?;
    for (from, to) in places {
        let content = Content::read(&from)?;
        if vault::is_encrypted(&content.bytes) {
            return Err(format!("{from} is encrypted already").into());
        }
        to.write(vault::encrypt(&content.bytes, &secret, None)?.as_bytes(), content.mode)?;
    }
    done("Encryption successful", files)
}

fn decrypt(files: &Files) -> Result<Exit, Error> {
    let places = places(files)?;
    files.passwords.vault.unlock()?;
    for (from, to) in places {
        let content = Content::read(&from)?;
        to.write(&open(&content)?, content.mode)?;
    }
    done("Decryption successful", files)
}

fn view(named: &Named) -> Result<Exit, Error> {
    named.passwords.vault.unlock()?;
    let mut text = String::new();
    for path in &named.files {
        let content = Content::read(&Place::of(path))?;
        text.push_str(&String::from_utf8_lossy(&open(&content)?));
    }
    answer(&text)
}

fn rekey(rekey: &Rekey) -> Result<Exit, Error> {
    rekey.passwords.vault.unlock()?;
    // All are opened before the first is changed.
    let mut opened = Vec::new();
    for path in &rekey.files {
        let content = Content::read(&Place::of(path))?;
        let plain = open(&content)?;
        opened.push((content, plain));
    }
    let secret = match (&rekey.new_vault_id, &rekey.new_vault_password_file) {
        (Some(source), _) => {
            let (id, source) = unlock::labelled(source);
            if source == "prompt" { unlock::new_secret(id)? } else { unlock::secret(id, source)? }
        }
        (None, Some(path)) => unlock::secret(DEFAULT_ID, &path.to_string_lossy())?,
        (None, None) => unlock::new_secret(DEFAULT_ID)?,
    };
    for (content, plain) in opened {
        content.place.write(vault::encrypt(&plain, &secret, None)?.as_bytes(), content.mode)?;
    }
    say("Rekey successful\n");
    Ok(Exit::Fine)
}

fn done(message: &str, files: &Files) -> Result<Exit, Error> {
    if !files.files.is_empty() {
        say(&format!("{message}\n"));
    }
    Ok(Exit::Fine)
}
