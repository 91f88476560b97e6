//! What a change did, for people: made from its actions and from what stood there before.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Act, Attributes, WriteFile};
use crate::system::{Content, FileKind, Stat, System, users};

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

/// Longer contents are not shown (Ansible's own limit).
const LONGEST: u64 = 104_448;

/// What an action will change, as the machine is now.
pub fn diffs(system: &dyn System, act: &Act) -> Vec<Diff> {
    let there = |path: &Path, follow| system.stat(path, follow).ok().flatten();
    match act {
        Act::WriteFile(write) => {
            let old = there(&write.path, false);
            let mut all = vec![text(system, write, old.as_ref())];
            all.extend(attributes(system, &write.path, old.as_ref(), &write.attributes));
            all
        }
        Act::MakeDir { path, attributes: wanted } => {
            let mut all = vec![state(path, "absent", "directory")];
            all.extend(attributes(system, path, None, wanted));
            all
        }
        Act::SetAttributes { path, attributes: wanted, follow } => {
            attributes(system, path, there(path, *follow).as_ref(), wanted)
        }
        Act::SetTimes { path, atime, mtime } => {
            let old = there(path, true);
            let atime = times(path, "atime", old.as_ref().map(|stat| stat.atime), *atime);
            let mtime = times(path, "mtime", old.as_ref().map(|stat| stat.mtime), *mtime);
            atime.into_iter().chain(mtime).collect()
        }
        Act::Symlink { path, target } => {
            let before = system.read_link(path).map(|old| old.display().to_string());
            let before = before.unwrap_or_else(|_| kind(there(path, false).as_ref()).to_owned());
            vec![attribute(path, "link", before, target.display().to_string())]
        }
        Act::HardLink { path, target } => {
            let before = kind(there(path, false).as_ref()).to_owned();
            vec![attribute(path, "hard link", before, target.display().to_string())]
        }
        Act::Rename { from, to } => {
            vec![attribute(from, "path", from.display().to_string(), to.display().to_string())]
        }
        Act::Remove { path } => vec![state(path, kind(there(path, false).as_ref()), "absent")],
        Act::Run(command) => vec![Diff::Run { argv: command.argv.clone() }],
        Act::Download(request) => match &request.to {
            Some(path) => vec![attribute(path, "content", String::new(), format!("from {}", request.url))],
            None => Vec::new(),
        },
    }
}

fn attribute(path: &Path, name: &str, before: impl Into<String>, after: impl Into<String>) -> Diff {
    Diff::Attribute {
        subject: path.display().to_string(),
        name: name.to_owned(),
        before: before.into(),
        after: after.into(),
    }
}

fn state(path: &Path, before: &str, after: &str) -> Diff {
    attribute(path, "state", before, after)
}

fn kind(stat: Option<&Stat>) -> &'static str {
    match stat.map(|stat| stat.kind) {
        None => "absent",
        Some(FileKind::File) => "file",
        Some(FileKind::Dir) => "directory",
        Some(FileKind::Link) => "link",
        Some(FileKind::Block) => "block device",
        Some(FileKind::Char) => "character device",
        Some(FileKind::Fifo) => "pipe",
        Some(FileKind::Socket) => "socket",
    }
}

fn times(path: &Path, name: &str, before: Option<f64>, after: Option<f64>) -> Option<Diff> {
    let after = after?;
    let shown = |seconds: f64| {
        jiff::Timestamp::from_second(seconds as i64).map_or_else(|_| seconds.to_string(), |at| at.to_string())
    };
    Some(attribute(path, name, before.map_or_else(String::new, shown), shown(after)))
}

fn attributes(system: &dyn System, path: &Path, old: Option<&Stat>, wanted: &Attributes) -> Vec<Diff> {
    let octal = |mode: u32| format!("{mode:04o}");
    // Owners and groups have names for people.
    let user = |id: u32| users::user_by_id(system, id).map_or_else(|| id.to_string(), |user| user.name);
    let group = |id: u32| users::group_by_id(system, id).map_or_else(|| id.to_string(), |group| group.name);
    let compare = |name, old: Option<u32>, new: Option<u32>, show: &dyn Fn(u32) -> String| {
        let new = new.filter(|new| old != Some(*new))?;
        Some(attribute(path, name, old.map_or_else(String::new, show), show(new)))
    };
    [
        compare("owner", old.map(|stat| stat.uid), wanted.uid, &user),
        compare("group", old.map(|stat| stat.gid), wanted.gid, &group),
        compare("mode", old.map(|stat| stat.mode), wanted.mode, &octal),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn text(system: &dyn System, write: &WriteFile, old: Option<&Stat>) -> Diff {
    if !write.diff {
        return attribute(&write.path, "content", "(not shown)", "(not shown)");
    }
    let before = match old {
        Some(stat) if stat.kind != FileKind::File => Some(format!("({})\n", kind(Some(stat)))),
        Some(stat) => Some(readable(stat.size, || system.read(&write.path).ok().flatten())),
        None => None,
    };
    let after = match &write.content {
        Content::Bytes(bytes) => readable(bytes.len() as u64, || Some(bytes.clone())),
        Content::Blob(blob) => readable(blob.size, || system.content(blob).ok()),
        Content::File(path) => {
            let size = system.stat(path, true).ok().flatten().map_or(0, |stat| stat.size);
            readable(size, || system.read(path).ok().flatten())
        }
    };
    Diff::Text { path: write.path.clone(), before, after: Some(after) }
}

/// The text, or a word about what cannot be shown.
fn readable(size: u64, read: impl FnOnce() -> Option<Vec<u8>>) -> String {
    if size > LONGEST {
        return format!("({size} bytes)\n");
    }
    match read().map(String::from_utf8) {
        Some(Ok(text)) if !text.contains('\0') => text,
        Some(_) => format!("(binary, {size} bytes)\n"),
        None => "(cannot be read)\n".to_owned(),
    }
}
