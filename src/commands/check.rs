//! `wodctl check INVENTORY [PLAYBOOK…]`: everything that is wrong, before any host is touched.

use super::content::Content;
use super::job::{About, Job};
use super::list::Listing;
use super::options::{Playbooks, Selection, Variables};
use super::{Error, Exit, answer};
use crate::diagnostic::Severity;

/// Arguments.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    #[command(flatten)]
    playbooks: Playbooks,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    variables: Variables,
    /// Limit the run to hosts that match this pattern
    #[arg(short = 'l', long, value_name = "PATTERN")]
    limit: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

/// Prints all problems, and how many there are.
pub fn run(args: &Args) -> Result<Exit, Error> {
    let job = Job::open(About {
        inventory: &args.playbooks.inventory,
        content: Content::open(&args.playbooks)?,
        selection: &args.selection,
        variables: &args.variables,
        limit: args.limit.as_deref(),
        // What `apply -b` would do is no matter of the playbook.
        becomes: false,
    })?;
    if args.listing.any() {
        return job.list(args.listing);
    }
    job.accept()?;
    answer(&format!("{}\n", summary(&job)))
}

/// `3 plays, 41 tasks, 3 hosts: nothing wrong`.
fn summary(job: &Job) -> String {
    let plays = &job.checked.plays;
    let tasks: usize = plays.iter().map(|play| super::list::written(&play.steps.items).len()).sum();
    let mut hosts: Vec<&String> = plays.iter().flat_map(|play| &play.hosts).collect();
    hosts.sort_unstable();
    hosts.dedup();
    let warnings = job.checked.problems.iter().filter(|problem| problem.severity == Severity::Warning).count();
    let found = match warnings {
        0 => "nothing wrong".to_owned(),
        count => counted(count, "warning"),
    };
    let counts = [counted(plays.len(), "play"), counted(tasks, "task"), counted(hosts.len(), "host")];
    format!("{}: {found}", counts.join(", "))
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
