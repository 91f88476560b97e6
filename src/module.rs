//! What a module is: an argument struct, one function that plans, and a line in the registry.
//!
//! The struct is declared with [`args!`](crate::args): its doc comments are the manual, its types are the schema, and
//! static check, documentation, wire format and error positions all derive from it.

mod args;
mod effects;
mod param;
mod source;
mod spec;
mod types;

use serde::{Deserialize, Serialize};

pub use self::args::{Arguments, bare, given, no_such_choice, others, refuse_unknown};
pub use self::effects::{Effects, Given, Names, Things};
pub use self::param::{Kind, Param};
pub use self::source::{Origin, Rendered, Source, TreeEntry, TreeKind};
pub use self::spec::{Build, ModuleSpec, Place};
pub use self::types::{Arg, read_bool};
use crate::change::Change;
pub use crate::change::Mode;
use crate::failure::Failure;
use crate::system::{Output, System};
use crate::value::Map;

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

    /// What a call reads while it is planned, and what it may write beside the result that it returns: by default its host
    /// and anything beyond. Claim less with a test or a reason.
    fn effects(given: &Given) -> Effects
    where
        Self: Sized,
    {
        let _ = given;
        Effects::world()
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
