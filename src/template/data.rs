//! Facts, results and rendered values, seen by the template language without copying them.

use std::sync::Arc;

use minijinja::Value as Jinja;
use minijinja::value::{Enumerator, Object, ObjectRepr};

use super::RenderError;
use super::convert::scalar;
use super::run::Shared;
use crate::value::Value;

/// A part of a piece of data: the whole, and the way to the part.
#[derive(Clone, Debug)]
pub struct Data {
    whole: Arc<Value>,
    way: Vec<u32>,
    shared: Arc<Shared>,
}

impl Data {
    /// The whole of `value`.
    pub fn new(value: Arc<Value>, shared: &Arc<Shared>) -> Self {
        Data { whole: value, way: Vec::new(), shared: shared.clone() }
    }

    /// The data itself.
    pub fn value(&self) -> &Value {
        self.way.iter().fold(&self.whole, |value, &step| match value {
            Value::List(items) => &items[step as usize],
            Value::Map(map) => &map[step as usize],
            other => other,
        })
    }

    /// As a value of the template language. What is not known ends the rendering that asks for it.
    pub fn to_jinja(&self) -> Jinja {
        let value = self.value();
        if let Value::Unknown(step) = value {
            return self.shared.end(RenderError::Unknown(step.clone()));
        }
        scalar(value).unwrap_or_else(|| Jinja::from_object(self.clone()))
    }

    fn part(&self, index: usize) -> Data {
        let mut way = Vec::with_capacity(self.way.len() + 1);
        way.extend_from_slice(&self.way);
        way.push(index as u32);
        Data { whole: self.whole.clone(), way, shared: self.shared.clone() }
    }
}

impl Object for Data {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        match self.value() {
            Value::List(_) => ObjectRepr::Seq,
            _ => ObjectRepr::Map,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        match self.value() {
            Value::List(items) => {
                let index = key.as_usize().filter(|index| *index < items.len())?;
                Some(self.part(index).to_jinja())
            }
            Value::Map(_) => match key.as_str() {
                Some(name) => self.get_value_by_str(name),
                None => self.get_value_by_str(&key.to_string()),
            },
            _ => None,
        }
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Jinja> {
        let Value::Map(map) = self.value() else { return None };
        Some(self.part(map.get_index_of(key)?).to_jinja())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match self.value() {
            Value::List(items) => Enumerator::Seq(items.len()),
            Value::Map(map) => {
                let keys: Vec<Jinja> = map.keys().map(|key| Jinja::from(key.as_str())).collect();
                Enumerator::Values(keys)
            }
            _ => Enumerator::NonEnumerable,
        }
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        match self.value() {
            Value::List(items) => Some(items.len()),
            Value::Map(map) => Some(map.len()),
            _ => None,
        }
    }
}
