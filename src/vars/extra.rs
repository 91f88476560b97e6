//! `-e`: variables of the command line, which win over all others.

use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;

use super::files::{self, VarsFile};
use super::{Layer, Level, Origin};
use crate::diagnostic::Diagnostic;
use crate::playbook::free_form;
use crate::source::{self, Span};
use crate::template::Binding;
use crate::yaml::{self, Node};

/// Reads the values of `-e` in order, a later one winning: `name=value …` (each value is text), a mapping in YAML or
/// JSON, or `@FILE`.
pub fn read(given: &[String]) -> Result<Layer, Diagnostic> {
    let mut values = IndexMap::new();
    for text in given {
        for (name, node) in one(text.trim())? {
            values.insert(name, Binding::Template(node));
        }
    }
    let origin = Origin { text: "extra variables (-e)".to_owned(), span: Span::default() };
    Ok(Layer { level: Level::Extra, origin, values })
}

fn one(text: &str) -> Result<yaml::Nodes, Diagnostic> {
    match text.chars().next() {
        None => Ok(yaml::Nodes::new()),
        Some('@') => {
            let path = Path::new(&text[1..]);
            if !path.exists() {
                let span = source::add(NAME, text).part(1, text.len());
                return Err(Diagnostic::error(span, format!("there is no file {}", path.display())));
            }
            files::read_file(path).map(|file| file.values)
        }
        Some('/' | '.') => {
            let problem = Diagnostic::error(source::add(NAME, text), "this looks like a file");
            Err(problem.help(format!("write @{text} to read variables from it")))
        }
        Some('{' | '[') => {
            let VarsFile { values, .. } = files::from_document(yaml::read_text(NAME, text)?)?;
            Ok(values)
        }
        Some(_) => pairs(text),
    }
}

const NAME: &str = "<--extra-vars>";

/// `name=value name="other value"`.
fn pairs(text: &str) -> Result<yaml::Nodes, Diagnostic> {
    let whole = source::add(NAME, text);
    let found = free_form::parse(text, false)
        .map_err(|_| Diagnostic::error(whole, "quotes or braces that are opened here are never closed"))?;
    if !found.raw.is_empty() {
        let start = text.find(&found.raw).unwrap_or(0);
        let span = whole.part(start, start + found.raw.len());
        let problem = Diagnostic::error(span, format!("expected `name=value`, found `{}`", found.raw));
        return Err(problem.help("a value with spaces needs quotes: -e 'name=\"two words\"'"));
    }
    let mut from = 0;
    let mut values = yaml::Nodes::new();
    for (name, value) in found.pairs {
        // Only for the caret, so a near miss does no harm.
        let start = text[from..].find(&value).map_or(from, |offset| from + offset);
        from = (start + value.len()).min(text.len());
        values.insert(name, Arc::new(Node::scalar(whole.part(start, from), value)));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(given: &[&str]) -> String {
        let given: Vec<String> = given.iter().map(|text| (*text).to_owned()).collect();
        match read(&given) {
            Ok(layer) => {
                let shown = layer.values.iter().map(|(name, binding)| match binding {
                    Binding::Template(node) => format!("{name}={}", node.to_value().to_json()),
                    other => format!("{name}={other:?}"),
                });
                shown.collect::<Vec<_>>().join(" ")
            }
            Err(problem) => problem.message,
        }
    }

    #[test]
    fn all_forms() {
        assert_eq!(values(&["a=1 b=\"two words\" c='x=y'"]), r#"a="1" b="two words" c="x=y""#);
        assert_eq!(values(&["a={{ b }} c=yes"]), r#"a="{{ b }}" c="yes""#);
        assert_eq!(values(&["{\"a\": 1, \"b\": [true]}"]), "a=1 b=[true]");
        assert_eq!(values(&["{a: yes, b: text}"]), r#"a=true b="text""#);
        assert_eq!(values(&["a=1", "", "{a: 2}", "b=3"]), r#"a=2 b="3""#);
    }

    #[test]
    fn files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.yml");
        std::fs::write(&path, "a: 1\nb: {c: 0644}\n").unwrap();
        assert_eq!(values(&[&format!("@{}", path.display())]), r#"a=1 b={"c":420}"#);
        assert_eq!(values(&["@/no/such"]), "there is no file /no/such");
        assert_eq!(values(&["./x.yml"]), "this looks like a file");
    }

    #[test]
    fn wrong() {
        assert_eq!(values(&["a=1 b c=2"]), "expected `name=value`, found `b`");
        assert_eq!(values(&["a='1"]), "quotes or braces that are opened here are never closed");
        assert_eq!(values(&["[1]"]), "a file of variables is a mapping, and this is a list");
        assert_eq!(values(&["{a: @}"]), "no value starts with this character");
    }
}
