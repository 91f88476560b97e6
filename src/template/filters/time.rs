//! Dates and times.

use std::fmt;
use std::sync::Arc;

use jiff::civil;
use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, ZonedDateTime};
use minijinja::value::{Enumerator, Object, ObjectRepr, from_args};
use minijinja::{Error, ErrorKind, State, Value};

use crate::template::Asks;
use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::filters::converting::real;
use crate::template::python::{self, Number};

pub const FILTERS: &[Entry] = &[
    entry(&["strftime"], "string_format second utc", strftime).asking_unless("second", Asks::ONCE), //
    entry(&["to_datetime"], "string format", to_datetime),
];

fn formatted(format: &str, time: impl Into<BrokenDownTime>) -> Result<String, Error> {
    strtime::format(format, time).map_err(|error| wrong(format!("`{format}` cannot be written: {error}")))
}

fn strftime(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let time = match given.some("second") {
        None => Timestamp::now(),
        Some(second) => at(second)?,
    };
    let zone = if given.flag("utc", false) { TimeZone::UTC } else { TimeZone::system() };
    Ok(formatted(given.value_str()?, &time.to_zoned_datetime(zone))?.into())
}

/// Seconds since 1970, as a number or as text.
fn at(second: &Value) -> Result<Timestamp, Error> {
    let seconds = match second.as_str() {
        Some(text) => real(text),
        None => python::number(second).map(Number::float),
    };
    let time = seconds.and_then(|seconds| Timestamp::from_second(seconds.floor() as i64).ok());
    time.ok_or_else(|| wrong(format!("`second` must be the seconds since 1970, it is {}", python::described(second))))
}

fn to_datetime(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let text = given.value_text()?;
    let format = given.str("format")?.unwrap_or("%Y-%m-%d %H:%M:%S");
    let problem = |error: jiff::Error| wrong(format!("`{text}` does not look like `{format}`: {error}"));
    let parsed = BrokenDownTime::parse(format, text.as_bytes()).map_err(problem)?;
    let date = match parsed.to_date() {
        Ok(date) => date,
        // Python begins where nothing is said.
        Err(_) if parsed.year().is_none() && parsed.month().is_none() && parsed.day().is_none() => {
            civil::date(1900, 1, 1)
        }
        Err(_) if parsed.day().is_none() => {
            let (year, month) = (parsed.year().unwrap_or(1900), parsed.month().unwrap_or(1));
            civil::Date::new(year, month, 1).map_err(problem)?
        }
        Err(error) => return Err(problem(error)),
    };
    let time = parsed.to_time().unwrap_or(civil::Time::midnight());
    Ok(Value::from_object(DateTime { time: date.to_datetime(time), offset: parsed.offset() }))
}

/// Python's `datetime`.
#[derive(Debug)]
pub struct DateTime {
    time: civil::DateTime,
    offset: Option<Offset>,
}

impl DateTime {
    /// The moment, of the controller's time zone or of UTC.
    pub fn now(utc: bool) -> Self {
        let zone = if utc { TimeZone::UTC } else { TimeZone::system() };
        DateTime { time: ZonedDateTime::now().with_time_zone(zone).datetime(), offset: None }
    }

    fn zoned(&self, zone: TimeZone) -> Result<ZonedDateTime, Error> {
        let zone = self.offset.map_or(zone, TimeZone::fixed);
        self.time.to_zoned_datetime(zone).map_err(|error| wrong(format!("this time does not exist: {error}")))
    }

    fn fraction(&self) -> String {
        match self.time.subsec_nanosecond() / 1000 {
            0 => String::new(),
            micros => format!(".{micros:06}"),
        }
    }

    fn written(&self, between: char) -> String {
        let offset = self.offset.map_or_else(String::new, |offset| {
            let minutes = offset.seconds() / 60;
            let sign = if minutes < 0 { '-' } else { '+' };
            format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
        });
        format!("{}{between}{}{}{offset}", self.time.date(), self.time.time().strftime("%H:%M:%S"), self.fraction())
    }

    /// How long it is from the other to this.
    pub fn since(&self, other: &DateTime) -> Result<Value, Error> {
        let time = self.zoned(TimeZone::UTC)?.duration_since(&other.zoned(TimeZone::UTC)?);
        Ok(Value::from_object(TimeDelta(time)))
    }
}

impl Object for DateTime {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let time = self.time;
        Some(match key.as_str()? {
            "year" => time.year().into(),
            "month" => time.month().into(),
            "day" => time.day().into(),
            "hour" => time.hour().into(),
            "minute" => time.minute().into(),
            "second" => time.second().into(),
            "microsecond" => (time.subsec_nanosecond() / 1000).into(),
            _ => return None,
        })
    }

    fn call_method(self: &Arc<Self>, _: &mut State, name: &str, arguments: &[Value]) -> Result<Value, Error> {
        match name {
            "strftime" => {
                let (format,): (&str,) = from_args(arguments)?;
                return Ok(formatted(format, &self.zoned(TimeZone::system())?)?.into());
            }
            "isoformat" => {
                let (between,): (Option<char>,) = from_args(arguments)?;
                return Ok(self.written(between.unwrap_or('T')).into());
            }
            _ => {}
        }
        let () = from_args(arguments)?;
        let date = self.time.date();
        Ok(match name {
            "timestamp" => self.zoned(TimeZone::system())?.timestamp().as_duration().as_secs_f64().into(),
            "date" => Value::from_object(DateTime { time: date.to_datetime(civil::Time::midnight()), offset: None }),
            "weekday" => date.weekday().to_monday_zero_offset().into(),
            "isoweekday" => date.weekday().to_monday_one_offset().into(),
            "toordinal" => (date.duration_since(civil::date(1, 1, 1)).as_hours() / 24 + 1).into(),
            _ => return Err(Error::new(ErrorKind::UnknownMethod, format!("a time has no method named {name}"))),
        })
    }

    fn custom_cmp(self: &Arc<Self>, other: &minijinja::value::DynObject) -> Option<std::cmp::Ordering> {
        let other = other.downcast_ref::<DateTime>()?;
        Some(self.zoned(TimeZone::UTC).ok()?.cmp(&other.zoned(TimeZone::UTC).ok()?))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written(' '))
    }
}

/// Python's `timedelta`.
#[derive(Debug)]
struct TimeDelta(SignedDuration);

impl TimeDelta {
    /// Whole days, and the seconds left, which are never negative.
    fn parts(&self) -> (i64, i64) {
        (self.0.as_secs().div_euclid(86_400), self.0.as_secs().rem_euclid(86_400))
    }
}

impl Object for TimeDelta {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(match key.as_str()? {
            "days" => self.parts().0.into(),
            "seconds" => self.parts().1.into(),
            "microseconds" => self.0.subsec_micros().into(),
            _ => return None,
        })
    }

    fn call_method(self: &Arc<Self>, _: &mut State, name: &str, arguments: &[Value]) -> Result<Value, Error> {
        let () = from_args(arguments)?;
        match name {
            "total_seconds" => Ok(self.0.as_secs_f64().into()),
            _ => Err(Error::new(ErrorKind::UnknownMethod, format!("a duration has no method named {name}"))),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds) = self.parts();
        if days != 0 {
            write!(f, "{days} day{}, ", if days.abs() == 1 { "" } else { "s" })?;
        }
        write!(f, "{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
        match self.0.subsec_micros() {
            0 => Ok(()),
            micros => write!(f, ".{micros:06}"),
        }
    }
}
