//! Arguments that a module does not have, that are missing, or that are not what it takes.

use super::walk::Seen;
use crate::diagnostic::{Diagnostic, kinds, nearest};
use crate::module::{Kind, ModuleSpec, Param};
use crate::playbook::is_template;
use crate::source::Span;
use crate::steps::{Step, UNKNOWN, Work};
use crate::value::Map;
use crate::yaml::{Node, NodeKind, Tag};

/// What the arguments of a module must be. A task with a `failed_when` may say that such a failure is none.
pub(super) fn check(seen: &Seen, problems: &mut Vec<Diagnostic>) {
    let certain = seen.is_carried_out() && seen.step.keywords.failed_when.is_empty();
    let mut found = Vec::new();
    look(&seen.step, &mut found);
    problems.extend(found.into_iter().map(|problem| Seen::weigh(certain, problem)));
}

fn look(step: &Step, problems: &mut Vec<Diagnostic>) {
    let Work::Call { spec, name, args } = &step.work else { return };
    if std::ptr::eq(*spec, &UNKNOWN) {
        return;
    }
    let before = problems.len();
    for (key, entry) in args.as_map().into_iter().flatten() {
        match spec.param(key).filter(|param| !param.is_internal()) {
            Some(param) => {
                // The free form of `meta: flush_handlers` has no name that its user knows.
                let is_free = spec.free_form == Some(key) && entry.key == entry.value.span;
                problems.extend(wrong_value(param, if is_free { spec.name } else { key }, &entry.value));
            }
            None if spec.any_arguments => {}
            None => problems.push(unknown(spec, key, entry.key)),
        }
    }
    problems.extend(missing(spec, *name, args));
    if problems.len() == before && is_literal(args) {
        problems.extend(refused(spec, *name, args));
    }
}

fn unknown(spec: &ModuleSpec, key: &str, span: Span) -> Diagnostic {
    let names: Vec<&str> =
        spec.public_params().flat_map(|param| std::iter::once(&param.name).chain(param.aliases)).copied().collect();
    Diagnostic::error(span, format!("`{}` has no argument `{key}`", spec.name))
        .of(&kinds::UNKNOWN_ARGUMENT)
        .label("unknown argument")
        .suggest(key, names.iter().copied())
        .or_help(format!("`wodctl doc {}` lists its arguments", spec.name))
}

fn wrong_value(param: &Param, key: &str, node: &Node) -> Option<Diagnostic> {
    if node.is_null() || !is_literal(node) {
        return None;
    }
    let value = node.to_value();
    let message = (param.reads)(&value).err()?;
    let problem = Diagnostic::error(node.span, format!("`{key}`: {message}")).of(&kinds::WRONG_ARGUMENT);
    let choices = match param.kind {
        Kind::Choice(choices) => choices,
        Kind::List(Kind::Choice(choices)) => *choices,
        _ => &[],
    };
    Some(match value.as_str().and_then(|text| nearest(text, choices.iter().copied())) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem,
    })
}

/// Arguments that have to be given and are not.
fn missing<'a>(spec: &'a ModuleSpec, name: Span, args: &'a Node) -> impl Iterator<Item = Diagnostic> + 'a {
    let given = |param: &Param| {
        let mut keys = std::iter::once(&param.name).chain(param.aliases);
        keys.any(|key| args.get(key).is_some_and(|node| !node.is_null()))
    };
    (spec.params)().iter().filter(move |param| param.required && !given(param)).map(move |param| {
        let what = match spec.free_form {
            Some(free) if free == param.name => format!("`{}` needs something to do", spec.name),
            _ => format!("`{}` needs the argument `{}`", spec.name, param.name),
        };
        let summary = param.doc.lines().next().unwrap_or_default().trim();
        Diagnostic::error(name, what).of(&kinds::MISSING_ARGUMENT).help(format!("{}: {summary}", param.name))
    })
}

/// What the module itself has against its arguments, when all are known.
fn refused(spec: &ModuleSpec, name: Span, args: &Node) -> Option<Diagnostic> {
    let values: Map = args.as_map()?.iter().map(|(key, entry)| (key.clone(), entry.value.to_value())).collect();
    let error = spec.build?(&values).err()?;
    let span = error.argument.as_deref().and_then(|key| args.get(key)).map_or(name, |node| node.span);
    Some(Diagnostic::error(span, format!("`{}`: {}", spec.name, error.message)).of(&kinds::WRONG_ARGUMENT))
}

/// Whether nothing in it has to be rendered or decrypted first.
pub(super) fn is_literal(node: &Node) -> bool {
    if node.tag == Some(Tag::Vault) {
        return false;
    }
    match &node.kind {
        NodeKind::Scalar(_) => !is_template(node),
        NodeKind::List(items) => items.iter().all(is_literal),
        NodeKind::Map(entries) => entries.values().all(|entry| is_literal(&entry.value)),
    }
}
