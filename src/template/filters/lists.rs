//! Lists: ends, parts, lengths, nesting.

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use crate::template::arguments::{Arguments, Entry, bounded, entry, wrong};
use crate::template::python;

pub const FILTERS: &[Entry] = &[
    entry(&["batch"], "value linecount fill_with", batch),
    entry(&["first"], "seq", first),
    entry(&["flatten"], "value levels skip_nulls", flatten),
    entry(&["last"], "seq", last),
    entry(&["length", "count"], "obj", length),
    entry(&["list"], "value", list),
    entry(&["reverse"], "value", reverse),
    entry(&["slice"], "value slices fill_with", slice),
    entry(&["subelements"], "obj subelements skip_missing", subelements),
];

fn list(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(python::new_list(given.value_items()?))
}

fn first(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(given.value_items()?.into_iter().next().unwrap_or(Value::UNDEFINED))
}

fn last(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(given.value_items()?.pop().unwrap_or(Value::UNDEFINED))
}

fn length(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = given.value()?;
    Ok(match value.len() {
        Some(length) => length,
        None => given.value_items()?.len(),
    }
    .into())
}

fn reverse(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = given.value()?;
    if let Some(text) = value.as_str() {
        return Ok(text.chars().rev().collect::<String>().into());
    }
    Ok(python::new_list(given.value_items()?.into_iter().rev()))
}

fn batch(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let wanted = given.int("linecount")?.ok_or_else(|| wrong("needs the argument `linecount`"))?;
    let items = given.value_items()?;
    // As in Jinja2, a row that can never be full takes all.
    let size = usize::try_from(wanted).ok().filter(|size| *size > 0).unwrap_or(items.len().max(1));
    let mut rows: Vec<Vec<Value>> = items.chunks(size).map(<[Value]>::to_vec).collect();
    if wanted == 0 && !rows.is_empty() {
        rows.insert(0, Vec::new());
    }
    if let (Some(fill), Some(last)) = (given.some("fill_with"), rows.last_mut()) {
        let missing = usize::try_from(wanted).unwrap_or(0).saturating_sub(last.len());
        bounded(missing)?;
        last.extend(std::iter::repeat_n(fill.clone(), missing));
    }
    Ok(python::new_list(rows.into_iter().map(python::new_list)))
}

fn slice(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let items = given.value_items()?;
    let slices = given.size("slices", 0)?;
    bounded(slices)?;
    if slices == 0 {
        return Err(wrong("`slices` must be 1 or more"));
    }
    let (each, longer) = (items.len() / slices, items.len() % slices);
    let mut left = items.as_slice();
    let columns = (0..slices).map(|index| {
        let (column, rest) = left.split_at(each + usize::from(index < longer));
        left = rest;
        let mut column = column.to_vec();
        if let Some(fill) = given.some("fill_with").filter(|_| index >= longer) {
            column.push(fill.clone());
        }
        python::new_list(column)
    });
    Ok(columns.collect())
}

fn flatten(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let levels = given.int("levels")?;
    let mut out = Vec::new();
    flattened(given.value_items()?, levels, given.flag("skip_nulls", true), &mut out)?;
    Ok(python::new_list(out))
}

/// Lists inside lists are replaced with their items, `levels` deep.
pub fn flattened(items: Vec<Value>, levels: Option<i64>, skip: bool, out: &mut Vec<Value>) -> Result<(), Error> {
    for item in items {
        if skip && (item.is_none() || matches!(item.as_str(), Some("None" | "null"))) {
            continue;
        }
        if python::is_list(&item) && levels.is_none_or(|levels| levels >= 1) {
            flattened(python::items(&item)?, levels.map(|levels| levels - 1), skip, out)?;
        } else {
            out.push(item);
        }
    }
    Ok(())
}

fn subelements(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = given.value()?;
    let elements = match value.kind() {
        ValueKind::Map => python::pairs(value)?.into_iter().map(|(_, element)| element).collect(),
        ValueKind::Seq | ValueKind::Iterable => python::items(value)?,
        _ => return Err(wrong(format!("needs a list or mapping of mappings, this is {}", python::described(value)))),
    };
    let wanted = given.need("subelements")?;
    let keys = match wanted.as_str() {
        Some(path) => path.split('.').map(Value::from).collect(),
        None => python::list(wanted)?,
    };
    let mut out = Vec::new();
    for element in elements {
        for inner in below(&element, &keys, given.flag("skip_missing", false))? {
            out.push(python::tuple(vec![element.clone(), inner]));
        }
    }
    Ok(python::new_list(out))
}

/// The list that `keys` lead to inside `element`.
pub fn below(element: &Value, keys: &[Value], skip_missing: bool) -> Result<Vec<Value>, Error> {
    let mut at = element.clone();
    for key in keys {
        if !python::is_map(&at) {
            return Err(wrong(format!(
                "`{key}` should be a key of a mapping, but stands below {}",
                python::described(&at)
            )));
        }
        at = at.get_item(key)?;
        if at.is_undefined() {
            return if skip_missing {
                Ok(Vec::new())
            } else {
                Err(wrong(format!(
                    "there is no key `{key}` in {}; `skip_missing=true` leaves such items out",
                    python::repr(element)
                )))
            };
        }
    }
    if !python::is_list(&at) {
        return Err(wrong(format!("the last key should lead to a list, it leads to {}", python::described(&at))));
    }
    python::items(&at)
}
