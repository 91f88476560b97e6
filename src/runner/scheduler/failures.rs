//! What failures on some hosts mean for the others: `any_errors_fatal`, `run_once` and `max_fail_percentage`.

use super::{AfterFailure, Output, Running, Scheduler, State};
use crate::protocol::Position;

/// What a failure means for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fatal {
    /// Nothing.
    No,
    /// They fail too (`any_errors_fatal`).
    ForAll,
    /// They fail too, and twice: as in Ansible a failure with `run_once` is everybody's own first.
    Once,
}

/// The step on which hosts have failed.
#[derive(Debug)]
pub(super) struct Failures {
    position: Position,
    /// Who failed.
    pub fallen: Vec<usize>,
    /// Who could not be reached.
    lost: Vec<usize>,
    fatal: Fatal,
}

impl<W> Scheduler<W> {
    /// The failures on a step, of which this is one.
    pub(super) fn failure_at(&mut self, failed: &Running<W>, fatal: Fatal) -> &mut Failures {
        let failures = self.failures.get_or_insert_with(|| Failures {
            position: failed.position.clone(),
            fallen: Vec::new(),
            lost: Vec::new(),
            fatal,
        });
        failures.fatal = failures.fatal.max(fatal);
        failures
    }

    /// A host could not be reached on a step, which ends the play for the others where the step says so.
    pub fn miss(&mut self, host: usize, missed: &Running<W>, fatal: Fatal) {
        self.failure_at(missed, fatal).lost.push(host);
    }

    /// A host has the result of a step that another one has done for all.
    pub fn took_over(&mut self, host: usize) {
        let state = &mut self.hosts[host];
        state.stands_at(&state.cursor.clone());
        state.cursor.advance();
    }

    /// Takes up the failures of a step as soon as all hosts have done it; whether there were any.
    pub(super) fn take_up_failures(&mut self) -> bool {
        let is_due = |failures: &mut Failures| !self.in_step || self.watermark > failures.position;
        let Some(failures) = self.failures.take_if(is_due) else { return false };
        if self.free {
            return true;
        }
        if failures.fatal != Fatal::No {
            self.fail_others(&failures);
        }
        if self.max_fail.is_some_and(|most| self.failed() as f64 * 100.0 > most * self.batch as f64) {
            self.broken = true;
            self.fail_others(&failures);
        }
        let reached = self.hosts.iter().filter(|host| host.state != State::Lost).count();
        let left = reached + failures.lost.len() + self.absent;
        if self.broken && self.failed() >= left {
            for host in 0..self.hosts.len() {
                if self.hosts[host].state == State::Active {
                    self.send_back(host);
                    self.leave(host, State::Failed);
                }
            }
        }
        true
    }

    fn failed(&self) -> usize {
        let absent = if self.absent_count { self.absent } else { 0 };
        self.hosts.iter().filter(|host| host.counts_as_failed).count() + absent
    }

    /// The hosts that have not failed by themselves go where a failure of theirs would have led them.
    fn fail_others(&mut self, failures: &Failures) {
        self.absent_count = true;
        for host in (0..self.hosts.len()).filter(|host| !failures.fallen.contains(host)) {
            if self.hosts[host].state == State::Lost && !failures.lost.contains(&host) {
                continue;
            }
            self.hosts[host].counts_as_failed = true;
            self.outputs.push_back(Output::Declared(host));
            if self.hosts[host].state != State::Active {
                continue;
            }
            self.send_back(host);
            let state = &mut self.hosts[host];
            if let Some(last) = state.passed_over.iter().rposition(|(position, _)| *position <= failures.position) {
                let place = state.passed_over.swap_remove(last).1;
                state.stands_at(&place);
            }
            state.passed_over.clear();
            let times = if failures.fatal == Fatal::Once { 2 } else { 1 };
            match self.hosts[host].fail(times) {
                AfterFailure::Continues => self.moved(host),
                AfterFailure::Ends => self.leave(host, State::Failed),
            }
        }
    }

    /// Hosts that have failed and been through an `always` go on behind it (`meta: clear_host_errors`).
    pub fn clear_errors(&mut self) {
        for host in 0..self.hosts.len() {
            let state = &mut self.hosts[host];
            state.counts_as_failed = false;
            state.cursor.clear_errors();
            state.place.clear_errors();
            self.moved(host);
            self.wake(host);
        }
    }

    /// Whether all hosts of the batch are out. As in Ansible one that counts as failed and as lost counts twice.
    pub fn all_are_out(&self) -> bool {
        let failed = self.hosts.iter().filter(|host| host.counts_as_failed || host.state == State::Failed).count();
        let lost = self.hosts.iter().filter(|host| host.state == State::Lost).count();
        failed + lost == self.batch
    }

    /// Whether more hosts have failed than `max_fail_percentage` allows: as in Ansible the run ends with the play.
    pub fn is_broken(&self) -> bool {
        self.broken
    }
}
