//! All steps of a play, those of dynamic includes too as far as their names can be told, and which of them are certain to
//! be reached.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, kinds};
use crate::module::Things;
use crate::playbook::Play;
use crate::source::Span;
use crate::steps::{Item, Options, PlaySteps, Step, Work};
use crate::value::Value;
use crate::vars::Layer;
use crate::yaml::{Node, NodeKind};

use super::{follow, silence};

/// What the checks see of a play.
pub(super) struct View {
    pub play: Arc<Play>,
    /// All steps, handlers too.
    pub steps: Vec<Seen>,
    /// The handlers among them.
    pub handlers: Vec<Arc<Step>>,
    /// Variables of roles that the whole play sees.
    pub layers: Vec<Arc<Layer>>,
    /// Includes that only the run can name: more may be defined there than is seen here.
    pub unfollowed: Vec<Span>,
}

/// A step, and whether it matters.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub step: Arc<Step>,
    /// Whether every run comes to it, and a failure of it is one of the run: it is loaded before the run, no handler, not
    /// under a `rescue`, and nothing before it may end the play.
    pub reached: bool,
    /// Whether a step before it may have made the file that it names.
    pub earlier_writes: bool,
}

impl Seen {
    /// Whether its first condition is evaluated, for each item of its loop if it has one.
    pub fn is_asked(&self) -> bool {
        self.reached && self.step.repeat.as_ref().is_none_or(|repeat| has_items(&repeat.over))
    }

    /// Whether it is carried out whatever the variables are.
    pub fn is_carried_out(&self) -> bool {
        self.is_asked() && self.step.when.iter().all(|when| says(when, true))
    }

    /// What is certain only if `certain` holds.
    pub fn weigh(certain: bool, problem: Diagnostic) -> Diagnostic {
        if certain { problem } else { problem.possible() }
    }
}

impl View {
    /// Looks at a play.
    pub fn of(steps: &PlaySteps, around: &mut Around, problems: &mut Vec<Diagnostic>) -> Self {
        let mut walk = Walk {
            view: View {
                play: steps.play.clone(),
                steps: Vec::new(),
                handlers: Vec::new(),
                layers: steps.layers.clone(),
                unfollowed: Vec::new(),
            },
            plan: steps,
            may_have_ended: !around.runs,
            around,
            problems,
            open: Vec::new(),
        };
        walk.items(&steps.items, true);
        walk.handlers(&steps.handlers);
        walk.view
    }

    /// Whether something is included that is not seen here.
    pub fn is_open(&self) -> bool {
        !self.unfollowed.is_empty()
    }
}

/// What was not looked at in these plays, in one line.
pub(super) fn unseen(views: &[View]) -> Option<Diagnostic> {
    let mut spans: Vec<Span> = Vec::new();
    for span in views.iter().flat_map(|view| &view.unfollowed) {
        if !spans.contains(span) && !silence::is_noted(*span, &kinds::UNFOLLOWED_INCLUDE) {
            spans.push(*span);
        }
    }
    let (first, others) = spans.split_first()?;
    let message = match others.len() {
        0 => "this include is only known in the run: nothing is said about what it brings".to_owned(),
        more => format!("{} includes are only known in the run: nothing is said about what they bring", more + 1),
    };
    let problem = Diagnostic::warning(*first, message).of(&kinds::UNFOLLOWED_INCLUDE);
    Some(others.iter().fold(problem, |problem, span| problem.note(*span, "and this")))
}

/// What of the whole run matters for a play.
pub(super) struct Around<'a> {
    /// What the command line selects.
    pub options: &'a Options,
    /// Whether the play has hosts and is not cut by `--start-at-task`.
    pub runs: bool,
    /// Whether one of its hosts is the controller.
    pub is_here: bool,
    /// Whether a step so far, also of earlier plays, may have written files of the controller.
    pub writes: bool,
}

struct Walk<'a, 'o> {
    view: View,
    plan: &'a PlaySteps,
    around: &'a mut Around<'o>,
    problems: &'a mut Vec<Diagnostic>,
    /// The includes that are being looked into, so that one that includes itself ends.
    open: Vec<(Span, Option<String>)>,
    /// Whether a step so far may have ended the play.
    may_have_ended: bool,
}

impl Walk<'_, '_> {
    fn items(&mut self, items: &[Item], reached: bool) {
        for item in items {
            match item {
                Item::Step(step) => self.step(step, reached),
                Item::Block(block) => {
                    self.items(&block.main, reached && !block.has_rescue);
                    self.items(&block.rescue, false);
                    self.items(&block.always, reached);
                }
            }
        }
    }

    fn handlers(&mut self, handlers: &[Arc<Step>]) {
        for handler in handlers {
            self.view.handlers.push(handler.clone());
            let before = self.view.steps.len();
            self.step(handler, false);
            // What a handler includes are handlers.
            let included = self.view.steps[before + 1..].iter().map(|seen| seen.step.clone());
            self.view.handlers.extend(included);
        }
    }

    fn step(&mut self, step: &Arc<Step>, reached: bool) {
        let is_ignored = step.keywords.ignore_errors.as_ref().is_some_and(|node| !says(node, false));
        let is_selected = self.around.options.selects(&step.tags);
        let is_again = step.run.is_some_and(|run| run.again);
        let reached = reached && !self.may_have_ended && !is_ignored && is_selected && !is_again;
        self.view.steps.push(Seen { step: step.clone(), reached, earlier_writes: self.around.writes });
        self.may_have_ended |= ends_play(step);
        let here = if self.around.is_here { Things::HOST.and(Things::FILES) } else { Things::FILES };
        self.around.writes |= matches!(step.work, Work::Call { .. }) && step.effects.writes.meets(here);
        if step.work.is_include() && !self.open.contains(&(step.span, step.role.clone())) {
            self.open.push((step.span, step.role.clone()));
            self.include(step);
            self.open.pop();
        }
    }

    /// What an include brings may never come: the run has its own idea of where it leads.
    fn include(&mut self, step: &Step) {
        let found = follow::include(&self.plan.expander, step);
        if !found.is_whole {
            self.view.unfollowed.push(step.span);
            self.may_have_ended = true;
            self.around.writes = true;
        }
        for (included, problems) in found.brought {
            self.problems.extend(problems.into_iter().map(Diagnostic::possible));
            self.view.layers.extend(included.layers);
            self.items(&included.items, false);
            self.handlers(&included.handlers);
        }
    }
}

/// `meta: end_play` and its kin: what stands behind may not be reached.
fn ends_play(step: &Step) -> bool {
    let Work::Call { spec, args, .. } = &step.work else { return false };
    let ends = |node: &Node| node.as_str().is_some_and(|text| text.starts_with("end_"));
    spec.name == "meta" && args.as_map().into_iter().flatten().any(|(_, entry)| ends(&entry.value))
}

/// Whether a node is this boolean, written out.
fn says(node: &Node, flag: bool) -> bool {
    let word = match &node.kind {
        NodeKind::Scalar(Value::Bool(value)) => return *value == flag,
        NodeKind::Scalar(Value::Str(text)) => text.trim().to_ascii_lowercase(),
        _ => return false,
    };
    word == if flag { "true" } else { "false" }
}

/// Whether a loop is a list that is written out and has items.
fn has_items(over: &Node) -> bool {
    over.as_list().is_some_and(|items| !items.is_empty())
}
