//! Lookups against ansible-core's recorded answers; see `tests/filters/record.py`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Rest, ValueOrKwargs, from_args};
use minijinja::{Environment, Error, Value};
use wodctl::template::TemplateOptions;
use wodctl::template::lookups::{self, LookupContext};

use crate::filters;
use crate::fixtures;

/// The variables of a case, and the folder of the fixtures.
struct Context {
    vars: HashMap<String, Value>,
    env: Environment<'static>,
}

impl LookupContext for Context {
    fn render(&self, text: &str) -> Result<Value, Error> {
        if let Some(expression) = text.strip_prefix("{{").and_then(|text| text.strip_suffix("}}")) {
            return self.env.compile_expression(expression)?.eval(&self.vars);
        }
        self.env.render_str(text, &self.vars).map(Value::from)
    }

    fn render_file(
        &self,
        _: &Path,
        text: &str,
        _: &TemplateOptions,
        vars: &[(String, Value)],
    ) -> Result<String, Error> {
        let mut all = self.vars.clone();
        all.extend(vars.iter().cloned());
        let mut env = self.env.clone();
        env.set_syntax(SyntaxConfig::builder().keep_trailing_newline(true).build()?);
        env.render_str(text, all)
    }

    fn variable(&self, name: &str) -> Result<Option<Value>, Error> {
        match self.vars.get(name) {
            Some(value) if value.as_str().is_some_and(|text| text.contains("{{")) => {
                self.render(value.as_str().unwrap_or_default()).map(Some)
            }
            value => Ok(value.cloned()),
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.vars.keys().cloned().collect();
        names.sort();
        names
    }

    fn candidates(&self, kind: &str, name: &str) -> Vec<PathBuf> {
        vec![self.folder().join(kind).join(name), self.folder().join(name)]
    }

    fn folder(&self) -> PathBuf {
        fixtures::dir("lookups")
    }

    fn warn(&self, _: &str) {}

    fn read(&self, path: &Path) -> Result<Vec<u8>, Error> {
        std::fs::read(path).map_err(|error| Error::new(minijinja::ErrorKind::InvalidOperation, error.to_string()))
    }
}

type Function = fn(&str, &[Value], &[(String, Value)], &dyn LookupContext) -> Result<Value, Error>;

fn environment(vars_of: &Value) -> Environment<'static> {
    let vars = vars_of.try_iter().into_iter().flatten();
    let vars: HashMap<String, Value> = vars.map(|name| (name.to_string(), vars_of.get_item(&name).unwrap())).collect();
    let context = Arc::new(Context { vars, env: filters::environment() });
    let mut env = filters::environment();
    let functions: [(&str, Function); 3] =
        [("lookup", lookups::lookup_value), ("query", lookups::query_value), ("q", lookups::query_value)];
    for (name, function) in functions {
        let context = context.clone();
        env.add_function(name, move |name: &str, given: Rest<ValueOrKwargs>| {
            let given = given.into_values();
            let (terms, named): (&[Value], Kwargs) = from_args(&given)?;
            let options = named.args().map(|name| Ok((name.to_owned(), named.peek::<Value>(name)?)));
            function(name, terms, &options.collect::<Result<Vec<_>, Error>>()?, &*context)
        });
    }
    env
}

#[test]
fn answers_are_ansibles() {
    filters::check_folder("lookups", environment);
}

#[test]
fn a_password_is_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let context = Context { vars: HashMap::new(), env: filters::environment() };
    let term = Value::from(folder.path().join("new/password").to_string_lossy());
    let ask = || lookups::call("password", std::slice::from_ref(&term), &[], &context).unwrap()[0].to_string();
    let first = ask();
    assert_eq!((first.len(), ask()), (20, first));
}

#[test]
fn what_is_wrong_is_said() {
    let context = Context { vars: HashMap::new(), env: filters::environment() };
    let ask = |name, options: &[(String, Value)]| lookups::call(name, &[], options, &context).unwrap_err().to_string();
    assert!(ask("config", &[]).contains("`config` is not supported"));
    assert!(ask("fiel", &[]).contains("did you mean `file`?"));
    assert!(ask("file", &[("lstripp".into(), true.into())]).contains("has no option `lstripp`; it has lstrip, rstrip"));
}
