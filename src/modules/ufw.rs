mod rule;

use crate::change::{Action, Change};
use crate::failure::{During, Failure};
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::probe::dpkg;
use crate::system::{Command, Output, Subject, System};
use crate::value::{Map, Value};
use crate::{args, choices, map};

choices! {
    /// What the firewall shall do.
    pub enum State { Enabled = "enabled", Disabled = "disabled", Reloaded = "reloaded", Reset = "reset" }
}

choices! {
    /// What becomes of packets that no rule is about.
    pub enum Policy { Allow = "allow", Deny = "deny", Reject = "reject" }
}

choices! {
    /// What becomes of packets.
    pub enum Verdict { Allow = "allow", Deny = "deny", Limit = "limit", Reject = "reject" }
}

choices! {
    /// How much is logged.
    pub enum Logging { On = "on", Off = "off", Low = "low", Medium = "medium", High = "high", Full = "full" }
}

choices! {
    /// Which way packets go.
    pub enum Direction { In = "in", Incoming = "incoming", Out = "out", Outgoing = "outgoing", Routed = "routed" }
}

args! {
    /// Sets up the firewall UFW: rules, default policies, logging, on and off.
    pub struct Args {
        /// Whether it is on; `reloaded` and `reset` always act.
        state: Option<State>;
        /// The policy for packets that no rule is about, in `direction`.
        default: Option<Policy>, alias("policy");
        /// How much is logged.
        logging: Option<Logging>;
        /// A rule: what becomes of the packets that the other arguments describe.
        rule: Option<Verdict>;
        /// Remove the rule.
        delete: bool = false;
        /// The rule is about packets that go through.
        route: bool = false;
        /// The rule's place among the others, from 1.
        insert: Option<u32>;
        /// Which way packets go: `in` and `out` for a rule, the longer words for a policy.
        direction: Option<Direction>;
        /// The interface; needs `direction`.
        interface: Option<String>, alias("if");
        /// The interface by which packets come.
        interface_in: Option<String>, alias("if_in");
        /// The interface by which packets go.
        interface_out: Option<String>, alias("if_out");
        /// Log what the rule matches.
        log: bool = false;
        /// Where packets come from.
        from_ip: String = "any", alias("from", "src");
        /// The port that they come from.
        from_port: Option<String>;
        /// Where packets go.
        to_ip: String = "any", alias("dest", "to");
        /// The port that they go to: `80`, `80,443`, `8000:8010`.
        to_port: Option<String>, alias("port");
        /// The protocol.
        proto: Option<String>, alias("protocol");
        /// A profile of `/etc/ufw/applications.d`, instead of ports.
        name: Option<String>, alias("app");
        /// A comment on the rule.
        comment: Option<String>;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("community.general", "ufw");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        let status = status(system)?;
        if !done.is_empty() {
            return Ok(Change::none(self.values(done, &status)));
        }
        let mut actions: Vec<Action> = Vec::new();
        actions.extend(self.state.and_then(|state| self.switch(system, state, &status)));
        actions.extend(self.default.and_then(|policy| self.set_policy(system, policy, &status)));
        if let Some(verdict) = self.rule
            && self.rule_differs(system, verdict)?
        {
            let words = self.rule_words(verdict);
            let subject = self.rule_subject(verdict);
            actions.push(act(words).settles(subject, !self.delete));
        }
        actions.extend(self.logging.and_then(|level| self.set_logging(system, level, &status)));
        let values = self.values(&[], &status);
        Ok(Change { again: !actions.is_empty(), ..Change::of(actions, values) })
    }

    fn check(&self) -> Result<(), ArgError> {
        let short = matches!(self.direction, Some(Direction::In | Direction::Out));
        if self.state.is_none() && self.default.is_none() && self.rule.is_none() && self.logging.is_none() {
            return Err(ArgError::whole("one of `state`, `default`, `rule`, `logging` is needed"));
        }
        if self.default.is_some() && short {
            return Err(ArgError::new("direction", "for `default` it is incoming, outgoing or routed"));
        }
        if self.rule.is_some() && self.direction.is_some() && !short {
            return Err(ArgError::new("direction", "for `rule` it is in or out"));
        }
        self.check_rule()
    }

    fn effects(_: &Given) -> Effects {
        // Others may no longer get through.
        Effects::world()
    }
}

fn act(words: Vec<String>) -> Action {
    let argv = std::iter::once("ufw".to_owned()).chain(words);
    Action::run(Command::new(argv), "ufw refuses").expect(Output::default())
}

fn subject(what: &str) -> Subject {
    Subject::Other("ufw".into(), what.to_owned())
}

/// What `ufw status verbose` says; nothing where its package is only planned.
fn status(system: &dyn System) -> Result<String, Failure> {
    if system.which("ufw").is_none() {
        return match dpkg::has_planned(system) {
            true => Ok(String::new()),
            false => Err(Failure::new("there is no program `ufw` here; install the package ufw")),
        };
    }
    let output = system.query(&Command::new(["ufw", "status", "verbose"])).during(|| "start ufw")?;
    match output.ok() {
        true => Ok(output.text()),
        false => Err(Failure::new(format!("ufw: {}", output.errors().trim())).with("rc", output.rc)),
    }
}

impl Args {
    fn switch(&self, system: &dyn System, state: State, status: &str) -> Option<Action> {
        let active = match system.predicted(&subject("active")) {
            Some(Value::Bool(active)) => active,
            _ => status.contains("Status: active"),
        };
        let (verb, after) = match state {
            State::Enabled if active => return None,
            State::Disabled if !active => return None,
            State::Enabled => ("enable", true),
            State::Disabled => ("disable", false),
            State::Reloaded => ("reload", active),
            State::Reset => ("reset", false),
        };
        Some(act(vec!["-f".into(), verb.into()]).settles(subject("active"), after))
    }

    fn set_policy(&self, system: &dyn System, policy: Policy, status: &str) -> Option<Action> {
        let direction = self.direction.map_or("incoming", Direction::as_str);
        let key = format!("default {direction}");
        let now = match system.predicted(&subject(&key)) {
            Some(Value::Str(now)) => now,
            _ => current_policy(system, status, direction).unwrap_or_default(),
        };
        let words = ["default", policy.as_str(), direction].map(str::to_owned).to_vec();
        (now != policy.as_str()).then(|| act(words).settles(subject(&key), policy.as_str()))
    }

    fn set_logging(&self, system: &dyn System, level: Logging, status: &str) -> Option<Action> {
        let now = match system.predicted(&subject("logging")) {
            Some(Value::Str(now)) => now,
            _ => current_logging(system, status),
        };
        let same = match level {
            Logging::On => !matches!(now.as_str(), "off" | ""),
            level => now == level.as_str(),
        };
        let words = ["logging", level.as_str()].map(str::to_owned).to_vec();
        let settled = if level == Logging::On { "low" } else { level.as_str() };
        (!same).then(|| act(words).settles(subject("logging"), settled))
    }

    fn values(&self, done: &[Output], status: &str) -> Map {
        let commands: Vec<String> = done.iter().map(|output| output.argv.join(" ")).collect();
        map! { "commands" => commands, "msg" => status.trim_end() }
    }
}

/// A policy: from the status of an active firewall, else from its settings.
fn current_policy(system: &dyn System, status: &str, direction: &str) -> Option<String> {
    let line = status.lines().find_map(|line| line.strip_prefix("Default: "));
    if let Some(line) = line {
        let part = line.split(',').find(|part| part.contains(&format!("({direction})")))?;
        let word = part.split_whitespace().next()?;
        // Nothing is routed at all; the policy below it stays as it is set.
        return (word != "disabled").then(|| word.to_owned()).or_else(|| policy_setting(system, direction));
    }
    policy_setting(system, direction)
}

fn policy_setting(system: &dyn System, direction: &str) -> Option<String> {
    let name = match direction {
        "outgoing" => "DEFAULT_OUTPUT_POLICY",
        "routed" => "DEFAULT_FORWARD_POLICY",
        _ => "DEFAULT_INPUT_POLICY",
    };
    let policy = match setting(system, "/etc/default/ufw", name)?.as_str() {
        "ACCEPT" => "allow",
        "DROP" => "deny",
        _ => "reject",
    };
    Some(policy.to_owned())
}

fn current_logging(system: &dyn System, status: &str) -> String {
    match status.lines().find_map(|line| line.strip_prefix("Logging: ")) {
        Some(line) if line.starts_with("off") => "off".to_owned(),
        Some(line) => line.trim_start_matches("on (").trim_end_matches(')').to_owned(),
        None => setting(system, "/etc/ufw/ufw.conf", "LOGLEVEL").unwrap_or_default(),
    }
}

fn setting(system: &dyn System, file: &str, name: &str) -> Option<String> {
    let bytes = system.read(std::path::Path::new(file)).ok().flatten()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let value = |line: &str| Some(line.strip_prefix(name)?.strip_prefix('=')?.trim_matches('"').to_owned());
    text.lines().find_map(value)
}
