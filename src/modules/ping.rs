use crate::args;
use crate::change::Change;
use crate::failure::Failure;
use crate::map;
use crate::module::{Effects, Given, Module, ModuleSpec};
use crate::system::{Output, System};

args! {
    /// Answers `pong`: the host is reached and the agent runs.
    pub struct Args {
        /// What to answer instead of `pong`. `crash` fails the step.
        data: String = "pong";
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "ping");

impl Module for Args {
    fn plan(&self, _: &dyn System, _: &[Output]) -> Result<Change, Failure> {
        match self.data.as_str() {
            "crash" => Err(Failure::new("boom")),
            data => Ok(Change::none(map! { "ping" => data })),
        }
    }

    fn effects(_: &Given) -> Effects {
        Effects::looks()
    }
}
