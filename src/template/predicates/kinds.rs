//! What a value is.

use std::cmp::Ordering;

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use crate::template::arguments::{Arguments, Entry, entry, lenient, wrong};
use crate::template::blank::is_blank;
use crate::template::python::{self, Number};

pub const TESTS: &[Entry] = &[
    entry(&["boolean"], "value", boolean),
    lenient(&["callable"], "value", callable),
    lenient(&["defined"], "value", defined),
    entry(&["divisibleby"], "value num", divisibleby),
    entry(&["eq", "equalto", "=="], "a b", eq),
    entry(&["even"], "value", even),
    entry(&["false"], "value", is_false),
    entry(&["falsy"], "value convert_bool", falsy),
    entry(&["float"], "value", float),
    entry(&["ge", ">="], "a b", ge),
    entry(&["gt", "greaterthan", ">"], "a b", gt),
    entry(&["in"], "value seq", is_in),
    entry(&["integer"], "value", integer),
    entry(&["iterable"], "value", iterable),
    entry(&["le", "<="], "a b", le),
    entry(&["lt", "lessthan", "<"], "a b", lt),
    entry(&["mapping"], "value", mapping),
    entry(&["nan", "isnan"], "x", nan),
    entry(&["ne", "!="], "a b", ne),
    entry(&["none"], "value", none),
    entry(&["number"], "value", number),
    entry(&["odd"], "value", odd),
    entry(&["sameas"], "value other", sameas),
    entry(&["sequence"], "value", iterable),
    entry(&["string"], "value", string),
    entry(&["true"], "value", is_true),
    entry(&["truthy"], "value convert_bool", truthy),
    lenient(&["undefined"], "value", undefined),
];

fn defined(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = given.value()?;
    Ok((!value.is_undefined() && !is_blank(value)).into())
}

fn undefined(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = given.value()?;
    Ok((value.is_undefined() || is_blank(value)).into())
}

fn is(given: &Arguments, name: &str) -> Result<Value, Error> {
    Ok((python::type_name(given.value()?) == name).into())
}

fn boolean(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    is(given, "bool")
}

fn float(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    is(given, "float")
}

fn integer(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    is(given, "int")
}

fn string(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    is(given, "str")
}

fn mapping(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    is(given, "dict")
}

fn none(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    is(given, "NoneType")
}

fn number(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(python::number(given.value()?).is_some().into())
}

fn is_true(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = given.value()?;
    Ok((value.kind() == ValueKind::Bool && value.is_true()).into())
}

fn is_false(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = given.value()?;
    Ok((value.kind() == ValueKind::Bool && !value.is_true()).into())
}

fn callable(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok((given.value()?.kind() == ValueKind::Plain).into())
}

/// Lists, text and mappings.
fn iterable(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(python::items(given.value()?).is_ok().into())
}

fn sameas(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let (value, other) = (given.value()?, given.need("other")?);
    Ok((value.kind() == other.kind() && value == other).into())
}

fn whole(value: &Value) -> Result<i128, Error> {
    match python::number(value) {
        Some(Number::Int(number)) => Ok(number),
        Some(Number::Float(number)) if number.fract() == 0.0 => Ok(number as i128),
        _ => Err(wrong(format!("needs a whole number, this is {}", python::described(value)))),
    }
}

/// What a division leaves, with the sign of the divisor.
fn rest(value: &Value, divisor: f64) -> Result<f64, Error> {
    match python::number(value) {
        Some(Number::Int(number)) => Ok(number.rem_euclid(divisor as i128) as f64),
        Some(Number::Float(number)) => Ok(number.rem_euclid(divisor)),
        None => Err(wrong(format!("needs a number, this is {}", python::described(value)))),
    }
}

fn even(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok((rest(given.value()?, 2.0)? == 0.0).into())
}

fn odd(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok((rest(given.value()?, 2.0)? == 1.0).into())
}

fn divisibleby(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    match whole(given.need("num")?)? {
        0 => Err(wrong("nothing is divisible by 0")),
        divisor => Ok((whole(given.value()?)? % divisor == 0).into()),
    }
}

fn nan(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = given.value()?;
    match python::number(value) {
        Some(number) => Ok(number.float().is_nan().into()),
        None => Err(wrong(format!("needs a number, this is {}", python::described(value)))),
    }
}

fn eq(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok((given.value()? == given.need("b")?).into())
}

fn ne(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok((given.value()? != given.need("b")?).into())
}

fn ordering(given: &Arguments) -> Result<Ordering, Error> {
    python::compare(given.value()?, given.need("b")?)
}

fn lt(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(ordering(given)?.is_lt().into())
}

fn le(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(ordering(given)?.is_le().into())
}

fn gt(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(ordering(given)?.is_gt().into())
}

fn ge(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(ordering(given)?.is_ge().into())
}

fn is_in(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(super::lists::holds(given.need("seq")?, given.value()?)?.into())
}

fn truthy(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(truth(given)?.into())
}

fn falsy(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok((!truth(given)?).into())
}

/// Python's truth; with `convert_bool`, words such as `no` have Ansible's meaning first.
fn truth(given: &Arguments) -> Result<bool, Error> {
    let value = given.value()?;
    if given.flag("convert_bool", false) {
        let word = value.as_str().map(str::to_lowercase);
        match word.as_deref() {
            Some("no" | "off" | "false" | "0" | "n" | "f") => return Ok(false),
            Some("yes" | "on" | "true" | "1" | "y" | "t") => return Ok(true),
            _ => {}
        }
    }
    Ok(value.is_true())
}
