use crate::args;
use crate::module::ModuleSpec;

args! {
    /// Sets variables of the host, by name: `set_fact: {port: 80}`.
    ///
    /// They last to the end of the run and win over the variables of the inventory, plays and roles.
    pub struct Args {
        /// Also make them facts, which have the precedence of gathered ones and appear in `ansible_facts`.
        cacheable: bool = false;
        .. facts;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::controller::<Args>("ansible.builtin", "set_fact");
