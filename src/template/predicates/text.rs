//! Text: patterns, letters, addresses, names.

use minijinja::{Error, State, Value};

use crate::python_regex::{Anchor, Flags, Pattern};
use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::{filters, predicates, python};

pub const TESTS: &[Entry] = &[
    entry(&["escaped"], "value", escaped),
    entry(&["filter"], "value", filter),
    entry(&["lower"], "value", lower),
    entry(&["match"], "value pattern ignorecase multiline", matches),
    entry(&["regex"], "value pattern ignorecase multiline match_type", regex),
    entry(&["search"], "value pattern ignorecase multiline", search),
    entry(&["test"], "value", test),
    entry(&["upper"], "value", upper),
    entry(&["uri"], "value schemes", uri),
    entry(&["url"], "value schemes", url),
    entry(&["urn"], "value", urn),
    entry(&["vault_encrypted"], "value", vault_encrypted),
];

fn found(given: &Arguments, anchor: Anchor) -> Result<Value, Error> {
    let flags = Flags {
        ignore_case: given.flag("ignorecase", false),
        multiline: given.flag("multiline", false),
        ..Flags::default()
    };
    let pattern = given.str("pattern")?.unwrap_or_default();
    let pattern = Pattern::anchored(pattern, flags, anchor).map_err(wrong)?;
    Ok(pattern.is_match(&given.value_text()?).map_err(wrong)?.into())
}

fn matches(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    found(given, Anchor::Start)
}

fn search(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    found(given, Anchor::None)
}

fn regex(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    match given.str("match_type")?.unwrap_or("search") {
        "search" => found(given, Anchor::None),
        "match" => found(given, Anchor::Start),
        "fullmatch" => found(given, Anchor::Whole),
        other => Err(wrong(format!("`match_type` must be search, match or fullmatch, it is `{other}`"))),
    }
}

/// Whether some letter has the wanted case, and none the other.
fn cased(given: &Arguments, wanted: fn(char) -> bool, other: fn(char) -> bool) -> Result<Value, Error> {
    let text = given.value_text()?;
    Ok((text.chars().any(wanted) && !text.chars().any(other)).into())
}

fn lower(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    cased(given, char::is_lowercase, char::is_uppercase)
}

fn upper(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    cased(given, char::is_uppercase, char::is_lowercase)
}

fn escaped(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(given.value()?.is_safe().into())
}

fn filter(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let name = given.value_text()?;
    let short = name.strip_prefix("ansible.builtin.").unwrap_or(&name);
    Ok(filters::names().any(|known| known == short).into())
}

fn test(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let name = given.value_text()?;
    let short = name.strip_prefix("ansible.builtin.").unwrap_or(&name);
    Ok(predicates::names().any(|known| known == short).into())
}

/// The scheme, in lower case, and the server of a reference; empty where it has none.
fn parts(text: &str) -> (String, &str) {
    let valid = |scheme: &str| {
        scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
    };
    let (scheme, rest) = text.split_once(':').filter(|(scheme, _)| valid(scheme)).unwrap_or(("", text));
    let server = rest.strip_prefix("//").unwrap_or_default();
    (scheme.to_ascii_lowercase(), server.split(['/', '?', '#']).next().unwrap_or_default())
}

/// Whether it has one of the wanted schemes; without any wanted, everything is a reference.
fn is_uri(given: &Arguments) -> Result<bool, Error> {
    let Some(text) = given.value()?.as_str() else { return Ok(false) };
    let (scheme, _) = parts(text);
    Ok(match given.some("schemes") {
        Some(schemes) => python::items(schemes)?.iter().any(|known| known.as_str() == Some(&scheme)),
        None => true,
    })
}

fn uri(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(is_uri(given)?.into())
}

/// A reference that names a server, or a file.
fn url(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let Some(text) = given.value()?.as_str() else { return Ok(false.into()) };
    let (scheme, server) = parts(text);
    Ok((is_uri(given)? && (!server.is_empty() || scheme == "file")).into())
}

fn urn(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(given.value()?.as_str().is_some_and(|text| parts(text).0 == "urn").into())
}

/// A text that came out of a vault: nobody sees it encrypted.
fn vault_encrypted(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(given.value()?.as_str().is_some_and(crate::vault::was_revealed).into())
}
