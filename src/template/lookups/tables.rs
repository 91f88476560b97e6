//! Tables of values.

use minijinja::{Error, Value};

use super::{Asked, Lookup, inline, lookup};
use crate::template::Asks;
use crate::template::arguments::wrong;

pub const LOOKUPS: &[Lookup] =
    &[lookup("csvfile", "col default delimiter encoding file keycol", csvfile).asking(Asks::FILES)];

/// The field in column `col` of the first row whose field in column `keycol` is the term.
fn csvfile(asked: &Asked) -> Result<Vec<Value>, Error> {
    let mut found = Vec::new();
    for term in asked.texts()? {
        let (key, given) = inline(&term)?;
        let option = |name: &str| {
            given.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).or_else(|| asked.text(name))
        };
        let column = |name: &str, default: usize| match option(name) {
            Some(text) => text.parse().map_err(|_| wrong(format!("`{name}` must be a whole number, it is `{text}`"))),
            None => Ok(default),
        };
        if let Some(encoding) =
            option("encoding").filter(|name| !matches!(name.to_lowercase().as_str(), "utf-8" | "utf8"))
        {
            return Err(wrong(format!("the encoding `{encoding}` is not supported; utf-8 is")));
        }
        let delimiter = match option("delimiter").as_deref() {
            None | Some("TAB" | "\\t") => '\t',
            Some(text) => text.chars().next().unwrap_or('\t'),
        };
        let path = asked.find("files", &option("file").unwrap_or("ansible.csv".into()))?;
        let rows = rows(&asked.read_text(&path)?, delimiter);
        let (wanted, by) = (column("col", 1)?, column("keycol", 0)?);
        match rows.iter().find(|row| row.get(by) == Some(&key)) {
            Some(row) => {
                let value = row
                    .get(wanted)
                    .ok_or_else(|| wrong(format!("the row of `{key}` in {} has no column {wanted}", path.display())))?;
                found.push(value.as_str().into());
            }
            None => found.extend(option("default").map(Value::from)),
        }
    }
    Ok(found)
}

/// The fields of each row. A field in double quotes may hold anything; two of them mean one.
fn rows(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut row: Vec<String> = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                field.push('"');
                letters.next();
            }
            '"' if quoted => quoted = false,
            '"' if field.is_empty() => quoted = true,
            '\r' if !quoted && letters.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            letter if letter == delimiter && !quoted => row.push(std::mem::take(&mut field)),
            letter => field.push(letter),
        }
    }
    if !field.is_empty() || !row.is_empty() {
        row.push(field);
        rows.push(row);
    }
    rows
}
