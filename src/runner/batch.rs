//! The hosts of one batch walk through a play: the scheduler says what is to be done next, and here it is done.

mod answers;
mod start;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::include::Includes;
use super::play::PlayContext;
use super::scheduler::{Input, Output, RunningId, Scheduler, Setup, State};
use super::task_run::TaskRun;
use super::{Interrupted, Out, Run};
use crate::event::Event;
use crate::protocol::{Mode, Position, ToAgent};
use crate::template::Memo;
use crate::transport::SessionId;
use crate::vars::Layer;

/// How many hosts are left in three ways, and the layer that says which.
type HostsLeft = ((usize, usize, usize), Arc<Layer>);

/// The hosts of a batch on their way.
pub struct Batch<'a> {
    /// The run.
    pub run: &'a mut Run,
    /// The play.
    pub play: &'a PlayContext,
    /// When each host does what.
    pub scheduler: Scheduler<TaskRun>,
    /// The hosts of the batch, also those that have failed before.
    pub members: &'a [String],
    /// Steps that were done once for all.
    pub once: HashSet<Position>,
    /// What hosts have included, so that they go through it in one order.
    pub includes: Includes,
    /// Which steps were sent where: an answer names session, lane and position.
    pub sent: HashMap<(SessionId, u32, Position), RunningId>,
    /// The magic variables that say which hosts are left, until that changes.
    pub hosts_left: RefCell<Option<HostsLeft>>,
    /// What preparing steps has asked of the world, for those that have to be prepared again.
    pub memos: HashMap<(usize, Position), Arc<Memo>>,
    /// Where a `meta` was decided for all.
    pub metas: HashSet<Position>,
}

impl<'a> Batch<'a> {
    /// At the start of the play, or of one of its batches: positions begin with `base`. `members` are its hosts with those
    /// that have failed before.
    pub fn new(
        run: &'a mut Run,
        play: &'a PlayContext,
        members: &'a [String],
        hosts: &[String],
        base: &Position,
    ) -> Self {
        let setup = Setup {
            items: play.items.clone(),
            base: base.clone(),
            free: play.free,
            planning: run.options.mode == Mode::Plan,
            forks: run.options.forks,
            max_fail: play.max_fail_percentage,
            batch: members.len(),
            absent: members.iter().filter(|host| run.out.get(*host).is_some_and(|out| *out != Out::Lost)).count(),
        };
        Batch {
            scheduler: Scheduler::new(hosts, &setup),
            run,
            play,
            members,
            once: HashSet::new(),
            includes: Includes::default(),
            sent: HashMap::new(),
            hosts_left: RefCell::default(),
            memos: HashMap::new(),
            metas: HashSet::new(),
        }
    }

    /// Walks to the end. The error is that the user interrupted.
    pub async fn walk(&mut self) -> Result<(), Interrupted> {
        if self.scheduler.hosts.len() > 1 && self.play.needs_hosts {
            for host in 0..self.scheduler.hosts.len() {
                self.open(host);
            }
        }
        self.count_hellos();
        loop {
            self.settle();
            if self.run.refused {
                return Err(Interrupted);
            }
            if self.scheduler.is_over() {
                return Ok(());
            }
            tokio::select! {
                biased;
                () = self.run.interrupt.notified() => return Err(Interrupted),
                Some((session, incoming)) = self.run.inbox.recv() => self.receive(session, incoming),
                Some(tick) = self.run.ticks.recv() => self.tick(tick),
            }
            while let Ok((session, incoming)) = self.run.inbox.try_recv() {
                self.receive(session, incoming);
            }
        }
    }

    /// Does everything that can be done without waiting.
    fn settle(&mut self) {
        loop {
            match self.scheduler.next() {
                Output::Start { host, step, position } => {
                    let is_started = self.dispatch(host, &step, &position);
                    self.scheduler.started(is_started);
                }
                Output::Conclude { host, running } => self.conclude(host, running),
                Output::Grant(session, mark) => self.run.sessions[session].allow(&mark),
                Output::Cancel(session, lane, from) => {
                    self.run.sessions[session].send(ToAgent::Cancel { lane, from });
                }
                Output::Declared(host) => {
                    let name = self.scheduler.hosts[host].name.clone();
                    self.run.removed.insert(name.clone());
                    self.run.out.entry(name).or_insert(Out::WithOthers);
                }
                Output::Failed(host) => self.out(host, State::Failed),
                Output::SentBack(host, position) => self.includes.forget(host, &position),
                Output::Working(host) => self.working(host),
                Output::Rest => break,
            }
        }
        self.run.is_broken |= self.scheduler.is_broken();
    }

    /// Says that a host is at work, for the progress display.
    fn working(&mut self, host: usize) {
        let host = &self.scheduler.hosts[host];
        if let Some(first) = host.running.front() {
            let event = Event::Working { host: host.name.clone(), task: first.info.clone() };
            self.run.emit(event);
        }
    }

    /// Opens the host's session, so that all of a play connect side by side.
    fn open(&mut self, host: usize) {
        let name = self.scheduler.hosts[host].name.clone();
        if let Ok(session) = self.run.session(&name, &self.play.keywords)
            && self.run.sessions[session].is_local
        {
            self.scheduler.is_here(host);
        }
    }

    /// Lets agents be let on as soon as all of them have said hello or are given up.
    fn count_hellos(&mut self) {
        if self.run.all_answered() {
            let twins = self.twins();
            self.scheduler.tell(Input::Answered(twins));
        }
    }

    /// Hosts of the inventory that are one machine with another one of the batch.
    fn twins(&self) -> Vec<usize> {
        let mut machines: HashMap<(String, String), Vec<usize>> = HashMap::new();
        for (index, host) in self.scheduler.hosts.iter().enumerate() {
            if let Some(machine) = self.run.machine(&host.name) {
                machines.entry(machine).or_default().push(index);
            }
        }
        machines.into_values().filter(|hosts| hosts.len() > 1).flatten().collect()
    }
}
