//! Steps are prepared and sent as long as nothing that they need is open.

use std::sync::Arc;

use super::{Batch, State};
use crate::module::Place;
use crate::protocol::{Mode, Position};
use crate::runner::flight::{Ended, Flight, ItemRun};
use crate::runner::prepare;
use crate::steps::{Step, Work};

/// Steps that may be under way on one host: enough to hide any latency, few enough to bound memory.
const WINDOW: usize = 512;

impl Batch<'_> {
    /// Sends what can be sent.
    pub(super) fn advance(&mut self, host: usize) -> bool {
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
            self.leave_blocks(host);
            if !self.may_look(host, &step, &position) || !self.dispatch(host, &step, &position) {
                break;
            }
            self.pass(host, &step, &position);
            moved = true;
        }
        moved
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
            Work::Call { spec, .. } => match spec.place {
                Place::Course => self.course(host, step, position),
                Place::Controller | Place::Target => self.call(host, step, position),
            },
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
        let Ok(run_once) = self.is_once(host, step, position) else { return false };
        if run_once && !self.is_turn(host, position) {
            return false;
        }
        if run_once
            && self.in_step()
            && let Some(taken_over) = self.leave_to_first(host, step, position)
        {
            return taken_over;
        }
        let prepared = match self.prepare(host, step, position) {
            Ok(prepared) => prepared,
            Err(prepare::NotYet) => return false,
        };
        let mut flight = match self.flight(host, step, position, prepared) {
            Ok(flight) => flight,
            Err(prepare::NotYet) => return false,
        };
        let judged = !keywords.failed_when.is_empty() || !keywords.until.is_empty();
        let fails = |flight: &Flight| {
            let bad = |ended: &Ended| matches!(ended, Ended::Wrong(_) | Ended::Failed(_) | Ended::Lost(_));
            flight.trouble.iter().chain(flight.items.iter().filter_map(|item| item.ended.as_ref())).any(bad)
        };
        flight.fence = judged || run_once || flight.one_by_one || (fails(&flight) && !planning);
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
        let is_open = |item: &ItemRun| item.call.is_some() || item.wait.is_some();
        let calls: Vec<usize> = (0..flight.items.len()).filter(|index| is_open(&flight.items[*index])).collect();
        flight.done = calls.is_empty();
        if !calls.is_empty() {
            flight.pending = calls.into();
            self.send(host, &mut flight);
        }
        self.walkers[host].flights.push_back(flight);
    }
}

/// The place of a handler in the list of handlers: the end of its position.
fn last_index(position: &Position) -> usize {
    position.0.last().map_or(0, |index| *index as usize)
}
