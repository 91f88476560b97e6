//! What can be said about playbooks before any host is touched: all problems at once, each with its place.
//!
//! Reading and expanding report what is not understood; the checks here, one file each, look at the steps: does each
//! module exist and take these arguments, are the files there, is somebody listening to each notification.

mod arguments;
mod become_;
mod facts;
mod files;
mod follow;
mod handlers;
mod keywords;
mod names;
mod prompts;
mod secrets;
mod selected;
mod silence;
mod targets;
mod templates;
mod walk;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::PathBuf;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Severity};
use crate::inventory::{Inventory, Limit};
use crate::playbook::Project;
use crate::source::Span;
use crate::steps::{self, Expander, Options, PlaySteps};
use crate::template::{Binding, Templar};
use crate::vars::Layer;
use names::Known;
use selected::Tags;
pub use silence::silence;
use targets::Targets;
use walk::{Around, View};

/// What is to be checked.
#[derive(Debug)]
pub struct Input<'a> {
    /// The playbooks, in order.
    pub playbooks: &'a [PathBuf],
    /// Where roles are found.
    pub project: &'a Arc<Project>,
    /// What the command line selects.
    pub options: &'a Options,
    /// The hosts; without them nothing is said of hosts and their variables.
    pub inventory: Option<&'a Inventory>,
    /// `--limit`.
    pub limit: Option<&'a Limit>,
    /// Whether `-b` may stand in for the keyword `become`.
    pub becomes: bool,
}

/// What a check found.
#[derive(Debug)]
pub struct Checked {
    /// Each play with its hosts.
    pub plays: Vec<CheckedPlay>,
    /// Everything that is wrong, in the order of the files.
    pub problems: Vec<Diagnostic>,
}

/// A play that was checked.
#[derive(Debug)]
pub struct CheckedPlay {
    /// The playbook that was named and led here.
    pub playbook: PathBuf,
    /// Its steps, as selected.
    pub steps: PlaySteps,
    /// Its hosts, as limited; empty without an inventory.
    pub hosts: Vec<String>,
    /// Whether it may have more hosts when it is run: those that earlier plays add, or that the operator names.
    pub may_grow: bool,
}

impl Checked {
    /// How many problems are certain: no run gets around them.
    pub fn certain(&self) -> usize {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    /// How many are only possible.
    pub fn possible(&self) -> usize {
        self.problems.len() - self.certain()
    }
}

/// Reads and expands playbooks and runs all checks. Tags do not limit the checks: a wrong task is wrong whoever selects it.
pub fn check(input: &Input) -> Checked {
    let mut problems = Vec::new();
    let mut plays = Vec::new();
    let mut targets = Targets::new(input.inventory, input.limit);
    let mut tags = Tags::default();
    let mut options = input.options.clone();
    let everything = Options {
        tags: vec!["all".to_owned(), "never".to_owned()],
        skip_tags: Vec::new(),
        start_at_task: None,
        ..options.clone()
    };
    let mut known = input.inventory.map(|inventory| Known::new(inventory, input.playbooks, &input.options.early));
    let mut views = Vec::new();
    let mut writes = false;
    for path in input.playbooks {
        let (found, wrong) = steps::plays(path, input.project, &options);
        problems.extend(wrong);
        for play in found {
            let (whole, wrong) = Expander::expand(&play, input.project, &everything);
            problems.extend(wrong);
            let (hosts, may_grow) = targets.of(&play, &options, &mut problems);
            let mut around = Around {
                options: &options,
                runs: (input.inventory.is_none() || !hosts.is_empty()) && options.start_at_task.is_none(),
                is_here: hosts.iter().any(|host| is_here(input, host)),
                writes,
            };
            let view = View::of(&whole, &mut around, &mut problems);
            writes = around.writes;
            look(&view, input, &mut problems);
            targets.see(&view);
            tags.see(&view);
            if let Some(known) = &mut known {
                known.see(&view);
            }
            views.push(view);
            let (steps, _) = Expander::expand(&play, input.project, &options);
            if steps.started {
                options.start_at_task = None;
            }
            plays.push(CheckedPlay { playbook: path.clone(), steps, hosts, may_grow });
        }
    }
    // A name may be defined by a later play that an earlier one is run after.
    let known = known.filter(|known| !known.is_open);
    let templar = Templar::new();
    problems.extend(walk::unseen(&views));
    for view in &views {
        prompts::check(&view.play, &templar, &mut problems);
        templates::check(view, &templar, known.as_ref(), &mut problems);
    }
    targets.check(&mut problems);
    tags.check(input.options, options.start_at_task.as_deref(), &mut problems);
    Checked { plays, problems: once(problems) }
}

/// Whether a host is the machine that wodctl runs on.
fn is_here(input: &Input, host: &str) -> bool {
    let layers = input.inventory.and_then(|inventory| inventory.layers(host, None).ok());
    let is_local = |layer: &Arc<Layer>| match layer.values.get("ansible_connection") {
        Some(Binding::Template(node)) => node.as_str() != Some("ssh"),
        Some(Binding::Data(value)) => value.as_str() != Some("ssh"),
        _ => false,
    };
    steps::is_controller(host) || layers.into_iter().flatten().any(|layer| is_local(&layer))
}

/// All checks of one play.
fn look(view: &View, input: &Input, problems: &mut Vec<Diagnostic>) {
    for seen in &view.steps {
        arguments::check(seen, problems);
        files::check(seen, problems);
        keywords::check(seen, problems);
        become_::check(&seen.step, input.becomes, problems);
        secrets::check(&seen.step, problems);
    }
    files::check_play(view, problems);
    handlers::check(view, problems);
}

/// Each problem once: a role that is used twice is wrong in one place. It is certain if it is so in one of its uses.
fn once(problems: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut places: HashMap<(Span, String), usize> = HashMap::new();
    let mut found: Vec<Diagnostic> = Vec::new();
    for problem in problems {
        match places.entry((problem.span, problem.message.clone())) {
            Entry::Occupied(place) => {
                let known = &mut found[*place.get()];
                known.severity = known.severity.max(problem.severity);
            }
            Entry::Vacant(place) => {
                place.insert(found.len());
                found.push(problem);
            }
        }
    }
    found
}
