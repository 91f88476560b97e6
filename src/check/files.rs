//! Files of the controller that are named but not there.
#![expect(clippy::disallowed_methods, reason = "looks for the files of the controller that playbooks name")]

use std::path::{Path, PathBuf};

use super::walk::{Seen, View};
use crate::diagnostic::{Diagnostic, kinds};
use crate::module::Kind;
use crate::playbook::is_template;
use crate::steps::{Step, Work};
use crate::vars::{read_file, vars_file};
use crate::words;
use crate::yaml::Node;

/// The files and templates that a module's arguments name. What an earlier step may make is not certain to be missing.
pub(super) fn check(seen: &Seen, problems: &mut Vec<Diagnostic>) {
    let certain = seen.is_carried_out() && !seen.earlier_writes && seen.step.keywords.failed_when.is_empty();
    let mut found = Vec::new();
    look(&seen.step, &mut found);
    problems.extend(found.into_iter().map(|problem| Seen::weigh(certain, problem)));
}

fn look(step: &Step, problems: &mut Vec<Diagnostic>) {
    let Work::Call { spec, args, .. } = &step.work else { return };
    let is_remote = spec.is_remote(|name| args.get(name), |node| is_template(node) || says_yes(node))
        // Whose the source is, is said by `delegate_to`.
        || (spec.name == "synchronize" && step.keywords.delegate_to.is_some());
    for (key, entry) in args.as_map().into_iter().flatten() {
        let folder = match spec.param(key).map(|param| param.kind) {
            Some(Kind::Files) if !is_remote => "files",
            Some(Kind::Template) => "templates",
            _ if spec.name == "include_vars" && spec.param(key).is_some_and(|param| param.name == "file") => "vars",
            _ => continue,
        };
        let Some(name) = literal(&entry.value).filter(|name| !name.contains("://")) else { continue };
        let what = if folder == "templates" { "template" } else { "file" };
        match spec.name {
            // Its arguments stand behind it.
            "script" => missing(step, folder, what, &words::first(name).0, &entry.value, problems),
            _ => missing(step, folder, what, name, &entry.value, problems),
        }
    }
}

fn missing(step: &Step, folder: &str, what: &str, name: &str, node: &Node, problems: &mut Vec<Diagnostic>) {
    let candidates = step.files.candidates(folder, name);
    if candidates.iter().any(|path| path.exists()) {
        return;
    }
    let near = names_beside(&candidates);
    let looked: Vec<String> = candidates.iter().map(|path| path.display().to_string()).collect();
    problems.push(
        Diagnostic::error(node.span, format!("there is no {what} `{name}`"))
            .of(&kinds::MISSING_FILE)
            .suggest(name, near.iter().map(String::as_str))
            .or_help(format!("looked for {}", looked.join(", "))),
    );
}

/// The names of files where the missing one was looked for.
fn names_beside(candidates: &[PathBuf]) -> Vec<String> {
    let folders = candidates.iter().filter_map(|path| path.parent());
    folders
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flat_map(|entries| entries.flatten())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// The files under `vars_files`: as in Ansible one that is not there is passed over, and one that cannot be read is an
/// error whatever hosts the play has.
pub(super) fn check_play(view: &View, problems: &mut Vec<Diagnostic>) {
    let folder = view.play.path.parent().unwrap_or(Path::new(""));
    for node in &view.play.vars_files {
        // A list means: the first that exists.
        let names: Vec<&Node> = node.as_list().map_or_else(|| vec![node.as_ref()], |items| items.iter().collect());
        if names.iter().any(|name| is_template(name)) {
            continue;
        }
        match names.iter().filter_map(|name| name.as_str()).find_map(|name| vars_file(folder, name)) {
            Some(path) => problems.extend(read_file(&path).err()),
            None => {
                let shown: Vec<&str> = names.iter().filter_map(|name| name.as_str()).collect();
                let message = format!("there is no file of variables `{}`", shown.join("`, `"));
                problems.push(
                    Diagnostic::warning(node.span, message)
                        .of(&kinds::MISSING_FILE)
                        .help(format!("looked beside {}", view.play.path.display())),
                );
            }
        }
    }
}

fn literal(node: &Node) -> Option<&str> {
    node.as_str().filter(|text| !text.is_empty() && !is_template(node))
}

fn says_yes(node: &Node) -> bool {
    <bool as crate::module::Arg>::read(&node.to_value()).unwrap_or(false)
}
