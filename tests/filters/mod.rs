//! Filters, tests and functions against ansible-core's recorded answers; see `record.py`.

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use wodctl::template::{filters, predicates};
use wodctl::value::{Map, Value};
use wodctl::yaml;

use crate::fixtures;

/// What every template knows, but for lookups.
pub fn environment() -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Chainable);
    filters::register(&mut env);
    predicates::register(&mut env);
    env
}

/// The value of an expression as JSON, or why there is none.
fn evaluate(env: &Environment, expr: &str, vars: minijinja::Value) -> Result<serde_json::Value, String> {
    let expr = escaped(expr);
    let compiled = env.compile_expression(&expr).map_err(|error| format!("{error:#}"))?;
    let found = compiled.eval(vars).map_err(|error| format!("{error:#}"))?;
    if holds_undefined(&found) {
        return Err("undefined".into());
    }
    serde_json::to_value(&found).map_err(|error| error.to_string())
}

/// Backslashes in texts of a playbook stand for themselves, but keep a quote from ending the text.
fn escaped(expr: &str) -> String {
    let mut out = String::new();
    let mut quote = None;
    let mut letters = expr.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if quote.is_some() => {
                let next = letters.next().unwrap_or_default();
                out.push_str("\\\\");
                out.extend((next == '\\' || Some(next) == quote).then_some('\\'));
                out.push(next);
                continue;
            }
            '\'' | '"' if quote.is_none() => quote = Some(letter),
            letter if quote == Some(letter) => quote = None,
            _ => {}
        }
        out.push(letter);
    }
    out
}

fn holds_undefined(value: &minijinja::Value) -> bool {
    let inside =
        |value: &minijinja::Value| value.try_iter().is_ok_and(|mut items| items.any(|item| holds_undefined(&item)));
    value.is_undefined() || (value.kind() == minijinja::value::ValueKind::Seq && inside(value))
}

fn check(environment: &impl Fn(&minijinja::Value) -> Environment<'static>, case: &Value) -> Option<String> {
    let expr = case.get("expr").and_then(Value::as_str).expect("a case has `expr`");
    let vars = case.get("vars").cloned().unwrap_or_else(|| Value::Map(Map::new()));
    let vars = minijinja::Value::from(Serde(vars.to_json()));
    let found = evaluate(&environment(&vars), expr, vars);
    match (case.get("expect"), found) {
        (Some(expected), Ok(found)) => {
            let expected = expected.to_json();
            (found != expected).then(|| format!("{expr}\n  expected {expected}\n  found    {found}"))
        }
        (Some(expected), Err(why)) => Some(format!("{expr}\n  expected {}\n  but      {why}", expected.to_json())),
        (None, Ok(found)) => Some(format!("{expr}\n  should fail\n  found    {found}")),
        (None, Err(_)) => None,
    }
}

/// Checks all fixtures of a folder.
pub fn check_folder(folder: &str, environment: impl Fn(&minijinja::Value) -> Environment<'static>) {
    let mut wrong = Vec::new();
    fixtures::each(folder, "yml", |path| {
        let document = yaml::read_file(path).unwrap_or_else(|problem| panic!("{}", problem.render(false)));
        let cases = document.root.expect("a fixture holds cases").to_value();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let found = cases.as_list().expect("a list").iter().filter_map(|case| check(&environment, case));
        wrong.extend(found.map(|problem| format!("{name}: {problem}")));
    });
    assert!(wrong.is_empty(), "{} answers differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn answers_are_ansibles() {
    let env = environment();
    check_folder("filters", |_| env.clone());
}
