use std::path::{Path, PathBuf};

use super::web::exchange;
use crate::change::{Act, Action, Attributes, Change, WriteFile};
use crate::failure::{During, Failure};
use crate::module::{ArgError, Module, ModuleSpec};
use crate::probe::{expand, pgp};
use crate::system::{Command, Content, Output, Subject, System};
use crate::value::{Map, Value};
use crate::{args, choices, map};

choices! {
    /// What may be wanted of a key.
    pub enum State {
        /// rpm trusts it.
        Present = "present",
        /// rpm does not trust it.
        Absent = "absent",
    }
}

args! {
    /// Gives rpm keys to trust, and takes them away.
    pub struct Args {
        /// The key: its address, a file of the host, or with `state: absent` also the digits of its fingerprint.
        key: String;
        /// What is wanted.
        state: State = State::Present;
        /// Fingerprints of which the key must have one.
        fingerprint: Vec<String>;
        /// Check the server's certificate.
        validate_certs: bool = true;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "rpm_key");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        if system.which("rpm").is_none() {
            return Err(Failure::new("this machine has no rpm; is it of the Red Hat family?"));
        }
        if done.iter().any(|output| output.argv.first().is_some_and(|program| program == "rpm")) {
            return Ok(Change::none(self.values()));
        }
        let (fingerprint, bytes) = match self.digits() {
            Some(digits) => (digits, Vec::new()),
            None => match self.given(system, done)? {
                Err(action) => return Ok(Change::again(vec![*action], self.values())),
                Ok(bytes) => (self.fingerprint_of(&bytes)?, bytes),
            },
        };
        let found = self.trusted(system, &fingerprint)?;
        match (self.state, found) {
            (State::Present, None) => Ok(Change::again(self.import(system, &fingerprint, bytes), self.values())),
            (State::Absent, Some(name)) => {
                let command = Command::new(["rpm", "--erase", "--allmatches", &format!("gpg-pubkey-{name}")]);
                let action = Action::run(command, "rpm cannot remove the key").expect(Output::default());
                Ok(Change::again(vec![action.settles(subject(&fingerprint), Value::Null)], self.values()))
            }
            _ => Ok(Change::none(self.values())),
        }
    }

    fn check(&self) -> Result<(), ArgError> {
        match self.state == State::Present && self.digits().is_some() {
            true => Err(ArgError::new("key", "digits name a key only to remove it: give its address or file")),
            false => Ok(()),
        }
    }
}

fn subject(fingerprint: &str) -> Subject {
    Subject::Other("rpm key".into(), fingerprint[fingerprint.len().saturating_sub(8)..].to_lowercase())
}

impl Args {
    /// The key, if it is given by the digits of its fingerprint.
    fn digits(&self) -> Option<String> {
        let digits = self.key.trim_start_matches("0x").trim_start_matches("0X").replace(' ', "");
        let good = digits.len() >= 8 && digits.chars().all(|c| c.is_ascii_hexdigit());
        good.then(|| digits.to_uppercase())
    }

    fn given(&self, system: &dyn System, done: &[Output]) -> Result<Result<Vec<u8>, Box<Action>>, Failure> {
        if !self.key.contains("://") {
            let path = expand::path(system, Path::new(&self.key))?;
            let bytes = system.read(&path).during(|| format!("read {}", path.display()))?;
            let none = || Failure::new(format!("there is no file {}", path.display())).argument("key");
            return bytes.map(Ok).ok_or_else(none);
        }
        let request = exchange::get(&self.key, self.validate_certs);
        exchange::body(system, request, true, &mut exchange::downloads(done)).map_err(|failure| failure.argument("key"))
    }

    fn fingerprint_of(&self, bytes: &[u8]) -> Result<String, Failure> {
        let keys = pgp::plain(bytes).and_then(|bytes| pgp::keys(&bytes)).unwrap_or_default();
        let Some(key) = keys.first() else {
            return Err(Failure::new(format!("{} is no public key of OpenPGP", self.key)).argument("key"));
        };
        let expected = self.fingerprint.is_empty() || self.fingerprint.iter().any(|wanted| key.is_called(wanted));
        match expected {
            true => Ok(key.fingerprints[0].clone()),
            false => {
                let message =
                    format!("the key has the fingerprint {}, which is not among those expected", key.fingerprints[0]);
                Err(Failure::new(message).argument("fingerprint"))
            }
        }
    }

    /// The version of rpm's entry for the key, if it trusts it.
    fn trusted(&self, system: &dyn System, fingerprint: &str) -> Result<Option<String>, Failure> {
        if let Some(planned) = system.predicted(&subject(fingerprint)) {
            return Ok(planned.as_str().map(str::to_owned));
        }
        let output =
            system.query(&Command::new(["rpm", "-q", "gpg-pubkey", "--qf", "%{VERSION}\\n"])).during(|| "ask rpm")?;
        if !output.ok() {
            return Ok(None);
        }
        // Older ones keep the last 8 digits, newer ones all.
        let is_it = |name: &&str| {
            let name = name.to_uppercase();
            !name.is_empty() && (fingerprint.ends_with(&name) || name.ends_with(fingerprint))
        };
        Ok(output.text().lines().map(str::trim).find(is_it).map(str::to_owned))
    }

    fn import(&self, system: &dyn System, fingerprint: &str, bytes: Vec<u8>) -> Vec<Action> {
        let path: PathBuf = system.temporary(Path::new("/tmp/key"));
        let write = WriteFile {
            path: path.clone(),
            content: Content::Bytes(bytes),
            attributes: Attributes { mode: Some(0o600), ..Attributes::default() },
            backup: None,
            validate: None,
            unsafe_writes: false,
            diff: false,
        };
        let command = Command::new(["rpm", "--import", &path.display().to_string()]);
        let import = Action::run(command, "rpm cannot import the key").expect(Output::default());
        let short = fingerprint[fingerprint.len().saturating_sub(8)..].to_lowercase();
        vec![
            Action::housekeeping(Act::WriteFile(Box::new(write))),
            import.settles(subject(fingerprint), short),
            Action::housekeeping(Act::Remove { path }),
        ]
    }

    fn values(&self) -> Map {
        map! { "key" => self.key.as_str(), "state" => self.state.as_str() }
    }
}
