//! Where dynamic includes lead, as far as that can be told before the run.
//!
//! A name may use `role_path`, `playbook_dir`, variables of roles, blocks and the play, extra variables, and a loop over a
//! list that is written out. Where a part of the name is only known in the run (`setup-{{ ansible_facts.os_family }}.yml`),
//! every file that the rest of the name fits may be meant.

use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::playbook::is_template;
use crate::steps::{Expander, Included, Step, Work};
use crate::value::{Map, Value};
use crate::yaml::{Node, NodeKind};

/// What an include may bring.
pub(super) struct Found {
    pub brought: Vec<(Included, Vec<Diagnostic>)>,
    /// Whether that is all.
    pub is_whole: bool,
}

/// Looks into an include, for each item of its loop.
pub(super) fn include(expander: &Arc<Expander>, step: &Step) -> Found {
    let mut found = Found { brought: Vec::new(), is_whole: true };
    let Some(rounds) = rounds(step) else {
        found.is_whole = false;
        return found;
    };
    for params in rounds {
        match &step.work {
            Work::IncludeTasks { file, .. } => {
                let names = names(expander, step, file, &params);
                found.is_whole &= !names.is_empty();
                found.brought.extend(names.iter().map(|name| expander.include_tasks(step, name, &params)));
            }
            Work::IncludeRole { args, .. } => match role(expander, step, args, &params) {
                Some(args) => found.brought.push(expander.include_role(step, &args, &params)),
                None => found.is_whole = false,
            },
            _ => {}
        }
    }
    found
}

/// The variables of each round of the loop; one round without a loop. None if the items are not known.
fn rounds(step: &Step) -> Option<Vec<Map>> {
    let Some(repeat) = &step.repeat else { return Some(vec![Map::new()]) };
    let unknown = || Value::Unknown("the loop".to_owned());
    let round = |item: Value| {
        let mut params = Map::from_iter([(repeat.var.clone(), item)]);
        params.extend(repeat.index_var.iter().map(|name| (name.clone(), unknown())));
        params
    };
    let uses_item = match &step.work {
        Work::IncludeTasks { file, .. } => is_template(file),
        Work::IncludeRole { args, .. } => {
            args.as_map().into_iter().flatten().any(|(_, entry)| is_template(&entry.value))
        }
        _ => false,
    };
    if !uses_item {
        return Some(vec![round(unknown())]);
    }
    let items = match (repeat.kind.as_str(), repeat.over.as_list()) {
        ("loop" | "items" | "list", Some(items)) => items.to_vec(),
        // The first one that is there: each of them may be.
        ("first_found", Some(items)) => items.iter().flat_map(candidates).collect(),
        _ => return None,
    };
    Some(items.iter().map(|item| round(if is_template(item) { pattern(item) } else { item.to_value() })).collect())
}

/// The names that an entry of `with_first_found` holds.
fn candidates(entry: &Node) -> Vec<Node> {
    match (&entry.kind, entry.get("files")) {
        (NodeKind::Map(_), Some(files)) => files.as_list().map_or_else(|| vec![files.clone()], <[Node]>::to_vec),
        _ => vec![entry.clone()],
    }
}

/// A text in which what is only known in the run is `*`.
fn pattern(node: &Node) -> Value {
    let text = node.as_str().unwrap_or_default();
    let mut pattern = String::new();
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once("{{") {
        pattern.push_str(before);
        pattern.push('*');
        rest = inside.split_once("}}").map_or("", |(_, after)| after);
    }
    Value::Str(pattern + rest)
}

/// The names of files that are meant, or may be.
fn names(expander: &Expander, step: &Step, file: &Node, params: &Map) -> Vec<String> {
    let name = match expander.foresee(step, file, params) {
        Some(name) => name,
        None => pattern(file).as_str().unwrap_or_default().to_owned(),
    };
    if !name.contains('*') {
        return vec![name];
    }
    // With nothing but a star every file would be meant.
    let stem = name.trim_end_matches(".yaml").trim_end_matches(".yml");
    if stem.chars().all(|c| c == '*') { Vec::new() } else { expander.tasks_like(step, &name) }
}

/// The arguments of `include_role`, rendered.
fn role(expander: &Expander, step: &Step, args: &Node, params: &Map) -> Option<Map> {
    let mut rendered = Map::new();
    for (key, entry) in args.as_map()? {
        let value = match key == "apply" || !is_template(&entry.value) {
            true => entry.value.to_value(),
            false => Value::Str(expander.foresee(step, &entry.value, params).filter(|name| !name.contains('*'))?),
        };
        rendered.insert(key.clone(), value);
    }
    Some(rendered)
}
