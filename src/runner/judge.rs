//! What an answer comes to: `failed_when`, `changed_when`, `until`, and the shapes of registered results.

mod attempts;
mod whole;

use std::sync::Arc;

pub use self::attempts::Attempts;
pub use self::whole::whole;

use indexmap::IndexMap;

use super::prepare::{Bench, argument_span};
use super::scope::{data, layer};
use super::task_run::Ended;
use crate::change::diff::Diff;
use crate::diagnostic::Diagnostic;
use crate::event::Status;
use crate::failure::Failure;
use crate::map;
use crate::protocol::Outcome;
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
    /// It is to be tried again.
    pub again: bool,
}

impl Verdict {
    /// One with these values and nothing else.
    pub fn new(status: Status, values: Map) -> Self {
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

    /// Makes a failure of it for what is wrong with the text.
    pub fn fail(&mut self, problem: Diagnostic) {
        self.status = Status::Failed;
        self.values.insert("failed".into(), true.into());
        self.values.insert("msg".into(), problem.message.clone().into());
        self.cause = Some(problem.span);
        self.diagnostic = Some(Box::new(problem));
    }

    /// Whether it counts as failed.
    pub fn is_failed(&self) -> bool {
        matches!(self.status, Status::Failed | Status::Unreachable)
    }
}

/// Judges how one item ended the `attempt`th time. `planning`: an unknown is not an error.
pub fn judge(bench: &Bench, step: &Step, layers: &[Arc<Layer>], ended: Ended, attempt: u32, planning: bool) -> Verdict {
    let judged = |verdict| Conditions { bench, step, layers, planning }.apply(verdict, attempt);
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
        Ended::Variables(values, _) => judged(Verdict::new(Status::Ok, values)),
        Ended::Lost(why) => {
            Verdict::new(Status::Unreachable, map! { "changed" => false, "unreachable" => true, "msg" => why })
        }
        Ended::Wrong(diagnostic) => wrong(diagnostic),
        Ended::Failed(failed) => {
            let cause = cause(step, &failed);
            judged(failure(*failed, cause))
        }
        Ended::Outcome(mut outcome) => {
            if !planning {
                only_tried(step, &mut outcome);
            }
            let mut verdict = match outcome.failure {
                Some(failed) => {
                    let cause = cause(step, &failed);
                    let mut values = outcome.values;
                    values.shift_remove("msg");
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
            judged(verdict)
        }
    }
}

/// In a real run nothing is unknown: `check_mode: true` returns what Ansible's modules return that were only tried.
fn only_tried(step: &Step, outcome: &mut Outcome) {
    for (name, value) in &mut outcome.values {
        if value.unknown().is_some() {
            *value = match name.as_str() {
                "rc" => 0.into(),
                name if name.ends_with("_lines") => Vec::<Value>::new().into(),
                _ => "".into(),
            };
        }
    }
    if !outcome.opaque {
        return;
    }
    outcome.values.insert("msg".into(), "Command would have run if not in check mode".into());
    let given = |name: &str| matches!(&step.work, Work::Call { args, .. } if args.get(name).is_some());
    if !given("creates") && !given("removes") {
        outcome.changed = false;
        outcome.values.insert("skipped".into(), true.into());
    }
}

/// A failure with its values.
fn failure(failed: Failure, cause: Option<Span>) -> Verdict {
    let mut values = failed.values;
    values.insert("failed".into(), Value::Bool(true));
    values.entry("changed".into()).or_insert(Value::Bool(false));
    values.entry("msg".into()).or_insert(Value::Str(failed.message));
    let mut verdict = Verdict::new(Status::Failed, values);
    verdict.cause = cause;
    verdict
}

/// Where the argument that caused it stands.
fn cause(step: &Step, failed: &Failure) -> Option<Span> {
    let Work::Call { spec, args, .. } = &step.work else { return None };
    argument_span(args, spec, failed.argument.as_deref()?)
}

/// What cannot be rendered or evaluated.
fn wrong(diagnostic: Box<Diagnostic>) -> Verdict {
    let mut verdict = failure(Failure::new(diagnostic.message.clone()), Some(diagnostic.span));
    verdict.diagnostic = Some(diagnostic);
    verdict
}

/// The conditions of a step, each of which sees the result under its registered name.
struct Conditions<'a> {
    bench: &'a Bench<'a>,
    step: &'a Step,
    layers: &'a [Arc<Layer>],
    planning: bool,
}

impl Conditions<'_> {
    /// `changed_when`, then `failed_when`, whatever the module said, unless it skipped; then whether to try again.
    fn apply(&self, mut verdict: Verdict, attempt: u32) -> Verdict {
        let keywords = &self.step.keywords;
        let attempts = match Attempts::of(self.bench, self.step, self.layers) {
            Ok(attempts) => attempts,
            Err(error) => return self.trouble(verdict, error, "retries"),
        };
        if attempts.most > 1 {
            verdict.values.insert("attempts".into(), attempt.max(1).into());
        }
        if !verdict.values.contains_key("skipped") {
            verdict = self.changed(verdict, &keywords.changed_when);
            if !verdict.values.contains_key("changed_when_result") {
                verdict = self.failed(verdict, &keywords.failed_when);
            }
        }
        if attempts.most > 1 && verdict.status != Status::Unknown {
            verdict = self.tried(verdict, attempt, &attempts);
        }
        verdict
    }

    fn changed(&self, mut verdict: Verdict, conditions: &[Arc<Node>]) -> Verdict {
        if conditions.is_empty() {
            return verdict;
        }
        match self.hold(conditions, &verdict.values) {
            Ok(changed) => {
                verdict.values.insert("changed".into(), changed.into());
                if verdict.status != Status::Failed {
                    verdict.status = if changed { Status::Changed } else { Status::Ok };
                }
                verdict
            }
            Err(error) => self.trouble(verdict, error, "changed_when"),
        }
    }

    fn failed(&self, mut verdict: Verdict, conditions: &[Arc<Node>]) -> Verdict {
        if conditions.is_empty() || verdict.status == Status::Unknown {
            return verdict;
        }
        match self.hold(conditions, &verdict.values) {
            Ok(failed) => {
                verdict.values.insert("failed".into(), failed.into());
                verdict.values.insert("failed_when_result".into(), failed.into());
                if failed {
                    verdict.status = Status::Failed;
                    verdict.cause = verdict.cause.or_else(|| conditions.first().map(|node| node.span));
                } else if verdict.status == Status::Failed {
                    verdict.status = passed(&verdict.values);
                }
                verdict
            }
            Err(error) => self.trouble(verdict, error, "failed_when"),
        }
    }

    /// Whether it is tried again; what has been tried often enough has failed, unless `failed_when` let it pass.
    fn tried(&self, mut verdict: Verdict, attempt: u32, attempts: &Attempts) -> Verdict {
        let until = &self.step.keywords.until;
        let enough = match until.is_empty() {
            true => Ok(!verdict.values.get("failed").is_some_and(Value::is_true)),
            false => self.hold(until, &verdict.values),
        };
        match enough {
            Ok(true) => verdict,
            Ok(false) => {
                // What is settled here comes out the same however often it is tried.
                verdict.again = attempt > 0 && attempt < attempts.most;
                if !verdict.again {
                    verdict.values.insert("attempts".into(), (attempts.most - 1).into());
                    verdict.values.insert("failed".into(), true.into());
                    if !verdict.values.contains_key("failed_when_result") {
                        verdict.status = Status::Failed;
                    }
                    verdict.values.entry("msg".into()).or_insert("`until` did not become true".into());
                    verdict.cause = verdict.cause.or_else(|| until.first().map(|node| node.span));
                }
                verdict
            }
            // As in Ansible, nothing of the result is left.
            Err(RenderError::Undefined(diagnostic) | RenderError::Wrong(diagnostic)) => wrong(diagnostic),
            Err(error) => self.trouble(verdict, error, "until"),
        }
    }

    fn hold(&self, conditions: &[Arc<Node>], values: &Map) -> Result<bool, RenderError> {
        let mut layers = self.layers.to_vec();
        if let Some(name) = &self.step.keywords.register {
            let values = IndexMap::from([(name.clone(), data(Value::Map(values.clone())))]);
            layers.push(Arc::new(layer(Level::Magic, "the result", values)));
        }
        let scope = self.bench.with(&layers);
        for condition in conditions {
            if !self.bench.templar.condition(condition, &scope)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A condition that cannot be evaluated: the step fails with what its module returned.
    fn trouble(&self, mut verdict: Verdict, error: RenderError, what: &str) -> Verdict {
        let after = match error {
            RenderError::Undefined(diagnostic) | RenderError::Wrong(diagnostic) => {
                verdict.status = Status::Failed;
                verdict.values.insert("failed".into(), true.into());
                verdict.values.insert(format!("{what}_result"), diagnostic.message.clone().into());
                verdict.values.entry("msg".into()).or_insert(format!("`{what}`: {}", diagnostic.message).into());
                verdict.cause = Some(diagnostic.span);
                verdict.diagnostic = Some(diagnostic);
                return verdict;
            }
            RenderError::Unknown(after) => after,
            RenderError::Pending => "a step before it".to_owned(),
        };
        // In a plan the result itself is what is not known; in a run everything is.
        verdict.status = if self.planning { Status::Unknown } else { Status::Failed };
        verdict.warnings.push(format!("`{what}` is known after: {after}"));
        verdict
    }
}

/// How something ended that did not fail.
fn passed(values: &Map) -> Status {
    if values.get("changed").is_some_and(Value::is_true) { Status::Changed } else { Status::Ok }
}
