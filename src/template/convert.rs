//! Between wodctl's data and the template language's values.

use std::sync::Arc;

use minijinja::Value as Jinja;
use minijinja::value::ValueKind;

use super::RenderError;
use super::blank::{Blank, is_blank};
use super::data::Data;
use super::lazy::Lazy;
use super::python::{self, NamedTuple};
use super::report::Ended;
use super::run::Run;
use super::templar::{OMIT, is_omit};
use crate::value::{Map, Value};

/// Data as the template language sees it: scalars by value, collections by reference.
pub fn to_jinja(value: &Arc<Value>, run: &Run) -> Jinja {
    Data::new(value.clone(), run.shared()).to_jinja()
}

/// A scalar by value; `None` for collections and unknowns.
pub fn scalar(value: &Value) -> Option<Jinja> {
    Some(match value {
        Value::Null => Jinja::from(()),
        Value::Bool(flag) => Jinja::from(*flag),
        Value::Int(number) => Jinja::from(*number),
        Value::Float(number) => Jinja::from(*number),
        Value::Str(text) => Jinja::from(text.as_str()),
        Value::List(_) | Value::Map(_) | Value::Unknown(_) => return None,
    })
}

/// Data without unknowns as a value of its own.
pub fn whole(value: &Value) -> Jinja {
    match value {
        Value::List(items) => items.iter().map(whole).collect(),
        Value::Map(map) => Jinja::from_pairs(map.iter().map(|(key, item)| (key.as_str(), whole(item)))),
        other => scalar(other).unwrap_or_default(),
    }
}

/// A value as a text shows it: tuples are lists but for those with names, `omit`s are left out, nothing is undefined.
pub fn settled(value: &Jinja) -> Result<Jinja, minijinja::Error> {
    let is_ours = value.downcast_object_ref::<Data>().is_some() || value.downcast_object_ref::<Lazy>().is_some();
    let is_omit = |item: &Jinja| item.as_str() == Some(OMIT);
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable if !is_ours => {
            let items = python::items(value)?;
            let items = items.iter().filter(|item| !is_omit(item)).map(settled).collect::<Result<Vec<_>, _>>()?;
            let named = value.downcast_object_ref::<NamedTuple>().is_some();
            Ok(if named { python::tuple(items) } else { python::new_list(items) })
        }
        ValueKind::Map if !is_ours => {
            let entries = python::pairs(value)?.into_iter().filter(|(_, item)| !is_omit(item));
            let entries = entries.map(|(key, item)| Ok((key, settled(&item)?)));
            Ok(python::new_map(entries.collect::<Result<Vec<_>, minijinja::Error>>()?))
        }
        ValueKind::Plain if !is_blank(value) => Ok(value.clone()),
        _ => {
            let data = from_jinja(value)?;
            match data.unknown() {
                Some(step) => Err(Ended::error(RenderError::Unknown(step.to_owned()))),
                None => Ok(whole(&data)),
            }
        }
    }
}

/// A result of the template language as data. `omit`s in collections are left out.
pub fn from_jinja(value: &Jinja) -> Result<Value, minijinja::Error> {
    if let Some(data) = value.downcast_object_ref::<Data>() {
        return Ok(data.value().clone());
    }
    if let Some(lazy) = value.downcast_object_ref::<Lazy>() {
        return lazy.render().map_err(Ended::error);
    }
    Ok(match value.kind() {
        ValueKind::Undefined => {
            return Err(minijinja::Error::new(minijinja::ErrorKind::UndefinedError, "a part of the result"));
        }
        ValueKind::None => Value::Null,
        ValueKind::Bool => Value::Bool(value.is_true()),
        ValueKind::Number => number(value),
        ValueKind::Seq | ValueKind::Iterable => list(value)?,
        ValueKind::Map => map(value)?,
        ValueKind::Invalid => {
            for item in value.try_iter()?.checked() {
                item?;
            }
            Value::Null
        }
        _ if is_blank(value) => return Err(Blank::error()),
        _ => Value::Str(value.to_str().map_or_else(|| value.to_string(), |text| text.to_string())),
    })
}

fn number(value: &Jinja) -> Value {
    match value.as_i64() {
        Some(whole) if value.is_integer() => Value::Int(whole),
        _ => Value::Float(f64::try_from(value.clone()).unwrap_or(f64::NAN)),
    }
}

fn list(value: &Jinja) -> Result<Value, minijinja::Error> {
    let mut items = Vec::with_capacity(value.len().unwrap_or(0));
    for item in value.try_iter()?.checked() {
        let item = from_jinja(&item?)?;
        if !is_omit(&item) {
            items.push(item);
        }
    }
    Ok(Value::List(items))
}

fn map(value: &Jinja) -> Result<Value, minijinja::Error> {
    let mut entries = Map::with_capacity(value.len().unwrap_or(0));
    for key in value.try_iter()?.checked() {
        let key = key?;
        let item = from_jinja(&value.get_item(&key)?)?;
        if !is_omit(&item) {
            entries.insert(key_text(&key), item);
        }
    }
    Ok(Value::Map(entries))
}

/// A key as text, as Python writes it.
fn key_text(key: &Jinja) -> String {
    match key.kind() {
        ValueKind::Bool => if key.is_true() { "True" } else { "False" }.to_owned(),
        ValueKind::None => "None".to_owned(),
        _ => key.to_string(),
    }
}
