//! What all threads of an agent share.

use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::contents::Contents;
use super::hold::Hold;
use super::lanes::{Grant, Lanes};
use super::routes::Routes;
use crate::change::perform::Leave;
use crate::protocol::{FromAgent, Mode, Position};
use crate::system::local::Local;
use crate::system::predicted::Predicted;
use crate::system::process::Running;

/// What all threads of an agent share.
pub struct Hub {
    pub lanes: Mutex<Lanes>,
    /// Something about the lanes has changed.
    pub moved: Condvar,
    pub answers: SyncSender<FromAgent>,
    pub mode: Mode,
    pub running: Arc<Running>,
    pub contents: Arc<Contents>,
    pub routes: Arc<Routes>,
    pub local: Local,
    /// In plan mode: the one machine on which all planned actions have happened.
    pub predicted: Option<Mutex<Predicted<Local>>>,
    pub hold: Hold,
}

impl Hub {
    /// The lanes, for as long as nobody else is to see them.
    pub fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something about the lanes has changed.
    pub fn wait<'a>(&self, lanes: MutexGuard<'a, Lanes>) -> MutexGuard<'a, Lanes> {
        self.moved.wait(lanes).unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues an answer to the controller.
    pub fn answer(&self, message: FromAgent) {
        send(&self.answers, message);
    }

    /// Whether a lane's step may change things; waits until it may. The controller is told once that it waits.
    pub fn ask(&self, lane: u32, position: &Position) -> Leave {
        let mut waited = false;
        let mut lanes = self.lock();
        loop {
            match lanes.ask(lane) {
                Grant::Go if waited => return Leave::AfterAWait,
                Grant::Go => return Leave::Now,
                Grant::Never => return Leave::Never,
                Grant::Wait => {}
            }
            if !std::mem::replace(&mut waited, true) {
                // Others may go first now; and while the lock is open, leave may already have come.
                drop(lanes);
                self.moved.notify_all();
                self.answer(FromAgent::Waiting { position: position.clone(), lane });
                lanes = self.lock();
                continue;
            }
            lanes = self.wait(lanes);
        }
    }

    /// The stream has ended: what runs is ended, nothing else begins.
    pub fn stop(&self) {
        self.lock().ended = true;
        self.running.stop();
        self.contents.end();
        self.moved.notify_all();
    }

    /// Waits for what must not be ended half-way.
    pub fn drain(&self) {
        let mut patience = 60;
        let mut lanes = self.lock();
        while lanes.are_served() && patience > 0 {
            // A thread that hangs in the kernel (a dead network mount) is left behind.
            let waited = self.moved.wait_timeout(lanes, Duration::from_millis(500));
            lanes = waited.unwrap_or_else(PoisonError::into_inner).0;
            // The controller still waits for the end.
            drop(self.answers.try_send(FromAgent::Pong(0)));
            if !self.running.drains() {
                patience -= 1;
            }
        }
    }
}

/// Queues an answer to the controller.
pub fn send(answers: &SyncSender<FromAgent>, message: FromAgent) {
    // When the writer has ended nobody listens any more, and the reader is about to notice.
    let _ = answers.send(message);
}
