use crate::args;
use crate::module::ModuleSpec;
use crate::value::Value;

args! {
    /// Fails, with a message.
    pub struct Args {
        /// Why.
        msg: Value = "Failed as requested from task";
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::controller::<Args>("ansible.builtin", "fail");
