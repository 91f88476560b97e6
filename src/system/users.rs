//! Users and groups, read from the machine's files and then from `getent`, never through name-service plug-ins.
//!
//! Planned ones are found too. What a step settles is `Subject::Other("user", NAME)` → `{uid, gid, gecos, home, shell,
//! groups}` (`groups`: names of supplementary groups) and `Subject::Other("group", NAME)` → `{gid}`; null is "removed".
//! `("uid", NUMBER)` and `("gid", NUMBER)` → the name lead back to them.

use std::path::{Path, PathBuf};

use super::{Command, Subject, System};
use crate::value::Value;

/// An entry of `/etc/passwd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Comment.
    pub gecos: String,
    /// Home directory.
    pub home: PathBuf,
    /// Login shell.
    pub shell: String,
}

/// An entry of `/etc/group`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Name.
    pub name: String,
    /// Group id.
    pub gid: u32,
    /// Login names of those for whom it is a supplementary group.
    pub members: Vec<String>,
}

impl User {
    /// Reads one line of `/etc/passwd`.
    pub fn parse(line: &str) -> Option<User> {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, uid, gid, gecos, home, shell] = fields[..] else { return None };
        Some(User {
            name: name.to_owned(),
            uid: uid.parse().ok()?,
            gid: gid.parse().ok()?,
            gecos: gecos.to_owned(),
            home: home.into(),
            shell: shell.to_owned(),
        })
    }

    /// As a planned step settles it: `Subject::Other("user", name)`.
    pub fn settled(value: &Value, name: &str) -> Option<User> {
        let number = |key: &str| match value.get(key) {
            Some(Value::Int(number)) => u32::try_from(*number).ok(),
            _ => None,
        };
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
        Some(User {
            name: name.to_owned(),
            uid: number("uid")?,
            gid: number("gid")?,
            gecos: text("gecos").to_owned(),
            home: text("home").into(),
            shell: text("shell").to_owned(),
        })
    }
}

impl Group {
    /// Reads one line of `/etc/group`.
    pub fn parse(line: &str) -> Option<Group> {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, gid, members] = fields[..] else { return None };
        Some(Group {
            name: name.to_owned(),
            gid: gid.parse().ok()?,
            members: members.split(',').filter(|member| !member.is_empty()).map(str::to_owned).collect(),
        })
    }
}

/// The lines of a name database's own file.
fn lines(system: &dyn System, file: &str) -> Vec<String> {
    let bytes = system.read(Path::new(file)).ok().flatten().unwrap_or_default();
    String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
}

/// What `getent` knows beyond the files (LDAP, SSSD); nothing where the name service has no other source.
fn getent(system: &dyn System, database: &str, key: &str) -> Option<String> {
    let switched = if database == "initgroups" { "group" } else { database };
    if !has_other_sources(&lines(system, "/etc/nsswitch.conf"), switched) {
        return None;
    }
    system.which("getent")?;
    let output = system.query(&Command::new(["getent", database, key])).ok()?;
    output.ok().then(|| output.text().lines().next().unwrap_or_default().to_owned())
}

/// Whether a database of `nsswitch.conf` has a source besides the files of `/etc`.
fn has_other_sources(switch: &[String], database: &str) -> bool {
    switch
        .iter()
        .filter_map(|line| line.split('#').next()?.trim().strip_prefix(database)?.trim_start().strip_prefix(':'))
        .flat_map(str::split_whitespace)
        .any(|source| !source.starts_with('[') && !matches!(source, "files" | "compat"))
}

/// Users whom a planned step has settled are not in the file yet.
fn planned(system: &dyn System, kind: &str, name: &str) -> Option<Value> {
    system.predicted(&Subject::Other(kind.to_owned(), name.to_owned()))
}

/// The user of this name.
pub fn user(system: &dyn System, name: &str) -> Option<User> {
    match planned(system, "user", name) {
        Some(Value::Null) => return None,
        Some(value) => return User::settled(&value, name),
        None => {}
    }
    let own = lines(system, "/etc/passwd").iter().filter_map(|line| User::parse(line)).find(|user| user.name == name);
    own.or_else(|| User::parse(&getent(system, "passwd", name)?))
}

/// The user with this id.
pub fn user_by_id(system: &dyn System, uid: u32) -> Option<User> {
    if let Some(Value::Str(name)) = planned(system, "uid", &uid.to_string()) {
        return user(system, &name);
    }
    let own = lines(system, "/etc/passwd").iter().filter_map(|line| User::parse(line)).find(|user| user.uid == uid);
    if let Some(own) = own {
        // A planned step may have renumbered or removed it.
        return user(system, &own.name).filter(|user| user.uid == uid);
    }
    User::parse(&getent(system, "passwd", &uid.to_string())?)
}

/// The group of this name.
pub fn group(system: &dyn System, name: &str) -> Option<Group> {
    match planned(system, "group", name) {
        Some(Value::Null) => return None,
        Some(value) => {
            let Some(Value::Int(gid)) = value.get("gid") else { return None };
            return Some(Group { name: name.to_owned(), gid: u32::try_from(*gid).ok()?, members: Vec::new() });
        }
        None => {}
    }
    let own = lines(system, "/etc/group").iter().filter_map(|line| Group::parse(line)).find(|group| group.name == name);
    own.or_else(|| Group::parse(&getent(system, "group", name)?))
}

/// The group with this id.
pub fn group_by_id(system: &dyn System, gid: u32) -> Option<Group> {
    if let Some(Value::Str(name)) = planned(system, "gid", &gid.to_string()) {
        return group(system, &name);
    }
    let own = lines(system, "/etc/group").iter().filter_map(|line| Group::parse(line)).find(|group| group.gid == gid);
    if let Some(own) = own {
        return group(system, &own.name).filter(|group| group.gid == gid);
    }
    Group::parse(&getent(system, "group", &gid.to_string())?)
}

/// All groups of a user, the primary one first. Supplementary groups come from `/etc/group`, or, for a user who is not
/// in the files, from `getent initgroups`.
pub fn groups_of(system: &dyn System, user: &User) -> Vec<u32> {
    let mut groups = vec![user.gid];
    if let Some(settled) = planned(system, "user", &user.name) {
        let names = settled.get("groups").and_then(Value::as_list).unwrap_or_default();
        groups.extend(names.iter().filter_map(|name| Some(group(system, name.as_str()?)?.gid)));
        return groups;
    }
    let local = lines(system, "/etc/group");
    let member = |group: &Group| group.members.contains(&user.name);
    groups.extend(local.iter().filter_map(|line| Group::parse(line)).filter(member).map(|group| group.gid));
    let in_files = lines(system, "/etc/passwd").iter().any(|line| line.starts_with(&format!("{}:", user.name)));
    if !in_files && let Some(line) = getent(system, "initgroups", &user.name) {
        groups.extend(line.split_whitespace().skip(1).filter_map(|gid| gid.parse::<u32>().ok()));
    }
    let mut seen = std::collections::HashSet::new();
    groups.retain(|gid| seen.insert(*gid));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_sources_are_seen() {
        let switch = ["passwd: files systemd # local".to_owned(), "group:\tfiles [NOTFOUND=return] compat".to_owned()];
        assert!(has_other_sources(&switch, "passwd"));
        assert!(!has_other_sources(&switch, "group"));
        assert!(!has_other_sources(&switch, "shadow"));
    }

    #[test]
    fn lines_of_the_files() {
        let user = User::parse("wod:x:1000:1000:W,,,:/home/wod:/bin/sh").unwrap();
        assert_eq!((user.uid, user.home.to_str()), (1000, Some("/home/wod")));
        assert_eq!(User::parse("# no user"), None);
        let group = Group::parse("adm:x:4:syslog,wod").unwrap();
        assert_eq!(group.members, ["syslog", "wod"]);
        assert_eq!(Group::parse("adm:x:4:").unwrap().members, Vec::<String>::new());
    }
}
