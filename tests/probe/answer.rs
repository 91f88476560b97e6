//! What a run came to, without what may differ.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How a playbook ended, as it is recorded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The exit status.
    pub exit: i64,
    /// What each host came to; those that came to the same share an entry.
    pub hosts: BTreeMap<String, HostEnd>,
}

/// What one host came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HostEnd {
    /// `ok=1 changed=0 …`.
    pub recap: String,
    /// Name, status and values of each task, in order.
    pub results: Vec<(String, String, Value)>,
}

/// Left out wherever they stand.
const DROP: &[&str] = &[
    // Times, and what a file system gives by itself.
    "delta",
    "start",
    "end",
    "elapsed",
    "stop",
    "atime",
    "mtime",
    "ctime",
    "inode",
    "dev",
    "blocks",
    "version",
    // Of the engine's own making.
    "invocation",
    "diff",
    "warnings",
    "deprecations",
    "exception",
    "ansible_loop_var",
    "skip_reason",
    "failed_when_result",
    "failed_when_suppressed_exception",
    // Only some modules of Ansible return it, beside the checksum.
    "md5sum",
];

/// What is worded in each engine's own way: only that it is there is compared.
const WORDS: &[&str] = &["argument_errors", "censored", "changed_when_result", "message"];

/// Whose files are: left out where the tests do not run as root, as they did when Ansible's side was recorded.
const OF_ROOT: &[&str] = &["owner", "group", "uid", "gid", "pw_name", "gr_name"];

const RECAP: [&str; 7] = ["ok", "changed", "unreachable", "failed", "skipped", "rescued", "ignored"];

impl Answer {
    /// From a line that `record.py` printed.
    pub fn of_ansible(line: &Value) -> Answer {
        let results = line["results"].as_array().into_iter().flatten();
        let results = results.map(|result| {
            let text = |index: usize| result[index].as_str().unwrap_or_default().to_owned();
            (text(0), text(1), text(2), &result[3])
        });
        // What Ansible gives for a playbook that it cannot read is 1 with us.
        let exit = line["rc"].as_i64().map_or(-1, |rc| if rc == 4 { 1 } else { rc });
        Answer::new(exit, results, &line["recap"])
    }

    /// From the events that wodctl printed.
    pub fn of_wodctl(exit: i32, events: &[Value]) -> Answer {
        let results = events.iter().filter(|event| event["event"] == "result" && event.get("item").is_none());
        let results = results.map(|event| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let task = &event["task"];
            let name = if task["name"].is_string() { &task["name"] } else { &task["module"] };
            let status = match event["status"].as_str().unwrap_or_default() {
                "changed" => "ok",
                "failed" if event["ignored"] == true => "ignored",
                other => other,
            };
            (text(&event["host"]), text(name), status.to_owned(), &event["values"])
        });
        let recap = events.iter().find(|event| event["event"] == "run_end").map(|event| &event["recap"]);
        Answer::new(exit.into(), results, recap.unwrap_or(&Value::Null))
    }

    fn new<'a>(exit: i64, results: impl Iterator<Item = (String, String, String, &'a Value)>, recap: &Value) -> Answer {
        let mut ends: BTreeMap<String, HostEnd> = BTreeMap::new();
        for (host, task, status, values) in results {
            let task = task.rsplit('.').next().unwrap_or_default().to_owned();
            let values = top(values, &status);
            ends.entry(host).or_default().results.push((task, status, values));
        }
        for (host, counts) in recap.as_object().into_iter().flatten() {
            let count = |key: &str| counts.get(key).or_else(|| counts.get("failures").filter(|_| key == "failed"));
            let words = RECAP.map(|key| format!("{key}={}", count(key).and_then(Value::as_i64).unwrap_or(0)));
            ends.entry(host.clone()).or_default().recap = words.join(" ");
        }
        Answer { exit, hosts: together(ends) }
    }

    /// One line for each thing that is compared, host by host.
    pub fn lines(&self, as_root: bool) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let mut hosts: Vec<(&str, &HostEnd)> = Vec::new();
        for (names, end) in &self.hosts {
            hosts.extend(names.split(' ').map(|name| (name, end)));
        }
        hosts.sort_by_key(|(name, _)| *name);
        for (host, end) in hosts {
            let results = end.results.iter().map(|(task, status, values)| {
                let mut values = values.clone();
                if !as_root {
                    forget(&mut values, OF_ROOT);
                }
                values.sort_all_objects();
                format!("[{host}] {task} :: {status} :: {values}")
            });
            lines.extend(results);
            lines.push(format!("[{host}] recap {}", end.recap));
        }
        lines.push(format!("exit {}", self.exit));
        lines
    }
}

/// Hosts that came to the same under one entry, `h1 h2`.
fn together(ends: BTreeMap<String, HostEnd>) -> BTreeMap<String, HostEnd> {
    let mut groups: Vec<(String, HostEnd)> = Vec::new();
    for (host, end) in ends {
        match groups.iter_mut().find(|(_, other)| *other == end) {
            Some((names, _)) => *names = format!("{names} {host}"),
            None => groups.push((host, end)),
        }
    }
    groups.into_iter().collect()
}

/// The values of a result. How a failure is worded is each engine's own, but for the summary of a loop.
fn top(values: &Value, status: &str) -> Value {
    let Value::Object(fields) = values else { return values.clone() };
    if fields.contains_key("include") || fields.contains_key("include_args") || includes(fields) {
        return Value::Object(Map::new());
    }
    let failed = matches!(status, "failed" | "ignored" | "unreachable");
    let mut kept = plain_fields(fields, failed && !fields.contains_key("results"));
    kept.remove("failed");
    kept.remove("skipped");
    Value::Object(kept)
}

/// A loop over an include: what it included shows in what follows.
fn includes(fields: &Map<String, Value>) -> bool {
    let items = fields.get("results").and_then(Value::as_array).into_iter().flatten();
    items.into_iter().any(|item| item.get("include").is_some())
}

fn plain(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(plain).collect();
            // `find` tells of files in the order of the disk.
            if items.iter().all(|item| item["path"].is_string()) {
                items.sort_by_key(|item| item["path"].to_string());
            }
            items.into()
        }
        Value::Object(fields) => plain_fields(fields, fields.get("failed") == Some(&true.into())).into(),
        Value::String(text) => plain_text(text).into(),
        other => other.clone(),
    }
}

fn plain_fields(fields: &Map<String, Value>, failed: bool) -> Map<String, Value> {
    let mut kept = Map::new();
    for (key, value) in fields {
        let is_default = matches!(key.as_str(), "failed" | "skipped" | "changed") && *value == false;
        let is_wording = failed && matches!(key.as_str(), "msg" | "reason");
        if DROP.contains(&key.as_str()) || key.starts_with("_ansible") || is_default || is_wording {
            continue;
        }
        // Of what came from the controller Ansible says its path there, or that of a temporary file; hosts are not told ours.
        let is_copied = fields.contains_key("checksum") || !fields.contains_key("state");
        if key == "src" && fields.contains_key("dest") && is_copied {
            continue;
        }
        // What `setup` gathers is the machine's, and compared by tests of its own.
        let is_gathered = key == "ansible_facts" && value.get("ansible_architecture").is_some();
        let value = match key.as_str() {
            _ if is_gathered => "(facts)".into(),
            key if WORDS.contains(&key) && *value != false => "(in own words)".into(),
            _ => plain(value),
        };
        kept.insert(key.clone(), value);
    }
    kept
}

/// A text in which moments of backups and temporary files have no names.
fn plain_text(text: &str) -> String {
    if text.contains("/.ansible/tmp/") || text.contains("/tmp/ansible") {
        return "(a temporary file)".to_owned();
    }
    static CHANCE: LazyLock<[(fancy_regex::Regex, &str); 4]> = LazyLock::new(|| {
        let regex = |text| fancy_regex::Regex::new(text).expect("a regular expression");
        [
            (regex(r"\.\d+\.\d{4}-\d\d-\d\d@\d\d:\d\d:\d\d~"), ".(moment)~"),
            (regex(r"/ansible\.[A-Za-z0-9_]{8}"), "/ansible.(random)"),
            // What `debug` shows of a variable that is not there, as a callback sees it.
            (regex(r"^<< error \d+ - .* >>$"), "VARIABLE IS NOT DEFINED!"),
            (regex(r"Paused for [\d.]+ seconds"), "Paused for (some) seconds"),
        ]
    });
    CHANCE.iter().fold(text.to_owned(), |text, (regex, name)| regex.replace_all(&text, *name).into_owned())
}

fn forget(value: &mut Value, keys: &[&str]) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| forget(item, keys)),
        Value::Object(fields) => {
            fields.retain(|key, _| !keys.contains(&key.as_str()));
            fields.values_mut().for_each(|value| forget(value, keys));
        }
        _ => {}
    }
}

/// A program's JSON lines, with the folder that it worked in called `<here>`.
pub fn json_lines(text: &str, folder: &Path) -> Vec<Value> {
    let text = text.replace(&*folder.to_string_lossy(), "<here>");
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}
