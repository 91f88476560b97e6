//! Sorting, extremes, sums.

use std::borrow::Cow;
use std::cmp::Ordering;

use minijinja::{Error, State, Value};

use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::python::{self, Number};

pub const FILTERS: &[Entry] = &[
    entry(&["dictsort"], "value case_sensitive by reverse", dictsort),
    entry(&["max"], "value case_sensitive attribute", max),
    entry(&["min"], "value case_sensitive attribute", min),
    entry(&["sort"], "value reverse case_sensitive attribute", sort),
    entry(&["sum"], "iterable attribute start", sum),
    entry(&["unique"], "value case_sensitive attribute", unique),
];

/// What an item is compared by: the item or its attribute, text in lower case unless the case matters.
pub fn key(item: &Value, attribute: Option<&Value>, case_sensitive: bool) -> Result<Value, Error> {
    let value = attribute.map_or_else(|| Ok(item.clone()), |attribute| python::path(item, attribute))?;
    python::defined(&value)?;
    Ok(match value.as_str() {
        Some(text) if !case_sensitive => text.to_lowercase().into(),
        _ => value,
    })
}

/// The same with several attributes, separated by commas.
fn keys(item: &Value, attribute: Option<&Value>, case_sensitive: bool) -> Result<Value, Error> {
    match attribute.and_then(Value::as_str) {
        Some(paths) if paths.contains(',') => {
            let parts = paths.split(',').map(|path| key(item, Some(&path.into()), case_sensitive));
            Ok(python::new_list(parts.collect::<Result<Vec<_>, _>>()?))
        }
        _ => key(item, attribute, case_sensitive),
    }
}

fn sort(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let (attribute, case) = (given.some("attribute"), given.flag("case_sensitive", false));
    let items = given.value_items()?.into_iter().map(|item| Ok((keys(&item, attribute, case)?, item)));
    ordered(items.collect::<Result<_, Error>>()?, given.flag("reverse", false))
}

fn ordered(mut items: Vec<(Value, Value)>, reverse: bool) -> Result<Value, Error> {
    items.iter().try_for_each(|(key, _)| python::defined(key))?;
    // Equal items keep their order, also when the order is reversed.
    if reverse {
        items.reverse();
    }
    python::sort(&mut items, |(key, _)| key)?;
    if reverse {
        items.reverse();
    }
    Ok(python::new_list(items.into_iter().map(|(_, item)| item)))
}

fn dictsort(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let by_value = match given.str("by")? {
        None | Some("key") => false,
        Some("value") => true,
        Some(other) => return Err(wrong(format!("`by` must be key or value, it is `{other}`"))),
    };
    let case = given.flag("case_sensitive", false);
    let entries = python::pairs(given.value()?)?.into_iter().map(|(key, value)| {
        let by = self::key(if by_value { &value } else { &key }, None, case)?;
        Ok((by, python::tuple(vec![key, value])))
    });
    ordered(entries.collect::<Result<_, Error>>()?, given.flag("reverse", false))
}

fn min(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    extreme(given, Ordering::Less)
}

fn max(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    extreme(given, Ordering::Greater)
}

fn extreme(given: &Arguments, wanted: Ordering) -> Result<Value, Error> {
    let (attribute, case) = (given.some("attribute"), given.flag("case_sensitive", false));
    let mut best: Option<(Value, Value)> = None;
    for item in given.value_items()? {
        let by = key(&item, attribute, case)?;
        let better = match &best {
            Some((known, _)) => python::compare(&by, known)? == wanted,
            None => true,
        };
        if better {
            best = Some((by, item));
        }
    }
    Ok(best.map_or(Value::UNDEFINED, |(_, item)| item))
}

fn sum(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let mut total = given.get("start").cloned().unwrap_or_else(|| 0.into());
    for item in given.value_items()? {
        let item = given.some("attribute").map_or_else(|| Ok(item.clone()), |path| python::path(&item, path))?;
        python::defined(&item)?;
        total = plus(&total, &item)?;
    }
    Ok(total)
}

fn plus(left: &Value, right: &Value) -> Result<Value, Error> {
    match (python::number(left), python::number(right)) {
        (Some(Number::Int(left)), Some(Number::Int(right))) => Ok(Number::Int(left + right).into()),
        (Some(left), Some(right)) => Ok((left.float() + right.float()).into()),
        _ if python::is_list(left) && python::is_list(right) => {
            Ok(python::new_list(python::items(left)?.into_iter().chain(python::items(right)?)))
        }
        _ => Err(wrong(format!("cannot add {} to {}", python::described(right), python::described(left)))),
    }
}

fn unique(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let (attribute, case) = (given.some("attribute"), given.flag("case_sensitive", false));
    let mut seen = Seen::default();
    let mut kept = Vec::new();
    for item in given.value_items()? {
        if seen.is_new(&key(&item, attribute, case)?) {
            kept.push(item);
        }
    }
    Ok(python::new_list(kept))
}

/// Values that were met already.
#[derive(Default)]
pub struct Seen {
    texts: std::collections::HashSet<Cow<'static, str>>,
    others: Vec<Value>,
}

impl Seen {
    /// Whether the value was not met before; now it is.
    pub fn is_new(&mut self, value: &Value) -> bool {
        match value.as_str() {
            Some(text) => self.texts.insert(text.to_owned().into()),
            None if self.others.contains(value) => false,
            None => {
                self.others.push(value.clone());
                true
            }
        }
    }

    /// Whether the value was met.
    pub fn has(&self, value: &Value) -> bool {
        match value.as_str() {
            Some(text) => self.texts.contains(text),
            None => self.others.contains(value),
        }
    }
}
