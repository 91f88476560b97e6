//! A playbook as the generator makes it and the model understands it: only what a play can say, in plain data.

use serde::{Deserialize, Serialize};

/// The names of the hosts.
pub const HOSTS: [&str; 3] = ["a", "b", "c"];
/// The machine of the controller, to which steps may be delegated.
pub const LOCALHOST: usize = HOSTS.len();

/// The name of a host, or `localhost`.
pub fn host_name(host: usize) -> &'static str {
    HOSTS.get(host).copied().unwrap_or("localhost")
}

/// A playbook and the hosts that it is for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Book {
    /// How many hosts there are.
    pub hosts: usize,
    /// Hosts that cannot be reached.
    #[serde(default, skip_serializing_if = "is_default")]
    pub down: Vec<usize>,
    /// `--forks`.
    pub forks: usize,
    /// The plays.
    pub plays: Vec<Play>,
}

/// A play on all hosts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Play {
    /// `strategy: free`.
    #[serde(skip_serializing_if = "is_default")]
    pub free: bool,
    /// `serial`; empty for all at once.
    #[serde(skip_serializing_if = "is_default")]
    pub serial: Vec<usize>,
    /// `any_errors_fatal`.
    #[serde(skip_serializing_if = "is_default")]
    pub fatal: bool,
    /// `max_fail_percentage`.
    #[serde(skip_serializing_if = "is_default")]
    pub max_fail: Option<u32>,
    /// Its tasks.
    pub tasks: Vec<Node>,
    /// Its handlers.
    #[serde(skip_serializing_if = "is_default")]
    pub handlers: Vec<Handler>,
}

/// What stands in a list of tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Node {
    /// A task.
    Task(Box<Task>),
    /// `block`, with `rescue` and `always` where they are not empty.
    Block(Block),
    /// `include_tasks` or `include_role`.
    Include(Include),
    /// `meta`, with its condition.
    Meta(Meta, Option<Condition>),
}

/// A block.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Block {
    /// Its `when`, which all its tasks inherit.
    #[serde(skip_serializing_if = "is_default")]
    pub when: Option<Condition>,
    /// `block`.
    pub main: Vec<Node>,
    /// `rescue`.
    #[serde(skip_serializing_if = "is_default")]
    pub rescue: Vec<Node>,
    /// `always`.
    #[serde(skip_serializing_if = "is_default")]
    pub always: Vec<Node>,
}

/// An include.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Include {
    /// Its number, which names its file.
    pub id: u32,
    /// A role instead of a file of tasks.
    #[serde(skip_serializing_if = "is_default")]
    pub role: bool,
    /// Whether it is included.
    #[serde(skip_serializing_if = "is_default")]
    pub when: Option<Condition>,
    /// How many items its loop has; none for no loop.
    #[serde(skip_serializing_if = "is_default")]
    pub items: u32,
    /// What it brings.
    pub tasks: Vec<Node>,
}

/// What a `meta` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Meta {
    /// `flush_handlers`.
    Flush,
    /// `end_host`.
    EndHost,
    /// `end_batch`.
    EndBatch,
    /// `end_play`.
    EndPlay,
}

/// A handler: a task that may listen to a topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Handler {
    /// What it does. It is known by the name `s` and its number.
    pub task: Task,
    /// The topic that it listens to.
    #[serde(default, skip_serializing_if = "is_default")]
    pub listen: Option<u32>,
}

/// Who is notified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notify {
    /// The handler with this number.
    Name(u32),
    /// All that listen to this topic.
    Topic(u32),
}

/// A task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Task {
    /// Its number, which makes its name.
    pub id: u32,
    /// What it does.
    pub act: Act,
    /// How many items its loop has; none for no loop.
    #[serde(skip_serializing_if = "is_default")]
    pub items: u32,
    /// `when`.
    #[serde(skip_serializing_if = "is_default")]
    pub when: Vec<Condition>,
    /// `register`: the name is `r` and this number.
    #[serde(skip_serializing_if = "is_default")]
    pub register: Option<u32>,
    /// `notify`.
    #[serde(skip_serializing_if = "is_default")]
    pub notify: Option<Notify>,
    /// `ignore_errors`.
    #[serde(skip_serializing_if = "is_default")]
    pub ignore: bool,
    /// `ignore_unreachable`.
    #[serde(skip_serializing_if = "is_default")]
    pub ignore_lost: bool,
    /// `failed_when`.
    #[serde(skip_serializing_if = "is_default")]
    pub failed_when: Option<Condition>,
    /// `changed_when`.
    #[serde(skip_serializing_if = "is_default")]
    pub changed_when: Option<Condition>,
    /// `until`, with its `retries`.
    #[serde(skip_serializing_if = "is_default")]
    pub until: Option<(Condition, u32)>,
    /// `delegate_to`.
    #[serde(skip_serializing_if = "is_default")]
    pub delegate: Option<usize>,
    /// `run_once`.
    #[serde(skip_serializing_if = "is_default")]
    pub once: bool,
    /// `any_errors_fatal`.
    #[serde(skip_serializing_if = "is_default")]
    pub fatal: bool,
    /// It stands for an include, whose end is not compared.
    #[serde(skip)]
    pub include: bool,
}

impl Task {
    /// Takes its loop away, and what asks for the item.
    pub fn unloop(&mut self) {
        self.items = 0;
        self.when.retain(|when| !matches!(when, Condition::Item(_)));
        if let Act::Write(_, text) | Act::SetFact(_, text) = &mut self.act
            && let Text::Append(fact) = text
        {
            *text = Text::Fact(*fact);
        }
    }
}

/// What a task does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Act {
    /// `debug`.
    #[default]
    Debug,
    /// `fail`.
    Fail,
    /// `command: act …`, which leaves a line in the trace; what comes of it, for each host.
    Command(Vec<Deed>),
    /// `copy` with `content`: the file `f` and this number of the host on the machine where it is carried out.
    Write(u32, Text),
    /// `slurp` of such a file, which fails if there is none.
    Read(u32),
    /// `fetch` of such a file into the host's own file `x` with this number on the controller.
    Fetch(u32),
    /// `copy` of a host's file on the controller to such a file.
    Copy(u32, usize, u32),
    /// `set_fact`: the name is `v` and this number.
    SetFact(u32, Text),
}

/// What comes of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deed {
    /// It ends well.
    Ok,
    /// It fails.
    Fail,
    /// It fails until it has been tried so often.
    At(u32),
    /// It ends well, and writes the host's file with this number on the controller (if it is carried out there).
    Put(u32),
}

/// A text that is rendered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Text {
    /// As it stands.
    Plain(String),
    /// What a command printed that was registered under this number.
    Printed(u32),
    /// What was read from a file, registered under this number.
    Content(u32),
    /// A fact.
    Fact(u32),
    /// A fact, and the item of the loop behind it.
    Append(u32),
    /// Another host's fact.
    Other(usize, u32),
    /// A host's file on the controller.
    Lookup(u32, usize),
}

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    /// As it is.
    Just(bool),
    /// It is this host.
    Host(usize),
    /// It is not this host.
    NotHost(usize),
    /// It is this item.
    Item(u32),
    /// A result is registered and in this state.
    Known(u32, State),
    /// A result is in this state; an error where none is registered.
    Is(u32, State),
    /// A fact has this value.
    Fact(u32, String),
    /// Another host's fact has this value.
    Other(usize, u32, String),
}

/// The state of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// `is failed`.
    Failed,
    /// `is succeeded`.
    Succeeded,
    /// `is changed`.
    Changed,
    /// `is skipped`.
    Skipped,
}

/// Whether there is nothing to say of it.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
