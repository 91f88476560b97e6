//! Date and time.

use jiff::Timestamp;

use crate::map;
use crate::system::System;
use crate::value::Map;

/// `date_time`.
pub fn facts(system: &dyn System) -> Map {
    let now = Timestamp::from_microsecond((system.now() * 1e6) as i64).unwrap_or_default();
    let local = now.to_zoned_datetime(system.time_zone());
    let utc = now.to_zoned_datetime(jiff::tz::TimeZone::UTC);
    let epoch = now.as_second().to_string();
    let here = |format: &str| local.strftime(format).to_string();
    let there = |format: &str| utc.strftime(format).to_string();
    map! {
        "date_time" => map! {
            "year" => here("%Y"),
            "month" => here("%m"),
            "weekday" => here("%A"),
            "weekday_number" => here("%w"),
            "weeknumber" => here("%W"),
            "day" => here("%d"),
            "hour" => here("%H"),
            "minute" => here("%M"),
            "second" => here("%S"),
            "epoch" => epoch.as_str(),
            "epoch_int" => epoch.as_str(),
            "date" => here("%Y-%m-%d"),
            "time" => here("%H:%M:%S"),
            "iso8601_micro" => there("%Y-%m-%dT%H:%M:%S.%6fZ"),
            "iso8601" => there("%Y-%m-%dT%H:%M:%SZ"),
            "iso8601_basic" => here("%Y%m%dT%H%M%S%6f"),
            "iso8601_basic_short" => here("%Y%m%dT%H%M%S"),
            "tz" => here("%Z"),
            "tz_dst" => summer_name(&local).unwrap_or_else(|| here("%Z")),
            "tz_offset" => here("%z"),
        },
    }
}

/// The zone's name in summer: of the next or last time at which its clocks are not at standard time.
fn summer_name(local: &jiff::ZonedDateTime) -> Option<String> {
    let zone = local.time_zone();
    let changes = zone.following(local.timestamp()).take(2);
    changes.filter(|change| change.dst().is_dst()).map(|change| change.abbreviation().to_owned()).next()
}
