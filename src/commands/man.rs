//! `wodctl man [COMMAND]`

use super::{Error, Exit, answer};

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Command to document instead of the program as a whole
    #[arg(value_name = "COMMAND")]
    page: Option<String>,
}

/// Prints a page of the manual in troff's language, for `man -l -`.
pub fn run(args: &Args, mut command: clap::Command) -> Result<Exit, Error> {
    command.build();
    let command = match &args.page {
        None => command,
        Some(name) => page(&command, name)?,
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page).map_err(|error| format!("cannot make the page: {error}"))?;
    answer(&String::from_utf8_lossy(&page))
}

fn page(command: &clap::Command, name: &str) -> Result<clap::Command, Error> {
    let known = || command.get_subcommands().filter(|known| !known.is_hide_set());
    let found = known().find(|known| known.get_name() == name);
    let found = found.ok_or_else(|| {
        let names: Vec<&str> = known().map(clap::Command::get_name).collect();
        format!("there is no command `{name}`; there are {}", names.join(", "))
    })?;
    // Building the command has given it the display name `wodctl-NAME`.
    Ok(found.clone())
}
