//! Who asked the controller for contents, so that what arrives gets there.

use std::collections::{HashMap, VecDeque};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::protocol::FromAgent;

type Hash = [u8; 32];

/// Somebody who asks for contents: this process, or a child.
pub trait Asker: Send + Sync {
    /// A piece has arrived.
    fn deliver(&self, hash: Hash, data: Vec<u8>);
    /// A content cannot be had.
    fn refuse(&self, hash: Hash, why: String);
}

/// For whom the pieces that arrive are. Those of one content arrive in the order in which they were asked for.
#[derive(Default)]
pub struct Routes(Mutex<HashMap<Hash, Askers>>);

/// Who asked for parts of one content, and how many bytes each is still to get.
type Askers = VecDeque<(Weak<dyn Asker>, u64)>;

impl Routes {
    /// Asks the controller for a part of a content.
    pub fn want(&self, answers: &SyncSender<FromAgent>, asker: Weak<dyn Asker>, hash: Hash, offset: u64, length: u64) {
        // The controller must hear of them in the order in which they are noted here.
        let mut routes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        routes.entry(hash).or_default().push_back((asker, length));
        // When the writer has ended nobody listens any more.
        let _ = answers.send(FromAgent::Want { hash, offset, length });
    }

    /// Passes a piece on to whoever asked for it first.
    pub fn deliver(&self, hash: Hash, data: Vec<u8>) {
        if let Some(asker) = self.next(hash, data.len() as u64) {
            asker.deliver(hash, data);
        }
    }

    /// Passes on that a content cannot be had.
    pub fn refuse(&self, hash: Hash, why: String) {
        if let Some(asker) = self.next(hash, u64::MAX) {
            asker.refuse(hash, why);
        }
    }

    /// Who asked first, and now has so many bytes less to get. An asker that is gone misses nothing.
    fn next(&self, hash: Hash, length: u64) -> Option<Arc<dyn Asker>> {
        let mut routes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = routes.get_mut(&hash)?;
        let (asker, left) = queue.front_mut()?;
        let asker = asker.upgrade();
        *left = left.saturating_sub(length);
        if *left == 0 {
            queue.pop_front();
        }
        if queue.is_empty() {
            routes.remove(&hash);
        }
        asker
    }
}
