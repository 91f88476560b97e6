//! Arithmetic.

use minijinja::{Error, State, Value};

use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::python::{self, Number};

pub const FILTERS: &[Entry] = &[
    entry(&["abs"], "x", abs),
    entry(&["log"], "x base", log),
    entry(&["pow"], "x y", pow),
    entry(&["root"], "x base", root),
    entry(&["round"], "value precision method", round),
];

fn number(value: &Value) -> Result<Number, Error> {
    python::number(value).ok_or_else(|| wrong(format!("needs a number, this is {}", python::described(value))))
}

fn abs(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(match number(given.value()?)? {
        Number::Int(number) => Number::Int(number.abs()),
        Number::Float(number) => Number::Float(number.abs()),
    }
    .into())
}

fn log(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let x = number(given.value()?)?.float();
    if x <= 0.0 {
        return Err(wrong("only a positive number has a logarithm"));
    }
    Ok(match given.get("base").map(number).transpose()?.map(Number::float) {
        None => x.ln(),
        Some(10.0) => x.log10(),
        Some(base) => x.ln() / base.ln(),
    }
    .into())
}

fn pow(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let (base, exponent) = (number(given.value()?)?.float(), number(given.need("y")?)?.float());
    if python::has_no_power(base, exponent) {
        return Err(wrong("this power is no number"));
    }
    Ok(base.powf(exponent).into())
}

fn root(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let x = number(given.value()?)?.float();
    let base = given.get("base").map(number).transpose()?.map_or(2.0, Number::float);
    if x < 0.0 || base == 0.0 {
        return Err(wrong("a negative number has no root, and there is no root of base 0"));
    }
    Ok(if base == 2.0 { x.sqrt() } else { x.powf(1.0 / base) }.into())
}

fn round(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = number(given.value()?)?;
    let precision = given.int("precision")?.unwrap_or_default();
    let factor = 10f64.powi(precision as i32);
    Ok(match (given.str("method")?.unwrap_or("common"), value) {
        ("ceil", value) => ((value.float() * factor).ceil() / factor).into(),
        ("floor", value) => ((value.float() * factor).floor() / factor).into(),
        ("common", Number::Int(number)) if precision >= 0 => Number::Int(number).into(),
        ("common", Number::Int(number)) => rounded_whole(number, precision.unsigned_abs() as u32).into(),
        ("common", Number::Float(number)) => rounded(number, precision).into(),
        (other, _) => return Err(wrong(format!("`method` must be common, ceil or floor, it is `{other}`"))),
    })
}

/// Halves go to the even neighbour, as Python's do.
fn rounded(number: f64, precision: i64) -> f64 {
    match usize::try_from(precision) {
        Ok(digits) => format!("{number:.*}", digits.min(324)).parse().unwrap_or(number),
        Err(_) => {
            let factor = 10f64.powi(-precision as i32);
            (number / factor).round_ties_even() * factor
        }
    }
}

fn rounded_whole(number: i128, digits: u32) -> Number {
    let Some(step) = 10i128.checked_pow(digits) else { return Number::Int(0) };
    let (whole, rest) = (number.div_euclid(step), number.rem_euclid(step));
    let up = rest * 2 > step || (rest * 2 == step && whole % 2 != 0);
    Number::Int((whole + i128::from(up)) * step)
}
