//! Which package manager the distribution uses.

use super::{Ask, exists};
use crate::map;
use crate::value::Map;

/// Programs and what they are called; where several are installed, the last one counts.
const MANAGERS: &[(&str, &str)] = &[
    ("/usr/bin/rpm-ostree", "atomic_container"),
    ("/usr/bin/yum", "dnf"),
    ("/usr/bin/dnf-3", "dnf"),
    ("/usr/bin/dnf5", "dnf5"),
    ("/usr/bin/apt-get", "apt"),
    ("/usr/bin/zypper", "zypper"),
    ("/usr/sbin/urpmi", "urpmi"),
    ("/usr/bin/pacman", "pacman"),
    ("/bin/opkg", "opkg"),
    ("/home/linuxbrew/.linuxbrew/bin/brew", "homebrew"),
    ("/sbin/apk", "apk"),
    ("/usr/bin/emerge", "portage"),
    ("/usr/bin/xbps-install", "xbps"),
    ("/usr/bin/swupd", "swupd"),
    ("/usr/sbin/sorcery", "sorcery"),
];

/// `pkg_mgr`.
pub fn manager(ask: &Ask) -> Map {
    let found = MANAGERS.iter().rev().find(|(path, _)| exists(ask.system, path)).map(|(_, name)| *name);
    let name = match ask.known("os_family") {
        "RedHat" => red_hat(ask),
        // Other managers can be installed on Debian without being meant.
        "Debian" => "apt",
        "Altlinux" if found == Some("apt") => "apt_rpm",
        _ => found.unwrap_or("unknown"),
    };
    map! { "pkg_mgr" => name }
}

fn red_hat(ask: &Ask) -> &'static str {
    if exists(ask.system, "/run/ostree-booted") {
        return "atomic_container";
    }
    let found = ["/usr/bin/dnf", "/usr/bin/microdnf"].into_iter().find(|path| exists(ask.system, path));
    match found {
        Some(path) => match super::link_name(ask.system, path).as_deref() {
            Some("dnf5") => "dnf5",
            _ => "dnf",
        },
        None => "unknown",
    }
}
