use crate::args;
use crate::module::{Effects, ModuleSpec, Things};

args! {
    /// Adds a host, and groups, to the inventory of this run.
    ///
    /// All other arguments become variables of the host.
    pub struct Args {
        /// The host; a port may follow behind a colon.
        name: String, alias("host", "hostname");
        /// Groups that it joins; they are made where they do not exist.
        groups: Vec<String>, alias("group", "groupname");
        .. vars;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec {
    effects: |_| Effects::none().writing(Things::INVENTORY),
    once: true,
    ..ModuleSpec::controller::<Args>("ansible.builtin", "add_host")
};
