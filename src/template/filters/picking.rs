//! `map`, `select`, `reject` and their kin.

use minijinja::value::Kwargs;
use minijinja::{Error, ErrorKind, State, Value};

use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::python;

pub const FILTERS: &[Entry] = &[
    entry(&["attr"], "obj name", attr),
    entry(&["extract"], "item container morekeys", extract),
    entry(&["map"], "value *args **", map),
    entry(&["reject"], "value *args **", reject),
    entry(&["rejectattr"], "value *args **", rejectattr),
    entry(&["select"], "value *args **", select),
    entry(&["selectattr"], "value *args **", selectattr),
];

/// An error that names the filter or test that does not exist.
fn named(error: Error, kind: &str, name: &str) -> Error {
    match error.kind() {
        ErrorKind::UnknownFilter | ErrorKind::UnknownTest => wrong(format!("there is no {kind} `{name}`")),
        _ => error,
    }
}

/// What is false has no items: `none | map('int')` is an empty list.
fn items(given: &Arguments) -> Result<Vec<Value>, Error> {
    if given.value()?.is_true() { given.value_items() } else { Ok(Vec::new()) }
}

fn map(state: &mut State, given: &Arguments) -> Result<Value, Error> {
    let items = items(given)?;
    let Some(name) = given.rest.first() else { return attributes(items, given) };
    let Some(name) = name.as_str() else {
        return Err(wrong(format!("needs the name of a filter, this is {}", python::described(name))));
    };
    let arguments = arguments(&given.rest[1..], &given.others);
    items
        .into_iter()
        .map(|item| {
            let all: Vec<Value> = std::iter::once(item).chain(arguments.iter().cloned()).collect();
            match state.apply_filter(name, &all) {
                Err(error) if error.kind() == ErrorKind::UndefinedError => Ok(Value::UNDEFINED),
                result => result.map_err(|error| named(error, "filter", name)),
            }
        })
        .collect::<Result<Vec<_>, _>>()
        .map(python::new_list)
}

fn attributes(items: Vec<Value>, given: &Arguments) -> Result<Value, Error> {
    let mut attribute = None;
    let mut default = None;
    for (name, value) in &given.others {
        match name.as_str() {
            "attribute" => attribute = Some(value),
            "default" => default = Some(value),
            other => {
                return Err(wrong(format!(
                    "has no argument `{other}`; it takes `attribute`, `default`, or a filter's name"
                )));
            }
        }
    }
    let attribute = attribute.ok_or_else(|| wrong("needs the name of a filter, or `attribute`"))?;
    items
        .iter()
        .map(|item| {
            let found = python::path(item, attribute)?;
            Ok(if found.is_undefined() { default.cloned().unwrap_or(found) } else { found })
        })
        .collect::<Result<Vec<_>, _>>()
        .map(python::new_list)
}

/// Positional and named arguments as one list.
fn arguments(positional: &[Value], named: &[(String, Value)]) -> Vec<Value> {
    let mut all = positional.to_vec();
    if !named.is_empty() {
        all.push(Value::from(named.iter().cloned().collect::<Kwargs>()));
    }
    all
}

fn select(state: &mut State, given: &Arguments) -> Result<Value, Error> {
    pick(state, given, false, true)
}

fn reject(state: &mut State, given: &Arguments) -> Result<Value, Error> {
    pick(state, given, false, false)
}

fn selectattr(state: &mut State, given: &Arguments) -> Result<Value, Error> {
    pick(state, given, true, true)
}

fn rejectattr(state: &mut State, given: &Arguments) -> Result<Value, Error> {
    pick(state, given, true, false)
}

fn pick(state: &mut State, given: &Arguments, by_attribute: bool, wanted: bool) -> Result<Value, Error> {
    let mut rest = given.rest.as_slice();
    let attribute = match rest.split_first() {
        Some((attribute, others)) if by_attribute => {
            rest = others;
            Some(attribute)
        }
        None if by_attribute => return Err(wrong("needs the name of an attribute")),
        _ => None,
    };
    let test = match rest.split_first() {
        Some((name, others)) => {
            rest = others;
            Some(
                name.as_str()
                    .ok_or_else(|| wrong(format!("needs the name of a test, this is {}", python::described(name))))?,
            )
        }
        None => None,
    };
    let arguments = arguments(rest, &given.others);
    let mut picked = Vec::new();
    for item in items(given)? {
        let subject = attribute.map_or_else(|| Ok(item.clone()), |attribute| python::path(&item, attribute))?;
        let truth = match test {
            Some(test) => {
                let all: Vec<Value> = std::iter::once(subject).chain(arguments.iter().cloned()).collect();
                state.perform_test(test, &all).map_err(|error| named(error, "test", test))?
            }
            None => {
                python::defined(&subject)?;
                subject.is_true()
            }
        };
        if truth == wanted {
            picked.push(item);
        }
    }
    Ok(python::new_list(picked))
}

fn extract(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let mut keys = vec![given.value()?.clone()];
    match given.some("morekeys") {
        Some(more) if python::is_list(more) => keys.extend(python::items(more)?),
        more => keys.extend(more.cloned()),
    }
    keys.iter().try_fold(given.need("container")?.clone(), |value, key| python::get(&value, key))
}

/// Only true attributes: the keys of a mapping are none.
fn attr(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = given.value()?;
    if python::is_map(value) || (python::is_list(value) && !python::is_tuple(value)) {
        return Ok(Value::UNDEFINED);
    }
    python::get(value, &given.need_str("name")?.into())
}
