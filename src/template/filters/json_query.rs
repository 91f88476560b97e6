//! Questions to data in the language of JMESPath.

use jmespath::Variable;
use minijinja::value::Serde;
use minijinja::{Error, State, Value};

use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::python;

pub const FILTERS: &[Entry] = &[entry(&["community.general.json_query", "json_query"], "data expr", json_query)];

fn json_query(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let text = given.need_str("expr")?;
    let problem = |why: String| wrong(format!("`{text}` cannot be asked: {why}"));
    let query = jmespath::compile(&literals(text)).map_err(|error| problem(error.to_string()))?;
    let data = serde_json::to_value(given.value()?).map_err(|error| problem(error.to_string()))?;
    let data = Variable::try_from(data).map_err(|error| problem(error.to_string()))?;
    let found = query.search(data).map_err(|error| problem(error.to_string()))?;
    let found = serde_json::to_value(&*found).map_err(|error| problem(error.to_string()))?;
    Ok(whole_numbers(Value::from(Serde(found))))
}

/// As Python's library does, what stands between backticks and is no JSON counts as text.
fn literals(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in text.split('`').enumerate() {
        if index > 0 {
            out.push('`');
        }
        let literal = index % 2 == 1 && serde_json::from_str::<serde_json::Value>(part).is_err();
        out.push_str(&if literal { serde_json::Value::from(part).to_string() } else { part.to_owned() });
    }
    out
}

/// Functions of the language give floating-point numbers; what was whole stays whole.
fn whole_numbers(value: Value) -> Value {
    match python::number(&value) {
        Some(python::Number::Float(number)) if number.fract() == 0.0 && number.abs() < 1e15 => (number as i64).into(),
        _ => value,
    }
}
