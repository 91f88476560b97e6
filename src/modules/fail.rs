use crate::args;
use crate::module::ModuleSpec;

args! {
    /// Fails, with a message.
    pub struct Args {
        /// Why.
        msg: String = "Failed as requested from task";
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::controller::<Args>("ansible.builtin", "fail");
