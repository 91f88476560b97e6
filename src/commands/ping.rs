//! `wodctl ping INVENTORY [PATTERN]`: which hosts can be reached, and can be worked on.

use std::path::PathBuf;

use serde_json::Value as Json;

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
    #[command(flatten)]
    work: Work,
}

/// Logs in, becomes another user if that is asked for, and has the agent answer.
pub fn run(args: &Args) -> Result<Exit, Error> {
    Ask {
        question: Question::Ping,
        inventory: &args.inventory,
        pattern: &args.pattern,
        module: "ping",
        args: &Json::Null,
        work: &args.work,
    }
    .run()
}
