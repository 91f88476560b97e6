//! Mounted file systems.

use std::collections::{BTreeMap, HashSet};
use std::io::ErrorKind;
use std::path::PathBuf;

use super::{Ask, devices, link_name, text};
use crate::map;
use crate::system::{Space, System};
use crate::value::Map;

/// A line of `/proc/mounts`.
struct Mount {
    device: String,
    path: String,
    kind: String,
    options: String,
    dump: i64,
    pass: i64,
}

/// `mounts`: file systems with a device or a server behind them.
pub fn facts(ask: &Ask, warnings: &mut Vec<String>) -> Map {
    let system = ask.system;
    let table = text(system, "/etc/mtab").or_else(|| text(system, "/proc/self/mounts")).unwrap_or_default();
    let bound = bound(&text(system, "/proc/self/mountinfo").unwrap_or_default());
    let mut mounts: indexmap::IndexMap<String, Mount> = indexmap::IndexMap::new();
    for mount in table.lines().filter_map(parse).filter(is_real) {
        mounts.insert(mount.path.clone(), mount);
    }
    let paths: Vec<PathBuf> = mounts.keys().map(PathBuf::from).collect();
    let uuids = devices::uuids(system);
    let space = system.space(&paths, ask.patience);
    let facts: Vec<Map> = mounts
        .values()
        .zip(space)
        .map(|(mount, space)| {
            let mut facts = mount.facts(bound.contains(&mount.path));
            match space {
                Ok(space) => facts.extend(sizes(&space)),
                Err(error) if error.kind() == ErrorKind::TimedOut => {
                    warnings.push(format!("{} does not answer: its size is not known", mount.path));
                    facts.insert("note".into(), "Could not get extra information due to timeout".into());
                }
                Err(_) => {}
            }
            let uuid = device_name(system, &mount.device).and_then(|name| uuids.get(&name));
            facts.insert("uuid".into(), uuid.map_or("N/A", String::as_str).into());
            facts
        })
        .collect();
    map! { "mounts" => facts }
}

impl Mount {
    fn facts(&self, bound: bool) -> Map {
        map! {
            "mount" => self.path.as_str(),
            "device" => self.device.as_str(),
            "fstype" => self.kind.as_str(),
            "options" => format!("{}{}", self.options, if bound { ",bind" } else { "" }),
            "dump" => self.dump,
            "passno" => self.pass,
        }
    }
}

fn parse(line: &str) -> Option<Mount> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [device, path, kind, options, ref rest @ ..] = words[..] else { return None };
    let number = |index: usize| rest.get(index).and_then(|word: &&str| word.parse().ok()).unwrap_or(0);
    Some(Mount {
        device: unescape(device),
        path: unescape(path),
        kind: kind.to_owned(),
        options: unescape(options),
        dump: number(0),
        pass: number(1),
    })
}

fn is_real(mount: &Mount) -> bool {
    (mount.device.starts_with(['/', '\\']) || mount.device.contains(":/")) && mount.kind != "none"
}

/// The kernel writes blanks and backslashes in names as three octal digits.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..3).filter(|digits| *first == b'\\' && digits.iter().all(|d| matches!(d, b'0'..=b'7')));
        match digits.and_then(|digits| u8::from_str_radix(&String::from_utf8_lossy(digits), 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[3..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Mount points that show not the root of their file system but a folder in it.
fn bound(mountinfo: &str) -> HashSet<String> {
    let fields = mountinfo.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    fields
        .filter(|words| words.get(3).is_some_and(|root| *root != "/"))
        .filter_map(|words| words.get(4).map(|path| unescape(path)))
        .collect()
}

/// The kernel's name of a device: `dm-0` of `/dev/mapper/vg-root`.
fn device_name(system: &dyn System, device: &str) -> Option<String> {
    let name = device.strip_prefix("/dev/")?;
    link_name(system, device).or_else(|| name.rsplit('/').next().map(str::to_owned))
}

fn sizes(space: &Space) -> BTreeMap<String, crate::value::Value> {
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let facts = map! {
        "size_total" => whole(space.fragment_size.saturating_mul(space.blocks)),
        "size_available" => whole(space.fragment_size.saturating_mul(space.blocks_available)),
        "block_size" => whole(space.block_size),
        "block_total" => whole(space.blocks),
        "block_available" => whole(space.blocks_available),
        "block_used" => whole(space.blocks.saturating_sub(space.blocks_available)),
        "inode_total" => whole(space.inodes),
        "inode_available" => whole(space.inodes_available),
        "inode_used" => whole(space.inodes.saturating_sub(space.inodes_available)),
    };
    facts.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_file_systems_with_something_behind_them() {
        let real = |line: &str| parse(line).is_some_and(|mount| is_real(&mount));
        assert!(real("/dev/sda1 / ext4 rw 0 1"));
        assert!(real("server:/export /mnt nfs4 rw 0 0"));
        assert!(!real("proc /proc proc rw 0 0"));
        assert!(!real("broken"));
    }

    #[test]
    fn escapes() {
        let mount = parse("/dev/sdb1 /mnt/my\\040disk\\134 vfat rw 0 0").unwrap();
        assert_eq!(mount.path, "/mnt/my disk\\");
    }

    #[test]
    fn bind_mounts_show_a_folder() {
        let info = "30 1 8:1 / / rw - ext4 /dev/sda1 rw\n31 30 8:1 /srv/a /mnt/a\\040b rw - ext4 /dev/sda1 rw\n";
        assert_eq!(bound(info), HashSet::from(["/mnt/a b".to_owned()]));
    }
}
