//! All steps of a play, those of dynamic includes too as far as their names are written out.

use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::playbook::{Play, is_template};
use crate::source::Span;
use crate::steps::{Included, Item, PlaySteps, Step, Work};
use crate::value::{Map, Value};
use crate::vars::Layer;
use crate::yaml::Node;

/// What the checks see of a play.
pub(super) struct View<'a> {
    pub play: &'a Play,
    /// All steps, handlers too.
    pub steps: Vec<Arc<Step>>,
    /// The handlers among them.
    pub handlers: Vec<Arc<Step>>,
    /// Variables of roles that the whole play sees.
    pub layers: Vec<Arc<Layer>>,
    /// Whether something is included that only the run can name: then more may be defined than is seen here.
    pub is_open: bool,
}

impl<'a> View<'a> {
    pub fn of(steps: &'a PlaySteps, problems: &mut Vec<Diagnostic>) -> Self {
        let mut walk = Walk {
            view: View {
                play: &steps.play,
                steps: Vec::new(),
                handlers: Vec::new(),
                layers: steps.layers.clone(),
                is_open: false,
            },
            plan: steps,
            problems,
            open: Vec::new(),
        };
        walk.items(&steps.items);
        walk.handlers(&steps.handlers);
        walk.view
    }
}

struct Walk<'a, 'p> {
    view: View<'a>,
    plan: &'a PlaySteps,
    problems: &'p mut Vec<Diagnostic>,
    /// The includes that are being looked into, so that one that includes itself ends.
    open: Vec<(Span, Option<String>)>,
}

impl Walk<'_, '_> {
    fn items(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Step(step) => self.step(step),
                Item::Block(block) => {
                    self.items(&block.main);
                    self.items(&block.rescue);
                    self.items(&block.always);
                }
            }
        }
    }

    fn handlers(&mut self, handlers: &[Arc<Step>]) {
        for handler in handlers {
            self.view.handlers.push(handler.clone());
            let before = self.view.steps.len();
            self.step(handler);
            // What a handler includes are handlers.
            let included = self.view.steps[before + 1..].to_vec();
            self.view.handlers.extend(included);
        }
    }

    fn step(&mut self, step: &Arc<Step>) {
        self.view.steps.push(step.clone());
        let Some(included) = self.included(step) else { return };
        self.open.push((step.span, step.role.clone()));
        match included {
            Ok(included) => {
                self.view.layers.extend(included.layers);
                self.items(&included.items);
                self.handlers(&included.handlers);
            }
            Err(problems) => self.problems.extend(problems),
        }
        self.open.pop();
    }

    /// What an include brings; `None` if the step is none, or if that cannot be told or is being looked at already.
    fn included(&mut self, step: &Step) -> Option<Result<Included, Vec<Diagnostic>>> {
        let args = match &step.work {
            Work::IncludeTasks { file, .. } => Literal::text(file).map(Literal::File),
            Work::IncludeRole { args, .. } => Literal::map(args).map(Literal::Role),
            _ => return None,
        };
        let Some(args) = args else {
            self.view.is_open = true;
            return None;
        };
        if self.open.contains(&(step.span, step.role.clone())) {
            return None;
        }
        let mut params = Map::new();
        if let Some(repeat) = &step.repeat {
            let names = [Some(&repeat.var), repeat.index_var.as_ref()];
            params
                .extend(names.into_iter().flatten().map(|name| (name.clone(), Value::Unknown("the loop".to_owned()))));
        }
        let expander = &self.plan.expander;
        Some(match args {
            Literal::File(file) => expander.include_tasks(step, &file, &params),
            Literal::Role(args) => expander.include_role(step, &args, &params),
        })
    }
}

/// The arguments of an include that are written out.
enum Literal {
    File(String),
    Role(Map),
}

impl Literal {
    fn text(node: &Node) -> Option<String> {
        node.as_str().filter(|_| !is_template(node)).map(str::to_owned)
    }

    fn map(node: &Node) -> Option<Map> {
        let entries = node.as_map()?;
        let fixed = entries.iter().all(|(key, entry)| key == "apply" || !is_template(&entry.value));
        fixed.then(|| entries.iter().map(|(key, entry)| (key.clone(), entry.value.to_value())).collect())
    }
}
