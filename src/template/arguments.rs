//! The arguments of a filter, test or function, bound to the names under which Ansible documents them.

use std::borrow::Cow;

use minijinja::value::{Kwargs, Rest, ValueOrKwargs, from_args};
use minijinja::{Error, ErrorKind, State, Value};

use super::{Asks, python};

/// What a filter or test does.
pub type Call = fn(&mut State, &Arguments) -> Result<Value, Error>;

/// A filter or test: its names, its parameters and what it does.
pub struct Entry {
    /// The name and its aliases, as they are written in Ansible.
    pub names: &'static [&'static str],
    /// The parameters in order, separated by blanks. `*x` takes all further positional arguments, `**` all further
    /// named ones.
    pub parameters: &'static str,
    /// What it does.
    pub call: Call,
    /// Whether it answers for undefined values too; everything else fails when it is given one.
    pub undefined: bool,
    /// What it asks beyond its arguments.
    pub asks: Asks,
    /// The argument that, where it is given, leaves nothing to ask.
    pub settled_by: &'static str,
}

/// An entry that fails for undefined values.
pub const fn entry(names: &'static [&'static str], parameters: &'static str, call: Call) -> Entry {
    Entry { names, parameters, call, undefined: false, asks: Asks::NOTHING, settled_by: "" }
}

/// An entry that looks at undefined values itself.
pub const fn lenient(names: &'static [&'static str], parameters: &'static str, call: Call) -> Entry {
    Entry { names, parameters, call, undefined: true, asks: Asks::NOTHING, settled_by: "" }
}

impl Entry {
    /// One that asks something beyond its arguments.
    pub const fn asking(mut self, asks: Asks) -> Self {
        self.asks = asks;
        self
    }

    /// The same, unless `argument` is given.
    pub const fn asking_unless(mut self, argument: &'static str, asks: Asks) -> Self {
        self.asks = asks;
        self.settled_by = argument;
        self
    }

    /// What a use asks that has so many positional arguments, and these named ones.
    pub fn asks<'n>(&self, positional: usize, mut named: impl Iterator<Item = &'n str>) -> Asks {
        let place = parameters(self.parameters).position(|name| name == self.settled_by);
        let is_settled = place.is_some_and(|at| at <= positional) || named.any(|name| name == self.settled_by);
        if is_settled { Asks::NOTHING } else { self.asks }
    }

    /// Binds the arguments and does it.
    pub fn run(&self, state: &mut State, given: Rest<ValueOrKwargs>) -> Result<Value, Error> {
        let arguments = Arguments::bind(self, given)?;
        if !self.undefined {
            arguments.all().try_for_each(python::defined)?;
        }
        (self.call)(state, &arguments)
    }
}

/// The arguments of one call.
#[derive(Debug)]
pub struct Arguments {
    parameters: &'static str,
    bound: Vec<Option<Value>>,
    /// Positional arguments behind the named parameters.
    pub rest: Vec<Value>,
    /// Named arguments that the signature does not name.
    pub others: Vec<(String, Value)>,
}

impl Arguments {
    fn bind(entry: &Entry, given: Rest<ValueOrKwargs>) -> Result<Self, Error> {
        let given = given.into_values();
        let (positional, named): (&[Value], Kwargs) = from_args(&given)?;
        let names: Vec<&str> = parameters(entry.parameters).collect();
        let mut bound: Vec<Option<Value>> = positional.iter().take(names.len()).cloned().map(Some).collect();
        bound.resize(names.len(), None);
        let rest = positional.get(names.len()..).unwrap_or_default().to_vec();
        if !rest.is_empty() && !entry.parameters.contains(" *") && !entry.parameters.starts_with('*') {
            let most = names.len().saturating_sub(1);
            return Err(wrong(format!("takes at most {most} arguments, {} were given", positional.len() - 1)));
        }
        let mut others = Vec::new();
        for name in named.args() {
            let value: Value = named.peek(name)?;
            match names.iter().position(|known| *known == name) {
                Some(at) if bound[at].is_some() => return Err(wrong(format!("`{name}` was given twice"))),
                Some(at) => bound[at] = Some(value),
                None if entry.parameters.ends_with("**") => others.push((name.to_owned(), value)),
                None => {
                    let known = names
                        .get(1..)
                        .unwrap_or_default()
                        .iter()
                        .map(|name| format!("`{name}`"))
                        .collect::<Vec<_>>()
                        .join(", ");
                    let known = if known.is_empty() { "it takes none".into() } else { format!("it takes {known}") };
                    return Err(wrong(format!("has no argument `{name}`; {known}")));
                }
            }
        }
        Ok(Arguments { parameters: entry.parameters, bound, rest, others })
    }

    fn all(&self) -> impl Iterator<Item = &Value> {
        self.bound.iter().flatten().chain(&self.rest).chain(self.others.iter().map(|(_, value)| value))
    }

    /// An argument, if it was given.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let at = parameters(self.parameters).position(|known| known == name);
        debug_assert!(at.is_some(), "`{name}` is not among `{}`", self.parameters);
        self.bound.get(at?)?.as_ref()
    }

    /// An argument that was given and is not `none`.
    pub fn some(&self, name: &str) -> Option<&Value> {
        self.get(name).filter(|value| !value.is_none())
    }

    /// An argument that has no default.
    pub fn need(&self, name: &str) -> Result<&Value, Error> {
        self.get(name).ok_or_else(|| wrong(format!("needs the argument `{name}`")))
    }

    /// What stands before the `|`, or before `is`.
    pub fn value(&self) -> Result<&Value, Error> {
        self.bound.first().and_then(Option::as_ref).ok_or_else(|| wrong("needs a value"))
    }

    /// That value as text, whatever it is.
    pub fn value_text(&self) -> Result<Cow<'_, str>, Error> {
        Ok(python::text(self.value()?))
    }

    /// That value, which must be text.
    pub fn value_str(&self) -> Result<&str, Error> {
        text_only(self.value()?, "a value")
    }

    /// That value's items.
    pub fn value_items(&self) -> Result<Vec<Value>, Error> {
        python::items(self.value()?)
    }

    /// An argument that must be text.
    pub fn str(&self, name: &str) -> Result<Option<&str>, Error> {
        self.some(name).map(|value| text_only(value, &format!("`{name}`"))).transpose()
    }

    /// An argument that must be text and has no default.
    pub fn need_str(&self, name: &str) -> Result<&str, Error> {
        text_only(self.need(name)?, &format!("`{name}`"))
    }

    /// An argument by its truth.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        self.get(name).map_or(default, Value::is_true)
    }

    /// An argument that must be a whole number.
    pub fn int(&self, name: &str) -> Result<Option<i64>, Error> {
        self.some(name)
            .map(|value| match python::number(value) {
                Some(python::Number::Int(number)) if i64::try_from(number).is_ok() => Ok(number as i64),
                _ => Err(wrong(format!("`{name}` must be a whole number, it is {}", python::described(value)))),
            })
            .transpose()
    }

    /// A whole number that is not negative.
    pub fn size(&self, name: &str, default: usize) -> Result<usize, Error> {
        match self.int(name)? {
            None => Ok(default),
            Some(number) => {
                usize::try_from(number).map_err(|_| wrong(format!("`{name}` must not be negative, it is {number}")))
            }
        }
    }
}

fn parameters(signature: &'static str) -> impl Iterator<Item = &'static str> {
    signature.split(' ').filter(|name| !name.starts_with('*') && !name.is_empty())
}

fn text_only<'a>(value: &'a Value, what: &str) -> Result<&'a str, Error> {
    match value.as_str() {
        Some(text) => Ok(text),
        None => Err(wrong(format!("needs text, {what} is {}", python::described(value)))),
    }
}

/// The longest text or list that is made out of little: more is a mistake, or an attack on memory.
pub const LONGEST: usize = 10_000_000;

/// Refuses what would become longer than that, before it is made.
pub fn bounded(length: usize) -> Result<(), Error> {
    match length > LONGEST {
        true => Err(wrong(format!("the result would be longer than {LONGEST}"))),
        false => Ok(()),
    }
}

/// An error about how something was used.
pub fn wrong(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}
