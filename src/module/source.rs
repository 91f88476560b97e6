//! Files of the controller, as they travel in a call.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Arg, Kind};
use crate::system::Blob;
use crate::value::Value;

/// A file or a tree of the controller, as it travels in a call; or a path on the target (`remote_src`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Source {
    /// A path on the target.
    Remote(PathBuf),
    /// A file of the controller.
    File {
        /// Its base name.
        name: String,
        /// Its permission bits.
        mode: u32,
        /// What it holds.
        blob: Blob,
    },
    /// A directory of the controller.
    Tree {
        /// Its base name; empty when only its content is meant (`src` ended in a slash).
        name: String,
        /// All entries, parents first, paths relative.
        entries: Vec<TreeEntry>,
    },
}

/// One entry of a [`Source::Tree`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TreeEntry {
    /// Relative to the tree's root.
    pub path: PathBuf,
    /// Its permission bits.
    pub mode: u32,
    /// What it is.
    pub kind: TreeKind,
    /// Whose it is and how old, where that matters (`synchronize`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// Whose something of the controller is, and how old.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// Last change of the content, seconds since 1970.
    pub mtime: f64,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The owner's name.
    pub owner: Option<String>,
    /// The group's name.
    pub group: Option<String>,
}

/// The kinds of entry of a [`Source::Tree`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TreeKind {
    /// A directory.
    Dir,
    /// A file.
    File(Blob),
    /// A symbolic link.
    Link(PathBuf),
}

/// The key under which a [`Source`] of the controller travels inside a call's arguments.
const SOURCE_KEY: &str = "__wodctl_source";

impl Source {
    /// As a value inside a call's arguments.
    pub fn to_value(&self) -> Value {
        match self {
            Source::Remote(path) => Value::Str(path.to_string_lossy().into_owned()),
            source => {
                let json = serde_json::to_value(source).unwrap_or_default();
                Value::Map(crate::map! { SOURCE_KEY => Value::from(json) })
            }
        }
    }
}

impl Arg for Source {
    const KIND: Kind = Kind::Files;
    fn read(value: &Value) -> Result<Self, String> {
        if let Some(inner) = value.get(SOURCE_KEY) {
            return serde_json::from_value(inner.to_json()).map_err(|error| error.to_string());
        }
        PathBuf::read(value).map(Source::Remote)
    }
}

/// A rendered template of the controller.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered(pub Source);

impl Arg for Rendered {
    const KIND: Kind = Kind::Template;
    fn read(value: &Value) -> Result<Self, String> {
        Source::read(value).map(Rendered)
    }
}
