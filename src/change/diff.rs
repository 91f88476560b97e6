//! What a change did, for people: made from its actions and from what stood there before.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// One difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Diff {
    /// A file's text. Long or binary contents are replaced by a word about them.
    Text {
        /// Which file.
        path: PathBuf,
        /// Before; `None` if it did not exist.
        before: Option<String>,
        /// After; `None` if it exists no more.
        after: Option<String>,
    },
    /// Something that has a name and a value (`mode`, `owner`, `state`).
    Attribute {
        /// Of what.
        subject: String,
        /// Which.
        name: String,
        /// Before.
        before: String,
        /// After.
        after: String,
    },
    /// A program that ran (or would run).
    Run {
        /// Its words.
        argv: Vec<String>,
    },
}
