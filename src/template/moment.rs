//! `now()`: a moment as Python's `datetime` shows it.

use std::sync::Arc;

use jiff::ZonedDateTime;
use jiff::tz::TimeZone;

use minijinja::value::{Enumerator, Kwargs, Object, ObjectRepr, from_args};
use minijinja::{Error, ErrorKind, State, Value as Jinja};

/// A moment.
#[derive(Debug)]
pub struct Moment(pub ZonedDateTime);

/// `now(utc=false, fmt=none)`
pub fn now(utc: Option<bool>, fmt: Option<String>, named: Kwargs) -> Result<Jinja, Error> {
    let utc = utc.or(named.get::<Option<bool>>("utc")?).unwrap_or(false);
    let fmt = fmt.or(named.get::<Option<String>>("fmt")?);
    named.assert_all_used()?;
    let moment = if utc { ZonedDateTime::now().with_time_zone(TimeZone::UTC) } else { ZonedDateTime::now() };
    match fmt {
        Some(format) => formatted(&moment, &format).map(Jinja::from),
        None => Ok(Jinja::from_object(Moment(moment))),
    }
}

fn formatted(moment: &ZonedDateTime, format: &str) -> Result<String, Error> {
    jiff::fmt::strtime::format(format, moment).map_err(|error| {
        Error::new(ErrorKind::InvalidOperation, format!("the format `{format}` does not fit: {error}"))
    })
}

const PARTS: &[&str] = &["year", "month", "day", "hour", "minute", "second", "microsecond"];

impl Object for Moment {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        let moment = &self.0;
        Some(match key.as_str()? {
            "year" => Jinja::from(moment.year()),
            "month" => Jinja::from(moment.month()),
            "day" => Jinja::from(moment.day()),
            "hour" => Jinja::from(moment.hour()),
            "minute" => Jinja::from(moment.minute()),
            "second" => Jinja::from(moment.second()),
            "microsecond" => Jinja::from(moment.subsec_nanosecond() / 1000),
            _ => return None,
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(PARTS)
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, method: &str, args: &[Jinja]) -> Result<Jinja, Error> {
        let moment = &self.0;
        Ok(match method {
            "strftime" => {
                let (format,): (&str,) = from_args(args)?;
                Jinja::from(formatted(moment, format)?)
            }
            "isoformat" => Jinja::from(formatted(moment, "%Y-%m-%dT%H:%M:%S%.6f")?),
            "timestamp" => Jinja::from(moment.timestamp().as_nanosecond() as f64 / 1e9),
            "date" => Jinja::from(formatted(moment, "%Y-%m-%d")?),
            "time" => Jinja::from(formatted(moment, "%H:%M:%S%.6f")?),
            "weekday" => Jinja::from(moment.weekday().to_monday_zero_offset()),
            "isoweekday" => Jinja::from(moment.weekday().to_monday_one_offset()),
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        })
    }

    fn render(self: &Arc<Self>, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match formatted(&self.0, "%Y-%m-%d %H:%M:%S%.6f") {
            Ok(text) => f.write_str(&text),
            Err(_) => write!(f, "{}", self.0),
        }
    }
}
