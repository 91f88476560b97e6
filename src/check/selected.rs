//! `--tags` and `--start-at-task` that select nothing.

use std::collections::BTreeSet;

use super::walk::View;
use crate::diagnostic::{Diagnostic, kinds};
use crate::source::Span;
use crate::steps::Options;

/// Words that stand for sets of tags.
const WORDS: &[&str] = &["all", "always", "never", "tagged", "untagged"];

/// The tags and names of all steps.
#[derive(Debug, Default)]
pub(super) struct Tags {
    tags: BTreeSet<String>,
    names: BTreeSet<String>,
    is_open: bool,
}

impl Tags {
    pub fn see(&mut self, view: &View) {
        self.is_open |= view.is_open();
        for step in view.steps.iter().map(|seen| &seen.step) {
            self.tags.extend(step.tags.iter().cloned());
            self.names.extend(step.name.as_ref().and_then(|name| name.as_str()).map(str::to_owned));
        }
    }

    /// `missing_start` is the task to start at if no play has it.
    pub fn check(&self, options: &Options, missing_start: Option<&str>, problems: &mut Vec<Diagnostic>) {
        if let Some(wanted) = missing_start {
            problems.push(
                Diagnostic::error(Span::default(), format!("--start-at-task: no task is named `{wanted}`"))
                    .of(&kinds::UNKNOWN_TAG)
                    .suggest(wanted, self.names.iter().map(String::as_str))
                    .or_help("`--list-tasks` lists them"),
            );
        }
        let given = [("--tags", &options.tags), ("--skip-tags", &options.skip_tags)];
        for (option, tag) in given.iter().flat_map(|(option, tags)| tags.iter().map(move |tag| (option, tag))) {
            // A tag that is written nowhere may still be in what only the run includes.
            if self.is_open || self.tags.contains(tag) || WORDS.contains(&tag.as_str()) {
                continue;
            }
            problems.push(
                Diagnostic::warning(Span::default(), format!("{option}: nothing has the tag `{tag}`"))
                    .of(&kinds::UNKNOWN_TAG)
                    .suggest(tag, self.tags.iter().map(String::as_str))
                    .or_help("`--list-tags` lists them"),
            );
        }
    }
}
