//! `wodctl completions SHELL`

use clap_complete::Shell;

use super::{Error, Exit, answer};

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Shell to generate completions for
    shell: Shell,
}

/// Prints the completions of `command`.
pub fn run(args: &Args, mut command: clap::Command) -> Result<Exit, Error> {
    let mut script = Vec::new();
    let name = command.get_name().to_owned();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    answer(&String::from_utf8_lossy(&script))
}
