//! Upper and lower case, blanks, width.

use minijinja::{Error, State, Value};

use crate::template::arguments::{Arguments, Entry, bounded, entry};
use crate::template::python;

pub const FILTERS: &[Entry] = &[
    entry(&["capitalize"], "s", capitalize),
    entry(&["center"], "value width", center),
    entry(&["indent"], "s width first blank", indent),
    entry(&["lower"], "s", lower),
    entry(&["title"], "s", title),
    entry(&["trim"], "value chars", trim),
    entry(&["upper"], "s", upper),
];

fn lower(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(given.value_text()?.to_lowercase().into())
}

fn upper(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(given.value_text()?.to_uppercase().into())
}

fn capitalize(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(capitalized(&given.value_text()?).into())
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters.as_str().to_lowercase().chars()).collect())
}

fn title(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let text = given.value_text()?;
    // A word starts behind a blank or one of these.
    let starts = |letter: char| letter.is_whitespace() || "-({[<".contains(letter);
    Ok(text.split_inclusive(starts).map(capitalized).collect::<String>().into())
}

fn trim(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let text = given.value_text()?;
    Ok(match given.str("chars")? {
        Some(chars) => text.trim_matches(|letter| chars.contains(letter)),
        None => text.trim(),
    }
    .into())
}

fn center(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let text = given.value_text()?;
    let width = given.size("width", 80)?;
    bounded(width)?;
    let missing = width.saturating_sub(text.chars().count());
    // Python gives the odd blank to the left when the width is odd.
    let left = missing / 2 + (missing & width & 1);
    Ok(format!("{}{text}{}", " ".repeat(left), " ".repeat(missing - left)).into())
}

fn indent(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let text = given.value_str()?;
    let width = match given.get("width") {
        Some(width) if width.as_str().is_some() => python::text(width).into_owned(),
        _ => " ".repeat(given.size("width", 4)?),
    };
    let blank = given.flag("blank", false);
    let mut out = String::new();
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        let wanted = if index == 0 { given.flag("first", false) } else { blank || !line.is_empty() };
        if wanted {
            out.push_str(&width);
        }
        out.push_str(line);
    }
    Ok(out.into())
}
