//! Paths, as Python's `os.path` handles them: all text, but for those that ask the controller.
#![expect(clippy::disallowed_methods, reason = "paths are made absolute on the controller")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use minijinja::{Error, State, Value};

use crate::probe::{expand, paths};
use crate::system::local::{Local, Nothing};
use crate::template::Asks;
use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::python;

pub const FILTERS: &[Entry] = &[
    entry(&["basename"], "path", basename),
    entry(&["commonpath"], "paths", commonpath),
    entry(&["dirname"], "path", dirname),
    entry(&["expanduser"], "path", expanduser).asking(Asks::WORLD),
    entry(&["expandvars"], "path", expandvars).asking(Asks::WORLD),
    entry(&["fileglob"], "pathname", fileglob).asking(Asks::FILES),
    entry(&["normpath"], "path", normpath),
    entry(&["path_join"], "paths", path_join),
    entry(&["realpath"], "path", realpath).asking(Asks::FILES),
    entry(&["relpath"], "path start", relpath).asking(Asks::FILES),
    entry(&["splitext"], "path", splitext),
];

/// Everything behind the last slash.
fn basename(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(split(given.value_str()?).1.into())
}

fn dirname(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(split(given.value_str()?).0.into())
}

/// The folder, without slashes at its end unless it is made of nothing else, and the name.
fn split(path: &str) -> (&str, &str) {
    let (head, tail) = path.rfind('/').map_or(("", path), |at| path.split_at(at + 1));
    let trimmed = head.trim_end_matches('/');
    (if trimmed.is_empty() { head } else { trimmed }, tail)
}

fn splitext(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let path = given.value_str()?;
    let name = path.rfind('/').map_or(0, |slash| slash + 1);
    // Dots in front of a name begin no extension.
    let stem = path[name..].find(|letter| letter != '.').map_or(path.len(), |at| name + at);
    let at = path[stem..].rfind('.').map_or(path.len(), |dot| stem + dot);
    Ok(python::tuple(vec![path[..at].into(), path[at..].into()]))
}

fn path_join(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let paths = given.value()?;
    if paths.as_str().is_some() {
        return Ok(paths.clone());
    }
    let mut joined = String::new();
    for (index, part) in python::list(paths)?.iter().enumerate() {
        let part =
            part.as_str().ok_or_else(|| wrong(format!("needs text, one part is {}", python::described(part))))?;
        if index == 0 || part.starts_with('/') {
            joined = part.to_owned();
        } else {
            joined = joined_two(joined, part);
        }
    }
    Ok(joined.into())
}

fn joined_two(mut base: String, part: &str) -> String {
    if !base.is_empty() && !base.ends_with('/') {
        base.push('/');
    }
    base + part
}

fn normpath(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(normalised(given.value_str()?).into())
}

/// Without `.`, `..` and doubled slashes; two slashes at the very start have a meaning of their own.
pub fn normalised(path: &str) -> String {
    if path.is_empty() {
        return ".".into();
    }
    let root = match path.bytes().take_while(|byte| *byte == b'/').count() {
        0 => "",
        2 => "//",
        _ => "/",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match (part, parts.last()) {
            ("..", Some(last)) if *last != ".." => drop(parts.pop()),
            ("..", None) if !root.is_empty() => {}
            _ => parts.push(part),
        }
    }
    let path = format!("{root}{}", parts.join("/"));
    if path.is_empty() { ".".into() } else { path }
}

/// From the folder that wodctl runs in, normalised.
pub fn absolute(path: &str) -> Result<String, Error> {
    Ok(normalised(&here(path)?.to_string_lossy()))
}

fn relpath(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let path = absolute(given.value_str()?)?;
    let start = absolute(given.str("start")?.unwrap_or("."))?;
    let parts = |path: &str| path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (path, start) = (parts(&path), parts(&start));
    let common = path.iter().zip(&start).take_while(|(left, right)| left == right).count();
    let up = start[common..].iter().map(|_| "..");
    let way: Vec<&str> = up.chain(path[common..].iter().map(String::as_str)).collect();
    Ok(if way.is_empty() { ".".into() } else { way.join("/") }.into())
}

fn commonpath(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let paths = python::list(given.value()?)?;
    let paths: Vec<&str> = paths
        .iter()
        .map(|path| path.as_str().ok_or_else(|| wrong(format!("needs paths, one item is {}", python::described(path)))))
        .collect::<Result<_, _>>()?;
    let Some(first) = paths.first() else { return Err(wrong("needs at least one path")) };
    if paths.iter().any(|path| path.starts_with('/') != first.starts_with('/')) {
        return Err(wrong("absolute and relative paths have nothing in common"));
    }
    let parts = |path: &'_ str| {
        path.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect::<Vec<_>>()
    };
    let common = paths.iter().map(|path| parts(path)).reduce(|left, right| {
        left.into_iter().zip(right).take_while(|(left, right)| left == right).map(|(part, _)| part).collect()
    });
    let root = if first.starts_with('/') { "/" } else { "" };
    Ok(format!("{root}{}", common.unwrap_or_default().join("/")).into())
}

/// Links resolved as far as the path exists.
fn realpath(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let path = here(given.value_str()?)?;
    let real = paths::leads_to(&controller(), &path).map_err(|failure| wrong(failure.message))?;
    Ok(real.to_string_lossy().into())
}

/// `~` and `~user` of the controller; an unknown user stays as written.
fn expanduser(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(home_expanded(given.value_str()?)?.into())
}

/// A path with the `~` at its start replaced, where that user is known.
pub fn home_expanded(path: &str) -> Result<String, Error> {
    expand::user(&controller(), path).map_err(|failure| wrong(failure.message))
}

/// `$NAME` and `${NAME}` of wodctl's environment; unknown ones stay.
fn expandvars(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(vars_expanded(given.value_str()?).into())
}

/// A text with the environment's variables in it replaced.
pub fn vars_expanded(text: &str) -> String {
    expand::vars(&controller(), text)
}

fn fileglob(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let found = glob(given.value_str()?)?.into_iter().filter(|path| path.is_file());
    Ok(python::new_list(found.map(|path| path.to_string_lossy().into())))
}

/// What a pattern matches on the controller, sorted.
pub fn glob(pattern: &str) -> Result<Vec<PathBuf>, Error> {
    let folder = here("")?;
    let found = crate::probe::glob::glob(&controller(), &folder.join(pattern));
    Ok(match pattern.starts_with('/') {
        true => found,
        false => found.into_iter().map(|path| path.strip_prefix(&folder).map(Path::to_owned).unwrap_or(path)).collect(),
    })
}

/// The machine that wodctl runs on.
pub fn controller() -> Local {
    Local::new(Arc::new(Nothing), Arc::default())
}

/// A path below the folder that wodctl runs in.
fn here(path: &str) -> Result<PathBuf, Error> {
    let folder = std::env::current_dir().map_err(|error| wrong(format!("cannot tell the current folder: {error}")))?;
    Ok(folder.join(path))
}
