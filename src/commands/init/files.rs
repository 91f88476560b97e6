//! The files of a new inventory.
#![expect(clippy::disallowed_methods, reason = "writes a new folder")]

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::args::Args;
use super::machines::{Machine, Machines, Variable};
use super::secrets::Vault;
use crate::commands::Error;
use crate::failure::plain;
use crate::value::Value;
use crate::yaml::scalar;

/// The example, which explains all that can be set.
const EXAMPLE: &str = include_str!("../../../inventories/three-machines/group_vars/wod.yml");

/// The usual `wod_student_stride`.
const STRIDE: u32 = 2000;

const RANK: &str = "wod_backend_number";

/// Writes the whole folder, or nothing.
pub fn write(folder: &Path, args: &Args, machines: &Machines, vault: &Vault) -> Result<(), Error> {
    let cannot = |error: std::io::Error| format!("cannot write {}: {}", folder.display(), plain(&error));
    let around = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(around).map_err(cannot)?;
    let made = tempfile::Builder::new().prefix(".wodctl-init-").tempdir_in(around).map_err(cannot)?;
    let vars = made.path().join("group_vars/wod");
    fs::create_dir_all(&vars).map_err(cannot)?;
    for (path, text, mode) in [
        (made.path().join("inventory.yml"), inventory(machines), 0o644),
        (vars.join("main.yml"), settings(args, machines), 0o644),
        (vars.join("vault.yml"), vault.content()?, 0o600),
    ] {
        fs::write(&path, text).map_err(cannot)?;
        fs::set_permissions(&path, Permissions::from_mode(mode)).map_err(cannot)?;
    }
    fs::set_permissions(made.path(), Permissions::from_mode(0o755)).map_err(cannot)?;
    vault.write_password()?;
    if let Err(error) = fs::rename(made.path(), folder) {
        vault.forget_password();
        return Err(cannot(error).into());
    }
    // It has another name now, under which it stays.
    let _ = made.keep();
    Ok(())
}

/// `inventory.yml`
fn inventory(machines: &Machines) -> String {
    let several = machines.backends.len() > 1;
    let mut out = Inventory { machines, addressed: Vec::new(), text: String::new() };
    out.text.push_str("# The machines. Each is reached by SSH with a key, and lets the login user become root with sudo.\nwod:\n  children:\n");
    out.group("PostgreSQL and the REST API.", "wod_api_db", std::slice::from_ref(&machines.api), &[]);
    let about = match several {
        true => {
            "JupyterHub. The first is where workshops are offered, the others are its alternatives. The rank decides\n    # which numbers a backend's students have in the database: never change it."
        }
        false => "JupyterHub.",
    };
    // What differs between several backends belongs to each; but for its rank, the settings of a single one are everybody's.
    let mut own = names_of_own(&machines.backends);
    own.retain(|name| several || *name == RANK);
    out.group(about, "wod_backend", &machines.backends, &own);
    out.group("The web site.", "wod_frontend", std::slice::from_ref(&machines.frontend), &[]);
    out.text.push_str("    # Machines that serve one workshop each, if any: playbooks/appliance.yml.\n    wod_appliance:\n      hosts: {}\n");
    out.text
}

struct Inventory<'a> {
    machines: &'a Machines,
    /// Machines whose address is written already.
    addressed: Vec<&'a str>,
    text: String,
}

impl<'a> Inventory<'a> {
    fn group(&mut self, about: &str, name: &str, hosts: &'a [Machine], own: &[&str]) {
        let _ = writeln!(self.text, "    # {about}\n    {name}:\n      hosts:");
        for host in hosts {
            let _ = writeln!(self.text, "        {}:", quoted(&host.name));
            if !self.addressed.contains(&host.name.as_str())
                && let Some(address) = self.machines.addresses.get(&host.name)
            {
                let _ = writeln!(self.text, "          ansible_host: {}", quoted(&address.to_string()));
                self.addressed.push(&host.name);
            }
            for variable in host.variables.iter().filter(|variable| own.contains(&variable.name.as_str())) {
                let _ = writeln!(self.text, "          {}: {}", variable.name, number_or_text(&variable.value));
            }
        }
    }
}

/// The variables that any of the machines has another value for than usual.
fn names_of_own(machines: &[Machine]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for variable in machines.iter().flat_map(|machine| &machine.variables).filter(|variable| !variable.is_default) {
        if !names.contains(&variable.name.as_str()) {
            names.push(&variable.name);
        }
    }
    names
}

/// `group_vars/wod/main.yml`
fn settings(args: &Args, machines: &Machines) -> String {
    let mut out = "# The settings of all machines. The secrets are in vault.yml.\n\n".to_owned();
    out.push_str("# Who logs in. If sudo asks for a password, run with --ask-become-pass.\n");
    match &args.login {
        Some(login) => drop(writeln!(out, "ansible_user: {}", quoted(login))),
        None => out.push_str("# ansible_user: admin\n"),
    }
    out.push_str("\n# Lines for /etc/hosts on every machine. Leave the list empty when DNS knows the names.\n");
    out.push_str(&hosts(machines));
    let mut set = chosen(args, machines);
    if let Some(address) = machines.addresses.get(&machines.api.name) {
        set.push(("wod_firewall_mail_from", format!("[{}]", quoted(&address.to_string()))));
    }
    if !set.is_empty() {
        out.push_str("\n# What was asked for, and who may send bookings to the backends.\n");
        for (name, value) in set {
            let _ = writeln!(out, "{name}: {value}");
        }
    }
    out.push('\n');
    out.push_str(reference());
    out
}

/// What is set in every inventory: the lines of the example from the default values up to the secrets.
fn reference() -> &'static str {
    let start = EXAMPLE.find("# Everything below shows the default").unwrap_or(0);
    let end = EXAMPLE.find("#\n# Secrets are generated").unwrap_or(EXAMPLE.len());
    &EXAMPLE[start..end.max(start)]
}

/// `wod_hosts`
fn hosts(machines: &Machines) -> String {
    if machines.addresses.is_empty() {
        return "wod_hosts: []\n".to_owned();
    }
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    for (name, address) in &machines.addresses {
        let address = address.to_string();
        match lines.iter_mut().find(|(known, _)| *known == address) {
            Some((_, names)) => names.push(quoted(name)),
            None => lines.push((address, vec![quoted(name)])),
        }
    }
    let line = |(address, names): (String, Vec<String>)| {
        format!("  - address: {}\n    names: [{}]\n", quoted(&address), names.join(", "))
    };
    format!("wod_hosts:\n{}", lines.into_iter().map(line).collect::<String>())
}

/// Variables that are not what they would be anyway.
fn chosen<'a>(args: &'a Args, machines: &'a Machines) -> Vec<(&'a str, String)> {
    let mut set: Vec<(&str, String)> = Vec::new();
    if args.environment != "production" {
        set.push(("wod_env", quoted(&args.environment)));
    }
    set.extend(args.user.iter().map(|user| ("wod_user", quoted(user))));
    set.extend(args.sender.iter().map(|sender| ("wod_sender", quoted(sender))));
    set.extend(args.postfix_port.map(|port| ("wod_postfix_port", port.to_string())));
    if args.insecure_tls {
        set.push(("wod_insecure_tls", "true".to_owned()));
    }
    set.extend(args.students.map(|count| ("wod_user_max", count.to_string())));
    // The numbers of one backend must not run into those of the next.
    set.extend(args.students.filter(|count| *count > STRIDE).map(|count| ("wod_student_stride", count.to_string())));
    // Of several backends the other machines see the first.
    let backend = machines.backends.iter().take(1).flat_map(|machine| &machine.variables);
    let backend = backend.filter(|variable| variable.name != RANK);
    let others = machines.frontend.variables.iter().chain(&machines.api.variables);
    let other = |variable: &&Variable| !variable.is_default;
    set.extend(backend.chain(others).filter(other).map(|v| (v.name.as_str(), number_or_text(&v.value))));
    set
}

fn number_or_text(text: &str) -> String {
    if text.parse::<u32>().is_ok() { text.to_owned() } else { quoted(text) }
}

/// Text as YAML: in quotes where it would be something else without.
fn quoted(text: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._@/".contains(c);
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic()) || text.parse::<Ipv4Addr>().is_ok();
    match starts && text.chars().all(fits) && scalar::resolve(text) == Value::Str(text.to_owned()) {
        true => text.to_owned(),
        false => Value::from(text).to_json().to_string(),
    }
}
