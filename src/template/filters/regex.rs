//! Regular expressions, in Python's language.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::{Error, State, Value};

use crate::python_regex::{self, Captures, Flags, Pattern};
use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::python;

pub const FILTERS: &[Entry] = &[
    entry(&["regex_escape"], "string re_type", regex_escape),
    entry(&["regex_findall"], "value regex multiline ignorecase", regex_findall),
    entry(&["regex_replace"], "value pattern replacement ignorecase multiline count mandatory_count", regex_replace),
    entry(&["regex_search"], "value regex *groups **", regex_search),
];

type Key = (String, bool, bool);

// Patterns are few and used over and over: once for each host and item.
static COMPILED: Mutex<Option<HashMap<Key, Arc<Mutex<Pattern>>>>> = Mutex::new(None);

/// So many patterns are kept.
const KEPT: usize = 512;

/// Hands a compiled pattern to `use_it`.
pub fn with_pattern<T>(
    pattern: &str,
    ignore_case: bool,
    multiline: bool,
    use_it: impl FnOnce(&Pattern) -> Result<T, String>,
) -> Result<T, Error> {
    let compiled = compiled(pattern, ignore_case, multiline).map_err(wrong)?;
    let compiled = compiled.lock().unwrap_or_else(PoisonError::into_inner);
    use_it(&compiled).map_err(wrong)
}

fn compiled(pattern: &str, ignore_case: bool, multiline: bool) -> Result<Arc<Mutex<Pattern>>, String> {
    let key = (pattern.to_owned(), ignore_case, multiline);
    let mut kept = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = kept.get_or_insert_default();
    if let Some(known) = kept.get(&key) {
        return Ok(known.clone());
    }
    let flags = Flags { ignore_case, multiline, ..Flags::default() };
    let new = Arc::new(Mutex::new(Pattern::new(pattern, flags)?));
    if kept.len() >= KEPT {
        kept.clear();
    }
    kept.insert(key, new.clone());
    Ok(new)
}

fn flags(given: &Arguments) -> (bool, bool) {
    (given.flag("ignorecase", false), given.flag("multiline", false))
}

fn regex_replace(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let text = given.value_text()?;
    let pattern = given.str("pattern")?.unwrap_or_default();
    let replacement = given.get("replacement").map(python::text).unwrap_or_default();
    let (ignore_case, multiline) = flags(given);
    let count = given.size("count", 0)?;
    let wanted = given.size("mandatory_count", 0)?;
    let (replaced, times) = with_pattern(pattern, ignore_case, multiline, |pattern| {
        pattern.sub(&text, &pattern.replacement(&replacement)?, count)
    })?;
    if wanted > 0 && wanted != times {
        return Err(wrong(format!("`{pattern}` should match {wanted} times in `{text}`, it matches {times} times")));
    }
    Ok(replaced.into())
}

fn regex_findall(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let text = given.value_text()?;
    let (ignore_case, multiline) = flags(given);
    with_pattern(given.need_str("regex")?, ignore_case, multiline, |pattern| {
        Ok(python::new_list(pattern.all(&text)?.iter().map(|found| groups(found, pattern.groups()))))
    })
}

/// What `re.findall` gives for one match: the whole, the only group, or a tuple of groups.
fn groups(found: &Captures, count: usize) -> Value {
    let group = |number: usize| Value::from(found.get(number).map_or("", |group| group.as_str()));
    match count {
        0 => group(0),
        1 => group(1),
        count => python::tuple((1..=count).map(group).collect()),
    }
}

fn regex_search(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let text = given.value_text()?;
    let (mut ignore_case, mut multiline) = (false, false);
    for (name, value) in &given.others {
        match name.as_str() {
            "ignorecase" => ignore_case = value.is_true(),
            "multiline" => multiline = value.is_true(),
            other => return Err(wrong(format!("has no argument `{other}`; it takes `ignorecase` and `multiline`"))),
        }
    }
    with_pattern(given.need_str("regex")?, ignore_case, multiline, |pattern| {
        let wanted = given.rest.iter().map(|group| group_number(group, pattern)).collect::<Result<Vec<_>, _>>()?;
        let Some(found) = pattern.search(&text, 0)? else { return Ok(Value::from(())) };
        let group = |number: usize| found.get(number).map_or(Value::from(()), |group| group.as_str().into());
        Ok(if wanted.is_empty() { group(0) } else { python::new_list(wanted.into_iter().map(group)) })
    })
}

/// The group that `\1`, `\g<1>` or `\g<name>` names.
fn group_number(group: &Value, pattern: &Pattern) -> Result<usize, String> {
    let text = python::text(group);
    let name = text
        .strip_prefix("\\g<")
        .and_then(|rest| rest.strip_suffix('>'))
        .or_else(|| text.strip_prefix('\\'))
        .ok_or_else(|| format!("`{text}` names no group; write '\\\\1' or '\\\\g<name>'"))?;
    let number = match name.parse() {
        Ok(number) => Some(number),
        Err(_) => pattern.names().iter().position(|known| *known == Some(name)),
    };
    number.filter(|number| *number <= pattern.groups()).ok_or_else(|| format!("the pattern has no group `{name}`"))
}

fn regex_escape(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let text = given.value_text()?;
    Ok(match given.str("re_type")?.unwrap_or("python") {
        "python" => python_regex::escape(&text),
        "posix_basic" => text
            .chars()
            .flat_map(|letter| "].[^$*\\".contains(letter).then_some('\\').into_iter().chain([letter]))
            .collect(),
        other => return Err(wrong(format!("`re_type` must be python or posix_basic, it is `{other}`"))),
    }
    .into())
}
