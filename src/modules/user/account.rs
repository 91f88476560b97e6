//! The account itself: `useradd`, `usermod`, `userdel`, `chpasswd`, `chage`.

use std::path::PathBuf;

use super::{Args, UpdatePassword, home};
use crate::change::{Act, Action, Attributes, Change};
use crate::failure::{During, Failure};
use crate::map;
use crate::probe::passwd::{self, Group, IdKind, Shadow, User};
use crate::system::{Command, Output, Subject, System};
use crate::value::Value;

const DAY: f64 = 86400.0;

impl Args {
    /// Creates the account. The module is asked again afterwards, when the ids are known.
    pub(super) fn create(&self, system: &dyn System) -> Result<Change, Failure> {
        let user = self.expected(system)?;
        let groups: Vec<String> = self.wanted_groups(system, user.gid)?.unwrap_or_default();
        let mut words = vec!["useradd".to_owned()];
        self.id_words(&mut words);
        option(&mut words, "-Z", self.seuser.as_deref());
        option(&mut words, "-g", self.group.as_deref());
        if self.group.is_none() && passwd::group(system, &self.name)?.is_some() {
            words.push("-N".into());
        }
        if !groups.is_empty() {
            words.extend(["-G".into(), groups.join(",")]);
        }
        option(&mut words, "-c", self.comment.as_deref());
        option(&mut words, "-d", self.home.as_ref().map(|home| home.to_string_lossy()));
        option(&mut words, "-s", self.shell.as_ref().map(|shell| shell.to_string_lossy()));
        option(&mut words, "-e", self.expires.map(expiry_date));
        option(&mut words, "-f", self.password_expire_account_disable);
        words.push(if self.create_home { "-m" } else { "-M" }.into());
        if self.create_home {
            option(&mut words, "-k", self.skeleton.as_ref().map(|skeleton| skeleton.to_string_lossy()));
            option(&mut words, "-K", self.umask.as_ref().map(|umask| format!("UMASK={umask}")));
        }
        if self.system {
            words.push("-r".into());
        }
        option(&mut words, "-K", self.uid_min.map(|uid| format!("UID_MIN={uid}")));
        option(&mut words, "-K", self.uid_max.map(|uid| format!("UID_MAX={uid}")));
        words.push(self.name.clone());

        let mut actions = match self.create_home {
            true => home::parents(system, &user.home)?,
            false => Vec::new(),
        };
        let mut add = self.run(words, "create").settles(self.subject(), passwd::settled_user(&user, &groups));
        add = add.settles(passwd::subject("uid", &user.uid.to_string()), self.name.as_str());
        if passwd::group_by_id(system, user.gid)?.is_none() {
            add = add
                .settles(passwd::subject("group", &self.name), Value::Map(map! { "gid" => user.gid }))
                .settles(passwd::subject("gid", &user.gid.to_string()), self.name.as_str());
        }
        if self.create_home && system.stat(&user.home, true).during(|| "look for the home directory")?.is_none() {
            let mode = home::mode(self, system)?;
            let home = map! { "kind" => "dir", "uid" => user.uid, "gid" => user.gid, "mode" => mode };
            add = add.settles(Subject::Path(user.home.clone()), Value::Map(home));
        }
        actions.push(add);
        if let Some(hash) = &self.password {
            actions.push(self.set_password(hash));
        }
        actions.extend(self.age(&Shadow::default()));
        Ok(Change::again(actions, map! { "name" => self.name.as_str(), "state" => "present" }))
    }

    /// What differs from what is wanted, as actions.
    pub(super) fn modify(&self, system: &dyn System, user: &User) -> Result<Vec<Action>, Failure> {
        let shadow = passwd::shadow(system, &self.name)?;
        let mut wanted = user.clone();
        wanted.gid = self.primary(system, user)?;
        wanted.uid = self.uid.unwrap_or(user.uid);
        let mut words = vec!["usermod".to_owned()];
        if wanted.uid != user.uid {
            self.id_words(&mut words);
        }
        if wanted.gid != user.gid {
            option(&mut words, "-g", self.group.as_deref());
        }
        let groups = self.modify_groups(system, wanted.gid, &mut words)?;
        let mut differs = |option: &str, new: Option<String>, old: &mut String| {
            if let Some(new) = new.filter(|new| new != old) {
                words.extend([option.to_owned(), new.clone()]);
                *old = new;
            }
        };
        differs("-c", self.comment.clone(), &mut wanted.gecos);
        differs("-s", self.shell.as_ref().map(|shell| shell.to_string_lossy().into_owned()), &mut wanted.shell);
        let mut home = user.home.to_string_lossy().into_owned();
        differs("-d", self.home.as_ref().map(|home| home.to_string_lossy().into_owned()), &mut home);
        wanted.home = PathBuf::from(home);
        let moves = self.moves_home(system, user)?;
        if moves {
            words.push("-m".into());
        }
        let password = self.modify_shadow(&shadow.clone().unwrap_or_default(), &mut words);
        let mut actions = Vec::new();
        if words.len() > 1 {
            words.push(self.name.clone());
            let mut action = self.run(words, "change").settles(self.subject(), passwd::settled_user(&wanted, &groups));
            if moves {
                let home = map! { "kind" => "dir", "uid" => wanted.uid, "gid" => wanted.gid };
                action = action
                    .settles(Subject::Path(user.home.clone()), Value::Null)
                    .settles(Subject::Path(wanted.home.clone()), Value::Map(home));
            }
            actions.push(settle_uid(action, user, &wanted));
        }
        actions.extend(password.map(|hash| self.set_password(hash)));
        // Nobody but root can read it; a planned account has its ages from the step that plans it.
        if let Some(shadow) = shadow {
            actions.extend(self.age(&shadow));
        }
        Ok(actions)
    }

    /// Removes the account.
    pub(super) fn remove(&self, system: &dyn System, user: &User) -> Result<Change, Failure> {
        let mut words = vec!["userdel".to_owned()];
        words.extend(self.force.then(|| "-f".into()));
        words.extend(self.remove.then(|| "-r".into()));
        words.push(self.name.clone());
        let mut action = self
            .run(words, "remove")
            .settles(self.subject(), Value::Null)
            .settles(passwd::subject("uid", &user.uid.to_string()), Value::Null);
        // userdel removes the group of the same name if nobody else is in it.
        let own = passwd::group(system, &self.name)?;
        if own.is_some_and(|group| group.members.is_empty() && group.gid == user.gid) {
            action = action
                .settles(passwd::subject("group", &self.name), Value::Null)
                .settles(passwd::subject("gid", &user.gid.to_string()), Value::Null);
        }
        if self.remove {
            action = action.settles(Subject::Path(user.home.clone()), Value::Null);
        }
        let values = map! {
            "name" => self.name.as_str(), "state" => "absent", "force" => self.force, "remove" => self.remove,
        };
        Ok(Change::of(vec![action], values))
    }

    /// Whether changing the home moves its content: there is something to move and nothing in its place.
    pub(super) fn moves_home(&self, system: &dyn System, user: &User) -> Result<bool, Failure> {
        let Some(home) = self.home.as_ref().filter(|home| self.move_home && **home != user.home) else {
            return Ok(false);
        };
        Ok(system.stat(&user.home, true)?.is_some() && system.stat(home, true)?.is_none())
    }

    /// The id of the primary group that is wanted.
    pub(super) fn primary(&self, system: &dyn System, user: &User) -> Result<u32, Failure> {
        match &self.group {
            Some(key) => Ok(existing_group(system, key, "group")?.gid),
            None => Ok(user.gid),
        }
    }

    fn subject(&self) -> Subject {
        passwd::subject("user", &self.name)
    }

    fn run(&self, words: Vec<String>, verb: &str) -> Action {
        let message = format!("cannot {verb} the user {}", self.name);
        Action::run(Command::new(words), message).expect(Output::default())
    }

    /// The account as `useradd` will most likely make it.
    fn expected(&self, system: &dyn System) -> Result<User, Failure> {
        let uid = match self.uid {
            Some(uid) => uid,
            None => passwd::next_id(system, IdKind::Uid, self.system)?,
        };
        let gid = match &self.group {
            Some(key) => existing_group(system, key, "group")?.gid,
            None => match passwd::group(system, &self.name)? {
                Some(group) => group.gid,
                None if passwd::group_by_id(system, uid)?.is_none() => uid,
                None => passwd::next_id(system, IdKind::Gid, self.system)?,
            },
        };
        Ok(User {
            name: self.name.clone(),
            uid,
            gid,
            gecos: self.comment.clone().unwrap_or_default(),
            home: self.home.clone().unwrap_or_else(|| PathBuf::from("/home").join(&self.name)),
            shell: self.shell.as_ref().map_or_else(|| "/bin/sh".into(), |shell| shell.to_string_lossy().into_owned()),
        })
    }

    fn id_words(&self, words: &mut Vec<String>) {
        option(words, "-u", self.uid);
        if self.uid.is_some() && self.non_unique {
            words.push("-o".into());
        }
    }

    /// The names of the supplementary groups that are wanted, without the primary one.
    fn wanted_groups(&self, system: &dyn System, primary: u32) -> Result<Option<Vec<String>>, Failure> {
        let Some(keys) = &self.groups else { return Ok(None) };
        let mut names = Vec::new();
        for key in keys.iter().map(|key| key.trim()).filter(|key| !key.is_empty()) {
            let group = existing_group(system, key, "groups")?;
            if group.gid != primary && !names.contains(&group.name) {
                names.push(group.name);
            }
        }
        Ok(Some(names))
    }

    /// Adds the words that change the memberships, and returns all that the user then has.
    fn modify_groups(
        &self,
        system: &dyn System,
        primary: u32,
        words: &mut Vec<String>,
    ) -> Result<Vec<String>, Failure> {
        let current = passwd::groups_of(system, &self.name)?;
        let Some(wanted) = self.wanted_groups(system, primary)? else { return Ok(current) };
        let missing: Vec<String> = wanted.iter().filter(|name| !current.contains(name)).cloned().collect();
        if self.append {
            if !missing.is_empty() {
                words.extend(["-a".into(), "-G".into(), missing.join(",")]);
            }
            return Ok(current.into_iter().chain(missing).collect());
        }
        let own = passwd::group_by_id(system, primary)?.map(|group| group.name);
        let surplus = current.iter().any(|name| !wanted.contains(name) && Some(name) != own.as_ref());
        if surplus || !missing.is_empty() {
            words.extend(["-G".into(), wanted.join(",")]);
        }
        Ok(wanted)
    }

    /// Adds the words that change expiry and lock, and returns a hash to set.
    fn modify_shadow(&self, shadow: &Shadow, words: &mut Vec<String>) -> Option<&str> {
        let day = self.expires.map(|seconds| (seconds >= 0.0).then(|| (seconds / DAY).floor() as i64));
        if let (Some(day), Some(seconds)) = (day, self.expires)
            && day != shadow.expires
        {
            words.extend(["-e".into(), expiry_date(seconds)]);
        }
        if self.password_expire_account_disable.is_some_and(|days| Some(days) != shadow.inactive) {
            option(words, "-f", self.password_expire_account_disable);
        }
        let current = shadow.hash.trim_start_matches('!');
        let hash = self.password.as_deref().filter(|_| self.update_password == UpdatePassword::Always);
        if let Some(hash) = hash.filter(|hash| hash.trim_start_matches('!') != current) {
            return Some(hash);
        }
        match self.password_lock {
            Some(true) if !shadow.hash.starts_with('!') => words.push("-L".into()),
            // There is nothing to unlock where there is no password, and usermod refuses.
            Some(false) if shadow.hash.starts_with('!') && !matches!(current, "" | "*") => words.push("-U".into()),
            _ => {}
        }
        None
    }

    fn set_password(&self, hash: &str) -> Action {
        let lock = if self.password_lock == Some(true) && !hash.starts_with('!') { "!" } else { "" };
        let command = Command::new(["chpasswd", "-e"]).stdin(format!("{}:{lock}{hash}\n", self.name));
        Action::run(command, format!("cannot set the password of {}", self.name)).expect(Output::default())
    }

    /// `chage`, if an age differs.
    fn age(&self, shadow: &Shadow) -> Option<Action> {
        let mut words = vec!["chage".to_owned()];
        let ages = [
            ("-m", self.password_expire_min, shadow.min),
            ("-M", self.password_expire_max, shadow.max),
            ("-W", self.password_expire_warn, shadow.warn),
        ];
        for (name, wanted, current) in ages {
            if wanted.is_some() && wanted.map(unset) != current.map(unset) {
                option(&mut words, name, wanted);
            }
        }
        (words.len() > 1).then(|| {
            words.push(self.name.clone());
            self.run(words, "set the password ages of")
        })
    }
}

/// `-1` is how `chage` takes an age away; the file then has none.
fn unset(days: i64) -> Option<i64> {
    (days >= 0).then_some(days)
}

fn existing_group(system: &dyn System, key: &str, argument: &str) -> Result<Group, Failure> {
    passwd::group_by_key(system, key)?
        .ok_or_else(|| Failure::new(format!("Group {key} does not exist")).argument(argument))
}

fn settle_uid(action: Action, old: &User, new: &User) -> Action {
    if old.uid == new.uid {
        return action;
    }
    action
        .settles(passwd::subject("uid", &old.uid.to_string()), Value::Null)
        .settles(passwd::subject("uid", &new.uid.to_string()), new.name.as_str())
}

fn option(words: &mut Vec<String>, name: &str, value: Option<impl ToString>) {
    if let Some(value) = value {
        words.extend([name.to_owned(), value.to_string()]);
    }
}

/// The day as `useradd -e` takes it; empty for "never".
fn expiry_date(seconds: f64) -> String {
    if seconds < 0.0 {
        return String::new();
    }
    let time = jiff::Timestamp::from_second(seconds as i64).unwrap_or(jiff::Timestamp::MAX);
    time.strftime("%Y-%m-%d").to_string()
}

/// Owner, group and permissions.
pub(super) fn owned(uid: u32, gid: u32, mode: Option<u32>) -> Attributes {
    Attributes { uid: Some(uid), gid: Some(gid), mode }
}

/// A new directory.
pub(super) fn make_dir(path: PathBuf, attributes: Attributes) -> Action {
    Action::change(Act::MakeDir { path, attributes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_expiry() {
        assert_eq!(expiry_date(1422403387.0), "2015-01-28");
        assert_eq!(expiry_date(-1.0), "");
    }
}
