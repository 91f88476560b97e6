//! `wodctl exec INVENTORY PATTERN -m MODULE -a ARGS`: one module on some hosts, without a playbook.

use std::path::PathBuf;

use super::adhoc::{self, Ask};
use super::options::Work;
use super::{Error, Exit};
use crate::report::Question;

/// Arguments.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Inventory file or folder
    inventory: PathBuf,
    /// The hosts
    pattern: String,
    /// The module
    #[arg(short = 'm', long, value_name = "MODULE", default_value = "command")]
    module_name: String,
    /// Module arguments: `name=value …`, free-form text, or a JSON object
    #[arg(short = 'a', long, value_name = "ARGS", default_value = "", hide_default_value = true)]
    args: String,
    #[command(flatten)]
    work: Work,
}

/// Runs the module and shows what each host says.
pub fn run(args: &Args) -> Result<Exit, Error> {
    Ask {
        question: Question::Exec,
        inventory: &args.inventory,
        pattern: &args.pattern,
        module: &args.module_name,
        args: &adhoc::arguments(&args.args)?,
        work: &args.work,
    }
    .run()
}
