//! The hosts of one batch walk through a play.
//!
//! Each host has a cursor that runs ahead: steps are prepared and sent as long as nothing that they need is open. Answers
//! are taken up in order, and only when the watermark (the lowest position at which some host still is) reaches them. So
//! hosts look ahead, and change things in lock-step. `ARCHITECTURE.md` says why this is Ansible's order.

mod answers;
mod back;
mod effects;
mod order;
mod sending;
mod walker;

use std::collections::{BTreeSet, HashMap, VecDeque};

pub use self::walker::{State, Walker};
use super::conclude::Registered;
use super::cursor::Cursor;
use super::include::Includes;
use super::play::PlayContext;
use super::{Interrupted, Run};
use crate::protocol::Position;
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

impl<'a> Batch<'a> {
    /// At the start of the play, or of one of its batches: positions begin with `base`.
    pub fn new(run: &'a mut Run, play: &'a PlayContext, hosts: &[String], base: &Position) -> Self {
        let walker = |name: &String| Walker {
            name: name.clone(),
            cursor: Cursor::new(play.items.clone(), base.clone()),
            flights: VecDeque::new(),
            state: State::Active,
            notified: BTreeSet::new(),
            passed: Default::default(),
            is_here: false,
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
    pub async fn walk(&mut self) -> Result<(), Interrupted> {
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

    /// Opens the host's session, so that all of a play connect side by side.
    fn open(&mut self, host: usize) {
        let name = self.walkers[host].name.clone();
        if let Ok(session) = self.run.session(&name, &self.play.keywords) {
            self.walkers[host].is_here = self.run.sessions[session].is_local;
        }
    }
}
