//! `wodctl apply INVENTORY [PLAYBOOK…]` and `wodctl plan`: the playbooks are checked as a whole, then run play by play.

use super::content::Content;
use super::job::{About, Job};
use super::list::Listing;
use super::options::{Playbooks, Selection, Work};
use super::walk::{How, walk};
use super::{Error, Exit};
use crate::protocol::Mode;

/// What `apply` and `plan` take.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    #[command(flatten)]
    playbooks: Playbooks,
    #[command(flatten)]
    selection: Selection,
    /// Run nothing if check finds anything, even if it is only possible, and refuse conditions that are not booleans
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    listing: Listing,
    #[command(flatten)]
    work: Work,
}

/// Checks the playbooks, then runs them.
pub fn run(args: &Args, mode: Mode) -> Result<Exit, Error> {
    let job = Job::open(About {
        inventory: &args.playbooks.inventory,
        content: Content::open(&args.playbooks)?,
        selection: &args.selection,
        variables: &args.work.variables,
        limit: args.work.limit.as_deref(),
        becomes: args.work.become_.become_,
    })?;
    if args.listing.any() {
        return job.list(args.listing);
    }
    job.accept(args.strict)?;
    walk(job, How { work: &args.work, selection: &args.selection, mode, strict: args.strict, question: None })
}
