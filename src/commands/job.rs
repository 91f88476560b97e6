//! What `check`, `plan` and `apply` begin with: an inventory, playbooks, what of them is selected, and all that can be said
//! about it before a host is touched.

use std::path::PathBuf;
use std::sync::Arc;

use super::content::Content;
use super::list::Listing;
use super::options::{Playbooks, Selection, Variables};
use super::{Error, Exit, answer, print_diagnostics};
use crate::check::{self, Checked, Input};
use crate::diagnostic::Diagnostic;
use crate::inventory::{self, Inventory, Limit};
use crate::source::Span;
use crate::steps::Options;
use crate::template::Binding;
use crate::vars::{Layer, Level, Origin, extra};

/// What a job is about.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The inventory and the playbooks.
    pub playbooks: &'a Playbooks,
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
#[derive(Debug)]
pub struct Job {
    /// The hosts.
    pub inventory: Inventory,
    /// The playbooks.
    pub content: Content,
    /// What the command line selects.
    pub options: Options,
    /// Extra variables.
    pub extra: Arc<Layer>,
    /// The plays, and everything that is wrong.
    pub checked: Checked,
}

impl Job {
    /// Reads and checks everything. Fails only where there is nothing to check; whether the job may run is
    /// [`Job::accept`]'s matter.
    pub fn open(about: About) -> Result<Job, Error> {
        let Playbooks { inventory: source, playbooks } = about.playbooks;
        let content = Content::find(source, playbooks)?;
        if let Some(notice) = content.notice() {
            super::say(&format!("{notice}\n"));
        }
        let loaded = inventory::load(&[source.to_string_lossy()])?;
        let inventory = loaded.inventory;
        let extra = Arc::new(extra::read(&about.variables.extra_vars)?);
        let limit = about.limit.map(Limit::parse).transpose()?;
        let options = Options { early: vec![extra.clone(), groups(&inventory)], ..about.selection.steps() };
        let mut checked = check::check(&Input {
            playbooks: &content.playbooks,
            project: &content.project,
            options: &options,
            inventory: Some(&inventory),
            limit: limit.as_ref(),
            becomes: about.becomes,
        });
        checked.problems.splice(0..0, loaded.warnings);
        checked.problems.extend(wrong_variables(&inventory, &content.playbooks));
        Ok(Job { inventory, content, options, extra, checked })
    }

    /// Says what is wrong; an error means that nothing may be run.
    pub fn accept(&self) -> Result<(), Error> {
        if self.checked.errors() > 0 {
            return Err(Error::Text(self.checked.problems.clone()));
        }
        if !self.checked.problems.is_empty() {
            print_diagnostics(&self.checked.problems);
        }
        Ok(())
    }

    /// Prints what would be run. A playbook that cannot be understood has no list.
    pub fn list(&self, listing: Listing) -> Result<Exit, Error> {
        self.accept()?;
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

/// What is wrong in `group_vars` and `host_vars`, beside the inventory and beside each playbook.
fn wrong_variables(inventory: &Inventory, playbooks: &[PathBuf]) -> Vec<Diagnostic> {
    let mut problems: Vec<Diagnostic> = Vec::new();
    for playbook in playbooks {
        let (errors, warnings) = inventory.check(playbook.parent());
        for problem in errors.into_iter().chain(warnings) {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
    }
    problems
}
