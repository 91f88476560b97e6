//! What a module is: an argument struct, one function that plans, and a line in the registry.
//!
//! The struct is declared with [`args!`](crate::args): its doc comments are the manual, its types are the schema, and
//! static check, documentation, wire format and error positions all derive from it.

mod args;
mod param;
mod source;
mod spec;
mod types;

use serde::{Deserialize, Serialize};

pub use self::args::{Arguments, bare, given, no_such_choice, others, refuse_unknown};
pub use self::param::{Kind, Param};
pub use self::source::{Origin, Rendered, Source, TreeEntry, TreeKind};
pub use self::spec::{Build, ModuleSpec, Place};
pub use self::types::{Arg, read_bool};
use crate::change::Change;
pub use crate::change::Mode;
use crate::failure::Failure;
use crate::system::{Output, System};
use crate::value::Map;
/// How far what a call looks at and changes may reach, see `ARCHITECTURE.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Only this host: the call may be looked at before other hosts have come this far.
    Host,
    /// It looks only at this host, but what it then does may reach others (`command` with `creates`). With several hosts
    /// in lock-step it counts as `Outside`: only the host knows whether there is anything to do.
    Guarded,
    /// Perhaps something that other hosts see too.
    Outside,
}

/// A module with its arguments.
pub trait Module {
    /// What must be done so that the host is as the arguments say. `done` holds one output for each action performed so
    /// far (an empty one where the action was no program): empty on the first call; longer after each
    /// [`Change::again`]. The last call, which has no actions (or whose
    /// change does not ask for another), returns the values.
    ///
    /// Only asks: everything that changes the machine is in the returned [`Change`].
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure>;

    /// What the types cannot say: arguments that exclude or need each other.
    fn check(&self) -> Result<(), ArgError> {
        Ok(())
    }

    /// Whether the call touches nothing but its host. Claim `Host` with a test.
    fn reach(&self) -> Reach {
        Reach::Outside
    }
}

/// Arguments that do not fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArgError {
    /// The argument, where the problem is about one.
    pub argument: Option<String>,
    /// What is wrong.
    pub message: String,
}

impl ArgError {
    /// A problem with one argument.
    pub fn new(argument: &str, message: impl Into<String>) -> Self {
        ArgError { argument: Some(argument.to_owned()), message: message.into() }
    }

    /// A problem with the arguments as a whole.
    pub fn whole(message: impl Into<String>) -> Self {
        ArgError { argument: None, message: message.into() }
    }
}

impl From<ArgError> for Failure {
    fn from(error: ArgError) -> Self {
        Failure { message: error.message, argument: error.argument, values: Map::new() }
    }
}
