use crate::args;
use crate::module::ModuleSpec;

args! {
    /// Runs a role as a task, loaded before the run.
    ///
    /// Keywords such as `when` and `tags` are passed on to each task of the role.
    pub struct Args, elsewhere("part of the language: read where plays are expanded") {
        /// The role.
        name: String, alias("role");
        /// A file in the role's `tasks/` instead of `main`.
        tasks_from: String = "main";
        /// A file in the role's `vars/` instead of `main`.
        vars_from: String = "main";
        /// A file in the role's `defaults/` instead of `main`.
        defaults_from: String = "main";
        /// A file in the role's `handlers/` instead of `main`.
        handlers_from: String = "main";
        /// The role's variables and defaults are seen by the whole play.
        public: bool = true;
        /// Run the role although it ran with the same parameters before.
        allow_duplicates: bool = true;
        /// Check the parameters against the role's `meta/argument_specs.yml`.
        rolespec_validate: bool = true;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::controller::<Args>("ansible.builtin", "import_role");
