//! When each host of a batch does what: a state machine without clock, templates or input and output.
//!
//! It is told what happened ([`Input`]) and says what is to be done next ([`Scheduler::next`]): start a step on a host,
//! conclude one whose answers are there, let an agent change things, take steps back. What a step is and what its answers
//! mean is for others; here they are positions, declared effects and a payload `W`.
//!
//! Each host has a cursor that runs ahead: steps are started as long as nothing that they read is still to be written.
//! Answers are concluded in order, and only when the watermark (the lowest position at which some host still is) reaches
//! them. So hosts look ahead, and change things in lock-step. `ARCHITECTURE.md` says why this is Ansible's order.

mod back;
pub mod cursor;
mod effects;
mod failures;
mod grant;
mod host;
mod order;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

pub use self::cursor::{AfterFailure, Cursor};
use self::failures::Failures;
pub use self::failures::Fatal;
pub use self::host::{Host, Running, RunningId, State};
use crate::protocol::Position;
use crate::steps::{Item, Step};
use crate::transport::SessionId;

/// Steps that may be under way on one host: enough to hide any latency, few enough to bound memory.
const WINDOW: usize = 512;

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A call of a step was answered.
    Answer(RunningId),
    /// A step has something to change and waits for the watermark.
    Waiting(RunningId),
    /// All is there to conclude a step.
    Ready(RunningId),
    /// The agent has dropped what it had behind a step that failed.
    Dropped(RunningId),
    /// A session has ended; what it owed is lost.
    Lost(SessionId),
    /// All agents have said hello or are given up. The hosts that are one machine with another one.
    Answered(Vec<usize>),
}

/// What is to be done.
#[derive(Debug)]
pub enum Output<W> {
    /// Start the step at which a host stands, and tell [`Scheduler::started`].
    Start {
        /// The host.
        host: usize,
        /// The step.
        step: Arc<Step>,
        /// Where it stands.
        position: Position,
    },
    /// Judge a step whose answers are all there, and keep what it left.
    Conclude {
        /// The host.
        host: usize,
        /// The step.
        running: Running<W>,
    },
    /// The agent may change things up to here.
    Grant(SessionId, Position),
    /// The agent shall forget the steps of a lane from here on.
    Cancel(SessionId, u32, Position),
    /// An `always` section has ended behind a failure that nothing rescues: the host is out, see [`Scheduler::leave`].
    Failed(usize),
    /// A host counts as failed because others have failed, though it may go through a `rescue` or an `always`.
    Declared(usize),
    /// A host was sent back to here: it will start the steps from there again.
    SentBack(usize, Position),
    /// A host has begun to work on a step.
    Working(usize),
    /// Nobody is to do anything more for now.
    Rest,
}

/// The hosts of one batch on their way through a play.
#[derive(Debug)]
pub struct Scheduler<W> {
    /// The hosts, in their order.
    pub hosts: Vec<Host<W>>,
    /// Under `linear`, with several hosts, or one that others which had failed before count for.
    in_step: bool,
    free: bool,
    /// Nothing is changed but by steps that really run.
    planning: bool,
    /// At most so many hosts change things at the same time.
    forks: usize,
    /// Whether any host is the controller itself.
    any_here: bool,
    /// How many hosts take part.
    active: usize,
    /// Whether agents may be let on: all have said hello.
    answered: bool,
    /// Everybody has finished everything below.
    watermark: Position,
    /// Where the hosts stand, to find the lowest.
    frontiers: BTreeSet<(Position, usize)>,
    /// Hosts that may be able to go on.
    woken: VecDeque<usize>,
    /// Hosts whose agents may have to be let on.
    ungranted: BTreeSet<usize>,
    /// Hosts that wait for the watermark, where not all may work at the same time.
    queued: BTreeSet<usize>,
    /// The host that was asked to start a step and has not answered.
    starting: Option<(usize, Arc<Step>, Position, Option<Cursor>)>,
    /// The step on which hosts have failed, until all have done it.
    failures: Option<Failures>,
    /// How many hosts may fail, in percent of those that the batch began with.
    max_fail: Option<f64>,
    batch: usize,
    /// How many of it had failed before, and whether they count.
    absent: usize,
    absent_count: bool,
    /// More have.
    broken: bool,
    running: HashMap<RunningId, usize>,
    outputs: VecDeque<Output<W>>,
}

/// What a scheduler has to know beforehand.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The steps of the play.
    pub items: Arc<Vec<Item>>,
    /// The position of the batch.
    pub base: Position,
    /// Hosts go at their own pace (`strategy: free`).
    pub free: bool,
    /// Nothing is changed.
    pub planning: bool,
    /// At most so many hosts change things at the same time.
    pub forks: usize,
    /// How many hosts may fail, in percent (`max_fail_percentage`).
    pub max_fail: Option<f64>,
    /// How many hosts the batch has with those that were out before it.
    pub batch: usize,
    /// How many of it had failed before it.
    pub absent: usize,
}

impl<W> Scheduler<W> {
    /// All hosts stand at the beginning.
    pub fn new(names: &[String], setup: &Setup) -> Self {
        let hosts: Vec<_> = names.iter().map(|name| Host::new(name, &setup.items, &setup.base)).collect();
        let mut scheduler = Scheduler {
            in_step: !setup.free && (hosts.len() > 1 || setup.absent > 0),
            free: setup.free,
            planning: setup.planning,
            forks: setup.forks,
            any_here: false,
            active: hosts.len(),
            answered: hosts.len() < 2,
            watermark: setup.base.clone(),
            frontiers: BTreeSet::new(),
            woken: (0..hosts.len()).collect(),
            ungranted: BTreeSet::new(),
            queued: BTreeSet::new(),
            starting: None,
            failures: None,
            max_fail: setup.max_fail,
            batch: setup.batch,
            absent: setup.absent,
            absent_count: false,
            broken: false,
            running: HashMap::new(),
            outputs: VecDeque::new(),
            hosts,
        };
        for host in 0..scheduler.hosts.len() {
            let frontier = scheduler.hosts[host].find_frontier();
            scheduler.hosts[host].frontier = frontier.clone();
            scheduler.frontiers.insert((frontier, host));
        }
        scheduler
    }

    /// Takes in what happened.
    pub fn tell(&mut self, input: Input) {
        match input {
            Input::Answer(id) => self.answer(id),
            Input::Waiting(id) => self.waits(id),
            Input::Ready(id) => {
                if let Some((host, running)) = self.find(id) {
                    self.hosts[host].running[running].ready = true;
                    self.wake(host);
                }
            }
            Input::Dropped(id) => self.dropped(id),
            Input::Lost(session) => self.lost(session),
            Input::Answered(twins) => {
                self.share(&twins);
                self.answered = true;
                self.ungranted.extend(0..self.hosts.len());
                (0..self.hosts.len()).for_each(|host| self.wake(host));
            }
        }
    }

    /// What is to be done next.
    pub fn next(&mut self) -> Output<W> {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return output;
            }
            if !self.in_step && self.take_up_failures() {
                continue;
            }
            if let Some(host) = self.woken.pop_front() {
                self.hosts[host].is_woken = false;
                if let Some(output) = self.go_on(host) {
                    return output;
                }
                continue;
            }
            // Whoever is to end does so before anybody concludes what lies behind the new watermark.
            if self.raise_watermark() | self.take_up_failures() {
                continue;
            }
            self.grant();
            if self.outputs.is_empty() {
                return Output::Rest;
            }
        }
    }

    /// What a host can do now.
    fn go_on(&mut self, host: usize) -> Option<Output<W>> {
        if let Some(running) = self.take_ready(host) {
            self.wake(host);
            return Some(Output::Conclude { host, running });
        }
        let (step, position) = self.next_step(host)?;
        let place = self.in_step.then(|| self.hosts[host].cursor.clone());
        self.starting = Some((host, step.clone(), position.clone(), place));
        Some(Output::Start { host, step, position })
    }

    /// The first step of a host that is under way, if it is ready and it is its turn.
    fn take_ready(&mut self, host: usize) -> Option<Running<W>> {
        let state = &self.hosts[host];
        let front = state.running.front().filter(|front| state.state == State::Active && front.ready)?;
        if self.in_step && front.position > self.watermark {
            return None;
        }
        let running = self.hosts[host].running.pop_front()?;
        self.hosts[host].stands_at(&running.resume);
        self.hosts[host].passed_over.retain(|(position, _)| *position > running.position);
        if self.broken {
            // As in Ansible: that too many have failed is noticed behind each step.
            self.failure_at(&running, Fatal::No);
        }
        self.running.remove(&running.id);
        self.moved(host);
        Some(running)
    }

    /// The step that a host may start now.
    fn next_step(&mut self, host: usize) -> Option<(Arc<Step>, Position)> {
        let state = &mut self.hosts[host];
        if state.state != State::Active || state.running.len() >= WINDOW {
            return None;
        }
        if state.running.back().is_some_and(|last| last.fence) {
            return None;
        }
        let before = state.cursor.clone();
        match state.cursor.step() {
            Ok(Some((step, position))) => {
                self.leave_blocks(host);
                self.may_look(host, &step, &position).then_some((step, position))
            }
            // Until all are at the end a failure of others may still lead elsewhere.
            Ok(None) if state.running.is_empty() && (!self.in_step || self.watermark == Position::end()) => {
                self.leave(host, State::Done);
                None
            }
            Err(_) if state.running.is_empty() && (!self.in_step || self.watermark == Position::end()) => {
                self.outputs.push_back(Output::Failed(host));
                None
            }
            _ => {
                state.cursor = before;
                None
            }
        }
    }

    /// The step that was to be started is under way, or was passed over; or (`false`) something that it needs is not known
    /// yet: it is asked for again when something has changed.
    pub fn started(&mut self, is_started: bool) {
        let Some((host, step, position, place)) = self.starting.take() else { return };
        if is_started {
            let state = &mut self.hosts[host];
            let is_under_way = state.running.back().is_some_and(|last| last.position == position);
            if let Some(place) = place.filter(|_| !is_under_way && !state.place.is_over()) {
                state.passed_over.push((position.clone(), place));
            }
            self.pass(host, &step, &position);
            self.moved(host);
            self.wake(host);
        }
    }

    /// Queues a step that was started. It is concluded when it is ready.
    pub fn launch(&mut self, host: usize, mut running: Running<W>) {
        // Another agent does a delegated step, and the host's own may have leave already for what stands behind it.
        running.fence |= running.is_delegated && !self.in_step;
        self.running.insert(running.id, host);
        self.hosts[host].running.push_back(running);
        self.ungranted.insert(host);
        self.wake(host);
    }

    /// Whose step this is, and which of them; `None` if nobody waits for it any more.
    pub fn find(&self, id: RunningId) -> Option<(usize, usize)> {
        let host = *self.running.get(&id)?;
        // They are in order of position, and ids only grow.
        let place = self.hosts[host].running.binary_search_by(|running| running.id.cmp(&id)).ok()?;
        Some((host, place))
    }

    /// A step under way.
    pub fn get_mut(&mut self, id: RunningId) -> Option<&mut Running<W>> {
        let (host, place) = self.find(id)?;
        self.hosts[host].running.get_mut(place)
    }

    /// Whether all hosts have come to their end.
    pub fn is_over(&self) -> bool {
        self.active == 0
    }

    /// How many hosts still take part.
    pub fn active(&self) -> usize {
        self.active
    }

    /// Looks at a host again.
    fn wake(&mut self, host: usize) {
        if !std::mem::replace(&mut self.hosts[host].is_woken, true) {
            self.woken.push_back(host);
        }
    }
}
