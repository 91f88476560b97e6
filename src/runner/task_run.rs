//! What a step that is under way on a host is about: its items, what they came to, and how that is to be taken.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::SystemTime;

use indexmap::IndexMap;

use super::judge::Verdict;
use super::prepare::Wait;
use crate::change::ran::moment;
use crate::diagnostic::Diagnostic;
use crate::event::TaskInfo;
use crate::failure::Failure;
use crate::modules::fetch;
use crate::protocol::{Become, Call, Outcome};
use crate::template::Binding;
use crate::value::{Map, Value};
use crate::vars::Layer;

/// A task under way on a host.
#[derive(Debug)]
pub struct TaskRun {
    /// As events name it.
    pub info: Arc<TaskInfo>,
    /// One for each item of the loop; exactly one where there is none.
    pub items: Vec<ItemRun>,
    /// Whether the step has a loop.
    pub is_loop: bool,
    /// Why the loop itself could not be settled (undefined, or known only after another step).
    pub trouble: Option<Ended>,
    /// The host that carries it out, if not the step's own.
    pub delegate: Option<String>,
    /// Items are sent one after another, each when the one before has been judged (`until`, `pause`, `break_when`).
    pub one_by_one: bool,
    /// Items that are still to be sent, or were sent together and are answered by their place in this list.
    pub pending: VecDeque<usize>,
    /// The agent said that it is through with it.
    pub done: bool,
    /// Errors are ignored.
    pub ignore_errors: bool,
    /// A failure of it ends the play for all hosts.
    pub is_fatal: bool,
    /// It is done once for all hosts, and its result is copied to the others.
    pub is_shared: bool,
    /// One host does it for all.
    pub is_once: bool,
    /// A host that cannot be reached goes on all the same.
    pub ignore_unreachable: bool,
    /// Nothing of it is shown.
    pub no_log: bool,
    /// Facts that an item returns go to its delegate.
    pub delegate_facts: bool,
}

/// One item of a step under way.
#[derive(Debug, Default)]
pub struct ItemRun {
    /// The item; `None` for a step without a loop.
    pub item: Option<Value>,
    /// The variables that the loop gives it: the item, its index.
    pub own: Vec<Arc<Layer>>,
    /// All that it sees beside the step's variables: those, what earlier items have set, whom it is delegated to.
    pub layers: Vec<Arc<Layer>>,
    /// The host that carries it out, if not the step's own.
    pub delegate: Option<String>,
    /// What is to be called, for items that are sent.
    pub call: Option<(Call, Option<Become>)>,
    /// What it waits for, if nothing is called.
    pub wait: Option<Wait>,
    /// How often it was tried.
    pub attempts: u32,
    /// How it ended, once it has.
    pub ended: Option<Ended>,
    /// What that came to, where it had to be judged at once (`until`).
    pub verdict: Option<Verdict>,
    /// The parts of a large file that have arrived, all but the last (`fetch`).
    pub spool: Option<std::fs::File>,
}

/// How an item ended, before its conditions (`failed_when`, …) were judged.
#[derive(Clone, Debug)]
pub enum Ended {
    /// It was carried out.
    Outcome(Box<Outcome>),
    /// `include_vars`: what it returns, and the variables, which stay templates.
    Variables(Map, IndexMap<String, Binding>),
    /// Its condition did not hold; the condition.
    Skipped(Value),
    /// Plan mode: it is known only after the named step.
    Unknown(String),
    /// It could not even be rendered.
    Wrong(Box<Diagnostic>),
    /// It could not be carried out.
    Failed(Box<Failure>),
    /// The host was lost.
    Lost(String),
}

impl Ended {
    /// Returns the time of now by this name.
    pub fn note_moment(&mut self, name: &str) {
        if let Ended::Outcome(outcome) = self {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
            outcome.values.insert(name.to_owned(), moment(now as i128).into());
        }
    }
}

impl TaskRun {
    /// Whether everything is there to judge it.
    pub fn is_complete(&self) -> bool {
        self.trouble.is_some() || (self.items.iter().all(|item| item.ended.is_some()) && self.done)
    }

    /// The items of which only a part has arrived (`fetch`).
    pub fn in_parts(&self) -> Vec<usize> {
        let is_part = |item: &ItemRun| matches!(&item.ended, Some(Ended::Outcome(outcome)) if outcome.values.contains_key(fetch::NEXT));
        (0..self.items.len()).filter(|index| is_part(&self.items[*index])).collect()
    }

    /// Takes in an answer to the call with this number.
    pub fn answer(&mut self, index: usize, ended: Ended) {
        // One by one, each item is a step of its own for the agent, with a single call.
        let item = if self.one_by_one { self.pending.front() } else { self.pending.get(index) };
        if let Some(item) = item.and_then(|item| self.items.get_mut(*item)) {
            item.ended = Some(ended);
        }
    }

    /// Gives all items that have no answer this one.
    pub fn answer_rest(&mut self, ended: &Ended) {
        for item in self.items.iter_mut().filter(|item| item.ended.is_none()) {
            item.ended = Some(ended.clone());
        }
    }
}
