//! The logical volume manager.

use super::{names, text};
use crate::map;
use crate::system::{Command, System};
use crate::value::Map;

/// `lvm`: groups, logical and physical volumes. Only root may ask.
pub fn facts(system: &dyn System) -> Map {
    if system.which("vgs").is_none() {
        return map! { "lvm" => "N/A" };
    }
    if system.identity().uid != 0 {
        return map! { "lvm" => "N/A" };
    }
    let any = is_used(system);
    let rows = |program: &str| if any { table(system, program) } else { Vec::new() };
    let field = |row: &[String], index: usize| row.get(index).cloned().unwrap_or_default();
    let groups: Map = rows("vgs")
        .iter()
        .map(|row| {
            let facts = map! {
                "size_g" => field(row, 5), "free_g" => field(row, 6), "num_lvs" => field(row, 2), "num_pvs" => field(row, 1),
            };
            (field(row, 0), facts.into())
        })
        .collect();
    let logical: Map = rows("lvs")
        .iter()
        .map(|row| (field(row, 0), map! { "size_g" => field(row, 3), "vg" => field(row, 1) }.into()))
        .collect();
    let physical: Map = rows("pvs")
        .iter()
        .map(|row| {
            let facts = map! { "size_g" => field(row, 4), "free_g" => field(row, 5), "vg" => field(row, 1) };
            (mapped_name(system, &field(row, 0)), facts.into())
        })
        .collect();
    map! { "lvm" => map! { "lvs" => logical, "vgs" => groups, "pvs" => physical } }
}

/// Whether there is any group: without one, its programs need not run.
fn is_used(system: &dyn System) -> bool {
    let is_volume =
        |name: &String| text(system, format!("/sys/block/{name}/dm/uuid")).is_some_and(|uuid| uuid.starts_with("LVM-"));
    ["/etc/lvm/backup", "/etc/lvm/archive"].iter().any(|folder| !names(system, folder).is_empty())
        || names(system, "/sys/block").iter().any(is_volume)
}

fn table(system: &dyn System, program: &str) -> Vec<Vec<String>> {
    let command = Command::new([program, "--noheadings", "--nosuffix", "--units", "g", "--separator", ","]);
    let text = system.query(&command).map(|output| output.text()).unwrap_or_default();
    let rows = text.lines().map(|line| line.trim().split(',').map(str::to_owned).collect::<Vec<_>>());
    rows.filter(|row| row.len() > 1).collect()
}

/// `/dev/mapper/NAME` of `/dev/dm-0`.
fn mapped_name(system: &dyn System, device: &str) -> String {
    let name = device.strip_prefix("/dev/").filter(|name| name.starts_with("dm-"));
    match name.and_then(|name| text(system, format!("/sys/block/{name}/dm/name"))) {
        Some(name) => format!("/dev/mapper/{name}"),
        None => device.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::fake::Fake;
    use crate::value::Value;

    #[test]
    fn groups_and_volumes() {
        let ask = |program| [program, "--noheadings", "--nosuffix", "--units", "g", "--separator", ","];
        let fake = Fake::new()
            .file("/etc/lvm/backup/vg0", "")
            .answers(&ask("vgs"), 0, "  vg0,1,2,0,wz--n-,19.99,4.00\n")
            .answers(&ask("lvs"), 0, "  root,vg0,-wi-ao----,15.99,,,,,,,,\n")
            .answers(&ask("pvs"), 0, "  /dev/sda2,vg0,lvm2,a--,19.99,4.00\n")
            .program("vgs");
        let expected = serde_json::json!({
            "lvs": {"root": {"size_g": "15.99", "vg": "vg0"}},
            "vgs": {"vg0": {"size_g": "19.99", "free_g": "4.00", "num_lvs": "2", "num_pvs": "1"}},
            "pvs": {"/dev/sda2": {"size_g": "19.99", "free_g": "4.00", "vg": "vg0"}},
        });
        assert_eq!(facts(&fake)["lvm"].to_json(), expected);
        assert_eq!(facts(&Fake::new())["lvm"], Value::from("N/A"));
    }
}
