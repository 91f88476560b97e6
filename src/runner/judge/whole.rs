//! The result of a loop as a whole, in Ansible's shape.

use std::sync::Arc;

use super::Verdict;
use crate::event::Status;
use crate::map;
use crate::template::Binding;
use crate::value::{Map, Value};
use crate::vars::Layer;

/// The result of a loop as a whole: each item's verdict with the variables that the loop gave it.
pub fn whole(items: &[(Vec<Arc<Layer>>, Verdict)]) -> Verdict {
    if items.is_empty() {
        return Verdict::new(
            Status::Skipped,
            map! {
                "results" => Vec::<Value>::new(), "skipped" => true, "skipped_reason" => "No items in the list",
                "changed" => false,
            },
        );
    }
    let verdicts = || items.iter().map(|(_, verdict)| verdict);
    let says = |key: &str| verdicts().any(|verdict| verdict.values.get(key) == Some(&Value::Bool(true)));
    let status = status(items);
    let mut values = map! {
        "results" => items.iter().map(|(layers, verdict)| with_item(layers, &verdict.values)).collect::<Vec<_>>(),
        "skipped" => status == Status::Skipped, "changed" => says("changed"),
    };
    if says("unreachable") {
        values.insert("unreachable".into(), true.into());
    }
    let failed = says("failed");
    if failed {
        values.insert("failed".into(), true.into());
    }
    let message = match status {
        Status::Skipped => "All items skipped",
        _ if failed => "One or more items failed",
        _ => "All items completed",
    };
    values.insert("msg".into(), message.into());
    let first = verdicts().find(|verdict| verdict.is_failed());
    let mut verdict = Verdict::new(status, values);
    verdict.micros = verdicts().map(|verdict| verdict.micros).sum();
    verdict.cause = first.and_then(|failed| failed.cause);
    verdict.diagnostic = first.and_then(|failed| failed.diagnostic.clone());
    verdict
}

fn status(items: &[(Vec<Arc<Layer>>, Verdict)]) -> Status {
    let any = |status: Status| items.iter().any(|(_, verdict)| verdict.status == status);
    [Status::Unreachable, Status::Failed, Status::Unknown, Status::Changed, Status::Ok]
        .into_iter()
        .find(|status| any(*status))
        .unwrap_or(Status::Skipped)
}

/// A result with what the loop calls its item.
fn with_item(layers: &[Arc<Layer>], values: &Map) -> Value {
    let mut values = values.clone();
    for (name, binding) in layers.iter().flat_map(|layer| &layer.values) {
        if let Binding::Data(value) = binding {
            values.insert(name.clone(), (**value).clone());
        }
    }
    Value::Map(values)
}
