use std::path::PathBuf;

use crate::module::{Effects, ModuleSpec, Things};
use crate::{args, choices};

choices! {
    /// What becomes of dictionaries that exist already.
    pub enum HashBehaviour {
        /// The new one takes their place.
        Replace = "replace",
        /// They are merged, key by key.
        Merge = "merge",
    }
}

args! {
    /// Reads variables from files of the controller, while the play runs.
    pub struct Args {
        /// A file. A relative one is looked for in the role's `vars/`, then beside the tasks and the playbook.
        file: Option<PathBuf>;
        /// A directory, whose files are all read, in alphabetical order. Excludes `file`.
        dir: Option<PathBuf>;
        /// Put the variables into a dictionary of this name, instead of setting each.
        name: Option<String>;
        /// With `dir`: how many levels to go down; 0 for all.
        depth: i64 = 0;
        /// With `dir`: read only files whose name this regular expression matches.
        files_matching: Option<String>;
        /// With `dir`: leave out files of these names (regular expressions).
        ignore_files: Vec<String>;
        /// With `dir`: the extensions of files to read; `json`, `yaml` and `yml` when left out.
        extensions: Vec<String>;
        /// With `dir`: pass over files with other extensions, instead of failing.
        ignore_unknown_extensions: bool = false;
        /// What becomes of dictionaries that exist already; by default they are replaced.
        hash_behaviour: Option<HashBehaviour>;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec {
    free_form: Some("file"),
    effects: |given| match given.text("name") {
        Some(name) => Effects::none().setting([name]).reading(Things::FILES),
        None => Effects::none().setting_any().reading(Things::FILES),
    },
    ..ModuleSpec::controller::<Args>("ansible.builtin", "include_vars")
};
