//! Python's view of values: what `str`, `repr`, `<` and iteration make of them.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::{self, Write};
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind, Value};

use super::arguments::wrong;
use super::blank::is_blank;

/// A number, or a boolean, which counts as one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// `int` and `bool`
    Int(i128),
    /// `float`
    Float(f64),
}

impl Number {
    /// The number as a floating-point number.
    pub fn float(self) -> f64 {
        match self {
            Number::Int(number) => number as f64,
            Number::Float(number) => number,
        }
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        match number {
            Number::Int(number) => i64::try_from(number).map_or_else(|_| Value::from(number), Value::from),
            Number::Float(number) => Value::from(number),
        }
    }
}

/// The number that a value is; text is none.
pub fn number(value: &Value) -> Option<Number> {
    match value.kind() {
        ValueKind::Bool => Some(Number::Int(value.is_true().into())),
        ValueKind::Number if value.is_integer() => i128::try_from(value.clone()).ok().map(Number::Int),
        ValueKind::Number => f64::try_from(value.clone()).ok().map(Number::Float),
        _ => None,
    }
}

/// Whether a power is none of the real numbers: of a negative number to a fraction, of zero to something negative.
pub fn has_no_power(base: f64, exponent: f64) -> bool {
    (base < 0.0 && exponent.fract() != 0.0) || (base == 0.0 && exponent < 0.0)
}

/// Fails for an undefined value with an error that knows where it came from, and for one that carries an error.
pub fn defined(value: &Value) -> Result<(), Error> {
    valid(value)?;
    if value.is_undefined() {
        // Asking it for an attribute makes the error that names its origin.
        return Err(value.get_attr("").err().unwrap_or_else(|| Error::from(ErrorKind::UndefinedError)));
    }
    Ok(())
}

/// Fails for a value that carries an error.
pub fn valid(value: &Value) -> Result<(), Error> {
    if value.kind() == ValueKind::Invalid { Err(wrong(value.to_string())) } else { Ok(()) }
}

/// Python's `str`.
pub fn text(value: &Value) -> Cow<'_, str> {
    match value.as_str() {
        Some(text) => Cow::Borrowed(text),
        None => Cow::Owned(repr(value)),
    }
}

/// Python's `repr`.
pub fn repr(value: &Value) -> String {
    let mut out = String::new();
    write_repr(value, &mut out);
    out
}

/// Python's `ascii`.
pub fn ascii(value: &Value) -> String {
    let mut out = String::new();
    for letter in repr(value).chars() {
        if letter.is_ascii() { out.push(letter) } else { escape(letter, &mut out) }
    }
    out
}

fn write_repr(value: &Value, out: &mut String) {
    match value.kind() {
        ValueKind::Undefined => out.push_str("Undefined"),
        ValueKind::None => out.push_str("None"),
        ValueKind::Bool => out.push_str(if value.is_true() { "True" } else { "False" }),
        ValueKind::Number => match number(value) {
            Some(Number::Float(number)) => out.push_str(&float(number)),
            _ => out.push_str(&value.to_string()),
        },
        ValueKind::String => quote(value.as_str().unwrap_or_default(), out),
        ValueKind::Seq | ValueKind::Iterable => {
            let items: Vec<Value> = value.try_iter().map(Iterator::collect).unwrap_or_default();
            let tuple = is_tuple(value);
            out.push(if tuple { '(' } else { '[' });
            separated(&items, out, write_repr);
            out.push_str(match (tuple, items.len()) {
                (true, 1) => ",)",
                (true, _) => ")",
                (false, _) => "]",
            });
        }
        ValueKind::Map => {
            out.push('{');
            separated(&pairs(value).unwrap_or_default(), out, |(key, item), out| {
                write_repr(key, out);
                out.push_str(": ");
                write_repr(item, out);
            });
            out.push('}');
        }
        _ => out.push_str(&value.to_string()),
    }
}

fn separated<T>(items: &[T], out: &mut String, write: impl Fn(&T, &mut String)) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write(item, out);
    }
}

fn quote(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for letter in text.chars() {
        match letter {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            letter if letter == quote => {
                out.push('\\');
                out.push(letter);
            }
            letter if printable(letter) => out.push(letter),
            letter => escape(letter, out),
        }
    }
    out.push(quote);
}

fn escape(letter: char, out: &mut String) {
    let code = u32::from(letter);
    let written = match code {
        0..=0xff => write!(out, "\\x{code:02x}"),
        0x100..=0xffff => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
    debug_assert!(written.is_ok(), "a string takes everything");
}

/// Whether Python prints it as it is: no control, format, private or surrogate character, no blank but the space.
fn printable(letter: char) -> bool {
    !(letter.is_control()
        || (letter.is_whitespace() && letter != ' ')
        || matches!(u32::from(letter), 0xad | 0x600..=0x605 | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f
            | 0xe000..=0xf8ff | 0xfeff | 0xfff0..=0xfffb | 0xf0000..))
}

/// Python's `repr` of a floating-point number: the shortest digits that read back, with an exponent below 1e-4 and
/// from 1e16.
pub fn float(number: f64) -> String {
    if number.is_nan() {
        return "nan".into();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.into();
    }
    let short = format!("{number:e}");
    let (digits, exponent) = short.split_once('e').unwrap_or((&short, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..16).contains(&exponent) {
        let plain = number.to_string();
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// The name of a value's Python type.
pub fn type_name(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::Undefined => "Undefined",
        ValueKind::None => "NoneType",
        ValueKind::Bool => "bool",
        ValueKind::Number if value.is_integer() => "int",
        ValueKind::Number => "float",
        ValueKind::String => "str",
        ValueKind::Bytes => "bytes",
        ValueKind::Seq if is_tuple(value) => "tuple",
        ValueKind::Seq | ValueKind::Iterable => "list",
        ValueKind::Map => "dict",
        _ if is_blank(value) => "Undefined",
        _ => "object",
    }
}

/// A value as an error message names it: `text 'abc'`, `a list`.
pub fn described(value: &Value) -> String {
    match value.kind() {
        ValueKind::Undefined => "undefined".into(),
        ValueKind::None => "none".into(),
        ValueKind::Bool => format!("the boolean {}", repr(value)),
        ValueKind::Number => format!("the number {}", repr(value)),
        ValueKind::String => format!("the text {}", shortened(&repr(value))),
        ValueKind::Seq | ValueKind::Iterable => "a list".into(),
        ValueKind::Map => "a mapping".into(),
        _ if is_blank(value) => "what an inline `if` without `else` gave: nothing".into(),
        _ => value.to_string(),
    }
}

fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &text[..at]).into(),
        None => text.into(),
    }
}

/// Whether it is a list or a tuple.
pub fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
}

/// Whether it is a tuple.
pub fn is_tuple(value: &Value) -> bool {
    value.is_tuple() || value.downcast_object_ref::<NamedTuple>().is_some()
}

/// Whether it is a mapping.
pub fn is_map(value: &Value) -> bool {
    value.kind() == ValueKind::Map
}

/// What iterating over it gives: items, the letters of a text, the keys of a mapping.
pub fn items(value: &Value) -> Result<Vec<Value>, Error> {
    defined(value)?;
    match value.kind() {
        ValueKind::None | ValueKind::Bool | ValueKind::Number => {
            Err(wrong(format!("needs a list, this is {}", described(value))))
        }
        _ => value.try_iter()?.checked().collect(),
    }
}

/// The items of a list or tuple; text and mappings are refused.
pub fn list(value: &Value) -> Result<Vec<Value>, Error> {
    if is_list(value) { items(value) } else { Err(wrong(format!("needs a list, this is {}", described(value)))) }
}

/// The entries of a mapping.
pub fn pairs(value: &Value) -> Result<Vec<(Value, Value)>, Error> {
    if !is_map(value) {
        defined(value)?;
        return Err(wrong(format!("needs a mapping, this is {}", described(value))));
    }
    value.try_iter()?.checked().map(|key| key.and_then(|key| Ok((key.clone(), get(value, &key)?)))).collect()
}

/// Python's ordering: numbers with numbers, text with text, lists with lists. Everything else has none.
pub fn compare(left: &Value, right: &Value) -> Result<Ordering, Error> {
    if let (Some(left), Some(right)) = (number(left), number(right)) {
        return Ok(match (left, right) {
            (Number::Int(left), Number::Int(right)) => left.cmp(&right),
            (left, right) => left.float().partial_cmp(&right.float()).unwrap_or(Ordering::Equal),
        });
    }
    match (left.as_str(), right.as_str()) {
        (Some(left), Some(right)) => return Ok(left.cmp(right)),
        (None, None) if is_list(left) && is_list(right) && is_tuple(left) == is_tuple(right) => {
            return compare_lists(&items(left)?, &items(right)?);
        }
        _ => {}
    }
    if is_object(left) && is_object(right) {
        return Ok(left.cmp(right));
    }
    defined(left)?;
    defined(right)?;
    Err(wrong(format!("cannot compare {} with {}", described(left), described(right))))
}

fn is_object(value: &Value) -> bool {
    value.kind() == ValueKind::Plain && !is_blank(value)
}

fn compare_lists(left: &[Value], right: &[Value]) -> Result<Ordering, Error> {
    for (left, right) in left.iter().zip(right) {
        if left != right {
            return compare(left, right);
        }
    }
    Ok(left.len().cmp(&right.len()))
}

/// Sorts with an ordering that may fail; the order of equal items is kept.
pub fn sort<T>(items: &mut [T], key: impl Fn(&T) -> &Value) -> Result<(), Error> {
    let mut problem = None;
    items.sort_by(|left, right| {
        compare(key(left), key(right)).unwrap_or_else(|error| {
            problem.get_or_insert(error);
            Ordering::Equal
        })
    });
    problem.map_or(Ok(()), Err)
}

/// Python's `splitlines`.
pub fn split_lines(text: &str) -> Vec<&str> {
    let ends = |letter: char| {
        matches!(letter, '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
    };
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(ends) {
        lines.push(&rest[..at]);
        let end = &rest[at..];
        rest = end.strip_prefix("\r\n").or_else(|| end.strip_prefix(ends)).unwrap_or_default();
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

/// Builds a list.
pub fn new_list(items: impl IntoIterator<Item = Value>) -> Value {
    items.into_iter().collect()
}

/// Builds a mapping; a later entry of the same key takes the place of the earlier.
pub fn new_map(entries: impl IntoIterator<Item = (Value, Value)>) -> Value {
    Value::from_pairs(entries)
}

/// Builds a tuple.
pub fn tuple(items: Vec<Value>) -> Value {
    Value::from(minijinja::value::Tuple::from(items))
}

/// A tuple whose parts have names, such as a group of `groupby`.
#[derive(Debug)]
pub struct NamedTuple {
    /// The names, in order.
    pub names: &'static [&'static str],
    /// The parts.
    pub parts: Vec<Value>,
}

impl Object for NamedTuple {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let at = match key.as_str() {
            Some(name) => self.names.iter().position(|known| *known == name)?,
            None => key.as_usize()?,
        };
        self.parts.get(at).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.parts.len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&repr(&tuple(self.parts.clone())))
    }
}

/// What a dotted path leads to inside a value; undefined where it leads nowhere.
pub fn path(value: &Value, path: &Value) -> Result<Value, Error> {
    let Some(text) = path.as_str() else { return get(value, path) };
    text.split('.').try_fold(value.clone(), |value, part| match part.parse::<i64>() {
        Ok(index) if part.bytes().all(|byte| byte.is_ascii_digit()) => get(&value, &Value::from(index)),
        _ => get(&value, &Value::from(part)),
    })
}

/// An item or attribute; undefined where there is none.
pub fn get(value: &Value, key: &Value) -> Result<Value, Error> {
    if value.is_undefined() {
        return Ok(Value::UNDEFINED);
    }
    let found = value.get_item(key)?;
    valid(&found)?;
    Ok(found)
}
