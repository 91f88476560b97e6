use crate::args;
use crate::module::ModuleSpec;
use crate::value::Map;

args! {
    /// Runs a role as a task, loaded while the play runs.
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
        /// Keywords for each task of the role, such as `tags` and `become`.
        apply: Option<Map>;
        /// The role's variables and defaults are seen by the tasks that follow.
        public: bool = false;
        /// Run the role although it ran with the same parameters before.
        allow_duplicates: bool = true;
        /// Check the parameters against the role's `meta/argument_specs.yml`.
        rolespec_validate: bool = true;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::controller::<Args>("ansible.builtin", "include_role");
