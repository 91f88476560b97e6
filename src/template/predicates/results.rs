//! What became of a task, asked of its registered result.

use minijinja::{Error, State, Value};

use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::python;

pub const TESTS: &[Entry] = &[
    entry(&["changed", "change"], "result", changed),
    entry(&["failed", "failure"], "result", failed),
    entry(&["finished"], "result", finished),
    entry(&["reachable"], "result", reachable),
    entry(&["skipped", "skip"], "result", skipped),
    entry(&["started"], "result", started),
    entry(&["succeeded", "success", "successful"], "result", succeeded),
    entry(&["timedout"], "result", timedout),
    entry(&["unreachable"], "result", unreachable),
];

/// An entry of the result; undefined where it has none.
fn part(given: &Arguments, name: &str) -> Result<Value, Error> {
    let result = given.value()?;
    if !python::is_map(result) {
        let what = python::described(result);
        return Err(wrong(format!("needs the result of a task, as `register` keeps it; this is {what}")));
    }
    result.get_item(&name.into())
}

fn truth(given: &Arguments, name: &str) -> Result<bool, Error> {
    Ok(part(given, name)?.is_true())
}

fn failed(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(truth(given, "failed")?.into())
}

fn succeeded(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok((!truth(given, "failed")?).into())
}

fn unreachable(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(truth(given, "unreachable")?.into())
}

fn reachable(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok((!truth(given, "unreachable")?).into())
}

fn skipped(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(truth(given, "skipped")?.into())
}

/// Where the whole does not say, a loop has changed something if one of its items has.
fn changed(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let own = part(given, "changed")?;
    let results = part(given, "results")?;
    if !own.is_undefined() || !python::is_list(&results) {
        return Ok(own.is_true().into());
    }
    for item in python::items(&results)? {
        if python::is_map(&item) && item.get_item(&"changed".into())?.is_true() {
            return Ok(true.into());
        }
    }
    Ok(false.into())
}

/// True where the result does not say: only a job of `async` can be unfinished.
fn finished(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let finished = part(given, "finished")?;
    Ok((finished.is_undefined() || finished.is_true()).into())
}

fn started(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let started = part(given, "started")?;
    Ok((started.is_undefined() || started.is_true()).into())
}

fn timedout(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let period = part(given, "timedout")?;
    Ok((python::is_map(&period) && period.get_item(&"period".into())?.is_true()).into())
}
