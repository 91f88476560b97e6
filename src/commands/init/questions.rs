//! What is missing is asked for, or named.

use std::io::IsTerminal;
use std::str::FromStr;

use super::args::{Args, word};
use super::endpoint::Endpoint;
use crate::commands::terminal::{Echo, ask};
use crate::commands::{Error, say};

/// The arguments with all that has to be known. Who named all machines is asked nothing.
pub fn ask_for_missing(given: &Args) -> Result<Args, Error> {
    let mut args = given.clone();
    if args.all_in_one {
        let name = args.backends.first().map(|backend| Endpoint::named(&backend.name));
        args.frontend = args.frontend.or(name.clone());
        args.api = args.api.or(name);
    }
    let missing = missing(&args);
    if missing.is_empty() {
        return Ok(args);
    }
    if !std::io::stdin().is_terminal() {
        let message = format!("there is no terminal to ask on; give these options as well:\n{}", missing.join("\n"));
        return Err(message.into());
    }
    machines(&mut args)?;
    if args.login.is_none() {
        args.login = question("Who logs in to the machines [as ssh has it]: ", |text| optional(text, word))?;
    }
    if args.students.is_none() {
        args.students = question("Students on each backend [100]: ", |text| optional(text, number))?;
    }
    Ok(args)
}

fn missing(args: &Args) -> Vec<&'static str> {
    let mut missing = Vec::new();
    if args.backends.is_empty() {
        missing.push("  -b, --backend NAME    the machine of the hub; several with commas between");
    }
    if args.frontend.is_none() && !args.all_in_one {
        missing.push("  -f, --frontend NAME   the machine of the site");
    }
    if args.api.is_none() && !args.all_in_one {
        missing.push("  -a, --api NAME        the machine of the API and its database");
    }
    missing
}

fn machines(args: &mut Args) -> Result<(), Error> {
    if args.backends.is_empty() {
        let prompt = match args.all_in_one {
            true => "The machine: ",
            false => "The machine of the hub (several with commas between): ",
        };
        args.backends = question(prompt, |text| text.split(',').map(|name| name.trim().parse()).collect())?;
    }
    let first = args.backends[0].name.clone();
    let same = |text: &str| if text.is_empty() { Ok(Endpoint::named(&first)) } else { text.parse() };
    for (what, place) in
        [("The machine of the site", &mut args.frontend), ("The machine of the API and its database", &mut args.api)]
    {
        if place.is_none() {
            *place = Some(match args.all_in_one {
                true => Endpoint::named(&first),
                false => question(&format!("{what} [{first}]: "), same)?,
            });
        }
    }
    let machines = args.backends.iter().chain(&args.frontend).chain(&args.api);
    let mut names: Vec<String> = Vec::new();
    for machine in machines {
        let known = args.addresses.iter().any(|(name, _)| *name == machine.name);
        if !known && !names.contains(&machine.name) {
            names.push(machine.name.clone());
        }
    }
    for name in names {
        let prompt = format!("The address of {name} [its name is in DNS]: ");
        let address =
            question(&prompt, |text| optional(text, |text| text.parse().map_err(|_| "that is no address".to_owned())))?;
        args.addresses.extend(address.map(|address| (name, address)));
    }
    Ok(())
}

fn number(text: &str) -> Result<u32, String> {
    u32::from_str(text).ok().filter(|number| *number > 0).ok_or_else(|| "that is no number above 0".to_owned())
}

fn optional<T>(text: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, String> {
    if text.is_empty() { Ok(None) } else { read(text).map(Some) }
}

/// Asks until the answer can be read.
fn question<T>(prompt: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<T, Error> {
    loop {
        let typed = ask(prompt, Echo::On)?.ok_or("there is no terminal to ask on")?;
        match read(typed.trim()) {
            Ok(value) => return Ok(value),
            Err(why) => say(&format!("{why}: once more\n")),
        }
    }
}
