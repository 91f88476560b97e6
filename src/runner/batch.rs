//! The hosts of one batch walk through a play.
//!
//! Each host has a cursor that runs ahead: steps are prepared and sent as long as nothing that they need is open. Answers
//! are taken up in order, and only when the watermark (the lowest position at which some host still is) reaches them. So
//! hosts look ahead, and change things in lock-step. `ARCHITECTURE.md` says why this is Ansible's order.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use super::conclude::Registered;
use super::cursor::{Cursor, Fallout};
use super::flight::{Ended, Flight};
use super::include::Includes;
use super::play::PlayContext;
use super::{Run, Tick};
use crate::event::Event;
use crate::module::{Place, Reach};
use crate::protocol::{FromAgent, Mode, Position, ToAgent};
use crate::steps::{Step, Work};
use crate::transport::{Incoming, SessionId};

/// Steps that may be under way on one host: enough to hide any latency, few enough to bound memory.
const WINDOW: usize = 512;

/// The hosts of a batch on their way.
pub struct Batch<'a> {
    /// The run.
    pub run: &'a mut Run,
    /// The play.
    pub play: &'a PlayContext,
    /// The hosts.
    pub walkers: Vec<Walker>,
    /// Results of `run_once` steps, for the hosts that did not run them.
    pub once: HashMap<Position, Registered>,
    /// What hosts have included, so that they go through it in one order.
    pub includes: Includes,
    /// A failure that ends the play for all (`any_errors_fatal`), with the hosts that have fallen by themselves.
    pub fatal: Option<(Position, Vec<usize>)>,
    /// Everybody has finished everything below.
    watermark: Position,
}

/// One host on its way.
#[derive(Debug)]
pub struct Walker {
    /// Its name.
    pub name: String,
    /// Where sending stands.
    pub cursor: Cursor,
    /// Steps under way, in order.
    pub flights: VecDeque<Flight>,
    /// Whether it still takes part.
    pub state: State,
    /// Notified handlers, by their place in the play's list.
    pub notified: BTreeSet<usize>,
    /// The last step that other hosts may see: nothing behind it is looked at before all have passed it.
    pub barrier: Option<Position>,
    /// Shares a machine with another host of the play: nothing is looked at ahead.
    pub shares: bool,
    /// The lane of its own steps; another one each time it is sent back, so that late answers are told apart.
    pub lane: u32,
    /// Waits for the watermark at this position.
    pub waiting: Option<Position>,
    /// The watermark that its agent has.
    pub granted: Option<Position>,
    /// Roles of which a step was not skipped, and those that came to their end after that.
    pub roles: (BTreeSet<usize>, BTreeSet<usize>),
}

/// Whether a host still takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It does.
    Active,
    /// It reached the end.
    Done,
    /// It failed.
    Failed,
    /// It cannot be reached.
    Lost,
}

impl<'a> Batch<'a> {
    /// At the start of the play, or of one of its batches: positions begin with `base`.
    pub fn new(run: &'a mut Run, play: &'a PlayContext, hosts: &[String], base: &Position) -> Self {
        let walker = |name: &String| Walker {
            name: name.clone(),
            cursor: Cursor::new(play.items.clone(), base.clone()),
            flights: VecDeque::new(),
            state: State::Active,
            notified: BTreeSet::new(),
            barrier: None,
            shares: false,
            lane: 0,
            waiting: None,
            granted: None,
            roles: Default::default(),
        };
        let walkers = hosts.iter().map(walker).collect();
        Batch {
            run,
            play,
            walkers,
            once: HashMap::new(),
            includes: Includes::default(),
            fatal: None,
            watermark: base.clone(),
        }
    }

    /// Walks to the end. The error is that the user interrupted.
    pub async fn walk(&mut self) -> Result<(), super::Interrupted> {
        if self.walkers.len() > 1 && self.play.needs_hosts {
            for host in 0..self.walkers.len() {
                self.open(host);
            }
        }
        loop {
            self.settle();
            if self.walkers.iter().all(|walker| walker.state != State::Active) {
                return Ok(());
            }
            tokio::select! {
                biased;
                () = self.run.interrupt.notified() => return Err(super::Interrupted),
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
            let mut moved = false;
            for host in 0..self.walkers.len() {
                while self.take_up(host) {
                    moved = true;
                }
                moved |= self.advance(host);
            }
            moved |= self.raise_watermark();
            moved |= self.end_all_if_fatal();
            if !moved {
                break;
            }
        }
        self.grant();
    }

    /// Whether hosts must keep step.
    pub fn in_step(&self) -> bool {
        !self.play.free && self.walkers.len() > 1
    }

    /// Where a host stands: its first step that is not taken up.
    fn frontier(&mut self, host: usize) -> Position {
        let walker = &mut self.walkers[host];
        if walker.state != State::Active {
            return Position::end();
        }
        match walker.flights.front() {
            Some(flight) => flight.position.clone(),
            None => match walker.cursor.clone().step() {
                Ok(Some((_, position))) => position,
                _ => Position::end(),
            },
        }
    }

    /// Everybody has finished everything below.
    pub fn watermark(&self) -> Position {
        self.watermark.clone()
    }

    fn raise_watermark(&mut self) -> bool {
        let lowest = (0..self.walkers.len()).map(|host| self.frontier(host)).min().unwrap_or_else(Position::end);
        let moved = lowest != self.watermark;
        self.watermark = lowest;
        moved
    }

    /// Whether it is this host's turn at `position`: nothing of its own is open, and nobody else stands before it.
    fn is_turn(&self, host: usize, position: &Position) -> bool {
        self.walkers[host].flights.is_empty() && (!self.in_step() || *position <= self.watermark)
    }

    /// Whether this is the host that carries out a step for all: the first one that stands there. The others wait for
    /// its result. (Hosts in another section of a block do not come here.)
    pub fn is_first(&mut self, host: usize, position: &Position) -> bool {
        (0..host).all(|other| self.frontier(other) != *position)
    }

    /// Sends what can be sent.
    fn advance(&mut self, host: usize) -> bool {
        let mut moved = false;
        while self.walkers[host].state == State::Active {
            let walker = &mut self.walkers[host];
            if walker.flights.len() >= WINDOW || walker.flights.back().is_some_and(|flight| flight.fence) {
                break;
            }
            let before = walker.cursor.clone();
            let (step, position) = match walker.cursor.step() {
                Ok(Some(next)) => next,
                ended => {
                    if walker.flights.is_empty() {
                        let failed = ended.is_err();
                        walker.state = if failed { State::Failed } else { State::Done };
                        if failed {
                            self.out(host, State::Failed);
                        }
                        moved = true;
                    } else {
                        walker.cursor = before;
                    }
                    break;
                }
            };
            if !self.may_look(host, &position) || !self.dispatch(host, &step, &position) {
                break;
            }
            moved = true;
        }
        moved
    }

    /// Whether a host may look at a step now.
    fn may_look(&mut self, host: usize, position: &Position) -> bool {
        if !self.in_step() {
            return true;
        }
        let walker = &self.walkers[host];
        if (walker.shares || walker.cursor.is_alone()) && !self.is_turn(host, position) {
            return false;
        }
        match &walker.barrier {
            Some(barrier) if self.watermark <= *barrier => false,
            _ => {
                self.walkers[host].barrier = None;
                true
            }
        }
    }

    /// Brings one step under way. False: not yet.
    fn dispatch(&mut self, host: usize, step: &Arc<Step>, position: &Position) -> bool {
        let walker = &self.walkers[host];
        let handler = walker.cursor.in_handler_list().then(|| last_index(position));
        if handler.is_some_and(|handler| !walker.notified.contains(&handler)) {
            self.walkers[host].cursor.advance();
            return true;
        }
        let started = self.start(host, step, position);
        if let (true, Some(handler)) = (started, handler) {
            self.walkers[host].notified.remove(&handler);
        }
        started
    }

    fn start(&mut self, host: usize, step: &Arc<Step>, position: &Position) -> bool {
        match &step.work {
            Work::Flush => self.flush(host),
            Work::RoleEnd => {
                let walker = &mut self.walkers[host];
                if let Some(run) = step.run
                    && walker.roles.0.contains(&run.id)
                {
                    walker.roles.1.insert(run.id);
                }
                walker.cursor.advance();
                true
            }
            _ if step.run.is_some_and(|run| run.again && self.walkers[host].roles.1.contains(&run.id)) => {
                self.walkers[host].cursor.advance();
                true
            }
            Work::IncludeTasks { .. } | Work::IncludeRole { .. } => {
                // What it brings differs between hosts, so they settle it together.
                if self.in_step() && !self.is_turn(host, position) {
                    return false;
                }
                self.include(host, step, position)
            }
            Work::Gather => match &self.play.gather {
                Some(gather) => self.call(host, &gather.clone(), position),
                None => {
                    self.walkers[host].cursor.advance();
                    true
                }
            },
            Work::Call { spec, .. } => {
                if spec.place == Place::Controller && super::course::is_course(spec.name) {
                    return self.is_turn(host, position) && self.course(host, step, position);
                }
                self.call(host, step, position)
            }
        }
    }

    /// Runs notified handlers, if there are any.
    pub fn flush(&mut self, host: usize) -> bool {
        let play = self.play;
        let walker = &mut self.walkers[host];
        let may_notify = |flight: &Flight| !flight.step.keywords.notify.is_empty();
        if !walker.notified.is_empty() {
            if !walker.flights.is_empty() {
                return false;
            }
            walker.cursor.handlers(play.handler_items());
            return true;
        }
        if walker.flights.iter().any(may_notify) {
            return false;
        }
        walker.cursor.advance();
        true
    }

    /// Brings a module call under way.
    fn call(&mut self, host: usize, step: &Arc<Step>, position: &Position) -> bool {
        let planning = self.run.options.mode == Mode::Plan;
        let keywords = step.keywords.clone();
        let (run_once, delegated) = match self.course_of(host, step, position) {
            Ok(course) => course,
            Err(super::prepare::NotYet) => return false,
        };
        if (run_once || delegated) && !self.is_turn(host, position) {
            return false;
        }
        if run_once && self.in_step() {
            if let Some(result) = self.once.get(position).cloned() {
                self.copy_result(host, step, &result);
                self.walkers[host].cursor.advance();
                return true;
            }
            if !self.is_first(host, position) {
                return false;
            }
        }
        let prepared = match self.prepare(host, step, position) {
            Ok(prepared) => prepared,
            Err(super::prepare::NotYet) => return false,
        };
        if prepared.reach == Reach::Outside || delegated {
            self.walkers[host].barrier = Some(position.clone());
        }
        let mut flight = match self.flight(host, step, position, prepared) {
            Ok(flight) => flight,
            Err(super::prepare::NotYet) => return false,
        };
        let judged = !keywords.failed_when.is_empty() || !keywords.until.is_empty();
        let fails = |flight: &Flight| {
            let bad = |ended: &Ended| matches!(ended, Ended::Wrong(_) | Ended::Failed(_) | Ended::Lost(_));
            flight.trouble.iter().chain(flight.items.iter().filter_map(|item| item.ended.as_ref())).any(bad)
        };
        // What follows may read the file that a fetch writes here.
        let writes_here = matches!(&step.work, Work::Call { spec, .. } if spec.name == "fetch");
        flight.fence = judged || run_once || writes_here || flight.one_by_one || (fails(&flight) && !planning);
        flight.is_shared = run_once;
        if let Some(run) = step.run
            && !flight.items.iter().all(|item| matches!(item.ended, Some(Ended::Skipped(_))))
        {
            self.walkers[host].roles.0.insert(run.id);
        }
        self.walkers[host].cursor.advance();
        self.launch(host, flight);
        true
    }

    /// Sends a flight's calls (the first one only, if they go one by one) and queues it.
    fn launch(&mut self, host: usize, mut flight: Flight) {
        let calls: Vec<usize> = (0..flight.items.len()).filter(|index| flight.items[*index].call.is_some()).collect();
        flight.done = calls.is_empty();
        if !calls.is_empty() {
            flight.pending = calls.into();
            self.send(host, &mut flight);
        }
        self.walkers[host].flights.push_back(flight);
    }

    /// Opens the host's session, so that all of a play connect side by side.
    fn open(&mut self, host: usize) {
        let name = self.walkers[host].name.clone();
        let _ = self.run.session(&name, &self.play.keywords);
    }

    /// Lets agents change things up to where they may.
    fn grant(&mut self) {
        if self.run.options.mode == Mode::Plan {
            return;
        }
        let in_step = self.in_step();
        if self.walkers.len() > 1 && !self.run.all_answered() {
            return;
        }
        let bounded = self.walkers.len() > self.run.options.forks;
        let performing = |walker: &&Walker| walker.waiting.is_some() && walker.granted >= walker.waiting;
        let mut busy = self.walkers.iter().filter(performing).count();
        for host in 0..self.walkers.len() {
            let watermark = self.watermark.clone();
            let walker = &mut self.walkers[host];
            let Some(last) = walker.flights.back() else { continue };
            let mut mark = if in_step { watermark } else { last.position.clone() };
            if bounded {
                // With more hosts than may work at the same time, each is let on alone, when it says that it waits.
                match &walker.waiting {
                    Some(waiting) if *waiting <= mark && walker.granted < walker.waiting => {
                        if busy >= self.run.options.forks {
                            continue;
                        }
                        mark = waiting.clone();
                        busy += 1;
                    }
                    _ => continue,
                }
            }
            walker.granted = Some(mark.clone());
            for flight in walker.flights.iter().filter(|flight| flight.delegate.is_none()) {
                if let Some(session) = flight.session {
                    self.run.sessions[session].allow(&mark);
                }
            }
        }
    }

    /// Takes in a message.
    fn receive(&mut self, session: SessionId, incoming: Incoming) {
        let message = match incoming {
            Incoming::Message(message) => message,
            Incoming::Gone(why) => return self.lost(session, why),
        };
        match message {
            FromAgent::Hello(hello) => {
                self.run.greet(session, hello);
                if self.run.all_answered() {
                    self.find_shared_machines();
                }
            }
            FromAgent::Outcome { position, lane, index, outcome } => {
                if let Some((host, flight)) = self.flight_at(session, lane, &position) {
                    let index = index as usize;
                    let walker = &mut self.walkers[host];
                    walker.flights[flight].answer(index, Ended::Outcome(outcome));
                    if walker.waiting.as_ref() == Some(&position) {
                        walker.waiting = None;
                    }
                }
            }
            FromAgent::NoIdentity { position, lane, why } => {
                if let Some((host, flight)) = self.flight_at(session, lane, &position) {
                    let failure = crate::failure::Failure::new(why);
                    self.walkers[host].flights[flight].answer_rest(&Ended::Failed(Box::new(failure)));
                }
            }
            FromAgent::Done { position, lane, dropped } => {
                let Some((host, flight)) = self.flight_at(session, lane, &position) else { return };
                if dropped {
                    self.run.sessions[session].send(ToAgent::Cancel { lane, from: position.clone() });
                    self.forget_behind(host, flight);
                }
                self.finished(host, flight);
            }
            FromAgent::Waiting { position, lane } => {
                if let Some((host, _)) = self.flight_at(session, lane, &position) {
                    self.walkers[host].waiting = Some(position);
                    self.working(host);
                }
            }
            FromAgent::Live { position, lane, stream, data } => {
                if let Some((host, flight)) = self.flight_at(session, lane, &position)
                    && !self.walkers[host].flights[flight].no_log
                {
                    let host = self.walkers[host].name.clone();
                    let text = self.run.mask(&String::from_utf8_lossy(&data));
                    self.run.emit(Event::Live { host, stream, text });
                }
            }
            FromAgent::Want { .. } | FromAgent::Pong(_) => {}
        }
    }

    /// Says that a host is at work, for the progress display.
    fn working(&mut self, host: usize) {
        let walker = &self.walkers[host];
        if let Some(flight) = walker.flights.front() {
            let event = Event::Working { host: walker.name.clone(), task: flight.info.clone() };
            self.run.emit(event);
        }
    }

    /// Whose step an answer is for.
    fn flight_at(&self, session: SessionId, lane: u32, position: &Position) -> Option<(usize, usize)> {
        self.walkers.iter().enumerate().find_map(|(host, walker)| {
            let matches = |flight: &Flight| {
                flight.session == Some(session) && flight.lane == lane && flight.position == *position
            };
            walker.flights.iter().position(matches).map(|flight| (host, flight))
        })
    }

    /// An agent has finished a step, or one item of it.
    fn finished(&mut self, host: usize, flight: usize) {
        let under_way = &mut self.walkers[host].flights[flight];
        if !under_way.one_by_one {
            let in_parts = under_way.in_parts();
            if in_parts.is_empty() {
                under_way.done = true;
                return;
            }
            // Large files go on, part by part.
            (under_way.pending, under_way.one_by_one) = (in_parts.into(), true);
        }
        self.next_item(host, flight);
    }

    /// The steps behind a failed one were dropped by the agent: they are sent again if the host goes on.
    fn forget_behind(&mut self, host: usize, flight: usize) {
        let walker = &mut self.walkers[host];
        if let Some(next) = walker.flights.get(flight + 1) {
            walker.cursor = next.resume.clone();
        }
        walker.flights.truncate(flight + 1);
        walker.flights[flight].fence = true;
    }

    /// Takes a host back to its first step that is not taken up: nothing was changed ahead, so nothing is lost.
    pub fn send_back(&mut self, host: usize) {
        let walker = &mut self.walkers[host];
        let Some(front) = walker.flights.front() else { return };
        let sessions: BTreeSet<SessionId> = walker.flights.iter().filter_map(|flight| flight.session).collect();
        for session in sessions {
            let from = front.position.clone();
            self.run.sessions[session].send(ToAgent::Cancel { lane: walker.lane, from });
        }
        if walker.barrier.as_ref() >= Some(&front.position) {
            walker.barrier = None;
        }
        self.includes.forget(host, &front.position);
        walker.cursor = front.resume.clone();
        walker.flights.clear();
        walker.lane += 1 << 16;
        walker.waiting = None;
    }

    /// Hosts of the inventory that are one machine look at nothing ahead, because each might change what the other saw.
    fn find_shared_machines(&mut self) {
        let names: Vec<String> = self.walkers.iter().map(|walker| walker.name.clone()).collect();
        let machines: Vec<_> = names.iter().map(|name| self.run.machine(name)).collect();
        for host in 0..names.len() {
            let twin = |other: usize| other != host && machines[other] == machines[host];
            if machines[host].is_some() && !self.walkers[host].shares && (0..names.len()).any(twin) {
                self.walkers[host].shares = true;
                self.send_back(host);
            }
        }
    }

    /// A session has ended: what it still owed is lost.
    fn lost(&mut self, session: SessionId, why: String) {
        self.run.sessions[session].gone = Some(why.clone());
        for walker in &mut self.walkers {
            for flight in walker.flights.iter_mut().filter(|flight| flight.session == Some(session)) {
                flight.answer_rest(&Ended::Lost(why.clone()));
                flight.done = true;
                flight.fence = true;
                flight.pending.clear();
            }
        }
        if self.run.all_answered() {
            self.find_shared_machines();
        }
    }

    fn tick(&mut self, tick: Tick) {
        let Some(host) = self.walkers.iter().position(|walker| walker.name == tick.host) else { return };
        let at = |flight: &Flight| flight.position == tick.position;
        let Some(flight) = self.walkers[host].flights.iter().position(at) else { return };
        match tick.result {
            Some(ended) => {
                self.walkers[host].flights[flight].answer_rest(&ended);
                self.walkers[host].flights[flight].done = true;
            }
            None => self.resend(host, flight),
        }
    }

    /// After a failure that is fatal for all, once everybody has come so far: nobody goes on.
    fn end_all_if_fatal(&mut self) -> bool {
        let Some((position, fallen)) = self.fatal.take() else { return false };
        if self.in_step() && self.watermark <= position {
            self.fatal = Some((position, fallen));
            return false;
        }
        for host in (0..self.walkers.len()).filter(|host| !fallen.contains(host)) {
            if self.walkers[host].state != State::Active {
                continue;
            }
            self.send_back(host);
            if self.walkers[host].cursor.fail() == Fallout::Ends {
                self.walkers[host].state = State::Failed;
                // As in Ansible: whom no `rescue` holds ends with it, and with all of them the run.
                self.run.stop = true;
                self.run.failed_batch = true;
            }
        }
        true
    }
}

/// The place of a handler in the list of handlers: the end of its position.
pub fn last_index(position: &Position) -> usize {
    position.0.last().map_or(0, |index| *index as usize)
}
