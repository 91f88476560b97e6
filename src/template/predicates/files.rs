//! What stands on the controller's disk.
#![expect(clippy::disallowed_methods, reason = "tests of files look at the controller")]

use std::fs::{self, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use minijinja::{Error, State, Value};

use crate::failure::plain;
use crate::template::Asks;
use crate::template::arguments::{Arguments, Entry, entry, wrong};

pub const TESTS: &[Entry] = &[
    entry(&["abs", "is_abs"], "path", abs),
    entry(&["directory", "is_dir"], "path", directory).asking(Asks::FILES),
    entry(&["exists"], "path", exists).asking(Asks::FILES),
    entry(&["file", "is_file"], "path", file).asking(Asks::FILES),
    entry(&["link", "is_link"], "path", link).asking(Asks::FILES),
    entry(&["link_exists"], "path", link_exists).asking(Asks::FILES),
    entry(&["mount", "is_mount"], "path", mount).asking(Asks::FILES),
    entry(&["vaulted_file"], "value", vaulted_file).asking(Asks::FILES),
    entry(&["same_file", "is_same_file"], "path other", same_file).asking(Asks::FILES),
];

fn path(given: &Arguments) -> Result<PathBuf, Error> {
    Ok(PathBuf::from(given.value_str()?))
}

/// What a path leads to. Whatever cannot be looked at does not exist, as for Python.
fn target(given: &Arguments) -> Result<Option<Metadata>, Error> {
    Ok(fs::metadata(path(given)?).ok())
}

fn itself(given: &Arguments) -> Result<Option<Metadata>, Error> {
    Ok(fs::symlink_metadata(path(given)?).ok())
}

fn abs(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(path(given)?.is_absolute().into())
}

fn directory(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(target(given)?.is_some_and(|found| found.is_dir()).into())
}

fn exists(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(target(given)?.is_some().into())
}

fn file(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(target(given)?.is_some_and(|found| found.is_file()).into())
}

fn link(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(itself(given)?.is_some_and(|found| found.is_symlink()).into())
}

fn link_exists(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(itself(given)?.is_some().into())
}

/// A folder on another device than the one above it, or the root.
fn mount(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let Some(found) = itself(given)?.filter(|found| found.is_dir()) else { return Ok(false.into()) };
    let above = fs::symlink_metadata(path(given)?.join("..")).ok();
    Ok(above.is_some_and(|above| above.dev() != found.dev() || above.ino() == found.ino()).into())
}

fn same_file(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let other = fs::metadata(given.need_str("other")?).ok();
    let same = |left: Metadata, right: Metadata| left.dev() == right.dev() && left.ino() == right.ino();
    Ok(target(given)?.zip(other).is_some_and(|(left, right)| same(left, right)).into())
}

/// A file that ansible-vault has encrypted.
fn vaulted_file(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let path = path(given)?;
    let problem = |error: std::io::Error| wrong(format!("cannot read {}: {}", path.display(), plain(&error)));
    let mut start = Vec::new();
    fs::File::open(&path).map_err(problem)?.take(14).read_to_end(&mut start).map_err(problem)?;
    Ok((start == b"$ANSIBLE_VAULT").into())
}
