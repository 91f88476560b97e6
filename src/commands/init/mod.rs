//! `wodctl init [FOLDER]`: an inventory of one's own, with its secrets in a vault.

mod endpoint;
mod files;
mod machines;
mod questions;
mod secrets;

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::ArgAction;

use self::endpoint::Endpoint;
use self::machines::Machines;
use super::{Error, Exit, answer, unlock};

/// What `init` takes: install.sh's letters, and a few more.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The folder to write [default: inventories/ENVIRONMENT]
    folder: Option<PathBuf>,
    /// The machine of the hub; several with commas between
    #[arg(short = 'b', long = "backend", value_name = "NAME[:PORT[:PROTO]]", value_delimiter = ',')]
    backends: Vec<Endpoint>,
    /// The hub as browsers know it; as many as there are backends
    #[arg(short = 'j', long = "backend-external", value_name = "NAME[:PORT[:PROTO]]", value_delimiter = ',')]
    backends_external: Vec<Endpoint>,
    /// The rank of a single backend
    #[arg(short = 'n', long = "backend-number", value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
    number: Option<u16>,
    /// The machine of the site
    #[arg(short = 'f', long, value_name = "NAME[:PORT[:PROTO]]")]
    frontend: Option<Endpoint>,
    /// The site as browsers know it
    #[arg(short = 'w', long, value_name = "NAME[:PORT[:PROTO]]")]
    frontend_external: Option<Endpoint>,
    /// The machine of the API and its database
    #[arg(short = 'a', long, value_name = "NAME[:PORT[:PROTO]]")]
    api: Option<Endpoint>,
    /// The API as browsers know it
    #[arg(short = 'e', long, value_name = "NAME[:PORT[:PROTO]]")]
    api_external: Option<Endpoint>,
    /// The site and the API on the machine of the backend
    #[arg(long)]
    all_in_one: bool,
    /// The address of a machine whose name is not in DNS
    #[arg(long = "address", value_name = "NAME=ADDRESS", action = ArgAction::Append, value_parser = address)]
    addresses: Vec<(String, IpAddr)>,
    /// The address of the (first) backend's external name
    #[arg(short = 'i', long, value_name = "ADDRESS")]
    backend_external_address: Option<IpAddr>,
    /// Who logs in to the machines [default: as ssh has it]
    #[arg(long, value_name = "USER", value_parser = word)]
    login: Option<String>,
    /// The name of the environment
    #[arg(short = 'g', long, value_name = "NAME", default_value = "production", value_parser = word)]
    environment: String,
    /// The administrator's account [default: wodadmin]
    #[arg(short = 'u', long, value_name = "USER", value_parser = word)]
    user: Option<String>,
    /// The sender of mails [default: wodadmin@localhost]
    #[arg(short = 's', long, value_name = "MAIL")]
    sender: Option<String>,
    /// The port that the backends take bookings on [default: 10025]
    #[arg(short = 'p', long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    postfix_port: Option<u16>,
    /// Scripts do not check certificates
    #[arg(short = 'c', long)]
    insecure_tls: bool,
    /// How many students there are on each backend [default: 100]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    students: Option<u32>,
    /// Encrypt the secrets with the password in this file [default: a new one, beside the folder]
    #[arg(long, visible_alias = "vault-pass-file", value_name = "FILE")]
    vault_password_file: Option<PathBuf>,
    #[arg(short = 't', hide = true)]
    type_of_machine: Option<String>,
    #[arg(short = 'k', hide = true)]
    new_keys: bool,
}

fn address(text: &str) -> Result<(String, IpAddr), String> {
    let (name, address) = text.split_once('=').ok_or("expected NAME=ADDRESS")?;
    Ok((name.to_owned(), address.parse().map_err(|_| format!("`{address}` is no address"))?))
}

/// What may be the name of an account or of a file.
fn word(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    match text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') && text.chars().all(fits) {
        true => Ok(text.to_owned()),
        false => Err("expected letters, digits, `_`, `.` and `-`".to_owned()),
    }
}

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
