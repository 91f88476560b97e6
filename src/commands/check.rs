//! `wodctl check INVENTORY [PLAYBOOK…]`: everything that is wrong, before any host is touched.

use super::content::Content;
use super::job::{About, Job};
use super::list::Listing;
use super::options::{Playbooks, Selection, Variables};
use super::{Error, Exit, answer};

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
    /// Take what is only possible for an error
    #[arg(long)]
    strict: bool,
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
    let exit = job.accept(args.strict).map_or_else(|error| error.report(), |()| Exit::Fine);
    answer(&format!("{}\n", summary(&job)))?;
    Ok(exit)
}

/// `3 plays, 41 tasks, 3 hosts: 1 certain, 2 possible`.
fn summary(job: &Job) -> String {
    let plays = &job.checked.plays;
    let tasks: usize = plays.iter().map(|play| super::list::written(&play.steps.items).len()).sum();
    let mut hosts: Vec<&String> = plays.iter().flat_map(|play| &play.hosts).collect();
    hosts.sort_unstable();
    hosts.dedup();
    let found = match (job.checked.certain(), job.checked.possible()) {
        (0, 0) => "nothing wrong".to_owned(),
        (certain, possible) => format!("{certain} certain, {possible} possible"),
    };
    let counts = [counted(plays.len(), "play"), counted(tasks, "task"), counted(hosts.len(), "host")];
    format!("{}: {found}", counts.join(", "))
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
