//! Lists as sets that keep their order, and versions in order.

use minijinja::{Error, State, Value};

use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::filters::Seen;
use crate::template::predicates::loosely;
use crate::template::python;

pub const FILTERS: &[Entry] = &[
    entry(&["community.general.lists_difference"], "value *others **", difference),
    entry(&["community.general.lists_intersect"], "value *others **", intersect),
    entry(&["community.general.lists_symmetric_difference"], "value *others **", symmetric_difference),
    entry(&["community.general.lists_union"], "value *others **", union),
    entry(&["community.general.version_sort"], "value reverse", version_sort),
];

/// The lists; with `flatten` those that stand in the lists.
fn lists(given: &Arguments) -> Result<Vec<Vec<Value>>, Error> {
    let mut flatten = false;
    for (name, value) in &given.others {
        match name.as_str() {
            "flatten" => flatten = value.is_true(),
            other => return Err(wrong(format!("has no argument `{other}`; it takes lists and `flatten`"))),
        }
    }
    let mut lists: Vec<Value> = std::iter::once(given.value()?.clone()).chain(given.rest.iter().cloned()).collect();
    while flatten && lists.iter().any(holds_lists) {
        let mut inner = Vec::new();
        for list in lists {
            if holds_lists(&list) { inner.extend(python::items(&list)?) } else { inner.push(list) }
        }
        lists = inner;
    }
    lists.iter().map(python::list).collect()
}

fn holds_lists(value: &Value) -> bool {
    python::list(value).is_ok_and(|items| items.iter().any(python::is_list))
}

fn seen(items: &[Value]) -> Seen {
    let mut seen = Seen::default();
    for item in items {
        seen.is_new(item);
    }
    seen
}

/// Each value once, in the order of first appearance.
fn once(items: impl IntoIterator<Item = Value>) -> Vec<Value> {
    let mut met = Seen::default();
    items.into_iter().filter(|item| met.is_new(item)).collect()
}

/// Folds the lists; a single one stays as it is.
fn folded(given: &Arguments, fold: fn(Vec<Value>, Vec<Value>) -> Vec<Value>) -> Result<Value, Error> {
    Ok(python::new_list(lists(given)?.into_iter().reduce(fold).unwrap_or_default()))
}

fn union(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    folded(given, |a, b| once(a.into_iter().chain(b)))
}

fn intersect(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    folded(given, |a, b| {
        let other = seen(&b);
        once(a.into_iter().filter(|item| other.has(item)))
    })
}

fn difference(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    folded(given, |a, b| {
        let other = seen(&b);
        once(a.into_iter().filter(|item| !other.has(item)))
    })
}

fn symmetric_difference(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    folded(given, |a, b| {
        let (in_a, in_b) = (seen(&a), seen(&b));
        once(a.into_iter().chain(b).filter(|item| in_a.has(item) != in_b.has(item)))
    })
}

fn version_sort(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let mut items = given.value_items()?;
    let mut problem = None;
    items.sort_by(|left, right| {
        let order = loosely(&python::text(left), &python::text(right));
        let order = order.unwrap_or_else(|error| {
            problem.get_or_insert(error);
            std::cmp::Ordering::Equal
        });
        if given.flag("reverse", false) { order.reverse() } else { order }
    });
    problem.map_or_else(|| Ok(python::new_list(items)), Err)
}
