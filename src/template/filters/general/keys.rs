//! Some keys of each mapping in a list: kept, removed, renamed.

use minijinja::{Error, State, Value};

use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::filters::with_pattern;
use crate::template::python;

pub const FILTERS: &[Entry] = &[
    entry(&["community.general.keep_keys"], "data target matching_parameter", keep),
    entry(&["community.general.remove_keys"], "data target matching_parameter", remove),
    entry(&["community.general.replace_keys"], "data target matching_parameter", replace),
];

/// How a key is compared.
#[derive(Clone, Copy, PartialEq)]
enum Matching {
    Equal,
    Start,
    End,
    Regex,
}

impl Matching {
    fn read(given: &Arguments) -> Result<Self, Error> {
        Ok(match given.str("matching_parameter")?.unwrap_or("equal") {
            "equal" => Matching::Equal,
            "starts_with" => Matching::Start,
            "ends_with" => Matching::End,
            "regex" => Matching::Regex,
            other => {
                let known = "equal, starts_with, ends_with or regex";
                return Err(wrong(format!("`matching_parameter` must be {known}, it is `{other}`")));
            }
        })
    }

    fn fits(self, key: &str, wanted: &str) -> Result<bool, Error> {
        Ok(match self {
            Matching::Equal => key == wanted,
            Matching::Start => key.starts_with(wanted),
            Matching::End => key.ends_with(wanted),
            Matching::Regex => with_pattern(wanted, false, false, |pattern| pattern.matches_start(key))?,
        })
    }
}

/// The mappings, each as its entries, whose keys must be texts.
fn mappings(given: &Arguments) -> Result<Vec<Vec<(String, Value)>>, Error> {
    let entry = |(key, value): (Value, Value)| match key.as_str() {
        Some(key) => Ok((key.to_owned(), value)),
        None => Err(wrong(format!("the keys must be text, one is {}", python::described(&key)))),
    };
    let mapping = |item: &Value| python::pairs(item)?.into_iter().map(entry).collect();
    python::list(given.value()?)?.iter().map(mapping).collect()
}

/// The keys that are meant: a text or a list of texts, of which a pattern is the only one.
fn targets(given: &Arguments, matching: Matching) -> Result<Vec<String>, Error> {
    let target = given.need("target")?;
    let targets = match target.as_str() {
        Some("") => Vec::new(),
        Some(text) => vec![text.to_owned()],
        None => python::list(target)?.iter().map(text).collect::<Result<_, _>>()?,
    };
    match targets.len() {
        0 => Err(wrong("`target` must not be empty")),
        2.. if matching == Matching::Regex => Err(wrong("`target` must be one pattern where `regex` is asked for")),
        _ => Ok(targets),
    }
}

fn text(value: &Value) -> Result<String, Error> {
    let text = value.as_str().ok_or_else(|| wrong(format!("`target` needs text, not {}", python::described(value))))?;
    Ok(text.to_owned())
}

fn chosen(given: &Arguments, keep: bool) -> Result<Value, Error> {
    let matching = Matching::read(given)?;
    let mappings = mappings(given)?;
    let targets = targets(given, matching)?;
    let mut out = Vec::with_capacity(mappings.len());
    for mapping in mappings {
        let mut entries = Vec::new();
        for (key, value) in mapping {
            let mut fits = false;
            for target in &targets {
                fits |= matching.fits(&key, target)?;
            }
            if fits == keep {
                entries.push((key.into(), value));
            }
        }
        out.push(python::new_map(entries));
    }
    Ok(python::new_list(out))
}

fn keep(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    chosen(given, true)
}

fn remove(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    chosen(given, false)
}

/// The first of the pairs `before` and `after` whose `before` fits renames a key.
fn replace(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let matching = Matching::read(given)?;
    let mappings = mappings(given)?;
    let part = |item: &Value, name: &str| text(&python::get(item, &name.into())?);
    let pair = |item: &Value| Ok((part(item, "before")?, part(item, "after")?));
    let pairs: Vec<(String, String)> =
        python::list(given.need("target")?)?.iter().map(pair).collect::<Result<_, Error>>()?;
    if pairs.is_empty() {
        return Err(wrong("`target` must not be empty"));
    }
    let renamed = |key: String| -> Result<String, Error> {
        for (before, after) in &pairs {
            if matching.fits(&key, before)? {
                return Ok(after.clone());
            }
        }
        Ok(key)
    };
    let mut out = Vec::with_capacity(mappings.len());
    for mapping in mappings {
        let entry = |(key, value)| Ok((renamed(key)?.into(), value));
        out.push(python::new_map(mapping.into_iter().map(entry).collect::<Result<Vec<_>, Error>>()?));
    }
    Ok(python::new_list(out))
}
