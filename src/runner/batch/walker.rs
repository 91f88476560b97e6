//! One host on its way.

use std::collections::{BTreeSet, VecDeque};

use super::effects::Passed;
use crate::protocol::Position;
use crate::runner::cursor::Cursor;
use crate::runner::flight::Flight;

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
    /// What it has passed and others may still do.
    pub passed: Passed,
    /// It is the controller itself, whose state is the controller's files.
    pub is_here: bool,
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
