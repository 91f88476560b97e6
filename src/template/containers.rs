//! Lists and mappings that templates make and change: `{% set _ = list.append(x) %}`.

use std::sync::{Arc, Mutex};

use indexmap::IndexMap;
use minijinja::Value as Jinja;
use minijinja::value::{Enumerator, Object, ObjectRepr};

use super::run::lock;

/// A list that can be changed.
#[derive(Debug, Default)]
pub struct Array(pub Mutex<Vec<Jinja>>);

/// A mapping that can be changed; also a `namespace()`.
#[derive(Debug, Default)]
pub struct Dict(pub Mutex<IndexMap<Jinja, Jinja>>);

impl Array {
    /// As a value.
    pub fn value(items: Vec<Jinja>) -> Jinja {
        Jinja::from_object(Array(Mutex::new(items)))
    }
}

impl Dict {
    /// As a value.
    pub fn value(entries: impl IntoIterator<Item = (Jinja, Jinja)>) -> Jinja {
        Jinja::from_object(Dict(Mutex::new(entries.into_iter().collect())))
    }
}

impl Object for Array {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        lock(&self.0).get(key.as_usize()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(lock(&self.0).clone())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(lock(&self.0).len())
    }
}

impl Object for Dict {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        lock(&self.0).get(key).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(lock(&self.0).keys().cloned().collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(lock(&self.0).len())
    }
}
