//! Methods of Python's texts, lists and mappings.

use minijinja::value::{Kwargs, Value as Jinja, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State};

use super::arguments::bounded;
use super::containers::{Array, Dict};
use super::python::{self, Number};
use super::run::lock;

/// Calls a method: ours, else one of minijinja's own collection of Python's methods.
pub fn call(state: &mut State, value: &Jinja, method: &str, args: &[Jinja]) -> Result<Jinja, Error> {
    let ours = match value.kind() {
        ValueKind::String => text(value.as_str().unwrap_or_default(), method, args)?,
        ValueKind::Seq | ValueKind::Iterable => list(value, method, args)?,
        ValueKind::Map => map(value, method, args)?,
        ValueKind::Number | ValueKind::Bool => number(value, method),
        _ => None,
    };
    match ours {
        Some(result) => Ok(result),
        None => minijinja_contrib::pycompat::unknown_method_callback(state, value, method, args),
    }
}

fn wrong(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

fn none() -> Jinja {
    Jinja::from(())
}

fn text(text: &str, method: &str, args: &[Jinja]) -> Result<Option<Jinja>, Error> {
    let pad = |width: usize, fill: char, left: bool, right: bool| {
        let missing = width.saturating_sub(text.chars().count());
        let before = match (left, right) {
            (true, true) => missing / 2 + (missing & width & 1),
            (true, false) => missing,
            _ => 0,
        };
        let fill = |count: usize| std::iter::repeat_n(fill, count).collect::<String>();
        Jinja::from(format!("{}{text}{}", fill(before), fill(missing - before)))
    };
    Ok(Some(match method {
        "zfill" => {
            let (width,): (usize,) = from_args(args)?;
            bounded(width)?;
            let (sign, digits) = match text.strip_prefix(['-', '+']) {
                Some(digits) => (&text[..1], digits),
                None => ("", text),
            };
            let missing = width.saturating_sub(text.chars().count());
            Jinja::from(format!("{sign}{}{digits}", "0".repeat(missing)))
        }
        "ljust" | "rjust" | "center" => {
            let (width, fill): (usize, Option<char>) = from_args(args)?;
            bounded(width)?;
            let (left, right) = (method != "ljust", method != "rjust");
            pad(width, fill.unwrap_or(' '), left, right)
        }
        "partition" | "rpartition" => {
            let (separator,): (&str,) = from_args(args)?;
            let found = if method == "partition" { text.split_once(separator) } else { text.rsplit_once(separator) };
            let parts = match (found, method) {
                (Some((before, after)), _) => [before, separator, after],
                (None, "partition") => [text, "", ""],
                (None, _) => ["", "", text],
            };
            python::tuple(parts.into_iter().map(Jinja::from).collect())
        }
        "rsplit" => {
            let (separator, most): (Option<&str>, Option<i64>) = from_args(args)?;
            rsplit(text, separator, most)
        }
        "casefold" => Jinja::from(text.to_lowercase().replace('ß', "ss")),
        "swapcase" => Jinja::from(
            text.chars()
                .flat_map(|c| {
                    let swapped: Vec<char> =
                        if c.is_uppercase() { c.to_lowercase().collect() } else { c.to_uppercase().collect() };
                    swapped
                })
                .collect::<String>(),
        ),
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(args)?;
            Jinja::from(text.strip_prefix(prefix).unwrap_or(text))
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(args)?;
            Jinja::from(text.strip_suffix(suffix).unwrap_or(text))
        }
        "encode" | "decode" => Jinja::from(text),
        "index" | "rindex" => {
            let (part,): (&str,) = from_args(args)?;
            let at = if method == "index" { text.find(part) } else { text.rfind(part) };
            let at = at.ok_or_else(|| wrong(format!("`{part}` is not in the text")))?;
            Jinja::from(text[..at].chars().count())
        }
        "expandtabs" => {
            let (width,): (Option<usize>,) = from_args(args)?;
            bounded(width.unwrap_or(8).saturating_mul(text.matches('\t').count()))?;
            expand_tabs(text, width.unwrap_or(8))
        }
        "isidentifier" => Jinja::from(
            text.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && text.chars().all(|c| c.is_alphanumeric() || c == '_'),
        ),
        "title" => Jinja::from(title(text)),
        "istitle" => Jinja::from(text.chars().any(char::is_alphabetic) && title(text) == text),
        "isdecimal" => Jinja::from(!text.is_empty() && text.chars().all(|c| c.is_ascii_digit())),
        _ => return Ok(None),
    }))
}

/// A word starts behind everything that is no letter.
fn title(text: &str) -> String {
    let mut inside = false;
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if inside {
            out.extend(letter.to_lowercase())
        } else {
            out.extend(letter.to_uppercase())
        }
        inside = letter.is_alphabetic();
    }
    out
}

fn number(value: &Jinja, method: &str) -> Option<Jinja> {
    match (method, python::number(value)?) {
        ("bit_length", Number::Int(number)) => Some(Jinja::from(128 - number.unsigned_abs().leading_zeros())),
        ("is_integer", Number::Float(number)) => Some(Jinja::from(number.fract() == 0.0)),
        _ => None,
    }
}

fn rsplit(text: &str, separator: Option<&str>, most: Option<i64>) -> Jinja {
    let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX - 1);
    let mut parts: Vec<&str> = match separator {
        Some(separator) => text.rsplitn(most + 1, separator).collect(),
        None => {
            let mut parts = Vec::new();
            let mut rest = text.trim();
            while !rest.is_empty() {
                match rest.rfind(char::is_whitespace) {
                    Some(at) if parts.len() < most => {
                        parts.push(rest[at..].trim_start());
                        rest = rest[..at].trim_end();
                    }
                    _ => {
                        parts.push(rest);
                        break;
                    }
                }
            }
            parts
        }
    };
    parts.reverse();
    Array::value(parts.into_iter().map(Jinja::from).collect())
}

fn expand_tabs(text: &str, width: usize) -> Jinja {
    let mut out = String::new();
    let mut column = 0;
    for letter in text.chars() {
        match letter {
            '\t' if width == 0 => {}
            '\t' => {
                let count = width - column % width;
                out.extend(std::iter::repeat_n(' ', count));
                column += count;
            }
            '\n' | '\r' => {
                out.push(letter);
                column = 0;
            }
            _ => {
                out.push(letter);
                column += 1;
            }
        }
    }
    Jinja::from(out)
}

fn list(value: &Jinja, method: &str, args: &[Jinja]) -> Result<Option<Jinja>, Error> {
    if python::is_tuple(value) && !matches!(method, "count" | "index") {
        return Err(Error::from(ErrorKind::UnknownMethod));
    }
    match method {
        "copy" => return Ok(Some(Array::value(python::items(value)?))),
        "index" => {
            let (item,): (&Jinja,) = from_args(args)?;
            let found = python::items(value)?.iter().position(|other| other == item);
            return found
                .map(|at| Some(Jinja::from(at)))
                .ok_or_else(|| wrong(format!("{} is not in the list", python::repr(item))));
        }
        "count" => {
            let (item,): (&Jinja,) = from_args(args)?;
            return Ok(Some(Jinja::from(python::items(value)?.iter().filter(|other| *other == item).count())));
        }
        _ => {}
    }
    let Some(array) = value.downcast_object::<Array>() else { return Ok(None) };
    // A list may be in itself: nothing may look at it while it is locked.
    match method {
        "append" => {
            let (item,): (Jinja,) = from_args(args)?;
            lock(&array.0).push(item);
        }
        "extend" => {
            let (more,): (&Jinja,) = from_args(args)?;
            let more = python::items(more)?;
            lock(&array.0).extend(more);
        }
        "insert" => {
            let (at, item): (i64, Jinja) = from_args(args)?;
            let mut items = lock(&array.0);
            let length = items.len() as i64;
            let at = if at < 0 { (at + length).max(0) } else { at.min(length) };
            items.insert(at as usize, item);
        }
        "remove" => {
            let (item,): (&Jinja,) = from_args(args)?;
            let at = python::items(value)?.iter().position(|other| other == item);
            let at = at.ok_or_else(|| wrong(format!("{} is not in the list", python::repr(item))))?;
            lock(&array.0).remove(at);
        }
        "pop" => {
            let (at,): (Option<i64>,) = from_args(args)?;
            let mut items = lock(&array.0);
            let length = items.len() as i64;
            let at = at.unwrap_or(-1);
            let at = if at < 0 { at + length } else { at };
            if at < 0 || at >= length {
                return Err(wrong(format!("the list has {length} items: there is nothing to take at that place")));
            }
            return Ok(Some(items.remove(at as usize)));
        }
        "clear" => lock(&array.0).clear(),
        "reverse" => lock(&array.0).reverse(),
        "sort" => {
            let (named,): (Kwargs,) = from_args(args)?;
            let mut items = python::items(value)?;
            python::sort(&mut items, |item| item)?;
            if named.get::<Option<bool>>("reverse")?.unwrap_or(false) {
                items.reverse();
            }
            named.assert_all_used()?;
            *lock(&array.0) = items;
        }
        _ => return Ok(None),
    }
    Ok(Some(none()))
}

fn map(value: &Jinja, method: &str, args: &[Jinja]) -> Result<Option<Jinja>, Error> {
    match method {
        "copy" => return Ok(Some(Dict::value(python::pairs(value)?))),
        "items" => {
            let pairs = python::pairs(value)?.into_iter().map(|(key, item)| python::tuple(vec![key, item]));
            return Ok(Some(Array::value(pairs.collect())));
        }
        "keys" => return Ok(Some(Array::value(python::items(value)?))),
        "values" => return Ok(Some(Array::value(python::pairs(value)?.into_iter().map(|(_, item)| item).collect()))),
        "get" => {
            let (key, default): (&Jinja, Option<Jinja>) = from_args(args)?;
            let found = value.get_item(key)?;
            return Ok(Some(if found.is_undefined() { default.unwrap_or_else(none) } else { found }));
        }
        _ => {}
    }
    let Some(dict) = value.downcast_object::<Dict>() else { return Ok(None) };
    match method {
        "update" => {
            let (other, named): (Option<Jinja>, Kwargs) = from_args(args)?;
            let mut more = match other {
                Some(other) if python::is_map(&other) => python::pairs(&other)?,
                Some(other) => {
                    let pairs = python::items(&other)?;
                    pairs.iter().map(pair).collect::<Result<_, _>>()?
                }
                None => Vec::new(),
            };
            for name in named.args() {
                more.push((Jinja::from(name), named.get::<Jinja>(name)?));
            }
            lock(&dict.0).extend(more);
        }
        "setdefault" => {
            let (key, default): (Jinja, Option<Jinja>) = from_args(args)?;
            let default = default.unwrap_or_else(none);
            return Ok(Some(lock(&dict.0).entry(key).or_insert(default).clone()));
        }
        "pop" => {
            let (key, default): (&Jinja, Option<Jinja>) = from_args(args)?;
            let found = lock(&dict.0).shift_remove(key);
            return found
                .or(default)
                .map(Some)
                .ok_or_else(|| wrong(format!("the mapping has no key {}", python::repr(key))));
        }
        "popitem" => {
            let last = lock(&dict.0).pop().ok_or_else(|| wrong("the mapping is empty"))?;
            return Ok(Some(python::tuple(vec![last.0, last.1])));
        }
        "clear" => lock(&dict.0).clear(),
        _ => return Ok(None),
    }
    Ok(Some(none()))
}

fn pair(value: &Jinja) -> Result<(Jinja, Jinja), Error> {
    match python::items(value)?.as_slice() {
        [key, item] => Ok((key.clone(), item.clone())),
        _ => Err(wrong("`update` needs a mapping, or pairs of a key and a value")),
    }
}
