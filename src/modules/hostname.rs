use std::path::Path;

use crate::change::{Action, Change};
use crate::failure::{During, Failure};
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::modules::text_file::TextFile;
use crate::probe::systemd;
use crate::system::{Command, Output, Subject, System};
use crate::value::Map;
use crate::{args, choices, map};

const FILE: &str = "/etc/hostname";

choices! {
    /// How the name is set.
    pub enum Strategy {
        /// `hostnamectl` where systemd runs, else the file.
        Auto = "auto",
        Systemd = "systemd",
        /// `/etc/hostname` and `hostname`.
        File = "file" | "debian" | "redhat" | "alpine" | "generic",
    }
}

args! {
    /// Sets the machine's name, for now and for the next boot.
    ///
    /// `/etc/hosts` is left as it is.
    pub struct Args {
        /// The name.
        name: String;
        /// How it is set.
        r#use: Strategy = Strategy::Auto;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "hostname");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        if !done.is_empty() {
            return Ok(Change::none(self.values()));
        }
        let with_systemd = match self.r#use {
            Strategy::Auto => systemd::is_running(system)?,
            strategy => strategy == Strategy::Systemd,
        };
        let file = TextFile::read(system, Path::new(FILE))?;
        let planned = system.predicted(&subject()) == Some(self.name.as_str().into());
        let kept = planned || file.text().trim() == self.name;
        let runs = planned || current(system)? == self.name;
        let mut actions = Vec::new();
        if with_systemd {
            // Each of the two is asked for only where it differs, so that the plan says what happens.
            actions.extend((!kept).then(|| self.hostnamectl("--static")));
            actions.extend((!runs).then(|| self.hostnamectl("--transient")));
        } else {
            actions.extend(file.write(&format!("{}\n", self.name)).filter(|_| !kept));
            actions.extend((!runs).then(|| self.run(["hostname", &self.name].map(str::to_owned).to_vec())));
        }
        Ok(Change { again: !actions.is_empty(), ..Change::of(actions, self.values()) })
    }

    fn check(&self) -> Result<(), ArgError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        let long = self.name.len() > 64;
        if self.name.is_empty() || long || !self.name.chars().all(fits) {
            let message = "a host's name holds up to 64 letters, digits, hyphens and dots";
            return Err(ArgError::new("name", message));
        }
        Ok(())
    }

    fn effects(_: &Given) -> Effects {
        let facts = ["ansible_hostname", "ansible_nodename", "ansible_fqdn", "ansible_domain"];
        Effects::host().returning(facts)
    }
}

impl Args {
    fn hostnamectl(&self, which: &str) -> Action {
        self.run(["hostnamectl", which, "set-hostname", &self.name].map(str::to_owned).to_vec())
    }

    fn run(&self, words: Vec<String>) -> Action {
        let action = Action::run(Command::new(words), format!("cannot set the host's name to {}", self.name));
        action.expect(Output::default()).settles(subject(), self.name.as_str())
    }

    fn values(&self) -> Map {
        let mut facts =
            map! { "ansible_hostname" => self.name.split('.').next(), "ansible_nodename" => self.name.as_str() };
        if let Some((_, domain)) = self.name.split_once('.') {
            facts.extend(map! { "ansible_fqdn" => self.name.as_str(), "ansible_domain" => domain });
        }
        map! { "name" => self.name.as_str(), "ansible_facts" => facts }
    }
}

fn subject() -> Subject {
    Subject::Other("hostname".into(), String::new())
}

/// The name that the kernel has.
fn current(system: &dyn System) -> Result<String, Failure> {
    let name = system.read(Path::new("/proc/sys/kernel/hostname")).during(|| "read the host's name")?;
    Ok(String::from_utf8_lossy(&name.unwrap_or_default()).trim().to_owned())
}
