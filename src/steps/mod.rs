//! The ordered list of steps of a play: roles, imports, blocks and tags are expanded; what is decided per host at run time
//! (dynamic includes, conditions, loops) is left to the runner, which calls back here for included files.

mod context;
mod early;
mod effects;
mod expand;
mod in_role;
mod items;
mod names;
mod options;
mod plays;
mod roles;
mod start;
mod tags;

use std::sync::Arc;

pub use context::Context;
pub use early::{hosts, scope};
pub use effects::{ANYTHING, is_controller, of as effects_of};
pub use expand::{Expander, Included, PlaySteps, expand};
pub(crate) use items::UNKNOWN;
pub use options::Options;
pub use plays::plays;

use crate::diagnostic::Diagnostic;
use crate::module::Effects;
pub use crate::playbook::{Keywords, Loop};
use crate::source::{self, Span};
use crate::template::SearchPath;
use crate::vars::Layer;
use crate::yaml::Node;

/// A step or a block of steps.
#[derive(Clone, Debug)]
pub enum Item {
    /// A task.
    Step(Arc<Step>),
    /// A block.
    Block(Arc<Block>),
}

/// A block with its three sections.
#[derive(Clone, Debug)]
pub struct Block {
    /// Its name, for people.
    pub name: Option<String>,
    /// What is done.
    pub main: Vec<Item>,
    /// What is done when something in `main` failed.
    pub rescue: Vec<Item>,
    /// What is done in the end, whatever happened.
    pub always: Vec<Item>,
    /// Whether the block has a `rescue` section (an empty one still rescues).
    pub has_rescue: bool,
}

/// A task with all that it inherits from blocks, roles, includes and the play: the nearest keyword wins, `when`, `tags`
/// and `environment` add up.
#[derive(Clone, Debug)]
pub struct Step {
    /// Where the task stands.
    pub span: Span,
    /// Its name, a template; the module's name where it has none.
    pub name: Option<Arc<Node>>,
    /// The role it belongs to.
    pub role: Option<String>,
    /// Which run of that role, where a role is run once only.
    pub run: Option<RoleRun>,
    /// What it does.
    pub work: Work,
    /// What wodctl lacks of it: the step fails with the first of these on a host that comes to it.
    pub lacks: Vec<Arc<Diagnostic>>,
    /// All conditions, outermost first: each must hold.
    pub when: Vec<Arc<Node>>,
    /// The loop.
    pub repeat: Option<Loop>,
    /// Keywords.
    pub keywords: Arc<Keywords>,
    /// What it reads and writes.
    pub effects: Effects,
    /// Tags, its own and inherited.
    pub tags: Vec<String>,
    /// Variables that it sees beside those of the host and the play: role defaults and vars, block, task, parameters.
    pub layers: Vec<Arc<Layer>>,
    /// Where its files are looked for.
    pub files: Arc<SearchPath>,
    /// Topics that a handler listens to.
    pub listen: Vec<String>,
    /// What an include hands to what it includes; see [`Expander::include_tasks`].
    pub context: Option<Arc<Context>>,
}

impl Step {
    /// Whether two handlers stand in one list.
    pub fn is_beside(&self, other: &Step) -> bool {
        self.role == other.role && self.span.source == other.span.source
    }
}

/// A run of a role that does not allow duplicates. The same role with the same parameters has the same number: a host on
/// which a [`Work::RoleEnd`] of that number was reached, after a step of it was not skipped, passes over all further steps
/// of that number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RoleRun {
    /// The number.
    pub id: usize,
    /// Whether the play names it a second time here. Where this is false nothing can have been run before.
    pub again: bool,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Work {
    /// A module is called.
    Call {
        /// The registry's entry.
        spec: &'static crate::module::ModuleSpec,
        /// Where its name stands.
        name: Span,
        /// Its arguments, a mapping of templates; `module_defaults` are already in it.
        args: Arc<Node>,
    },
    /// `include_tasks`.
    IncludeTasks {
        /// The file, a template.
        file: Arc<Node>,
        /// Keywords for everything in it (`apply`).
        apply: Option<Arc<Node>>,
    },
    /// `include_role`.
    IncludeRole {
        /// `name`, `tasks_from`, `public`, … as written.
        args: Arc<Node>,
        /// Keywords for everything in it (`apply`).
        apply: Option<Arc<Node>>,
    },
    /// Handlers that were notified run here.
    Flush,
    /// Facts are gathered here unless `gather_facts` says no.
    Gather,
    /// Nothing: the end of a role, see [`RoleRun`]; `meta: end_role` goes on behind it.
    RoleEnd,
}

impl Work {
    /// The name of the module.
    pub fn module(&self) -> String {
        match self {
            Work::Call { spec, name, .. } if std::ptr::eq(*spec, &UNKNOWN) => source::text(*name).unwrap_or_default(),
            Work::Call { spec, .. } => spec.name.to_owned(),
            Work::IncludeTasks { .. } => "include_tasks".to_owned(),
            Work::IncludeRole { .. } => "include_role".to_owned(),
            Work::Flush | Work::Gather | Work::RoleEnd => "meta".to_owned(),
        }
    }

    /// Whether it brings in other steps.
    pub fn is_include(&self) -> bool {
        matches!(self, Work::IncludeTasks { .. } | Work::IncludeRole { .. })
    }

    /// Whether hosts may go through different steps in its place: includes, handlers.
    pub fn is_open(&self) -> bool {
        self.is_include() || matches!(self, Work::Flush)
    }
}
