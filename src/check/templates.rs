//! Templates that cannot be read, filters, tests and lookups that do not exist, variables that nobody defines.

use std::collections::HashSet;
use std::sync::Arc;

use super::facts;
use super::names::Known;
use super::walk::{Seen, View};
use crate::diagnostic::{Diagnostic, kinds};
use crate::module::Kind;
use crate::playbook::is_template;
use crate::steps::{Step, Work};
use crate::template::{Binding, Inspection, Reading, Templar, TemplateOptions, Use};
use crate::yaml::{self, Node};

/// Looks at all templates of a play. `known` are the names that somebody defines; without it nothing is said of names.
pub(super) fn check(view: &View, templar: &Templar, known: Option<&Known>, problems: &mut Vec<Diagnostic>) {
    let mut seen = HashSet::new();
    let play = view.layers.iter();
    for layer in play.chain(view.steps.iter().flat_map(|seen| &seen.step.layers)) {
        for binding in layer.values.values() {
            if let Binding::Template(node) = binding
                && seen.insert(Arc::as_ptr(node))
            {
                variable(templar, node, problems);
            }
        }
    }
    for seen in &view.steps {
        look(seen, templar, known, problems);
    }
}

/// A variable that nobody may ever use: what is wrong in it deserves a word.
fn variable(templar: &Templar, node: &Node, problems: &mut Vec<Diagnostic>) {
    let found = templar.inspect(node, Reading::Text).problems;
    problems.extend(found.into_iter().map(Diagnostic::possible));
}

/// The texts of a step. Those of `when` are certain to be evaluated up to the first that may not hold; the others where the
/// step is certain to be carried out.
fn look(seen: &Seen, templar: &Templar, known: Option<&Known>, problems: &mut Vec<Diagnostic>) {
    let step = &seen.step;
    let mut conditions = Inspection::default();
    let mut whole = Inspection::default();
    for (index, node) in step.when.iter().enumerate() {
        let certain = seen.is_asked() && index == 0;
        merge(&mut conditions, weighed(templar.inspect(node, Reading::Condition), certain));
    }
    let keywords = &step.keywords;
    for node in keywords.changed_when.iter().chain(&keywords.failed_when).chain(&keywords.until) {
        // They are looked at after the step: what it registers is there by then.
        merge(&mut whole, unsure(templar.inspect(node, Reading::Condition)));
    }
    for (_, node) in keywords.templates() {
        merge(&mut whole, templar.inspect(node, Reading::Text));
    }
    if let Some(repeat) = &step.repeat {
        merge(&mut whole, templar.inspect(&repeat.over, Reading::Text));
        for node in repeat.label.iter().chain(&repeat.pause) {
            merge(&mut whole, unsure(templar.inspect(node, Reading::Text)));
        }
        for node in &repeat.break_when {
            merge(&mut whole, unsure(templar.inspect(node, Reading::Condition)));
        }
    }
    match &step.work {
        Work::Call { spec, args, .. } => {
            for (key, entry) in args.as_map().into_iter().flatten() {
                let reading = match (spec.name, key.as_str()) {
                    ("assert", "that") => Reading::Condition,
                    ("debug", "var") => Reading::Expression,
                    _ => Reading::Text,
                };
                let found = templar.inspect(&entry.value, reading);
                // `debug` says itself that a variable is undefined.
                merge(&mut whole, if spec.name == "debug" && key == "var" { unsure(found) } else { found });
                if spec.param(key).is_some_and(|param| param.kind == Kind::Template) {
                    merge(&mut whole, template_file(step, templar, args, &entry.value));
                }
            }
        }
        Work::IncludeTasks { file, .. } => merge(&mut whole, templar.inspect(file, Reading::Text)),
        Work::IncludeRole { args, .. } => merge(&mut whole, templar.inspect(args, Reading::Text)),
        Work::Flush | Work::Gather | Work::RoleEnd => {}
    }
    let mut whole = weighed(whole, seen.is_carried_out());
    problems.append(&mut conditions.problems);
    problems.append(&mut whole.problems);
    if let Some(known) = known {
        whole.guarded.extend(conditions.guarded.iter().cloned());
        names(step, known, conditions.uses.iter().chain(&whole.uses), &whole.guarded, problems);
    }
}

fn merge(into: &mut Inspection, mut found: Inspection) {
    into.problems.append(&mut found.problems);
    into.uses.append(&mut found.uses);
    into.guarded.extend(found.guarded);
}

/// What was found in a text that is certain to be evaluated, or is not.
fn weighed(mut found: Inspection, certain: bool) -> Inspection {
    found.problems = found.problems.into_iter().map(|problem| Seen::weigh(certain, problem)).collect();
    if certain { found } else { unsure(found) }
}

/// What may never be evaluated.
fn unsure(mut found: Inspection) -> Inspection {
    found.uses.iter_mut().for_each(|used| used.certain = false);
    found
}

/// The template file that an argument names, if it can be told which it is and how it is read.
fn template_file(step: &Step, templar: &Templar, args: &Node, name: &Node) -> Inspection {
    let custom =
        args.as_map().into_iter().flatten().any(|(key, _)| key.ends_with("_string") || key.ends_with("_blocks"));
    let Some(text) = name.as_str().filter(|_| !is_template(name) && !custom) else { return Inspection::default() };
    let path = step.files.candidates("templates", text).into_iter().find(|path| path.is_file());
    let Some((path, text)) = path.and_then(|path| Some((path.clone(), yaml::read_source(&path).ok()?))) else {
        return Inspection::default();
    };
    unsure_of_magic(templar.inspect_file(&path, &text, &TemplateOptions::default()))
}

/// Names that the module `template` adds.
fn unsure_of_magic(mut found: Inspection) -> Inspection {
    found.uses.retain(|used| !used.name.starts_with("template_"));
    found
}

/// Variables that nobody defines. It is an error where they are certain to be evaluated; elsewhere, and where the name may
/// be a fact, it deserves a word.
fn names<'a>(
    step: &Step,
    known: &Known,
    uses: impl Iterator<Item = &'a Use>,
    guarded: &HashSet<String>,
    problems: &mut Vec<Diagnostic>,
) {
    let own = step.keywords.register.iter().map(String::as_str);
    let looped = step.repeat.iter().flat_map(|repeat| std::iter::once(&repeat.var).chain(&repeat.index_var));
    let own: HashSet<&str> = own.chain(looped.map(String::as_str)).collect();
    let mut reported = HashSet::new();
    for used in uses {
        let name = used.name.as_str();
        let defined = known.has(name) || own.contains(name) || in_layers(step, name);
        if defined || guarded.contains(name) || !reported.insert(name) {
            continue;
        }
        let problem = Diagnostic::error(used.span, format!("nothing defines the variable `{name}`"))
            .of(&kinds::UNDEFINED_VARIABLE)
            .suggest(name, known.names())
            .or_help("define it, give it with `-e`, or add `| default(…)` where it may be missing");
        problems.push(Seen::weigh(used.certain && !facts::may_be(name), problem));
    }
}

fn in_layers(step: &Step, name: &str) -> bool {
    step.layers.iter().any(|layer| layer.values.contains_key(name))
}
