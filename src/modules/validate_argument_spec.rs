use std::path::PathBuf;

use crate::args;
use crate::module::{Arg, ModuleSpec};
use crate::value::{Map, Value};

args! {
    /// Checks variables against the specification of a role's parameters.
    ///
    /// It is put before the tasks of each role that has a `meta/argument_specs.yml`.
    pub struct Args {
        /// The specification: names with `type`, `required`, `choices`, `elements` and `options`.
        argument_spec: Map;
        /// Values that win over the variables of the same names.
        provided_arguments: Map = Map::new();
        /// What the specification belongs to, for messages.
        validate_args_context: Map = Map::new();
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::controller::<Args>("ansible.builtin", "validate_argument_spec");

/// The names that a specification speaks about, aliases too.
pub fn names(spec: &Map) -> impl Iterator<Item = &str> {
    spec.iter().flat_map(|(name, option)| std::iter::once(name.as_str()).chain(aliases(option)))
}

fn aliases(option: &Value) -> impl Iterator<Item = &str> {
    option.get("aliases").and_then(Value::as_list).into_iter().flatten().filter_map(Value::as_str)
}

/// What is wrong with `values`, one sentence each. Values that the specification does not speak about are not looked at.
pub fn problems(spec: &Map, values: &Map) -> Vec<String> {
    let mut problems = Vec::new();
    options(spec, values, "", &mut problems);
    problems
}

/// Whether a parameter must be given.
pub fn is_required(option: &Value) -> bool {
    option.get("required").is_some_and(|flag| bool::read(flag).unwrap_or(false))
}

fn options(spec: &Map, values: &Map, outer: &str, problems: &mut Vec<String>) {
    for (name, option) in spec {
        let path = if outer.is_empty() { name.clone() } else { format!("{outer}.{name}") };
        let mut keys = std::iter::once(name.as_str()).chain(aliases(option));
        match keys.find_map(|key| values.get(key)) {
            Some(value) => one(option, value, &path, problems),
            None if is_required(option) => problems.push(format!("`{path}` is required")),
            None => {}
        }
    }
}

/// One value against its option.
fn one(option: &Value, value: &Value, path: &str, problems: &mut Vec<String>) {
    if *value == Value::Null {
        return;
    }
    let kind = option.get("type").and_then(Value::as_str).unwrap_or("str");
    if let Err(why) = fits(kind, value) {
        problems.push(format!("`{path}`: {why}"));
        return;
    }
    let single = [value.clone()];
    let items = match kind {
        "list" => <Vec<Value>>::read(value).unwrap_or_default(),
        _ => single.to_vec(),
    };
    for item in &items {
        if let Some(Err(why)) = option.get("elements").and_then(Value::as_str).map(|kind| fits(kind, item)) {
            problems.push(format!("`{path}`: {why}"));
        }
        if let Some(choices) = option.get("choices").and_then(Value::as_list) {
            chosen(choices, item, path, problems);
        }
        if let (Some(inner), Some(map)) = (option.get("options").and_then(Value::as_map), item.as_map()) {
            options(inner, map, path, problems);
            let known: Vec<&str> = names(inner).collect();
            for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
                problems.push(format!("`{path}` has no `{key}`; it has {}", known.join(", ")));
            }
        }
    }
}

fn fits(kind: &str, value: &Value) -> Result<(), String> {
    match kind {
        "bool" => bool::read(value).map(drop),
        "int" => i64::read(value).map(drop),
        "float" => f64::read(value).map(drop),
        "path" => PathBuf::read(value).map(drop),
        "list" => <Vec<Value>>::read(value).map(drop),
        "dict" => Map::read(value).map(drop),
        "str" => String::read(value).map(drop),
        _ => Ok(()),
    }
}

fn chosen(choices: &[Value], value: &Value, path: &str, problems: &mut Vec<String>) {
    let text = |value: &Value| String::read(value).unwrap_or_default();
    if !choices.iter().any(|choice| choice == value || text(choice) == text(value)) {
        let shown: Vec<String> = choices.iter().map(text).collect();
        problems.push(format!("`{path}`: expected one of {}, found `{}`", shown.join(", "), text(value)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map;

    fn spec() -> Map {
        map! {
            "port" => map! { "type" => "int", "required" => true },
            "level" => map! { "choices" => vec!["low", "high"] },
            "users" => map! {
                "type" => "list", "elements" => "dict",
                "options" => map! { "name" => map! { "required" => true } },
            },
        }
    }

    #[test]
    fn values_that_fit() {
        let values = map! { "port" => "80", "level" => "low", "users" => vec![map! { "name" => "a" }], "other" => 1 };
        assert_eq!(problems(&spec(), &values), Vec::<String>::new());
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let values = map! { "level" => "middle", "users" => vec![map! { "nmae" => "a" }] };
        assert_eq!(
            problems(&spec(), &values),
            [
                "`port` is required",
                "`level`: expected one of low, high, found `middle`",
                "`users.name` is required",
                "`users` has no `nmae`; it has name",
            ]
        );
        assert_eq!(problems(&spec(), &map! { "port" => "many" }), ["`port`: expected a whole number, found `many`"]);
    }
}
