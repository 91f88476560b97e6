//! What `check`, `plan` and `apply` begin with: an inventory, playbooks, what of them is selected, and all that can be said
//! about it before a host is touched.

use std::path::Path;
use std::sync::Arc;

use super::content::Content;
use super::list::Listing;
use super::machines::Machines;
use super::options::{Selection, Variables};
use super::settings::Settings;
use super::{Error, Exit, answer, print_diagnostics};
use crate::check::{self, Checked, Input};
use crate::diagnostic::Severity;
use crate::inventory::{Inventory, Limit};
use crate::source::Span;
use crate::template::Binding;
use crate::vars::{Layer, Level, Origin};

/// What a job is about.
#[derive(Debug)]
pub struct About<'a> {
    /// The inventory.
    pub inventory: &'a Path,
    /// The playbooks.
    pub content: Content,
    /// What of them.
    pub selection: &'a Selection,
    /// Extra variables.
    pub variables: &'a Variables,
    /// `--limit`.
    pub limit: Option<&'a str>,
    /// `-b`.
    pub becomes: bool,
}

/// A checked job.
pub struct Job {
    /// The hosts.
    pub machines: Machines,
    /// The playbooks.
    pub content: Content,
    /// The plays, and everything that is wrong.
    pub checked: Checked,
    /// What is known before the run: extra variables and the groups.
    pub early: Vec<Arc<Layer>>,
}

impl Job {
    /// Reads and checks everything. Fails only where there is nothing to check; whether the job may run is
    /// [`Job::accept`]'s matter.
    pub fn open(about: About) -> Result<Job, Error> {
        about.variables.vault.unlock_for([about.inventory])?;
        let content = about.content;
        let extra = &about.variables.extra_vars;
        let (machines, warnings) = Machines::load(about.inventory, &content.beside, extra, about.limit)?;
        let limit = about.limit.map(Limit::parse).transpose()?;
        let mut options = about.selection.steps();
        options.early = machines.extra();
        options.early.push(groups(&machines.inventory()));
        let mut checked = check::check(&Input {
            playbooks: &content.playbooks,
            project: &content.project,
            options: &options,
            inventory: Some(&machines.inventory()),
            limit: limit.as_ref(),
            becomes: about.becomes || machines.mentions("ansible_become"),
        });
        checked.problems.splice(0..0, warnings);
        checked.problems.extend(machines.problems());
        checked.problems = check::silence(checked.problems, &Settings::read(&content)?.skip);
        Ok(Job { machines, content, checked, early: options.early })
    }

    /// Says what is wrong; an error means that nothing may be run. `strict`: what is only possible counts, too.
    pub fn accept(&self, strict: bool) -> Result<(), Error> {
        let mut problems = self.checked.problems.clone();
        if strict {
            problems.iter_mut().for_each(|problem| problem.severity = Severity::Error);
        }
        if problems.iter().any(|problem| problem.severity == Severity::Error) {
            return Err(Error::Text(problems));
        }
        if !problems.is_empty() {
            print_diagnostics(&problems);
        }
        Ok(())
    }

    /// Prints what would be run. A playbook that cannot be understood has no list.
    pub fn list(&self, listing: Listing) -> Result<Exit, Error> {
        self.accept(false)?;
        let mut text = String::new();
        for playbook in &self.content.playbooks {
            let plays = self.checked.plays.iter().filter(|play| play.playbook == *playbook);
            text.push_str(&listing.text(playbook, plays));
        }
        answer(&text)
    }
}

/// `groups`, which patterns of hosts may use.
fn groups(inventory: &Inventory) -> Arc<Layer> {
    let origin = Origin { text: "magic variable".to_owned(), span: Span::default() };
    let groups = Binding::Data(Arc::new(inventory.groups_value()));
    Arc::new(Layer { level: Level::Magic, origin, values: [("groups".to_owned(), groups)].into_iter().collect() })
}
