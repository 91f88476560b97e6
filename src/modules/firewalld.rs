use crate::change::{Action, Change};
use crate::failure::{During, Failure};
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::probe::dpkg;
use crate::system::{Command, Output, Subject, System};
use crate::value::{Map, Value};
use crate::{args, choices, map};

choices! {
    /// Whether it is allowed; `present` and `absent` are for whole zones.
    pub enum State { Enabled = "enabled", Disabled = "disabled", Present = "present", Absent = "absent" }
}

args! {
    /// Opens and closes ports, services and more in the zones of firewalld, with `firewall-cmd`.
    pub struct Args {
        /// A port or a range with its protocol: `80/tcp`, `8000-8010/udp`.
        port: Option<String>;
        /// A service that firewalld knows.
        service: Option<String>;
        /// A protocol.
        protocol: Option<String>;
        /// A network whose packets belong to the zone. Needs `permanent`.
        source: Option<String>;
        /// An interface that belongs to the zone. Needs `zone`.
        interface: Option<String>;
        /// A rule in firewalld's rich language.
        rich_rule: Option<String>;
        /// Whether addresses are masqueraded. `no` is the opposite of `state`.
        masquerade: Option<bool>;
        /// Whether packets are forwarded within the zone. `no` is the opposite of `state`.
        forward: Option<bool>;
        /// A kind of ICMP message that is blocked.
        icmp_block: Option<String>;
        /// Whether all but the blocked kinds are blocked. `no` is the opposite of `state`.
        icmp_block_inversion: Option<bool>;
        /// The zone; by default firewalld's own default.
        zone: Option<String>;
        /// What is wanted.
        state: State;
        /// Change what firewalld starts with.
        permanent: bool = false;
        /// Change what it does now; so it is without `permanent`.
        immediate: bool = false;
        /// Work although firewalld does not run. Needs `permanent`.
        offline: bool = false;
        /// Seconds after which it is undone. Not with `permanent`.
        timeout: u32 = 0_u32;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.posix", "firewalld");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        let mut actions: Vec<Action> = Vec::new();
        if done.is_empty() {
            let runs = self.runs(system)?;
            if self.permanent {
                let tool = if runs { Tool::Permanent } else { Tool::Offline };
                actions.extend(self.settle(system, tool)?);
            }
            if self.is_immediate() && runs {
                actions.extend(self.settle(system, Tool::Now)?);
            }
            if self.is_immediate() && !runs && !self.offline {
                let message = "firewalld does not run, so nothing can be changed now; `permanent` with `offline` can";
                return Err(Failure::new(message).argument("immediate"));
            }
        }
        Ok(Change { again: !actions.is_empty(), ..Change::of(actions, self.values()) })
    }

    fn check(&self) -> Result<(), ArgError> {
        let whole_zone = matches!(self.state, State::Present | State::Absent);
        match self.features().len() {
            0 if !whole_zone => return Err(ArgError::whole("say what: `port`, `service`, `rich_rule`, …")),
            0 if self.zone.is_none() => return Err(ArgError::new("state", "`present` and `absent` need a `zone`")),
            0 if !self.permanent => return Err(ArgError::new("state", "zones are made and removed with `permanent`")),
            1 if whole_zone => {
                return Err(ArgError::new("state", "`present` and `absent` are for zones; use `enabled`"));
            }
            0 | 1 => {}
            _ => return Err(ArgError::whole("say one thing only: `port` or `service` or …")),
        }
        if self.interface.is_some() && self.zone.is_none() {
            return Err(ArgError::new("interface", "`interface` needs `zone`"));
        }
        if self.source.is_some() && !self.permanent {
            return Err(ArgError::new("source", "`source` needs `permanent`"));
        }
        if self.timeout > 0 && self.permanent {
            return Err(ArgError::new("timeout", "what is permanent has no end"));
        }
        if self.offline && !self.permanent {
            return Err(ArgError::new("offline", "`offline` needs `permanent`"));
        }
        Ok(())
    }

    fn effects(_: &Given) -> Effects {
        // Others may no longer get through.
        Effects::world()
    }
}

/// Which of firewalld's settings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tool {
    Now,
    Permanent,
    Offline,
}

impl Args {
    fn is_immediate(&self) -> bool {
        self.immediate || !self.permanent
    }

    /// What is wanted: the words behind `--add-`, `--remove-` and `--query-`, and whether `no` turns it around.
    fn features(&self) -> Vec<(String, bool)> {
        let texts = [
            ("port", &self.port),
            ("service", &self.service),
            ("protocol", &self.protocol),
            ("source", &self.source),
            ("interface", &self.interface),
            ("rich-rule", &self.rich_rule),
            ("icmp-block", &self.icmp_block),
        ];
        let flags = [
            ("masquerade", self.masquerade),
            ("forward", self.forward),
            ("icmp-block-inversion", self.icmp_block_inversion),
        ];
        let texts = texts.into_iter().filter_map(|(name, text)| Some((format!("{name}={}", text.as_ref()?), false)));
        texts.chain(flags.into_iter().filter_map(|(name, flag)| Some((name.to_owned(), !flag?)))).collect()
    }

    /// Whether firewalld runs.
    fn runs(&self, system: &dyn System) -> Result<bool, Failure> {
        if system.which("firewall-cmd").is_none() {
            return match dpkg::has_planned(system) {
                true => Ok(true),
                false => Err(Failure::new("there is no program `firewall-cmd` here; install the package firewalld")),
            };
        }
        if let Some(Value::Bool(active)) = system.predicted(&Subject::UnitActive("firewalld.service".into())) {
            return Ok(active);
        }
        Ok(system.query(&Command::new(["firewall-cmd", "--state"])).during(|| "start firewall-cmd")?.ok())
    }

    fn words(&self, tool: Tool, last: String) -> Vec<String> {
        let program = if tool == Tool::Offline { "firewall-offline-cmd" } else { "firewall-cmd" };
        let mut words = vec![program.to_owned()];
        words.extend((tool == Tool::Permanent).then(|| "--permanent".to_owned()));
        words.extend(self.zone.as_ref().filter(|_| !self.features().is_empty()).map(|zone| format!("--zone={zone}")));
        words.push(last);
        words
    }

    fn settle(&self, system: &dyn System, tool: Tool) -> Result<Option<Action>, Failure> {
        let zone = self.zone.as_deref().unwrap_or_default();
        let (question, add, remove, turned) = match self.features().into_iter().next() {
            Some((feature, turned)) => {
                (format!("--query-{feature}"), format!("--add-{feature}"), format!("--remove-{feature}"), turned)
            }
            None => {
                (format!("--info-zone={zone}"), format!("--new-zone={zone}"), format!("--delete-zone={zone}"), false)
            }
        };
        let wanted = matches!(self.state, State::Enabled | State::Present) != turned;
        let key = self.words(tool, question);
        let subject = Subject::Other("firewalld".into(), key.join(" "));
        let there = match system.predicted(&subject) {
            Some(Value::Bool(there)) => there,
            _ => self.ask(system, key)?,
        };
        if there == wanted {
            return Ok(None);
        }
        let mut words = self.words(tool, if wanted { add } else { remove });
        words.extend((self.timeout > 0 && wanted).then(|| format!("--timeout={}", self.timeout)));
        let action = Action::run(Command::new(words), "firewalld refuses").expect(Output::default());
        Ok(Some(action.settles(subject, wanted)))
    }

    fn ask(&self, system: &dyn System, words: Vec<String>) -> Result<bool, Failure> {
        if system.which(&words[0]).is_none() {
            return Ok(false);
        }
        let is_zone = self.features().is_empty();
        let output = system.query(&Command::new(words)).during(|| "start firewall-cmd")?;
        match output.rc {
            0 => Ok(true),
            // 1: no; 112: there is no such zone.
            1 => Ok(false),
            112 if is_zone => Ok(false),
            rc => {
                let said = output.errors() + &output.text();
                Err(Failure::new(format!("firewalld: {}", said.trim())).with("rc", rc))
            }
        }
    }

    fn values(&self) -> Map {
        let scope = match (self.permanent, self.is_immediate()) {
            (true, true) => "Permanent and Non-Permanent(immediate) operation",
            (true, false) => "Permanent operation",
            (false, _) => "Non-permanent operation",
        };
        map! { "msg" => scope, "state" => self.state.as_str() }
    }
}
