//! Whose turn it is: the watermark, and what happens once for all hosts.

use super::{Host, Input, Output, Running, RunningId, Scheduler, State};
use crate::protocol::Position;
use crate::transport::SessionId;

impl<W> Scheduler<W> {
    /// Whether hosts must keep step.
    pub fn in_step(&self) -> bool {
        self.in_step
    }

    /// Whether it is this host's turn at `position`: nothing of its own is open, and nobody else stands before it.
    pub fn is_turn(&self, host: usize, position: &Position) -> bool {
        self.hosts[host].running.is_empty() && (!self.in_step || *position <= self.watermark)
    }

    /// Whether a host is the first of those that stand at a position. (Hosts in another section of a block do not.)
    pub fn is_first_at(&self, host: usize, position: &Position) -> bool {
        let before = (position.clone(), 0)..(position.clone(), host);
        self.frontiers.range(before).next().is_none()
    }

    /// A host has moved: finds where it stands now.
    pub(super) fn moved(&mut self, host: usize) {
        let frontier = self.hosts[host].find_frontier();
        if frontier != self.hosts[host].frontier {
            let left = std::mem::replace(&mut self.hosts[host].frontier, frontier.clone());
            self.frontiers.insert((frontier, host));
            self.frontiers.remove(&(left.clone(), host));
            // The next one there may have waited for what this one does for all.
            let next = self.frontiers.range((left.clone(), 0)..=(left, usize::MAX)).next().map(|(_, next)| *next);
            next.into_iter().for_each(|next| self.wake(next));
        }
    }

    /// Whether the watermark rose. All are looked at again then.
    pub(super) fn raise_watermark(&mut self) -> bool {
        let Some((lowest, _)) = self.frontiers.first() else { return false };
        if *lowest == self.watermark {
            return false;
        }
        self.watermark = lowest.clone();
        for host in 0..self.hosts.len() {
            if self.hosts[host].state == State::Active {
                self.wake(host);
                self.ungranted.insert(host);
            }
        }
        true
    }

    /// Takes a host out of the play. Where it is now is not looked at again.
    pub fn leave(&mut self, host: usize, state: State) {
        self.forget(host, 0);
        self.active -= usize::from(self.hosts[host].state == State::Active);
        self.hosts[host].state = state;
        self.hosts[host].waiting = None;
        self.queued.remove(&host);
        self.moved(host);
    }

    /// Forgets the steps of a host from this one of those under way on.
    pub(super) fn forget(&mut self, host: usize, from: usize) {
        let Host { running, notified, .. } = &mut self.hosts[host];
        for forgotten in running.drain(from..) {
            self.running.remove(&forgotten.id);
            // A handler that was not carried out is still to be run.
            notified.extend(forgotten.handler());
        }
        self.moved(host);
    }

    pub(super) fn answer(&mut self, id: RunningId) {
        let Some((host, place)) = self.find(id) else { return };
        let state = &mut self.hosts[host];
        if state.waiting.as_ref() == Some(&state.running[place].position) {
            state.waiting = None;
            self.queued.remove(&host);
            // Somebody else may be let on.
            self.ungranted.extend(self.queued.iter().copied());
        }
    }

    pub(super) fn waits(&mut self, id: RunningId) {
        let Some((host, place)) = self.find(id) else { return };
        self.hosts[host].waiting = Some(self.hosts[host].running[place].position.clone());
        self.queued.insert(host);
        self.ungranted.insert(host);
        self.outputs.push_back(Output::Working(host));
    }

    /// What was sent behind a failed step was dropped by the agent: it is started again if the host goes on.
    pub(super) fn dropped(&mut self, id: RunningId) {
        let Some((host, place)) = self.find(id) else { return };
        let state = &mut self.hosts[host];
        let Running { session, lane, position, .. } = &state.running[place];
        if let Some(session) = session {
            self.outputs.push_back(Output::Cancel(*session, *lane, position.clone()));
        }
        let own = (*session, *lane);
        state.running[place].fence = true;
        if let Some(next) = state.running.get(place + 1) {
            state.cursor = next.resume.clone();
            // What other agents hold, or this one in another lane, was not dropped.
            for running in state.running.iter().skip(place + 1).filter(|running| (running.session, running.lane) != own)
            {
                let cancel =
                    running.session.map(|session| Output::Cancel(session, running.lane, running.position.clone()));
                self.outputs.extend(cancel);
            }
            self.forget(host, place + 1);
        }
    }

    pub(super) fn lost(&mut self, session: SessionId) {
        for host in 0..self.hosts.len() {
            let mut lost = Vec::new();
            for running in self.hosts[host].running.iter_mut().filter(|running| running.session == Some(session)) {
                running.fence = true;
                lost.push(running.id);
            }
            lost.into_iter().for_each(|id| self.tell(Input::Ready(id)));
        }
    }
}
