//! What agents say is taken in.

use super::Batch;
use crate::event::Event;
use crate::protocol::{FromAgent, Position};
use crate::runner::Tick;
use crate::runner::scheduler::{Input, RunningId};
use crate::runner::task_run::Ended;
use crate::transport::{Incoming, SessionId};

impl Batch<'_> {
    /// Takes in a message.
    pub(super) fn receive(&mut self, session: SessionId, incoming: Incoming) {
        let message = match incoming {
            Incoming::Message(message) => message,
            Incoming::Gone(why) => return self.lost(session, why),
        };
        match message {
            FromAgent::Hello(hello) => {
                self.run.greet(session, hello);
                self.count_hellos();
            }
            FromAgent::Outcome { position, lane, index, outcome } => {
                if let Some(id) = self.id_of(session, lane, position) {
                    self.answer(id, index as usize, Ended::Outcome(outcome));
                    self.scheduler.tell(Input::Answer(id));
                }
            }
            FromAgent::NoIdentity { position, lane, why } => {
                if let Some(running) = self.id_of(session, lane, position).and_then(|id| self.scheduler.get_mut(id)) {
                    let failure = crate::failure::Failure::new(why);
                    running.answer_rest(&Ended::Failed(Box::new(failure)));
                }
            }
            FromAgent::Done { position, lane, dropped } => {
                let Some(id) = self.id_of(session, lane, position) else { return };
                if dropped {
                    self.scheduler.tell(Input::Dropped(id));
                }
                self.finished(id);
            }
            FromAgent::Waiting { position, lane } => {
                if let Some(id) = self.id_of(session, lane, position) {
                    self.scheduler.tell(Input::Waiting(id));
                }
            }
            FromAgent::Live { position, lane, stream, data } => {
                let Some(id) = self.id_of(session, lane, position) else { return };
                let Some((host, _)) = self.scheduler.find(id) else { return };
                if self.scheduler.get_mut(id).is_some_and(|running| !running.no_log) {
                    let host = self.scheduler.hosts[host].name.clone();
                    let text = self.run.mask(&String::from_utf8_lossy(&data));
                    self.run.emit(Event::Live { host, stream, text });
                }
            }
            FromAgent::Want { .. } | FromAgent::Pong(_) => {}
        }
    }

    /// Which step an answer is for.
    fn id_of(&self, session: SessionId, lane: u32, position: Position) -> Option<RunningId> {
        self.sent.get(&(session, lane, position)).copied()
    }

    fn answer(&mut self, id: RunningId, index: usize, ended: Ended) {
        if let Some(running) = self.scheduler.get_mut(id) {
            running.answer(index, ended);
        }
    }

    /// An agent has finished a step, or one item of it.
    fn finished(&mut self, id: RunningId) {
        let Some(running) = self.scheduler.get_mut(id) else { return };
        if !running.one_by_one {
            let in_parts = running.in_parts();
            if in_parts.is_empty() {
                running.done = true;
                return self.check_ready(id);
            }
            // Large files go on, part by part.
            (running.pending, running.one_by_one) = (in_parts.into(), true);
        }
        self.next_item(id);
        self.check_ready(id);
    }

    /// Tells the scheduler when all is there to conclude a step.
    pub fn check_ready(&mut self, id: RunningId) {
        if self.scheduler.get_mut(id).is_some_and(|running| running.is_complete()) {
            self.scheduler.tell(Input::Ready(id));
        }
    }

    /// A session has ended: what it still owed is lost.
    fn lost(&mut self, session: SessionId, why: String) {
        self.run.sessions[session].gone = Some(why.clone());
        let all = self.scheduler.hosts.iter_mut().flat_map(|host| &mut host.running);
        for running in all.filter(|running| running.session == Some(session)) {
            running.answer_rest(&Ended::Lost(why.clone()));
            running.done = true;
            running.pending.clear();
        }
        self.scheduler.tell(Input::Lost(session));
        self.count_hellos();
    }

    pub(super) fn tick(&mut self, tick: Tick) {
        match tick.result {
            Some(mut ended) => {
                if tick.timed {
                    ended.note_moment("stop");
                }
                self.answer(tick.id, 0, ended);
                self.finished(tick.id);
            }
            None => self.resend(tick.id),
        }
    }
}
