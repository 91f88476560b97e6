//! Disks and their partitions.

use std::collections::BTreeMap;

use super::{exists, link_name, names, text};
use crate::map;
use crate::system::System;
use crate::value::{Map, Value};

const BLOCK: &str = "/sys/block";

/// Device → its names of one kind, sorted.
type Links = BTreeMap<String, Vec<String>>;

/// `devices` and `device_links`.
pub fn facts(system: &dyn System) -> Map {
    let disks = names(system, BLOCK);
    if !exists(system, BLOCK) {
        return map! { "devices" => Map::new() };
    }
    let links = [
        ("ids", links_in(system, "/dev/disk/by-id")),
        ("uuids", links_in(system, "/dev/disk/by-uuid")),
        ("labels", links_in(system, "/dev/disk/by-label")),
        ("masters", masters(system, &disks)),
    ];
    let devices: Map = disks.iter().map(|name| (name.clone(), disk(system, name, &links).into())).collect();
    let all: Map = links
        .iter()
        .map(|(kind, links)| {
            let links: Map = links.iter().map(|(device, names)| (device.clone(), names.clone().into())).collect();
            ((*kind).to_owned(), links.into())
        })
        .collect();
    map! { "devices" => devices, "device_links" => all }
}

/// Device → UUID of what it holds, from the links of udev.
pub fn uuids(system: &dyn System) -> BTreeMap<String, String> {
    let links = links_in(system, "/dev/disk/by-uuid");
    links.into_iter().filter_map(|(device, mut names)| Some((device, names.pop()?))).collect()
}

fn links_in(system: &dyn System, folder: &str) -> Links {
    let mut found = Links::new();
    for name in names(system, folder) {
        if let Some(device) = link_name(system, format!("{folder}/{name}")) {
            found.entry(device).or_default().push(name);
        }
    }
    found
}

/// Device → devices that are made of it.
fn masters(system: &dyn System, disks: &[String]) -> Links {
    let mut found = Links::new();
    for disk in disks {
        for part in names(system, format!("{BLOCK}/{disk}/slaves")) {
            found.entry(part).or_default().push(disk.clone());
        }
    }
    found
}

fn disk(system: &dyn System, name: &str, links: &[(&str, Links)]) -> Map {
    let folder = format!("{BLOCK}/{name}");
    let read = |file: &str| text(system, format!("{folder}/{file}"));
    let logical = read("queue/logical_block_size").or_else(|| read("queue/hw_sector_size"));
    let (sectors, size) = size(read("size"), logical.as_deref());
    let discard = match read("queue/discard_max_hw_bytes").as_deref() {
        Some("0") => Some("0".to_owned()),
        _ => read("queue/discard_granularity"),
    };
    let scheduler = read("queue/scheduler").unwrap_or_default();
    let chosen = scheduler.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map_or("", |(name, _)| name);
    let wwn = links[0].1.get(name).and_then(|ids| ids.iter().find_map(|id| id.strip_prefix("wwn-")));
    let partitions: Map = names(system, &folder)
        .into_iter()
        .filter(|entry| is_partition(entry, name))
        .map(|entry| (entry.clone(), partition(system, &folder, &entry, links).into()))
        .collect();
    let mut facts = map! {
        "virtual" => 1,
        "links" => links_of(name, links),
        "vendor" => read("device/vendor"),
        "model" => read("device/model"),
        "sas_address" => read("device/sas_address"),
        "sas_device_handle" => read("device/sas_device_handle"),
        "removable" => read("removable"),
        "support_discard" => discard,
        "partitions" => partitions,
        "rotational" => read("queue/rotational"),
        "scheduler_mode" => chosen,
        "sectors" => sectors,
        "sectorsize" => logical.map_or(Value::Int(512), Value::from),
        "size" => size,
        "host" => "",
        "holders" => holders(system, &folder),
    };
    for (key, value) in [("serial", read("device/serial")), ("wwn", wwn.map(str::to_owned))] {
        if let Some(value) = value {
            facts.insert(key.to_owned(), value.into());
        }
    }
    facts
}

/// `sda1` of `sda`, `nvme0n1p1` of `nvme0n1`.
fn is_partition(entry: &str, disk: &str) -> bool {
    let Some(rest) = entry.strip_prefix(disk) else { return false };
    let digits = rest.strip_prefix('p').unwrap_or(rest);
    !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit())
}

fn partition(system: &dyn System, folder: &str, name: &str, links: &[(&str, Links)]) -> Map {
    let folder = format!("{folder}/{name}");
    let (sectors, size) = size(text(system, format!("{folder}/size")), None);
    map! {
        "links" => links_of(name, links),
        "start" => text(system, format!("{folder}/start")).map_or(Value::Int(0), Value::from),
        "sectorsize" => 512,
        "sectors" => sectors,
        "size" => size,
        "uuid" => links[1].1.get(name).and_then(|uuids| uuids.last().cloned()),
        "holders" => holders(system, &folder),
    }
}

fn links_of(device: &str, links: &[(&str, Links)]) -> Map {
    links.iter().map(|(kind, of)| ((*kind).to_owned(), of.get(device).cloned().unwrap_or_default().into())).collect()
}

/// Names of the mapped devices on top.
fn holders(system: &dyn System, folder: &str) -> Vec<String> {
    let mapped = names(system, format!("{folder}/holders")).into_iter().filter(|name| name.starts_with("dm-"));
    mapped.map(|name| text(system, format!("{folder}/holders/{name}/dm/name")).unwrap_or(name)).collect()
}

/// The number of sectors of their real size, and the whole for people. The kernel always counts in 512 bytes.
fn size(blocks: Option<String>, sector: Option<&str>) -> (i64, String) {
    let sector = sector.and_then(|bytes| bytes.parse::<i64>().ok()).filter(|bytes| *bytes > 0).unwrap_or(512);
    let sectors = blocks.and_then(|blocks| blocks.parse::<i64>().ok()).unwrap_or(0).saturating_mul(512) / sector;
    (sectors, human(sectors as f64 * sector as f64))
}

fn human(bytes: f64) -> String {
    let units = [("Bytes", 0), ("KB", 10), ("MB", 20), ("GB", 30), ("TB", 40), ("PB", 50), ("EB", 60)];
    let fits = |(_, power): &&(&str, i32)| *power == 0 || bytes >= 2_f64.powi(*power);
    let (unit, power) = units.iter().rev().find(fits).copied().unwrap_or(units[0]);
    format!("{:.2} {unit}", bytes / 2_f64.powi(power))
}

/// `fibre_channel_wwn`.
pub fn fibre_channel(system: &dyn System) -> Map {
    let hosts = names(system, "/sys/class/fc_host");
    let wwn = |host: String| text(system, format!("/sys/class/fc_host/{host}/port_name"));
    let wwns: Vec<String> = hosts.into_iter().filter_map(wwn).map(|name| name.chars().skip(2).collect()).collect();
    map! { "fibre_channel_wwn" => wwns }
}

/// `iscsi_iqn`.
pub fn iscsi(system: &dyn System) -> Map {
    let text = text(system, "/etc/iscsi/initiatorname.iscsi").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("InitiatorName="));
    map! { "iscsi_iqn" => name.unwrap_or_default() }
}

/// `hostnqn`.
pub fn nvme(system: &dyn System) -> Map {
    let text = text(system, "/etc/nvme/hostnqn").unwrap_or_default();
    map! { "hostnqn" => text.lines().find(|line| line.starts_with("nqn.")).unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::fake::Fake;

    #[test]
    fn sizes_for_people() {
        assert_eq!(human(0.0), "0.00 Bytes");
        assert_eq!(human(1536.0), "1.50 KB");
        assert_eq!(human(21_474_836_480.0), "20.00 GB");
        assert_eq!(size(Some("16".into()), Some("4096")), (2, "8.00 KB".into()));
    }

    #[test]
    fn a_disk_with_a_partition() {
        let fake = Fake::new()
            .file("/sys/block/sda/size", "41943040")
            .file("/sys/block/sda/queue/logical_block_size", "512")
            .file("/sys/block/sda/queue/scheduler", "none [mq-deadline] bfq")
            .file("/sys/block/sda/sda1/size", "2048")
            .file("/sys/block/sda/sda1/start", "2048")
            .link("/dev/disk/by-uuid/abc-def", "../../sda1")
            .link("/dev/disk/by-id/wwn-0x5000", "../../sda");
        let facts = facts(&fake);
        let sda = facts["devices"].get("sda").unwrap();
        assert_eq!(sda.get("size"), Some(&"20.00 GB".into()));
        assert_eq!((sda.get("wwn"), sda.get("scheduler_mode")), (Some(&"0x5000".into()), Some(&"mq-deadline".into())));
        let part = sda.get("partitions").and_then(|parts| parts.get("sda1")).unwrap();
        assert_eq!((part.get("uuid"), part.get("start")), (Some(&"abc-def".into()), Some(&"2048".into())));
        assert!(is_partition("nvme0n1p2", "nvme0n1") && !is_partition("sdaa", "sda"));
    }
}
