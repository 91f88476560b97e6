use std::path::{Path, PathBuf};

use crate::change::{Action, Change};
use crate::failure::Failure;
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::modules::text_file::TextFile;
use crate::probe::os::{self};
use crate::probe::paths;
use crate::system::{Command, Output, Subject, System};
use crate::value::Value;
use crate::{args, choices, map};

choices! {
    /// How SELinux works.
    pub enum State { Enforcing = "enforcing", Permissive = "permissive", Disabled = "disabled" }
}

args! {
    /// Sets SELinux's mode and policy: in its file for the next boot, and for now where that is possible.
    pub struct Args {
        /// The mode.
        state: State;
        /// The policy, as in `targeted`. Needed unless `disabled`.
        policy: Option<String>;
        /// The file.
        configfile: PathBuf = "/etc/selinux/config", alias("conf", "file");
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.posix", "selinux");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        let path = paths::real(system, &paths::absolute(system, &self.configfile)?)?;
        let file = TextFile::read(system, &path)?;
        if file.text.is_none() {
            let message = format!("there is no file {}; SELinux is not installed here", path.display());
            return Err(Failure::new(message).argument("configfile"));
        }
        let running = running(system);
        let mut actions: Vec<Action> = Vec::new();
        if done.is_empty() {
            actions.extend(file.write(&self.settled(file.text())));
            actions.extend(self.set_mode(running));
        }
        let reboot = match running {
            Some(_) => self.state == State::Disabled,
            None => self.state != State::Disabled,
        };
        let values = map! {
            "configfile" => path.to_string_lossy().into_owned(), "policy" => self.policy.clone(),
            "state" => self.state.as_str(), "reboot_required" => reboot,
        };
        let mut change = Change { again: !actions.is_empty(), ..Change::of(actions, values) };
        if reboot {
            change.warnings.push(format!("SELinux is {} after the next boot", self.state.as_str()));
        }
        Ok(change)
    }

    fn check(&self) -> Result<(), ArgError> {
        if self.policy.is_none() && self.state != State::Disabled {
            return Err(ArgError::whole("`policy` is needed unless SELinux is disabled"));
        }
        Ok(())
    }

    fn effects(_: &Given) -> Effects {
        Effects::host()
    }
}

fn subject() -> Subject {
    Subject::Other("selinux".into(), "enforcing".into())
}

/// Whether the kernel enforces; `None` if SELinux is off.
fn running(system: &dyn System) -> Option<bool> {
    if let Some(Value::Bool(enforcing)) = system.predicted(&subject()) {
        return Some(enforcing);
    }
    os::text(system, Path::new("/sys/fs/selinux/enforce")).map(|text| text.trim() == "1")
}

impl Args {
    fn set_mode(&self, running: Option<bool>) -> Option<Action> {
        let enforce = match self.state {
            State::Enforcing => true,
            // What is to be off after the next boot can only be permissive until then.
            State::Permissive | State::Disabled => false,
        };
        let word = if enforce { "1" } else { "0" };
        let action = Action::run(Command::new(["setenforce", word]), "cannot set SELinux's mode");
        (running? != enforce).then(|| action.expect(Output::default()).settles(subject(), enforce))
    }

    fn settled(&self, text: &str) -> String {
        let text = set(text, "SELINUX", self.state.as_str());
        match &self.policy {
            Some(policy) => set(&text, "SELINUXTYPE", policy),
            None => text,
        }
    }
}

/// The text with `NAME=VALUE` in the place of what it has of it.
fn set(text: &str, name: &str, value: &str) -> String {
    let is_ours = |line: &str| line.split_once('=').is_some_and(|(key, _)| key.trim() == name);
    let line = format!("{name}={value}");
    let mut lines: Vec<&str> = text.lines().map(|old| if is_ours(old) { line.as_str() } else { old }).collect();
    if !lines.contains(&line.as_str()) {
        lines.push(&line);
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}
