//! The command line: clap, and one match.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::commands::{self, Exit};
use crate::protocol::Mode;

const EXIT_CODES: &str = "\
Exit status:
    0  success
    1  the run did not start or could not go on: wrong usage, missing files, errors in playbooks
    2  at least one host failed
    4  at least one host was unreachable (even if another one failed)
  130  interrupted";

/// Configure machines with Ansible playbooks, without Python on either end
#[derive(Debug, Parser)]
#[command(name = "wodctl", version, after_help = EXIT_CODES, args_override_self = true, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check playbooks for errors without connecting to any host
    Check(commands::check::Args),
    /// Show what apply would change, without changing anything
    Plan(Box<commands::apply::Args>),
    /// Apply playbooks to hosts
    Apply(Box<commands::apply::Args>),
    /// Create an inventory for Workshops-on-Demand
    Init(Box<commands::init::Args>),
    /// Check that hosts can be reached
    Ping(Box<commands::ping::Args>),
    /// Gather and show facts about hosts
    Facts(Box<commands::facts::Args>),
    /// Run a single module on hosts
    Exec(Box<commands::exec::Args>),
    /// Show the hosts and groups of an inventory
    Inventory(commands::inventory::Args),
    /// Show a host's variables and where each one is set
    Vars(commands::vars::Args),
    /// Encrypt and decrypt files and strings, compatible with ansible-vault
    Vault(commands::vault::Args),
    /// Show the documentation of a module, or list all modules
    Doc(commands::doc::Args),
    /// Explain a kind of problem, or list all kinds
    Explain(commands::explain::Args),
    /// Generate a shell completion script
    Completions(commands::completions::Args),
    /// Generate a man page
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
        Command::Explain(args) => commands::explain::run(args),
        Command::Completions(args) => commands::completions::run(args, command()),
        Command::Man(args) => commands::man::run(args, command()),
    };
    ended.unwrap_or_else(|error| error.report()).into()
}
