//! The step at which a host stands is brought under way.

use std::sync::Arc;

use super::Batch;
use crate::module::Place;
use crate::protocol::{Mode, Position};
use crate::runner::prepare::NotYet;
use crate::runner::scheduler::Running;
use crate::runner::task_run::{Ended, ItemRun, TaskRun};
use crate::steps::{Step, Work};

/// Whether a handler may yet be notified.
fn may_notify(running: &Running<TaskRun>) -> bool {
    !running.step.keywords.notify.is_empty()
}

impl Batch<'_> {
    /// Brings a step under way, or passes over it. False: something that it needs is not known yet.
    pub(super) fn dispatch(&mut self, host: usize, step: &Arc<Step>, position: &Position) -> bool {
        let state = &self.scheduler.hosts[host];
        let handler = state.cursor.handler_at(position);
        if handler.is_some() && state.running.iter().any(may_notify) {
            return false;
        }
        if handler.is_some_and(|handler| !state.notified.contains(&handler)) {
            self.scheduler.hosts[host].cursor.advance();
            return true;
        }
        let is_started = self.start(host, step, position);
        if let (true, Some(handler)) = (is_started, handler) {
            self.scheduler.hosts[host].notified.remove(&handler);
        }
        is_started
    }

    fn start(&mut self, host: usize, step: &Arc<Step>, position: &Position) -> bool {
        match &step.work {
            Work::Flush => self.flush(host),
            Work::RoleEnd => {
                let state = &mut self.scheduler.hosts[host];
                if let Some(run) = step.run
                    && state.roles.0.contains(&run.id)
                {
                    state.roles.1.insert(run.id);
                }
                state.cursor.advance();
                true
            }
            _ if step.run.is_some_and(|run| run.again && self.scheduler.hosts[host].roles.1.contains(&run.id)) => {
                self.scheduler.hosts[host].cursor.advance();
                true
            }
            Work::IncludeTasks { .. } | Work::IncludeRole { .. } => {
                // What it brings differs between hosts, so they settle it together.
                if self.scheduler.in_step() && !self.scheduler.is_turn(host, position) {
                    return false;
                }
                self.call_once(host, step, position, Self::include)
            }
            Work::Gather => match &self.play.gather {
                Some(gather) => self.call(host, &gather.clone(), position),
                None => {
                    self.scheduler.hosts[host].cursor.advance();
                    true
                }
            },
            Work::Call { spec, .. } => match spec.place {
                Place::Course => self.meta(host, step, position),
                Place::Controller | Place::Target => self.call(host, step, position),
            },
        }
    }

    /// Runs notified handlers, if there are any.
    pub fn flush(&mut self, host: usize) -> bool {
        let play = self.play;
        let state = &mut self.scheduler.hosts[host];
        if !state.notified.is_empty() {
            if !state.running.is_empty() {
                return false;
            }
            state.cursor.handlers(play.handler_items());
            return true;
        }
        if state.running.iter().any(may_notify) {
            return false;
        }
        state.cursor.advance();
        true
    }

    /// Brings a module call under way.
    fn call(&mut self, host: usize, step: &Arc<Step>, position: &Position) -> bool {
        self.call_once(host, step, position, |batch, host, step, position, once| {
            match batch.prepared(host, step, position, once) {
                Ok(running) => {
                    batch.note_role(host, &running);
                    batch.scheduler.hosts[host].cursor.advance();
                    batch.launch(host, running);
                    true
                }
                Err(NotYet) => false,
            }
        })
    }

    /// Brings a step under way, by the first host alone where it is done once for all.
    fn call_once(
        &mut self,
        host: usize,
        step: &Arc<Step>,
        position: &Position,
        start: impl FnOnce(&mut Self, usize, &Arc<Step>, &Position, bool) -> bool,
    ) -> bool {
        let Ok(once) = self.is_once(host, step, position) else { return false };
        if once && !self.scheduler.is_turn(host, position) {
            return false;
        }
        if once
            && self.scheduler.in_step()
            && let Some(taken_over) = self.leave_to_first(host, position)
        {
            return taken_over;
        }
        start(self, host, step, position, once)
    }

    /// A step, prepared for a host. `once`: it does it for all.
    fn prepared(
        &mut self,
        host: usize,
        step: &Arc<Step>,
        position: &Position,
        once: bool,
    ) -> Result<Running<TaskRun>, NotYet> {
        let planning = self.run.options.mode == Mode::Plan;
        let prepared = self.prepare(host, step, position)?;
        let mut running = self.task_run(host, step, position, prepared)?;
        let bad = |ended: &Ended| matches!(ended, Ended::Wrong(_) | Ended::Failed(_) | Ended::Lost(_));
        let mut endings = running.trouble.iter().chain(running.items.iter().filter_map(|item| item.ended.as_ref()));
        let fails = endings.any(bad);
        let keywords = &step.keywords;
        let judged = !keywords.failed_when.is_empty() || !keywords.until.is_empty();
        running.fence = judged || once || running.one_by_one || (fails && !planning);
        running.is_once = once;
        // As in Ansible: what a module does once for all by its nature is the first host's own.
        running.is_shared = once && step.keywords.run_once.is_some();
        Ok(running)
    }

    /// Notes that a step of a role was not skipped.
    fn note_role(&mut self, host: usize, running: &Running<TaskRun>) {
        let is_skipped = |item: &ItemRun| matches!(item.ended, Some(Ended::Skipped(_)));
        if let Some(run) = running.step.run
            && !running.items.iter().all(is_skipped)
        {
            self.scheduler.hosts[host].roles.0.insert(run.id);
        }
    }

    /// Leaves a step that is done once for all hosts to the first one that stands there: `Some` if this host has taken
    /// over its result (true) or has to wait for it (false), `None` if it is the one to do it.
    fn leave_to_first(&mut self, host: usize, position: &Position) -> Option<bool> {
        if self.once.contains(position) {
            self.scheduler.took_over(host);
            return Some(true);
        }
        (!self.scheduler.is_first_at(host, position)).then_some(false)
    }

    /// Sends a step's calls (the first one only, if they go one by one) and queues it.
    pub fn launch(&mut self, host: usize, mut running: Running<TaskRun>) {
        let is_open = |item: &ItemRun| item.call.is_some() || item.wait.is_some();
        let calls: Vec<usize> = (0..running.items.len()).filter(|index| is_open(&running.items[*index])).collect();
        running.done = calls.is_empty();
        if !calls.is_empty() {
            running.pending = calls.into();
            self.send(host, &mut running);
        }
        running.ready = running.is_complete();
        self.scheduler.launch(host, running);
    }
}
