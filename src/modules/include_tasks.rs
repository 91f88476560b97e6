use crate::args;
use crate::module::ModuleSpec;
use crate::value::Map;

args! {
    /// Includes a file of tasks while the play runs.
    ///
    /// `when`, `loop` and the other keywords are about the inclusion itself; `apply` gives keywords to the included
    /// tasks.
    pub struct Args, elsewhere("part of the language: read where plays are expanded") {
        /// The file, looked for beside the including one, then in the role's `tasks/`.
        file: String;
        /// Keywords for each included task, such as `tags` and `become`.
        apply: Option<Map>;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec =
    ModuleSpec { free_form: Some("file"), ..ModuleSpec::controller::<Args>("ansible.builtin", "include_tasks") };
