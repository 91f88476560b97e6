//! The times that a file is to have.

use std::path::Path;

use super::{Args, State};
use crate::change::{Act, Action};
use crate::failure::Failure;
use crate::system::{Stat, System};

/// One time argument.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Time {
    Preserve,
    Now,
    At(f64),
}

/// Both time arguments.
pub struct Times {
    access: Time,
    change: Time,
    now: f64,
}

impl Times {
    /// Reads both; without them a touched file gets the present, others keep theirs.
    pub fn read(args: &Args, state: State, system: &dyn System) -> Result<Times, Failure> {
        let default = if state == State::Touch { "now" } else { "preserve" };
        let read = |name: &str, text: &Option<String>, format: &str| {
            time(text.as_deref().unwrap_or(default), format, system).map_err(|failure| failure.argument(name))
        };
        Ok(Times {
            access: read("access_time", &args.access_time, &args.access_time_format)?,
            change: read("modification_time", &args.modification_time, &args.modification_time_format)?,
            now: system.now(),
        })
    }

    /// Whether both are the present.
    pub fn are_now(&self) -> bool {
        self.access == Time::Now && self.change == Time::Now
    }

    /// Sets what differs.
    pub fn action(&self, path: &Path, stat: Option<&Stat>) -> Option<Action> {
        let settle = |time: Time, old: Option<f64>| match time {
            Time::Preserve => None,
            Time::Now => Some(self.now),
            Time::At(seconds) => Some(seconds).filter(|_| old != Some(seconds)),
        };
        let atime = settle(self.access, stat.map(|stat| stat.atime));
        let mtime = settle(self.change, stat.map(|stat| stat.mtime));
        let set = || Act::SetTimes { path: path.to_owned(), atime, mtime };
        (atime.is_some() || mtime.is_some()).then(|| Action::change(set()))
    }
}

fn time(text: &str, format: &str, system: &dyn System) -> Result<Time, Failure> {
    match text {
        "preserve" => return Ok(Time::Preserve),
        "now" => return Ok(Time::Now),
        _ => {}
    }
    let parsed = jiff::fmt::strtime::parse(format, text).and_then(|time| {
        time.to_datetime().or_else(|_| Ok(time.to_date()?.to_datetime(jiff::civil::Time::midnight())))
    });
    let zoned = parsed.and_then(|time| system.time_zone().to_timestamp(time));
    match zoned {
        Ok(at) => Ok(Time::At(at.as_second() as f64)),
        Err(error) => Err(Failure::new(format!("`{text}` is no time of the form `{format}`: {error}"))),
    }
}
