//! Several lists or mappings become one: `combine`, `zip`, products.

use minijinja::{Error, State, Value};

use super::lists::flattened;
use crate::template::arguments::{Arguments, Entry, bounded, entry, wrong};
use crate::template::python;

pub const FILTERS: &[Entry] = &[
    entry(&["combinations"], "value r", combinations),
    entry(&["combine"], "value *others **", combine),
    entry(&["permutations"], "value r", permutations),
    entry(&["product"], "value *others **", product),
    entry(&["zip"], "value *others **", zip),
    entry(&["zip_longest"], "value *others **", zip_longest),
];

/// What happens to two lists under one key.
#[derive(Clone, Copy)]
enum Lists {
    Replace,
    Keep,
    Append,
    Prepend,
    AppendNew,
    PrependNew,
}

fn combine(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let (mut recursive, mut lists) = (false, Lists::Replace);
    for (name, value) in &given.others {
        match (name.as_str(), value.as_str()) {
            ("recursive", _) => recursive = value.is_true(),
            ("list_merge", Some("replace")) => lists = Lists::Replace,
            ("list_merge", Some("keep")) => lists = Lists::Keep,
            ("list_merge", Some("append")) => lists = Lists::Append,
            ("list_merge", Some("prepend")) => lists = Lists::Prepend,
            ("list_merge", Some("append_rp")) => lists = Lists::AppendNew,
            ("list_merge", Some("prepend_rp")) => lists = Lists::PrependNew,
            ("list_merge", _) => {
                return Err(wrong("`list_merge` must be replace, keep, append, prepend, append_rp or prepend_rp"));
            }
            (other, _) => {
                return Err(wrong(format!("has no argument `{other}`; it takes `recursive` and `list_merge`")));
            }
        }
    }
    let mut all = Vec::new();
    let terms = std::iter::once(given.value()?.clone()).chain(given.rest.iter().cloned()).collect();
    flattened(terms, Some(1), true, &mut all)?;
    let mut from_the_last = all.into_iter().rev();
    let Some(last) = from_the_last.next() else { return Ok(python::new_map([])) };
    python::pairs(&last)?;
    from_the_last.try_fold(last, |high, low| merged(&low, &high, recursive, lists))
}

/// `low` with what `high` says on top of it.
fn merged(low: &Value, high: &Value, recursive: bool, lists: Lists) -> Result<Value, Error> {
    let mut entries = python::pairs(low)?;
    for (key, above) in python::pairs(high)? {
        match entries.iter_mut().find(|(known, _)| *known == key) {
            None => entries.push((key, above)),
            Some((_, below)) if recursive && python::is_map(below) && python::is_map(&above) => {
                *below = merged(below, &above, recursive, lists)?;
            }
            Some((_, below)) if python::is_list(below) && python::is_list(&above) => {
                *below = merged_lists(below, above, lists)?;
            }
            Some((_, below)) => *below = above,
        }
    }
    Ok(python::new_map(entries))
}

fn merged_lists(below: &Value, above: Value, lists: Lists) -> Result<Value, Error> {
    let low = python::items(below)?;
    let high = python::items(&above)?;
    let only_low = || low.iter().filter(|item| !high.contains(item)).cloned().collect::<Vec<_>>();
    Ok(python::new_list(match lists {
        Lists::Replace => return Ok(above),
        Lists::Keep => low,
        Lists::Append => [low, high].concat(),
        Lists::Prepend => [high, low].concat(),
        Lists::AppendNew => [only_low(), high].concat(),
        Lists::PrependNew => {
            let low = only_low();
            [high, low].concat()
        }
    }))
}

/// The value's items and those of all further arguments.
fn columns(given: &Arguments) -> Result<Vec<Vec<Value>>, Error> {
    std::iter::once(given.value()?).chain(&given.rest).map(python::items).collect()
}

fn zip(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let columns = columns(given)?;
    let shortest = columns.iter().map(Vec::len).min().unwrap_or_default();
    for (name, strict) in &given.others {
        if name != "strict" {
            return Err(wrong(format!("has no argument `{name}`; it takes lists and `strict`")));
        }
        if strict.is_true() && columns.iter().any(|column| column.len() != shortest) {
            return Err(wrong("the lists differ in length, and `strict` does not allow that"));
        }
    }
    let row = |index: usize| python::tuple(columns.iter().map(|column| column[index].clone()).collect());
    Ok((0..shortest).map(row).collect())
}

fn zip_longest(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let mut fill = Value::from(());
    for (name, value) in &given.others {
        match name.as_str() {
            "fillvalue" => fill = value.clone(),
            other => return Err(wrong(format!("has no argument `{other}`; it takes lists and `fillvalue`"))),
        }
    }
    let columns = columns(given)?;
    let longest = columns.iter().map(Vec::len).max().unwrap_or_default();
    let cell = |column: &Vec<Value>, index: usize| column.get(index).unwrap_or(&fill).clone();
    let row = |index: usize| python::tuple(columns.iter().map(|column| cell(column, index)).collect());
    Ok((0..longest).map(row).collect())
}

fn product(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let mut columns = columns(given)?;
    for (name, value) in &given.others {
        match (name.as_str(), value.as_usize()) {
            ("repeat", Some(times)) => {
                bounded(times)?;
                columns = std::iter::repeat_n(columns, times).flatten().collect();
            }
            ("repeat", None) => return Err(wrong("`repeat` must be a whole number")),
            (other, _) => return Err(wrong(format!("has no argument `{other}`; it takes lists and `repeat`"))),
        }
    }
    Ok(products(&columns)?.into_iter().map(python::tuple).collect())
}

/// All ways to take one item of each column, the last column changing fastest.
pub fn products(columns: &[Vec<Value>]) -> Result<Vec<Vec<Value>>, Error> {
    columns.iter().try_fold(vec![Vec::new()], |rows, column| {
        bounded(rows.len().saturating_mul(column.len()))?;
        let with = |row: &Vec<Value>, item| [row.as_slice(), std::slice::from_ref(item)].concat();
        Ok(rows.iter().flat_map(|row| column.iter().map(move |item| with(row, item))).collect())
    })
}

fn combinations(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    given.need("r")?;
    choices(given, |chosen, next| chosen.last().is_none_or(|last| next > *last))
}

fn permutations(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    choices(given, |chosen, next| !chosen.contains(&next))
}

/// All rows of `r` indices, each allowed after those before it, in lexical order.
fn choices(given: &Arguments, allowed: impl Fn(&[usize], usize) -> bool) -> Result<Value, Error> {
    let items = given.value_items()?;
    let mut rows: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..given.size("r", items.len())? {
        // Each row grows at most by as many as there are items.
        bounded(rows.len().saturating_mul(items.len()))?;
        rows = rows
            .iter()
            .flat_map(|row| {
                let next = (0..items.len()).filter(|next| allowed(row, *next));
                next.map(|next| [row.as_slice(), &[next]].concat()).collect::<Vec<_>>()
            })
            .collect();
    }
    Ok(rows.into_iter().map(|row| python::tuple(row.into_iter().map(|at| items[at].clone()).collect())).collect())
}
