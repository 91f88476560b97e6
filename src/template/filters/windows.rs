//! Paths of Windows, as Python's `ntpath` handles them.

use minijinja::{Error, State, Value};

use crate::template::arguments::{Arguments, Entry, entry};
use crate::template::python;

pub const FILTERS: &[Entry] = &[
    entry(&["win_basename"], "path", win_basename),
    entry(&["win_dirname"], "path", win_dirname),
    entry(&["win_splitdrive"], "path", win_splitdrive),
];

const SLASHES: [char; 2] = ['\\', '/'];

/// The drive (`C:`, or `\\server\share`) and the rest.
fn drive(path: &str) -> (&str, &str) {
    let slash = |at: usize| path[at..].starts_with(SLASHES);
    if path.is_char_boundary(2) && path.len() >= 2 && slash(0) && slash(1) {
        let server = path[2..].find(SLASHES).map(|at| at + 2);
        let share = server.and_then(|at| path[at + 1..].find(SLASHES).map(|next| at + 1 + next));
        return path.split_at(share.unwrap_or(path.len()));
    }
    if path.as_bytes().get(1) == Some(&b':') { path.split_at(2) } else { ("", path) }
}

fn win_splitdrive(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let (drive, rest) = drive(given.value_str()?);
    Ok(python::tuple(vec![drive.into(), rest.into()]))
}

fn win_basename(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let (_, rest) = drive(given.value_str()?);
    Ok(rest[rest.rfind(SLASHES).map_or(0, |at| at + 1)..].into())
}

fn win_dirname(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let (drive, rest) = drive(given.value_str()?);
    let head = &rest[..rest.rfind(SLASHES).map_or(0, |at| at + 1)];
    let trimmed = head.trim_end_matches(SLASHES);
    Ok(format!("{drive}{}", if trimmed.is_empty() { head } else { trimmed }).into())
}
