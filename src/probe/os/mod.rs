//! Facts about a machine, in Ansible's names (without the `ansible_` in front), read from files and from the kernel.
//!
//! Each file is a group of facts. Only two programs are started, and only where they exist: `systemctl --version` and
//! `python3 --version`.

pub mod cpu;
pub mod devices;
pub mod distribution;
pub mod dmi;
pub mod local;
pub mod lvm;
pub mod memory;
pub mod mounts;
pub mod network;
pub mod packages;
pub mod platform;
pub mod python;
pub mod routes;
pub mod security;
pub mod services;
pub mod session;
pub mod time;
pub mod virtualization;

use std::path::Path;
use std::time::Duration;

use crate::system::System;
use crate::value::{Map, Value};

/// What a group of facts may look at.
pub struct Ask<'a> {
    /// The machine.
    pub system: &'a dyn System,
    /// The facts gathered so far.
    pub known: &'a Map,
    /// How long a file system or program may take to answer.
    pub patience: Duration,
    /// Where the user's own facts lie.
    pub fact_path: &'a Path,
}

impl Ask<'_> {
    /// The text of a fact gathered before.
    pub fn known(&self, name: &str) -> &str {
        self.known.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

/// A group of facts; a subset of `gather_subset`.
pub struct Group {
    /// The subset's name.
    pub name: &'static str,
    /// Other subsets that mean this group.
    pub ids: &'static [&'static str],
    /// Groups that it needs.
    pub needs: &'static [&'static str],
    /// Whether it belongs to `min`.
    pub minimal: bool,
    /// Gathers the facts; what the user should know is added to the list.
    pub gather: fn(&Ask, &mut Vec<String>) -> Map,
}

/// All groups, each behind those that it needs.
pub const GROUPS: &[Group] = &[
    Group {
        name: "platform",
        ids: &["system", "kernel", "kernel_version", "machine", "python_version", "architecture", "machine_id"],
        needs: &[],
        minimal: true,
        gather: platform::facts,
    },
    Group {
        name: "distribution",
        ids: &["distribution_version", "distribution_release", "distribution_major_version", "os_family"],
        needs: &[],
        minimal: true,
        gather: |ask, _| distribution::facts(ask.system),
    },
    Group { name: "lsb", ids: &[], needs: &[], minimal: true, gather: |ask, _| distribution::lsb(ask.system) },
    Group { name: "selinux", ids: &[], needs: &[], minimal: true, gather: |ask, _| security::selinux(ask.system) },
    Group { name: "apparmor", ids: &[], needs: &[], minimal: true, gather: |ask, _| security::apparmor(ask.system) },
    Group {
        name: "chroot",
        ids: &["is_chroot"],
        needs: &[],
        minimal: false,
        gather: |ask, _| security::chroot(ask.system),
    },
    Group { name: "fips", ids: &[], needs: &[], minimal: true, gather: |ask, _| security::fips(ask.system) },
    Group { name: "python", ids: &[], needs: &[], minimal: true, gather: |ask, _| python::facts(ask.system) },
    Group {
        name: "caps",
        ids: &["system_capabilities", "system_capabilities_enforced"],
        needs: &[],
        minimal: true,
        gather: |ask, _| security::capabilities(ask.system),
    },
    Group {
        name: "pkg_mgr",
        ids: &[],
        needs: &["distribution"],
        minimal: true,
        gather: |ask, _| packages::manager(ask),
    },
    Group {
        name: "service_mgr",
        ids: &[],
        needs: &["platform", "distribution"],
        minimal: true,
        gather: |ask, _| services::manager(ask),
    },
    Group { name: "cmdline", ids: &[], needs: &[], minimal: true, gather: |ask, _| platform::cmdline(ask.system) },
    Group { name: "date_time", ids: &[], needs: &[], minimal: true, gather: |ask, _| time::facts(ask.system) },
    Group { name: "env", ids: &[], needs: &[], minimal: true, gather: |ask, _| session::environment(ask.system) },
    Group { name: "loadavg", ids: &[], needs: &[], minimal: false, gather: |ask, _| memory::load(ask.system) },
    Group {
        name: "ssh_pub_keys",
        ids: &[
            "ssh_host_pub_keys",
            "ssh_host_key_dsa_public",
            "ssh_host_key_rsa_public",
            "ssh_host_key_ecdsa_public",
            "ssh_host_key_ed25519_public",
        ],
        needs: &[],
        minimal: true,
        gather: |ask, _| session::host_keys(ask.system),
    },
    Group {
        name: "user",
        ids: &[
            "user_id",
            "user_uid",
            "user_gid",
            "user_gecos",
            "user_dir",
            "user_shell",
            "real_user_id",
            "effective_user_id",
            "effective_group_ids",
        ],
        needs: &[],
        minimal: true,
        gather: |ask, _| session::user(ask.system),
    },
    Group { name: "systemd", ids: &[], needs: &[], minimal: false, gather: |ask, _| services::systemd(ask.system) },
    Group {
        name: "virtual",
        ids: &["virtualization_type", "virtualization_role", "virtualization_tech_guest", "virtualization_tech_host"],
        needs: &[],
        minimal: false,
        gather: |ask, _| virtualization::facts(ask.system),
    },
    Group {
        name: "hardware",
        ids: &["processor", "processor_cores", "processor_count", "mounts", "devices"],
        needs: &["platform"],
        minimal: false,
        gather: hardware,
    },
    Group { name: "dns", ids: &[], needs: &[], minimal: true, gather: |ask, _| network::dns(ask.system) },
    Group {
        name: "fibre_channel_wwn",
        ids: &[],
        needs: &[],
        minimal: false,
        gather: |ask, _| devices::fibre_channel(ask.system),
    },
    Group { name: "iscsi", ids: &[], needs: &[], minimal: false, gather: |ask, _| devices::iscsi(ask.system) },
    Group { name: "nvme", ids: &[], needs: &[], minimal: false, gather: |ask, _| devices::nvme(ask.system) },
    Group {
        name: "network",
        ids: &["interfaces", "default_ipv4", "default_ipv6", "all_ipv4_addresses", "all_ipv6_addresses"],
        needs: &["distribution", "platform"],
        minimal: false,
        gather: |ask, _| network::facts(ask.system),
    },
    Group { name: "local", ids: &[], needs: &[], minimal: true, gather: local::facts },
];

fn hardware(ask: &Ask, warnings: &mut Vec<String>) -> Map {
    let mut facts = cpu::facts(ask);
    facts.extend(memory::facts(ask.system));
    facts.extend(dmi::facts(ask.system));
    facts.extend(devices::facts(ask.system));
    facts.extend(memory::uptime(ask.system));
    facts.extend(lvm::facts(ask.system));
    facts.extend(mounts::facts(ask, warnings));
    facts
}

/// A file's text without blanks around it; `None` if it cannot be read or holds nothing.
pub fn text(system: &dyn System, path: impl AsRef<Path>) -> Option<String> {
    let bytes = system.read(path.as_ref()).ok()??;
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// Whether anything stands there.
pub fn exists(system: &dyn System, path: impl AsRef<Path>) -> bool {
    matches!(system.stat(path.as_ref(), true), Ok(Some(_)))
}

/// The names in a directory; none if it cannot be read.
pub fn names(system: &dyn System, path: impl AsRef<Path>) -> Vec<String> {
    let names = system.list(path.as_ref()).ok().flatten().unwrap_or_default();
    names.iter().map(|name| name.to_string_lossy().into_owned()).collect()
}

/// The last part of what a link points at.
pub fn link_name(system: &dyn System, path: impl AsRef<Path>) -> Option<String> {
    let target = system.read_link(path.as_ref()).ok()?;
    Some(target.file_name()?.to_string_lossy().into_owned())
}

/// `KEY=value` lines, quotes taken off; `#` begins a comment line.
pub fn assignments(text: &str) -> impl Iterator<Item = (&str, String)> {
    text.lines().filter_map(|line| {
        let (key, value) = line.trim().split_once('=')?;
        let unquoted = value.trim().trim_matches(['"', '\'']).replace("\\\"", "\"").replace("\\$", "$");
        (!key.starts_with('#')).then_some((key, unquoted))
    })
}
