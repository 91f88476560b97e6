//! Services of init scripts, with or without OpenRC.

use std::path::Path;

use super::{Args, State};
use crate::change::{Action, Change};
use crate::failure::{During, Failure};
use crate::probe::systemd::init_script_is_enabled;
use crate::system::{Command, Output, Subject, System};
use crate::value::Value;

/// An init script that shall do something.
pub struct Script<'a> {
    pub args: &'a Args,
    pub name: &'a str,
    pub openrc: bool,
}

impl Script<'_> {
    pub fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        if !done.is_empty() {
            return Ok(Change::none(self.args.values()));
        }
        let name = self.name;
        let script = Path::new("/etc/init.d").join(name);
        if system.stat(&script, true).during(|| format!("look at {}", script.display()))?.is_none() {
            return Err(Failure::new(format!("Could not find the requested service {name}: host")).argument("name"));
        }
        let mut actions: Vec<Action> = self.enable(system)?.into_iter().collect();
        if let Some(state) = self.args.state {
            let running = self.is_running(system)?;
            actions.extend(self.run(state, running)?);
        }
        Ok(Change::of(actions, self.args.values()))
    }

    fn is_running(&self, system: &dyn System) -> Result<bool, Failure> {
        if let Some(Value::Bool(running)) = system.predicted(&self.subject("init_script_runs")) {
            return Ok(running);
        }
        if let Some(pattern) = &self.args.pattern {
            return program_runs(system, pattern);
        }
        let output = system.query(&Command::new(self.service("status"))).during(|| "ask for the service's state")?;
        Ok(output.ok())
    }

    fn run(&self, state: State, running: bool) -> Result<Vec<Action>, Failure> {
        let verbs: &[&str] = match (state, running) {
            (State::Started, true) | (State::Stopped, false) => &[],
            (State::Stopped, true) => &["stop"],
            (State::Restarted, true) if self.args.sleep.is_some() => &["stop", "sleep", "start"],
            (State::Restarted, true) => &["restart"],
            (State::Reloaded, true) => &["reload"],
            (_, false) => &["start"],
        };
        verbs.iter().map(|verb| self.act(verb)).collect()
    }

    fn act(&self, verb: &str) -> Result<Action, Failure> {
        if verb == "sleep" {
            let seconds = self.args.sleep.unwrap_or_default().to_string();
            return Ok(Action::run(Command::new(["sleep", &seconds]), "cannot wait").expect(Output::default()));
        }
        let mut words = self.service(verb);
        words.extend(self.args.words().map_err(|why| Failure::new(why).argument("arguments"))?);
        let action = Action::run(Command::new(words), format!("Unable to {verb} service {}", self.name));
        Ok(action.expect(Output::default()).settles(self.subject("init_script_runs"), verb != "stop"))
    }

    fn enable(&self, system: &dyn System) -> Result<Option<Action>, Failure> {
        let Some(wanted) = self.args.enabled else { return Ok(None) };
        let enabled = match system.predicted(&self.subject("init_script_enabled")) {
            Some(Value::Bool(enabled)) => enabled,
            _ if self.openrc => self.is_in_runlevel(system)?,
            _ => init_script_is_enabled(system, self.name)?,
        };
        if enabled == wanted {
            return Ok(None);
        }
        let name = self.name;
        let words = match (self.openrc, system.which("update-rc.d").is_some()) {
            (true, _) => vec!["rc-update", if wanted { "add" } else { "del" }, name, self.runlevel()],
            (false, true) => vec!["update-rc.d", name, if wanted { "enable" } else { "disable" }],
            (false, false) => vec!["chkconfig", name, if wanted { "on" } else { "off" }],
        };
        let message = format!("Unable to {} service {name}", if wanted { "enable" } else { "disable" });
        let action = Action::run(Command::new(words), message).expect(Output::default());
        Ok(Some(action.settles(self.subject("init_script_enabled"), wanted)))
    }

    fn is_in_runlevel(&self, system: &dyn System) -> Result<bool, Failure> {
        let link = Path::new("/etc/runlevels").join(self.runlevel()).join(self.name);
        Ok(system.stat(&link, false).during(|| format!("look at {}", link.display()))?.is_some())
    }

    fn runlevel(&self) -> &str {
        self.args.runlevel.as_deref().unwrap_or("default")
    }

    fn service(&self, verb: &str) -> Vec<String> {
        let program = if self.openrc { "rc-service" } else { "service" };
        [program, self.name, verb].map(str::to_owned).to_vec()
    }

    fn subject(&self, kind: &str) -> Subject {
        Subject::Other(kind.to_owned(), self.name.to_owned())
    }
}

/// Whether the command line of a running program holds this text.
fn program_runs(system: &dyn System, pattern: &str) -> Result<bool, Failure> {
    let names = system.list(Path::new("/proc")).during(|| "read /proc")?.unwrap_or_default();
    let own = system.pid().to_string();
    let is_program = |name: &&std::ffi::OsString| name.to_string_lossy().parse::<u32>().is_ok() && **name != *own;
    Ok(names.iter().filter(is_program).any(|name| {
        // A program that has ended meanwhile does not run.
        let line = system.read(&Path::new("/proc").join(name).join("cmdline")).ok().flatten().unwrap_or_default();
        String::from_utf8_lossy(&line).replace('\0', " ").contains(pattern)
    }))
}
