//! One file per subcommand: its arguments, one function that reads like a recipe, few helpers.

pub mod adhoc;
pub mod apply;
pub mod check;
pub mod completions;
pub mod content;
pub mod doc;
pub mod exec;
pub mod explain;
pub mod facts;
pub mod init;
pub mod inventory;
pub mod job;
pub mod list;
pub mod machines;
pub mod man;
pub mod options;
pub mod passwords;
pub mod ping;
pub mod prompts;
pub mod settings;
pub mod settle;
pub mod terminal;
pub mod unlock;
pub mod vars;
pub mod vault;
pub mod walk;

use std::collections::HashMap;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::diagnostic::{Diagnostic, Severity};
use crate::report::style::{Paint, Palette};
use crate::runner::Out;

/// The ways a command ends, as `--help` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Fine = 0,
    /// It could not start, or not go on: usage, files, static check.
    CouldNotStart = 1,
    /// A host failed.
    Failed = 2,
    /// A host could not be reached.
    Unreachable = 4,
    /// It was interrupted.
    Interrupted = 130,
}

impl Exit {
    /// How a run ends in which these hosts have not come to the end.
    pub fn of(out: &HashMap<String, Out>) -> Exit {
        if out.values().any(|end| *end == Out::Lost) {
            Exit::Unreachable
        } else if out.values().any(|end| *end == Out::Failed) {
            Exit::Failed
        } else {
            Exit::Fine
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// Why a command could not start.
#[derive(Debug)]
pub enum Error {
    /// Something is wrong with the input, which can be shown.
    Text(Vec<Diagnostic>),
    /// Anything else, as a sentence.
    Other(String),
    /// The user interrupted.
    Interrupted,
}

impl From<Vec<Diagnostic>> for Error {
    fn from(diagnostics: Vec<Diagnostic>) -> Self {
        Error::Text(diagnostics)
    }
}

impl From<Box<Diagnostic>> for Error {
    fn from(diagnostic: Box<Diagnostic>) -> Self {
        Error::Text(vec![*diagnostic])
    }
}

impl From<Diagnostic> for Error {
    fn from(diagnostic: Diagnostic) -> Self {
        Error::Text(vec![diagnostic])
    }
}

impl From<String> for Error {
    fn from(message: String) -> Self {
        Error::Other(message)
    }
}

impl From<&str> for Error {
    fn from(message: &str) -> Self {
        Error::Other(message.to_owned())
    }
}

impl Error {
    /// Says it on standard error, and how the program ends.
    pub fn report(&self) -> Exit {
        let palette = Palette::stderr();
        match self {
            Error::Interrupted => return Exit::Interrupted,
            Error::Text(diagnostics) => print_diagnostics(diagnostics),
            Error::Other(message) => say(&format!("{}: {message}\n", palette.paint(Paint::Red, "error"))),
        }
        Exit::CouldNotStart
    }
}

/// Shows diagnostics on standard error, and how many errors there are if there are several.
pub fn print_diagnostics(diagnostics: &[Diagnostic]) {
    let palette = Palette::stderr();
    let mut text: Vec<String> = diagnostics.iter().map(|diagnostic| diagnostic.render(palette.on)).collect();
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    if errors > 1 {
        text.push(format!("{}: {errors} errors\n", palette.paint(Paint::Red, "error")));
    }
    say(&text.join("\n"));
}

/// Writes to standard error; if nobody reads it, nothing can be done.
pub fn say(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Writes a command's answer to standard output. A reader that has gone (`| head`) is no error.
pub fn answer(text: &str) -> Result<Exit, Error> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("cannot write: {error}").into()),
        _ => Ok(Exit::Fine),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unreachable_hosts_count_more_than_failed_ones() {
        let exit = |ends: &[Out]| Exit::of(&ends.iter().map(|end| (format!("{end:?}"), *end)).collect());
        assert_eq!(exit(&[]), Exit::Fine);
        assert_eq!(exit(&[Out::Failed]), Exit::Failed);
        assert_eq!(exit(&[Out::Failed, Out::Lost]), Exit::Unreachable);
    }
}
