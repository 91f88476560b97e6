//! Which step may begin, and which may change things: one order over all lanes.
//!
//! An agent works by position, not by arrival. A step begins when no unfinished one of a lower position is known and
//! nobody works at another position; steps of one position may run at the same time, each in its lane. While a step
//! waits for the watermark nothing behind it is looked at, but one of a lower position may still come and go first.

use std::collections::{BTreeMap, VecDeque};

use crate::protocol::{Position, Step};

/// All lanes and the watermark.
#[derive(Debug, Default)]
pub struct Lanes {
    /// Things may be changed at every position up to and including this one.
    pub watermark: Position,
    /// Nothing more will come, and nothing more may begin.
    pub ended: bool,
    lanes: BTreeMap<u32, Lane>,
}

#[derive(Debug, Default)]
struct Lane {
    queue: VecDeque<Step>,
    current: Option<Current>,
    /// A step failed: what arrives is forgotten until the controller has heard of it.
    closed: bool,
    /// A thread works on it.
    is_served: bool,
}

/// The step that a lane works on.
#[derive(Debug)]
struct Current {
    position: Position,
    phase: Phase,
    /// It was taken back before it changed anything.
    cancelled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It is being looked at.
    Looking,
    /// It has something to change and waits.
    Waiting,
    /// It may change things.
    Granted,
}

/// What a lane's thread does next.
#[derive(Debug, PartialEq)]
pub enum Next {
    /// Work on this.
    Begin(Step),
    /// Wait until something happens.
    Wait,
    /// There is nothing to do: go.
    Leave,
}

/// What a step that has something to change may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Go on.
    Go,
    /// Wait on.
    Wait,
    /// It was taken back.
    Never,
}

impl Lanes {
    /// No steps yet.
    pub fn new(watermark: Position) -> Self {
        Lanes { watermark, ..Lanes::default() }
    }

    /// Takes a step in; whether a thread is needed for its lane.
    #[must_use]
    pub fn push(&mut self, step: Step) -> bool {
        let lane = self.lanes.entry(step.lane).or_default();
        if lane.closed {
            return false;
        }
        // Steps of a lane come in order; one that was taken back and sent again finds its place too.
        let place = lane.queue.partition_point(|known| known.position <= step.position);
        lane.queue.insert(place, step);
        !std::mem::replace(&mut lane.is_served, true)
    }

    /// Takes steps back that have not changed anything, and opens the lane again.
    pub fn cancel(&mut self, lane: u32, from: &Position) {
        let Some(lane) = self.lanes.get_mut(&lane) else { return };
        lane.closed = false;
        lane.queue.retain(|step| step.position < *from);
        if let Some(current) = &mut lane.current {
            current.cancelled |= current.phase != Phase::Granted && current.position >= *from;
        }
    }

    /// What a lane's thread does next.
    pub fn next(&mut self, number: u32) -> Next {
        let Some(lane) = self.lanes.get_mut(&number) else { return Next::Leave };
        let Some(step) = lane.queue.front().filter(|_| !self.ended) else {
            lane.is_served = false;
            return Next::Leave;
        };
        let position = step.position.clone();
        if !self.is_free_for(number, &position) {
            return Next::Wait;
        }
        let Some(lane) = self.lanes.get_mut(&number) else { return Next::Leave };
        lane.current = Some(Current { position, phase: Phase::Looking, cancelled: false });
        lane.queue.pop_front().map_or(Next::Leave, Next::Begin)
    }

    /// Whether a lane's step may change things now. If it may not, it waits.
    pub fn ask(&mut self, number: u32) -> Grant {
        if self.ended || self.is_cancelled(number) {
            return Grant::Never;
        }
        if self.grant(number) {
            return Grant::Go;
        }
        match self.lanes.get_mut(&number).and_then(|lane| lane.current.as_mut()) {
            Some(current) => {
                current.phase = Phase::Waiting;
                Grant::Wait
            }
            None => Grant::Never,
        }
    }

    /// Lets a lane's step change things if it may do so now, without beginning to wait.
    pub fn grant(&mut self, number: u32) -> bool {
        let Some(current) = self.lanes.get(&number).and_then(|lane| lane.current.as_ref()) else { return false };
        let position = current.position.clone();
        let go = !current.cancelled
            && !self.ended
            && (current.phase == Phase::Granted || (self.watermark >= position && self.is_free_for(number, &position)));
        if let Some(current) = self.lanes.get_mut(&number).and_then(|lane| lane.current.as_mut()).filter(|_| go) {
            current.phase = Phase::Granted;
        }
        go
    }

    /// Whether a lane's step was taken back, so that nobody waits for its answers.
    pub fn is_cancelled(&self, number: u32) -> bool {
        let current = self.lanes.get(&number).and_then(|lane| lane.current.as_ref());
        current.is_some_and(|current| current.cancelled)
    }

    /// A lane's step has ended. `drop`: forget what is queued behind it, and what is on its way.
    pub fn finish(&mut self, number: u32, drop: bool) {
        if let Some(lane) = self.lanes.get_mut(&number) {
            lane.current = None;
            if drop {
                lane.queue.clear();
                lane.closed = true;
            }
        }
    }

    /// Whether a thread still works on any lane.
    pub fn are_served(&self) -> bool {
        self.lanes.values().any(|lane| lane.is_served)
    }

    /// Whether no other lane works at another position, or has something to do before this one.
    fn is_free_for(&self, number: u32, position: &Position) -> bool {
        self.lanes.iter().filter(|(other, _)| **other != number).all(|(_, other)| {
            let current = other.current.as_ref().is_none_or(|current| match current.phase {
                Phase::Waiting => current.cancelled || current.position >= *position,
                Phase::Looking | Phase::Granted => current.position == *position,
            });
            current && other.queue.front().is_none_or(|step| step.position >= *position)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(lane: u32, at: u32) -> Step {
        Step { position: Position(vec![at]), lane, identity: None, calls: Vec::new(), go_on: false }
    }

    /// The position that a lane begins with now.
    fn begin(lanes: &mut Lanes, lane: u32) -> Option<u32> {
        match lanes.next(lane) {
            Next::Begin(step) => Some(step.position.0[0]),
            Next::Wait | Next::Leave => None,
        }
    }

    #[test]
    fn lower_positions_go_first_and_equal_ones_together() {
        let mut lanes = Lanes { watermark: Position::end(), ..Lanes::default() };
        assert!(lanes.push(step(0, 5)) && !lanes.push(step(0, 6)));
        assert!(lanes.push(step(1, 3)) && lanes.push(step(2, 3)));
        assert_eq!(begin(&mut lanes, 0), None, "3 comes first");
        assert_eq!((begin(&mut lanes, 1), begin(&mut lanes, 2)), (Some(3), Some(3)));
        lanes.finish(1, false);
        assert_eq!(begin(&mut lanes, 0), None, "the other 3 still runs");
        lanes.finish(2, false);
        assert_eq!(begin(&mut lanes, 0), Some(5));
        assert_eq!(lanes.next(1), Next::Leave);
        assert!(lanes.push(step(1, 5)), "it needs a thread again");
        assert_eq!(begin(&mut lanes, 1), Some(5));
    }

    #[test]
    fn nothing_behind_a_waiting_step_begins_but_what_is_before_it() {
        let mut lanes = Lanes { watermark: Position(vec![4]), ..Lanes::default() };
        assert!(lanes.push(step(0, 5)));
        assert_eq!(begin(&mut lanes, 0), Some(5));
        assert_eq!(lanes.ask(0), Grant::Wait);
        assert!(lanes.push(step(1, 7)));
        assert_eq!(lanes.next(1), Next::Wait);
        lanes.cancel(1, &Position(vec![7]));
        let _ = lanes.push(step(1, 3));
        assert_eq!(begin(&mut lanes, 1), Some(3));
        assert_eq!(lanes.ask(1), Grant::Go);
        lanes.watermark = Position(vec![5]);
        assert_eq!(lanes.ask(0), Grant::Wait, "3 is being carried out");
        lanes.finish(1, false);
        assert_eq!(lanes.ask(0), Grant::Go);
        lanes.watermark = Position(vec![1]);
        assert_eq!(lanes.ask(0), Grant::Go, "what has begun goes on");
    }

    #[test]
    fn a_step_is_taken_back_until_it_changes_something() {
        let mut lanes = Lanes::default();
        let _ = lanes.push(step(0, 5));
        begin(&mut lanes, 0);
        assert_eq!(lanes.ask(0), Grant::Wait);
        lanes.cancel(0, &Position(vec![6]));
        assert_eq!(lanes.ask(0), Grant::Wait);
        lanes.cancel(0, &Position(vec![5]));
        assert_eq!(lanes.ask(0), Grant::Never);
        lanes.finish(0, false);
        let _ = lanes.push(step(0, 5));
        begin(&mut lanes, 0);
        lanes.cancel(0, &Position(vec![5]));
        assert_eq!((lanes.ask(0), lanes.is_cancelled(0)), (Grant::Never, true), "while it was looked at");
        lanes.finish(0, false);
        lanes.watermark = Position(vec![5]);
        let _ = lanes.push(step(0, 5));
        begin(&mut lanes, 0);
        assert_eq!(lanes.ask(0), Grant::Go);
        lanes.cancel(0, &Position(vec![5]));
        assert_eq!((lanes.ask(0), lanes.is_cancelled(0)), (Grant::Go, false), "too late");
    }

    #[test]
    fn a_dropped_lane_is_closed_until_the_controller_has_heard_of_it() {
        let mut lanes = Lanes::default();
        let _ = lanes.push(step(0, 1));
        let _ = lanes.push(step(0, 2));
        begin(&mut lanes, 0);
        lanes.finish(0, true);
        let _ = lanes.push(step(0, 3));
        assert_eq!(begin(&mut lanes, 0), None);
        lanes.cancel(0, &Position(vec![1]));
        let _ = lanes.push(step(0, 4));
        assert_eq!(begin(&mut lanes, 0), Some(4));
    }
}
