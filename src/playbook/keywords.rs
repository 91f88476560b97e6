//! Which keyword may stand where and what it takes: Ansible's, as of ansible-core 2.19.

use std::sync::Arc;

use super::fields;
use super::{Base, Problems};
use crate::diagnostic::{Diagnostic, kinds};
use crate::module::Arg;
use crate::modules;
use crate::value::Value;
use crate::yaml::{Entry, Node};

/// What a keyword takes, literally or when its template is rendered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Takes {
    Bool,
    Text,
    Int,
    Number,
    /// A number, perhaps with `%` behind it.
    Percent,
    /// Numbers or percentages of hosts: one, or a list.
    Sizes,
    /// Conditions: text, a boolean, or a list of those.
    Conditions,
    /// A mapping.
    Map,
    /// A mapping or a list of mappings.
    Maps,
    /// Text or a list.
    Texts,
    /// A list (of plays' sections), taken apart elsewhere.
    Items,
    Any,
}

pub(super) const PLAY: u8 = 1;
pub(super) const ROLE: u8 = 2;
pub(super) const BLOCK: u8 = 4;
pub(super) const TASK: u8 = 8;
pub(super) const HANDLER: u8 = 16;
pub(super) const IMPORT: u8 = 32;
const TASKS: u8 = TASK | HANDLER;
const INNER: u8 = ROLE | BLOCK | TASKS;
const ALL: u8 = PLAY | INNER | IMPORT;

pub(super) struct Keyword {
    pub name: &'static str,
    pub takes: Takes,
    pub places: u8,
}

const fn keyword(name: &'static str, takes: Takes, places: u8) -> Keyword {
    Keyword { name, takes, places }
}

pub(super) static KEYWORDS: &[Keyword] = &[
    keyword("action", Takes::Any, TASKS),
    keyword("always", Takes::Items, BLOCK),
    keyword("any_errors_fatal", Takes::Bool, ALL),
    keyword("args", Takes::Map, TASKS),
    keyword("async", Takes::Int, TASKS),
    keyword("become", Takes::Bool, ALL),
    keyword("become_exe", Takes::Text, ALL),
    keyword("become_flags", Takes::Text, ALL),
    keyword("become_method", Takes::Text, ALL),
    keyword("become_user", Takes::Text, ALL),
    keyword("block", Takes::Items, BLOCK),
    keyword("changed_when", Takes::Conditions, TASKS),
    keyword("check_mode", Takes::Bool, ALL),
    keyword("collections", Takes::Texts, PLAY | INNER),
    keyword("connection", Takes::Text, ALL),
    keyword("debugger", Takes::Text, ALL),
    keyword("delay", Takes::Number, TASKS),
    keyword("delegate_facts", Takes::Bool, INNER),
    keyword("delegate_to", Takes::Text, INNER),
    keyword("diff", Takes::Bool, ALL),
    keyword("environment", Takes::Maps, ALL),
    keyword("fact_path", Takes::Text, PLAY),
    keyword("failed_when", Takes::Conditions, TASKS),
    keyword("force_handlers", Takes::Bool, PLAY),
    keyword("gather_facts", Takes::Bool, PLAY),
    keyword("gather_subset", Takes::Texts, PLAY),
    keyword("gather_timeout", Takes::Int, PLAY),
    keyword("handlers", Takes::Items, PLAY),
    keyword("hosts", Takes::Texts, PLAY),
    keyword("ignore_errors", Takes::Bool, ALL),
    keyword("ignore_unreachable", Takes::Bool, ALL),
    keyword("import_playbook", Takes::Text, IMPORT),
    keyword("listen", Takes::Texts, HANDLER),
    keyword("local_action", Takes::Any, TASKS),
    keyword("loop", Takes::Any, TASKS),
    keyword("loop_control", Takes::Map, TASKS),
    keyword("max_fail_percentage", Takes::Percent, PLAY),
    keyword("module_defaults", Takes::Maps, ALL),
    keyword("name", Takes::Text, ALL),
    keyword("no_log", Takes::Bool, ALL),
    keyword("notify", Takes::Texts, BLOCK | TASKS),
    keyword("order", Takes::Text, PLAY),
    keyword("poll", Takes::Int, TASKS),
    keyword("port", Takes::Int, ALL),
    keyword("post_tasks", Takes::Items, PLAY),
    keyword("pre_tasks", Takes::Items, PLAY),
    keyword("register", Takes::Text, TASKS),
    keyword("remote_user", Takes::Text, ALL),
    keyword("rescue", Takes::Items, BLOCK),
    keyword("retries", Takes::Int, TASKS),
    keyword("role", Takes::Text, ROLE),
    keyword("roles", Takes::Items, PLAY),
    keyword("run_once", Takes::Bool, ALL),
    keyword("serial", Takes::Sizes, PLAY),
    keyword("strategy", Takes::Text, PLAY),
    keyword("tags", Takes::Texts, ALL),
    keyword("tasks", Takes::Items, PLAY),
    keyword("throttle", Takes::Int, ALL),
    keyword("timeout", Takes::Int, ALL),
    keyword("until", Takes::Conditions, TASKS),
    keyword("user", Takes::Text, PLAY),
    keyword("vars", Takes::Map, ALL),
    keyword("vars_files", Takes::Any, PLAY),
    keyword("vars_prompt", Takes::Any, PLAY),
    keyword("when", Takes::Conditions, INNER | IMPORT),
];

/// Ansible's keywords that wodctl does not know, and what to do instead.
static UNSUPPORTED: &[(&str, &str)] = &[
    ("async", "remove it: a step is waited for, however long it takes; `timeout` ends one that takes too long"),
    ("debugger", "remove it, or write `never`; `wodctl apply -vvv --start-at-task` helps to look at one task"),
    ("poll", "remove it: a step is waited for, however long it takes"),
];

impl Takes {
    /// The value with Ansible's conversions. The error says what was expected.
    pub(super) fn convert(self, value: Value) -> Result<Value, String> {
        Ok(match self {
            Takes::Bool => bool::read(&value)?.into(),
            Takes::Int => i64::read(&value)?.into(),
            Takes::Number => f64::read(&value)?.into(),
            Takes::Percent => f64::read(&without_percent(&value))?.into(),
            Takes::Sizes => match value {
                Value::List(sizes) => Value::List(sizes.iter().map(size).collect::<Result<_, _>>()?),
                single => size(&single)?,
            },
            Takes::Text => String::read(&value)?.into(),
            Takes::Conditions | Takes::Map | Takes::Maps | Takes::Texts | Takes::Items | Takes::Any => value,
        })
    }
}

/// Converts the rendered value of the keyword `name` to its type; the error says what was expected.
pub fn convert(name: &str, value: Value) -> Result<Value, String> {
    match KEYWORDS.binary_search_by_key(&name, |keyword| keyword.name) {
        Ok(index) => KEYWORDS[index].takes.convert(value),
        Err(_) => Ok(value),
    }
}

fn without_percent(value: &Value) -> Value {
    match value.as_str() {
        Some(text) => Value::Str(text.replace('%', "")),
        None => value.clone(),
    }
}

/// A number of hosts, or a percentage as text.
fn size(value: &Value) -> Result<Value, String> {
    match value.as_str().and_then(|text| text.trim().strip_suffix('%')) {
        Some(percent) if percent.trim().parse::<f64>().is_ok() => Ok(value.clone()),
        _ => match i64::read(value) {
            Ok(size) => Ok(size.into()),
            Err(_) => Err(format!("expected a number of hosts or a percentage of them, found {}", shown(value))),
        },
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.kind().to_owned(), |text| format!("`{text}`"))
}

/// The keyword `name` if it may stand at `place`.
pub(super) fn find(name: &str, place: u8) -> Option<&'static Keyword> {
    let index = KEYWORDS.binary_search_by_key(&name, |keyword| keyword.name).ok()?;
    Some(&KEYWORDS[index]).filter(|keyword| keyword.places & place != 0)
}

/// The names of the keywords that may stand at `place`.
pub(super) fn names(place: u8) -> impl Iterator<Item = &'static str> {
    KEYWORDS.iter().filter(move |keyword| keyword.places & place != 0).map(|keyword| keyword.name)
}

/// What a place is called, with its article.
pub(super) fn place_name(place: u8) -> &'static str {
    match place {
        PLAY => "a play",
        ROLE => "a role",
        BLOCK => "a block",
        HANDLER => "a handler",
        IMPORT => "`import_playbook`",
        _ => "a task",
    }
}

/// Reports a key that is no keyword of its place.
pub(super) fn unknown(key: &str, entry: &Entry, place: u8, problems: &mut Problems) {
    let mut problem = Diagnostic::error(entry.key, format!("{} has no keyword `{key}`", place_name(place)))
        .of(&kinds::UNKNOWN_KEYWORD)
        .label("unknown keyword");
    let elsewhere = [PLAY, ROLE, BLOCK, TASK, HANDLER].into_iter().find(|place| find(key, *place).is_some());
    problem = match elsewhere {
        Some(other) => problem.help(format!("`{key}` is a keyword of {}", place_name(other))),
        None => problem.suggest(key, names(place)),
    };
    problems.push(problem);
}

impl Base {
    /// Takes a keyword that plays, roles, blocks and tasks have in common; gives the entry back if it is none of those.
    /// Whether it may stand here and fits its type has been settled before.
    pub(super) fn take(&mut self, key: &str, entry: Entry, problems: &mut Problems) -> Option<Entry> {
        if key == "debugger" && entry.value.as_str() == Some("never") {
            return None;
        }
        if let Some((_, help)) = UNSUPPORTED.iter().find(|(name, _)| *name == key) {
            let problem = Diagnostic::error(entry.key, format!("the keyword `{key}` is not supported"));
            self.unsupported.push(Arc::new(problem.of(&kinds::UNSUPPORTED_KEYWORD).help(*help)));
            return None;
        }
        let keywords = &mut self.keywords;
        let field = match key {
            "become" => &mut keywords.become_,
            "become_user" => &mut keywords.become_user,
            "become_method" => &mut keywords.become_method,
            "become_flags" => &mut keywords.become_flags,
            "become_exe" => &mut keywords.become_exe,
            "remote_user" | "user" => &mut keywords.remote_user,
            "connection" => &mut keywords.connection,
            "port" => &mut keywords.port,
            "delegate_to" => &mut keywords.delegate_to,
            "delegate_facts" => &mut keywords.delegate_facts,
            "run_once" => &mut keywords.run_once,
            "ignore_errors" => &mut keywords.ignore_errors,
            "ignore_unreachable" => &mut keywords.ignore_unreachable,
            "any_errors_fatal" => &mut keywords.any_errors_fatal,
            "no_log" => &mut keywords.no_log,
            "check_mode" => &mut keywords.check_mode,
            "diff" => &mut keywords.diff,
            "throttle" => &mut keywords.throttle,
            "timeout" => &mut keywords.timeout,
            "retries" => &mut keywords.retries,
            "delay" => &mut keywords.delay,
            "name" => &mut self.name,
            _ => return self.take_list(key, entry, problems),
        };
        *field = Some(entry.value.into());
        None
    }

    fn take_list(&mut self, key: &str, entry: Entry, problems: &mut Problems) -> Option<Entry> {
        let keywords = &mut self.keywords;
        match key {
            "environment" => keywords.environment = fields::many(entry.value),
            "changed_when" => keywords.changed_when = fields::many(entry.value),
            "failed_when" => keywords.failed_when = fields::many(entry.value),
            "until" => keywords.until = fields::many(entry.value),
            "notify" => keywords.notify = fields::many(entry.value),
            "register" => keywords.register = fields::variable(&entry.value, problems),
            "when" => self.when = fields::many(entry.value),
            "tags" => self.tags = fields::commas(entry.value),
            "vars" => self.vars = fields::vars(entry.value, problems),
            "module_defaults" => {
                self.module_defaults = fields::many(entry.value);
                problems.extend(without_effect(&self.module_defaults));
            }
            // For roles: every module that there is, is found by its short name whatever collections are searched.
            "collections" => {
                self.collections = fields::many(entry.value).iter().map(|name| fields::scalar_text(name)).collect();
            }
            _ => return Some(entry),
        }
        None
    }
}

/// Defaults for modules that there are not.
fn without_effect(defaults: &[Arc<Node>]) -> impl Iterator<Item = Diagnostic> {
    let entries = defaults.iter().filter_map(|node| node.as_map()).flatten();
    entries.filter(|(name, _)| modules::find(name).is_none()).map(|(name, entry)| {
        let what = if name.starts_with("group/") { "group of modules" } else { "module" };
        Diagnostic::warning(entry.key, format!("there is no {what} `{name}`, so these defaults have no effect"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_it_can_be_searched() {
        assert!(KEYWORDS.is_sorted_by_key(|keyword| keyword.name));
    }

    #[test]
    fn values_are_converted_as_ansible_does() {
        let takes = |takes: Takes, value: Value| takes.convert(value);
        for (kind, given, expected) in [
            (Takes::Int, "3".into(), Value::Int(3)),
            (Takes::Int, "1.0".into(), Value::Int(1)),
            (Takes::Int, true.into(), Value::Int(1)),
            (Takes::Number, "0.5".into(), Value::Float(0.5)),
            (Takes::Percent, "30%".into(), Value::Float(30.0)),
            (Takes::Percent, 30_i64.into(), Value::Float(30.0)),
            (Takes::Bool, "Yes".into(), Value::Bool(true)),
            (Takes::Bool, 0_i64.into(), Value::Bool(false)),
            (Takes::Sizes, "2".into(), Value::Int(2)),
            (Takes::Sizes, vec!["30%"].into(), vec!["30%"].into()),
        ] {
            assert_eq!(takes(kind, given), Ok(expected));
        }
        for (kind, given) in [
            (Takes::Int, "5m".into()),
            (Takes::Int, Value::Float(1.5)),
            (Takes::Number, "soon".into()),
            (Takes::Percent, "most".into()),
            (Takes::Bool, "perhaps".into()),
            (Takes::Sizes, "two".into()),
            (Takes::Sizes, vec!["1", "x%"].into()),
        ] {
            assert!(takes(kind, given).is_err());
        }
    }

    #[test]
    fn a_keyword_belongs_to_its_places_only() {
        assert!(find("hosts", PLAY).is_some());
        assert!(find("hosts", TASK).is_none());
        assert!(find("listen", HANDLER).is_some());
        assert!(find("listen", TASK).is_none());
    }
}
