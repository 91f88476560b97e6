//! What agents say is taken in.

use super::Batch;
use crate::event::Event;
use crate::protocol::{FromAgent, Position, ToAgent};
use crate::runner::Tick;
use crate::runner::flight::{Ended, Flight};
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
                if self.run.all_answered() {
                    self.find_shared_machines();
                }
            }
            FromAgent::Outcome { position, lane, index, outcome } => {
                if let Some((host, flight)) = self.flight_at(session, lane, &position) {
                    let index = index as usize;
                    let walker = &mut self.walkers[host];
                    walker.flights[flight].answer(index, Ended::Outcome(outcome));
                    if walker.waiting.as_ref() == Some(&position) {
                        walker.waiting = None;
                    }
                }
            }
            FromAgent::NoIdentity { position, lane, why } => {
                if let Some((host, flight)) = self.flight_at(session, lane, &position) {
                    let failure = crate::failure::Failure::new(why);
                    self.walkers[host].flights[flight].answer_rest(&Ended::Failed(Box::new(failure)));
                }
            }
            FromAgent::Done { position, lane, dropped } => {
                let Some((host, flight)) = self.flight_at(session, lane, &position) else { return };
                if dropped {
                    self.run.sessions[session].send(ToAgent::Cancel { lane, from: position.clone() });
                    self.forget_behind(host, flight);
                }
                self.finished(host, flight);
            }
            FromAgent::Waiting { position, lane } => {
                if let Some((host, _)) = self.flight_at(session, lane, &position) {
                    self.walkers[host].waiting = Some(position);
                    self.working(host);
                }
            }
            FromAgent::Live { position, lane, stream, data } => {
                if let Some((host, flight)) = self.flight_at(session, lane, &position)
                    && !self.walkers[host].flights[flight].no_log
                {
                    let host = self.walkers[host].name.clone();
                    let text = self.run.mask(&String::from_utf8_lossy(&data));
                    self.run.emit(Event::Live { host, stream, text });
                }
            }
            FromAgent::Want { .. } | FromAgent::Pong(_) => {}
        }
    }

    /// Says that a host is at work, for the progress display.
    fn working(&mut self, host: usize) {
        let walker = &self.walkers[host];
        if let Some(flight) = walker.flights.front() {
            let event = Event::Working { host: walker.name.clone(), task: flight.info.clone() };
            self.run.emit(event);
        }
    }

    /// Whose step an answer is for.
    fn flight_at(&self, session: SessionId, lane: u32, position: &Position) -> Option<(usize, usize)> {
        self.walkers.iter().enumerate().find_map(|(host, walker)| {
            let matches = |flight: &Flight| {
                flight.session == Some(session) && flight.lane == lane && flight.position == *position
            };
            walker.flights.iter().position(matches).map(|flight| (host, flight))
        })
    }

    /// An agent has finished a step, or one item of it.
    fn finished(&mut self, host: usize, flight: usize) {
        let under_way = &mut self.walkers[host].flights[flight];
        if !under_way.one_by_one {
            let in_parts = under_way.in_parts();
            if in_parts.is_empty() {
                under_way.done = true;
                return;
            }
            // Large files go on, part by part.
            (under_way.pending, under_way.one_by_one) = (in_parts.into(), true);
        }
        self.next_item(host, flight);
    }

    /// The steps behind a failed one were dropped by the agent: they are sent again if the host goes on.
    fn forget_behind(&mut self, host: usize, flight: usize) {
        let walker = &mut self.walkers[host];
        if let Some(next) = walker.flights.get(flight + 1) {
            walker.cursor = next.resume.clone();
        }
        walker.flights.truncate(flight + 1);
        walker.flights[flight].fence = true;
    }

    /// A session has ended: what it still owed is lost.
    fn lost(&mut self, session: SessionId, why: String) {
        self.run.sessions[session].gone = Some(why.clone());
        for walker in &mut self.walkers {
            for flight in walker.flights.iter_mut().filter(|flight| flight.session == Some(session)) {
                flight.answer_rest(&Ended::Lost(why.clone()));
                flight.done = true;
                flight.fence = true;
                flight.pending.clear();
            }
        }
        if self.run.all_answered() {
            self.find_shared_machines();
        }
    }

    pub(super) fn tick(&mut self, tick: Tick) {
        let Some(host) = self.walkers.iter().position(|walker| walker.name == tick.host) else { return };
        let at = |flight: &Flight| flight.position == tick.position;
        let Some(flight) = self.walkers[host].flights.iter().position(at) else { return };
        match tick.result {
            Some(ended) => {
                self.walkers[host].flights[flight].answer(0, ended);
                self.finished(host, flight);
            }
            None => self.resend(host, flight),
        }
    }
}
