//! What may be looked at early: a step is looked at when nothing before it that is still open writes what it reads.

use super::Scheduler;
use crate::module::{Place, Things};
use crate::protocol::Position;
use crate::steps::{ANYTHING, Step, Work};

/// What cannot be read while something is open: by steps of the same host, by other hosts. (An agent looks at its host in
/// order, so a host's own open steps never keep it from being looked at.)
const CLASHES: &[Clash] = &[
    Clash { reads: Things::HOST, own: Things::NONE, others: Things::WORLD },
    Clash { reads: Things::FILES, own: Things::FILES.and(Things::WORLD), others: Things::FILES.and(Things::WORLD) },
    Clash { reads: Things::WORLD, own: Things::FILES.and(Things::WORLD), others: ANYTHING },
    Clash { reads: Things::INVENTORY, own: Things::INVENTORY, others: Things::INVENTORY },
];

struct Clash {
    reads: Things,
    own: Things,
    others: Things,
}

/// What other hosts may still write: by kind, the last place that this host has passed and they may be at.
#[derive(Debug, Default)]
pub struct Passed(Vec<(Things, Position)>);

impl Passed {
    /// Passes steps that may write these, up to a place.
    pub fn note(&mut self, writes: Things, upto: &Position) {
        for kind in writes.each() {
            match self.0.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, last)) => last.clone_from(upto),
                None => self.0.push((kind, upto.clone())),
            }
        }
    }

    /// Goes back to a place. What lies before it and is not kept apart counts as open until everybody is there.
    pub fn go_back(&mut self, place: &Position) {
        self.0.iter_mut().filter(|(_, last)| last > place).for_each(|(_, last)| last.clone_from(place));
    }

    fn open(&self, watermark: &Position) -> Things {
        let open = self.0.iter().filter(|(_, last)| watermark <= last);
        open.fold(Things::NONE, |all, (kind, _)| all.and(*kind))
    }
}

/// What is open before a step.
#[derive(Clone, Copy, Debug)]
struct Open {
    own: Things,
    others: Things,
}

impl Open {
    fn keeps_from(self, reads: Things) -> bool {
        let clashes = |clash: &&Clash| reads.meets(clash.reads);
        CLASHES.iter().filter(clashes).any(|clash| self.own.meets(clash.own) || self.others.meets(clash.others))
    }
}

impl<W> Scheduler<W> {
    fn open_before(&self, host: usize, position: &Position) -> Open {
        let state = &self.hosts[host];
        let own = state.running.iter().fold(Things::NONE, |all, running| all.and(running.step.effects.writes));
        let others = match self.in_step && *position > self.watermark {
            true => state.passed.open(&self.watermark),
            false => Things::NONE,
        };
        // The state of a host that is the controller is the controller's files.
        let with_files = |things: Things, is_here: bool| match is_here && things.meets(Things::HOST) {
            true => things.and(Things::FILES),
            false => things,
        };
        Open { own: with_files(own, state.is_here), others: with_files(others, self.any_here) }
    }

    /// Which of these a step may not read yet.
    pub fn unsettled(&self, host: usize, position: &Position, reads: Things) -> Things {
        let open = self.open_before(host, position);
        reads.each().filter(|kind| open.keeps_from(*kind)).fold(Things::NONE, Things::and)
    }

    /// Whether a host may look at a step now.
    pub(super) fn may_look(&self, host: usize, step: &Step, position: &Position) -> bool {
        let state = &self.hosts[host];
        let alone = self.in_step && (state.shares || state.cursor.is_alone());
        // What acts at once is not taken back, so all agents must have said who they are before.
        let acts = acts_here(step);
        if acts && !self.answered || (alone || acts) && !self.is_turn(host, position) {
            return false;
        }
        !self.open_before(host, position).keeps_from(step.effects.reads)
    }

    /// A host goes on behind a step: the others may still have it before them.
    pub(super) fn pass(&mut self, host: usize, step: &Step, position: &Position) {
        if self.in_step {
            let upto = if step.work.is_open() { position.inside(u32::MAX) } else { position.clone() };
            self.hosts[host].passed.note(step.effects.writes, &upto);
        }
    }

    /// A host comes to its next step, perhaps out of blocks: others may go through their `rescue`.
    pub(super) fn leave_blocks(&mut self, host: usize) {
        let state = &mut self.hosts[host];
        for block in state.cursor.take_left() {
            state.passed.note(ANYTHING, &block.inside(u32::MAX));
        }
    }

    /// A host turns out to be the controller itself.
    pub fn is_here(&mut self, host: usize) {
        self.hosts[host].is_here = true;
        self.any_here = true;
    }
}

/// Whether a step takes effect when it is brought under way, so that it has to wait for its turn: what the controller does
/// itself beyond setting variables, and what is done on another host or for all.
fn acts_here(step: &Step) -> bool {
    let is_here = matches!(&step.work, Work::Call { spec, .. } if spec.place != Place::Target);
    is_here && step.effects.writes != Things::NONE || step.keywords.delegate_to.is_some()
}
