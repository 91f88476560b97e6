use crate::args;
use crate::module::ModuleSpec;
use crate::value::Value;

args! {
    /// Prints a message or a variable.
    ///
    /// Changes nothing and touches no host.
    pub struct Args {
        /// What to print: text, or any value.
        msg: Option<Value>;
        /// An expression to print, without braces. Excludes `msg`.
        var: Option<Value>, elsewhere("read before the others are rendered");
        /// Print only from this many `-v` on.
        verbosity: i64 = 0, elsewhere("read before the others are rendered");
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::controller::<Args>("ansible.builtin", "debug");
