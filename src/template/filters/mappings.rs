//! Mappings and lists of pairs.

use minijinja::{Error, State, Value};

use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::python;

pub const FILTERS: &[Entry] = &[
    entry(&["dict2items"], "mydict key_name value_name", dict2items),
    entry(&["items"], "value", items),
    entry(&["items2dict"], "mylist key_name value_name", items2dict),
];

fn items(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(python::pairs(given.value()?)?.into_iter().map(|(key, value)| python::tuple(vec![key, value])).collect())
}

fn names(given: &Arguments) -> (Value, Value) {
    let name = |argument: &str, default: &str| given.get(argument).cloned().unwrap_or_else(|| default.into());
    (name("key_name", "key"), name("value_name", "value"))
}

fn dict2items(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let (key_name, value_name) = names(given);
    let entries = python::pairs(given.value()?)?.into_iter();
    Ok(entries.map(|(key, value)| python::new_map([(key_name.clone(), key), (value_name.clone(), value)])).collect())
}

fn items2dict(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let (key_name, value_name) = names(given);
    let entry = |item: Value| {
        let part = |name: &Value| {
            let part = if python::is_map(&item) { item.get_item(name)? } else { Value::UNDEFINED };
            if part.is_undefined() {
                let wanted = format!("needs mappings with `{key_name}` and `{value_name}`");
                return Err(wrong(format!("{wanted}, one item is {}", python::repr(&item))));
            }
            Ok(part)
        };
        Ok((part(&key_name)?, part(&value_name)?))
    };
    Ok(python::new_map(python::list(given.value()?)?.into_iter().map(entry).collect::<Result<Vec<_>, Error>>()?))
}
