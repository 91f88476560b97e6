//! Data as the language and the wire see it: what YAML holds, what a module returns, what a fact is.

pub mod bounded;

use indexmap::IndexMap;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Serialize, Serializer};

/// An ordered mapping; order is part of the language (loops over a dictionary run in it).
pub type Map = IndexMap<String, Value>;

/// One piece of data.
///
/// Keys of mappings are text: a YAML key `1:` is kept as `"1"`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// YAML's `null`, Python's `None`.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// Text.
    Str(String),
    /// A list.
    List(#[serde(deserialize_with = "bounded::list")] Vec<Value>),
    /// An ordered mapping.
    Map(#[serde(deserialize_with = "bounded::map")] Map),
    /// A value that nobody can know before the named step was performed. It exists in plan mode only.
    Unknown(String),
}

impl Value {
    /// The text, if this is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The mapping, if this is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The list, if this is one.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    /// The entry `key` of a mapping; `None` for a missing key and for anything that is no mapping.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(key)
    }

    /// Python's truth of the value: empty text, zero, null and empty collections are false.
    pub fn is_true(&self) -> bool {
        match self {
            Value::Null => false,
            Value::Bool(flag) => *flag,
            Value::Int(number) => *number != 0,
            Value::Float(number) => *number != 0.0,
            Value::Str(text) => !text.is_empty(),
            Value::List(list) => !list.is_empty(),
            Value::Map(map) => !map.is_empty(),
            Value::Unknown(_) => true,
        }
    }

    /// The first unknown inside the value, as the name of the step that will settle it.
    pub fn unknown(&self) -> Option<&str> {
        match self {
            Value::Unknown(step) => Some(step),
            Value::List(list) => list.iter().find_map(Value::unknown),
            Value::Map(map) => map.values().find_map(Value::unknown),
            _ => None,
        }
    }

    /// Gives the unknowns inside that name no step the name of this one.
    pub fn name_unknown(&mut self, step: &str) {
        match self {
            Value::Unknown(name) if name.is_empty() => *name = step.to_owned(),
            Value::List(list) => list.iter_mut().for_each(|value| value.name_unknown(step)),
            Value::Map(map) => map.values_mut().for_each(|value| value.name_unknown(step)),
            _ => {}
        }
    }

    /// The name of the kind, as error messages say it.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Int(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Str(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
            Value::Unknown(_) => "not known yet",
        }
    }

    /// The value as JSON data; an unknown becomes the text `(known after: STEP)`.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(Plain(self)).unwrap_or_default()
    }
}

/// Serialises a value as what it holds, for JSON and YAML. (The derived form names the variant and is for the wire.)
pub struct Plain<'a>(pub &'a Value);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(flag) => serializer.serialize_bool(*flag),
            Value::Int(number) => serializer.serialize_i64(*number),
            Value::Float(number) => serializer.serialize_f64(*number),
            Value::Str(text) => serializer.serialize_str(text),
            Value::List(list) => {
                let mut seq = serializer.serialize_seq(Some(list.len()))?;
                for item in list {
                    seq.serialize_element(&Plain(item))?;
                }
                seq.end()
            }
            Value::Map(map) => {
                let mut entries = serializer.serialize_map(Some(map.len()))?;
                for (key, item) in map {
                    entries.serialize_entry(key, &Plain(item))?;
                }
                entries.end()
            }
            Value::Unknown(step) => serializer.collect_str(&format_args!("(known after: {step})")),
        }
    }
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(flag) => Value::Bool(flag),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(whole) => Value::Int(whole),
                None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(text) => Value::Str(text),
            serde_json::Value::Array(items) => Value::List(items.into_iter().map(Value::from).collect()),
            serde_json::Value::Object(entries) => {
                Value::Map(entries.into_iter().map(|(key, item)| (key, Value::from(item))).collect())
            }
        }
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Value::Bool(flag)
    }
}
impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}
impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Value::Int(number.into())
    }
}
impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Value::Int(number.into())
    }
}
impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Value::Float(number)
    }
}
impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Str(text.to_owned())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Str(text)
    }
}
impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Value::Map(map)
    }
}
impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Value::List(items.into_iter().map(Into::into).collect())
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(item: Option<T>) -> Self {
        item.map_or(Value::Null, Into::into)
    }
}

/// Builds a [`Map`]: `map! { "path" => "/etc/hosts", "size" => 12 }`.
#[macro_export]
macro_rules! map {
    ($($key:expr => $value:expr),* $(,)?) => {{
        #[allow(unused_mut)]
        let mut map = $crate::value::Map::new();
        $(map.insert(String::from($key), $crate::value::Value::from($value));)*
        map
    }};
}
