use crate::args;
use crate::module::ModuleSpec;
use crate::value::Value;

args! {
    /// Fails unless expressions are true.
    pub struct Args {
        /// The expressions, written as in `when`: one, or a list.
        that: Value;
        /// What to say when one is false: text or a list of texts.
        fail_msg: Option<Value>, alias("msg");
        /// What to say when all are true: text or a list of texts.
        success_msg: Option<Value>;
        /// Leave the single assertions out of the result.
        quiet: bool = false;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::controller::<Args>("ansible.builtin", "assert");
