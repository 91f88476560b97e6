use crate::args;
use crate::module::{Effects, ModuleSpec};

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
pub static SPEC: ModuleSpec = ModuleSpec {
    effects: |given| match given.others().any(|name| name.contains("{{")) {
        true => Effects::none().setting_any(),
        false => Effects::none().returning(given.others()),
    },
    ..ModuleSpec::controller::<Args>("ansible.builtin", "set_fact")
};
