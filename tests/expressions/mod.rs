//! Expressions by the thousand, against what ansible-core makes of them: `cases.jsonl`, made by `generate.py`, which says
//! what stands in it. Where Ansible is, four thousand others are made and asked live; `WODCTL_EXPRESSIONS=SEED:COUNT`
//! chooses others, and how many.
//!
//! `differences.yml` lists what is not as in Ansible on purpose, with the reason.

mod differences;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use indexmap::IndexMap;
use wodctl::source::Span;
use wodctl::template::{Binding, RenderError, Scope, SearchPath, Templar, TemplateOptions};
use wodctl::value::{Map, Value};
use wodctl::yaml::Node;

use self::differences::Differences;

const FOLDER: &str = "tests/expressions";

#[derive(Debug)]
struct Vars {
    values: IndexMap<String, Binding>,
    files: SearchPath,
}

impl Scope for Vars {
    fn lookup(&self, name: &str) -> Option<Binding> {
        self.values.get(name).cloned()
    }

    fn names(&self) -> Vec<String> {
        self.values.keys().cloned().collect()
    }

    fn files(&self) -> &SearchPath {
        &self.files
    }
}

fn value(json: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap()), Value::Int),
        Json::String(text) => Value::Str(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(value).collect()),
        // JSON has no word for these.
        Json::Object(entries) if entries.len() == 1 && entries.contains_key("float") => {
            Value::Float(entries["float"].as_str().unwrap().parse().unwrap())
        }
        Json::Object(entries) => {
            Value::Map(entries.iter().map(|(key, item)| (key.clone(), value(item))).collect::<Map>())
        }
    }
}

fn answer(templar: &Templar, scope: &Arc<dyn Scope>, kind: &str, text: &str) -> Result<Value, RenderError> {
    let node = Node::scalar(Span::default(), text);
    match kind {
        "when" => templar.condition(&node, scope).map(Value::Bool),
        "text" => templar.render(&node, scope),
        _ => {
            let path = Path::new(FOLDER).join("case.j2");
            templar.render_file(&path, text, &TemplateOptions::default(), scope).map(Value::Str)
        }
    }
}

/// Whether they are the same, with their types. The order of a mapping's entries counts where it is written.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Float(ours), Value::Float(theirs)) => {
            ours == theirs || (ours.is_nan() && theirs.is_nan()) || (ours - theirs).abs() <= theirs.abs() * 1e-15
        }
        (Value::List(ours), Value::List(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Value::Map(ours), Value::Map(theirs)) => {
            let entry = |(key, theirs)| ours.get(key).is_some_and(|ours| same(ours, theirs));
            ours.len() == theirs.len() && theirs.iter().all(entry)
        }
        _ => ours == theirs,
    }
}

fn said(answer: &Result<Value, RenderError>) -> String {
    match answer {
        Ok(value) => value.to_json().to_string(),
        Err(RenderError::Undefined(problem) | RenderError::Wrong(problem)) => format!("refuses: {}", problem.message),
        Err(other) => format!("{other:?}"),
    }
}

/// The cases that differ, in words.
fn check(cases: &str) -> Vec<String> {
    let mut lines = cases.lines();
    let vars: serde_json::Value = serde_json::from_str(lines.next().expect("the variables")).unwrap();
    let node = |json| Binding::Template(Arc::new(Node::of(&value(json), Span::default())));
    let values = vars.as_object().unwrap().iter().map(|(name, json)| (name.clone(), node(json))).collect();
    let scope: Arc<dyn Scope> = Arc::new(Vars { values, files: SearchPath::default() });
    let templar = Templar::new().strict();
    let differences = Differences::read();
    let mut problems = Vec::new();
    for line in lines {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let (kind, text) = (case[0].as_str().unwrap(), case[1].as_str().unwrap());
        let theirs = case[2].get(0).map(value);
        let ours = answer(&templar, &scope, kind, text);
        let is_same = match (&ours, &theirs) {
            (Ok(ours), Some(theirs)) => same(ours, theirs),
            (Err(_), None) => true,
            _ => false,
        };
        if !is_same && !differences.are_meant(text, theirs.is_some(), ours.as_ref().ok()) {
            let theirs = theirs.map_or("refuses".into(), |theirs| theirs.to_json().to_string());
            problems.push(format!("{kind}: {text:?}\n  Ansible: {theirs}\n  wodctl:  {}", said(&ours)));
        }
    }
    problems
}

fn expect_none(problems: &[String], count: usize) {
    assert!(problems.is_empty(), "{} of {count} differ:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn recorded() {
    let cases = std::fs::read_to_string(Path::new(FOLDER).join("cases.jsonl")).unwrap();
    let count = cases.lines().count() - 1;
    assert!(count >= 2000, "only {count} cases");
    expect_none(&check(&cases), count);
}

#[test]
fn live() {
    let Some(ansible) = crate::differential::ansible() else { return };
    let chosen = std::env::var("WODCTL_EXPRESSIONS").unwrap_or_else(|_| "2:4000".into());
    let (seed, count) = chosen.split_once(':').expect("WODCTL_EXPRESSIONS is SEED:COUNT");
    let output = Command::new(ansible.join("python"))
        .arg(Path::new(FOLDER).join("generate.py"))
        .args(["--seed", seed, "--count", count])
        .output()
        .expect("Ansible's Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    expect_none(&check(&String::from_utf8(output.stdout).unwrap()), count.parse().unwrap());
}
