use crate::args;
use crate::module::ModuleSpec;

args! {
    /// Imports a file of tasks before the run, as if they stood here.
    ///
    /// Keywords such as `when` and `tags` are passed on to each imported task.
    pub struct Args, elsewhere("part of the language: read where plays are expanded") {
        /// The file, looked for beside the importing one, then in the role's `tasks/`.
        file: String;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec =
    ModuleSpec { free_form: Some("file"), ..ModuleSpec::controller::<Args>("ansible.builtin", "import_tasks") };
