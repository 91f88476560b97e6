//! A fake agent: the real lanes and modules, with tasks of a simulated time instead of threads.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use tokio::sync::{Notify, mpsc};

use super::dice::Dice;
use super::machine::{Called, Machines};
use super::mistakes::{Mistake, planted};
use super::time::pass;
use crate::lanes::{Grant, Lanes, Next};
use wodctl::protocol::{Call, FromAgent, Hello, Outcome, Position, Step, ToAgent};
use wodctl::transport::Blobs;

/// An agent on a machine.
pub struct Agent {
    host: usize,
    machines: Rc<Machines>,
    blobs: Blobs,
    lanes: RefCell<Lanes>,
    moved: Notify,
    answers: mpsc::UnboundedSender<FromAgent>,
    dice: RefCell<Dice>,
    /// Work that has begun and not ended.
    pub busy: Cell<usize>,
}

impl Agent {
    /// An agent that sends its answers there.
    pub fn new(
        host: usize,
        machines: Rc<Machines>,
        blobs: Blobs,
        answers: mpsc::UnboundedSender<FromAgent>,
        dice: Dice,
    ) -> Rc<Self> {
        Rc::new(Agent {
            host,
            machines,
            blobs,
            lanes: RefCell::default(),
            moved: Notify::new(),
            answers,
            dice: RefCell::new(dice),
            busy: Cell::new(0),
        })
    }

    fn say(&self, message: FromAgent) {
        // Nobody listens any more when the connection is lost.
        let _ = self.answers.send(message);
    }

    async fn dawdle(&self) {
        let ticks = {
            let mut dice = self.dice.borrow_mut();
            let most = dice.pick(&[1, 1, 5, 50]);
            dice.roll(most)
        };
        pass(ticks).await;
    }

    /// Takes a frame in.
    pub fn hear(self: &Rc<Self>, message: ToAgent) {
        match message {
            ToAgent::Start { watermark, .. } => {
                self.lanes.borrow_mut().watermark = watermark;
                let boot = self.machines.behind(self.host);
                self.say(FromAgent::Hello(Hello {
                    boot_id: format!("boot-{boot}"),
                    mount_namespace: String::new(),
                    user: "root".into(),
                    home: "/root".into(),
                    uid: 0,
                }));
            }
            ToAgent::Watermark(watermark) => self.lanes.borrow_mut().watermark = watermark,
            ToAgent::Step(step) => {
                let lane = step.lane;
                if self.lanes.borrow_mut().push(step) {
                    tokio::task::spawn_local(self.clone().serve(lane));
                }
            }
            ToAgent::Cancel { lane, .. } if planted(Mistake::CancelIgnored) => {
                self.lanes.borrow_mut().cancel(lane, &Position::end());
            }
            ToAgent::Cancel { lane, from } => self.lanes.borrow_mut().cancel(lane, &from),
            ToAgent::Piece { .. } | ToAgent::NoContent { .. } | ToAgent::Lock { .. } => {}
            ToAgent::Ping(number) => self.say(FromAgent::Pong(number)),
        }
        self.moved.notify_waiters();
    }

    /// The stream has ended: nothing else begins.
    pub fn end(&self) {
        self.lanes.borrow_mut().ended = true;
        self.moved.notify_waiters();
    }

    /// Works on one lane, as the real agent's thread does.
    async fn serve(self: Rc<Self>, lane: u32) {
        loop {
            let step = loop {
                let next = self.lanes.borrow_mut().next(lane);
                match next {
                    Next::Begin(step) => break step,
                    Next::Wait => self.moved.notified().await,
                    Next::Leave => {
                        self.moved.notify_waiters();
                        return;
                    }
                }
            };
            let failed = self.step(&step).await;
            let dropped = failed && !step.go_on && !planted(Mistake::QueueNotDropped);
            let cancelled = self.lanes.borrow().is_cancelled(lane);
            self.lanes.borrow_mut().finish(lane, dropped && !cancelled);
            if !cancelled {
                self.say(FromAgent::Done { position: step.position, lane, dropped });
            }
            self.moved.notify_waiters();
        }
    }

    async fn step(&self, step: &Step) -> bool {
        let mut failed = false;
        for (index, call) in (0..).zip(&step.calls) {
            self.dawdle().await;
            let Some(outcome) = self.call(step, call).await else { return failed };
            failed |= outcome.failure.is_some();
            if self.lanes.borrow().is_cancelled(step.lane) {
                return failed;
            }
            if planted(Mistake::DoneTwice) {
                self.call(step, call).await;
            }
            self.say(FromAgent::Outcome { position: step.position.clone(), lane: step.lane, index, outcome });
        }
        failed
    }

    /// Carries out one call. `None`: it was taken back while it waited.
    async fn call(&self, step: &Step, call: &Call) -> Option<Box<Outcome>> {
        let mut told = false;
        loop {
            let early = planted(Mistake::GrantTooEarly);
            let mut ask = || early || self.lanes.borrow_mut().ask(step.lane) == Grant::Go;
            match self.machines.call(self.host, call, &self.blobs, &mut ask) {
                Called::Ended(outcome) => return Some(outcome),
                Called::Waits => {}
            }
            if !std::mem::replace(&mut told, true) {
                self.moved.notify_waiters();
                self.say(FromAgent::Waiting { position: step.position.clone(), lane: step.lane });
            }
            loop {
                let grant = self.lanes.borrow_mut().ask(step.lane);
                match grant {
                    Grant::Go => break,
                    Grant::Never => return None,
                    Grant::Wait => self.moved.notified().await,
                }
            }
            // The work itself takes its time; the connection may end meanwhile.
            self.busy.set(self.busy.get() + 1);
            self.dawdle().await;
            self.busy.set(self.busy.get() - 1);
        }
    }
}
