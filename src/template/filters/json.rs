//! JSON as Python's `json` writes and reads it.

use std::fmt::Write;

use minijinja::value::{Serde, ValueKind};
use minijinja::{Error, State, Value};

use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::python::{self, Number};

pub const FILTERS: &[Entry] = &[
    entry(&["from_json"], "value profile", from_json),
    entry(
        &["to_json"],
        "value indent sort_keys ensure_ascii separators skipkeys allow_nan vault_to_text preprocess_unsafe",
        to_json,
    ),
    entry(
        &["to_nice_json"],
        "value indent sort_keys ensure_ascii separators skipkeys allow_nan vault_to_text preprocess_unsafe",
        to_nice_json,
    ),
    entry(&["tojson"], "value indent", tojson),
];

/// How JSON is written.
struct Style {
    indent: Option<String>,
    item: String,
    key: String,
    sort: bool,
    ascii: bool,
    skip: bool,
    nan: bool,
}

fn to_json(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let indent = indent(given.some("indent"))?;
    written(given, style(given, indent, false)?)
}

/// With sorted keys, four blanks deep.
pub fn pretty(value: &Value) -> Result<String, Error> {
    let (item, key) = (",".to_owned(), ": ".to_owned());
    let style = Style { indent: Some("    ".into()), item, key, sort: true, ascii: true, skip: false, nan: true };
    let mut out = String::new();
    style.write(value, 0, &mut out)?;
    Ok(out)
}

fn to_nice_json(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let indent = match given.get("indent") {
        Some(indent) => self::indent(Some(indent).filter(|indent| !indent.is_none()))?,
        None => Some("    ".into()),
    };
    let style = style(given, indent, true)?;
    written(given, Style { item: ",".into(), key: ": ".into(), ..style })
}

fn style(given: &Arguments, indent: Option<String>, sort: bool) -> Result<Style, Error> {
    let separators = given.some("separators").map(python::items).transpose()?;
    let (item, key) = match separators.as_deref() {
        None => (if indent.is_some() { "," } else { ", " }.to_owned(), ": ".to_owned()),
        Some([item, key]) => (python::text(item).into_owned(), python::text(key).into_owned()),
        Some(_) => return Err(wrong("`separators` must be two texts, as in [',', ':']")),
    };
    Ok(Style {
        indent,
        item,
        key,
        sort: given.flag("sort_keys", sort),
        ascii: given.flag("ensure_ascii", true),
        skip: given.flag("skipkeys", false),
        nan: given.flag("allow_nan", true),
    })
}

fn indent(indent: Option<&Value>) -> Result<Option<String>, Error> {
    let Some(indent) = indent else { return Ok(None) };
    match (indent.as_str(), python::number(indent)) {
        (Some(text), _) => Ok(Some(text.to_owned())),
        (None, Some(Number::Int(width))) => Ok(Some(" ".repeat(usize::try_from(width).unwrap_or_default()))),
        _ => Err(wrong(format!("`indent` must be a whole number or text, it is {}", python::described(indent)))),
    }
}

fn written(given: &Arguments, style: Style) -> Result<Value, Error> {
    let mut out = String::new();
    style.write(given.value()?, 0, &mut out)?;
    Ok(out.into())
}

/// Jinja2's own: sorted, and with nothing in it that HTML would read.
fn tojson(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let indent = indent(given.some("indent"))?;
    let text = written(given, style_plain(indent))?;
    let escape = |letter: char| match letter {
        '<' | '>' | '&' | '\'' => format!("\\u{:04x}", u32::from(letter)),
        other => other.to_string(),
    };
    Ok(Value::from_safe_string(text.as_str().unwrap_or_default().chars().map(escape).collect()))
}

fn style_plain(indent: Option<String>) -> Style {
    let item = if indent.is_some() { "," } else { ", " };
    Style { indent, item: item.into(), key: ": ".into(), sort: true, ascii: true, skip: false, nan: true }
}

impl Style {
    fn write(&self, value: &Value, depth: usize, out: &mut String) -> Result<(), Error> {
        match value.kind() {
            ValueKind::None => out.push_str("null"),
            ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => out.push_str(&self.number(value)?),
            ValueKind::String => self.string(value.as_str().unwrap_or_default(), out),
            ValueKind::Seq | ValueKind::Iterable => {
                let items = python::items(value)?;
                self.container('[', ']', &items, depth, out, |item, out| self.write(item, depth + 1, out))?;
            }
            ValueKind::Map => {
                let entries = self.entries(value)?;
                self.container('{', '}', &entries, depth, out, |(key, item), out| {
                    self.string(key, out);
                    out.push_str(&self.key);
                    self.write(item, depth + 1, out)
                })?;
            }
            _ => {
                python::defined(value)?;
                return Err(wrong(format!("{} cannot be written as JSON", python::described(value))));
            }
        }
        Ok(())
    }

    fn entries(&self, map: &Value) -> Result<Vec<(String, Value)>, Error> {
        let mut entries = Vec::new();
        for (key, value) in python::pairs(map)? {
            match key.kind() {
                ValueKind::String => entries.push((python::text(&key).into_owned(), value)),
                ValueKind::None => entries.push(("null".into(), value)),
                ValueKind::Bool => entries.push((if key.is_true() { "true" } else { "false" }.into(), value)),
                ValueKind::Number => entries.push((self.number(&key)?, value)),
                _ if self.skip => {}
                _ => return Err(wrong(format!("{} cannot be a key in JSON", python::described(&key)))),
            }
        }
        if self.sort {
            entries.sort_by(|(left, _), (right, _)| left.cmp(right));
        }
        Ok(entries)
    }

    fn container<T>(
        &self,
        open: char,
        close: char,
        items: &[T],
        depth: usize,
        out: &mut String,
        write: impl Fn(&T, &mut String) -> Result<(), Error>,
    ) -> Result<(), Error> {
        out.push(open);
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                out.push_str(&self.item);
            }
            self.line(depth + 1, out);
            write(item, out)?;
        }
        if !items.is_empty() {
            self.line(depth, out);
        }
        out.push(close);
        Ok(())
    }

    fn line(&self, depth: usize, out: &mut String) {
        if let Some(indent) = &self.indent {
            out.push('\n');
            out.push_str(&indent.repeat(depth));
        }
    }

    fn number(&self, value: &Value) -> Result<String, Error> {
        Ok(match python::number(value) {
            Some(Number::Float(number)) if !number.is_finite() => {
                if !self.nan {
                    return Err(wrong("not a number and infinity cannot be written as JSON"));
                }
                let name = if number.is_nan() { "NaN" } else { "Infinity" };
                format!("{}{name}", if number < 0.0 { "-" } else { "" })
            }
            Some(Number::Float(number)) => python::float(number),
            _ => value.to_string(),
        })
    }

    fn string(&self, text: &str, out: &mut String) {
        out.push('"');
        for letter in text.chars() {
            match letter {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                ' '..='~' => out.push(letter),
                letter if !self.ascii && letter >= ' ' => out.push(letter),
                letter => {
                    for unit in letter.encode_utf16(&mut [0; 2]) {
                        let written = write!(out, "\\u{unit:04x}");
                        debug_assert!(written.is_ok(), "a string takes everything");
                    }
                }
            }
        }
        out.push('"');
    }
}

fn from_json(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    if let Some(profile) = given.some("profile") {
        return Err(wrong(format!("the profile `{profile}` is not supported")));
    }
    loads(given.value_str()?)
}

/// The value of a JSON text.
pub fn loads(text: &str) -> Result<Value, Error> {
    let value: serde_json::Value = serde_json::from_str(text)
        .map_err(|error| wrong(format!("{} is not JSON: {error}", python::described(&text.into()))))?;
    Ok(Value::from(Serde(value)))
}
