//! SELinux, AppArmor, FIPS, capabilities, chroot.

use super::{assignments, exists, text};
use crate::map;
use crate::system::System;
use crate::value::Map;

/// `selinux`.
pub fn selinux(system: &dyn System) -> Map {
    let fs = "/sys/fs/selinux";
    let mode = |number: &str| match number {
        "1" => "enforcing",
        "0" => "permissive",
        _ => "unknown",
    };
    let status = match text(system, format!("{fs}/enforce")) {
        None => map! { "status" => "disabled" },
        Some(enforce) => {
            let config = text(system, "/etc/selinux/config").unwrap_or_default();
            let field = |key: &str| assignments(&config).find(|(name, _)| *name == key).map(|(_, value)| value);
            let version = text(system, format!("{fs}/policyvers")).and_then(|number| number.parse::<i64>().ok());
            map! {
                "status" => "enabled",
                "policyvers" => version,
                "config_mode" => field("SELINUX").unwrap_or_else(|| "unknown".to_owned()),
                "mode" => mode(&enforce),
                "type" => field("SELINUXTYPE").unwrap_or_else(|| "unknown".to_owned()),
            }
        }
    };
    // Nothing here needs a Python library, so it never lacks one.
    map! { "selinux" => status, "selinux_python_present" => true }
}

/// `apparmor`.
pub fn apparmor(system: &dyn System) -> Map {
    let status = if exists(system, "/sys/kernel/security/apparmor") { "enabled" } else { "disabled" };
    map! { "apparmor" => map! { "status" => status } }
}

/// `fips`.
pub fn fips(system: &dyn System) -> Map {
    map! { "fips" => text(system, "/proc/sys/crypto/fips_enabled").as_deref() == Some("1") }
}

/// `is_chroot`: whether our root is another than that of process 1.
pub fn chroot(system: &dyn System) -> Map {
    if system.env("debian_chroot").is_some_and(|name| !name.is_empty()) {
        return map! { "is_chroot" => true };
    }
    let root = |path: &str| system.stat(path.as_ref(), true).ok().flatten().map(|stat| (stat.dev, stat.ino));
    let is_chroot = match (root("/"), root("/proc/1/root/.")) {
        (Some(mine), Some(first)) => mine != first,
        // Only root may look there. The root of most file systems is inode 2, of XFS 128, of btrfs 256.
        (Some((_, inode)), None) => !matches!(inode, 1 | 2 | 128 | 256),
        (None, _) => false,
    };
    map! { "is_chroot" => is_chroot }
}

/// The capabilities by their number in the kernel.
const CAPABILITIES: &[&str] = &[
    "cap_chown",
    "cap_dac_override",
    "cap_dac_read_search",
    "cap_fowner",
    "cap_fsetid",
    "cap_kill",
    "cap_setgid",
    "cap_setuid",
    "cap_setpcap",
    "cap_linux_immutable",
    "cap_net_bind_service",
    "cap_net_broadcast",
    "cap_net_admin",
    "cap_net_raw",
    "cap_ipc_lock",
    "cap_ipc_owner",
    "cap_sys_module",
    "cap_sys_rawio",
    "cap_sys_chroot",
    "cap_sys_ptrace",
    "cap_sys_pacct",
    "cap_sys_admin",
    "cap_sys_boot",
    "cap_sys_nice",
    "cap_sys_resource",
    "cap_sys_time",
    "cap_sys_tty_config",
    "cap_mknod",
    "cap_lease",
    "cap_audit_write",
    "cap_audit_control",
    "cap_setfcap",
    "cap_mac_override",
    "cap_mac_admin",
    "cap_syslog",
    "cap_wake_alarm",
    "cap_block_suspend",
    "cap_audit_read",
    "cap_perfmon",
    "cap_bpf",
    "cap_checkpoint_restore",
];

/// `system_capabilities` (the effective ones) and whether any is missing, `system_capabilities_enforced`.
pub fn capabilities(system: &dyn System) -> Map {
    let status = text(system, "/proc/self/status").unwrap_or_default();
    let effective = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
    let Some(effective) = effective else {
        return map! { "system_capabilities" => "N/A", "system_capabilities_enforced" => "N/A" };
    };
    let last = text(system, "/proc/sys/kernel/cap_last_cap").and_then(|number| number.parse::<usize>().ok());
    let known = CAPABILITIES.len().min(last.map_or(usize::MAX, |last| last + 1));
    let held: Vec<_> = (0..known).filter(|bit| effective >> bit & 1 == 1).map(|bit| CAPABILITIES[bit]).collect();
    match held.len() == known {
        true => map! { "system_capabilities" => Vec::<String>::new(), "system_capabilities_enforced" => "False" },
        false => map! { "system_capabilities" => held, "system_capabilities_enforced" => "True" },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::fake::Fake;

    #[test]
    fn capabilities_by_bits() {
        let with = |bits: &str| {
            let status = format!("Name:\tx\nCapEff:\t{bits}\n");
            capabilities(&Fake::new().file("/proc/self/status", status).file("/proc/sys/kernel/cap_last_cap", "40\n"))
        };
        assert_eq!(with("000001ffffffffff")["system_capabilities_enforced"], "False".into());
        assert_eq!(with("0000000000000003")["system_capabilities"], vec!["cap_chown", "cap_dac_override"].into());
    }

    #[test]
    fn selinux_of_its_file_system() {
        let fake = Fake::new()
            .file("/sys/fs/selinux/enforce", "1")
            .file("/sys/fs/selinux/policyvers", "33")
            .file("/etc/selinux/config", "# x\nSELINUX=permissive\nSELINUXTYPE=targeted\n");
        let expected = serde_json::json!({
            "status": "enabled", "policyvers": 33, "config_mode": "permissive", "mode": "enforcing", "type": "targeted",
        });
        assert_eq!(selinux(&fake)["selinux"].to_json(), expected);
        assert_eq!(selinux(&Fake::new())["selinux"].to_json(), serde_json::json!({"status": "disabled"}));
    }
}
