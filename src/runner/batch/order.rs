//! Who may look at what, and change it, and when: the watermark, turns and barriers.

use super::{Batch, State, Walker};
use crate::protocol::{Mode, Position};
use crate::steps::Step;

impl Batch<'_> {
    /// Whether hosts must keep step.
    pub fn in_step(&self) -> bool {
        !self.play.free && self.walkers.len() > 1
    }

    /// Where a host stands: its first step that is not taken up.
    pub(super) fn frontier(&mut self, host: usize) -> Position {
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

    pub(super) fn raise_watermark(&mut self) -> bool {
        let lowest = (0..self.walkers.len()).map(|host| self.frontier(host)).min().unwrap_or_else(Position::end);
        let moved = lowest != self.watermark;
        self.watermark = lowest;
        moved
    }

    /// Whether it is this host's turn at `position`: nothing of its own is open, and nobody else stands before it.
    pub(super) fn is_turn(&self, host: usize, position: &Position) -> bool {
        self.walkers[host].flights.is_empty() && (!self.in_step() || *position <= self.watermark)
    }

    /// Leaves a step that is done once for all hosts to the first one that stands there: `Some` if this host has taken
    /// over its result (true) or has to wait for it (false), `None` if it is the one to do it. (Hosts in another section
    /// of a block do not come here.)
    pub fn leave_to_first(&mut self, host: usize, step: &Step, position: &Position) -> Option<bool> {
        if let Some(result) = self.once.get(position).cloned() {
            self.copy_result(host, step, &result);
            self.walkers[host].cursor.advance();
            return Some(true);
        }
        let is_first = (0..host).all(|other| self.frontier(other) != *position);
        (!is_first).then_some(false)
    }

    /// Lets agents change things up to where they may.
    pub(super) fn grant(&mut self) {
        // In a plan only steps with `check_mode: false` ask.
        if self.run.options.mode == Mode::Plan && self.walkers.iter().all(|walker| walker.waiting.is_none()) {
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
}
