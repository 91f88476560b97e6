//! `wodctl init [FOLDER]`: an inventory of one's own, with its secrets in a vault.

mod args;
mod endpoint;
mod files;
mod machines;
mod questions;
mod secrets;

use std::path::{Path, PathBuf};

pub use self::args::Args;
use self::machines::Machines;
use super::{Error, Exit, answer, unlock};

/// Asks for what is missing, and writes the folder.
pub fn run(args: &Args) -> Result<Exit, Error> {
    refuse(args)?;
    let folder = args.folder.clone().unwrap_or_else(|| Path::new("inventories").join(&args.environment));
    // A slash in the end would put what is beside the folder into it.
    let folder: PathBuf = folder.components().collect();
    let passwords = unlock::beside(&folder);
    let made: Vec<&Path> = match args.vault_password_file {
        Some(_) => vec![&folder],
        None => vec![&folder, &passwords],
    };
    for path in made {
        if path.symlink_metadata().is_ok() {
            return Err(format!("{} is there already; init writes new ones only", path.display()).into());
        }
    }
    let args = questions::ask_for_missing(args)?;
    let machines = Machines::of(&args)?;
    let vault = secrets::Vault::open(args.vault_password_file.as_deref(), &passwords)?;
    files::write(&folder, &args, &machines, &vault)?;
    answer(&farewell(&folder, &vault.file, args.vault_password_file.is_some()))
}

/// Letters of install.sh that mean nothing for an inventory.
fn refuse(args: &Args) -> Result<(), Error> {
    let mut refused = Vec::new();
    if let Some(kind) = &args.type_of_machine {
        refused.push(format!(
            "-t {kind}: an inventory names the machines of all types: leave it out, and name them by -b, -f and -a. \
             `wodctl apply --limit wod_backend` applies one type only"
        ));
    }
    if args.new_keys {
        refused
            .push("-k: new keys are made by `wodctl apply FOLDER playbooks/rotate.yml -e wod_rotate=ssh-keys`".into());
    }
    if refused.is_empty() { Ok(()) } else { Err(refused.join("\n").into()) }
}

fn farewell(folder: &Path, passwords: &Path, given: bool) -> String {
    let (folder, passwords) = (folder.display(), passwords.display());
    let option = if given { format!(" --vault-password-file {passwords}") } else { String::new() };
    let about = match given {
        true => format!("The secrets are encrypted with the password in {passwords}."),
        false => format!(
            "The secrets are encrypted with the password in {passwords}, which only you can read.\n\
             Keep it out of version control, and a copy in a safe place. wodctl finds it there; Ansible is told:\n    \
             ansible-playbook -i {folder} --vault-password-file {passwords} playbooks/site.yml"
        ),
    };
    format!(
        "{folder}/inventory.yml\n    the machines\n\
         {folder}/group_vars/wod/main.yml\n    the settings, with all that can be set\n\
         {folder}/group_vars/wod/vault.yml\n    the secrets; `wodctl vault edit --vault-password-file {passwords}` opens them\n\
         \n{about}\n\n\
         Next:\n    wodctl check {folder}{option}\n    wodctl plan {folder}{option}\n    wodctl apply {folder}{option}\n"
    )
}
