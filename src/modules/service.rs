mod init;

use crate::change::Change;
use crate::failure::Failure;
use crate::module::{ArgError, Arguments, Effects, Given, Module, ModuleSpec};
use crate::modules::systemd;
use crate::probe;
use crate::system::{Output, System};
use crate::value::Map;
use crate::{args, choices, map};

choices! {
    /// What a service shall do.
    pub enum State {
        Started = "started",
        Stopped = "stopped",
        Restarted = "restarted",
        Reloaded = "reloaded",
    }
}

choices! {
    /// What manages the services.
    pub enum Manager {
        /// systemd where it runs, else OpenRC, else init scripts.
        Auto = "auto",
        Systemd = "systemd",
        Openrc = "openrc",
        /// Init scripts in `/etc/init.d`.
        Sysvinit = "sysvinit" | "service",
    }
}

args! {
    /// Starts, stops and enables services, whatever manages them.
    ///
    /// Where systemd runs this is the module `systemd`, which can do more. Elsewhere it uses OpenRC or init scripts.
    pub struct Args {
        /// The service.
        name: String;
        /// `started` and `stopped` do nothing if that is so already; `restarted` and `reloaded` always act, and start a
        /// service that does not run.
        state: Option<State>;
        /// Whether it starts at boot.
        enabled: Option<bool>;
        /// Text to look for among the running programs, where an init script cannot say whether its service runs.
        pattern: Option<String>;
        /// Seconds between stop and start when an init script is restarted.
        sleep: Option<u32>;
        /// More words for the init script.
        arguments: Option<String>, alias("args");
        /// OpenRC's runlevel in which the service is enabled.
        runlevel: Option<String>;
        /// What manages the services.
        r#use: Manager = Manager::Auto;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "service");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        match self.manager(system)? {
            Manager::Auto | Manager::Systemd => self.with_systemd(system, done),
            Manager::Openrc => init::Script { args: self, openrc: true }.plan(system, done),
            Manager::Sysvinit => init::Script { args: self, openrc: false }.plan(system, done),
        }
    }

    fn check(&self) -> Result<(), ArgError> {
        if self.state.is_none() && self.enabled.is_none() {
            return Err(ArgError::whole("one of `state`, `enabled` is needed"));
        }
        self.words().map(|_| ()).map_err(|why| ArgError::new("arguments", why))
    }

    fn effects(_: &Given) -> Effects {
        Effects::host()
    }
}

impl Args {
    fn manager(&self, system: &dyn System) -> Result<Manager, Failure> {
        if self.r#use != Manager::Auto {
            return Ok(self.r#use);
        }
        let openrc = system.which("rc-service").is_some();
        // Where nothing runs (an image that is being built) systemd's tools still enable units.
        Ok(match probe::systemd::is_running(system)? || !openrc && system.which("systemctl").is_some() {
            true => Manager::Systemd,
            false if openrc => Manager::Openrc,
            false => Manager::Sysvinit,
        })
    }

    fn words(&self) -> Result<Vec<String>, String> {
        self.arguments.as_deref().map_or(Ok(Vec::new()), crate::words::split)
    }

    fn with_systemd(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        let mut wanted = map! { "name" => self.name.as_str() };
        wanted.extend(self.state.map(|state| ("state".to_owned(), state.as_str().into())));
        wanted.extend(self.enabled.map(|enabled| ("enabled".to_owned(), enabled.into())));
        let unit = systemd::Args::read(&wanted)?;
        unit.check()?;
        let mut change = unit.plan(system, done)?;
        change.warnings.extend(self.ignored().map(|name| format!("`{name}` has no meaning where systemd runs")));
        Ok(change)
    }

    /// The given arguments that systemd has no use for, as in Ansible.
    fn ignored(&self) -> impl Iterator<Item = &'static str> {
        let given = [
            ("pattern", self.pattern.is_some()),
            ("sleep", self.sleep.is_some()),
            ("arguments", self.arguments.is_some()),
            ("runlevel", self.runlevel.is_some()),
        ];
        given.into_iter().filter_map(|(name, given)| given.then_some(name))
    }

    fn values(&self) -> Map {
        let mut values = map! { "name" => self.name.as_str() };
        if let Some(enabled) = self.enabled {
            values.insert("enabled".into(), enabled.into());
        }
        if let Some(state) = self.state {
            let state = if state == State::Stopped { "stopped" } else { "started" };
            values.insert("state".into(), state.into());
        }
        values
    }
}
