//! Mappings out of lists.

use minijinja::{Error, State, Value};

use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::python;

pub const FILTERS: &[Entry] = &[
    entry(&["community.general.counter"], "sequence", counter),
    entry(&["community.general.dict"], "sequence", dict),
    entry(&["community.general.dict_kv"], "value key", dict_kv),
    entry(&["community.general.groupby_as_dict"], "sequence attribute", groupby_as_dict),
];

/// A mapping of pairs.
fn dict(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = given.value()?;
    if python::is_map(value) {
        return Ok(value.clone());
    }
    let pair = |item: &Value| match python::items(item)?.as_slice() {
        [key, value] => Ok((key.clone(), value.clone())),
        _ => Err(wrong(format!("needs pairs of a key and a value, one item is {}", python::described(item)))),
    };
    Ok(python::new_map(python::items(value)?.iter().map(pair).collect::<Result<Vec<_>, Error>>()?))
}

fn dict_kv(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(python::new_map([(given.need("key")?.clone(), given.value()?.clone())]))
}

/// How often each item occurs.
fn counter(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = given.value()?;
    if !python::is_list(value) && value.as_str().is_none() {
        return Err(wrong(format!("needs a list or text, this is {}", python::described(value))));
    }
    let mut counts: Vec<(Value, i64)> = Vec::new();
    for item in python::items(value)? {
        if (python::is_list(&item) && !python::is_tuple(&item)) || python::is_map(&item) {
            return Err(wrong("needs items that can be keys: no lists or mappings"));
        }
        match counts.iter_mut().find(|(known, _)| *known == item) {
            Some((_, count)) => *count += 1,
            None => counts.push((item, 1)),
        }
    }
    Ok(python::new_map(counts.into_iter().map(|(item, count)| (item, count.into()))))
}

/// Mappings by one of their attributes, which no two have in common.
fn groupby_as_dict(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let attribute = given.need("attribute")?;
    let mut out: Vec<(Value, Value)> = Vec::new();
    for item in python::list(given.value()?)? {
        python::pairs(&item)?;
        let key = python::get(&item, attribute)?;
        if key.is_undefined() {
            return Err(wrong(format!("an item has no `{attribute}`: {}", python::repr(&item))));
        }
        if out.iter().any(|(known, _)| *known == key) {
            return Err(wrong(format!("two items have the same `{attribute}`: {}", python::repr(&key))));
        }
        out.push((key, item));
    }
    Ok(python::new_map(out))
}
