//! `wodctl facts INVENTORY [PATTERN]`: what hosts are like.

use std::path::PathBuf;

use serde_json::json;

use super::adhoc::Ask;
use super::options::Work;
use super::{Error, Exit};
use crate::report::Question;

/// Arguments.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Inventory file or folder
    inventory: PathBuf,
    /// The hosts
    #[arg(default_value = "all")]
    pattern: String,
    /// Show only facts that match these patterns, such as `ansible_eth*`
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    filter: Vec<String>,
    /// Subsets of facts to gather: `min`, `network`, `!hardware`, …
    #[arg(long, value_name = "SUBSETS", value_delimiter = ',', default_value = "all")]
    gather_subset: Vec<String>,
    #[command(flatten)]
    work: Work,
}

/// Gathers facts and shows them.
pub fn run(args: &Args) -> Result<Exit, Error> {
    Ask {
        question: Question::Facts,
        inventory: &args.inventory,
        pattern: &args.pattern,
        module: "setup",
        args: &json!({ "filter": args.filter, "gather_subset": args.gather_subset }),
        work: &args.work,
    }
    .run()
}
