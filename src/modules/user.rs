mod account;
mod home;
mod ssh_key;

use std::path::PathBuf;

use crate::change::Change;
use crate::failure::Failure;
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::modules::printed::{add_printed, has_run};
use crate::probe::passwd::{self, User};
use crate::system::{Output, System};
use crate::value::{Map, Value};
use crate::{args, choices, map};

choices! {
    /// What may be wanted of an account.
    pub enum State { Present = "present", Absent = "absent" }
}

choices! {
    /// When a password is set.
    pub enum UpdatePassword {
        /// Whenever it differs.
        Always = "always",
        /// Only when the account is created.
        OnCreate = "on_create",
    }
}

args! {
    /// Creates, changes and removes user accounts.
    ///
    /// Uses `useradd`, `usermod`, `userdel` and `chage`. A password's hash goes to `chpasswd` over its standard input, so
    /// that no other user can see it in the list of processes.
    pub struct Args {
        /// The login name.
        name: String, alias("user");
        /// Whether there shall be such an account.
        state: State = State::Present;
        /// The user id; by default the system chooses one.
        uid: Option<u32>;
        /// Allow an id that another user has.
        non_unique: bool = false;
        /// The comment field (GECOS).
        comment: Option<String>;
        /// The primary group, by name or id. It must exist.
        group: Option<String>;
        /// Supplementary groups, by name or id. They must exist. An empty list removes the user from all of them.
        groups: Option<Vec<String>>;
        /// Add the user to `groups`, and leave the others as they are.
        append: bool = false;
        /// The home directory.
        home: Option<PathBuf>;
        /// Make the home directory, with what is in `skeleton`, if there is none.
        create_home: bool = true, alias("createhome");
        /// Move the content of the old home directory when `home` changes.
        move_home: bool = false;
        /// The directory whose content a new home gets, instead of `/etc/skel`.
        skeleton: Option<PathBuf>;
        /// The mask that takes permissions from a new home directory, as in `077`.
        umask: Option<String>;
        /// The login shell.
        shell: Option<PathBuf>;
        /// The hash of the password, as `mkpasswd` or the filter `password_hash` makes it. `!` or `*` for no password.
        password: Option<String>;
        /// Whether the password of an existing account is set too.
        update_password: UpdatePassword = UpdatePassword::Always;
        /// Lock the password, or unlock it.
        password_lock: Option<bool>;
        /// Days after which the password must be changed.
        password_expire_max: Option<i64>;
        /// Days before the password may be changed.
        password_expire_min: Option<i64>;
        /// Days of warning before the password expires.
        password_expire_warn: Option<i64>;
        /// Days after the password expired until the account is disabled.
        password_expire_account_disable: Option<i64>;
        /// When the account ends, in seconds since 1970. A negative number: never.
        expires: Option<f64>;
        /// Create a system account.
        system: bool = false;
        /// The lowest id that the system may choose, instead of `UID_MIN` of `/etc/login.defs`.
        uid_min: Option<u32>;
        /// The highest id that the system may choose, instead of `UID_MAX` of `/etc/login.defs`.
        uid_max: Option<u32>;
        /// The SELinux user that a new account's login is mapped to.
        seuser: Option<String>;
        /// Look for the account in `/etc/passwd` only, not in a directory service.
        local: bool = false;
        /// With `state: absent`: remove the home directory and the mail too.
        remove: bool = false;
        /// With `state: absent`: remove the account even if it is in use. With `generate_ssh_key`: replace a key.
        force: bool = false;
        /// Make an SSH key for the user if there is none.
        generate_ssh_key: bool = false;
        /// The key's kind.
        ssh_key_type: String = "rsa";
        /// The key's size in bits; by default what `ssh-keygen` chooses.
        ssh_key_bits: Option<u32>;
        /// The key's file, relative to the home directory. `.ssh/id_TYPE` by default.
        ssh_key_file: Option<PathBuf>;
        /// The key's comment. `ansible-generated on HOST` by default.
        ssh_key_comment: Option<String>;
        /// The key's passphrase; none by default.
        ssh_key_passphrase: Option<String>;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "user");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        let found = self.find(system)?;
        let mut change = match (self.state, found) {
            (State::Absent, None) => Change::none(map! { "name" => self.name.as_str(), "state" => "absent" }),
            (State::Absent, Some(user)) => self.remove(system, &user)?,
            (State::Present, None) if done.is_empty() => self.create(system)?,
            (State::Present, None) => return Err(Failure::new(format!("useradd did not create {}", self.name))),
            (State::Present, Some(user)) => self.settle(system, &user, done)?,
        };
        if self.is_plain_password() {
            change.warnings.push("`password` looks like a plain password; it must be a hash".into());
        }
        Ok(change)
    }

    fn check(&self) -> Result<(), ArgError> {
        if self.password.as_deref().is_some_and(|hash| hash.contains(['\n', ':'])) {
            return Err(ArgError::new("password", "the hash of a password holds no colon and no line break"));
        }
        Ok(())
    }

    fn effects(_: &Given) -> Effects {
        Effects::host()
    }
}

impl Args {
    fn find(&self, system: &dyn System) -> Result<Option<User>, Failure> {
        match self.local {
            true => passwd::local_user(system, &self.name),
            false => passwd::user(system, &self.name),
        }
    }

    /// Brings an existing account to what is wanted: first the account, then its home, then its key.
    fn settle(&self, system: &dyn System, user: &User, done: &[Output]) -> Result<Change, Failure> {
        let mut actions = match done.is_empty() {
            true => self.modify(system, user)?,
            false => Vec::new(),
        };
        let home = self.home.as_ref().unwrap_or(&user.home);
        let gone = !has_run(done, "useradd") && system.stat(home, true)?.is_none();
        if self.create_home && gone && !self.moves_home(system, user)? {
            let uid = self.uid.unwrap_or(user.uid);
            actions.extend(home::make(self, system, home, uid, self.primary(system, user)?)?);
        }
        let mut values = self.values(system, user, done);
        if !actions.is_empty() {
            return Ok(Change::again(actions, values));
        }
        if self.generate_ssh_key {
            let key = ssh_key::SshKey::of(self, system, user);
            if !has_run(done, "ssh-keygen") && !has_run(done, "sh") {
                actions = key.generate(system)?;
            }
            values.extend(key.values(system, !actions.is_empty())?);
        }
        Ok(Change { again: !actions.is_empty(), ..Change::of(actions, values) })
    }

    fn values(&self, system: &dyn System, user: &User, done: &[Output]) -> Map {
        let mut values = map! { "name" => self.name.as_str(), "state" => "present" };
        if has_run(done, "useradd") {
            values.extend(map! { "system" => self.system, "create_home" => self.create_home });
        } else {
            values.extend(map! { "append" => self.append, "move_home" => self.move_home });
        }
        let planned = system.predicted(&passwd::subject("user", &self.name)).is_some();
        let id = |given: bool, id: u32| match planned && !given {
            true => Value::Unknown(String::new()),
            false => id.into(),
        };
        values.extend(map! {
            "uid" => id(self.uid.is_some(), user.uid),
            "group" => id(self.group.is_some(), user.gid),
            "comment" => user.gecos.as_str(),
            "home" => user.home.to_string_lossy().into_owned(),
            "shell" => user.shell.as_str(),
        });
        if let Some(groups) = &self.groups {
            values.insert("groups".into(), groups.join(",").into());
        }
        if self.password.is_some() {
            values.insert("password".into(), "NOT_LOGGING_PASSWORD".into());
        }
        add_printed(&mut values, done);
        values
    }

    /// Whether what was given as the password's hash is probably none, as in Ansible.
    fn is_plain_password(&self) -> bool {
        let Some(password) = self.password.as_deref() else { return false };
        if password.is_empty() || matches!(password, "*" | "!" | "*************") {
            return false;
        }
        let fields: Vec<&str> = password.split('$').collect();
        let (Some(kind), Some(hash)) = (fields.get(1), fields.last()) else { return true };
        let length = match *kind {
            "1" => Some(22),
            "5" | "y" => Some(43),
            "6" => Some(86),
            _ => None,
        };
        let odd = |letter: char| !letter.is_ascii_alphanumeric() && !matches!(letter, '.' | '/' | '=');
        fields.len() < 3
            || password.contains(['*', '!'])
            || hash.contains(odd)
            || length.is_some_and(|n| hash.len() != n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::Arguments;

    fn args(password: &str) -> Args {
        Args::read(&map! { "name" => "x", "password" => password }).unwrap()
    }

    #[test]
    fn a_plain_password_is_noticed() {
        assert!(args("secret").is_plain_password());
        assert!(args("$6$short$abc").is_plain_password());
        assert!(!args("!").is_plain_password());
        let hash = "a".repeat(43);
        assert!(!args(&format!("$y$j9T$salt${hash}")).is_plain_password());
    }
}
