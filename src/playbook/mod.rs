//! Playbooks, roles and task files as typed syntax: every keyword in its place, every piece with its position, nothing
//! rendered and nothing looked up on a host yet.
//!
//! Reading never stops at the first problem: it collects diagnostics and goes on with what can be understood.

pub mod action;
mod fields;
pub(crate) mod free_form;
mod keywords;
mod play;
mod project;
mod prompt;
mod role;
mod task;

use std::path::PathBuf;
use std::sync::Arc;

pub(crate) use fields::{is_template, is_variable_name, scalar_text};
pub use keywords::convert as convert_keyword;
pub use play::{ORDERS, STRATEGIES};
pub use project::{Parsed, Project, root_of};
pub use prompt::Prompt;
pub use role::Role;
pub(crate) use task::{apply_base, nearest_module};

use crate::diagnostic::Diagnostic;
use crate::module::ModuleSpec;
use crate::source::Span;
use crate::yaml::{Node, Nodes};

/// Problems found while reading.
pub type Problems = Vec<Diagnostic>;

/// What stands at the top of a playbook.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A play.
    Play(Arc<Play>),
    /// `import_playbook`.
    Import(Box<Import>),
}

/// `import_playbook`: its `when`, `tags` and `vars` go to every play of the file.
#[derive(Clone, Debug)]
pub struct Import {
    /// Where it stands.
    pub span: Span,
    /// The file, a template of extra variables.
    pub file: Arc<Node>,
    /// Its keywords.
    pub base: Base,
}

/// What plays, roles, blocks and tasks have in common.
#[derive(Clone, Debug, Default)]
pub struct Base {
    /// The name, a template.
    pub name: Option<Arc<Node>>,
    /// Keywords, own ones only.
    pub keywords: Keywords,
    /// Conditions, all of which must hold.
    pub when: Vec<Arc<Node>>,
    /// Tags, each a text that may hold a template.
    pub tags: Vec<Arc<Node>>,
    /// Variables.
    pub vars: Nodes,
    /// Default arguments: mappings of module names to mappings.
    pub module_defaults: Vec<Arc<Node>>,
    /// Collections whose roles are found by their short names.
    pub collections: Vec<String>,
    /// Keywords that Ansible has and wodctl lacks.
    pub unsupported: Vec<Arc<Diagnostic>>,
}

/// A play.
#[derive(Clone, Debug)]
pub struct Play {
    /// Where it stands.
    pub span: Span,
    /// The file it stands in.
    pub path: PathBuf,
    /// Name, keywords, tags and variables. `when` holds the conditions of `import_playbook`.
    pub base: Base,
    /// The hosts: a text or a list of texts, templates of extra and play variables.
    pub hosts: Arc<Node>,
    /// Whether facts are gathered (a template); absent means yes.
    pub gather_facts: Option<Arc<Node>>,
    /// Which facts.
    pub gather_subset: Option<Arc<Node>>,
    /// How long one of them may take, in seconds.
    pub gather_timeout: Option<Arc<Node>>,
    /// Where local facts lie on the target.
    pub fact_path: Option<Arc<Node>>,
    /// `linear`, `free` or `host_pinned`; absent means `linear`.
    pub strategy: Option<Arc<Node>>,
    /// Sizes of the batches: numbers or percentages, the last one repeats.
    pub serial: Vec<Arc<Node>>,
    /// `inventory`, `sorted`, `reverse_sorted`, `reverse_inventory` or `shuffle`.
    pub order: Option<Arc<Node>>,
    /// How many hosts of a batch may fail, in percent.
    pub max_fail_percentage: Option<Arc<Node>>,
    /// Whether handlers run on hosts that failed too.
    pub force_handlers: Option<Arc<Node>>,
    /// Files with variables; an entry that is a list means "the first that exists".
    pub vars_files: Vec<Arc<Node>>,
    /// Variables that the operator is asked for.
    pub vars_prompt: Vec<Prompt>,
    /// Before the roles.
    pub pre_tasks: Vec<Item>,
    /// The roles.
    pub roles: Vec<RoleUse>,
    /// After the roles.
    pub tasks: Vec<Item>,
    /// In the end.
    pub post_tasks: Vec<Item>,
    /// The play's own handlers.
    pub handlers: Vec<Item>,
}

/// A role as a play or another role's `dependencies` names it.
#[derive(Clone, Debug)]
pub struct RoleUse {
    /// Where it stands.
    pub span: Span,
    /// Its name or path, a template.
    pub role: Arc<Node>,
    /// Keywords and variables.
    pub base: Base,
    /// Parameters: the keys that are no keywords.
    pub params: Nodes,
}

/// A task or a block of tasks.
#[derive(Clone, Debug)]
pub enum Item {
    /// A task or a handler.
    Task(Box<Task>),
    /// A block.
    Block(Box<Block>),
}

/// A block.
#[derive(Clone, Debug)]
pub struct Block {
    /// Where it stands.
    pub span: Span,
    /// Name, keywords, conditions, tags and variables.
    pub base: Base,
    /// What is done.
    pub main: Vec<Item>,
    /// What is done when something in `main` failed.
    pub rescue: Vec<Item>,
    /// What is done in the end.
    pub always: Vec<Item>,
    /// Whether there is a `rescue` section.
    pub has_rescue: bool,
}

/// A task.
#[derive(Clone, Debug)]
pub struct Task {
    /// Where it stands.
    pub span: Span,
    /// Name, keywords, conditions, tags and variables.
    pub base: Base,
    /// What it does.
    pub action: Action,
    /// Where the name of the module stands.
    pub action_span: Span,
    /// The loop.
    pub repeat: Option<Loop>,
    /// Topics that a handler listens to.
    pub listen: Vec<Arc<Node>>,
}

/// What a task does.
#[derive(Clone, Debug)]
pub enum Action {
    /// A module is called.
    Call {
        /// The registry's entry.
        spec: &'static ModuleSpec,
        /// Its arguments, a mapping of templates.
        args: Arc<Node>,
    },
    /// `include_tasks`: at run time, for each host.
    IncludeTasks(TasksFile),
    /// `import_tasks`: before the run.
    ImportTasks(TasksFile),
    /// `include_role`: at run time, for each host.
    IncludeRole(Arc<Node>),
    /// `import_role`: before the run.
    ImportRole(Arc<Node>),
    /// A module that wodctl does not have; whether anybody has it is not said yet.
    Foreign(Foreign),
    /// Something that was not understood and has been reported.
    Unknown,
}

/// A module that wodctl does not have.
#[derive(Clone, Debug)]
pub struct Foreign {
    /// Its name, as written.
    pub name: String,
    /// What is wrong if nobody has it.
    pub unknown: Box<Diagnostic>,
}

/// The file of `include_tasks` or `import_tasks`.
#[derive(Clone, Debug)]
pub struct TasksFile {
    /// Its name, a template.
    pub file: Arc<Node>,
    /// Keywords for everything in it.
    pub apply: Option<Arc<Node>>,
}

/// A loop: what is looped over and how.
#[derive(Clone, Debug)]
pub struct Loop {
    /// `loop` or the lookup's name after `with_`.
    pub kind: String,
    /// Where that stands.
    pub span: Span,
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
    /// `extended_allitems`: whether `ansible_loop.allitems` is there too.
    pub extended_allitems: bool,
    /// `break_when`.
    pub break_when: Vec<Arc<Node>>,
}

/// Declares [`Keywords`] with what each inherits.
macro_rules! keywords {
    (inherited { $($inherited:ident),* $(,)? } own { $($own:ident),* $(,)? }) => {
        /// Keywords, each as written (a template) or absent. In a step, those that are inherited are the nearest.
        #[derive(Clone, Debug, Default)]
        #[allow(missing_docs)] // Each is Ansible's keyword of that name.
        pub struct Keywords {
            $(pub $inherited: Option<Arc<Node>>,)*
            $(pub $own: Option<Arc<Node>>,)*
            pub environment: Vec<Arc<Node>>,
            pub register: Option<String>,
            pub changed_when: Vec<Arc<Node>>,
            pub failed_when: Vec<Arc<Node>>,
            pub until: Vec<Arc<Node>>,
            pub notify: Vec<Arc<Node>>,
        }

        impl Keywords {
            /// What something with these keywords has inside something with the keywords `outer`: its own first,
            /// environments one after the other.
            pub fn inside(&self, outer: &Keywords) -> Keywords {
                let mut inner = self.clone();
                $(if inner.$inherited.is_none() { inner.$inherited.clone_from(&outer.$inherited); })*
                inner.environment = outer.environment.iter().chain(&self.environment).cloned().collect();
                if inner.notify.is_empty() {
                    inner.notify.clone_from(&outer.notify);
                }
                inner
            }

            /// Whether there is nothing to inherit from these.
            pub fn is_empty(&self) -> bool {
                $(self.$inherited.is_none())&&* && self.environment.is_empty() && self.notify.is_empty()
            }

            /// All templates with the keyword that each belongs to.
            pub fn templates(&self) -> impl Iterator<Item = (&'static str, &Arc<Node>)> {
                let single = [
                    $((stringify!($inherited).trim_end_matches('_'), &self.$inherited),)*
                    $((stringify!($own).trim_end_matches('_'), &self.$own),)*
                ];
                single.into_iter().filter_map(|(name, node)| Some((name, node.as_ref()?)))
                    .chain(self.environment.iter().map(|node| ("environment", node)))
                    .chain(self.notify.iter().map(|node| ("notify", node)))
            }
        }
    };
}

keywords! {
    inherited {
        become_, become_user, become_method, become_flags, become_exe, remote_user, connection, port, delegate_to,
        delegate_facts, run_once, ignore_errors, ignore_unreachable, any_errors_fatal, no_log, check_mode, diff, throttle,
        timeout,
    }
    own { retries, delay }
}
