//! A play as the batches need it.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::connection::text_of;
use super::prepare::Bench;
use super::task_run::Ended;
use crate::diagnostic::Severity;
use crate::playbook::Keywords;
use crate::steps::{Included, Item, PlaySteps, Step, Work};
use crate::template::{RenderError, Scope};
use crate::value::{Map, Value};
use crate::vars::Layer;

/// A play, settled as far as it is the same for all hosts.
#[derive(Debug)]
pub struct PlayContext {
    /// Its name, or its hosts where it has none.
    pub name: String,
    /// Its steps.
    pub items: Arc<Vec<Item>>,
    /// All its hosts, those of other batches too, in the order in which they are dealt with (`order`).
    pub hosts: Vec<String>,
    /// The same in the order of the inventory.
    pub listed: Vec<String>,
    /// Its keywords.
    pub keywords: Keywords,
    /// Variables of the play and its roles.
    pub layers: Vec<Arc<Layer>>,
    /// Variables of the play that differ between hosts (`vars_files`).
    pub host_layers: HashMap<String, Vec<Arc<Layer>>>,
    /// Each host goes at its own pace (`strategy: free` or `host_pinned`).
    pub free: bool,
    /// How many hosts of a batch may fail, in percent.
    pub max_fail_percentage: Option<f64>,
    /// The step that gathers facts; `None` if none are gathered.
    pub gather: Option<Arc<Step>>,
    /// Whether anything in it is done on hosts.
    pub needs_hosts: bool,
    /// The expanded play: brings in what is included.
    pub steps: PlaySteps,
    /// Handlers: the play's own, and those that includes have added.
    pub handlers: RefCell<Vec<Arc<Step>>>,
    /// Layers that includes made visible to a host, to be taken up by the batch.
    pub published: RefCell<Vec<Arc<Layer>>>,
}

impl PlayContext {
    /// The handlers as a list of items. Their places in it are their numbers.
    pub fn handler_items(&self) -> Arc<Vec<Item>> {
        Arc::new(self.handlers.borrow().iter().cloned().map(Item::Step).collect())
    }

    /// The handlers that a notification of this name means: the last one of that name, and all that listen to it.
    pub fn handlers_named(&self, name: &str, bench: &Bench) -> Vec<usize> {
        let handlers = self.handlers.borrow();
        // As in Ansible: of several lists of handlers the last one wins, in a list the first handler.
        let is_one_list = |a: &usize, b: &usize| handlers[*a].is_beside(&handlers[*b]);
        let all: Vec<usize> = (0..handlers.len()).collect();
        let order: Vec<usize> = all.chunk_by(is_one_list).rev().flatten().copied().collect();
        let is_named = |step: &Step| {
            let Some(node) = &step.name else { return false };
            let own = match bench.templar.render(node, &bench.with(&step.layers)) {
                Ok(value) => text_of(&value),
                Err(_) => super::prepare::written(node),
            };
            let in_role = |role: &String| name == format!("{role} : {own}") || name == format!("{role}: {own}");
            own == name || step.role.as_ref().is_some_and(in_role)
        };
        let listens = |step: &Step| step.listen.iter().any(|topic| topic == name);
        let mut found: Vec<usize> =
            order.iter().copied().find(|index| is_named(&handlers[*index])).into_iter().collect();
        // A role that was brought in twice has its handlers twice: one of each name listens.
        let mut seen = HashSet::new();
        let is_first = |index: &usize| handlers[*index].name.as_ref().is_none_or(|name| seen.insert(name.as_str()));
        found.extend(order.iter().copied().filter(|index| listens(&handlers[*index])).filter(is_first));
        found
    }

    /// Brings in what an include names, for one item of its loop. Before the items: what it names, with the parameters, so
    /// that it can be compared with what other hosts include.
    pub fn expand(
        &self,
        bench: &Bench,
        step: &Arc<Step>,
        layers: &[Arc<Layer>],
        scope: &Arc<dyn Scope>,
    ) -> Result<Result<(Value, Vec<Item>), Ended>, RenderError> {
        // The variables of the loop go along: what is included sees the item.
        let mut params = Map::new();
        for layer in layers {
            for (name, binding) in &layer.values {
                if let crate::template::Binding::Data(value) = binding {
                    params.insert(name.clone(), (**value).clone());
                }
            }
        }
        let (what, included) = match &step.work {
            Work::IncludeTasks { file, .. } => {
                let file = text_of(&bench.templar.render(file, scope)?);
                let included = self.steps.expander.include_tasks(step, &file, &params);
                (Value::from(file), included)
            }
            Work::IncludeRole { args, .. } => {
                let args = bench.arguments(args, scope)?;
                let included = self.steps.expander.include_role(step, &args, &params);
                (Value::Map(args), included)
            }
            _ => (Value::Null, (Included::default(), Vec::new())),
        };
        let (included, problems) = included;
        if let Some(first) = problems.into_iter().find(|problem| problem.severity == Severity::Error) {
            return Ok(Err(Ended::Wrong(Box::new(first))));
        }
        self.handlers.borrow_mut().extend(included.handlers);
        self.published.borrow_mut().extend(included.layers);
        Ok(Ok((Value::List(vec![what, Value::Map(params)]), included.items)))
    }

    /// Whether a list of items does anything on hosts.
    pub fn reaches_hosts(items: &[Item]) -> bool {
        items.iter().any(|item| match item {
            Item::Block(block) => {
                [&block.main, &block.rescue, &block.always].iter().any(|list| Self::reaches_hosts(list))
            }
            Item::Step(step) => match &step.work {
                Work::Call { spec, .. } => spec.place == crate::module::Place::Target,
                Work::IncludeTasks { .. } | Work::IncludeRole { .. } | Work::Gather => true,
                Work::Flush | Work::RoleEnd => false,
            },
        })
    }
}

/// The sizes of batches for so many hosts: numbers or percentages, the last one repeats.
pub fn batches(serial: &[Value], hosts: usize) -> Vec<usize> {
    let size = |value: &Value| {
        let text = text_of(value);
        match text.trim().strip_suffix('%') {
            Some(percent) => {
                let percent: f64 = percent.trim().parse().unwrap_or(100.0);
                ((hosts as f64 * percent / 100.0) as usize).max(1)
            }
            None => text.trim().parse::<usize>().unwrap_or(0),
        }
    };
    let mut sizes = Vec::new();
    let mut left = hosts;
    let mut wanted = serial.iter().map(size);
    let mut last = hosts;
    while left > 0 {
        last = match wanted.next().unwrap_or(last) {
            0 => hosts,
            size => size,
        };
        sizes.push(last.min(left));
        left -= last.min(left);
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_follow_serial() {
        assert_eq!(batches(&[], 3), [3]);
        assert_eq!(batches(&[Value::Int(2)], 5), [2, 2, 1]);
        assert_eq!(batches(&[Value::Int(1), "50%".into()], 6), [1, 3, 2]);
        assert_eq!(batches(&["10%".into()], 3), [1, 1, 1]);
        assert_eq!(batches(&[Value::Int(0)], 3), [3]);
    }
}
