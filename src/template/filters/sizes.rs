//! Sizes as people write them.

use minijinja::{Error, State, Value};

use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::filters::converting::real;
use crate::template::python::{self, Number};

pub const FILTERS: &[Entry] = &[
    entry(&["filesizeformat"], "value binary", filesizeformat),
    entry(&["human_readable"], "size isbits unit", human_readable),
    entry(&["human_to_bytes"], "size default_unit isbits", human_to_bytes),
];

/// Units, the largest first; each is 1024 of the next.
const UNITS: [char; 8] = ['Y', 'Z', 'E', 'P', 'T', 'G', 'M', 'K'];

/// How many bytes (or bits) a unit has; `B` is one.
fn factor(unit: char) -> Option<f64> {
    if unit == 'B' {
        return Some(1.0);
    }
    UNITS.iter().rev().position(|known| *known == unit).map(|power| 1024f64.powi(power as i32 + 1))
}

fn number(value: &Value) -> Result<f64, Error> {
    let number = python::number(value).map(Number::float);
    number.ok_or_else(|| wrong(format!("needs a number, this is {}", python::described(value))))
}

fn human_readable(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let size = number(given.value()?)?;
    let base = if given.flag("isbits", false) { "bits" } else { "Bytes" };
    let unit = match given.str("unit")? {
        Some(unit) => unit.to_uppercase().chars().next().filter(|unit| unit.len_utf8() == 1),
        None => UNITS.into_iter().find(|unit| factor(*unit).is_some_and(|factor| size >= factor)),
    };
    Ok(match unit.filter(|unit| *unit != 'B').and_then(|unit| Some((unit, factor(unit)?))) {
        Some((unit, factor)) => format!("{:.2} {unit}{}", size / factor, &base[..1]),
        None => format!("{size:.2} {base}"),
    }
    .into())
}

fn human_to_bytes(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let text = given.value_text()?;
    let bits = given.flag("isbits", false);
    let unreadable = || wrong(format!("`{text}` is no size; write a number and a unit, as in 10M or 1.5 GB"));
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let valid = digits.ends_with(|letter: char| letter.is_ascii_digit()) && digits.matches('.').count() <= 1;
    let number = real(digits).filter(|_| valid).ok_or_else(unreadable)?;
    let unit = match (rest.trim(), given.str("default_unit")?) {
        ("", None) => return Ok(Number::Int(number.round_ties_even() as i128).into()),
        ("", Some(unit)) => unit,
        (unit, _) => unit,
    };
    if !unit.chars().all(|letter| letter.is_ascii_alphabetic()) {
        return Err(unreadable());
    }
    let first = unit.to_ascii_uppercase().chars().next().unwrap_or('B');
    let factor = factor(first)
        .ok_or_else(|| wrong(format!("the unit `{unit}` is unknown; it must begin with one of Y Z E P T G M K B")))?;
    if unit.len() > 1 && !unit_fits(unit, first, bits) {
        let expected = if bits { 'b' } else { 'B' };
        return Err(wrong(format!("the unit `{unit}` does not fit; write {first} or {first}{expected}")));
    }
    Ok(Number::Int((number * factor).round_ties_even() as i128).into())
}

/// `KB`, or the long name `kilobyte` in any case; with bits `Kb` and `kilobit`.
fn unit_fits(unit: &str, first: char, bits: bool) -> bool {
    let prefix = match first {
        'B' => "",
        'K' => "kilo",
        'M' => "mega",
        'G' => "giga",
        'T' => "tera",
        'P' => "peta",
        'E' => "exa",
        'Z' => "zetta",
        _ => "yotta",
    };
    let (long, short) = if bits { ("bit", 'b') } else { ("byte", 'B') };
    let short = if first == 'B' { short.to_string() } else { format!("{first}{short}") };
    unit == short || unit.to_ascii_lowercase() == format!("{prefix}{long}")
}

/// Jinja2's own: thousands, or with `binary` 1024.
fn filesizeformat(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = given.value()?;
    let size = match value.as_str() {
        Some(text) => {
            real(text).ok_or_else(|| wrong(format!("needs a number, this is {}", python::described(value))))?
        }
        None => number(value)?,
    };
    let binary = given.flag("binary", false);
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    if size == 1.0 {
        return Ok("1 Byte".into());
    }
    if size < base {
        return Ok(format!("{} Bytes", size.trunc()).into());
    }
    let power = (2..=8).find(|power| size < base.powi(*power)).unwrap_or(8);
    let unit = UNITS[(9 - power) as usize];
    let name = match (binary, unit) {
        (true, unit) => format!("{unit}iB"),
        (false, 'K') => "kB".to_owned(),
        (false, unit) => format!("{unit}B"),
    };
    Ok(format!("{:.1} {name}", base * size / base.powi(power)).into())
}
