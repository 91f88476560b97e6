//! The command line: clap, and one match.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::commands::{self, Exit};
use crate::protocol::Mode;

const EXIT_CODES: &str = "\
Exit status:
    0  all is well
    1  the run could not start: usage, files, static check
    2  a host failed
    4  a host could not be reached (also if another one failed)
  130  interrupted";

/// Brings machines into the state that playbooks describe, in Ansible's language
#[derive(Debug, Parser)]
#[command(name = "wodctl", version, after_help = EXIT_CODES, args_override_self = true, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say all that is wrong with playbooks, without touching a host
    Check(commands::check::Args),
    /// Show what apply would change, and change nothing
    Plan(Box<commands::apply::Args>),
    /// Bring hosts into the state that playbooks describe
    Apply(Box<commands::apply::Args>),
    /// Write an inventory of your own
    Init(Box<commands::init::Args>),
    /// Ask hosts whether they can be reached
    Ping(Box<commands::ping::Args>),
    /// Show what hosts are like
    Facts(Box<commands::facts::Args>),
    /// Run one module on hosts, without a playbook
    Exec(Box<commands::exec::Args>),
    /// Show the hosts and groups of an inventory
    Inventory(commands::inventory::Args),
    /// Show the variables of a host, and where each comes from
    Vars(commands::vars::Args),
    /// Encrypt and open files and texts as ansible-vault does
    Vault(commands::vault::Args),
    /// Show the manual of a module, or list all modules
    Doc(commands::doc::Args),
    /// Print a script that completes commands and options in a shell
    Completions(commands::completions::Args),
    /// Print a page of the manual
    Man(commands::man::Args),
}

/// The command line, for completions and manuals.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the program. The first of `args` is its name.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() { Exit::CouldNotStart } else { Exit::Fine };
            let _ = error.print();
            return exit.into();
        }
    };
    let ended = match &cli.command {
        Command::Check(args) => commands::check::run(args),
        Command::Plan(args) => commands::apply::run(args, Mode::Plan),
        Command::Apply(args) => commands::apply::run(args, Mode::Apply),
        Command::Init(args) => commands::init::run(args),
        Command::Ping(args) => commands::ping::run(args),
        Command::Facts(args) => commands::facts::run(args),
        Command::Exec(args) => commands::exec::run(args),
        Command::Inventory(args) => commands::inventory::run(args),
        Command::Vars(args) => commands::vars::run(args),
        Command::Vault(args) => commands::vault::run(args),
        Command::Doc(args) => commands::doc::run(args),
        Command::Completions(args) => commands::completions::run(args, command()),
        Command::Man(args) => commands::man::run(args, command()),
    };
    ended.unwrap_or_else(|error| error.report()).into()
}
