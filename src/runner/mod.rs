//! Plays on hosts: what is sent when, what answers mean, and where each host goes from there.

mod about;
mod batch;
mod conclude;
pub mod connection;
mod controller;
mod fetch;
mod flags;
mod include;
mod include_vars;
mod judge;
mod magic;
mod meta;
#[cfg(test)]
mod model;
mod play;
mod prepare;
mod scheduler;
mod scope;
pub mod secrets;
mod sending;
mod source;
mod task_run;
mod warnings;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use tokio::sync::{Notify, mpsc};

use self::connection::{Reader, target};
pub use self::play::{PlayContext, batches};
use self::prepare::Bench;
use self::scheduler::RunningId;
pub use self::scope::{HostLayers, Table, TaskScope, Unsettled, data, layer, magic};
use self::task_run::Ended;
use self::warnings::Warnings;
use crate::diagnostic::Diagnostic;
use crate::event::{Counters, Event};
use crate::failure::Failure;
use crate::playbook::Keywords;
use crate::protocol::{Hello, Mode, Position, ToAgent};
use crate::template::{RenderError, Scope, SearchPath, Templar};
use crate::transport::{Agent, Blobs, Connect, Inbox, Incoming, SessionId, Target};
use crate::vars::{Layer, Stack};

/// The command line's choices.
#[derive(Clone, Debug)]
pub struct Options {
    /// Perform or predict.
    pub mode: Mode,
    /// Show what changed.
    pub diff: bool,
    /// At most so many hosts change things at the same time.
    pub forks: usize,
    /// How often `-v` was given.
    pub verbosity: u8,
    /// `-b`.
    pub become_: bool,
    /// `--become-user`.
    pub become_user: Option<String>,
    /// `--become-method`.
    pub become_method: Option<String>,
    /// From `-K` or a file.
    pub become_password: Option<String>,
    /// From `-k` or a file.
    pub ssh_password: Option<String>,
    /// `-u`.
    pub remote_user: Option<String>,
    /// `--private-key`.
    pub private_key: Option<PathBuf>,
    /// `-c`.
    pub connection: Option<String>,
    /// Seconds until connecting is given up.
    pub timeout: u64,
    /// `--tags`.
    pub tags: Vec<String>,
    /// `--skip-tags`.
    pub skip_tags: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            mode: Mode::Apply,
            diff: false,
            forks: 5,
            verbosity: 0,
            become_: false,
            become_user: None,
            become_method: None,
            become_password: None,
            ssh_password: None,
            remote_user: None,
            private_key: None,
            connection: None,
            timeout: 10,
            tags: vec!["all".into()],
            skip_tags: Vec::new(),
        }
    }
}

/// The user interrupted, or the run refuses to go on ([`Run::refused`]).
#[derive(Debug)]
pub struct Interrupted;

/// Something that comes back after a while.
#[derive(Debug)]
pub struct Tick {
    id: RunningId,
    /// The answer; `None`: send again.
    result: Option<Ended>,
    /// The answer says when it came.
    timed: bool,
}

/// How a host ended that does not take part any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Out {
    /// It failed.
    Failed,
    /// It counts as failed because others have failed; it may have gone through a `rescue`.
    WithOthers,
    /// It could not be reached.
    Lost,
}

/// An agent and what is known of it.
#[derive(Debug)]
pub struct Session {
    agent: Option<Agent>,
    host: String,
    opened: Instant,
    hello: Option<Hello>,
    /// The agent is a process of this machine.
    is_local: bool,
    gone: Option<String>,
    /// The watermark that it has.
    mark: Position,
}

impl Session {
    /// Lets it change things up to `mark`. Positions only grow, so a watermark is never taken back.
    fn allow(&mut self, mark: &Position) {
        if *mark > self.mark {
            self.mark = mark.clone();
            self.send(ToAgent::Watermark(mark.clone()));
        }
    }

    fn send(&self, message: ToAgent) {
        if let Some(agent) = &self.agent {
            agent.send(message);
        }
    }
}

/// What changes the inventory while the run goes on (`add_host`, `group_by`).
pub trait Hosts {
    /// Adds a host with its groups and variables; whether anything was new.
    fn add_host(&mut self, name: &str, groups: &[String], vars: &crate::value::Map) -> bool;
    /// Puts a host into a group below `parents`; whether that was new.
    fn group_by(&mut self, host: &str, group: &str, parents: &[String]) -> bool;
    /// The lasting layers of a host, also of one that is not in the inventory (`localhost`, a bare name).
    fn layers(&self, host: &str) -> Vec<Arc<Layer>>;
    /// All hosts.
    fn names(&self) -> Vec<String>;
    /// Reads the inventory again (`meta: refresh_inventory`); hosts and groups that the run has added stay.
    fn reload(&mut self) -> Result<(), Failure> {
        Err(Failure::new("this inventory cannot be read again"))
    }
}

/// A run: everything that outlives a play.
pub struct Run {
    /// The command line's choices.
    pub options: Options,
    templar: Templar,
    warnings: Warnings,
    blobs: Blobs,
    connect: Box<dyn Connect>,
    /// The inventory.
    pub hosts: RefCell<Box<dyn Hosts>>,
    /// The variables of all hosts.
    pub table: Arc<Table>,
    report: Box<dyn FnMut(Event)>,
    sessions: Vec<Session>,
    by_target: HashMap<(String, Target), SessionId>,
    post: Inbox,
    inbox: mpsc::UnboundedReceiver<(SessionId, Incoming)>,
    clock: mpsc::UnboundedSender<Tick>,
    ticks: mpsc::UnboundedReceiver<Tick>,
    /// Told when the user interrupts.
    pub interrupt: Arc<Notify>,
    /// For each host.
    pub counters: IndexMap<String, Counters>,
    /// Hosts that do not take part any more.
    pub out: HashMap<String, Out>,
    /// Hosts that this play has removed, as `ansible_play_hosts` tells it: ended by `meta: end_host`, or failed without a
    /// `rescue` around.
    removed: HashSet<String>,
    /// The id of the step that was started last.
    last_id: u64,
    /// In a plan, hosts on which a step has gone before whose effect nobody can know, and its title.
    pub opaque: HashMap<String, String>,
    /// No further batch of this play.
    stop: bool,
    /// Something was met that Ansible refuses to go on with: no `rescue` sees it, nothing more is done on any host.
    pub refused: bool,
    /// All hosts of a batch have failed, or too many: no further play.
    is_broken: bool,
    started: Instant,
    /// How long the slowest host took to answer.
    connecting: Duration,
}

impl Run {
    /// A run over these hosts.
    pub fn new(
        options: Options,
        templar: Templar,
        blobs: Blobs,
        connect: Box<dyn Connect>,
        hosts: Box<dyn Hosts>,
        report: Box<dyn FnMut(Event)>,
    ) -> Self {
        for secret in options.ssh_password.iter().chain(&options.become_password) {
            secrets::learn(secret);
        }
        let warnings = Warnings::default();
        let heard = warnings.clone();
        let templar = templar.on_warning(move |warning| heard.add(warning));
        let (post, inbox) = mpsc::unbounded_channel();
        let (clock, ticks) = mpsc::unbounded_channel();
        let table = Arc::new(Table::default());
        for name in hosts.names() {
            table.write().insert(name.clone(), HostLayers::new(hosts.layers(&name)));
        }
        Run {
            options,
            templar,
            warnings,
            blobs,
            connect,
            hosts: RefCell::new(hosts),
            table,
            report,
            sessions: Vec::new(),
            by_target: HashMap::new(),
            post,
            inbox,
            clock,
            ticks,
            interrupt: Arc::default(),
            counters: IndexMap::new(),
            out: HashMap::new(),
            removed: HashSet::new(),
            last_id: 0,
            opaque: HashMap::new(),
            stop: false,
            refused: false,
            is_broken: false,
            started: Instant::now(),
            connecting: Duration::ZERO,
        }
    }

    /// Runs one play on its hosts, batch after batch. `number` is its place in the run.
    pub async fn play(&mut self, play: &PlayContext, serial: &[usize], number: u32) -> Result<(), Interrupted> {
        self.removed.clear();
        // As in Ansible batches are cut from all hosts of the play, also those that have failed before.
        let mut left = play.hosts.as_slice();
        for (index, size) in serial.iter().enumerate() {
            let (batch, rest) = left.split_at((*size).min(left.len()));
            left = rest;
            let hosts: Vec<String> = batch.iter().filter(|host| !self.out.contains_key(*host)).cloned().collect();
            if hosts.is_empty() {
                continue;
            }
            for host in &hosts {
                self.know(host);
                self.counters.entry(host.clone()).or_default();
            }
            // As in Ansible: who was declared failed with others is failed for good as soon as anything follows.
            self.out.values_mut().filter(|out| **out == Out::WithOthers).for_each(|out| *out = Out::Failed);
            let base = Position(vec![number, index as u32]);
            let mut batch = batch::Batch::new(self, play, batch, &hosts, &base);
            batch.walk().await?;
            let all_are_out = batch.scheduler.all_are_out();
            if self.stop {
                break;
            }
            if all_are_out {
                self.is_broken = true;
                break;
            }
        }
        Ok(())
    }

    /// Whether further plays are to be run. Asked once between two plays.
    pub fn go_on(&mut self) -> bool {
        // `meta: end_play` ends one play only.
        self.stop = false;
        !self.is_broken
    }

    /// Ends all sessions and reports the end.
    pub async fn finish(&mut self) {
        for session in &mut self.sessions {
            session.agent = None;
        }
        self.connect.close().await;
        // As in Ansible: a host that never had a result is not there.
        let counted = self.counters.iter().filter(|(_, counters)| **counters != Counters::default());
        let recap = counted.map(|(host, counters)| (host.clone(), *counters)).collect();
        let elapsed = self.started.elapsed();
        let phases = vec![("connect", self.connecting), ("run", elapsed.saturating_sub(self.connecting))];
        self.emit(Event::RunEnd { recap, elapsed, phases });
    }

    fn emit(&mut self, event: Event) {
        for warning in self.warnings.take() {
            self.warn(&warning);
        }
        self.show(event);
    }

    fn warn(&mut self, warning: &Diagnostic) {
        let text = warning.render(false);
        let text = text.trim_end();
        self.show(Event::Warning(text.strip_prefix("warning: ").unwrap_or(text).to_owned()));
    }

    fn show(&mut self, mut event: Event) {
        secrets::mask(&mut event);
        (self.report)(event);
    }

    fn mask(&self, text: &str) -> String {
        secrets::mask_text(text)
    }

    fn bench<'a>(&'a self, scope: &'a dyn Fn(&[Arc<Layer>]) -> TaskScope) -> Bench<'a> {
        Bench { templar: &self.templar, options: &self.options, blobs: &self.blobs, scope, run: self }
    }

    /// The scope of a host by itself, outside any task.
    pub fn host_scope(&self, host: &str, more: &[Arc<Layer>]) -> Arc<dyn Scope> {
        let known = self.table.read().get(host).map(|layers| layers.all().collect::<Vec<_>>());
        let layers = known.unwrap_or_else(|| self.hosts.borrow().layers(host));
        Arc::new(TaskScope {
            stack: Stack::new(layers.into_iter().chain(more.iter().cloned())),
            files: Arc::new(SearchPath::default()),
            unsettled: Unsettled::default(),
            table: self.table.clone(),
        })
    }

    /// Takes up the variables of a host that no inventory has (`localhost`, an address).
    fn know(&self, host: &str) {
        if !self.table.read().contains_key(host) {
            let layers = HostLayers::new(self.hosts.borrow().layers(host));
            self.table.write().insert(host.to_owned(), layers);
        }
    }

    /// The session to a host, opened if there is none yet. The error says why there cannot be one.
    fn session(&mut self, host: &str, keywords: &Keywords) -> Result<SessionId, Box<Ended>> {
        self.know(host);
        let scope = self.host_scope(host, &[]);
        let reader = Reader { templar: &self.templar, scope: &scope };
        let target = match target(host, &reader, keywords, &self.options) {
            Ok(target) => target,
            Err(RenderError::Undefined(diagnostic) | RenderError::Wrong(diagnostic)) => {
                return Err(Box::new(Ended::Wrong(diagnostic)));
            }
            Err(RenderError::Unknown(after)) => return Err(Box::new(Ended::Unknown(after))),
            Err(RenderError::Pending) => return Err(Box::new(Ended::Lost("its address is not known yet".to_owned()))),
        };
        let key = (host.to_owned(), target);
        if let Some(id) = self.by_target.get(&key) {
            return match &self.sessions[*id].gone {
                Some(why) => Err(Box::new(Ended::Lost(why.clone()))),
                None => Ok(*id),
            };
        }
        let id = self.sessions.len();
        let first = ToAgent::Start { mode: self.options.mode, watermark: Position::default() };
        let is_local = key.1.local;
        let agent = self.connect.connect(id, &key.1, first, self.post.clone());
        self.sessions.push(Session {
            agent: Some(agent),
            host: host.to_owned(),
            opened: Instant::now(),
            hello: None,
            is_local,
            gone: None,
            mark: Position::default(),
        });
        self.by_target.insert(key, id);
        Ok(id)
    }

    /// Whether every session has been answered or given up.
    fn all_answered(&self) -> bool {
        self.sessions.iter().all(|session| session.hello.is_some() || session.gone.is_some())
    }

    /// Takes in an agent's greeting.
    fn greet(&mut self, session: SessionId, hello: Hello) {
        let session = &mut self.sessions[session];
        session.hello = Some(hello);
        let elapsed = session.opened.elapsed();
        let event = Event::Connected { host: session.host.clone(), elapsed };
        self.connecting = self.connecting.max(elapsed);
        self.emit(event);
    }

    /// What tells a host's machine from others.
    fn machine(&self, host: &str) -> Option<(String, String)> {
        let session = self.sessions.iter().rfind(|session| session.host == host)?;
        let hello = session.hello.as_ref()?;
        Some((hello.boot_id.clone(), hello.mount_namespace.clone()))
    }

    /// Forgets the sessions of a host, so that the next step connects anew (`meta: reset_connection`).
    fn reset(&mut self, host: &str) {
        self.by_target.retain(|(name, _), _| name != host);
        for session in self.sessions.iter_mut().filter(|session| session.host == host) {
            session.agent = None;
            session.gone.get_or_insert_with(|| "the connection was reset".to_owned());
        }
    }

    fn add_host(&self, name: &str, groups: &[String], vars: &crate::value::Map) -> bool {
        let changed = self.hosts.borrow_mut().add_host(name, groups, vars);
        self.refresh();
        changed
    }

    fn group_by(&self, host: &str, group: &str, parents: &[String]) -> bool {
        let changed = self.hosts.borrow_mut().group_by(host, group, parents);
        self.refresh();
        changed
    }

    /// Reads the inventory again.
    fn reload(&mut self) -> Result<(), Failure> {
        self.hosts.borrow_mut().reload()?;
        self.refresh();
        Ok(())
    }

    /// Takes the inventory's variables anew after it has changed.
    fn refresh(&self) {
        let hosts = self.hosts.borrow();
        for name in hosts.names() {
            let fixed = hosts.layers(&name);
            let mut table = self.table.write();
            match table.get_mut(&name) {
                Some(known) => known.fixed = fixed,
                None => {
                    table.insert(name, HostLayers::new(fixed));
                }
            }
        }
    }

    /// How long the run has taken so far.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}
