//! The ordered list of steps of a play: roles, imports, blocks and tags are expanded; what is decided per host at run time
//! (dynamic includes, conditions, loops) is left to the runner, which calls back here for included files.

use std::sync::Arc;

use crate::source::Span;
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
    /// The role it belongs to, as `role` or `outer : role`.
    pub role: Option<String>,
    /// What it does.
    pub work: Work,
    /// All conditions, outermost first: each must hold.
    pub when: Vec<Arc<Node>>,
    /// The loop.
    pub repeat: Option<Loop>,
    /// Keywords.
    pub keywords: Arc<Keywords>,
    /// Tags, its own and inherited.
    pub tags: Vec<String>,
    /// Variables that it sees beside those of the host and the play: role defaults and vars, block, task, parameters.
    pub layers: Vec<Arc<Layer>>,
    /// Where its files are looked for.
    pub files: Arc<SearchPath>,
    /// Topics that a handler listens to.
    pub listen: Vec<String>,
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
    /// Nothing: the end of a role, where `allow_duplicates` and facts of roles are settled.
    RoleEnd,
}

/// A loop: what is looped over and how.
#[derive(Clone, Debug)]
pub struct Loop {
    /// `loop` or the lookup's name after `with_`.
    pub kind: String,
    /// What is looped over, a template.
    pub over: Arc<Node>,
    /// `loop_var`, `item` by default.
    pub var: String,
    /// `index_var`.
    pub index_var: Option<String>,
    /// `label`, a template.
    pub label: Option<Arc<Node>>,
    /// `pause` in seconds, a template.
    pub pause: Option<Arc<Node>>,
    /// `extended`.
    pub extended: bool,
    /// `break_when`.
    pub break_when: Vec<Arc<Node>>,
}

/// Keywords, each as written (a template) or absent. Inherited ones are the nearest.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)] // Each is Ansible's keyword of that name.
pub struct Keywords {
    pub become_: Option<Arc<Node>>,
    pub become_user: Option<Arc<Node>>,
    pub become_method: Option<Arc<Node>>,
    pub become_flags: Option<Arc<Node>>,
    pub become_exe: Option<Arc<Node>>,
    pub remote_user: Option<Arc<Node>>,
    pub connection: Option<Arc<Node>>,
    pub port: Option<Arc<Node>>,
    pub environment: Vec<Arc<Node>>,
    pub register: Option<String>,
    pub changed_when: Vec<Arc<Node>>,
    pub failed_when: Vec<Arc<Node>>,
    pub until: Vec<Arc<Node>>,
    pub retries: Option<Arc<Node>>,
    pub delay: Option<Arc<Node>>,
    pub notify: Vec<Arc<Node>>,
    pub delegate_to: Option<Arc<Node>>,
    pub delegate_facts: Option<Arc<Node>>,
    pub run_once: Option<Arc<Node>>,
    pub ignore_errors: Option<Arc<Node>>,
    pub ignore_unreachable: Option<Arc<Node>>,
    pub any_errors_fatal: Option<Arc<Node>>,
    pub no_log: Option<Arc<Node>>,
    pub check_mode: Option<Arc<Node>>,
    pub diff: Option<Arc<Node>>,
    pub throttle: Option<Arc<Node>>,
    pub timeout: Option<Arc<Node>>,
    pub async_: Option<Arc<Node>>,
    pub poll: Option<Arc<Node>>,
}
