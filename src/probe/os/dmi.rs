//! What the firmware says of the machine.

use super::{exists, text};
use crate::system::System;
use crate::value::Map;

const FOLDER: &str = "/sys/devices/virtual/dmi/id";

/// Fact and file.
const FACTS: &[(&str, &str)] = &[
    ("bios_date", "bios_date"),
    ("bios_vendor", "bios_vendor"),
    ("bios_version", "bios_version"),
    ("board_asset_tag", "board_asset_tag"),
    ("board_name", "board_name"),
    ("board_serial", "board_serial"),
    ("board_vendor", "board_vendor"),
    ("board_version", "board_version"),
    ("chassis_asset_tag", "chassis_asset_tag"),
    ("chassis_serial", "chassis_serial"),
    ("chassis_vendor", "chassis_vendor"),
    ("chassis_version", "chassis_version"),
    ("form_factor", "chassis_type"),
    ("product_name", "product_name"),
    ("product_serial", "product_serial"),
    ("product_uuid", "product_uuid"),
    ("product_version", "product_version"),
    ("system_vendor", "sys_vendor"),
];

/// The kinds of chassis, by their number in the SMBIOS specification.
const CHASSIS: &[&str] = &[
    "Unknown",
    "Other",
    "Unknown",
    "Desktop",
    "Low Profile Desktop",
    "Pizza Box",
    "Mini Tower",
    "Tower",
    "Portable",
    "Laptop",
    "Notebook",
    "Hand Held",
    "Docking Station",
    "All In One",
    "Sub Notebook",
    "Space-saving",
    "Lunch Box",
    "Main Server Chassis",
    "Expansion Chassis",
    "Sub Chassis",
    "Bus Expansion Chassis",
    "Peripheral Chassis",
    "RAID Chassis",
    "Rack Mount Chassis",
    "Sealed-case PC",
    "Multi-system",
    "CompactPCI",
    "AdvancedTCA",
    "Blade",
    "Blade Enclosure",
    "Tablet",
    "Convertible",
    "Detachable",
    "IoT Gateway",
    "Embedded PC",
    "Mini PC",
    "Stick PC",
];

/// `product_name`, `system_vendor`, `bios_version` and their kin: `NA` for what is not known.
pub fn facts(system: &dyn System) -> Map {
    let there = exists(system, format!("{FOLDER}/product_name"));
    let read = |(fact, file): &(&str, &str)| {
        let value = there.then(|| text(system, format!("{FOLDER}/{file}"))).flatten();
        let value = value.unwrap_or_else(|| "NA".to_owned());
        let value = if *fact == "form_factor" { form_factor(value) } else { value };
        ((*fact).to_owned(), value.into())
    };
    FACTS.iter().map(read).collect()
}

fn form_factor(number: String) -> String {
    match number.parse::<usize>() {
        Ok(index) => CHASSIS.get(index).map_or_else(|| format!("unknown ({number})"), |name| (*name).to_owned()),
        Err(_) => number,
    }
}
