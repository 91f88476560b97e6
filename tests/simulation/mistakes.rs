//! Mistakes that are planted one at a time, so that it is seen that the simulation finds them.
//!
//! Those of the frames are made by the agent or on the way; those of the rules by the model, which is the same to a
//! comparison as if the runner had made them. `cargo test --test simulation mistakes -- --ignored --nocapture` lists them
//! with the first seed that finds each.

use std::cell::Cell;

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// A step acts before the watermark has reached it.
    GrantTooEarly,
    /// An answer is lost on its way, and nobody hears of it.
    DroppedAnswer,
    /// An outcome comes behind the end of its step.
    AnswersOutOfOrder,
    /// What is queued behind a failed step is carried out.
    QueueNotDropped,
    /// Steps that were taken back are carried out.
    CancelIgnored,
    /// A step is carried out twice.
    DoneTwice,
    /// A notified handler is forgotten.
    HandlerLost,
    /// Handlers run in the order in which they were notified last.
    HandlersBackwards,
    /// `rescue` is left out.
    RescueForgotten,
    /// `always` is left out for a host that failed.
    AlwaysForgotten,
    /// The second batch of `serial` comes first.
    SerialOrder,
    /// A failure with `run_once` is not copied to the other hosts.
    OnceNotCopied,
    /// The result of `run_once` is not registered for the other hosts.
    OnceNotShared,
    /// A condition sees facts as they were when the play began.
    ReadTooEarly,
    /// `ignore_errors` is overlooked.
    IgnoreOverlooked,
}

/// All of them.
pub const ALL: [Mistake; 15] = [
    Mistake::GrantTooEarly,
    Mistake::DroppedAnswer,
    Mistake::AnswersOutOfOrder,
    Mistake::QueueNotDropped,
    Mistake::CancelIgnored,
    Mistake::DoneTwice,
    Mistake::HandlerLost,
    Mistake::HandlersBackwards,
    Mistake::RescueForgotten,
    Mistake::AlwaysForgotten,
    Mistake::SerialOrder,
    Mistake::OnceNotCopied,
    Mistake::OnceNotShared,
    Mistake::ReadTooEarly,
    Mistake::IgnoreOverlooked,
];

thread_local! {
    static PLANTED: Cell<Option<Mistake>> = const { Cell::new(None) };
}

/// Whether this mistake is planted.
pub fn planted(mistake: Mistake) -> bool {
    PLANTED.get() == Some(mistake)
}

/// Plants a mistake for this thread.
pub fn plant(mistake: Option<Mistake>) {
    PLANTED.set(mistake);
}
