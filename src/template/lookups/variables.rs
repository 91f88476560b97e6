//! The environment and the variables.
#![expect(clippy::disallowed_methods, reason = "looks up the environment of the controller")]

use minijinja::{Error, Value};

use super::{Asked, Lookup, lookup};
use crate::template::Asks;
use crate::template::arguments::wrong;
use crate::template::filters::with_pattern;

pub const LOOKUPS: &[Lookup] = &[
    lookup("env", "default", env).asking(Asks::WORLD),
    lookup("varnames", "", varnames),
    lookup("vars", "default", vars),
];

/// Variables of wodctl's own environment; empty where there is none.
fn env(asked: &Asked) -> Result<Vec<Value>, Error> {
    let default = asked.options.iter().find(|(name, _)| name == "default").map(|(_, value)| value.clone());
    let default = default.unwrap_or_else(|| "".into());
    let found = asked.texts()?.into_iter().map(|name| match name.split_whitespace().next() {
        Some(name) => std::env::var(name).map_or_else(|_| default.clone(), Value::from),
        None => default.clone(),
    });
    Ok(found.collect())
}

fn vars(asked: &Asked) -> Result<Vec<Value>, Error> {
    let default = asked.option("default");
    let found = asked.texts()?.into_iter().map(|name| match (asked.context.variable(&name)?, default) {
        (Some(value), _) => Ok(value),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => Err(wrong(format!("there is no variable `{name}`"))),
    });
    found.collect()
}

/// The names that one of the patterns is found in.
fn varnames(asked: &Asked) -> Result<Vec<Value>, Error> {
    let names = asked.context.names();
    let mut found = Vec::new();
    for pattern in asked.texts()? {
        for name in &names {
            if with_pattern(&pattern, false, false, |pattern| pattern.is_match(name))? {
                found.push(Value::from(name.as_str()));
            }
        }
    }
    Ok(found)
}
