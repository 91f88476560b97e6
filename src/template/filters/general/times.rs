//! Spans of time for people: `1h 30m` in other units.

use minijinja::{Error, State, Value};

use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::python;

pub const FILTERS: &[Entry] = &[
    entry(&["community.general.to_days"], "value **", |_, given| in_unit(given, "d")),
    entry(&["community.general.to_hours"], "value **", |_, given| in_unit(given, "h")),
    entry(&["community.general.to_milliseconds"], "value **", |_, given| in_unit(given, "ms")),
    entry(&["community.general.to_minutes"], "value **", |_, given| in_unit(given, "m")),
    entry(&["community.general.to_months"], "value **", |_, given| in_unit(given, "mo")),
    entry(&["community.general.to_seconds"], "value **", |_, given| in_unit(given, "s")),
    entry(&["community.general.to_time_unit"], "value unit **", to_time_unit),
    entry(&["community.general.to_weeks"], "value **", |_, given| in_unit(given, "w")),
    entry(&["community.general.to_years"], "value **", |_, given| in_unit(given, "y")),
];

fn to_time_unit(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    in_unit(given, given.str("unit")?.unwrap_or("ms"))
}

/// How many days a month and a year have.
struct Calendar {
    month: f64,
    year: f64,
}

impl Calendar {
    fn read(given: &Arguments) -> Result<Self, Error> {
        let mut calendar = Calendar { month: 30.0, year: 365.0 };
        for (name, value) in &given.others {
            let days = python::number(value)
                .map(python::Number::float)
                .ok_or_else(|| wrong(format!("`{name}` must be a number, it is {}", python::described(value))))?;
            match name.as_str() {
                "month" => calendar.month = days,
                "year" => calendar.year = days,
                other => return Err(wrong(format!("has no argument `{other}`; it takes `month` and `year`"))),
            }
        }
        Ok(calendar)
    }

    /// The milliseconds of a unit, by its short name or its long one.
    fn milliseconds(&self, unit: &str) -> Option<f64> {
        const DAY: f64 = 86_400_000.0;
        let singular = unit.trim_end_matches('s');
        Some(match (unit, singular) {
            ("ms", _) | (_, "millisecond" | "msec" | "msecond") => 1.0,
            ("s", _) | (_, "sec" | "second") => 1000.0,
            ("m", _) | (_, "min" | "minute") => 60_000.0,
            ("h", _) | (_, "hour") => 3_600_000.0,
            ("d", _) | (_, "day") => DAY,
            ("w", _) | (_, "week") => 7.0 * DAY,
            ("mo", _) | (_, "month") => self.month * DAY,
            ("y", _) | (_, "year") => self.year * DAY,
            _ => return None,
        })
    }
}

fn in_unit(given: &Arguments, unit: &str) -> Result<Value, Error> {
    let calendar = Calendar::read(given)?;
    let text = given.value_str()?;
    if text == "0" {
        return Ok(0.into());
    }
    let size = calendar.milliseconds(unit).ok_or_else(|| wrong(format!("there is no unit of time `{unit}`")))?;
    let mut sum = 0.0;
    for part in text.split_whitespace() {
        let digits = part.strip_prefix('-').unwrap_or(part);
        let at = part.len() - digits.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let number = part[..at].parse::<i64>().ok();
        let factor = calendar.milliseconds(&part[at..]);
        match number.zip(factor) {
            Some((number, factor)) => sum += number as f64 * factor,
            None => return Err(wrong(format!("`{text}` is no span of time, such as `1h 30m`"))),
        }
    }
    let rounded = format!("{:.12}", sum / size);
    Ok(rounded.parse::<f64>().unwrap_or(sum / size).into())
}
