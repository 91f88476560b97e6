//! Agents are let on: they may change things up to where everybody is.

use super::{Output, Scheduler, State};
use crate::protocol::Position;

impl<W> Scheduler<W> {
    /// Lets the agents on that may go further.
    pub(super) fn grant(&mut self) {
        if !self.answered || self.planning && self.queued.is_empty() {
            return;
        }
        for host in std::mem::take(&mut self.ungranted) {
            let state = &self.hosts[host];
            let Some(last) = state.running.back().filter(|_| state.state == State::Active) else { continue };
            let mark = if self.in_step { &self.watermark } else { &last.position }.clone();
            let throttle = state.running.iter().filter_map(|running| running.throttle).min();
            let most = throttle.unwrap_or(usize::MAX).min(self.forks);
            let mark = if self.hosts.len() > most { self.in_turn(host, mark, most) } else { Some(mark) };
            if let Some(mark) = mark {
                self.let_on(host, mark);
            }
        }
    }

    /// With more hosts than may work at the same time, each is let on alone, when it says that it waits.
    fn in_turn(&self, host: usize, mark: Position, most: usize) -> Option<Position> {
        let working = |host: &&usize| self.hosts[**host].granted >= self.hosts[**host].waiting;
        let state = &self.hosts[host];
        let waiting = state.waiting.as_ref().filter(|waiting| **waiting <= mark && state.granted < state.waiting)?;
        let busy = self.queued.iter().filter(working).count();
        (busy < most).then(|| waiting.clone())
    }

    fn let_on(&mut self, host: usize, mark: Position) {
        let state = &mut self.hosts[host];
        state.granted = Some(mark.clone());
        let own = state.running.iter().filter(|running| !running.is_delegated);
        let mut sessions: Vec<_> = own.filter_map(|running| running.session).collect();
        sessions.dedup();
        self.outputs.extend(sessions.into_iter().map(|session| Output::Grant(session, mark.clone())));
    }
}
