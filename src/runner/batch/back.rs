//! Hosts are sent back, as nothing was changed ahead.

use std::collections::BTreeSet;

use super::{Batch, State};
use crate::protocol::ToAgent;
use crate::runner::cursor::Fallout;
use crate::transport::SessionId;

impl Batch<'_> {
    /// Takes a host back to its first step that is not taken up: nothing was changed ahead, so nothing is lost.
    pub fn send_back(&mut self, host: usize) {
        let walker = &mut self.walkers[host];
        let Some(front) = walker.flights.front() else { return };
        let sessions: BTreeSet<SessionId> = walker.flights.iter().filter_map(|flight| flight.session).collect();
        for session in sessions {
            let from = front.position.clone();
            self.run.sessions[session].send(ToAgent::Cancel { lane: walker.lane, from });
        }
        walker.passed.go_back(&front.position);
        self.includes.forget(host, &front.position);
        walker.cursor = front.resume.clone();
        walker.flights.clear();
        walker.lane += 1 << 16;
        walker.waiting = None;
    }

    /// Hosts of the inventory that are one machine look at nothing ahead, because each might change what the other saw.
    pub(super) fn find_shared_machines(&mut self) {
        let names: Vec<String> = self.walkers.iter().map(|walker| walker.name.clone()).collect();
        let machines: Vec<_> = names.iter().map(|name| self.run.machine(name)).collect();
        for host in 0..names.len() {
            let twin = |other: usize| other != host && machines[other] == machines[host];
            if machines[host].is_some() && !self.walkers[host].shares && (0..names.len()).any(twin) {
                self.walkers[host].shares = true;
                self.send_back(host);
            }
        }
    }

    /// After a failure that is fatal for all, once everybody has come so far: nobody goes on.
    pub(super) fn end_all_if_fatal(&mut self) -> bool {
        let Some((position, fallen)) = self.fatal.take() else { return false };
        if self.in_step() && self.watermark <= position {
            self.fatal = Some((position, fallen));
            return false;
        }
        for host in (0..self.walkers.len()).filter(|host| !fallen.contains(host)) {
            if self.walkers[host].state != State::Active {
                continue;
            }
            self.send_back(host);
            if self.walkers[host].cursor.fail() == Fallout::Ends {
                self.walkers[host].state = State::Failed;
                // As in Ansible: whom no `rescue` holds ends with it, and with all of them the run.
                self.run.stop = true;
                self.run.failed_batch = true;
            }
        }
        true
    }
}
