//! Text: replacing, splitting, quoting, comments.

use minijinja::{Error, State, Value};

use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::percent::{self, Given};
use crate::template::python;
use crate::words;

pub const FILTERS: &[Entry] = &[
    entry(
        &["comment"],
        "text style decoration newline beginning prefix prefix_count postfix postfix_count end",
        comment,
    ),
    entry(&["format"], "value *args **", format),
    entry(&["join"], "value d attribute", join),
    entry(&["pprint"], "value", pprint),
    entry(&["quote"], "value", quote),
    entry(&["replace"], "s old new count", replace),
    entry(&["split"], "s sep maxsplit", split),
    entry(&["string"], "value", string),
];

fn string(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = given.value()?;
    Ok(if value.is_safe() { value.clone() } else { given.value_text()?.into() })
}

/// Ansible's containers are not those that Python's `pprint` lays out, so it prints them as they are.
fn pprint(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(python::repr(given.value()?).into())
}

fn join(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let separator = given.get("d").map(python::text).unwrap_or_default();
    let mut out = String::new();
    for (index, item) in given.value_items()?.iter().enumerate() {
        if index > 0 {
            out.push_str(&separator);
        }
        let item = match given.some("attribute") {
            Some(attribute) => python::path(item, attribute)?,
            None => item.clone(),
        };
        python::defined(&item)?;
        out.push_str(&python::text(&item));
    }
    Ok(out.into())
}

/// `'%s %s' | format(1, 2)`, `'%(a)s' | format(a=1)`
fn format(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let text = given.value_text()?;
    let named = || python::new_map(given.others.iter().map(|(name, value)| (name.as_str().into(), value.clone())));
    let written = match (given.rest.is_empty(), given.others.is_empty()) {
        (_, true) => percent::format(&text, &Given::Row(&given.rest)),
        (true, false) => percent::format(&text, &Given::Named(&named())),
        _ => Err(wrong("takes positional or named values, not both")),
    };
    Ok(written?.into())
}

fn quote(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = given.value()?;
    Ok(words::quote(&if value.is_none() { "".into() } else { python::text(value) }).into())
}

fn replace(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let text = given.value_text()?;
    let (old, new) = (python::text(given.need("old")?), python::text(given.need("new")?));
    Ok(match given.int("count")? {
        Some(count) if count >= 0 => text.replacen(&*old, &new, count as usize),
        _ => text.replace(&*old, &new),
    }
    .into())
}

fn split(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let text = given.value_str()?;
    let most = given.int("maxsplit")?.and_then(|most| usize::try_from(most).ok());
    let Some(separator) = given.str("sep")? else {
        return Ok(python::new_list(blank_separated(text, most).into_iter().map(Value::from)));
    };
    if separator.is_empty() {
        return Err(wrong("`sep` must not be empty"));
    }
    Ok(match most {
        Some(most) => python::new_list(text.splitn(most + 1, separator).map(Value::from)),
        None => python::new_list(text.split(separator).map(Value::from)),
    })
}

/// Splits at runs of blanks, at most `most` times.
fn blank_separated(text: &str, most: Option<usize>) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut left = text.trim_start();
    while !left.is_empty() {
        let end = left.find(char::is_whitespace).filter(|_| most.is_none_or(|most| parts.len() < most));
        match end {
            Some(end) => {
                parts.push(&left[..end]);
                left = left[end..].trim_start();
            }
            None => {
                parts.push(if most.is_some() { left } else { left.trim_end() });
                break;
            }
        }
    }
    parts
}

/// What surrounds each line and the whole: beginning, decoration, end.
fn comment_style(style: &str) -> Option<(&'static str, &'static str, &'static str)> {
    Some(match style {
        "plain" => ("", "# ", ""),
        "erlang" => ("", "% ", ""),
        "c" => ("", "// ", ""),
        "cblock" => ("/*", " * ", " */"),
        "xml" => ("<!--", " - ", "-->"),
        _ => return None,
    })
}

fn comment(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let text = given.value_str()?;
    let style = given.str("style")?.unwrap_or("plain");
    let (beginning, decoration, end) = comment_style(style)
        .ok_or_else(|| wrong(format!("`style` must be plain, erlang, c, cblock or xml, it is `{style}`")))?;
    let decoration = given.str("decoration")?.unwrap_or(decoration);
    let beginning = given.str("beginning")?.unwrap_or(beginning);
    let end = given.str("end")?.unwrap_or(end);
    let newline = given.str("newline")?.unwrap_or("\n");
    let prefix = given.str("prefix")?.unwrap_or(decoration.trim_end());
    let postfix = given.str("postfix")?.unwrap_or(decoration.trim_end());

    let mut out = String::new();
    if !beginning.is_empty() {
        out += &format!("{beginning}{newline}");
    }
    if !prefix.is_empty() {
        let line = if prefix == newline { newline.to_owned() } else { format!("{prefix}{newline}") };
        out += &line.repeat(given.size("prefix_count", 1)?);
    }
    // A line with nothing but the decoration loses its trailing blanks.
    out += &format!("{decoration}{}", text.replace(newline, &format!("{newline}{decoration}")))
        .replace(&format!("{decoration}{newline}"), &format!("{}{newline}", decoration.trim_end()));
    out += &format!("{newline}{postfix}").repeat(given.size("postfix_count", 1)?);
    if !end.is_empty() {
        out += &format!("{newline}{end}");
    }
    Ok(out.into())
}
