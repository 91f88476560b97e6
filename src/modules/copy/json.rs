//! Data as the text that Python's `json.dumps` makes of it: a blank behind commas and colons, ASCII only.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;

use crate::value::{Plain, Value};

/// The text.
pub fn dumps(value: &Value) -> String {
    let mut out = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Python);
    // Writing into memory does not fail, and every value has a form in JSON.
    let _ = Plain(value).serialize(&mut serializer);
    String::from_utf8(out).unwrap_or_default()
}

struct Python;

impl Formatter for Python {
    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        for letter in fragment.chars() {
            if letter.is_ascii() {
                out.write_all(&[letter as u8])?;
                continue;
            }
            for unit in letter.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map;

    #[test]
    fn as_python_writes_it() {
        let value = Value::Map(map! { "a" => vec![1i64, 2], "b" => map! { "é" => "😀\n", "n" => Value::Null } });
        assert_eq!(dumps(&value), r#"{"a": [1, 2], "b": {"\u00e9": "\ud83d\ude00\n", "n": null}}"#);
        assert_eq!(dumps(&Value::List(vec![])), "[]");
    }
}
