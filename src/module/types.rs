//! The types that arguments can have, and how they are read.

use std::path::PathBuf;

use super::{Kind, Mode};
use crate::value::{Map, Value};

/// A type that an argument can have.
pub trait Arg: Sized {
    /// What it takes, for the schema.
    const KIND: Kind;
    /// Whether it may be left out without a default.
    const OPTIONAL: bool = false;
    /// Reads it; the error says what was expected.
    fn read(value: &Value) -> Result<Self, String>;
    /// What it is when it was left out and has no default.
    fn absent() -> Option<Self> {
        None
    }
}

impl<T: Arg> Arg for Option<T> {
    const KIND: Kind = T::KIND;
    const OPTIONAL: bool = true;
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Null => Ok(None),
            value => T::read(value).map(Some),
        }
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
}

fn expected<T>(what: impl std::fmt::Display, value: &Value) -> Result<T, String> {
    let shown = match value {
        Value::Str(text) => format!("`{text}`"),
        Value::Int(number) => format!("`{number}`"),
        other => other.kind().to_owned(),
    };
    Err(format!("expected {what}, found {shown}"))
}

impl Arg for String {
    const KIND: Kind = Kind::Str;
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Str(text) => Ok(text.clone()),
            Value::Int(number) => Ok(number.to_string()),
            Value::Float(number) => Ok(format!("{number:?}")),
            // Python's spelling, which is what Ansible's own coercion to text gives.
            Value::Bool(flag) => Ok(if *flag { "True" } else { "False" }.to_owned()),
            Value::List(_) | Value::Map(_) => serde_json::to_string(&value.to_json()).map_err(|e| e.to_string()),
            other => expected("text", other),
        }
    }
}

impl Arg for PathBuf {
    const KIND: Kind = Kind::Path;
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Str(text) => Ok(PathBuf::from(text)),
            other => expected("a path", other),
        }
    }
}

/// Ansible's spellings of true and false.
pub fn read_bool(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "on" | "true" | "1" | "y" | "t" | "1.0" => Some(true),
        "no" | "off" | "false" | "0" | "n" | "f" | "0.0" => Some(false),
        _ => None,
    }
}

impl Arg for bool {
    const KIND: Kind = Kind::Bool;
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Bool(flag) => Ok(*flag),
            Value::Int(0) => Ok(false),
            Value::Int(1) => Ok(true),
            Value::Str(text) => read_bool(text).map_or_else(|| expected("a boolean (yes or no)", value), Ok),
            other => expected("a boolean (yes or no)", other),
        }
    }
}

impl Arg for i64 {
    const KIND: Kind = Kind::Int;
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Int(number) => Ok(*number),
            Value::Bool(flag) => Ok((*flag).into()),
            Value::Float(number) if number.fract() == 0.0 => Ok(*number as i64),
            Value::Str(text) => whole(text.trim()).map_or_else(|| expected("a whole number", value), Ok),
            other => expected("a whole number", other),
        }
    }
}

/// `3`, `1.0` and `1e3` are whole numbers.
fn whole(text: &str) -> Option<i64> {
    let number = || text.parse::<f64>().ok().filter(|number| number.fract() == 0.0 && number.abs() < 9e15);
    text.parse().ok().or_else(|| number().map(|number| number as i64))
}

impl Arg for u32 {
    const KIND: Kind = Kind::Int;
    fn read(value: &Value) -> Result<Self, String> {
        i64::read(value)?.try_into().or_else(|_| expected("a whole number that is not negative", value))
    }
}

impl Arg for f64 {
    const KIND: Kind = Kind::Float;
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Int(number) => Ok(*number as f64),
            Value::Bool(flag) => Ok(u8::from(*flag).into()),
            Value::Float(number) => Ok(*number),
            Value::Str(text) => text.trim().parse().or_else(|_| expected("a number", value)),
            other => expected("a number", other),
        }
    }
}

impl<T: Arg + 'static> Arg for Vec<T> {
    const KIND: Kind = Kind::List(&T::KIND);
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::List(items) => items.iter().map(T::read).collect(),
            Value::Str(text) if text.is_empty() => Ok(Vec::new()),
            Value::Str(text) => text.split(',').map(|part| T::read(&Value::Str(part.trim().to_owned()))).collect(),
            Value::Map(_) | Value::Null => expected(Self::KIND, value),
            single => Ok(vec![T::read(single)?]),
        }
    }
    fn absent() -> Option<Self> {
        Some(Vec::new())
    }
    const OPTIONAL: bool = true;
}

impl Arg for Map {
    const KIND: Kind = Kind::Dict;
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Map(map) => Ok(map.clone()),
            other => expected("a mapping", other),
        }
    }
}

impl Arg for Value {
    const KIND: Kind = Kind::Raw;
    fn read(value: &Value) -> Result<Self, String> {
        Ok(value.clone())
    }
}

impl Arg for Mode {
    const KIND: Kind = Kind::Mode;
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            // A number is what YAML made of `0644`: its bits are the permissions. `644` without a zero is the usual
            // mistake, and Ansible takes it literally too.
            Value::Int(bits) => u32::try_from(*bits).map(Mode::Bits).or_else(|_| expected("permissions", value)),
            Value::Str(text) if text == "preserve" => Ok(Mode::Preserve),
            Value::Str(text) => {
                let digits = text.strip_prefix("0o").unwrap_or(text);
                match u32::from_str_radix(digits, 8) {
                    Ok(bits) if bits <= 0o7777 => Ok(Mode::Bits(bits)),
                    Ok(_) => expected("permissions such as \"0644\"", value),
                    Err(_) if text.contains(['=', '+', '-']) => Ok(Mode::Symbolic(text.clone())),
                    Err(_) => expected("permissions such as \"0644\" or \"u=rw,g=r\"", value),
                }
            }
            other => expected("permissions such as \"0644\"", other),
        }
    }
}
