//! The hosts of each play, and plays that have none.

use super::walk::View;
use crate::diagnostic::{Diagnostic, Severity, kinds};
use crate::inventory::{Inventory, Limit};
use crate::playbook::Play;
use crate::source::Span;
use crate::steps::{self, Options, Work};
use crate::yaml::Node;

/// Finds the hosts of plays.
#[derive(Debug)]
pub(super) struct Targets<'a> {
    inventory: Option<&'a Inventory>,
    limit: Option<&'a Limit>,
    /// Whether a step before may add hosts or groups.
    may_grow: bool,
    /// Whether any play has a host.
    any: bool,
    /// Patterns that name nothing.
    unknown: Vec<Diagnostic>,
    plays: Vec<Span>,
}

impl<'a> Targets<'a> {
    pub fn new(inventory: Option<&'a Inventory>, limit: Option<&'a Limit>) -> Self {
        Targets { inventory, limit, may_grow: false, any: false, unknown: Vec::new(), plays: Vec::new() }
    }

    /// The hosts of a play, as limited, and whether it may have more when it is run.
    pub fn of(&mut self, play: &Play, options: &Options, problems: &mut Vec<Diagnostic>) -> (Vec<String>, bool) {
        let Some(inventory) = self.inventory else { return (Vec::new(), true) };
        match steps::hosts(play, options) {
            Ok(Some(pattern)) => (self.select(inventory, &pattern, play.hosts.span, problems), self.may_grow),
            Ok(None) => {
                self.any = true;
                (Vec::new(), true)
            }
            Err(problem) => {
                problems.push(problem);
                self.any = true;
                (Vec::new(), true)
            }
        }
    }

    fn select(
        &mut self,
        inventory: &Inventory,
        pattern: &Node,
        span: Span,
        problems: &mut Vec<Diagnostic>,
    ) -> Vec<String> {
        let selected = match inventory.select(pattern) {
            Ok(selected) => selected,
            Err(problem) => {
                problems.push(problem);
                self.any = true;
                return Vec::new();
            }
        };
        self.plays.push(span);
        if self.may_grow {
            self.any = true;
        } else {
            self.unknown.extend(selected.unknown);
        }
        let Some(limit) = self.limit else {
            self.any |= !selected.hosts.is_empty();
            return selected.hosts;
        };
        match inventory.limit(&selected.hosts, limit) {
            Ok(limited) => {
                self.any |= !limited.hosts.is_empty();
                problems.extend(limited.unknown);
                limited.hosts
            }
            Err(problem) => {
                problems.push(problem);
                Vec::new()
            }
        }
    }

    /// Notes what the steps of a play may add to the inventory.
    pub fn see(&mut self, view: &View) {
        self.may_grow |= view.is_open()
            || view.steps.iter().any(|seen| {
                let Work::Call { spec, .. } = &seen.step.work else { return false };
                matches!(spec.name, "add_host" | "group_by")
            });
    }

    /// A pattern that names nothing is a mistake if no play has a host. Otherwise it may well be a part of the playbook
    /// that this inventory has no machines for, which deserves a word.
    pub fn check(self, problems: &mut Vec<Diagnostic>) {
        if self.inventory.is_none() {
            return;
        }
        let severity = if self.any { Severity::Warning } else { Severity::Error };
        let none_unknown = self.unknown.is_empty();
        problems.extend(
            self.unknown.into_iter().map(|problem| Diagnostic { severity, ..problem.or_of(&kinds::UNKNOWN_HOST) }),
        );
        if !self.any && none_unknown && !self.plays.is_empty() {
            let what = if self.limit.is_some() { "no play has a host within the limit" } else { "no play has a host" };
            problems.push(
                Diagnostic::error(self.plays[0], what)
                    .of(&kinds::NO_HOSTS)
                    .help("`wodctl inventory … --graph` shows the hosts"),
            );
        }
    }
}
