//! From one type to another, defaults and choices.

use minijinja::{Error, State, Value};

use crate::template::arguments::{Arguments, Entry, entry, lenient, wrong};
use crate::template::blank::{Blank, is_blank};
use crate::template::python::{self, Number};

pub const FILTERS: &[Entry] = &[
    entry(&["bool"], "value", bool),
    lenient(&["default", "d"], "value default_value boolean", default),
    entry(&["float"], "value default", float),
    entry(&["int"], "value default base", int),
    lenient(&["mandatory"], "value msg", mandatory),
    lenient(&["ternary"], "value true_val false_val none_val", ternary),
    lenient(&["type_debug"], "value", type_debug),
];

fn default(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = given.value()?;
    let boolean = match given.get("boolean") {
        Some(flag) if python::type_name(flag) != "bool" => {
            return Err(wrong(format!("`boolean` must be true or false, it is {}", python::described(flag))));
        }
        flag => flag.is_some_and(Value::is_true),
    };
    // As in Jinja2, also for what an inline `if` without `else` did not give.
    let missing = value.is_undefined() || is_blank(value) || (boolean && !value.is_true());
    Ok(if missing { given.get("default_value").cloned().unwrap_or_else(|| "".into()) } else { value.clone() })
}

fn mandatory(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = given.value()?;
    if !value.is_undefined() {
        return Ok(value.clone());
    }
    match given.some("msg") {
        Some(message) => Err(wrong(python::text(message).into_owned())),
        None => Err(python::defined(value).err().unwrap_or_else(|| wrong("a mandatory variable is not defined"))),
    }
}

fn ternary(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = given.value()?;
    python::defined(value)?;
    Ok(match given.some("none_val") {
        Some(none) if value.is_none() => none.clone(),
        _ if value.is_true() => given.need("true_val")?.clone(),
        _ => given.need("false_val")?.clone(),
    })
}

fn type_debug(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(python::type_name(given.value()?).into())
}

/// Ansible's words for true and false; everything else is false, but for the number 1.
fn bool(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = given.value()?;
    Ok(match value.as_str() {
        Some(text) => matches!(text.to_lowercase().as_str(), "yes" | "on" | "true" | "1"),
        None => python::number(value).is_some_and(|number| number.float() == 1.0),
    }
    .into())
}

fn int(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = given.value()?;
    if is_blank(value) {
        return Err(Blank::error());
    }
    let base = given.int("base")?.unwrap_or(10);
    if base != 0 && !(2..=36).contains(&base) {
        return Err(wrong(format!("`base` must be 0 or from 2 to 36, it is {base}")));
    }
    let whole = match value.as_str() {
        Some(text) => whole(text, base as u32).or_else(|| truncated(real(text)?)),
        None => match python::number(value) {
            Some(Number::Int(number)) => Some(number),
            Some(Number::Float(number)) => truncated(number),
            None => None,
        },
    };
    Ok(match whole {
        Some(number) => Number::Int(number).into(),
        None => given.get("default").cloned().unwrap_or_else(|| 0.into()),
    })
}

fn truncated(number: f64) -> Option<i128> {
    number.is_finite().then_some(number as i128)
}

/// Python's `int(text, base)`: blanks around it, a sign, a prefix that fits the base, `_` between digits.
pub fn whole(text: &str, base: u32) -> Option<i128> {
    let text = text.trim();
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let lower = digits.to_ascii_lowercase();
    let prefixed = [("0x", 16), ("0o", 8), ("0b", 2)].into_iter().find_map(|(prefix, own)| {
        lower.strip_prefix(prefix).filter(|_| base == own || base == 0).map(|rest| (rest, own))
    });
    let (digits, base) = prefixed.unwrap_or((&lower, if base == 0 { 10 } else { base }));
    let digits = if prefixed.is_some() { digits.strip_prefix('_').unwrap_or(digits) } else { digits };
    if digits.is_empty() || digits.starts_with(['_', '+', '-']) || digits.ends_with('_') || digits.contains("__") {
        return None;
    }
    i128::from_str_radix(&digits.replace('_', ""), base).ok().map(|number| number * sign)
}

/// Python's `float(text)`.
pub fn real(text: &str) -> Option<f64> {
    let text = text.trim();
    if text.starts_with('_') || text.ends_with('_') || text.contains("__") {
        return None;
    }
    text.replace('_', "").parse().ok()
}

fn float(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = given.value()?;
    let number = match value.as_str() {
        Some(text) => real(text),
        None => python::number(value).map(Number::float),
    };
    Ok(match number {
        Some(number) => number.into(),
        None => given.get("default").cloned().unwrap_or_else(|| 0.0.into()),
    })
}
