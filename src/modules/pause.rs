use crate::args;
use crate::module::{Effects, ModuleSpec, Things};

args! {
    /// Waits: for a time, or until the operator presses Enter.
    ///
    /// Without `seconds` and `minutes` it asks the operator, and returns what was typed as `user_input`. Once for all
    /// hosts of the play.
    pub struct Args {
        /// How many minutes. Excludes `seconds`.
        minutes: Option<f64>;
        /// How many seconds.
        seconds: Option<f64>;
        /// What to say meanwhile.
        prompt: Option<String>;
        /// Show what is typed.
        echo: bool = true;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec {
    effects: |_| Effects::none().writing(Things::COURSE),
    once: true,
    ..ModuleSpec::controller::<Args>("ansible.builtin", "pause")
};
