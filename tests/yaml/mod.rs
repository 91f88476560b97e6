//! Reading YAML: scalars and documents against PyYAML's recorded answers, and what broken files are told.

use std::path::Path;

use wodctl::source;
use wodctl::value::Value;
use wodctl::yaml::{self, Node, NodeKind};

use crate::fixtures;

fn scalar(text: &str) -> Value {
    yaml::read_text("<test>", format!("- {text}")).unwrap().root.unwrap().as_list().unwrap()[0].to_value()
}

/// The value as `record.py` writes it.
fn written(value: &Value) -> String {
    match value {
        Value::Null => "NoneType\tnull".to_owned(),
        Value::Bool(flag) => format!("bool\t{flag}"),
        Value::Int(number) => format!("int\t{number}"),
        Value::Float(number) if number.is_nan() => "float\tnan".to_owned(),
        Value::Float(number) => format!("float\t{number:?}"),
        Value::Str(text) => format!("str\t{}", serde_json::to_string(text).unwrap()),
        other => format!("{other:?}"),
    }
}

#[test]
fn scalars_are_pyyamls() {
    let table = std::fs::read_to_string(fixtures::dir("yaml").join("scalars.tsv")).unwrap();
    let wrong: Vec<String> = table
        .lines()
        .filter_map(|line| {
            let (text, expected) = line.split_once('\t').unwrap();
            let found = written(&scalar(text));
            (found != expected).then(|| format!("{text:?}: expected {expected}, found {found}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn documents_are_pyyamls() {
    fixtures::each("yaml/documents", "yml", |path| {
        let document = yaml::read_file(path).unwrap_or_else(|problem| panic!("{}", problem.render(false)));
        let found = document.root.map_or(Value::Null, |root| root.to_value()).to_json();
        let expected = std::fs::read_to_string(path.with_extension("json")).unwrap();
        // As text, so that the order of keys counts.
        assert_eq!(serde_json::to_string_pretty(&found).unwrap(), expected.trim_end(), "{}", path.display());
    });
}

/// A plain or quoted scalar of one line stands in the source exactly where its span says.
#[test]
fn spans_are_exact() {
    fn walk(node: &Node, checked: &mut usize) {
        match &node.kind {
            NodeKind::Scalar(Value::Str(text)) if !text.is_empty() => {
                let source = source::source(node.span).unwrap();
                let written = &source.text[node.span.start as usize..node.span.end as usize];
                let first = text.split_whitespace().next().unwrap_or_default();
                if !written.contains('\\') && !text.contains('\'') {
                    assert!(written.contains(first), "{text:?} is not at {written:?}");
                    assert!(
                        !written.starts_with(|c: char| c.is_whitespace()) && written.trim_end() == written,
                        "{written:?}"
                    );
                    *checked += 1;
                }
            }
            NodeKind::Scalar(_) => {}
            NodeKind::List(items) => items.iter().for_each(|item| walk(item, checked)),
            NodeKind::Map(entries) => {
                for (name, entry) in entries {
                    let source = source::source(entry.key).unwrap();
                    let written = &source.text[entry.key.start as usize..entry.key.end as usize];
                    let plain = written.trim_matches(['"', '\'']);
                    let same = plain == name || matches!(yaml::scalar::resolve(plain), Value::Int(_) | Value::Null);
                    assert!(same || written.starts_with('*'), "{name:?} is not at {written:?}");
                    walk(&entry.value, checked);
                }
            }
        }
    }
    let mut checked = 0;
    fixtures::each("yaml/documents", "yml", |path| {
        if let Some(root) = yaml::read_file(path).unwrap().root {
            walk(&root, &mut checked);
        }
    });
    assert!(checked > 40, "{checked}");
}

#[test]
fn broken_files_get_a_clear_message() {
    fixtures::each("yaml/broken", "yml", |path| {
        let text = std::fs::read_to_string(path).unwrap();
        let name = Path::new(path.file_name().unwrap());
        let found = match yaml::read_text(name, text) {
            Ok(document) => document.warnings.iter().map(|warning| warning.render(false)).collect::<String>(),
            Err(problem) => problem.render(false),
        };
        fixtures::compare(&path.with_extension("txt"), &found);
    });
}
