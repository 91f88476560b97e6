//! `--start-at-task`: everything before the named task is left out.

use std::sync::Arc;

use super::{Block, Item, Step, Work};
use crate::probe::glob;

/// Leaves out what stands before the first task whose name (or `role : name`) is `wanted` or matches it as a glob.
/// Gathering facts stays. `None` if there is no such task.
pub(super) fn from_task(items: &[Item], wanted: &str) -> Option<Vec<Item>> {
    let matches = |step: &Step| names(step).iter().any(|name| name == wanted || glob::matches(wanted, name));
    let gather = items.iter().filter(|item| matches!(item, Item::Step(step) if matches!(step.work, Work::Gather)));
    let rest = cut(items, &matches)?;
    Some(gather.cloned().chain(rest).collect())
}

fn names(step: &Step) -> Vec<String> {
    let own = match (&step.name, &step.work) {
        (Some(name), _) => name.as_str().unwrap_or_default().to_owned(),
        (None, Work::Flush | Work::Gather | Work::RoleEnd) => return Vec::new(),
        (None, work) => work.module(),
    };
    match &step.role {
        Some(role) => vec![format!("{role} : {own}"), own],
        None => vec![own],
    }
}

fn cut(items: &[Item], matches: &dyn Fn(&Step) -> bool) -> Option<Vec<Item>> {
    for (index, item) in items.iter().enumerate() {
        let first = match item {
            Item::Step(step) => matches(step).then(|| item.clone()),
            Item::Block(block) => cut_block(block, matches).map(|block| Item::Block(Arc::new(block))),
        };
        if let Some(first) = first {
            return Some(std::iter::once(first).chain(items[index + 1..].iter().cloned()).collect());
        }
    }
    None
}

fn cut_block(block: &Block, matches: &dyn Fn(&Step) -> bool) -> Option<Block> {
    if let Some(main) = cut(&block.main, matches) {
        return Some(Block { main, ..block.clone() });
    }
    let always = cut(&block.always, matches)?;
    Some(Block { main: Vec::new(), always, ..block.clone() })
}
