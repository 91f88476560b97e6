use crate::args;
use crate::module::ModuleSpec;

args! {
    /// Imports the plays of another playbook, at the top level of a playbook.
    pub struct Args, elsewhere("part of the language: read where plays are expanded") {
        /// The file, relative to the importing one.
        file: String;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec =
    ModuleSpec { free_form: Some("file"), ..ModuleSpec::controller::<Args>("ansible.builtin", "import_playbook") };
