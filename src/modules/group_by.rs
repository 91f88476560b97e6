use crate::args;
use crate::module::{Effects, ModuleSpec, Things};

args! {
    /// Puts each host into a group that is named after something known of it.
    pub struct Args {
        /// The name of the group, usually with variables: `os_{{ ansible_distribution }}`. Spaces become dashes.
        key: String;
        /// The groups that it lies in; `all` when left out.
        parents: Vec<String>;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec {
    effects: |_| Effects::none().writing(Things::INVENTORY),
    ..ModuleSpec::controller::<Args>("ansible.builtin", "group_by")
};
