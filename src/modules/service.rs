mod init;

use crate::change::Change;
use crate::failure::Failure;
use crate::module::{ArgError, Arguments, Effects, Given, Module, ModuleSpec};
use crate::modules::systemd;
use crate::probe;
use crate::system::{Output, System};
use crate::value::{Map, Value};
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
    /// Where systemd runs this is the module `systemd`, and takes its arguments. Elsewhere it uses OpenRC or init scripts.
    pub struct Args {
        /// The service.
        name: Option<String>, alias("unit");
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
        /// Only with systemd: whether it cannot be started at all.
        masked: Option<bool>;
        /// Only with systemd: first have it read its files again.
        daemon_reload: Option<bool>, alias("daemon-reload");
        /// Only with systemd: first have it start itself again.
        daemon_reexec: Option<bool>, alias("daemon-reexec");
        /// Only with systemd: replace links that are in the way.
        force: Option<bool>;
        /// Only with systemd: whose units.
        scope: Option<String>;
        /// Only with systemd: do not wait until the unit is started or stopped.
        no_block: Option<bool>;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "service");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        match self.manager(system)? {
            Manager::Auto | Manager::Systemd => self.with_systemd(system, done),
            Manager::Openrc => self.script(true)?.plan(system, done),
            Manager::Sysvinit => self.script(false)?.plan(system, done),
        }
    }

    fn check(&self) -> Result<(), ArgError> {
        match self.r#use {
            Manager::Auto | Manager::Systemd => self.unit().map(|_| ())?,
            Manager::Openrc | Manager::Sysvinit => self.script(false).map(|_| ())?,
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

    /// The service as an init script.
    fn script(&self, openrc: bool) -> Result<init::Script<'_>, ArgError> {
        let Some(name) = self.name.as_deref() else { return Err(ArgError::whole("`name` is required")) };
        if self.state.is_none() && self.enabled.is_none() {
            return Err(ArgError::whole("one of `state`, `enabled` is needed"));
        }
        match self.of_systemd().next() {
            Some((argument, _)) => {
                Err(ArgError::new(argument, format!("`{argument}` is for systemd, which does not run here")))
            }
            None => Ok(init::Script { args: self, name, openrc }),
        }
    }

    /// The given arguments that only systemd has a use for.
    fn of_systemd(&self) -> impl Iterator<Item = (&'static str, Value)> {
        let given = [
            ("masked", self.masked.map(Value::from)),
            ("daemon_reload", self.daemon_reload.map(Value::from)),
            ("daemon_reexec", self.daemon_reexec.map(Value::from)),
            ("force", self.force.map(Value::from)),
            ("scope", self.scope.clone().map(Value::from)),
            ("no_block", self.no_block.map(Value::from)),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }

    /// The service as a unit of systemd.
    fn unit(&self) -> Result<systemd::Args, ArgError> {
        let mut wanted: Map = self.of_systemd().map(|(name, value)| (name.to_owned(), value)).collect();
        wanted.extend(self.name.clone().map(|name| ("name".to_owned(), name.into())));
        wanted.extend(self.state.map(|state| ("state".to_owned(), state.as_str().into())));
        wanted.extend(self.enabled.map(|enabled| ("enabled".to_owned(), enabled.into())));
        let unit = systemd::Args::read(&wanted)?;
        unit.check()?;
        Ok(unit)
    }

    fn with_systemd(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        let mut change = self.unit()?.plan(system, done)?;
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
        let mut values = map! { "name" => self.name.clone() };
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
