use crate::args;
use crate::module::ModuleSpec;
use crate::value::Value;

args! {
    /// Fails unless expressions are true.
    pub struct Args {
        /// The expressions, written as in `when`: one, or a list.
        that: Value, elsewhere("evaluated one by one by the runner");
        /// What to say when one is false: text or a list of texts.
        fail_msg: Option<Value>, alias("msg");
        /// What to say when all are true: text or a list of texts.
        success_msg: Option<Value>;
        /// Say nothing where all are true, which is so in any case.
        quiet: bool = false, elsewhere("assertions that hold say nothing anyway");
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::controller::<Args>("ansible.builtin", "assert");
