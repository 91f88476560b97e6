//! Jinja2 as Ansible uses it: what a text with `{{ }}` becomes, for one host and one task.

mod arguments;
mod condition;
mod containers;
mod convert;
mod data;
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
mod methods;
mod moment;
mod native;
mod network;
pub mod predicates;
mod python;
mod report;
mod run;
mod templar;
mod twister;
mod unit;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use inspect::{Inspection, Use};
pub use templar::{Reading, Templar, TemplateOptions, is_omit, is_template};
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
    /// playbook. `kind` is `files`, `templates` or `vars`. An absolute name is its only candidate.
    pub fn candidates(&self, kind: &str, name: &str) -> Vec<PathBuf> {
        let name = Path::new(name);
        if name.is_absolute() {
            return vec![name.to_owned()];
        }
        let mut found = Vec::new();
        for base in self.roles.iter().chain([&self.task, &self.playbook]) {
            for candidate in [base.join(kind).join(name), base.join(name)] {
                if !found.contains(&candidate) {
                    found.push(candidate);
                }
            }
        }
        found
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
