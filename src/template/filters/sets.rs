//! Lists as sets. Ansible's order is anyone's guess; here it is that of first appearance.

use minijinja::{Error, State, Value};

use super::ordering::Seen;
use crate::template::arguments::{Arguments, Entry, entry};
use crate::template::python;

pub const FILTERS: &[Entry] = &[
    entry(&["difference"], "a b", difference),
    entry(&["intersect"], "a b", intersect),
    entry(&["symmetric_difference"], "a b", symmetric_difference),
    entry(&["union"], "a b", union),
];

fn both(given: &Arguments) -> Result<(Vec<Value>, Vec<Value>), Error> {
    let (a, b) = (given.value_items()?, python::items(given.need("b")?)?);
    a.iter().chain(&b).try_for_each(python::defined)?;
    Ok((a, b))
}

fn seen(items: &[Value]) -> Seen {
    let mut seen = Seen::default();
    for item in items {
        seen.is_new(item);
    }
    seen
}

/// Each value once.
fn set(items: impl IntoIterator<Item = Value>) -> Value {
    let mut met = Seen::default();
    python::new_list(items.into_iter().filter(|item| met.is_new(item)))
}

fn union(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let (a, b) = both(given)?;
    Ok(set(a.into_iter().chain(b)))
}

fn intersect(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let (a, b) = both(given)?;
    let other = seen(&b);
    Ok(set(a.into_iter().filter(|item| other.has(item))))
}

fn difference(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let (a, b) = both(given)?;
    let other = seen(&b);
    Ok(set(a.into_iter().filter(|item| !other.has(item))))
}

fn symmetric_difference(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let (a, b) = both(given)?;
    let (in_a, in_b) = (seen(&a), seen(&b));
    let only_a = a.into_iter().filter(|item| !in_b.has(item));
    Ok(set(only_a.chain(b.into_iter().filter(|item| !in_a.has(item)))))
}
