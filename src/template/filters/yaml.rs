//! YAML as PyYAML writes it over libyaml, and as Ansible reads it.

use minijinja::value::{Serde, ValueKind};
use minijinja::{Error, State, Value};

use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::blank::is_blank;
use crate::template::filters;
use crate::template::python::{self, Number};
use crate::yaml::emitter::{Emitter, Layout, ScalarStyle};
use crate::yaml::{self, scalar};

const PARAMETERS: &str = "a indent width sort_keys default_flow_style explicit_start explicit_end default_style";

pub const FILTERS: &[Entry] = &[
    entry(&["from_yaml"], "data", from_yaml),
    entry(&["from_yaml_all"], "data", from_yaml_all),
    entry(&["to_nice_yaml"], PARAMETERS, to_nice_yaml),
    entry(&["to_yaml"], PARAMETERS, to_yaml),
];

/// What is on one line.
#[derive(Clone, Copy, PartialEq)]
enum Flow {
    /// Collections that hold only scalars.
    Leaves,
    Everything,
    Nothing,
}

struct Writer {
    emitter: Emitter,
    flow: Flow,
    sort: bool,
    style: ScalarStyle,
    /// What letters that stand for others mean, in order.
    replaced: Vec<String>,
}

/// Stands for a letter that must be escaped; no text has it, and it is always escaped itself.
const STAND_IN: char = '\u{fffe}';
const STAND_IN_ESCAPED: &str = "\\uFFFE";

fn to_yaml(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    written(given, 2, Flow::Leaves)
}

fn to_nice_yaml(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    written(given, 4, Flow::Nothing)
}

fn written(given: &Arguments, indent: i64, flow: Flow) -> Result<Value, Error> {
    let small = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
    let layout = Layout {
        indent: small(given.int("indent")?.unwrap_or(indent)),
        // 0 means what nothing means.
        width: small(given.int("width")?.filter(|width| *width > 0).unwrap_or(80)),
        start: given.flag("explicit_start", false),
        end: given.flag("explicit_end", false),
    };
    let flow = match given.get("default_flow_style") {
        None => flow,
        Some(style) if style.is_none() => Flow::Leaves,
        Some(style) if style.is_true() => Flow::Everything,
        Some(_) => Flow::Nothing,
    };
    let style = match given.str("default_style")? {
        None | Some("") => ScalarStyle::Plain,
        Some("'") => ScalarStyle::Single,
        Some("\"") => ScalarStyle::Double,
        Some("|") => ScalarStyle::Literal,
        Some(">") => ScalarStyle::Folded,
        Some(other) => return Err(wrong(format!("`default_style` must be ', \", | or >, it is `{other}`"))),
    };
    let emitter = Emitter::new(layout).map_err(wrong)?;
    let mut writer = Writer { emitter, flow, sort: given.flag("sort_keys", true), style, replaced: Vec::new() };
    writer.write(given.value()?)?;
    let text = writer.emitter.finish(layout).map_err(wrong)?;
    Ok(writer.replaced.iter().fold(text, |text, meant| text.replacen(STAND_IN_ESCAPED, meant, 1)).into())
}

impl Writer {
    fn write(&mut self, value: &Value) -> Result<(), Error> {
        python::defined(value)?;
        match value.kind() {
            ValueKind::Seq | ValueKind::Iterable => {
                let items = python::items(value)?;
                self.emitter.list(self.on_one_line(items.iter())).map_err(wrong)?;
                items.iter().try_for_each(|item| self.write(item))?;
                self.emitter.list_end().map_err(wrong)
            }
            ValueKind::Map => {
                let mut entries = python::pairs(value)?;
                if self.sort && python::sort(&mut entries.clone(), |(key, _)| key).is_ok() {
                    python::sort(&mut entries, |(key, _)| key)?;
                }
                let flow = self.on_one_line(entries.iter().flat_map(|(key, value)| [key, value]));
                self.emitter.map(flow).map_err(wrong)?;
                for (key, value) in &entries {
                    self.write(key)?;
                    self.write(value)?;
                }
                self.emitter.map_end().map_err(wrong)
            }
            _ => self.scalar(value).map_err(wrong),
        }
    }

    fn on_one_line<'v>(&self, mut parts: impl Iterator<Item = &'v Value>) -> bool {
        match self.flow {
            Flow::Everything => true,
            Flow::Nothing => false,
            Flow::Leaves => {
                self.style == ScalarStyle::Plain && !parts.any(|part| python::is_list(part) || python::is_map(part))
            }
        }
    }

    /// PyYAML's libyaml escapes a few letters that this one writes: a letter beyond 16 bits, and the line ends of
    /// Unicode, which a reader would take for the end of a line.
    fn escaped(&mut self, text: &str) -> String {
        if text.contains(STAND_IN_ESCAPED) || text.contains(STAND_IN) {
            return text.to_owned();
        }
        text.chars()
            .map(|letter| {
                self.replaced.push(match letter {
                    '\u{85}' => "\\N".to_owned(),
                    '\u{2028}' => "\\L".to_owned(),
                    '\u{2029}' => "\\P".to_owned(),
                    '\u{10000}'.. => format!("\\U{:08X}", u32::from(letter)),
                    other => return other,
                });
                STAND_IN
            })
            .collect()
    }

    fn scalar(&mut self, value: &Value) -> Result<(), String> {
        let text = match value.kind() {
            ValueKind::None => "null".to_owned(),
            ValueKind::Bool => if value.is_true() { "true" } else { "false" }.to_owned(),
            ValueKind::Number => number(value),
            _ if is_blank(value) => return Err("an inline `if` without `else` gave nothing to write".into()),
            _ => {
                let text = self.escaped(&python::text(value));
                return self.emitter.scalar(&text, is_text(&text), true, self.style);
            }
        };
        self.emitter.scalar(&text, true, false, self.style)
    }
}

fn number(value: &Value) -> String {
    match python::number(value) {
        Some(Number::Float(number)) if number.is_nan() => ".nan".to_owned(),
        Some(Number::Float(number)) if number.is_infinite() => if number > 0.0 { ".inf" } else { "-.inf" }.to_owned(),
        Some(Number::Float(number)) => {
            let text = python::float(number);
            // YAML 1.1 wants a dot before the exponent.
            if text.contains('.') { text } else { text.replacen('e', ".0e", 1) }
        }
        _ => value.to_string(),
    }
}

/// Whether a plain scalar is text to PyYAML.
fn is_text(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    let large = !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
        && !digits.starts_with(['0', '_']);
    !(text == "<<" || text == "=" || large || scalar::special(text).is_some() || is_timestamp(text))
}

/// A date, or a date with a time.
fn is_timestamp(text: &str) -> bool {
    const PATTERN: &str = r"^(?:\d{4}-\d{2}-\d{2}|\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d{2}:\d{2}(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d{2})?))?)$";
    let begins_so = text.is_ascii() && text.len() > 7 && text.as_bytes()[..4].iter().all(u8::is_ascii_digit);
    begins_so && filters::regex::with_pattern(PATTERN, false, false, |pattern| pattern.is_match(text)).unwrap_or(false)
}

fn from_yaml(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = given.value()?;
    match value.as_str() {
        Some(text) => Ok(read(text)?.into_iter().next().unwrap_or_else(|| Value::from(()))),
        // What is data already stays what it is.
        None => Ok(value.clone()),
    }
}

fn from_yaml_all(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = given.value()?;
    match value.as_str() {
        Some(text) => Ok(python::new_list(
            documents(text)
                .into_iter()
                .map(|text| read(text).map(|mut all| all.pop().unwrap_or_else(|| Value::from(()))))
                .collect::<Result<Vec<_>, _>>()?,
        )),
        None if value.is_none() => Ok(python::new_list([])),
        None => Ok(value.clone()),
    }
}

/// The texts between lines that begin with `---`.
fn documents(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let ends = line.trim_end() == "---" || line.starts_with("--- ");
        if ends && (at > 0 && !text[start..at].trim().is_empty() || start > 0) {
            parts.push(&text[start..at]);
        }
        if ends {
            start = at;
        }
        at += line.len();
    }
    parts.push(&text[start..]);
    parts
}

fn read(text: &str) -> Result<Vec<Value>, Error> {
    let document = yaml::read_text("<from_yaml>", text).map_err(|problem| wrong(problem.message))?;
    Ok(document.root.into_iter().map(|root| plain(&root.to_value())).collect())
}

/// Data as a value of the template language.
fn plain(data: &crate::value::Value) -> Value {
    Value::from(Serde(data.to_json()))
}
