//! What a step reads and writes: what its module declares for the arguments as they are written, and what its keywords add.

use super::{Keywords, Work};
use crate::module::{Effects, Things};
use crate::modules;
use crate::playbook::is_template;
use crate::value::{Map, Value};
use crate::yaml::{Node, NodeKind};

/// Whatever other hosts may do where they go another way: nobody can bound it.
pub const ANYTHING: Things = Things::HOST.and(Things::FILES).and(Things::INVENTORY).and(Things::WORLD);

/// Whether a name means the machine that wodctl runs on.
pub fn is_controller(name: &str) -> bool {
    matches!(name, "localhost" | "127.0.0.1" | "::1")
}

/// What a step reads and writes, whatever a host's variables are.
pub fn of(work: &Work, keywords: &Keywords) -> Effects {
    let mut effects = match work {
        Work::Call { spec, args, .. } => spec.effects_of(&written(args)),
        Work::Gather => modules::find("setup").map_or_else(Effects::looks, |setup| setup.effects_of(&Map::new())),
        // What they bring differs between hosts.
        Work::IncludeTasks { .. } | Work::IncludeRole { .. } => {
            Effects::none().reading(Things::FILES).writing(ANYTHING)
        }
        Work::Flush => Effects::none().writing(ANYTHING),
        Work::RoleEnd => Effects::none(),
    };
    if let Some(node) = &keywords.delegate_to {
        // The state of the other host is that of the controller, or one that others may look at.
        let there = match node.as_str() {
            Some(name) if is_controller(name) => Things::FILES,
            Some(_) if !is_template(node) => Things::WORLD,
            _ => Things::FILES.and(Things::WORLD),
        };
        effects.reads = effects.reads.with_host_as(there);
        effects.writes = effects.writes.with_host_as(there);
    }
    if keywords.connection.as_ref().and_then(|node| node.as_str()) == Some("local")
        && effects.writes.meets(Things::HOST)
    {
        effects.writes = effects.writes.and(Things::FILES);
    }
    // Whether these come out well decides about all that follows.
    if !keywords.failed_when.is_empty() || !keywords.until.is_empty() || may_be_once(keywords) {
        effects.writes = effects.writes.and(Things::COURSE);
    }
    effects.setting(keywords.register.clone())
}

/// Whether `run_once` may say yes.
fn may_be_once(keywords: &Keywords) -> bool {
    keywords.run_once.as_ref().is_some_and(|node| node.to_value() != Value::Bool(false))
}

/// Arguments as they are written; what is a template is not known yet.
fn written(args: &Node) -> Map {
    let entries = args.as_map().into_iter().flatten();
    entries.map(|(key, entry)| (key.clone(), value(&entry.value))).collect()
}

fn value(node: &Node) -> Value {
    match &node.kind {
        NodeKind::List(items) => Value::List(items.iter().map(value).collect()),
        NodeKind::Map(_) => Value::Map(written(node)),
        _ if is_template(node) => Value::Unknown(String::new()),
        _ => node.to_value(),
    }
}
