//! Which distribution this is.

use super::{assignments, exists, text};
use crate::map;
use crate::system::System;
use crate::value::Map;

/// What `/etc/os-release` says.
struct Release {
    fields: Vec<(String, String)>,
}

impl Release {
    fn read(system: &dyn System) -> Release {
        let text = text(system, "/etc/os-release").or_else(|| text(system, "/usr/lib/os-release")).unwrap_or_default();
        Release { fields: assignments(&text).map(|(key, value)| (key.to_owned(), value)).collect() }
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.fields.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    fn field(&self, key: &str) -> &str {
        self.get(key).unwrap_or_default()
    }

    fn id(&self) -> &str {
        self.field("ID")
    }

    fn is_like(&self, id: &str) -> bool {
        self.id() == id || self.field("ID_LIKE").split_whitespace().any(|like| like == id)
    }
}

/// `distribution`, `distribution_version`, `distribution_release`, `os_family` and their kin.
pub fn facts(system: &dyn System) -> Map {
    let release = Release::read(system);
    let name = name(system, &release);
    let version = version(system, &release);
    let (variety, path) = source(system, &release, &name);
    let mut parts = version.split('.');
    let major = parts.next().filter(|part| !part.is_empty()).unwrap_or("NA");
    let mut facts = map! {
        "distribution" => name.as_str(),
        "distribution_release" => codename(&release).unwrap_or_else(|| "NA".to_owned()),
        "distribution_version" => if version.is_empty() { "NA" } else { &version },
        "distribution_major_version" => major,
        "distribution_file_path" => path,
        "distribution_file_variety" => variety,
        "distribution_file_parsed" => true,
        "os_family" => family(&name),
    };
    let minor = match release.id() {
        "debian" | "raspbian" => debian_version(system).split_once('.').map(|(_, minor)| minor.to_owned()),
        "amzn" => Some(parts.next().unwrap_or("NA").to_owned()),
        _ => None,
    };
    if let Some(minor) = minor {
        facts.insert("distribution_minor_version".into(), minor.into());
    }
    facts
}

fn name(system: &dyn System, release: &Release) -> String {
    match release.id() {
        "debian" | "raspbian" => "Debian",
        "ubuntu" => "Ubuntu",
        "linuxmint" if release.field("NAME") == "LMDE" => "Linux Mint Debian Edition",
        "linuxmint" => "Linux Mint",
        "devuan" => "Devuan",
        "kali" => "Kali",
        "parrot" => "Parrot",
        "steamos" => "SteamOS",
        "deepin" => "Deepin",
        "uos" => "Uos",
        "rhel" => "RedHat",
        "centos" => "CentOS",
        "fedora" => "Fedora",
        "rocky" => "Rocky",
        "almalinux" => "AlmaLinux",
        "ol" => "OracleLinux",
        "amzn" => "Amazon",
        "openEuler" => "openEuler",
        "arch" | "manjaro" | "endeavouros" | "archarm" => "Archlinux",
        "alpine" => "Alpine",
        "gentoo" => "Gentoo",
        "slackware" => "Slackware",
        "altlinux" => "Altlinux",
        "openwrt" => "OpenWrt",
        "sles_sap" => "SLES_SAP",
        "sl-micro" => "SL-Micro",
        "flatcar" => "Flatcar",
        _ => return other_name(system, release),
    }
    .to_owned()
}

/// What a distribution that we do not know calls itself.
fn other_name(system: &dyn System, release: &Release) -> String {
    let red_hat = text(system, "/etc/redhat-release");
    if let Some(first) = red_hat.as_deref().and_then(|line| line.split_whitespace().next()) {
        return if first == "Red" { "RedHat".to_owned() } else { first.to_owned() };
    }
    match release.field("NAME") {
        "" => "OtherLinux".to_owned(),
        name => name.to_owned(),
    }
}

fn version(system: &dyn System, release: &Release) -> String {
    let named = release.field("VERSION_ID");
    match release.id() {
        // Neither names its minor version in os-release.
        "debian" | "raspbian" => match debian_version(system) {
            full if full.contains('.') && !full.contains('/') => full,
            _ => named.to_owned(),
        },
        "centos" => {
            let line = text(system, "/etc/centos-release").unwrap_or_default();
            let full = line.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
            full.unwrap_or(named).split('.').take(2).collect::<Vec<_>>().join(".")
        }
        "alpine" => text(system, "/etc/alpine-release").unwrap_or_else(|| named.to_owned()),
        _ if named.is_empty() => release.field("VERSION").to_owned(),
        _ => named.to_owned(),
    }
}

fn debian_version(system: &dyn System) -> String {
    text(system, "/etc/debian_version").unwrap_or_default()
}

fn codename(release: &Release) -> Option<String> {
    let version = release.field("VERSION_ID");
    match release.id() {
        id if id == "suse" || id.starts_with("opensuse") || id.starts_with("sle") => {
            let minor = version.split_once('.').map_or("", |(_, minor)| minor);
            return Some(if minor.is_empty() && id.starts_with("sle") { "0" } else { minor }.to_owned());
        }
        "centos" if release.field("NAME").contains("Stream") => return Some("Stream".to_owned()),
        _ => {}
    }
    let named = release.get("VERSION_CODENAME").or_else(|| release.get("UBUNTU_CODENAME"));
    if let Some(name) = named {
        return Some(name.to_owned());
    }
    let (_, rest) = release.field("VERSION").split_once('(')?;
    let name = rest.split(')').next().unwrap_or_default();
    (!name.contains(|c: char| c.is_ascii_digit())).then(|| name.to_owned())
}

/// Which kind of file told it, and its path.
fn source(system: &dyn System, release: &Release, name: &str) -> (&'static str, &'static str) {
    match family(name) {
        "Debian" => ("Debian", "/etc/os-release"),
        "RedHat" if name == "Amazon" => ("Amazon", "/etc/os-release"),
        "RedHat" if name == "OracleLinux" => ("OracleLinux", "/etc/oracle-release"),
        "RedHat" if release.field("NAME") == "CentOS Stream" => ("CentOS", "/etc/centos-release"),
        "RedHat" if exists(system, "/etc/redhat-release") => ("RedHat", "/etc/redhat-release"),
        "Suse" => ("SUSE", "/etc/os-release"),
        "Archlinux" => ("Archlinux", "/etc/arch-release"),
        "Alpine" => ("Alpine", "/etc/alpine-release"),
        "Gentoo" => ("Gentoo", "/etc/gentoo-release"),
        "Slackware" => ("Slackware", "/etc/slackware-version"),
        _ => ("NA", "/etc/os-release"),
    }
}

/// The family of a distribution; one of its own if it has no relatives.
fn family(name: &str) -> &str {
    match name {
        "RedHat"
        | "RHEL"
        | "Fedora"
        | "CentOS"
        | "Scientific"
        | "SLC"
        | "Ascendos"
        | "CloudLinux"
        | "PSBM"
        | "OracleLinux"
        | "OVS"
        | "OEL"
        | "Amazon"
        | "Amzn"
        | "Virtuozzo"
        | "XenServer"
        | "Alibaba"
        | "EulerOS"
        | "openEuler"
        | "AlmaLinux"
        | "Rocky"
        | "TencentOS"
        | "EuroLinux"
        | "Kylin Linux Advanced Server"
        | "MIRACLE" => "RedHat",
        "Debian"
        | "Ubuntu"
        | "Raspbian"
        | "Neon"
        | "KDE neon"
        | "Linux Mint"
        | "SteamOS"
        | "Devuan"
        | "Kali"
        | "Cumulus Linux"
        | "Pop!_OS"
        | "Parrot"
        | "Pardus GNU/Linux"
        | "Uos"
        | "Deepin"
        | "OSMC"
        | "Linux Mint Debian Edition" => "Debian",
        "SuSE"
        | "SLES"
        | "SLED"
        | "openSUSE"
        | "openSUSE Tumbleweed"
        | "SLES_SAP"
        | "SUSE_LINUX"
        | "openSUSE Leap"
        | "ALP-Dolomite"
        | "SL-Micro"
        | "openSUSE MicroOS" => "Suse",
        "Archlinux" | "Antergos" | "Manjaro" => "Archlinux",
        "Gentoo" | "Funtoo" => "Gentoo",
        "Clear Linux OS" | "Clear Linux Mix" => "ClearLinux",
        other => other,
    }
}

/// `lsb`: what `/etc/lsb-release` says; where only the program `lsb_release` is there, what it would print.
pub fn lsb(system: &dyn System) -> Map {
    let mut lsb = Map::new();
    let mut put = |key: &str, value: &str| {
        if !value.is_empty() {
            lsb.insert(key.to_owned(), value.into());
        }
    };
    if let Some(text) = text(system, "/etc/lsb-release") {
        for (key, value) in assignments(&text) {
            match key {
                "DISTRIB_ID" => put("id", &value),
                "DISTRIB_DESCRIPTION" => put("description", &value),
                "DISTRIB_RELEASE" => put("release", &value),
                "DISTRIB_CODENAME" => put("codename", &value),
                _ => {}
            }
        }
    } else if system.which("lsb_release").is_some() {
        let release = Release::read(system);
        let id = if release.is_like("debian") { name(system, &release) } else { release.field("NAME").to_owned() };
        put("id", &id);
        put("description", release.field("PRETTY_NAME"));
        put("release", release.field("VERSION_ID"));
        put("codename", &codename(&release).unwrap_or_default());
    }
    if let Some(major) = lsb.get("release").and_then(|value| value.as_str()?.split('.').next()).map(str::to_owned) {
        lsb.insert("major_release".into(), major.into());
    }
    map! { "lsb" => lsb }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::fake::Fake;

    #[track_caller]
    fn case(fake: Fake, expected: [&str; 5]) {
        let facts = facts(&fake);
        let keys = ["", "_version", "_major_version", "_release"].map(|key| format!("distribution{key}"));
        let mut got: Vec<_> = keys.iter().map(|key| facts[key.as_str()].as_str().unwrap_or_default()).collect();
        got.push(facts["os_family"].as_str().unwrap_or_default());
        assert_eq!(got, expected);
    }

    fn with(release: &str) -> Fake {
        Fake::new().file("/etc/os-release", release)
    }

    #[test]
    fn debian_has_its_minor_version_elsewhere() {
        let release = "ID=debian\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\n";
        let fake = with(release).file("/etc/debian_version", "12.15\n");
        assert_eq!(facts(&fake)["distribution_minor_version"], "15".into());
        case(fake, ["Debian", "12.15", "12", "bookworm", "Debian"]);
        case(with(release).file("/etc/debian_version", "trixie/sid\n"), ["Debian", "12", "12", "bookworm", "Debian"]);
    }

    #[test]
    fn relatives() {
        let ubuntu = "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"22.04\"\nVERSION_CODENAME=jammy\n";
        case(with(ubuntu), ["Ubuntu", "22.04", "22", "jammy", "Debian"]);
        let rocky = "ID=\"rocky\"\nVERSION=\"9.3 (Blue Onyx)\"\nVERSION_ID=\"9.3\"\n";
        case(with(rocky), ["Rocky", "9.3", "9", "Blue Onyx", "RedHat"]);
        let leap = "ID=\"opensuse-leap\"\nNAME=\"openSUSE Leap\"\nVERSION_ID=\"15.5\"\n";
        case(with(leap), ["openSUSE Leap", "15.5", "15", "5", "Suse"]);
        let alpine = with("ID=alpine\nVERSION_ID=3.19.1\n").file("/etc/alpine-release", "3.19.1\n");
        case(alpine, ["Alpine", "3.19.1", "3", "NA", "Alpine"]);
    }

    #[test]
    fn lsb_comes_from_its_file() {
        let fake = Fake::new().file("/etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=22.04\n");
        let expected = map! { "id" => "Ubuntu", "release" => "22.04", "major_release" => "22" };
        assert_eq!(lsb(&fake)["lsb"], expected.into());
        assert_eq!(lsb(&Fake::new())["lsb"], Map::new().into());
    }
}
