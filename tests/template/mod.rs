//! Templates, against what ansible-core makes of them: `*.yml` in this folder, recorded by `record.py`.
//!
//! A case fails where ansible fails (`fails`), or gives what ansible gives (`expected`); `ours` says where and `why` we
//! differ on purpose, and `error` what part of our message must be.

mod errors;
mod needs;
mod unknown;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use wodctl::template::{Binding, RenderError, Scope, SearchPath, Templar, TemplateOptions};
use wodctl::value::Value;
use wodctl::yaml::{self, Node};

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

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/template")
}

fn scope(case: &Node) -> Arc<dyn Scope> {
    let entries = |key: &str| case.get(key).and_then(Node::as_map).into_iter().flatten();
    let templates =
        entries("vars").map(|(name, entry)| (name.clone(), Binding::Template(Arc::new(entry.value.clone()))));
    let data = entries("data").map(|(name, entry)| (name.clone(), Binding::Data(Arc::new(entry.value.to_value()))));
    let files = SearchPath { roles: Vec::new(), task: folder().join("files"), playbook: folder() };
    Arc::new(Vars { values: templates.chain(data).collect(), files })
}

fn render(templar: &Templar, case: &Node) -> Result<Value, RenderError> {
    let scope = scope(case);
    if let Some(node) = case.get("template") {
        return templar.render(node, &scope);
    }
    if let Some(node) = case.get("expression") {
        return templar.expression(node.as_str().unwrap_or_default(), node.span, &scope);
    }
    if let Some(node) = case.get("condition") {
        return templar.condition(node, &scope).map(Value::Bool);
    }
    let text = case.get("file").and_then(Node::as_str).expect("a case has a template, file, expression or condition");
    let path = folder().join("files/case.j2");
    templar.render_file(&path, text, &TemplateOptions::default(), &scope).map(Value::Str)
}

/// What is wrong with a case, if anything is.
fn check(templar: &Templar, case: &Node) -> Option<String> {
    let found = render(templar, case);
    let expected = case.get("ours").or_else(|| case.get("expected"));
    match (found, expected) {
        (Ok(found), Some(expected)) if found == expected.to_value() || omitted(&found, expected) => None,
        (Ok(found), Some(expected)) => Some(format!("expected {:?}, found {found:?}", expected.to_value())),
        (Ok(found), None) => Some(format!("expected a failure, found {found:?}")),
        (Err(error), Some(expected)) => Some(format!("expected {:?}, found {}", expected.to_value(), said(&error))),
        (Err(error), None) => {
            let part = case.get("error").and_then(Node::as_str)?;
            let said = said(&error);
            (!said.contains(part)).then(|| format!("expected the error to say `{part}`, it says {said}"))
        }
    }
}

fn omitted(found: &Value, expected: &Node) -> bool {
    wodctl::template::is_omit(found) && expected.as_str() == Some("omit")
}

fn said(error: &RenderError) -> String {
    match error {
        RenderError::Undefined(problem) | RenderError::Wrong(problem) => problem.render(false),
        other => format!("{other:?}"),
    }
}

#[test]
fn as_ansible_does() {
    let templar = Templar::new();
    let mut problems = Vec::new();
    let mut count = 0;
    let mut files: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "yml"))
        .collect();
    files.sort();
    for path in files {
        let root = yaml::read_file(&path).unwrap().root.unwrap();
        for case in root.as_list().unwrap() {
            count += 1;
            if let Some(problem) = check(&templar, case) {
                let place = case.span.location().unwrap();
                let kind =
                    ["template", "file", "expression", "condition"].iter().find_map(|kind| case.get(kind)).unwrap();
                problems.push(format!("{place}\n  {:?}\n  {problem}", kind.as_str().unwrap_or_default()));
            }
        }
    }
    assert!(count > 150, "only {count} cases");
    assert!(problems.is_empty(), "{} of {count} cases differ:\n{}", problems.len(), problems.join("\n"));
}
