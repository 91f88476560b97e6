//! Whether the machine is virtual, or has virtual ones.

use super::{exists, text};
use crate::map;
use crate::system::System;
use crate::value::Map;

/// What was found. The first finding gives type and role; all of them go into the two sets.
#[derive(Default)]
struct Found {
    first: Option<(String, &'static str)>,
    guest: std::collections::BTreeSet<String>,
    host: std::collections::BTreeSet<String>,
}

impl Found {
    fn guest(&mut self, kind: &str) {
        self.guest.insert(kind.to_owned());
        self.first.get_or_insert_with(|| (kind.to_owned(), "guest"));
    }

    fn host(&mut self, kind: &str) {
        self.host.insert(kind.to_owned());
        self.first.get_or_insert_with(|| (kind.to_owned(), "host"));
    }
}

/// `virtualization_type`, `virtualization_role` and the sets of all that was found.
pub fn facts(system: &dyn System) -> Map {
    let mut found = Found::default();
    containers(system, &mut found);
    xen(system, &mut found);
    firmware(system, &mut found);
    processors(system, &mut found);
    host(system, &mut found);
    let (kind, role) = found.first.unwrap_or_else(|| ("NA".to_owned(), "NA"));
    map! {
        "virtualization_type" => kind,
        "virtualization_role" => role,
        "virtualization_tech_guest" => found.guest.into_iter().collect::<Vec<_>>(),
        "virtualization_tech_host" => found.host.into_iter().collect::<Vec<_>>(),
    }
}

fn containers(system: &dyn System, found: &mut Found) {
    let groups = text(system, "/proc/1/cgroup").unwrap_or_default();
    for line in groups.lines() {
        if line.contains("/docker/") || (line.contains("/docker-") && line.ends_with(".scope")) {
            found.guest("docker");
        }
        if line.contains("/lxc/") || line.contains("/machine.slice/machine-lxc") {
            found.guest("lxc");
        }
        if line.contains("/system.slice/containerd.service") {
            found.guest("containerd");
        }
    }
    let environment = text(system, "/proc/1/environ").unwrap_or_default();
    for kind in environment.split('\0').filter_map(|variable| variable.strip_prefix("container=")) {
        match kind {
            "" => continue,
            "lxc" | "podman" => found.guest(kind),
            _ => {}
        }
        found.guest("container");
    }
    if exists(system, "/proc/vz") && !exists(system, "/proc/lve") {
        if exists(system, "/proc/bc") { found.host("openvz") } else { found.guest("openvz") }
    }
    let systemd = text(system, "/run/systemd/container");
    if let Some(kind) = &systemd {
        found.guest(kind);
    }
    if exists(system, "/.dockerenv") || exists(system, "/.dockerinit") {
        found.guest("docker");
    }
    let known = ["docker", "lxc", "podman", "openvz", "containerd"];
    if systemd.is_some() || known.iter().any(|kind| found.guest.contains(*kind)) {
        found.guest.insert("container".to_owned());
    }
}

fn xen(system: &dyn System, found: &mut Found) {
    if !exists(system, "/proc/xen") {
        return;
    }
    if text(system, "/proc/xen/capabilities").is_some_and(|text| text.contains("control_d")) {
        found.host("xen");
    } else {
        found.first.get_or_insert_with(|| ("xen".to_owned(), "guest"));
    }
}

fn firmware(system: &dyn System, found: &mut Found) {
    let read = |file: &str| text(system, format!("/sys/devices/virtual/dmi/id/{file}")).unwrap_or_default();
    let (product, vendor, bios) = (read("product_name"), read("sys_vendor"), read("bios_vendor"));
    match product.as_str() {
        "KVM" | "KVM Server" | "Bochs" | "AHV" | "CloudStack KVM Hypervisor" => found.guest("kvm"),
        "RHEV Hypervisor" if vendor == "Red Hat" => found.guest("RHEV"),
        "OpenStack Compute" | "OpenStack Nova" => found.guest("openstack"),
        other if other.starts_with("VMware") => found.guest("VMware"),
        _ => {}
    }
    match bios.as_str() {
        "Xen" => found.guest("xen"),
        "innotek GmbH" => found.guest("virtualbox"),
        "Amazon EC2" | "DigitalOcean" | "Hetzner" | "Linode" => found.guest("kvm"),
        _ => {}
    }
    match vendor.as_str() {
        "oVirt" | "KubeVirt" => found.guest(&vendor),
        "Red Hat" if read("product_family") == "RHV" => found.guest("RHV"),
        "QEMU" | "Amazon EC2" | "DigitalOcean" | "Google" | "Scaleway" | "Nutanix" => found.guest("kvm"),
        "Microsoft Corporation" => found.guest("VirtualPC"),
        "Parallels Software International Inc." => found.guest("parallels"),
        "OpenStack Foundation" => found.guest("openstack"),
        _ => {}
    }
}

fn processors(system: &dyn System, found: &mut Found) {
    for line in text(system, "/proc/self/status").unwrap_or_default().lines() {
        match line.strip_prefix("VxID:").map(str::trim) {
            Some("0") => found.host("linux_vserver"),
            Some(_) => found.guest("linux_vserver"),
            None => {}
        }
    }
    for line in text(system, "/proc/cpuinfo").unwrap_or_default().lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        match key.trim_end() {
            "model name" if value.contains("QEMU Virtual CPU") => found.guest("kvm"),
            "model name" if value.contains("UML") => found.guest("uml"),
            "vendor_id" if value.contains("User Mode Linux") => found.guest("uml"),
            "vendor_id" if value.contains("PowerVM Lx86") => found.guest("powervm_lx86"),
            "machine" if value.contains("CHRP IBM pSeries (emulated by qemu)") => found.guest("kvm"),
            _ => {}
        }
    }
}

fn host(system: &dyn System, found: &mut Found) {
    let modules = text(system, "/proc/modules").unwrap_or_default();
    let loaded = |name: &str| modules.lines().any(|line| line.split(' ').next() == Some(name));
    if loaded("kvm") {
        found.host("kvm");
    }
    if loaded("vboxdrv") {
        found.host("virtualbox");
    }
    if loaded("virtio") {
        found.host.insert("kvm".to_owned());
        found.first.get_or_insert_with(|| ("kvm".to_owned(), "guest"));
    }
    if exists(system, "/dev/kvm") {
        found.host("kvm");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::fake::Fake;

    #[track_caller]
    fn case(fake: Fake, expected: serde_json::Value) {
        let facts = crate::value::Value::Map(facts(&fake)).to_json();
        let got: Vec<_> = ["type", "role", "tech_guest", "tech_host"]
            .map(|key| facts[format!("virtualization_{key}")].clone())
            .into();
        assert_eq!(serde_json::Value::from(got), expected);
    }

    #[test]
    fn kinds() {
        case(Fake::new(), serde_json::json!(["NA", "NA", [], []]));
        let kvm = Fake::new().file("/sys/devices/virtual/dmi/id/sys_vendor", "QEMU\n").file("/dev/kvm", "");
        case(kvm, serde_json::json!(["kvm", "guest", ["kvm"], ["kvm"]]));
        let nspawn = Fake::new()
            .file("/proc/1/environ", "TERM=x\0container=systemd-nspawn\0")
            .file("/run/systemd/container", "systemd-nspawn\n");
        case(nspawn, serde_json::json!(["container", "guest", ["container", "systemd-nspawn"], []]));
        let docker = Fake::new().file("/.dockerenv", "");
        case(docker, serde_json::json!(["docker", "guest", ["container", "docker"], []]));
    }
}
