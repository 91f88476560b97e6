//! Addresses: encoding, decoding, taking apart.

use minijinja::{Error, State, Value};

use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::python;

pub const FILTERS: &[Entry] = &[
    entry(&["urldecode"], "string", urldecode),
    entry(&["urlencode"], "value", urlencode),
    entry(&["urlsplit"], "value query alias", urlsplit),
];

/// With every byte that is neither a letter, a digit nor one of `kept` as `%XX`.
fn quoted(text: &str, kept: &str) -> String {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || "_.-~".contains(char::from(byte)) || kept.contains(char::from(byte));
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Text is encoded but for its slashes; a mapping or a list of pairs becomes a query.
fn urlencode(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = given.value()?;
    if value.as_str().is_some() || !(python::is_map(value) || python::is_list(value)) {
        return Ok(quoted(&python::text(value), "/").into());
    }
    let pairs = if python::is_map(value) {
        python::pairs(value)?
    } else {
        python::items(value)?.iter().map(pair).collect::<Result<Vec<_>, _>>()?
    };
    let form = |value: &Value| quoted(&python::text(value), " ").replace(' ', "+");
    let pairs = pairs.iter().map(|(key, value)| format!("{}={}", form(key), form(value)));
    Ok(pairs.collect::<Vec<_>>().join("&").into())
}

fn pair(item: &Value) -> Result<(Value, Value), Error> {
    match python::items(item)?.as_slice() {
        [key, value] => Ok((key.clone(), value.clone())),
        _ => Err(wrong(format!("needs pairs, one item is {}", python::repr(item)))),
    }
}

/// `%XX` and `+` resolved.
fn urldecode(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let text = given.value_str()?.replace('+', " ");
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    Ok(String::from_utf8_lossy(&out).into_owned().into())
}

fn urlsplit(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    // As Python does: blanks at the start and line breaks anywhere are none of it.
    let address = given.value_str()?.trim_start_matches(|letter: char| letter <= ' ').replace(['\t', '\r', '\n'], "");
    let parts = split(&address)?;
    match given.str("query")?.filter(|query| !query.is_empty()) {
        None => Ok(python::new_map(parts.into_iter().map(|(name, value)| (name.into(), value)))),
        Some(wanted) => {
            let names: Vec<&str> = parts.iter().map(|(name, _)| *name).collect();
            let found = parts.iter().find(|(name, _)| *name == wanted);
            found
                .map(|(_, value)| value.clone())
                .ok_or_else(|| wrong(format!("an address has no part `{wanted}`; it has {}", names.join(", "))))
        }
    }
}

/// The parts of an address, under the names that Python gives them.
fn split(url: &str) -> Result<Vec<(&'static str, Value)>, Error> {
    let valid = |scheme: &str| {
        scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
    };
    let (scheme, rest) = url.split_once(':').filter(|(scheme, _)| valid(scheme)).unwrap_or(("", url));
    let (netloc, rest) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len())),
        None => ("", rest),
    };
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (user, server) = match netloc.rsplit_once('@') {
        Some((user, server)) => (Some(user), server),
        None => (None, netloc),
    };
    let (name, password) =
        match user.map(|user| user.split_once(':').map_or((user, None), |(name, word)| (name, Some(word)))) {
            Some((name, password)) => (Some(name), password),
            None => (None, None),
        };
    let (hostname, port) = match server.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((address, rest)) => (address, rest.strip_prefix(':').unwrap_or_default()),
        None => server.split_once(':').unwrap_or((server, "")),
    };
    let port = match port {
        "" => None,
        digits => Some(digits.parse::<u16>().map_err(|_| wrong(format!("`{digits}` is no port")))?),
    };
    let hostname = Some(hostname.to_lowercase()).filter(|name| !name.is_empty());
    Ok(vec![
        ("fragment", fragment.into()),
        ("hostname", optional(hostname)),
        ("netloc", netloc.into()),
        ("password", optional(password)),
        ("path", path.into()),
        ("port", optional(port)),
        ("query", query.into()),
        ("scheme", scheme.to_lowercase().into()),
        ("username", optional(name)),
    ])
}

fn optional(value: Option<impl Into<Value>>) -> Value {
    value.map_or_else(|| Value::from(()), Into::into)
}
