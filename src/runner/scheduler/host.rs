//! One host on its way, and a step that is under way on it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::effects::Passed;
use super::{AfterFailure, Cursor};
use crate::protocol::Position;
use crate::steps::{Item, Step};
use crate::transport::SessionId;

/// What tells a step under way from all others of a batch. Later ones have larger ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunningId(pub u64);

/// A step under way on a host: sent, or settled without the host, and waiting to be concluded in order.
#[derive(Debug)]
pub struct Running<W> {
    /// Its id.
    pub id: RunningId,
    /// Where it stands.
    pub position: Position,
    /// The step.
    pub step: Arc<Step>,
    /// Where the host goes back to, should this step have to be started again.
    pub resume: Cursor,
    /// Where it is carried out.
    pub session: Option<SessionId>,
    /// The lane there.
    pub lane: u32,
    /// Another host carries it out.
    pub is_delegated: bool,
    /// Nothing behind it is started before it was judged.
    pub fence: bool,
    /// At most so many hosts do it at the same time.
    pub throttle: Option<usize>,
    /// All is there to conclude it.
    pub ready: bool,
    /// What it is about.
    pub work: W,
}

impl<W> Running<W> {
    /// Its place in the list of handlers, where it is one.
    pub fn handler(&self) -> Option<usize> {
        self.resume.handler_at(&self.position)
    }
}

impl<W> std::ops::Deref for Running<W> {
    type Target = W;

    fn deref(&self) -> &W {
        &self.work
    }
}

impl<W> std::ops::DerefMut for Running<W> {
    fn deref_mut(&mut self) -> &mut W {
        &mut self.work
    }
}

/// One host on its way.
#[derive(Debug)]
pub struct Host<W> {
    /// Its name.
    pub name: String,
    /// Where starting stands.
    pub cursor: Cursor,
    /// Steps under way, in order.
    pub running: VecDeque<Running<W>>,
    /// Whether it still takes part.
    pub state: State,
    /// Notified handlers, by their place in the play's list.
    pub notified: BTreeSet<usize>,
    /// It is the controller itself, whose state is the controller's files.
    pub is_here: bool,
    /// Roles of which a step was not skipped, and those that came to their end after that.
    pub roles: (BTreeSet<usize>, BTreeSet<usize>),
    /// The lane of its own steps; another one each time it is sent back, so that late answers are told apart.
    pub lane: u32,
    /// Where it stands if what it is about to do is left aside: at the step that was concluded last.
    pub(super) place: Cursor,
    /// Steps behind that which left nothing to conclude (flushes, handlers that were not notified).
    pub(super) passed_over: Vec<(Position, Cursor)>,
    /// How often it has failed there, by itself or with others.
    pub(super) failures: u32,
    /// It counts for `max_fail_percentage`: it failed with no `rescue` or `always` around, or with others.
    pub(super) counts_as_failed: bool,
    /// What it has passed and others may still do.
    pub(super) passed: Passed,
    /// Shares a machine with another host of the play: nothing is looked at ahead.
    pub(super) shares: bool,
    /// Waits for the watermark at this position.
    pub(super) waiting: Option<Position>,
    /// The watermark that its agent has.
    pub(super) granted: Option<Position>,
    /// Its first step that is not concluded.
    pub(super) frontier: Position,
    /// It is to be looked at again.
    pub(super) is_woken: bool,
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

impl<W> Host<W> {
    pub(super) fn new(name: &str, items: &Arc<Vec<Item>>, base: &Position) -> Self {
        Host {
            name: name.to_owned(),
            cursor: Cursor::new(items.clone(), base.clone()),
            running: VecDeque::new(),
            state: State::Active,
            notified: BTreeSet::new(),
            is_here: false,
            roles: Default::default(),
            lane: 0,
            place: Cursor::new(items.clone(), base.clone()),
            passed_over: Vec::new(),
            failures: 0,
            counts_as_failed: false,
            passed: Passed::default(),
            shares: false,
            waiting: None,
            granted: None,
            frontier: base.clone(),
            is_woken: true,
        }
    }

    /// Fails where it stands, so many times.
    pub(super) fn fail(&mut self, times: u32) -> AfterFailure {
        self.failures += times;
        self.cursor = self.place.clone();
        self.cursor.fail(self.failures)
    }

    /// It has done a step: where it stands now.
    pub(super) fn stands_at(&mut self, place: &Cursor) {
        self.place = place.clone();
        self.failures = 0;
    }

    /// Where it stands: its first step that is not concluded.
    pub(super) fn find_frontier(&self) -> Position {
        if self.state != State::Active {
            return Position::end();
        }
        match self.running.front() {
            Some(first) => first.position.clone(),
            None => match self.cursor.clone().step() {
                Ok(Some((_, position))) => position,
                _ => Position::end(),
            },
        }
    }
}
