//! Hosts are sent back, as nothing was changed ahead.

use std::collections::BTreeSet;

use super::{AfterFailure, Output, Scheduler, State};
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
    /// behind it was dropped by the agent, or is taken back. `fatal`: it ends the play for all.
    pub fn fail(&mut self, host: usize, failed: &super::Running<W>, fatal: bool) -> AfterFailure {
        if fatal {
            self.fatal.get_or_insert_with(|| (failed.position.clone(), Vec::new())).1.push(host);
        }
        self.send_back(host);
        let state = &mut self.hosts[host];
        state.cursor = failed.resume.clone();
        // The others may still be at it.
        state.passed.note(crate::steps::ANYTHING, &failed.position);
        let after = state.cursor.fail();
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

    /// After a failure that is fatal for all, once everybody has come so far: nobody goes on.
    pub(super) fn end_all_if_fatal(&mut self) -> bool {
        let is_due = |(position, _): &mut (Position, Vec<usize>)| !self.in_step || self.watermark > *position;
        let Some((_, fallen)) = self.fatal.take_if(is_due) else { return false };
        for host in (0..self.hosts.len()).filter(|host| !fallen.contains(host)) {
            if self.hosts[host].state != State::Active {
                continue;
            }
            self.send_back(host);
            match self.hosts[host].cursor.fail() {
                AfterFailure::Continues => self.moved(host),
                AfterFailure::Ends => {
                    self.leave(host, State::Failed);
                    self.ended_all = true;
                }
            }
        }
        true
    }

    /// Nobody goes on: all come to the end of the play.
    pub fn finish_all(&mut self) {
        for host in 0..self.hosts.len() {
            self.hosts[host].cursor.finish();
            self.moved(host);
            self.wake(host);
        }
    }

    /// Ends the play for all that still take part, as failed, as soon as they have done what stands up to here.
    pub fn fail_all_behind(&mut self, position: Option<&Position>) {
        match position.filter(|_| self.in_step) {
            Some(position) => drop(self.last.get_or_insert_with(|| position.clone())),
            None => self.fail_all(),
        }
    }

    /// Whether all have come to where the play ends for them.
    pub(super) fn end_behind_last(&mut self) -> bool {
        let is_due = self.last.take_if(|last| self.watermark > *last).is_some();
        if is_due {
            self.fail_all();
        }
        is_due
    }

    fn fail_all(&mut self) {
        for host in 0..self.hosts.len() {
            if self.hosts[host].state == State::Active {
                self.send_back(host);
                self.leave(host, State::Failed);
            }
        }
    }

    /// Whether a failure that is fatal for all has ended hosts that no `rescue` held: as in Ansible the run ends with them.
    pub fn has_ended_all(&self) -> bool {
        self.ended_all
    }
}
