use crate::change::{Act, Action, Change};
use crate::failure::Failure;
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::probe::systemd::{self, Scope, Unit};
use crate::system::{Output, Subject, System};
use crate::value::{Map, Value};
use crate::{args, choices, map};

choices! {
    /// What a unit shall do.
    pub enum State {
        Started = "started",
        Stopped = "stopped",
        Restarted = "restarted",
        Reloaded = "reloaded",
    }
}

choices! {
    /// Whose units.
    pub enum ScopeChoice { System = "system", User = "user", Global = "global" }
}

args! {
    /// Starts, stops, enables and masks units of systemd.
    ///
    /// In this order: `daemon_reload`, `daemon_reexec`, `masked`, `enabled`, `state`. A failure to start shows what the
    /// unit logged last. With a name alone it only says how the unit is.
    pub struct Args {
        /// The unit; `.service` is added if it has no type.
        name: Option<String>, alias("service", "unit");
        /// `started` and `stopped` do nothing if that is so already; `restarted` and `reloaded` always act, and start a
        /// unit that does not run.
        state: Option<State>;
        /// Whether it starts at boot.
        enabled: Option<bool>;
        /// Whether it cannot be started at all.
        masked: Option<bool>;
        /// Replace links that are in the way.
        force: bool = false;
        /// First have systemd read its files again. Does not make the step changed.
        daemon_reload: bool = false, alias("daemon-reload");
        /// First have systemd start itself again. Does not make the step changed.
        daemon_reexec: bool = false, alias("daemon-reexec");
        /// Whose units: the machine's, those of the user whom the step runs as, or the settings for all users.
        scope: ScopeChoice = ScopeChoice::System;
        /// Do not wait until the unit is started or stopped.
        no_block: bool = false;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec =
    ModuleSpec { aliases: &["systemd_service"], ..ModuleSpec::of::<Args>("ansible.builtin", "systemd") };

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        let reloads = self.reloads(system);
        if done.len() < reloads.len() {
            return Ok(Change::again(reloads, self.name_value()));
        }
        let done = &done[reloads.len()..];
        match &self.name {
            None => Ok(Change::none(self.name_value())),
            Some(name) => Wanted { args: self, name, scope: self.scope() }.plan(system, done),
        }
    }

    fn check(&self) -> Result<(), ArgError> {
        let wants = self.state.is_some() || self.enabled.is_some() || self.masked.is_some();
        match &self.name {
            None if wants => return Err(ArgError::whole("`state`, `enabled` and `masked` need `name`")),
            Some(name) if name.contains(['*', '?', '[']) => {
                return Err(ArgError::new(
                    "name",
                    format!("`{name}` is a pattern; name one unit (use `loop` for several)"),
                ));
            }
            _ => {}
        }
        if self.state.is_some() && self.scope == ScopeChoice::Global {
            return Err(ArgError::new("state", "units of all users can be enabled or masked, not started"));
        }
        Ok(())
    }

    fn effects(_: &Given) -> Effects {
        Effects::host()
    }
}

impl Args {
    fn scope(&self) -> Scope {
        match self.scope {
            ScopeChoice::System => Scope::System,
            ScopeChoice::User => Scope::User,
            ScopeChoice::Global => Scope::Global,
        }
    }

    fn name_value(&self) -> Map {
        map! { "name" => self.name.clone(), "status" => Map::new() }
    }

    fn reloads(&self, system: &dyn System) -> Vec<Action> {
        let reload = |wanted: bool, verb: &str| {
            wanted.then(|| {
                let command = systemd::systemctl(system, self.scope(), &[verb]);
                let action = Action::housekeeping(Act::Run(command)).expect(Output::default());
                Action { must_succeed: Some(format!("`systemctl {verb}` failed")), ..action }
            })
        };
        let reload_first = reload(self.daemon_reload, "daemon-reload");
        reload_first.into_iter().chain(reload(self.daemon_reexec, "daemon-reexec")).collect()
    }
}

/// What is wanted of one unit.
struct Wanted<'a> {
    args: &'a Args,
    name: &'a str,
    scope: Scope,
}

impl Wanted<'_> {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        let unit = systemd::unit(system, self.scope, self.name)?;
        if let Some(failed) = done.iter().find(|output| !output.ok()) {
            return Err(self.failed(system, failed));
        }
        if !done.is_empty() {
            return Ok(self.finished(&unit));
        }
        let found = unit.exists;
        if let Some(error) = unit.load_error.as_ref().filter(|_| !unit.planned) {
            return Err(Failure::new(format!("Error loading unit file '{}': {error}", self.name)).argument("name"));
        }
        let mut actions = Vec::new();
        actions.extend(self.mask(system, &unit));
        if (self.args.enabled.is_some() || self.args.state.is_some()) && !found {
            let message = format!("Could not find the requested service {}: host", self.name);
            return Err(Failure::new(message).argument("name").with("status", unit.status));
        }
        let enabled = self.is_enabled(system, &unit)?;
        actions.extend(self.enable(system, &unit, enabled));
        let mut change = Change::none(self.values(&unit, enabled));
        match (&unit.active, self.args.state) {
            (None, Some(_)) => change
                .warnings
                .push(format!("systemd does not run here (a chroot?): {} is neither started nor stopped", self.name)),
            (_, Some(state)) => actions.extend(self.run(system, &unit, state)),
            _ => {}
        }
        change.again = !actions.is_empty();
        change.actions = actions;
        Ok(change)
    }

    fn mask(&self, system: &dyn System, unit: &Unit) -> Option<Action> {
        let masked = self.args.masked.filter(|masked| *masked != unit.is_masked())?;
        let action = self.act(system, if masked { "mask" } else { "unmask" });
        Some(action.settles(systemd::masked_subject(self.name), masked))
    }

    /// Whether systemd would start it at boot.
    fn is_enabled(&self, system: &dyn System, unit: &Unit) -> Result<bool, Failure> {
        match unit.file_state.as_str() {
            "enabled" | "static" | "transient" => Ok(true),
            "generated" | "" if self.scope == Scope::System => {
                let script = std::path::Path::new("/etc/init.d").join(self.name.trim_end_matches(".service"));
                match system.stat(&script, true)? {
                    Some(_) => systemd::init_script_is_enabled(system, self.name),
                    None => Ok(unit.file_state == "generated"),
                }
            }
            _ => Ok(false),
        }
    }

    fn enable(&self, system: &dyn System, unit: &Unit, enabled: bool) -> Option<Action> {
        let wanted = self.args.enabled.filter(|wanted| *wanted != enabled)?;
        // What has no install section, or is made by a generator, cannot be disabled.
        if !wanted && matches!(unit.file_state.as_str(), "static" | "transient") {
            return None;
        }
        let action = self.act(system, if wanted { "enable" } else { "disable" });
        Some(action.settles(Subject::UnitEnabled(systemd::full_name(self.name)), wanted))
    }

    fn run(&self, system: &dyn System, unit: &Unit, state: State) -> Option<Action> {
        let (verb, runs) = match state {
            State::Started if unit.is_running() => return None,
            State::Stopped if !unit.is_running() && !unit.is_stopping() => return None,
            State::Stopped => ("stop", false),
            State::Restarted if unit.is_running() => ("restart", true),
            State::Reloaded if unit.is_running() => ("reload", true),
            State::Started | State::Restarted | State::Reloaded => ("start", true),
        };
        let action = Action { must_succeed: None, ..self.act(system, verb) };
        Some(action.settles(Subject::UnitActive(systemd::full_name(self.name)), runs))
    }

    fn act(&self, system: &dyn System, verb: &str) -> Action {
        let mut words = Vec::new();
        words.extend(self.args.no_block.then_some("--no-block"));
        words.extend(self.args.force.then_some("--force"));
        words.extend([verb, self.name]);
        let command = systemd::systemctl(system, self.scope, &words);
        Action::run(command, format!("Unable to {verb} service {}", self.name)).expect(Output::default())
    }

    /// The values once everything is done.
    fn finished(&self, unit: &Unit) -> Change {
        let enabled = self.args.enabled.unwrap_or_default();
        let mut change = Change::none(self.values(unit, enabled));
        let wants_it_up = self.args.state.is_some_and(|state| state != State::Stopped);
        if wants_it_up && unit.active.as_deref() == Some("failed") {
            change.warnings.push(format!("{} was started, but has failed since", self.name));
        }
        change
    }

    fn values(&self, unit: &Unit, enabled: bool) -> Map {
        let mut values = map! { "name" => self.name, "status" => unit.status.clone() };
        if self.args.enabled.is_some() {
            values.insert("enabled".into(), enabled.into());
        }
        if let Some(state) = self.args.state {
            let state = if state == State::Stopped { "stopped" } else { "started" };
            values.insert("state".into(), Value::from(state));
        }
        values
    }

    /// Why the unit could not be started or stopped, with its own last words.
    fn failed(&self, system: &dyn System, output: &Output) -> Failure {
        let verb = output.argv.iter().rev().nth(1).map_or("change", String::as_str);
        let said = output.refused.clone().unwrap_or_else(|| output.errors());
        let mut message = format!("Unable to {verb} service {}: {}", self.name, said.trim());
        let log = systemd::last_words(system, self.scope, self.name);
        if !log.is_empty() {
            message = format!("{message}\nwhat it logged last:\n{log}");
        }
        Failure::new(message)
            .argument("state")
            .with("cmd", output.argv.clone())
            .with("rc", output.rc)
            .with("stdout", output.text())
            .with("stderr", output.errors())
    }
}
