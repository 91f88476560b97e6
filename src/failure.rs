//! Why a step failed on a host, as data: the controller adds the position.

use serde::{Deserialize, Serialize};

use crate::value::{Map, Value};

/// A step that failed. The agent knows no positions: it names the argument, and the controller knows where it stood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// What was wrong, and where there is a way out, what to do.
    pub message: String,
    /// The argument that caused it.
    pub argument: Option<String>,
    /// What else the module returns beside `msg` (`rc`, `stdout`, …), in Ansible's names.
    pub values: Map,
}

impl Failure {
    /// A failure with its message.
    pub fn new(message: impl Into<String>) -> Self {
        Failure { message: message.into(), argument: None, values: Map::new() }
    }

    /// Names the argument that caused it.
    pub fn argument(mut self, name: impl Into<String>) -> Self {
        self.argument = Some(name.into());
        self
    }

    /// Adds a returned value.
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.values.insert(key.to_owned(), value.into());
        self
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::new(error.to_string())
    }
}

/// Adds what was being done to an operating system's error.
pub trait During<T> {
    /// `read("/x").during(|| "read /x")` fails with "cannot read /x: permission denied".
    fn during<S: std::fmt::Display>(self, what: impl FnOnce() -> S) -> Result<T, Failure>;
}

impl<T> During<T> for std::io::Result<T> {
    fn during<S: std::fmt::Display>(self, what: impl FnOnce() -> S) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(format!("cannot {}: {}", what(), plain(&error))))
    }
}

/// An operating system's error without its number.
pub fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
