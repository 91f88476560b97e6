//! Who watches over a call while it is carried out.

use crate::change::Action;
use crate::system::Stream;

/// Who watches over a call while it is carried out.
pub trait Watch {
    /// There is something to do: may it be done? Blocks until it may.
    fn ask(&mut self) -> Leave {
        Leave::Now
    }

    /// A program prints something.
    fn live(&mut self, stream: Stream, bytes: &[u8]) {
        let _ = (stream, bytes);
    }

    /// Why no further action may begin, if so.
    fn stopped(&self) -> Option<&'static str> {
        None
    }

    /// An action is about to be carried out.
    fn about_to(&mut self, action: &Action) {
        let _ = action;
    }
}

/// The answer to [`Watch::ask`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// Go ahead.
    Now,
    /// Go ahead, but others may have changed the machine meanwhile: look again first.
    AfterAWait,
    /// The step was cancelled: forget it.
    Never,
}

/// Nobody watches.
pub struct Unwatched;

impl Watch for Unwatched {}
