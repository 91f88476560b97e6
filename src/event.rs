//! What happens in a run, as one stream in one order. Reporters are folds over it.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use crate::change::diff::Diff;
use crate::protocol::{Mode, Position};
use crate::source::Span;
use crate::system::Stream;
use crate::value::{Map, Value};

/// How a step (or one item of its loop) ended on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing was to be done.
    Ok,
    /// Something was changed (in a plan: would be).
    Changed,
    /// Its condition did not hold.
    Skipped,
    /// It failed.
    Failed,
    /// The host could not be reached.
    Unreachable,
    /// In a plan: whether it runs, or what it does, is known only when it is applied.
    Unknown,
}

impl Status {
    /// The word for people and for JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Changed => "changed",
            Status::Skipped => "skipped",
            Status::Failed => "failed",
            Status::Unreachable => "unreachable",
            Status::Unknown => "unknown",
        }
    }
}

/// A task as events name it.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskInfo {
    /// Where it stands in the run.
    pub position: Position,
    /// Its name, rendered where that was possible.
    pub name: String,
    /// The role it belongs to.
    pub role: Option<String>,
    /// The module.
    pub module: String,
    /// Where it stands in the text.
    pub span: Span,
    /// Whether it is a handler.
    pub is_handler: bool,
}

impl TaskInfo {
    /// `role : name`, or the name alone.
    pub fn title(&self) -> String {
        match &self.role {
            Some(role) => format!("{role} : {}", self.name),
            None => self.name.clone(),
        }
    }
}

/// How a step ended on one host.
#[derive(Clone, Debug)]
pub struct TaskResult {
    /// Which task.
    pub task: Arc<TaskInfo>,
    /// Which host.
    pub host: String,
    /// Where it was carried out, if not on the host itself.
    pub delegate: Option<String>,
    /// Which item of the loop, as its label; `None` for the step as a whole.
    pub item: Option<Value>,
    /// How.
    pub status: Status,
    /// It failed, and the playbook says to go on.
    pub ignored: bool,
    /// It failed, and a `rescue` follows.
    pub rescued: bool,
    /// What it returned. With `no_log` nothing but what says so.
    pub values: Map,
    /// What changed.
    pub diffs: Vec<Diff>,
    /// Things the user should know.
    pub warnings: Vec<String>,
    /// Where in the text the failure came from: the argument, or the task.
    pub cause: Option<Span>,
    /// A whole diagnostic, where the failure is one of the text (an undefined variable).
    pub diagnostic: Option<Box<crate::diagnostic::Diagnostic>>,
    /// How long the agent worked on it.
    pub elapsed: Duration,
    /// The step as a whole, of a loop whose items had events of their own.
    pub is_summary: bool,
}

/// Ansible's seven counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Steps that ended well, changed ones among them.
    pub ok: u32,
    /// Steps that changed something.
    pub changed: u32,
    /// The host could not be reached.
    pub unreachable: u32,
    /// Steps that failed.
    pub failed: u32,
    /// Steps whose condition did not hold.
    pub skipped: u32,
    /// Failures that a `rescue` took up.
    pub rescued: u32,
    /// Failures that were ignored.
    pub ignored: u32,
}

impl Counters {
    /// The counters with their names, in Ansible's order.
    pub fn named(&self) -> [(&'static str, u32); 7] {
        [
            ("ok", self.ok),
            ("changed", self.changed),
            ("unreachable", self.unreachable),
            ("failed", self.failed),
            ("skipped", self.skipped),
            ("rescued", self.rescued),
            ("ignored", self.ignored),
        ]
    }
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The run begins.
    RunStart {
        /// Whether it changes things.
        mode: Mode,
        /// The playbooks.
        playbooks: Vec<String>,
    },
    /// A play begins.
    PlayStart {
        /// Its name.
        name: String,
        /// Its hosts.
        hosts: Vec<String>,
        /// How many steps it has at least; includes add to it.
        steps: usize,
    },
    /// A play has no hosts and is left out.
    PlayEmpty {
        /// Its name.
        name: String,
    },
    /// A host answered.
    Connected {
        /// Which.
        host: String,
        /// How long it took.
        elapsed: Duration,
    },
    /// A host is working on a task (sent when it begins to change something or to run something long).
    Working {
        /// Which host.
        host: String,
        /// Which task.
        task: Arc<TaskInfo>,
    },
    /// A step ended on a host.
    Result(Box<TaskResult>),
    /// What a running program prints.
    Live {
        /// Which host.
        host: String,
        /// Which of the two.
        stream: Stream,
        /// What.
        text: String,
    },
    /// Something that the user should know and that does not belong to a host.
    Warning(String),
    /// The run is over.
    RunEnd {
        /// For each host.
        recap: IndexMap<String, Counters>,
        /// How long it took.
        elapsed: Duration,
        /// Where the time went, for `--profile`.
        phases: Vec<(&'static str, Duration)>,
    },
}
