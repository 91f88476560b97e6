//! `wodctl explain [KIND]`: what a kind of problem means, and what to do about it.

use std::fmt::Write as _;

use super::{Error, Exit, answer};
use crate::diagnostic::kinds::{self, Kind};
use crate::diagnostic::nearest;

/// Arguments.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The kind, as it stands in brackets behind `error` or `warning`; without one, all kinds are listed
    kind: Option<String>,
}

/// Prints the page of a kind, or a line for each kind.
pub fn run(args: &Args) -> Result<Exit, Error> {
    match &args.kind {
        None => answer(&list()),
        Some(name) => answer(&page(kinds::find(name).ok_or_else(|| unknown(name))?)),
    }
}

fn list() -> String {
    let width = kinds::ALL.iter().map(|kind| kind.name.len()).max().unwrap_or_default();
    let mut out = String::new();
    for kind in kinds::ALL {
        let summary = kind.page.lines().next().unwrap_or_default().trim();
        let _ = writeln!(out, "{:width$}  {summary}", kind.name);
    }
    out
}

fn page(kind: &Kind) -> String {
    let mut out = format!("{}\n\n", kind.name);
    for line in kind.page.lines() {
        let _ = writeln!(out, "{}", format!("    {}", line.trim()).trim_end());
    }
    if kind.can_be_silenced {
        let _ = writeln!(
            out,
            "\n    Write `# noqa: {}` at the end of the line if it is meant so, or list it under `check: skip:` in the\n    \
             project's wodctl.yml.",
            kind.name
        );
    }
    out
}

fn unknown(name: &str) -> String {
    match nearest(name, kinds::ALL.iter().map(|kind| kind.name)) {
        Some(near) => format!("there is no kind of problem `{name}`; did you mean `{near}`?"),
        None => format!("there is no kind of problem `{name}`; `wodctl explain` lists them"),
    }
}
