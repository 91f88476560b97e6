//! Ansible's lookups, for `lookup()`, `query()` and `with_*`. All of them look at the controller.

mod commands;
mod files;
mod found;
mod hosts;
mod ini;
mod lists;
mod password;
mod sequence;
mod tables;
mod url;
mod variables;

use std::path::{Path, PathBuf};

use minijinja::{Error, Value};

use super::arguments::wrong;
use super::python;
use super::{Asks, TemplateOptions};

/// What a lookup may ask of the rendering that it is part of.
pub trait LookupContext {
    /// Renders a text.
    fn render(&self, text: &str) -> Result<Value, Error>;
    /// Renders a template file with additional variables.
    fn render_file(
        &self,
        path: &Path,
        text: &str,
        options: &TemplateOptions,
        vars: &[(String, Value)],
    ) -> Result<String, Error>;
    /// A variable, rendered; `None` if there is none.
    fn variable(&self, name: &str) -> Result<Option<Value>, Error>;
    /// The names of all variables.
    fn names(&self) -> Vec<String>;
    /// Where a file of a kind (`files`, `templates`, `vars`) may lie, best first.
    fn candidates(&self, kind: &str, name: &str) -> Vec<PathBuf>;
    /// The kind of files that the task works with, where the lookup is a `with_*`; else nothing.
    fn kind(&self) -> &str {
        ""
    }
    /// The folder that commands run in.
    fn folder(&self) -> PathBuf;
    /// Tells the user something that is no error.
    fn warn(&self, message: &str);
    /// The content of a file, decrypted where it is a vault's.
    fn read(&self, path: &Path) -> Result<Vec<u8>, Error>;
}

/// What a lookup does with its terms and options.
type Call = fn(&Asked) -> Result<Vec<Value>, Error>;

/// A lookup: its name and collection, the options that it takes (separated by blanks, `**` for any), and what it does.
struct Lookup {
    name: &'static str,
    collection: &'static str,
    options: &'static str,
    call: Call,
    asks: Asks,
}

const fn lookup(name: &'static str, options: &'static str, call: Call) -> Lookup {
    Lookup { name, collection: "ansible.builtin", options, call, asks: Asks::NOTHING }
}

impl Lookup {
    /// One of another collection, which is known by its short name too.
    const fn of(mut self, collection: &'static str) -> Self {
        self.collection = collection;
        self
    }

    /// One that asks something beyond its terms.
    const fn asking(mut self, asks: Asks) -> Self {
        self.asks = asks;
        self
    }
}

const THEMES: &[&[Lookup]] = &[
    commands::LOOKUPS,
    files::LOOKUPS,
    found::LOOKUPS,
    hosts::LOOKUPS,
    ini::LOOKUPS,
    lists::LOOKUPS,
    password::LOOKUPS,
    sequence::LOOKUPS,
    tables::LOOKUPS,
    url::LOOKUPS,
    variables::LOOKUPS,
];

/// One use of a lookup.
struct Asked<'a> {
    terms: &'a [Value],
    options: &'a [(String, Value)],
    context: &'a dyn LookupContext,
}

/// The names of all lookups, without `ansible.builtin.`.
pub fn names() -> impl Iterator<Item = &'static str> {
    THEMES.iter().copied().flatten().map(|lookup| lookup.name)
}

/// What a lookup asks beyond its terms; anything where there is none of this name.
pub(super) fn asks(name: &str) -> Asks {
    find(name).map_or(Asks::ANYTHING, |lookup| lookup.asks)
}

/// Whether there is a lookup of this name, with its collection or without.
pub(super) fn exists(name: &str) -> bool {
    find(name).is_some()
}

fn find(name: &str) -> Option<&'static Lookup> {
    let (collection, short) = name.rsplit_once('.').unwrap_or_default();
    let mut all = THEMES.iter().copied().flatten();
    match collection {
        "" | "ansible.legacy" => all.find(|lookup| lookup.name == name.strip_prefix("ansible.legacy.").unwrap_or(name)),
        _ => all.find(|lookup| lookup.name == short && lookup.collection == collection),
    }
}

/// What a lookup finds. The names may have `ansible.builtin.` in front.
pub fn call(
    name: &str,
    terms: &[Value],
    options: &[(String, Value)],
    context: &dyn LookupContext,
) -> Result<Vec<Value>, Error> {
    let short = name.strip_prefix("ansible.builtin.").unwrap_or(name);
    let Some(lookup) = find(name) else {
        return Err(unknown(name, short));
    };
    for (option, value) in options {
        python::defined(value)?;
        if !lookup.options.split(' ').any(|known| known == option || known == "**") {
            let known = lookup.options.replace(' ', ", ");
            let known = if known.is_empty() { "none".to_owned() } else { known };
            return Err(wrong(format!("the lookup `{short}` has no option `{option}`; it has {known}")));
        }
    }
    terms.iter().try_for_each(python::defined)?;
    (lookup.call)(&Asked { terms, options, context }).map_err(|error| match error.kind() {
        minijinja::ErrorKind::InvalidOperation => {
            wrong(format!("the lookup `{short}`: {}", error.detail().unwrap_or_default()))
        }
        _ => error,
    })
}

fn unknown(name: &str, short: &str) -> Error {
    if short == "config" {
        return wrong(
            "the lookup `config` is not supported: it reads Ansible's own settings, which wodctl does not have",
        );
    }
    match crate::diagnostic::nearest(short, names()) {
        Some(near) => wrong(format!("there is no lookup `{name}`; did you mean `{near}`?")),
        None => wrong(format!("there is no lookup `{name}`")),
    }
}

/// `lookup('NAME', TERM…, OPTION=…)`: the one result, several texts joined by commas, else the list.
pub fn lookup_value(
    name: &str,
    terms: &[Value],
    options: &[(String, Value)],
    context: &dyn LookupContext,
) -> Result<Value, Error> {
    let (found, wants_list) = forgiving(name, terms, options, context)?;
    let Some(found) = found else { return Ok(if wants_list { python::new_list([]) } else { Value::from(()) }) };
    if let ([single], false) = (found.as_slice(), wants_list) {
        return Ok(single.clone());
    }
    match found.iter().map(|value| value.as_str()).collect::<Option<Vec<_>>>() {
        Some(texts) if !wants_list => Ok(texts.join(",").into()),
        _ => Ok(python::new_list(found)),
    }
}

/// `query('NAME', TERM…, OPTION=…)`: always a list.
pub fn query_value(
    name: &str,
    terms: &[Value],
    options: &[(String, Value)],
    context: &dyn LookupContext,
) -> Result<Value, Error> {
    Ok(python::new_list(forgiving(name, terms, options, context)?.0.unwrap_or_default()))
}

/// What was found (nothing where an error is passed over), and whether a list is wanted.
fn forgiving(
    name: &str,
    terms: &[Value],
    options: &[(String, Value)],
    context: &dyn LookupContext,
) -> Result<(Option<Vec<Value>>, bool), Error> {
    let mut wants_list = false;
    let mut errors = "strict".into();
    let mut own = Vec::new();
    for (option, value) in options {
        match option.as_str() {
            "wantlist" => wants_list = value.is_true(),
            "errors" => errors = python::text(value),
            _ => own.push((option.clone(), value.clone())),
        }
    }
    match (call(name, terms, &own, context), &*errors) {
        (Ok(found), _) => Ok((Some(found), wants_list)),
        (Err(error), "strict") => Err(error),
        (Err(error), "warn") => {
            context.warn(error.detail().unwrap_or("a lookup failed"));
            Ok((None, wants_list))
        }
        (Err(_), "ignore") => Ok((None, wants_list)),
        (Err(_), other) => Err(wrong(format!("`errors` must be strict, warn or ignore, it is `{other}`"))),
    }
}

impl Asked<'_> {
    /// An option that was given and is not `none`.
    fn option(&self, name: &str) -> Option<&Value> {
        self.options.iter().find(|(known, _)| known == name).map(|(_, value)| value).filter(|value| !value.is_none())
    }

    fn flag(&self, name: &str, default: bool) -> bool {
        self.option(name).map_or(default, |value| match value.as_str() {
            Some(text) => matches!(text.to_lowercase().as_str(), "yes" | "on" | "true" | "1" | "y" | "t"),
            None => value.is_true(),
        })
    }

    fn text(&self, name: &str) -> Option<String> {
        self.option(name).map(|value| python::text(value).into_owned())
    }

    /// The terms as texts.
    fn texts(&self) -> Result<Vec<String>, Error> {
        self.terms
            .iter()
            .map(|term| match term.as_str() {
                Some(text) => Ok(text.to_owned()),
                None if python::number(term).is_some() => Ok(python::text(term).into_owned()),
                None => Err(wrong(format!("needs text, one term is {}", python::described(term)))),
            })
            .collect()
    }

    /// Where a file lies.
    fn find(&self, kind: &str, name: &str) -> Result<PathBuf, Error> {
        let name = super::filters::home_expanded(name)?;
        let candidates = self.context.candidates(kind, &name);
        candidates.iter().find(|path| path.exists()).cloned().ok_or_else(|| {
            let tried: Vec<String> = candidates.iter().map(|path| path.display().to_string()).collect();
            wrong(format!("there is no file `{name}`; looked for {}", tried.join(", ")))
        })
    }

    fn read_text(&self, path: &Path) -> Result<String, Error> {
        let bytes = self.context.read(path)?;
        String::from_utf8(bytes).map_err(|_| wrong(format!("{} is not UTF-8", path.display())))
    }
}

/// Options written in a term: `KEY name=value name=value`.
fn inline(term: &str) -> Result<(String, Vec<(String, String)>), Error> {
    let mut key = Vec::new();
    let mut options = Vec::new();
    for word in crate::words::split(term).map_err(|why| wrong(format!("`{term}`: {why}")))? {
        match word.split_once('=') {
            Some((name, value)) if !name.is_empty() => options.push((name.to_owned(), value.to_owned())),
            _ => key.push(word),
        }
    }
    Ok((key.join(" "), options))
}
