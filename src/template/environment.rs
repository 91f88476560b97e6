//! The names that every template knows beside its variables.

use minijinja::value::Rest;
use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value as Jinja};

use super::templar::OMIT;

/// The environment of all templates.
pub fn build() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_debug(true);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_formatter(format);
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    super::filters::register(&mut environment);
    super::predicates::register(&mut environment);
    environment.add_global("omit", OMIT);
    for name in ["lookup", "query", "q"] {
        environment.add_function(name, lookup);
    }
    environment
}

fn lookup(name: &str, _terms: Rest<Jinja>) -> Result<Jinja, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, format!("there is no lookup `{name}`")))
}

/// How a value stands in text: `None` is nothing.
fn format(output: &mut Output, _state: &mut State, value: &Jinja) -> Result<(), Error> {
    if value.is_none() {
        return Ok(());
    }
    write!(output, "{value}").map_err(|_| Error::from(ErrorKind::WriteFailure))
}
