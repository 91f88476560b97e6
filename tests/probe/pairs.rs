//! Every two features of the table that do not exclude each other, in one playbook.

use indexmap::IndexMap;
use serde::Deserialize;
use serde_yaml::{Mapping, Value};

/// Features by what they are about: those of one heading exclude each other.
pub type Table = IndexMap<String, IndexMap<String, Feature>>;

/// What a feature adds.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub struct Feature {
    task: Mapping,
    play: Mapping,
    module: Option<Mapping>,
    around: Option<Value>,
    files: IndexMap<String, String>,
    options: Vec<String>,
}

/// Where the subject goes.
const TASKS: &str = "$tasks";

/// All pairs, as `A × B` and the play with its files and options.
pub fn all(table: &Table) -> Vec<(String, Value)> {
    let features: Vec<(usize, &String, &Feature)> = table
        .values()
        .enumerate()
        .flat_map(|(heading, features)| features.iter().map(move |(name, feature)| (heading, name, feature)))
        .collect();
    let mut pairs = Vec::new();
    for (index, (heading, name, feature)) in features.iter().enumerate() {
        for (other_heading, other_name, other) in &features[index + 1..] {
            if heading != other_heading {
                pairs.push((format!("{name} × {other_name}"), meet([feature, other])));
            }
        }
    }
    pairs
}

fn meet(features: [&Feature; 2]) -> Value {
    let tasks = Value::Sequence(vec![Value::Mapping(subject(features))]);
    let around = features.iter().rev().find_map(|feature| feature.around.clone()).unwrap_or_else(|| TASKS.into());
    let mut all = list(fill(&around, &tasks));
    all.extend(list(parse("[{name: show, debug: {var: r}, tags: shown}]")));
    let mut play: Mapping = parse("{hosts: 'h1,h2', handlers: [{name: h, debug: {msg: handler}}]}");
    for (key, value) in features.iter().flat_map(|feature| &feature.play) {
        let value = fill(value, &tasks);
        match (play.get_mut(key), value) {
            (Some(Value::Sequence(there)), Value::Sequence(more)) => there.extend(more),
            (_, value) => drop(play.insert(key.clone(), value)),
        }
    }
    play.insert("tasks".into(), Value::Sequence(all));
    let text = |text: &String| if text == TASKS { serde_yaml::to_string(&tasks).expect("YAML") } else { text.clone() };
    let files =
        features.iter().flat_map(|feature| &feature.files).map(|(name, of)| (name.clone().into(), text(of).into()));
    play.insert("files".into(), Value::Mapping(files.collect()));
    let options = features.iter().flat_map(|feature| feature.options.iter().cloned().map(Value::from));
    play.insert("options".into(), Value::Sequence(options.collect()));
    Value::Mapping(play)
}

fn subject(features: [&Feature; 2]) -> Mapping {
    let mut task: Mapping = parse("{name: subject}");
    let module = features.iter().find_map(|feature| feature.module.clone());
    task.extend(module.unwrap_or_else(|| parse("{debug: {msg: subject}}")));
    features.iter().for_each(|feature| task.extend(feature.task.clone()));
    task.insert("register".into(), "r".into());
    task
}

fn fill(value: &Value, tasks: &Value) -> Value {
    match value {
        Value::String(text) if text == TASKS => tasks.clone(),
        Value::Sequence(items) => Value::Sequence(items.iter().map(|item| fill(item, tasks)).collect()),
        Value::Mapping(fields) => {
            Value::Mapping(fields.iter().map(|(key, value)| (key.clone(), fill(value, tasks))).collect())
        }
        other => other.clone(),
    }
}

fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Sequence(items) => items,
        single => vec![single],
    }
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_yaml::from_str(text).expect("YAML")
}
