//! A change is data: an ordered list of actions that one performer carries out.
//!
//! Diffs, `changed`, plan mode and the audit log all derive from it, so no module has code for any of them. (What a program
//! would do need not be found out where it really runs: `System::is_real`.)

pub mod answer;
pub mod diff;
pub mod perform;
pub mod ran;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use crate::system::Request;
use crate::system::{Command, Content, Subject};
use crate::value::{Map, Value};

/// What a module wants done, and what it returns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// In this order; none means that everything is as it should be.
    pub actions: Vec<Action>,
    /// Perform these actions, then ask the module again with their outputs.
    pub again: bool,
    /// What the module returns, in Ansible's names. In plan mode these are the values that it expects;
    /// what it cannot know beforehand is [`Value::Unknown`].
    pub values: Map,
    /// Things the user should know although the step succeeded.
    pub warnings: Vec<String>,
}

impl Change {
    /// Nothing to do; these values are returned.
    pub fn none(values: Map) -> Self {
        Change { values, ..Change::default() }
    }

    /// Do this, then return these values.
    pub fn of(actions: Vec<Action>, values: Map) -> Self {
        Change { actions, values, ..Change::default() }
    }

    /// Do this, then ask the module again. `values` is what it expects to return in the end, for plan mode.
    pub fn again(actions: Vec<Action>, values: Map) -> Self {
        Change { actions, again: true, values, ..Change::default() }
    }
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// What to do.
    pub act: Act,
    /// Whether it makes the step "changed", or is only housekeeping (an index, a download to a temporary file, a
    /// daemon-reload, a command whose meaning is judged later).
    pub is_change: bool,
    /// What it settles, for the predicted machine.
    pub settles: Vec<(Subject, Value)>,
    /// The output that the predicted machine gives, where a program's output can be known without running it.
    /// `None`: in plan mode the module is not asked again after it.
    pub expect: Option<crate::system::Output>,
    /// A failing program fails the step with this message, before the next action. `None`: the module looks at `rc`, and
    /// at `refused` where the program could not even be started (or an address did not answer).
    pub must_succeed: Option<String>,
}

impl Action {
    /// A change.
    pub fn change(act: Act) -> Self {
        Action { act, is_change: true, settles: Vec::new(), expect: None, must_succeed: None }
    }

    /// Housekeeping: does not make the step "changed".
    pub fn housekeeping(act: Act) -> Self {
        Action { is_change: false, ..Action::change(act) }
    }

    /// A program that changes something and must exit with 0.
    pub fn run(command: Command, else_say: impl Into<String>) -> Self {
        Action { must_succeed: Some(else_say.into()), ..Action::change(Act::Run(command)) }
    }

    /// Says what this settles, for the plan.
    pub fn settles(mut self, subject: Subject, value: impl Into<Value>) -> Self {
        self.settles.push((subject, value.into()));
        self
    }

    /// Says what the program will print, for the plan.
    pub fn expect(mut self, output: crate::system::Output) -> Self {
        self.expect = Some(output);
        self
    }
}

/// Permissions as the user wrote them; resolved against what the file has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Permission bits.
    Bits(u32),
    /// `u=rw,g+r,o-x`, checked to be well formed when it is used.
    Symbolic(String),
    /// `preserve`: what the source file has.
    Preserve,
}

/// Owner, group and permissions to give; `None` leaves one as it is (or as a new file gets it).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// Owner.
    pub uid: Option<u32>,
    /// Group.
    pub gid: Option<u32>,
    /// Permission bits, 12 bits.
    pub mode: Option<u32>,
}

/// A file to be replaced as a whole, atomically: a temporary file beside it, then a rename. What the old file had
/// (owner, group, permissions, SELinux label, ACLs) and `attributes` does not name is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WriteFile {
    /// Where. A link is not followed: give the resolved path.
    pub path: PathBuf,
    /// What.
    pub content: Content,
    /// Owner, group, permissions. A new file without a mode gets 0666 less the umask.
    pub attributes: Attributes,
    /// Keep the old file, if there is one, under this name. The action's output then holds the name.
    pub backup: Option<PathBuf>,
    /// Run on the new file before the rename; `%s` is its path. Never run in plan mode.
    pub validate: Option<Vec<String>>,
    /// Where a rename is refused (a bind mount), write in place.
    pub unsafe_writes: bool,
    /// The content may be shown in a diff.
    pub diff: bool,
}

/// The kinds of action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Act {
    /// Write a file as a whole.
    WriteFile(Box<WriteFile>),
    /// Make a directory (its parent exists, or an earlier action makes it).
    MakeDir {
        /// Where.
        path: PathBuf,
        /// Owner, group, permissions.
        attributes: Attributes,
    },
    /// Set owner, group, permissions.
    SetAttributes {
        /// Of what.
        path: PathBuf,
        /// To what.
        attributes: Attributes,
        /// Of what a link points at, not of the link.
        follow: bool,
    },
    /// Set times.
    SetTimes {
        /// Of what.
        path: PathBuf,
        /// Last access, seconds since 1970.
        atime: Option<f64>,
        /// Last change, seconds since 1970.
        mtime: Option<f64>,
    },
    /// Make a symbolic link, atomically replacing a link or file that is there.
    Symlink {
        /// Where.
        path: PathBuf,
        /// What it points at.
        target: PathBuf,
    },
    /// Make another name for a file, atomically replacing a file that is there.
    HardLink {
        /// Where.
        path: PathBuf,
        /// The other name.
        target: PathBuf,
    },
    /// Rename.
    Rename {
        /// From.
        from: PathBuf,
        /// To.
        to: PathBuf,
    },
    /// Remove a file, a link, or a directory with all that is in it.
    Remove {
        /// What.
        path: PathBuf,
    },
    /// Run a program.
    Run(Command),
    /// Fetch something from the network.
    Download(Box<Request>),
}

impl Act {
    /// The file it is about, if it is about one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Act::WriteFile(write) => Some(&write.path),
            Act::MakeDir { path, .. }
            | Act::SetAttributes { path, .. }
            | Act::SetTimes { path, .. }
            | Act::Symlink { path, .. }
            | Act::HardLink { path, .. }
            | Act::Remove { path } => Some(path),
            Act::Rename { to, .. } => Some(to),
            Act::Run(_) | Act::Download(_) => None,
        }
    }
}

/// One line for people and for logs. Standard input, contents and environments are never in it.
impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self.is_change {
            true => self.act.fmt(f),
            false => write!(f, "({})", self.act),
        }
    }
}

impl std::fmt::Display for Act {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Act::WriteFile(write) => {
                write!(f, "write {}{}", write.path.display(), write.attributes)?;
                write.backup.as_ref().map_or(Ok(()), |backup| write!(f, " backup={}", backup.display()))
            }
            Act::MakeDir { path, attributes } => write!(f, "mkdir {}{attributes}", path.display()),
            Act::SetAttributes { path, attributes, .. } => write!(f, "set {}{attributes}", path.display()),
            Act::SetTimes { path, .. } => write!(f, "touch {}", path.display()),
            Act::Symlink { path, target } => write!(f, "link {} -> {}", path.display(), target.display()),
            Act::HardLink { path, target } => write!(f, "link {} = {}", path.display(), target.display()),
            Act::Rename { from, to } => write!(f, "rename {} to {}", from.display(), to.display()),
            Act::Remove { path } => write!(f, "remove {}", path.display()),
            Act::Run(command) => write!(f, "run {}", command.argv.join(" ")),
            Act::Download(request) => write!(f, "fetch {}", request.url),
        }
    }
}

impl std::fmt::Display for Attributes {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Attributes { uid, gid, mode } = self;
        uid.map_or(Ok(()), |uid| write!(f, " uid={uid}"))?;
        gid.map_or(Ok(()), |gid| write!(f, " gid={gid}"))?;
        mode.map_or(Ok(()), |mode| write!(f, " mode={mode:04o}"))
    }
}
