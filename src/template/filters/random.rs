//! Choosing and shuffling; with a seed, the same values as Python's, so that `59 | random(seed=inventory_hostname)` is
//! the minute that Ansible gave the host.

use minijinja::{Error, State, Value};

use crate::template::Asks;
use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::python::{self, Number};
use crate::template::twister::Random;

pub const FILTERS: &[Entry] = &[
    entry(&["random"], "end start step seed", random).asking_unless("seed", Asks::CHANCE), //
    entry(&["shuffle"], "value seed", shuffle).asking_unless("seed", Asks::CHANCE),
];

fn source(given: &Arguments, needed: bool) -> Result<Random, Error> {
    match given.some("seed") {
        Some(seed) if needed || seed.is_true() => seeded(seed),
        _ => Random::system().map_err(wrong),
    }
}

/// Numbers that follow from a seed.
pub fn seeded(seed: &Value) -> Result<Random, Error> {
    match (seed.as_str(), python::number(seed)) {
        (Some(text), _) => Ok(Random::from_text(text)),
        (None, Some(Number::Int(number))) => Ok(Random::from_number(number.unsigned_abs())),
        _ => Err(wrong(format!("`seed` must be text or a whole number, it is {}", python::described(seed)))),
    }
}

fn random(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let mut source = source(given, true)?;
    let value = given.value()?;
    let (start, step) = (given.int("start")?, given.int("step")?);
    if let Some(Number::Int(end)) = python::number(value) {
        let end = i64::try_from(end).map_err(|_| wrong("the end is too large"))?;
        return in_range(&mut source, start.unwrap_or(0), end, step.filter(|step| *step != 0).unwrap_or(1));
    }
    if start.is_some_and(|start| start != 0) || step.is_some_and(|step| step != 0) {
        return Err(wrong("`start` and `step` go with a whole number only"));
    }
    let items = given.value_items()?;
    if items.is_empty() {
        return Err(wrong("an empty list has nothing to choose"));
    }
    Ok(items[source.below(items.len() as u64) as usize].clone())
}

fn in_range(source: &mut Random, start: i64, end: i64, step: i64) -> Result<Value, Error> {
    let width = i128::from(end) - i128::from(start);
    let count = (width + i128::from(step) - i128::from(step.signum())).div_euclid(i128::from(step));
    if width.signum() as i64 != step.signum() || count < 1 {
        return Err(wrong(format!("there is no number from {start} up to {end}")));
    }
    let number = i128::from(start) + i128::from(step) * i128::from(source.below(count as u64));
    Ok(Number::Int(number).into())
}

fn shuffle(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let mut items = given.value_items()?;
    source(given, false)?.shuffle(&mut items);
    Ok(python::new_list(items))
}
