//! Users and groups: `/etc/passwd`, `/etc/group`, `/etc/shadow`, and `getent` for what other sources know.
//!
//! Planned users and groups are found too. What a step settles about one is
//! `Subject::Other("user", NAME)` → `{uid, gid, home, shell, comment, groups}` and
//! `Subject::Other("group", NAME)` → `{gid}`; null is "removed". `("uid", NUMBER)` and `("gid", NUMBER)` → name lead
//! back to them.

use std::path::{Path, PathBuf};

use crate::failure::{During, Failure};
use crate::map;
use crate::system::{Command, Subject, System};
use crate::value::{Map, Value};

/// One account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// The comment field (GECOS).
    pub comment: String,
    /// Home directory.
    pub home: PathBuf,
    /// Login shell.
    pub shell: String,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Group id.
    pub gid: u32,
    /// Names of the users who have it as a supplementary group.
    pub members: Vec<String>,
}

/// What `/etc/shadow` says of an account. Days count from 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shadow {
    /// The password's hash; starts with `!` if it is locked.
    pub hash: String,
    /// Day of the last change.
    pub changed: Option<i64>,
    /// Days before it may be changed.
    pub min: Option<i64>,
    /// Days after which it must be changed.
    pub max: Option<i64>,
    /// Days of warning before that.
    pub warn: Option<i64>,
    /// Days after that until the account is disabled.
    pub inactive: Option<i64>,
    /// The day on which the account ends.
    pub expires: Option<i64>,
}

/// The account of this name.
pub fn user(system: &dyn System, name: &str) -> Result<Option<User>, Failure> {
    if let Some(settled) = system.predicted(&subject("user", name)) {
        return Ok(User::from_settled(name, &settled));
    }
    match local_user(system, name)? {
        Some(user) => Ok(Some(user)),
        None => Ok(getent(system, "passwd", name)?.as_deref().and_then(User::parse)),
    }
}

/// The account of this name in `/etc/passwd`, planned ones included.
pub fn local_user(system: &dyn System, name: &str) -> Result<Option<User>, Failure> {
    if let Some(settled) = system.predicted(&subject("user", name)) {
        return Ok(User::from_settled(name, &settled));
    }
    Ok(users(system)?.into_iter().find(|user| user.name == name))
}

/// The account of this id.
pub fn user_by_id(system: &dyn System, uid: u32) -> Result<Option<User>, Failure> {
    if let Some(Value::Str(name)) = system.predicted(&subject("uid", &uid.to_string())) {
        return user(system, &name);
    }
    match users(system)?.into_iter().find(|user| user.uid == uid) {
        // It may have been renumbered or removed by a planned step.
        Some(found) => Ok(user(system, &found.name)?.filter(|user| user.uid == uid)),
        None => Ok(getent(system, "passwd", &uid.to_string())?.as_deref().and_then(User::parse)),
    }
}

/// The group of this name.
pub fn group(system: &dyn System, name: &str) -> Result<Option<Group>, Failure> {
    if let Some(settled) = system.predicted(&subject("group", name)) {
        return Ok(Group::from_settled(name, &settled));
    }
    match local_group(system, name)? {
        Some(group) => Ok(Some(group)),
        None => Ok(getent(system, "group", name)?.as_deref().and_then(Group::parse)),
    }
}

/// The group of this name in `/etc/group`, planned ones included.
pub fn local_group(system: &dyn System, name: &str) -> Result<Option<Group>, Failure> {
    if let Some(settled) = system.predicted(&subject("group", name)) {
        return Ok(Group::from_settled(name, &settled));
    }
    Ok(groups(system)?.into_iter().find(|group| group.name == name))
}

/// The group of this id.
pub fn group_by_id(system: &dyn System, gid: u32) -> Result<Option<Group>, Failure> {
    if let Some(Value::Str(name)) = system.predicted(&subject("gid", &gid.to_string())) {
        return group(system, &name);
    }
    match groups(system)?.into_iter().find(|group| group.gid == gid) {
        Some(found) => Ok(group(system, &found.name)?.filter(|group| group.gid == gid)),
        None => Ok(getent(system, "group", &gid.to_string())?.as_deref().and_then(Group::parse)),
    }
}

/// All accounts of `/etc/passwd`.
pub fn users(system: &dyn System) -> Result<Vec<User>, Failure> {
    Ok(lines(system, "/etc/passwd")?.iter().filter_map(|line| User::parse(line)).collect())
}

/// All groups of `/etc/group`.
pub fn groups(system: &dyn System) -> Result<Vec<Group>, Failure> {
    Ok(lines(system, "/etc/group")?.iter().filter_map(|line| Group::parse(line)).collect())
}

/// The names of a user's supplementary groups, in the order of `/etc/group`.
pub fn groups_of(system: &dyn System, user: &str) -> Result<Vec<String>, Failure> {
    if let Some(settled) = system.predicted(&subject("user", user)) {
        let names = settled.get("groups").and_then(Value::as_list).unwrap_or_default();
        return Ok(names.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    }
    let all = groups(system)?.into_iter();
    Ok(all.filter(|group| group.members.iter().any(|member| member == user)).map(|group| group.name).collect())
}

/// What `/etc/shadow` says; `None` if it says nothing or may not be read.
pub fn shadow(system: &dyn System, name: &str) -> Result<Option<Shadow>, Failure> {
    let text = match system.read(Path::new("/etc/shadow")) {
        Ok(Some(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
        Ok(None) => return Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => return Ok(None),
        Err(error) => return Err(error).during(|| "read /etc/shadow"),
    };
    Ok(text.lines().find_map(|line| Shadow::parse(line, name)))
}

/// The subject under which a step settles something about a user, group, uid or gid.
pub fn subject(kind: &str, name: &str) -> Subject {
    Subject::Other(kind.to_owned(), name.to_owned())
}

impl User {
    fn parse(line: &str) -> Option<User> {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, uid, gid, comment, home, shell] = fields[..] else { return None };
        Some(User {
            name: name.to_owned(),
            uid: uid.parse().ok()?,
            gid: gid.parse().ok()?,
            comment: comment.to_owned(),
            home: PathBuf::from(home),
            shell: shell.to_owned(),
        })
    }

    fn from_settled(name: &str, value: &Value) -> Option<User> {
        let text = |key| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        Some(User {
            name: name.to_owned(),
            uid: number(value.get("uid")?)?,
            gid: number(value.get("gid")?)?,
            comment: text("comment"),
            home: PathBuf::from(text("home")),
            shell: text("shell"),
        })
    }

    /// The value to settle for a planned user with these supplementary groups.
    pub fn to_settled(&self, groups: &[String]) -> Value {
        Value::Map(map! {
            "uid" => self.uid,
            "gid" => self.gid,
            "comment" => self.comment.as_str(),
            "home" => self.home.to_string_lossy().into_owned(),
            "shell" => self.shell.as_str(),
            "groups" => groups.to_vec(),
        })
    }
}

impl Group {
    fn parse(line: &str) -> Option<Group> {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, gid, members] = fields[..] else { return None };
        let members = members.split(',').filter(|member| !member.is_empty()).map(str::to_owned).collect();
        Some(Group { name: name.to_owned(), gid: gid.parse().ok()?, members })
    }

    fn from_settled(name: &str, value: &Value) -> Option<Group> {
        Some(Group { name: name.to_owned(), gid: number(value.get("gid")?)?, members: Vec::new() })
    }

    /// The value to settle for a planned group.
    pub fn to_settled(&self) -> Value {
        let mut map = Map::new();
        map.insert("gid".into(), self.gid.into());
        Value::Map(map)
    }
}

impl Shadow {
    fn parse(line: &str, name: &str) -> Option<Shadow> {
        let mut fields = line.strip_prefix(name)?.strip_prefix(':')?.split(':');
        let hash = fields.next()?.to_owned();
        let mut days = || fields.next().and_then(|field| field.parse().ok());
        Some(Shadow {
            hash,
            changed: days(),
            min: days(),
            max: days(),
            warn: days(),
            inactive: days(),
            expires: days(),
        })
    }
}

fn number(value: &Value) -> Option<u32> {
    match value {
        Value::Int(number) => u32::try_from(*number).ok(),
        _ => None,
    }
}

fn lines(system: &dyn System, path: &str) -> Result<Vec<String>, Failure> {
    let bytes = system.read(Path::new(path)).during(|| format!("read {path}"))?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect())
}

/// Asks the name service, where it knows more than the files.
fn getent(system: &dyn System, database: &str, key: &str) -> Result<Option<String>, Failure> {
    let switch = lines(system, "/etc/nsswitch.conf")?.join("\n");
    if !has_other_sources(&switch, database) || system.which("getent").is_none() {
        return Ok(None);
    }
    let output = system.query(&Command::new(["getent", database, key])).during(|| "ask getent")?;
    Ok(output.ok().then(|| output.text().trim_end().to_owned()))
}

/// Whether a database of `nsswitch.conf` has a source besides the files of `/etc`.
fn has_other_sources(switch: &str, database: &str) -> bool {
    switch
        .lines()
        .filter_map(|line| line.split('#').next()?.trim().strip_prefix(database)?.trim_start().strip_prefix(':'))
        .flat_map(str::split_whitespace)
        .any(|source| !source.starts_with('[') && !matches!(source, "files" | "compat"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passwd_line_becomes_a_user() {
        let user = User::parse("wod:x:1000:1001:Work Shop,,,:/home/wod:/bin/bash").unwrap();
        assert_eq!((user.uid, user.gid, user.comment.as_str()), (1000, 1001, "Work Shop,,,"));
        assert_eq!(user.home, Path::new("/home/wod"));
        assert_eq!(User::parse("+::::::"), None, "a line of `compat` is no account");
    }

    #[test]
    fn a_group_line_has_its_members() {
        let group = Group::parse("sudo:x:27:wod,ops").unwrap();
        assert_eq!(group.members, ["wod", "ops"]);
        assert!(Group::parse("wod:x:1000:").unwrap().members.is_empty());
    }

    #[test]
    fn a_shadow_line_is_found_by_its_whole_name() {
        assert_eq!(Shadow::parse("woda:!:1:2:3:4:5:6:", "wod"), None);
        let shadow = Shadow::parse("wod:$y$x:19000:0:99999:7::20000:", "wod").unwrap();
        assert_eq!(shadow.hash, "$y$x");
        assert_eq!((shadow.min, shadow.inactive, shadow.expires), (Some(0), None, Some(20000)));
    }

    #[test]
    fn a_settled_user_comes_back() {
        let user = User::parse("wod:x:1000:1001:W:/home/wod:/bin/sh").unwrap();
        assert_eq!(User::from_settled("wod", &user.to_settled(&["sudo".into()])), Some(user));
        assert_eq!(User::from_settled("wod", &Value::Null), None);
    }

    #[test]
    fn other_sources_are_seen() {
        let switch = "passwd: files systemd # local\ngroup:\tfiles [NOTFOUND=return] compat\n";
        assert!(has_other_sources(switch, "passwd"));
        assert!(!has_other_sources(switch, "group"));
        assert!(!has_other_sources(switch, "shadow"));
    }
}
