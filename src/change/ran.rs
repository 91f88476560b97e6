//! What a program that ran returns, in Ansible's names.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::map;
use crate::system::Output;
use crate::value::{Map, Value};

/// `stdout`, `stderr`, `rc`, `start`, `end` and `delta`. `strip` takes line ends off the two texts.
pub fn values(output: &Output, strip: bool) -> Map {
    let strip = |text: String| if strip { text.trim_end_matches(['\r', '\n']).to_owned() } else { text };
    let stdout = strip(output.text());
    let stderr = strip(output.errors());
    map! {
        "rc" => output.rc,
        "start" => moment(output.started),
        "end" => moment(output.started + i128::from(output.elapsed)),
        "delta" => duration(output.elapsed),
        "stdout" => stdout,
        "stderr" => stderr,
    }
}

/// Adds the lines of what was printed, as the results of all modules have them.
pub fn add_lines(values: &mut Map) {
    for (text, list) in [("stdout", "stdout_lines"), ("stderr", "stderr_lines")] {
        let value = match values.get(text) {
            Some(Value::Str(text)) => Value::from(lines(text)),
            Some(unknown @ Value::Unknown(_)) => unknown.clone(),
            _ => continue,
        };
        values.entry(list.to_owned()).or_insert(value);
    }
}

/// The same values before anybody can know them.
pub fn unknown() -> Map {
    let keys = ["rc", "start", "end", "delta", "stdout", "stderr"];
    keys.map(|key| (key.to_owned(), Value::Unknown(String::new()))).into_iter().collect()
}

/// The lines of a text, split where Python's `splitlines` does.
pub fn lines(text: &str) -> Vec<String> {
    let is_end =
        |c: char| matches!(c, '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(end) = rest.find(is_end) {
        lines.push(rest[..end].to_owned());
        let width =
            if rest[end..].starts_with("\r\n") { 2 } else { rest[end..].chars().next().map_or(1, char::len_utf8) };
        rest = &rest[end + width..];
    }
    if !rest.is_empty() {
        lines.push(rest.to_owned());
    }
    lines
}

/// A moment (nanoseconds since 1970) in local time: `2026-11-23 17:04:05.123456`.
pub fn moment(nanoseconds: i128) -> String {
    let Ok(timestamp) = Timestamp::from_nanosecond(nanoseconds) else { return String::new() };
    timestamp.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
}

/// A duration (nanoseconds) as `0:00:01.234567`, with days in front where there are any.
fn duration(nanoseconds: u64) -> String {
    let micros = nanoseconds / 1000;
    let seconds = micros / 1_000_000;
    let clock =
        format!("{}:{:02}:{:02}.{:06}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60, micros % 1_000_000);
    match seconds / 86400 {
        0 => clock,
        1 => format!("1 day, {clock}"),
        days => format!("{days} days, {clock}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_where_python_ends_them() {
        assert_eq!(lines("a\nb\r\nc\rd"), ["a", "b", "c", "d"]);
        assert_eq!(lines("a\n\n"), ["a", ""]);
        assert_eq!(lines(""), Vec::<String>::new());
        assert_eq!(lines("a\u{2028}b"), ["a", "b"]);
    }

    #[test]
    fn durations() {
        assert_eq!(duration(1_234_000), "0:00:00.001234");
        assert_eq!(duration(3_725_000_001_000), "1:02:05.000001");
        assert_eq!(duration(2 * 86_400_000_000_000), "2 days, 0:00:00.000000");
    }

    #[test]
    fn texts_lose_their_last_line_ends() {
        let output = Output { stdout: b"a\nb\n\r\n".to_vec(), ..Output::default() };
        assert_eq!(values(&output, true)["stdout"], Value::from("a\nb"));
        assert_eq!(values(&output, false)["stdout"], Value::from("a\nb\n\r\n"));
    }
}
