//! Lists of mappings, grouped or keyed by one of their entries.

use minijinja::{Error, State, Value};

use super::ordering;
use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::python::{self, NamedTuple};

pub const FILTERS: &[Entry] = &[
    entry(&["groupby"], "value attribute default case_sensitive", groupby),
    entry(&["rekey_on_member"], "data key duplicates", rekey_on_member),
];

fn groupby(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let attribute = given.need("attribute")?;
    let case = given.flag("case_sensitive", false);
    let keyed = given.value_items()?.into_iter().map(|item| {
        let found = python::path(&item, attribute)?;
        let found = if found.is_undefined() { given.get("default").cloned().unwrap_or(found) } else { found };
        python::defined(&found)?;
        Ok((ordering::key(&found, None, case)?, found, item))
    });
    let mut keyed: Vec<(Value, Value, Value)> = keyed.collect::<Result<_, Error>>()?;
    python::sort(&mut keyed, |(key, ..)| key)?;
    let groups = keyed.chunk_by(|(left, ..), (right, ..)| left == right).map(|group| {
        let items = python::new_list(group.iter().map(|(_, _, item)| item.clone()));
        Value::from_object(NamedTuple { names: &["grouper", "list"], parts: vec![group[0].1.clone(), items] })
    });
    Ok(groups.collect())
}

fn rekey_on_member(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let overwrite = match given.str("duplicates")? {
        None | Some("error") => false,
        Some("overwrite") => true,
        Some(other) => return Err(wrong(format!("`duplicates` must be error or overwrite, it is `{other}`"))),
    };
    let data = given.value()?;
    let items = if python::is_map(data) {
        python::pairs(data)?.into_iter().map(|(_, item)| item).collect()
    } else {
        python::list(data)?
    };
    let wanted = given.need("key")?;
    let mut keyed: Vec<(Value, Value)> = Vec::new();
    for item in items {
        if !python::is_map(&item) {
            return Err(wrong(format!("needs mappings, one item is {}", python::described(&item))));
        }
        let key = item.get_item(wanted)?;
        if key.is_undefined() {
            return Err(wrong(format!("there is no key `{wanted}` in {}", python::repr(&item))));
        }
        if !overwrite && keyed.iter().any(|(known, _)| *known == key) {
            return Err(wrong(format!("{} stands twice; `duplicates='overwrite'` keeps the last", python::repr(&key))));
        }
        keyed.push((key, item));
    }
    Ok(python::new_map(keyed))
}
