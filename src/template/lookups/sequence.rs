//! Numbers in a row, as text.

use minijinja::formatting::{self, FormatStyle};
use minijinja::{Error, Value};

use super::{Asked, Lookup, inline, lookup};
use crate::template::arguments::wrong;
use crate::template::filters::whole;

pub const LOOKUPS: &[Lookup] = &[lookup("sequence", "start end stride count format", sequence)];

struct Sequence {
    start: i64,
    end: Option<i64>,
    stride: i64,
    count: Option<i64>,
    format: String,
}

fn sequence(asked: &Asked) -> Result<Vec<Value>, Error> {
    let mut out = Vec::new();
    let mut terms = asked.texts()?;
    if terms.is_empty() {
        terms.push(String::new());
    }
    for term in terms {
        let mut sequence = Sequence { start: 1, end: None, stride: 1, count: None, format: "%d".into() };
        for (name, value) in asked.options {
            sequence.set(name, &crate::template::python::text(value))?;
        }
        sequence.read(&term)?;
        out.extend(sequence.numbers()?);
    }
    Ok(out)
}

impl Sequence {
    fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        if name == "format" {
            self.format = value.to_owned();
            return Ok(());
        }
        let number = number(value)?;
        match name {
            "start" => self.start = number,
            "end" => self.end = Some(number),
            "stride" => self.stride = number,
            "count" => self.count = Some(number),
            other => return Err(wrong(format!("has no option `{other}`; it has start, end, stride, count, format"))),
        }
        Ok(())
    }

    /// `start=1 end=5`, or in short `[START-]END[/STRIDE][:FORMAT]`.
    fn read(&mut self, term: &str) -> Result<(), Error> {
        let (short, options) = inline(term)?;
        for (name, value) in options {
            self.set(&name, &value)?;
        }
        if short.is_empty() {
            return Ok(());
        }
        let (numbers, format) =
            short.split_once(':').map_or((short.as_str(), None), |(left, right)| (left, Some(right)));
        let (numbers, stride) = numbers.split_once('/').map_or((numbers, None), |(left, right)| (left, Some(right)));
        // A minus at the very front is a sign.
        let dash = numbers.char_indices().skip(1).find(|(_, letter)| *letter == '-').map(|(at, _)| at);
        if let Some(at) = dash {
            self.start = number(&numbers[..at])?;
        }
        self.end = Some(number(dash.map_or(numbers, |at| &numbers[at + 1..]))?);
        if let Some(stride) = stride {
            self.stride = number(stride)?;
        }
        if let Some(format) = format {
            self.format = format.to_owned();
        }
        Ok(())
    }

    fn numbers(&self) -> Result<Vec<Value>, Error> {
        let end = match (self.count, self.end) {
            (None, None) => return Err(wrong("needs `count` or `end`")),
            (Some(_), Some(_)) => return Err(wrong("takes `count` or `end`, not both")),
            (Some(0), None) => return Ok(Vec::new()),
            (Some(count), None) => self.start + (count - 1) * self.stride,
            (None, Some(end)) => end,
        };
        if self.stride == 0 {
            return Ok(Vec::new());
        }
        if (end - self.start).signum() * self.stride.signum() < 0 {
            let way = if self.stride > 0 { "forwards" } else { "backwards" };
            return Err(wrong(format!("cannot count {way} from {} to {end}", self.start)));
        }
        let mut numbers = Vec::new();
        let mut number = self.start;
        while if self.stride > 0 { number <= end } else { number >= end } {
            numbers.push(self.written(number)?);
            number += self.stride;
        }
        Ok(numbers)
    }

    fn written(&self, number: i64) -> Result<Value, Error> {
        formatting::format(FormatStyle::Printf, &self.format, &[number.into()]).map(Value::from)
    }
}

/// Decimal, `0x`, or octal with a zero in front.
fn number(text: &str) -> Result<i64, Error> {
    let octal = text.len() > 1 && text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if octal { i128::from_str_radix(text, 8).ok() } else { whole(text, 0) };
    let number = number.and_then(|number| i64::try_from(number).ok());
    number.ok_or_else(|| wrong(format!("`{text}` is no whole number")))
}
