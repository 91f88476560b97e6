//! What an answer comes to: `failed_when`, `changed_when`, `until`, and the shapes of registered results.

use std::sync::Arc;

use indexmap::IndexMap;

use super::flight::Ended;
use super::prepare::{Bench, argument_span};
use super::scope::{data, layer};
use crate::change::diff::Diff;
use crate::diagnostic::Diagnostic;
use crate::event::Status;
use crate::failure::Failure;
use crate::map;
use crate::source::Span;
use crate::steps::{Step, Work};
use crate::template::RenderError;
use crate::value::{Map, Value};
use crate::vars::{Layer, Level};
use crate::yaml::Node;

/// A judged item.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// How it ended.
    pub status: Status,
    /// What is registered.
    pub values: Map,
    /// What changed.
    pub diffs: Vec<Diff>,
    /// Things the user should know.
    pub warnings: Vec<String>,
    /// Where a failure came from.
    pub cause: Option<Span>,
    /// A failure that is one of the text.
    pub diagnostic: Option<Box<Diagnostic>>,
    /// How long the agent worked.
    pub micros: u64,
    /// `until` does not hold yet.
    pub again: bool,
}

impl Verdict {
    fn new(status: Status, values: Map) -> Self {
        Verdict {
            status,
            values,
            diffs: Vec::new(),
            warnings: Vec::new(),
            cause: None,
            diagnostic: None,
            micros: 0,
            again: false,
        }
    }

    /// Whether it counts as failed.
    pub fn is_failed(&self) -> bool {
        matches!(self.status, Status::Failed | Status::Unreachable)
    }
}

/// Judges how one item ended. `planning`: an unknown is not an error.
pub fn judge(
    bench: &Bench,
    step: &Step,
    layers: &[Arc<Layer>],
    ended: Ended,
    attempts: u32,
    planning: bool,
) -> Verdict {
    match ended {
        Ended::Skipped(condition) => Verdict::new(
            Status::Skipped,
            map! {
                "changed" => false, "skipped" => true, "skip_reason" => "Conditional result was False",
                "false_condition" => condition,
            },
        ),
        Ended::Unknown(after) => {
            let mut verdict = Verdict::new(Status::Unknown, map! { "changed" => Value::Unknown(after.clone()) });
            verdict.warnings.push(format!("known after: {after}"));
            verdict
        }
        Ended::Variables(values, _) => Verdict::new(Status::Ok, values),
        Ended::Lost(why) => {
            Verdict::new(Status::Unreachable, map! { "changed" => false, "unreachable" => true, "msg" => why })
        }
        Ended::Wrong(diagnostic) => {
            let mut verdict = failure(Failure::new(diagnostic.message.clone()), Some(diagnostic.span));
            verdict.diagnostic = Some(diagnostic);
            verdict
        }
        Ended::Failed(failed) => {
            let cause = cause(step, &failed);
            conditions(bench, step, layers, failure(*failed, cause), attempts, planning)
        }
        Ended::Outcome(outcome) => {
            let mut verdict = match outcome.failure {
                Some(failed) => {
                    let cause = cause(step, &failed);
                    let mut values = outcome.values;
                    values.extend(failed.values.clone());
                    failure(Failure { values, ..failed }, cause)
                }
                None => {
                    let mut values = outcome.values;
                    values.insert("changed".into(), Value::Bool(outcome.changed));
                    values.insert("failed".into(), Value::Bool(false));
                    let skipped = values.get("skipped").is_some_and(Value::is_true);
                    let status = match (outcome.changed, skipped) {
                        (true, _) => Status::Changed,
                        (false, true) => Status::Skipped,
                        (false, false) => Status::Ok,
                    };
                    Verdict::new(status, values)
                }
            };
            verdict.diffs = outcome.diffs;
            verdict.warnings = outcome.warnings;
            verdict.micros = outcome.micros;
            conditions(bench, step, layers, verdict, attempts, planning)
        }
    }
}

/// A failure with its values.
fn failure(failed: Failure, cause: Option<Span>) -> Verdict {
    let mut values = failed.values;
    values.insert("failed".into(), Value::Bool(true));
    values.entry("changed".into()).or_insert(Value::Bool(false));
    if !failed.message.is_empty() || !values.contains_key("msg") {
        values.insert("msg".into(), Value::Str(failed.message));
    }
    let mut verdict = Verdict::new(Status::Failed, values);
    verdict.cause = cause;
    verdict
}

/// Where the argument that caused it stands.
fn cause(step: &Step, failed: &Failure) -> Option<Span> {
    let Work::Call { spec, args, .. } = &step.work else { return None };
    argument_span(args, spec, failed.argument.as_deref()?)
}

/// Applies `changed_when`, `failed_when` and `until`, each of which sees the result under its registered name.
fn conditions(
    bench: &Bench,
    step: &Step,
    layers: &[Arc<Layer>],
    mut verdict: Verdict,
    attempts: u32,
    planning: bool,
) -> Verdict {
    let keywords = &step.keywords;
    if keywords.changed_when.is_empty() && keywords.failed_when.is_empty() && keywords.until.is_empty() {
        return verdict;
    }
    if !keywords.until.is_empty() {
        verdict.values.insert("attempts".into(), Value::Int(attempts.into()));
    }
    let holds = |conditions: &[Arc<Node>], values: &Map| -> Result<bool, RenderError> {
        let mut layers = layers.to_vec();
        if let Some(name) = &keywords.register {
            let values = IndexMap::from([(name.clone(), data(Value::Map(values.clone())))]);
            layers.push(Arc::new(layer(Level::Magic, "the result", values)));
        }
        let scope = bench.with(&layers);
        for condition in conditions {
            if !bench.templar.condition(condition, &scope)? {
                return Ok(false);
            }
        }
        Ok(true)
    };
    let trouble = |verdict: &mut Verdict, error: RenderError, what: &str| match error {
        // In a plan the result itself is what is not known.
        RenderError::Unknown(after) if planning => {
            verdict.status = Status::Unknown;
            verdict.warnings.push(format!("`{what}` is known after: {after}"));
        }
        RenderError::Undefined(diagnostic) | RenderError::Wrong(diagnostic) => {
            verdict.status = Status::Failed;
            verdict.values.insert("failed".into(), true.into());
            verdict.values.insert("msg".into(), format!("`{what}`: {}", diagnostic.message).into());
            verdict.cause = Some(diagnostic.span);
            verdict.diagnostic = Some(diagnostic);
        }
        RenderError::Unknown(_) | RenderError::Pending => {}
    };
    if !keywords.changed_when.is_empty() && verdict.status != Status::Failed {
        match holds(&keywords.changed_when, &verdict.values) {
            Ok(changed) => {
                verdict.status = if changed { Status::Changed } else { Status::Ok };
                verdict.values.insert("changed".into(), changed.into());
            }
            Err(error) => trouble(&mut verdict, error, "changed_when"),
        }
    }
    if !keywords.failed_when.is_empty() && verdict.status != Status::Unknown {
        match holds(&keywords.failed_when, &verdict.values) {
            Ok(failed) => {
                verdict.values.insert("failed".into(), failed.into());
                verdict.values.insert("failed_when_result".into(), failed.into());
                if failed {
                    verdict.status = Status::Failed;
                    verdict.cause = verdict.cause.or_else(|| keywords.failed_when.first().map(|node| node.span));
                } else if verdict.status == Status::Failed {
                    let changed = verdict.values.get("changed").is_some_and(Value::is_true);
                    verdict.status = if changed { Status::Changed } else { Status::Ok };
                }
            }
            Err(error) => trouble(&mut verdict, error, "failed_when"),
        }
    }
    if !keywords.until.is_empty() && verdict.status != Status::Unknown {
        match holds(&keywords.until, &verdict.values) {
            Ok(satisfied) => verdict.again = !satisfied,
            Err(RenderError::Undefined(_)) if verdict.is_failed() => verdict.again = true,
            Err(error) => trouble(&mut verdict, error, "until"),
        }
    }
    verdict
}

/// The result of a loop as a whole, in Ansible's shape.
pub fn whole(items: &[(Option<Value>, String, Verdict)]) -> Verdict {
    let results: Vec<Value> = items
        .iter()
        .map(|(item, var, verdict)| {
            let mut values = verdict.values.clone();
            values.insert(var.clone(), item.clone().unwrap_or_default());
            values.insert("ansible_loop_var".into(), var.as_str().into());
            Value::Map(values)
        })
        .collect();
    if items.is_empty() {
        return Verdict::new(
            Status::Skipped,
            map! {
                "changed" => false, "skipped" => true, "skipped_reason" => "No items in the list",
                "results" => Value::List(results),
            },
        );
    }
    let any = |status: Status| items.iter().any(|(_, _, verdict)| verdict.status == status);
    let status = [Status::Unreachable, Status::Failed, Status::Unknown, Status::Changed]
        .into_iter()
        .find(|status| any(*status))
        .unwrap_or(if items.iter().all(|(_, _, v)| v.status == Status::Skipped) {
            Status::Skipped
        } else {
            Status::Ok
        });
    let mut values = map! {
        "results" => Value::List(results),
        "changed" => items.iter().any(|(_, _, v)| v.values.get("changed").is_some_and(|c| c == &Value::Bool(true))),
    };
    match status {
        Status::Failed | Status::Unreachable => {
            values.insert("failed".into(), true.into());
            values.insert("msg".into(), "One or more items failed".into());
        }
        Status::Skipped => {
            values.insert("skipped".into(), true.into());
            values.insert("msg".into(), "All items skipped".into());
        }
        _ => {
            values.insert("skipped".into(), false.into());
            values.insert("failed".into(), false.into());
            values.insert("msg".into(), "All items completed".into());
        }
    }
    let first = items.iter().map(|(_, _, verdict)| verdict).find(|verdict| verdict.is_failed());
    let mut verdict = Verdict::new(status, values);
    verdict.micros = items.iter().map(|(_, _, verdict)| verdict.micros).sum();
    verdict.cause = first.and_then(|failed| failed.cause);
    verdict.diagnostic = first.and_then(|failed| failed.diagnostic.clone());
    verdict
}
