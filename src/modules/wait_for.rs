mod connections;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fancy_regex::Regex;

use crate::change::{Act, Action, Change};
use crate::failure::Failure;
use crate::module::{ArgError, Module, ModuleSpec};
use crate::probe::{addresses, attributes, paths};
use crate::system::{Command, Output, System};
use crate::value::{Map, Value};
use crate::{args, choices, map};

use connections::Connections;

choices! {
    /// What to wait for.
    pub enum State {
        /// The port is open, or the file is there.
        Started = "started",
        /// The port is closed.
        Stopped = "stopped",
        /// The same as `started`.
        Present = "present",
        /// The file is gone, or the port is closed.
        Absent = "absent",
        /// Nobody is connected to the port any more.
        Drained = "drained",
    }
}

args! {
    /// Waits until a port is open or closed, or a file is there, holds something, or is gone.
    ///
    /// Without `port` and `path` it waits for as long as `timeout` says. It changes nothing.
    pub struct Args {
        /// The host whose port it is, as the target sees it.
        host: String = "127.0.0.1";
        /// A TCP port.
        port: Option<u32>;
        /// A file.
        path: Option<PathBuf>;
        /// What to wait for.
        state: State = State::Started;
        /// A regular expression that must match in the file, or in what the port sends.
        search_regex: Option<String>;
        /// Seconds to wait before the first look.
        delay: u32 = 0_u32;
        /// Seconds until it fails.
        timeout: u32 = 300_u32;
        /// Seconds between two looks.
        sleep: u32 = 1_u32;
        /// Seconds that one attempt to connect may take.
        connect_timeout: u32 = 5_u32;
        /// The failure's message, instead of the one that says what was waited for.
        msg: Option<String>;
        /// The states in which a connection counts as active, for `drained`.
        active_connection_states: Vec<String> = ["ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "SYN_RECV", "SYN_SENT",
            "TIME_WAIT"].map(str::to_owned);
        /// Hosts whose connections do not count, for `drained`.
        exclude_hosts: Vec<String>;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "wait_for");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        if self.delay > 0 && done.is_empty() {
            return Ok(self.wait(self.delay));
        }
        let elapsed = done.first().map_or(0.0, |first| (system.now() - first.started as f64 / 1e9).max(0.0)) as i64;
        if self.port.is_none() && self.path.is_none() {
            let slept = done.len() > usize::from(self.delay > 0);
            return Ok(if slept {
                Change::none(self.values(elapsed.into(), Map::new()))
            } else {
                self.wait(self.timeout)
            });
        }
        let left = (i64::from(self.timeout) - elapsed).clamp(1, i64::from(self.connect_timeout.max(1)));
        match self.look(system, Duration::from_secs(left as u64))? {
            Some(mut found) => {
                if let Some(path) = &self.path {
                    // As of every file that a result names: `state` is what it is.
                    found.extend(attributes::values(system, &paths::absolute(system, path)?)?);
                }
                Ok(Change::none(self.values(elapsed.into(), found)))
            }
            None if !done.is_empty() && elapsed >= i64::from(self.timeout) => Err(self.failure(elapsed)),
            None => Ok(self.wait(self.sleep)),
        }
    }

    fn check(&self) -> Result<(), ArgError> {
        if self.port.is_some() && self.path.is_some() {
            return Err(ArgError::new("path", "`port` and `path` exclude each other"));
        }
        if self.path.is_some() && matches!(self.state, State::Stopped | State::Drained) {
            return Err(ArgError::new("state", format!("`state: {}` is about a `port`", self.state.as_str())));
        }
        if self.state == State::Drained && self.port.is_none() {
            return Err(ArgError::new("state", "`state: drained` needs `port`"));
        }
        if !self.exclude_hosts.is_empty() && self.state != State::Drained {
            return Err(ArgError::new("exclude_hosts", "`exclude_hosts` is for `state: drained`"));
        }
        if self.port.is_some_and(|port| port > 65535) {
            return Err(ArgError::new("port", "a port is a number up to 65535"));
        }
        if let Some(state) = self.active_connection_states.iter().find(|state| connections::code(state).is_none()) {
            return Err(ArgError::new(
                "active_connection_states",
                format!("`{state}` is no state of a TCP connection"),
            ));
        }
        self.regex().map(|_| ()).map_err(|why| ArgError::new("search_regex", why))
    }
}

impl Args {
    /// Sleeps, to look again then. In plan mode nothing is waited for.
    fn wait(&self, seconds: u32) -> Change {
        let sleep = Act::Run(Command::new(["sleep".to_owned(), seconds.to_string()]));
        Change::again(vec![Action::housekeeping(sleep)], self.values(Value::Unknown(String::new()), Map::new()))
    }

    fn regex(&self) -> Result<Option<Regex>, String> {
        let text = self.search_regex.as_ref().map(|text| Regex::new(&format!("(?m){text}")));
        text.transpose().map_err(|error| format!("this is no regular expression: {error}"))
    }

    /// Whether it has come true; then what was found. An attempt to connect may take as long as `patience`.
    fn look(&self, system: &dyn System, patience: Duration) -> Result<Option<Map>, Failure> {
        let regex = self.regex().map_err(|why| Failure::new(why).argument("search_regex"))?;
        match (&self.path, self.port) {
            (Some(path), _) => self.look_at_file(system, path, regex),
            (None, Some(port)) => self.look_at_port(system, port as u16, regex, patience),
            (None, None) => Ok(Some(Map::new())),
        }
    }

    fn look_at_file(&self, system: &dyn System, path: &Path, regex: Option<Regex>) -> Result<Option<Map>, Failure> {
        let path = paths::absolute(system, path)?;
        let there = paths::stat(system, &path, true)?.is_some();
        if self.state == State::Absent {
            return Ok((!there).then(Map::new));
        }
        match regex.filter(|_| there) {
            Some(regex) => Ok(found(&regex, &system.read(&path).ok().flatten().unwrap_or_default())),
            None => Ok(there.then(Map::new)),
        }
    }

    fn look_at_port(
        &self,
        system: &dyn System,
        port: u16,
        regex: Option<Regex>,
        patience: Duration,
    ) -> Result<Option<Map>, Failure> {
        if self.state == State::Drained {
            let connections = Connections::read(system)?;
            return Ok((connections.active(self, system, port)? == 0).then(Map::new));
        }
        // A name that is not known yet is a port that is not open yet.
        let hosts = addresses::of(system, &self.host)?;
        let closes = matches!(self.state, State::Absent | State::Stopped);
        let awaited = regex.as_ref().filter(|_| !closes);
        let mut enough = |bytes: &[u8]| awaited.is_none_or(|regex| found(regex, bytes).is_some());
        let mut knock = |host| system.connect(SocketAddr::new(host, port), patience, &mut enough).ok();
        let heard = hosts.into_iter().find_map(&mut knock);
        match (self.state, heard) {
            (State::Absent | State::Stopped, heard) => Ok(heard.is_none().then(Map::new)),
            (_, None) => Ok(None),
            (_, Some(bytes)) => Ok(regex.map_or(Some(Map::new()), |regex| found(&regex, &bytes))),
        }
    }

    fn failure(&self, elapsed: i64) -> Failure {
        let place = match (&self.path, self.port) {
            (Some(path), _) => format!("file {}", path.display()),
            (None, port) => format!("{}:{}", self.host, port.unwrap_or_default()),
        };
        let message = match (&self.msg, &self.search_regex, self.state) {
            (Some(message), ..) => message.clone(),
            (None, _, State::Absent | State::Stopped) => format!("Timeout when waiting for {place} to stop."),
            (None, _, State::Drained) => format!("Timeout when waiting for {place} to drain"),
            (None, Some(regex), _) => format!("Timeout when waiting for search string {regex} in {place}"),
            (None, None, _) => format!("Timeout when waiting for {place}"),
        };
        Failure::new(message).with("elapsed", elapsed)
    }

    fn values(&self, elapsed: Value, found: Map) -> Map {
        let mut values = map! {
            "state" => self.state.as_str(),
            "port" => self.port,
            "path" => self.path.as_ref().map(|path| path.to_string_lossy().into_owned()),
            "search_regex" => self.search_regex.clone(),
            "elapsed" => elapsed,
            "match_groups" => Vec::<Value>::new(),
            "match_groupdict" => Map::new(),
        };
        values.extend(found);
        values
    }
}

/// The groups of the first match; `None` if nothing matches.
fn found(regex: &Regex, bytes: &[u8]) -> Option<Map> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let captures = regex.captures(text.as_str()).ok().flatten()?;
    let groups: Vec<Value> = (1..captures.len()).map(|n| captures.get(n).map(|group| group.as_str()).into()).collect();
    let names = regex.capture_names().flatten();
    let named: Map = names.map(|name| (name.to_owned(), captures.name(name).map(|m| m.as_str()).into())).collect();
    Some(map! { "match_groups" => groups, "match_groupdict" => named })
}
