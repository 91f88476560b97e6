//! Jinja2 as Ansible uses it: what a text with `{{ }}` becomes, for one host and one task.

mod arguments;
mod asks;
mod blank;
mod condition;
mod containers;
mod convert;
mod data;
mod decimals;
mod engine;
mod environment;
mod eval;
pub mod filters;
mod functions;
mod header;
mod hosts;
mod inspect;
mod lazy;
mod literals;
mod looking;
pub mod lookups;
mod memo;
mod methods;
mod moment;
mod native;
mod network;
mod percent;
pub mod predicates;
mod python;
mod report;
mod run;
mod syntax;
mod templar;
mod twister;
mod unit;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use asks::{Asks, Needs};
pub use inspect::{Inspection, Use};
pub use memo::Memo;
pub(crate) use report::unknown as unknown_name;
pub use templar::{Reading, Templar, TemplateOptions, folder_of_loop, is_omit, is_template};
pub use twister::unguessable;

use crate::diagnostic::Diagnostic;
use crate::value::Value;
use crate::yaml::Node;

/// What a name stands for.
#[derive(Clone, Debug)]
pub enum Binding {
    /// YAML that may hold templates; rendered when it is used, in the scope of its user (lazy, as in Ansible).
    Template(Arc<Node>),
    /// Data: facts, results, rendered values. Never a template. Unknown parts end a rendering that touches them.
    Data(Arc<Value>),
    /// A step that was sent and not judged yet will settle it. A rendering that touches it ends with
    /// [`RenderError::Pending`].
    Pending,
    /// `hostvars`: each entry is another host's scope.
    HostVars(Arc<dyn HostVars>),
}

/// The variables of the other hosts.
pub trait HostVars: std::fmt::Debug + Send + Sync {
    /// All hosts of the inventory.
    fn hosts(&self) -> Vec<String>;
    /// The variables of one.
    fn scope(&self, host: &str) -> Option<Arc<dyn Scope>>;
}

/// The names that a template can see.
pub trait Scope: std::fmt::Debug + Send + Sync {
    /// What a name stands for; `None` if it is undefined.
    fn lookup(&self, name: &str) -> Option<Binding>;
    /// All names, for `vars` and the `varnames` lookup.
    fn names(&self) -> Vec<String>;
    /// Where relative files are looked for.
    fn files(&self) -> &SearchPath;
}

/// Where lookups, templates and copied files are looked for on the controller.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchPath {
    /// The folder of the role that the task belongs to, then those of the roles that brought it in.
    pub roles: Vec<PathBuf>,
    /// The folder of the file that the task stands in.
    pub task: PathBuf,
    /// The folder of the playbook.
    pub playbook: PathBuf,
}

impl SearchPath {
    /// The candidates for `name`, best first: `roles/x/files/name`, `roles/x/name`, the same beside the task and the
    /// playbook. `kind` is `files`, `templates`, `vars` or `tasks`; a name that begins with it does not need it twice. An
    /// absolute name is its only candidate.
    pub fn candidates(&self, kind: &str, name: &str) -> Vec<PathBuf> {
        let path = Path::new(name);
        if path.is_absolute() {
            return vec![path.to_owned()];
        }
        let has_kind = kind.is_empty() || name.split('/').next() == Some(kind);
        let mut found = Vec::new();
        for base in self.bases() {
            let inside = (!has_kind).then(|| base.join(kind).join(path));
            for candidate in inside.into_iter().chain([base.join(path)]) {
                if !found.contains(&candidate) {
                    found.push(candidate);
                }
            }
        }
        found
    }

    /// The folders that are looked into. Tasks in a folder below a role's `tasks` look into that one too.
    fn bases(&self) -> impl Iterator<Item = &Path> {
        let above = self.task.parent().filter(|above| !self.roles.is_empty() && above.ends_with("tasks"));
        let roles = self.roles.iter().map(PathBuf::as_path);
        roles.chain(above).chain([self.task.as_path(), self.playbook.as_path()])
    }
}

/// Why something could not be rendered.
#[derive(Clone, Debug, PartialEq)]
pub enum RenderError {
    /// It touches something that a step which was sent and not judged will settle: try again later.
    Pending,
    /// It touches something that is known only after the named step was performed (plan mode).
    Unknown(String),
    /// It uses an undefined variable or attribute; the diagnostic points at it.
    Undefined(Box<Diagnostic>),
    /// It is wrong.
    Wrong(Box<Diagnostic>),
}
