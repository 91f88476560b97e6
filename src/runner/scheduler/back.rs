//! Hosts are sent back, as nothing was changed ahead.

use std::collections::BTreeSet;

use super::failures::Fatal;
use super::{AfterFailure, Output, Running, Scheduler};
use crate::protocol::Position;
use crate::transport::SessionId;

impl<W> Scheduler<W> {
    /// Takes a host back to its first step that is not concluded: nothing was changed ahead, so nothing is lost. The
    /// position is that of the step.
    pub fn send_back(&mut self, host: usize) -> Option<Position> {
        let state = &mut self.hosts[host];
        let front = state.running.front()?;
        let position = front.position.clone();
        let sessions: BTreeSet<SessionId> = state.running.iter().filter_map(|running| running.session).collect();
        for session in sessions {
            self.outputs.push_back(Output::Cancel(session, state.lane, position.clone()));
        }
        state.passed.go_back(&position);
        state.cursor = front.resume.clone();
        state.lane += 1 << 16;
        state.waiting = None;
        self.queued.remove(&host);
        self.forget(host, 0);
        self.wake(host);
        self.outputs.push_back(Output::SentBack(host, position.clone()));
        Some(position)
    }

    /// A step has failed, and nothing ignores it: the host goes to the nearest `rescue` or `always`. What was started
    /// behind it was dropped by the agent, or is taken back.
    pub fn fail(&mut self, host: usize, failed: &Running<W>, fatal: Fatal) -> AfterFailure {
        self.failure_at(failed, fatal).fallen.push(host);
        self.send_back(host);
        let state = &mut self.hosts[host];
        state.passed_over.clear();
        // The others may still be at it.
        state.passed.note(crate::steps::ANYTHING, &failed.position);
        let after = state.fail(1);
        state.counts_as_failed |= after == AfterFailure::Ends;
        self.moved(host);
        after
    }

    /// Hosts that are one machine with another one look at nothing ahead, because each might change what the other saw.
    /// Once agents may act, what is under way stays so: it could have been done already.
    pub(super) fn share(&mut self, twins: &[usize]) {
        for &host in twins {
            if !std::mem::replace(&mut self.hosts[host].shares, true) && !self.answered {
                self.send_back(host);
            }
        }
    }

    /// A host goes on with nothing more.
    pub fn finish(&mut self, host: usize) {
        self.hosts[host].cursor.finish();
        self.hosts[host].place.finish();
    }

    /// Nobody goes on: all come to the end of the play.
    pub fn finish_all(&mut self) {
        for host in 0..self.hosts.len() {
            self.finish(host);
            self.moved(host);
            self.wake(host);
        }
    }
}
