//! Owner, group and permissions: what the arguments ask for, against what a file has; and what modules return of a file.

use std::path::Path;

use crate::change::{Act, Action, Attributes, Mode};
use crate::failure::{During, Failure};
use crate::map;
use crate::probe::passwd;
use crate::system::{FileKind, Stat, System};
use crate::value::{Map, Value};

/// What the arguments `owner`, `group` and `mode` ask for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// A login name or a number.
    pub owner: Option<&'a str>,
    /// A group's name or number.
    pub group: Option<&'a str>,
    /// Permissions. `preserve` is for the module to settle before it asks.
    pub mode: Option<&'a Mode>,
}

/// The numbers behind what is wanted. `old` is what stands there now; without it symbolic permissions start from what a
/// new file or directory gets.
pub fn resolve(system: &dyn System, wanted: Wanted, old: Option<&Stat>, is_dir: bool) -> Result<Attributes, Failure> {
    let new = if is_dir { 0o777 } else { 0o666 } & !system.umask();
    let mode = match wanted.mode {
        None | Some(Mode::Preserve) => None,
        Some(Mode::Bits(bits)) => Some(*bits),
        Some(Mode::Symbolic(text)) => {
            let bits = symbolic(text, old.map_or(new, |stat| stat.mode), is_dir, system.umask());
            Some(bits.map_err(|message| Failure::new(message).argument("mode"))?)
        }
    };
    Ok(Attributes {
        uid: wanted.owner.map(|owner| uid(system, owner)).transpose()?,
        gid: wanted.group.map(|group| gid(system, group)).transpose()?,
        mode,
    })
}

/// The number of a user given by name or number.
pub fn uid(system: &dyn System, owner: &str) -> Result<u32, Failure> {
    match (passwd::user(system, owner)?, owner.parse()) {
        (Some(user), _) => Ok(user.uid),
        (None, Ok(number)) => Ok(number),
        (None, Err(_)) => Err(Failure::new(format!("there is no user `{owner}`")).argument("owner")),
    }
}

/// The number of a group given by name or number.
pub fn gid(system: &dyn System, group: &str) -> Result<u32, Failure> {
    match (passwd::group(system, group)?, group.parse()) {
        (Some(group), _) => Ok(group.gid),
        (None, Ok(number)) => Ok(number),
        (None, Err(_)) => Err(Failure::new(format!("there is no group `{group}`")).argument("group")),
    }
}

/// Whether something does not have these attributes. A link has no permissions of its own.
pub fn differ(wanted: &Attributes, stat: &Stat) -> bool {
    let mode = wanted.mode.filter(|_| stat.kind != FileKind::Link);
    wanted.uid.is_some_and(|uid| uid != stat.uid)
        || wanted.gid.is_some_and(|gid| gid != stat.gid)
        || mode.is_some_and(|mode| mode != stat.mode)
}

/// The action that gives `path` what it lacks, if it lacks anything.
pub fn settle(path: &Path, wanted: &Attributes, stat: &Stat) -> Option<Action> {
    let set = || Act::SetAttributes { path: path.to_owned(), attributes: wanted.clone(), follow: false };
    differ(wanted, stat).then(|| Action::change(set()))
}

/// `owner`, `group`, `uid`, `gid`, `mode`, `size` and `state` of what stands at `path`; nothing if nothing does.
pub fn values(system: &dyn System, path: &Path) -> Result<Map, Failure> {
    let stat = system.stat(path, false).during(|| format!("look at {}", path.display()))?;
    let Some(stat) = stat else { return Ok(Map::new()) };
    values_of(system, &stat)
}

/// Adds how that stands which a failure names as `path`; where nobody can look, nothing is added.
pub fn add_to_failure(system: &dyn System, failed: &mut Map) {
    let Some(path) = failed.get("path").and_then(Value::as_str).map(|path| system.cwd().join(path)) else { return };
    let found = match system.stat(&path, true) {
        Ok(Some(_)) => values(system, &path).unwrap_or_default(),
        Ok(None) | Err(_) => return,
    };
    for (key, value) in found {
        failed.entry(key).or_insert(value);
    }
}

/// The same of what is known already.
pub fn values_of(system: &dyn System, stat: &Stat) -> Result<Map, Failure> {
    let owner = passwd::user_by_id(system, stat.uid)?.map_or_else(|| stat.uid.to_string(), |user| user.name);
    let group = passwd::group_by_id(system, stat.gid)?.map_or_else(|| stat.gid.to_string(), |group| group.name);
    let state = match stat.kind {
        FileKind::Dir => "directory",
        FileKind::Link => "link",
        FileKind::File if stat.nlink > 1 => "hard",
        _ => "file",
    };
    Ok(map! {
        "owner" => owner,
        "group" => group,
        "uid" => stat.uid,
        "gid" => stat.gid,
        // A zero and then at least three digits: `0644`, `02775`.
        "mode" => format!("0{:03o}", stat.mode),
        "size" => i64::try_from(stat.size).map_or(Value::Null, Value::Int),
        "state" => state,
    })
}

/// Permissions such as `u=rwX,go-w`, as `chmod` reads them, on top of `old`. Where nobody is named, everybody is meant,
/// but for what the umask takes away.
pub fn symbolic(text: &str, old: u32, is_dir: bool, umask: u32) -> Result<u32, String> {
    let malformed = || format!("expected permissions such as u=rwX,g-w, found `{text}`");
    let mut mode = old;
    for clause in text.split(',') {
        let operator = clause.find(['+', '-', '=']).ok_or_else(malformed)?;
        let (who, mut rest) = clause.split_at(operator);
        let mask = if who.is_empty() { !umask } else { u32::MAX };
        let who = if matches!(who, "" | "a") { "ugo" } else { who };
        if !who.chars().all(|c| "ugo".contains(c)) {
            return Err(malformed());
        }
        while let Some(operator) = rest.chars().next() {
            let tail = &rest[1..];
            let (permissions, next) = tail.split_at(tail.find(['+', '-', '=']).unwrap_or(tail.len()));
            for class in who.chars() {
                let bits = class_bits(class, permissions, mode, is_dir, mask).ok_or_else(malformed)?;
                mode = match operator {
                    '+' => mode | bits,
                    '-' => mode & !bits,
                    _ => mode & !all_bits(class) | bits,
                };
            }
            rest = next;
        }
    }
    Ok(mode)
}

/// How far the bits of a class are shifted.
fn shift(class: char) -> u32 {
    match class {
        'u' => 6,
        'g' => 3,
        _ => 0,
    }
}

fn all_bits(class: char) -> u32 {
    let special = match class {
        'u' => 0o4000,
        'g' => 0o2000,
        _ => 0o1000,
    };
    0o7 << shift(class) | special
}

fn class_bits(class: char, permissions: &str, mode: u32, is_dir: bool, mask: u32) -> Option<u32> {
    let place = |bits: u32| bits << shift(class);
    permissions.chars().try_fold(0, |sum, permission| {
        let bits = match permission {
            'r' => place(4) & mask,
            'w' => place(2) & mask,
            'x' => place(1) & mask,
            'X' if is_dir || mode & 0o111 != 0 => place(1),
            'X' => 0,
            's' if class == 'u' => 0o4000,
            's' if class == 'g' => 0o2000,
            't' if class == 'o' => 0o1000,
            's' | 't' => 0,
            'u' | 'g' | 'o' => place(mode >> shift(permission) & 7),
            _ => return None,
        };
        Some(sum | bits)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbolic_permissions() {
        for (text, old, is_dir, expected) in [
            ("u=rw,g=r,o=", 0o777, false, 0o640),
            ("u+x", 0o644, false, 0o744),
            ("a+X", 0o644, false, 0o644),
            ("a+X", 0o644, true, 0o755),
            ("go-w", 0o666, false, 0o644),
            ("g=u", 0o740, false, 0o770),
            ("+w", 0o444, false, 0o644),
            ("u+s,g+s,o+t", 0o755, true, 0o7755),
            ("u=rwx-w", 0o000, false, 0o500),
            ("o=t", 0o777, true, 0o1770),
        ] {
            assert_eq!(symbolic(text, old, is_dir, 0o022), Ok(expected), "{text} on {old:o}");
        }
        for text in ["u", "x=rw", "u=rq", "u=rw,"] {
            assert!(symbolic(text, 0o644, false, 0o022).is_err(), "{text}");
        }
    }
}
