//! Functions and constants that every template knows.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use minijinja::value::{Enumerator, Kwargs, Object, ObjectRepr, Rest};
use minijinja::{Environment, Error, ErrorKind, State, Value as Jinja};

use super::arguments::bounded;
use super::containers::{Array, Dict};
use super::run::lock;
use super::templar::OMIT;
use super::{Asks, python};

/// Adds them.
pub fn register(environment: &mut Environment<'static>) {
    environment.add_global("omit", OMIT);
    environment.add_function("range", range);
    environment.add_function("dict", dict);
    environment.add_function("namespace", dict);
    environment.add_function("cycler", |values: Rest<Jinja>| {
        Jinja::from_object(Cycler { values: values.0, at: AtomicUsize::new(0) })
    });
    environment.add_function("joiner", |separator: Option<String>| {
        Jinja::from_object(Joiner { separator: separator.unwrap_or_else(|| ", ".into()), used: Mutex::new(false) })
    });
    environment.add_function("now", super::moment::now);
    environment.add_function("undef", |_: Rest<Jinja>| Jinja::UNDEFINED);
    // The evaluator sees to these itself: they need the scope.
    for name in ["lookup", "query", "q"] {
        environment.add_function(name, only_called);
    }
}

/// What a function asks beyond its arguments.
pub fn asks(name: &str) -> Asks {
    if name == "now" { Asks::ONCE } else { Asks::NOTHING }
}

fn only_called(_: Rest<Jinja>) -> Result<Jinja, Error> {
    Err(wrong("`lookup` and `query` can be called only by their names"))
}

fn wrong(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

fn range(first: i64, stop: Option<i64>, step: Option<i64>) -> Result<Jinja, Error> {
    let (start, stop) = stop.map_or((0, first), |stop| (first, stop));
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(wrong("the step of `range` cannot be 0"));
    }
    let distance = if step > 0 { stop.saturating_sub(start) } else { start.saturating_sub(stop) };
    bounded(usize::try_from(distance / step.saturating_abs()).unwrap_or(0))?;
    let inside = |at: &i64| if step > 0 { *at < stop } else { *at > stop };
    let numbers = std::iter::successors(Some(start), |at| at.checked_add(step)).take_while(inside);
    Ok(Array::value(numbers.map(Jinja::from).collect()))
}

/// `dict(pairs, name=value)` and `namespace(name=value)`.
fn dict(given: Option<Jinja>, named: Kwargs) -> Result<Jinja, Error> {
    let mut entries = Vec::new();
    if let Some(given) = given {
        if python::is_map(&given) {
            entries = python::pairs(&given)?;
        } else {
            for pair in python::items(&given)? {
                match python::items(&pair)?.as_slice() {
                    [key, value] => entries.push((key.clone(), value.clone())),
                    _ => return Err(wrong("`dict` needs a mapping, or pairs of a key and a value")),
                }
            }
        }
    }
    for name in named.args() {
        entries.push((Jinja::from(name), named.get::<Jinja>(name)?));
    }
    Ok(Dict::value(entries))
}

#[derive(Debug)]
struct Cycler {
    values: Vec<Jinja>,
    at: AtomicUsize,
}

impl Object for Cycler {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        let at = self.at.load(Ordering::Relaxed) % self.values.len().max(1);
        (key.as_str() == Some("current")).then(|| self.values.get(at).cloned().unwrap_or_default())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["current"])
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, method: &str, _: &[Jinja]) -> Result<Jinja, Error> {
        match method {
            "next" if !self.values.is_empty() => {
                let at = self.at.fetch_add(1, Ordering::Relaxed) % self.values.len();
                Ok(self.values[at].clone())
            }
            "reset" => {
                self.at.store(0, Ordering::Relaxed);
                Ok(Jinja::from(()))
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}

#[derive(Debug)]
struct Joiner {
    separator: String,
    used: Mutex<bool>,
}

impl Object for Joiner {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, _: &[Jinja]) -> Result<Jinja, Error> {
        let used = std::mem::replace(&mut *lock(&self.used), true);
        Ok(Jinja::from(if used { self.separator.as_str() } else { "" }))
    }
}
