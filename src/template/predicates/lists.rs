//! Lists and what they hold.

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::python;

pub const TESTS: &[Entry] = &[
    entry(&["all"], "seq", all),
    entry(&["any"], "seq", any),
    entry(&["contains"], "seq value", contains),
    entry(&["subset", "issubset"], "a b", subset),
    entry(&["superset", "issuperset"], "a b", superset),
];

fn all(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(given.value_items()?.iter().all(Value::is_true).into())
}

fn any(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(given.value_items()?.iter().any(Value::is_true).into())
}

fn contains(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(holds(given.value()?, given.need("value")?)?.into())
}

/// Python's `in`: an item of a list, a key of a mapping, a part of a text.
pub fn holds(container: &Value, value: &Value) -> Result<bool, Error> {
    match (container.kind(), value.as_str()) {
        (ValueKind::String, Some(part)) => Ok(python::text(container).contains(part)),
        (ValueKind::String, None) => {
            Err(wrong(format!("a text holds only text, and this is {}", python::described(value))))
        }
        (ValueKind::Map, _) => Ok(!container.get_item(value)?.is_undefined()),
        _ => Ok(python::list(container)?.contains(value)),
    }
}

/// Whether Python could take it into a set.
fn can_be_key(value: &Value) -> bool {
    !python::is_map(value) && (!python::is_list(value) || python::is_tuple(value))
}

fn each_in(left: &Value, right: &Value) -> Result<Value, Error> {
    let (left, right) = (python::items(left)?, python::items(right)?);
    if let Some(item) = left.iter().chain(&right).find(|item| !can_be_key(item)) {
        return Err(wrong(format!("a set cannot hold {}", python::described(item))));
    }
    Ok(left.iter().all(|item| right.contains(item)).into())
}

fn subset(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    each_in(given.value()?, given.need("b")?)
}

fn superset(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    each_in(given.need("b")?, given.value()?)
}
