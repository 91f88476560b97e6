//! The names that every template knows beside its variables.

use std::collections::BTreeMap;

use minijinja::{Environment, UndefinedBehavior, Value as Jinja};

use super::{filters, functions, lookups, methods, predicates};

/// The names of what there is.
pub struct Names {
    /// Functions and constants.
    pub globals: BTreeMap<String, Jinja>,
}

impl Names {
    /// Whether there is a filter, test or lookup of this name.
    pub fn has(&self, kind: &str, name: &str) -> bool {
        match kind {
            "filter" => filters::find(name).is_some(),
            "test" => predicates::find(name).is_some(),
            _ => lookups::exists(name),
        }
    }

    /// The names of all filters, tests, functions or lookups.
    pub fn of(&self, kind: &str) -> Vec<String> {
        match kind {
            "filter" => filters::names().map(str::to_owned).collect(),
            "test" => predicates::names().map(str::to_owned).collect(),
            "lookup" => lookups::names().map(str::to_owned).collect(),
            _ => self.globals.keys().cloned().collect(),
        }
    }
}

/// The environment of all templates, and what is in it.
pub fn build() -> (Environment<'static>, Names) {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_unknown_method_callback(methods::call);
    filters::register(&mut environment);
    predicates::register(&mut environment);
    functions::register(&mut environment);
    let globals = environment.globals().map(|(name, value)| (name.to_owned(), value)).collect();
    (environment, Names { globals })
}
