//! From one place on the host to another, by rsync.

use std::path::Path;

use super::{Args, lines};
use crate::change::{Action, Change};
use crate::failure::{During, Failure};
use crate::probe::paths;
use crate::system::{Command, Output, System};
use crate::words;

/// Asks rsync what it would do, and lets it do that.
pub fn plan(args: &Args, system: &dyn System, src: &Path, done: &[Output]) -> Result<Change, Failure> {
    if let Some(output) = done.last() {
        return Ok(Change::none(lines(&changes(output))));
    }
    if system.which("rsync").is_none() {
        return Err(Failure::new("rsync is not installed on this host, which copies from one place of it to another"));
    }
    let dry = command(args, system, src, &["--dry-run"])?;
    let output = system.query(&dry).during(|| "ask rsync what there is to do")?;
    if !output.ok() {
        return Err(Failure::new(output.errors()).with("rc", output.rc).with("cmd", dry.argv.join(" ")));
    }
    let found = changes(&output);
    if found.is_empty() {
        return Ok(Change::none(lines(&found)));
    }
    let run = Action::run(command(args, system, src, &[])?, "rsync failed").expect(output);
    Ok(Change::again(vec![run], lines(&found)))
}

fn changes(output: &Output) -> Vec<String> {
    let text = output.text();
    text.lines().filter_map(|line| line.strip_prefix(MARK)).map(|line| format!("{line}\n")).collect()
}

/// What tells lines about files from other output.
const MARK: &str = "<<CHANGED>>";

fn command(args: &Args, system: &dyn System, src: &Path, more: &[&str]) -> Result<Command, Failure> {
    let mut argv = vec!["rsync".to_owned(), "--delay-updates".to_owned(), "-F".to_owned()];
    argv.extend(more.iter().map(|word| (*word).to_owned()));
    let mut flag = |given: bool, word: &str| argv.extend(given.then(|| word.to_owned()));
    flag(args.archive, "--archive");
    let parts = [
        (args.recursive, "recursive"),
        (args.links, "links"),
        (args.perms, "perms"),
        (args.times, "times"),
        (args.owner, "owner"),
        (args.group, "group"),
    ];
    for (given, name) in parts {
        match given {
            Some(true) if !args.archive => flag(true, &format!("--{name}")),
            Some(false) if args.archive => flag(true, &format!("--no-{name}")),
            _ => {}
        }
    }
    flag(args.copy_links, "--copy-links");
    flag(args.checksum, "--checksum");
    flag(args.delete, "--delete-after");
    flag(args.dirs, "--dirs");
    flag(args.existing_only, "--existing");
    for text in &args.rsync_opts {
        argv.extend(words::split(text).map_err(|why| Failure::new(why).argument("rsync_opts"))?);
    }
    argv.push(format!("--out-format={MARK}%i %n%L"));
    argv.push("--".to_owned());
    for path in [src, &args.dest] {
        let full = paths::for_program(system, path)?;
        argv.push(full.to_string_lossy().into_owned());
    }
    Ok(Command::new(argv))
}
