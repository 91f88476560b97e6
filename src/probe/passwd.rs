//! Users and groups, as modules ask for them: names and ids from [`users`](crate::system::users), memberships by name,
//! and `/etc/shadow`.

use std::path::Path;

use crate::failure::{During, Failure};
use crate::map;
pub use crate::system::users::{Group, User};
use crate::system::{Subject, System, users};
use crate::value::Value;

/// What `/etc/shadow` says of an account. Days count from 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shadow {
    /// The password's hash; starts with `!` if it is locked.
    pub hash: String,
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
    Ok(users::user(system, name))
}

/// The account of this id.
pub fn user_by_id(system: &dyn System, uid: u32) -> Result<Option<User>, Failure> {
    Ok(users::user_by_id(system, uid))
}

/// The group of this name.
pub fn group(system: &dyn System, name: &str) -> Result<Option<Group>, Failure> {
    Ok(users::group(system, name))
}

/// The group of this id.
pub fn group_by_id(system: &dyn System, gid: u32) -> Result<Option<Group>, Failure> {
    Ok(users::group_by_id(system, gid))
}

/// The group of this id or name: `27` or `sudo`.
pub fn group_by_key(system: &dyn System, key: &str) -> Result<Option<Group>, Failure> {
    match key.parse().ok().and_then(|gid| users::group_by_id(system, gid)) {
        Some(group) => Ok(Some(group)),
        None => group(system, key),
    }
}

/// The account of this name in `/etc/passwd` itself, planned ones included.
pub fn local_user(system: &dyn System, name: &str) -> Result<Option<User>, Failure> {
    match system.predicted(&subject("user", name)) {
        Some(_) => user(system, name),
        None => Ok(all_users(system)?.into_iter().find(|user| user.name == name)),
    }
}

/// The group of this name in `/etc/group` itself, planned ones included.
pub fn local_group(system: &dyn System, name: &str) -> Result<Option<Group>, Failure> {
    match system.predicted(&subject("group", name)) {
        Some(_) => group(system, name),
        None => Ok(all_groups(system)?.into_iter().find(|group| group.name == name)),
    }
}

/// All accounts of `/etc/passwd`.
pub fn all_users(system: &dyn System) -> Result<Vec<User>, Failure> {
    Ok(text(system, "/etc/passwd")?.lines().filter_map(User::parse).collect())
}

/// All groups of `/etc/group`.
pub fn all_groups(system: &dyn System) -> Result<Vec<Group>, Failure> {
    Ok(text(system, "/etc/group")?.lines().filter_map(Group::parse).collect())
}

/// The names of a user's supplementary groups, in the order of `/etc/group`.
pub fn groups_of(system: &dyn System, user: &str) -> Result<Vec<String>, Failure> {
    if let Some(settled) = system.predicted(&subject("user", user)) {
        let names = settled.get("groups").and_then(Value::as_list).unwrap_or_default();
        return Ok(names.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    }
    let all = all_groups(system)?.into_iter();
    Ok(all.filter(|group| group.members.iter().any(|member| member == user)).map(|group| group.name).collect())
}

/// What `/etc/shadow` says; `None` if it says nothing or may not be read.
pub fn shadow(system: &dyn System, name: &str) -> Result<Option<Shadow>, Failure> {
    match system.read(Path::new("/etc/shadow")) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
            Ok(text.lines().find_map(|line| Shadow::parse(line, name)))
        }
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Ok(None),
        Err(error) => Err(error).during(|| "read /etc/shadow"),
    }
}

/// The subject under which a step settles something about a `user`, `group`, `uid` or `gid`.
pub fn subject(kind: &str, name: &str) -> Subject {
    Subject::Other(kind.to_owned(), name.to_owned())
}

/// A setting of `/etc/login.defs`.
pub fn login_defs(system: &dyn System, name: &str) -> Result<Option<String>, Failure> {
    let text = text(system, "/etc/login.defs")?;
    let setting = |line: &str| {
        let mut words = line.split_whitespace();
        (words.next() == Some(name)).then(|| words.next().map(str::to_owned)).flatten()
    };
    Ok(text.lines().find_map(setting))
}

/// Which of the two kinds of id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdKind {
    /// Of a user.
    Uid,
    /// Of a group.
    Gid,
}

/// The id that `useradd` or `groupadd` will most likely choose, for the plan: the one above the highest in use, or for a
/// system account the one below the lowest.
pub fn next_id(system: &dyn System, kind: IdKind, system_account: bool) -> Result<u32, Failure> {
    let (name, used): (_, Vec<u32>) = match kind {
        IdKind::Uid => ("uid", all_users(system)?.iter().map(|user| user.uid).collect()),
        IdKind::Gid => ("gid", all_groups(system)?.iter().map(|group| group.gid).collect()),
    };
    let upper = name.to_uppercase();
    let limit = |key: &str, default| {
        Ok::<u32, Failure>(login_defs(system, key)?.and_then(|text| text.parse().ok()).unwrap_or(default))
    };
    let free = |id: &u32| !matches!(system.predicted(&subject(name, &id.to_string())), Some(Value::Str(_)));
    if system_account {
        let (min, max) = (limit(&format!("SYS_{upper}_MIN"), 101)?, limit(&format!("SYS_{upper}_MAX"), 999)?);
        let lowest = used.into_iter().filter(|id| (min..=max).contains(id)).min().unwrap_or(max + 1);
        return Ok((min..lowest).rev().find(free).unwrap_or(min));
    }
    let (min, max) = (limit(&format!("{upper}_MIN"), 1000)?, limit(&format!("{upper}_MAX"), 60000)?);
    let highest = used.into_iter().filter(|id| (min..=max).contains(id)).max().map_or(min, |id| id + 1);
    Ok((highest..=max).find(free).unwrap_or(max))
}

/// The value to settle for a planned user with these supplementary groups.
pub fn settled_user(user: &User, groups: &[String]) -> Value {
    Value::Map(map! {
        "uid" => user.uid,
        "gid" => user.gid,
        "gecos" => user.gecos.as_str(),
        "home" => user.home.to_string_lossy().into_owned(),
        "shell" => user.shell.as_str(),
        "groups" => groups.to_vec(),
    })
}

impl Shadow {
    fn parse(line: &str, name: &str) -> Option<Shadow> {
        let mut fields = line.strip_prefix(name)?.strip_prefix(':')?.split(':');
        let hash = fields.next()?.to_owned();
        let mut days = fields.skip(1).map(|field| field.parse().ok());
        let mut next = || days.next().flatten();
        Some(Shadow { hash, min: next(), max: next(), warn: next(), inactive: next(), expires: next() })
    }
}

fn text(system: &dyn System, path: &str) -> Result<String, Failure> {
    let bytes = system.read(Path::new(path)).during(|| format!("read {path}"))?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(User::settled(&settled_user(&user, &["sudo".into()]), "wod"), Some(user));
        assert_eq!(User::settled(&Value::Null, "wod"), None);
    }
}
