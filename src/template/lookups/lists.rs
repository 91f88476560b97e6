//! Lists out of lists.

use minijinja::{Error, Value};

use super::{Asked, Lookup, lookup};
use crate::template::Asks;
use crate::template::arguments::wrong;
use crate::template::filters::{below, flattened, products};
use crate::template::python;
use crate::template::twister::Random;

pub const LOOKUPS: &[Lookup] = &[
    lookup("cartesian", "", nested).of("community.general"),
    lookup("dict", "", dict),
    lookup("flattened", "", flattened_all).of("community.general"),
    lookup("indexed_items", "", indexed_items),
    lookup("items", "", items),
    lookup("list", "", list),
    lookup("nested", "", nested),
    lookup("random_choice", "", random_choice).asking(Asks::CHANCE),
    lookup("subelements", "", subelements),
    lookup("together", "", together),
];

fn list(asked: &Asked) -> Result<Vec<Value>, Error> {
    Ok(asked.terms.to_vec())
}

/// Lists among the terms count as their items.
fn items(asked: &Asked) -> Result<Vec<Value>, Error> {
    let mut out = Vec::new();
    flattened(asked.terms.to_vec(), Some(1), false, &mut out)?;
    Ok(out)
}

/// Lists in lists in lists count as their items. As in Ansible, a text `None` ends its list.
fn flattened_all(asked: &Asked) -> Result<Vec<Value>, Error> {
    fn flat(items: Vec<Value>, out: &mut Vec<Value>) -> Result<(), Error> {
        for item in items {
            match item.as_str() {
                Some("None" | "null") => break,
                _ if python::is_list(&item) => flat(python::items(&item)?, out)?,
                _ => out.push(item),
            }
        }
        Ok(())
    }
    let mut out = Vec::new();
    flat(asked.terms.to_vec(), &mut out)?;
    Ok(out)
}

fn indexed_items(asked: &Asked) -> Result<Vec<Value>, Error> {
    Ok(items(asked)?.into_iter().enumerate().map(|(index, item)| python::tuple(vec![index.into(), item])).collect())
}

fn dict(asked: &Asked) -> Result<Vec<Value>, Error> {
    let mut out = Vec::new();
    for term in asked.terms {
        for (key, value) in python::pairs(term)? {
            out.push(python::new_map([("key".into(), key), ("value".into(), value)]));
        }
    }
    Ok(out)
}

/// Each term as a list; what is none is a list of one.
fn columns(asked: &Asked) -> Result<Vec<Vec<Value>>, Error> {
    let column = |term: &Value| if python::is_list(term) { python::items(term) } else { Ok(vec![term.clone()]) };
    asked.terms.iter().map(column).collect()
}

fn nested(asked: &Asked) -> Result<Vec<Value>, Error> {
    let columns = columns(asked)?;
    if columns.is_empty() {
        return Err(wrong("needs at least one list"));
    }
    products(&columns)?
        .into_iter()
        .map(|row| {
            let mut flat = Vec::new();
            flattened(row, Some(1), false, &mut flat)?;
            Ok(python::new_list(flat))
        })
        .collect()
}

fn together(asked: &Asked) -> Result<Vec<Value>, Error> {
    let columns = columns(asked)?;
    if columns.is_empty() {
        return Err(wrong("needs at least one list"));
    }
    let longest = columns.iter().map(Vec::len).max().unwrap_or_default();
    let cell = |column: &Vec<Value>, index: usize| column.get(index).cloned().unwrap_or_else(|| Value::from(()));
    let row = |index: usize| {
        let mut flat = Vec::new();
        flattened(columns.iter().map(|column| cell(column, index)).collect(), Some(1), false, &mut flat)?;
        Ok(python::new_list(flat))
    };
    (0..longest).map(row).collect()
}

fn random_choice(asked: &Asked) -> Result<Vec<Value>, Error> {
    if asked.terms.is_empty() {
        return Ok(Vec::new());
    }
    let mut source = Random::system().map_err(wrong)?;
    Ok(vec![asked.terms[source.below(asked.terms.len() as u64) as usize].clone()])
}

fn subelements(asked: &Asked) -> Result<Vec<Value>, Error> {
    let [elements, path, rest @ ..] = asked.terms else {
        return Err(wrong("needs a list (or mapping) of mappings, and the key of a list in each"));
    };
    let skip = match rest {
        [] => false,
        [options] if python::is_map(options) => options.get_item(&"skip_missing".into())?.is_true(),
        _ => return Err(wrong("takes at most three terms; the third is a mapping with `skip_missing`")),
    };
    let elements = if python::is_map(elements) {
        python::pairs(elements)?.into_iter().map(|(_, element)| element).collect()
    } else {
        python::list(elements)?
    };
    let keys: Vec<Value> = python::text(path).split('.').map(Value::from).collect();
    let mut out = Vec::new();
    for element in elements {
        // Skipped items of an earlier loop have nothing in them.
        if python::is_map(&element) && element.get_item(&"skipped".into())?.is_true() {
            continue;
        }
        let inner = below(&element, &keys, skip)?;
        let element = without(&element, &keys)?;
        out.extend(inner.into_iter().map(|inner| python::tuple(vec![element.clone(), inner])));
    }
    Ok(out)
}

/// The element without what its keys lead to, which is looped over beside it.
fn without(element: &Value, keys: &[Value]) -> Result<Value, Error> {
    let [key, rest @ ..] = keys else { return Ok(element.clone()) };
    let mut entries = python::pairs(element)?;
    if rest.is_empty() {
        entries.retain(|(known, _)| known != key);
    }
    for (_, inner) in entries.iter_mut().filter(|(known, _)| known == key) {
        *inner = without(inner, rest)?;
    }
    Ok(python::new_map(entries))
}
