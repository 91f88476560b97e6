//! Filters, tests, functions and methods.

use crate::template::syntax::{Place, ast};
use minijinja::value::Kwargs;
use minijinja::{ErrorKind, Value as Jinja};

use super::macros::Macro;
use super::{Evaluator, Expr};
use crate::template::blank::is_blank;
use crate::template::looking::Looking;
use crate::template::memo::Question;
use crate::template::{Asks, RenderError, filters, functions, is_template, lookups, python, report};
use crate::yaml::Node;

/// Filters that look at undefined values themselves. All others are undefined where an argument is.
const LENIENT_FILTERS: &[&str] = &["default", "d", "mandatory", "ternary", "type_debug"];

/// Tests that look at undefined values themselves.
const LENIENT_TESTS: &[&str] = &["defined", "undefined", "vault_encrypted"];

/// The arguments of a call.
#[derive(Default)]
pub(super) struct Given {
    pub positional: Vec<Jinja>,
    pub named: Vec<(String, Jinja)>,
}

impl Given {
    fn is_undefined(&self) -> bool {
        self.positional.iter().chain(self.named.iter().map(|(_, value)| value)).any(Jinja::is_undefined)
    }

    /// As minijinja takes them: the named ones as one value behind the others.
    pub(super) fn values(mut self) -> Vec<Jinja> {
        if !self.named.is_empty() {
            self.positional.push(Jinja::from(self.named.into_iter().collect::<Kwargs>()));
        }
        self.positional
    }
}

/// What a filter asks with these arguments. `map` is the filter that it is given.
fn asks_of_filter(name: &str, given: &Given) -> Asks {
    let by = |name: &str, skip: usize| {
        let named = given.named.iter().map(|(name, _)| name.as_str());
        let positional = given.positional.len().saturating_sub(skip);
        filters::find(name).map_or(Asks::NOTHING, |filter| filter.asks(positional, named))
    };
    match given.positional.get(1).and_then(|inner| inner.as_str()) {
        Some(inner) if plain(name) == "map" => by(inner, 2),
        _ => by(name, 1),
    }
}

/// Whether something undefined among the values ended a filter or test.
fn undefined_inside(result: &Result<Jinja, minijinja::Error>) -> bool {
    matches!(result, Err(error) if error.kind() == ErrorKind::UndefinedError)
}

/// The name without the collection that it is built in.
fn plain(name: &str) -> &str {
    name.strip_prefix("ansible.builtin.").unwrap_or(name)
}

impl Evaluator<'_> {
    pub(super) fn given(
        &mut self,
        first: Option<Jinja>,
        args: &'static [ast::CallArg<'static>],
    ) -> Result<Given, RenderError> {
        self.given_to(first, args, false)
    }

    /// The arguments; those that `default` and `ternary` do not choose may be wrong.
    fn given_to(
        &mut self,
        first: Option<Jinja>,
        args: &'static [ast::CallArg<'static>],
        lenient: bool,
    ) -> Result<Given, RenderError> {
        let mut given = Given { positional: first.into_iter().collect(), named: Vec::new() };
        for arg in args {
            match arg {
                ast::CallArg::Pos(expression) => given.positional.push(self.argument(expression, lenient)?),
                ast::CallArg::Kwarg(name, expression) => {
                    given.named.push(((*name).to_owned(), self.argument(expression, lenient)?))
                }
                ast::CallArg::PosSplat(expression) => {
                    let items = self.defined(expression)?;
                    let items = python::items(&items).map_err(|error| self.failed(expression.span(), &error))?;
                    given.positional.extend(items);
                }
                ast::CallArg::KwargSplat(expression) => {
                    let map = self.defined(expression)?;
                    let pairs = python::pairs(&map).map_err(|error| self.failed(expression.span(), &error))?;
                    given.named.extend(pairs.into_iter().map(|(key, value)| (python::text(&key).into_owned(), value)));
                }
            }
        }
        Ok(given)
    }

    fn argument(&mut self, expression: &'static Expr, lenient: bool) -> Result<Jinja, RenderError> {
        match self.value(expression) {
            // The value ends the rendering where it is used.
            Err(why @ RenderError::Wrong(_)) if lenient => Ok(Jinja::from(report::Ended::error(why))),
            other => other,
        }
    }

    pub(super) fn filter(&mut self, filter: &'static ast::Spanned<ast::Filter<'static>>) -> Result<Jinja, RenderError> {
        let first = match &filter.expr {
            Some(expression) => self.value(expression)?,
            None => self.piped.clone().unwrap_or_default(),
        };
        let name: String = filter.name.split_whitespace().collect();
        let lenient = LENIENT_FILTERS.contains(&plain(&name));
        let given = self.given_to(Some(first), &filter.args, lenient)?;
        if given.is_undefined() && !lenient {
            return Ok(Jinja::UNDEFINED);
        }
        let asks = asks_of_filter(&name, &given);
        self.once(filter.span(), asks, given, |this, given| this.filtered(filter, &name, given))
    }

    fn filtered(
        &mut self,
        filter: &'static ast::Spanned<ast::Filter<'static>>,
        name: &str,
        given: Given,
    ) -> Result<Jinja, RenderError> {
        let result = self.state.apply_filter(name, &given.values());
        if undefined_inside(&result) {
            return Ok(Jinja::UNDEFINED);
        }
        result.map_err(|error| match error.kind() {
            // One that is named in its arguments may be meant, as in `map('name')`.
            ErrorKind::UnknownFilter if !self.run.engine().has("filter", name) => {
                self.unknown(filter.span(), "filter", name)
            }
            _ => self.failed(filter.span(), &error),
        })
    }

    /// Something that is asked once for a task, host and item, if it is of that kind.
    fn once(
        &mut self,
        place: Place,
        asks: Asks,
        given: Given,
        find: impl FnOnce(&mut Self, Given) -> Result<Jinja, RenderError>,
    ) -> Result<Jinja, RenderError> {
        if !asks.once {
            return find(self, given);
        }
        let question = self.question(place, &given);
        self.run.once(|| question, || find(self, given))
    }

    /// What a call asks: where it stands, as what, with which arguments.
    fn question(&self, place: Place, given: &Given) -> Question {
        let mut text = self.unit.part(place).to_owned();
        for value in &given.positional {
            text.push('\n');
            text.push_str(&python::repr(value));
        }
        for (name, value) in &given.named {
            text.push_str(&format!("\n{name}={}", python::repr(value)));
        }
        (self.span(place), text)
    }

    pub(super) fn test(&mut self, test: &'static ast::Spanned<ast::Test<'static>>) -> Result<Jinja, RenderError> {
        let name: String = test.name.split_whitespace().collect();
        let lenient = LENIENT_TESTS.contains(&plain(&name));
        let first = if lenient { self.existing(&test.expr)? } else { self.value(&test.expr)? };
        let given = self.given(Some(first), &test.args)?;
        if given.is_undefined() && !lenient {
            return Ok(Jinja::UNDEFINED);
        }
        let result = self.state.perform_test(&name, &given.values()).map(Jinja::from);
        if undefined_inside(&result) {
            return Ok(Jinja::UNDEFINED);
        }
        result.map_err(|error| match error.kind() {
            ErrorKind::UnknownTest if !self.run.engine().has("test", &name) => self.unknown(test.span(), "test", &name),
            _ => self.failed(test.span(), &error),
        })
    }

    /// A value of which only matters whether there is one: what will be known only later is there already.
    fn existing(&mut self, expression: &'static Expr) -> Result<Jinja, RenderError> {
        let parent = match expression {
            Expr::GetAttr(get) => Some(&get.expr),
            Expr::GetItem(get) => Some(&get.expr),
            Expr::Var(_) => None,
            _ => return self.value(expression),
        };
        match self.value(expression) {
            Err(RenderError::Unknown(step)) => {
                self.run.shared().go_on();
                match parent.map(|parent| self.value(parent)) {
                    None | Some(Ok(_)) => Ok(Jinja::from(true)),
                    Some(Err(_)) => Err(RenderError::Unknown(step)),
                }
            }
            result => result,
        }
    }

    pub(super) fn unknown(&self, place: Place, kind: &str, name: &str) -> RenderError {
        let known = self.run.engine().names(kind);
        let at = self.unit.part(place).find(name).map_or(self.span(place), |offset| {
            let start = place.start_offset as usize + offset;
            self.span_of(start..start + name.len())
        });
        RenderError::Wrong(Box::new(report::unknown(at, kind, name, &known)))
    }

    pub(super) fn call(&mut self, call: &'static ast::Spanned<ast::Call<'static>>) -> Result<Jinja, RenderError> {
        let place = call.span();
        match call.identify_call() {
            ast::CallType::Function("super") => self.super_block(place),
            ast::CallType::Function("loop") if !self.loops.is_empty() => self.recurse(call),
            ast::CallType::Function(name) => {
                let function = self.variable(name);
                if function.is_undefined() {
                    return Ok(Jinja::UNDEFINED);
                }
                let given = self.given(None, &call.args)?;
                if matches!(name, "lookup" | "query" | "q") && self.is_global(name) {
                    return self.lookup(call, name, given);
                }
                self.once(place, functions::asks(name), given, |this, given| this.invoke(place, &function, given))
            }
            ast::CallType::Method(object, name) => self.method(call, object, name),
            ast::CallType::Block(name) => self.block_text(name, place),
            ast::CallType::Object(expression) => {
                let function = self.defined(expression)?;
                let given = self.given(None, &call.args)?;
                self.invoke(place, &function, given)
            }
        }
    }

    pub(super) fn is_global(&self, name: &str) -> bool {
        self.local(name).is_none() && self.run.variable(name).is_none()
    }

    /// A name that is called and stands for nothing.
    pub(super) fn no_function(&mut self, expression: &'static Expr, name: &'static str) -> RenderError {
        match self.missing(expression) {
            RenderError::Undefined(problem) => {
                let known = self.run.engine().names("function");
                let filters = self.run.engine().names("filter");
                let span = problem.span;
                let mut problem = report::unknown(span, "function", name, &known);
                if filters.iter().any(|filter| filter == name) {
                    problem = problem.help(format!("`{name}` is a filter: write `VALUE | {name}`"));
                }
                RenderError::Undefined(Box::new(problem))
            }
            other => other,
        }
    }

    pub(super) fn invoke(&mut self, place: Place, function: &Jinja, given: Given) -> Result<Jinja, RenderError> {
        if let Some(found) = function.downcast_object::<Macro>() {
            return self.call_macro(place, &found, given, None);
        }
        if given.is_undefined() {
            return Ok(Jinja::UNDEFINED);
        }
        function.call(&mut self.state, &given.values()).map_err(|error| self.failed(place, &error))
    }

    fn method(
        &mut self,
        call: &'static ast::Spanned<ast::Call<'static>>,
        object: &'static Expr,
        name: &'static str,
    ) -> Result<Jinja, RenderError> {
        let value = self.value(object)?;
        if value.is_undefined() {
            return Ok(Jinja::UNDEFINED);
        }
        let entry = super::attributes::attribute(&value, name);
        if entry.downcast_object_ref::<Macro>().is_some() {
            let given = self.given(None, &call.args)?;
            return self.invoke(call.span(), &entry, given);
        }
        let given = self.given(None, &call.args)?;
        if given.is_undefined() {
            return Ok(Jinja::UNDEFINED);
        }
        let value = self.changeable(object, value, name);
        let result = value.call_method(&mut self.state, name, &given.values());
        match result {
            // As an attribute that is not there.
            Err(error) if error.kind() == ErrorKind::UnknownMethod && !is_blank(&value) => Ok(Jinja::UNDEFINED),
            result => result.map_err(|error| self.failed(call.span(), &error)),
        }
    }
}

impl Evaluator<'_> {
    /// `lookup('name', …)` and `query('name', …)`.
    fn lookup(
        &mut self,
        call: &'static ast::Spanned<ast::Call<'static>>,
        function: &str,
        given: Given,
    ) -> Result<Jinja, RenderError> {
        let place = call.span();
        if given.is_undefined() {
            return Ok(Jinja::UNDEFINED);
        }
        let given = self.rendered(call, given)?;
        let Some((name, terms)) = given.positional.split_first() else {
            return Err(self.wrong(place, format!("`{function}` needs the name of a lookup")));
        };
        let name = name.as_str().unwrap_or_default();
        if !self.run.engine().has("lookup", name) && name != "config" {
            return Err(self.unknown(place, "lookup", name));
        }
        let asks = lookups::asks(name);
        let look = if function == "lookup" { lookups::lookup_value } else { lookups::query_value };
        let looking = Looking::new(self.run, self.span(place));
        let find = || look(name, terms, &given.named, &looking).map_err(|error| self.failed(place, &error));
        if asks.once { self.run.once(|| self.question(place, &given), find) } else { find() }
    }

    /// As in Ansible, terms that are written as templates inside the template are rendered.
    fn rendered(
        &mut self,
        call: &'static ast::Spanned<ast::Call<'static>>,
        mut given: Given,
    ) -> Result<Given, RenderError> {
        for (index, arg) in call.args.iter().enumerate().skip(1) {
            if let ast::CallArg::Pos(Expr::Const(constant)) = arg
                && let Some(text) = constant.value.as_str().filter(|text| is_template(text))
                && let Some(term) = given.positional.get_mut(index)
            {
                *term = self.run.text(text, &Node::scalar(self.span(constant.span()), text))?;
            }
        }
        Ok(given)
    }
}
