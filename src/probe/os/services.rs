//! What starts services.

use super::{Ask, exists, link_name, text};
use crate::map;
use crate::system::{Command, System};
use crate::value::Map;

/// `service_mgr`.
pub fn manager(ask: &Ask) -> Map {
    let system = ask.system;
    let first = text(system, "/proc/1/comm").or_else(|| link_name(system, "/sbin/init"));
    // `init` may be anything, and a shell as first process means a container.
    let telling = first.filter(|name| name != "init" && !name.ends_with("sh"));
    let name = match telling.as_deref() {
        Some("procd") => "openwrt_init",
        Some("runit-init") => "runit",
        Some("svscan") => "svc",
        Some("openrc-init") => "openrc",
        Some(name) => name,
        None => guessed(ask),
    };
    map! { "service_mgr" => name }
}

fn guessed(ask: &Ask) -> &'static str {
    let system = ask.system;
    match ask.known("distribution") {
        "OpenWrt" => "openwrt_init",
        "SMGL" => "simpleinit_msb",
        _ if is_systemd(system) => "systemd",
        _ if system.which("initctl").is_some() && exists(system, "/etc/init") => "upstart",
        _ if exists(system, "/sbin/openrc") => "openrc",
        _ if system.which("systemctl").is_some() && link_name(system, "/sbin/init").as_deref() == Some("systemd") => {
            "systemd"
        }
        _ if exists(system, "/etc/init.d") => "sysvinit",
        _ if exists(system, "/etc/dinit.d") => "dinit",
        _ => "service",
    }
}

/// Whether systemd runs the machine.
pub fn is_systemd(system: &dyn System) -> bool {
    let booted = ["/run/systemd/system", "/dev/.run/systemd", "/dev/.systemd"];
    system.which("systemctl").is_some() && booted.iter().any(|path| exists(system, path))
}

/// `systemd`: its version and what it was built with.
pub fn systemd(system: &dyn System) -> Map {
    let parse = || {
        let output = system.query(&Command::new(["systemctl", "--version"])).ok().filter(|output| output.ok())?;
        let text = output.text();
        let mut lines = text.lines();
        let version = lines.next()?.split_whitespace().nth(1)?.parse::<i64>().ok()?;
        Some(map! { "systemd" => map! { "features" => lines.next().unwrap_or_default(), "version" => version } })
    };
    if is_systemd(system) { parse().unwrap_or_default() } else { Map::new() }
}
