//! Dynamic includes: what they bring, and in which order the hosts go through it.
//!
//! Under `linear` hosts that include different files by one task go through one file after the other, in the order in which
//! the files first come up, and each file in lock-step. So each file has a place of its own among the positions.

use std::collections::HashMap;
use std::sync::Arc;

use super::batch::Batch;
use super::controller;
use super::prepare::{Entry, NotYet, Prepared, trouble};
use super::scope::TaskScope;
use super::task_run::{Ended, ItemRun};
use crate::diagnostic::kinds;
use crate::map;
use crate::protocol::Position;
use crate::steps::{Block, Item, Step, Work};
use crate::template::RenderError;
use crate::value::{Map, Value};
use crate::vars::Layer;

/// What the hosts of a batch include at each position.
#[derive(Debug, Default)]
pub struct Includes(HashMap<Position, Vec<Inclusion>>);

/// One file or role with its parameters, and the hosts that include it.
#[derive(Debug)]
struct Inclusion {
    what: Value,
    hosts: Vec<usize>,
}

impl Includes {
    /// The place of `what` among all that is included at `position`. A host that includes one thing twice does it twice.
    fn place(&mut self, position: &Position, what: Value, host: usize) -> u32 {
        let entries = self.0.entry(position.clone()).or_default();
        let known = entries.iter().position(|entry| entry.what == what && !entry.hosts.contains(&host));
        let place = known.unwrap_or_else(|| {
            entries.push(Inclusion { what, hosts: Vec::new() });
            entries.len() - 1
        });
        entries[place].hosts.push(host);
        place as u32
    }

    /// Forgets what a host has included from `position` on, because it is sent back.
    pub fn forget(&mut self, host: usize, position: &Position) {
        let later = self.0.iter_mut().filter(|(at, _)| *at >= position);
        later.flat_map(|(_, entries)| entries).for_each(|entry| entry.hosts.retain(|known| *known != host));
    }
}

/// What one item of an include comes to: what it names and what that brings, or how it ended.
type Brought = Result<(Value, Vec<Item>), Ended>;

impl Batch<'_> {
    /// Brings in what an include names; `once`: for this host alone. False: not yet.
    pub fn include(&mut self, host: usize, step: &Arc<Step>, position: &Position, once: bool) -> bool {
        let scope = self.scope_maker(host, step, position, false);
        let entries = match self.entries(step, &scope) {
            Ok(entries) => Ok(entries),
            Err(error) => match self.run.bench(&scope).loop_trouble(step, error) {
                Ok(ended) => Err(ended),
                Err(NotYet) => return false,
            },
        };
        let mut lists = Vec::new();
        let mut runs = Vec::new();
        let mut trouble_found = None;
        match entries {
            Err(ended) => trouble_found = Some(ended),
            Ok(entries) => {
                for (item, layers) in entries {
                    let ended = match self.include_one(&scope, step, &layers) {
                        Err(NotYet) => return false,
                        Ok(Err(ended)) => ended,
                        Ok(Ok(brought)) => {
                            let shown = included(&step.work, &brought.0);
                            lists.push(brought);
                            controller::outcome(shown)
                        }
                    };
                    runs.push(ItemRun { item, own: layers.clone(), layers, ended: Some(ended), ..ItemRun::default() });
                }
            }
        }
        let prepared = Prepared { items: runs, is_loop: step.repeat.is_some(), trouble: trouble_found };
        let Ok(mut running) = self.task_run(host, step, position, prepared) else { return false };
        (running.is_shared, running.is_once) = (once, once);
        // As in Ansible: `ignore_errors` does not bring in what is not there.
        let is_missing = |item: &ItemRun| match &item.ended {
            Some(Ended::Wrong(problem)) => {
                problem.kind.is_some_and(|kind| *kind == kinds::MISSING_FILE || *kind == kinds::MISSING_ROLE)
            }
            _ => false,
        };
        running.ignore_errors &= !running.items.iter().any(is_missing);
        running.fence = running.trouble.is_some()
            || running.items.iter().any(|item| matches!(item.ended, Some(Ended::Wrong(_) | Ended::Failed(_))));
        let name = self.scheduler.hosts[host].name.clone();
        for layer in self.play.published.take() {
            self.run.table.update(&name, |layers| layers.roles.push(layer));
        }
        let items = self.in_order(host, position, lists);
        let alone = self.play.hosts.len() > 1;
        let cursor = &mut self.scheduler.hosts[host].cursor;
        match items.is_empty() {
            true => cursor.advance(),
            false => cursor.include(items, alone),
        }
        self.launch(host, running);
        true
    }

    /// The items of the include's loop; one without a name where there is none.
    fn entries(&self, step: &Arc<Step>, scope: &dyn Fn(&[Arc<Layer>]) -> TaskScope) -> Result<Vec<Entry>, RenderError> {
        match &step.repeat {
            None => Ok(vec![(None, Vec::new())]),
            Some(repeat) => self.run.bench(scope).entries(step, repeat),
        }
    }

    /// What one item of an include brings.
    fn include_one(
        &self,
        scope: &dyn Fn(&[Arc<Layer>]) -> TaskScope,
        step: &Arc<Step>,
        layers: &[Arc<Layer>],
    ) -> Result<Brought, NotYet> {
        let bench = self.run.bench(scope);
        let brought = match bench.condition(step, layers) {
            Ok(Some(condition)) => return Ok(Err(Ended::Skipped(condition))),
            Ok(None) if !step.lacks.is_empty() => return Ok(Err(Ended::Wrong(Box::new((*step.lacks[0]).clone())))),
            Ok(None) => self.play.expand(&bench, step, layers, &bench.with(layers)),
            Err(error) => Err(error),
        };
        brought.or_else(|error| trouble(error).map(Err))
    }

    /// What a host has included, with the place of each, in the order of all hosts (under `free`: in its own).
    fn in_order(&mut self, host: usize, position: &Position, lists: Vec<(Value, Vec<Item>)>) -> Vec<(u32, Item)> {
        let shared = self.scheduler.in_step();
        let mut placed: Vec<(u32, Item)> = Vec::with_capacity(lists.len());
        for (index, (what, main)) in lists.into_iter().enumerate() {
            let place = if shared { self.includes.place(position, what, host) } else { index as u32 };
            let block = Block { name: None, main, rescue: Vec::new(), always: Vec::new(), has_rescue: false };
            placed.push((place, Item::Block(Arc::new(block))));
        }
        placed.sort_by_key(|(place, _)| *place);
        placed
    }
}

/// What an include returns: the file or the role that it named.
fn included(work: &Work, what: &Value) -> Map {
    let named = what.as_list().and_then(|parts| parts.first()).cloned().unwrap_or_default();
    match work {
        Work::IncludeRole { .. } => map! { "include_args" => named },
        _ => map! { "include" => named, "include_args" => Map::new() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_one_place_for_all_hosts() {
        let mut includes = Includes::default();
        let at = Position(vec![3]);
        let mut place = |file: &str, host| includes.place(&at, file.into(), host);
        assert_eq!([place("a", 0), place("b", 0)], [0, 1]);
        assert_eq!([place("b", 1), place("c", 1)], [1, 2]);
        assert_eq!([place("a", 0), place("a", 1)], [3, 0], "the same once more is another time");
    }

    #[test]
    fn a_host_that_is_sent_back_finds_its_places_again() {
        let mut includes = Includes::default();
        let (early, late) = (Position(vec![2]), Position(vec![3]));
        includes.place(&early, "a".into(), 0);
        includes.place(&late, "a".into(), 0);
        includes.forget(0, &late);
        assert_eq!(includes.place(&late, "a".into(), 0), 0);
        assert_eq!(includes.place(&early, "a".into(), 0), 1);
    }
}
