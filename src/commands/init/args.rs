//! What `wodctl init` takes.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::ArgAction;

use super::endpoint::Endpoint;

/// What `init` takes: install.sh's letters, and a few more.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The folder to write [default: inventories/ENVIRONMENT]
    pub(super) folder: Option<PathBuf>,
    /// The machine of the hub; several with commas between
    #[arg(short = 'b', long = "backend", value_name = "NAME[:PORT[:PROTO]]", value_delimiter = ',')]
    pub(super) backends: Vec<Endpoint>,
    /// The hub as browsers know it; as many as there are backends
    #[arg(short = 'j', long = "backend-external", value_name = "NAME[:PORT[:PROTO]]", value_delimiter = ',')]
    pub(super) backends_external: Vec<Endpoint>,
    /// The rank of a single backend
    #[arg(short = 'n', long = "backend-number", value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) number: Option<u16>,
    /// The machine of the site
    #[arg(short = 'f', long, value_name = "NAME[:PORT[:PROTO]]")]
    pub(super) frontend: Option<Endpoint>,
    /// The site as browsers know it
    #[arg(short = 'w', long, value_name = "NAME[:PORT[:PROTO]]")]
    pub(super) frontend_external: Option<Endpoint>,
    /// The machine of the API and its database
    #[arg(short = 'a', long, value_name = "NAME[:PORT[:PROTO]]")]
    pub(super) api: Option<Endpoint>,
    /// The API as browsers know it
    #[arg(short = 'e', long, value_name = "NAME[:PORT[:PROTO]]")]
    pub(super) api_external: Option<Endpoint>,
    /// The site and the API on the machine of the backend
    #[arg(long)]
    pub(super) all_in_one: bool,
    /// The address of a machine whose name is not in DNS
    #[arg(long = "address", value_name = "NAME=ADDRESS", action = ArgAction::Append, value_parser = address)]
    pub(super) addresses: Vec<(String, IpAddr)>,
    /// The address of the (first) backend's external name
    #[arg(short = 'i', long, value_name = "ADDRESS")]
    pub(super) backend_external_address: Option<IpAddr>,
    /// Who logs in to the machines [default: as ssh has it]
    #[arg(long, value_name = "USER", value_parser = word)]
    pub(super) login: Option<String>,
    /// The name of the environment
    #[arg(short = 'g', long, value_name = "NAME", default_value = "production", value_parser = word)]
    pub(super) environment: String,
    /// The administrator's account [default: wodadmin]
    #[arg(short = 'u', long, value_name = "USER", value_parser = word)]
    pub(super) user: Option<String>,
    /// The sender of mails [default: wodadmin@localhost]
    #[arg(short = 's', long, value_name = "MAIL")]
    pub(super) sender: Option<String>,
    /// The port that the backends take bookings on [default: 10025]
    #[arg(short = 'p', long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) postfix_port: Option<u16>,
    /// Scripts do not check certificates
    #[arg(short = 'c', long)]
    pub(super) insecure_tls: bool,
    /// How many students there are on each backend [default: 100]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) students: Option<u32>,
    /// Encrypt the secrets with the password in this file [default: a new one, beside the folder]
    #[arg(long, visible_alias = "vault-pass-file", value_name = "FILE")]
    pub(super) vault_password_file: Option<PathBuf>,
    #[arg(short = 't', hide = true)]
    pub(super) type_of_machine: Option<String>,
    #[arg(short = 'k', hide = true)]
    pub(super) new_keys: bool,
}

fn address(text: &str) -> Result<(String, IpAddr), String> {
    let (name, address) = text.split_once('=').ok_or("expected NAME=ADDRESS")?;
    Ok((name.to_owned(), address.parse().map_err(|_| format!("`{address}` is no address"))?))
}

/// What may be the name of an account or of a file.
pub(super) fn word(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    match text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') && text.chars().all(fits) {
        true => Ok(text.to_owned()),
        false => Err("expected letters, digits, `_`, `.` and `-`".to_owned()),
    }
}
