//! What differs between two values, and checksums.

use minijinja::{Error, State, Value};
use similar::{ChangeTag, TextDiff};

use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::filters::json::pretty;
use crate::template::filters::with_pattern;
use crate::template::python;

pub const FILTERS: &[Entry] = &[
    entry(&["community.general.crc32"], "value", crc32),
    entry(&["ansible.utils.fact_diff", "fact_diff"], "before after plugin common", fact_diff),
];

fn crc32(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let mut sum = flate2::Crc::new();
    sum.update(given.value_str()?.as_bytes());
    Ok(format!("{:x}", sum.sum()).into())
}

/// The lines of a unified difference with all that is the same, as the text of a Python list.
fn fact_diff(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let skipped = skipped(given)?;
    let before = written(given.value()?, &skipped)?;
    let after = written(given.need("after")?, &skipped)?;
    let only_same = given.flag("common", false);
    let mut lines = Vec::new();
    let diff = TextDiff::from_lines(&before, &after);
    let context = before.lines().count().max(after.lines().count());
    for hunk in diff.unified_diff().context_radius(context).iter_hunks() {
        if !only_same {
            lines.extend(["--- before".to_owned(), "+++ after".to_owned()]);
        }
        lines.push(hunk.header().to_string());
        for change in hunk.iter_changes() {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                _ if only_same => continue,
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            lines.push(format!("{sign}{}", change.value().trim_end_matches('\n')));
            if change.missing_newline() {
                lines.push("\\ No newline at end of file".to_owned());
            }
        }
        lines.push(String::new());
    }
    Ok(python::repr(&python::new_list(lines.into_iter().map(Value::from))).into())
}

/// Lines that begin with one of these patterns do not count.
fn skipped(given: &Arguments) -> Result<Vec<String>, Error> {
    let Some(plugin) = given.some("plugin") else { return Ok(Vec::new()) };
    let vars = python::get(plugin, &"vars".into())?;
    let lines = python::get(&vars, &"skip_lines".into())?;
    if lines.is_undefined() || lines.is_none() {
        return Ok(Vec::new());
    }
    Ok(python::list(&lines)?.iter().map(|line| python::text(line).into_owned()).collect())
}

/// A value as lines: a mapping as JSON, a list with one item in each.
fn written(value: &Value, skipped: &[String]) -> Result<String, Error> {
    if python::is_map(value) {
        return Ok(pretty(value)? + "\n");
    }
    let lines: Vec<String> = match value.as_str() {
        Some(text) if skipped.is_empty() => return Ok(text.to_owned()),
        Some(text) => python::split_lines(text).into_iter().map(str::to_owned).collect(),
        None if python::is_list(value) => {
            python::items(value)?.iter().map(|item| python::text(item).into_owned()).collect()
        }
        None if value.is_none() => return Ok(String::new()),
        None => return Err(wrong(format!("needs text, a list or a mapping, this is {}", python::described(value)))),
    };
    let mut kept = String::new();
    for line in lines {
        let mut skip = false;
        for pattern in skipped {
            skip |= with_pattern(pattern, false, false, |pattern| pattern.matches_start(&line))?;
        }
        if !skip {
            kept.push_str(&line);
            kept.push('\n');
        }
    }
    Ok(kept)
}
