//! `--output json`: one event a line, for programs. The last line carries the recap.

use std::time::Duration;

use serde_json::{Map as Object, Value as Json, json};

use super::Reporter;
use super::profile::Profile;
use crate::change::diff::Diff;
use crate::diagnostic::Diagnostic;
use crate::event::{Event, TaskInfo, TaskResult};
use crate::protocol::Mode;
use crate::source::Span;
use crate::system::Stream;
use crate::value::Plain;

/// The reporter for programs.
#[derive(Debug, Default)]
pub struct Lines {
    /// For `--profile`: the last line then tells the time of each task.
    pub profile: Option<Profile>,
}

impl Reporter for Lines {
    fn event(&mut self, event: &Event, out: &mut String) {
        if let (Some(profile), Event::Result(result)) = (&mut self.profile, event) {
            profile.add(result);
        }
        let mut line = encode(event);
        if let (Some(profile), Event::RunEnd { .. }) = (&self.profile, event) {
            line["tasks"] = profile.slowest().into_iter().map(|(title, host, time, hosts)| {
                json!({ "task": title, "slowest_host": host, "elapsed": seconds(time), "hosts": hosts })
            }).collect();
        }
        out.push_str(&line.to_string());
        out.push('\n');
    }
}

fn encode(event: &Event) -> Json {
    match event {
        Event::RunStart { mode, playbooks } => {
            let mode = match mode {
                Mode::Apply => "apply",
                Mode::Plan => "plan",
            };
            json!({ "event": "run_start", "mode": mode, "playbooks": playbooks })
        }
        Event::PlayStart { name, hosts, steps } => {
            json!({ "event": "play_start", "name": name, "hosts": hosts, "steps": steps })
        }
        Event::PlayEmpty { name } => json!({ "event": "play_empty", "name": name }),
        Event::Connected { host, elapsed } => {
            json!({ "event": "connected", "host": host, "elapsed": seconds(*elapsed) })
        }
        Event::Working { host, task: info } => json!({ "event": "working", "host": host, "task": task(info) }),
        Event::Result(result) => encode_result(result),
        Event::Live { host, stream, text } => {
            let stream = match stream {
                Stream::Stdout => "stdout",
                Stream::Stderr => "stderr",
            };
            json!({ "event": "live", "host": host, "stream": stream, "text": text })
        }
        Event::Warning(text) => json!({ "event": "warning", "message": text }),
        Event::RunEnd { recap, elapsed, phases } => {
            let recap: Object<String, Json> = recap
                .iter()
                .map(|(host, counters)| {
                    let named = counters.named().into_iter().map(|(name, count)| (name.to_owned(), count.into()));
                    (host.clone(), Json::Object(named.collect()))
                })
                .collect();
            let phases: Object<String, Json> =
                phases.iter().map(|(name, time)| ((*name).to_owned(), seconds(*time))).collect();
            json!({ "event": "run_end", "elapsed": seconds(*elapsed), "phases": phases, "recap": recap })
        }
    }
}

fn encode_result(result: &TaskResult) -> Json {
    let mut line = Object::new();
    let mut put = |key: &str, value: Json| {
        line.insert(key.to_owned(), value);
    };
    put("event", "result".into());
    put("host", result.host.as_str().into());
    if let Some(delegate) = &result.delegate {
        put("delegate", delegate.as_str().into());
    }
    put("task", task(&result.task));
    if let Some(item) = &result.item {
        put("item", item.to_json());
    }
    put("status", result.status.as_str().into());
    for (holds, key) in [(result.ignored, "ignored"), (result.rescued, "rescued"), (result.is_summary, "summary")] {
        if holds {
            put(key, true.into());
        }
    }
    let values =
        result.values.iter().map(|(key, value)| (key.clone(), serde_json::to_value(Plain(value)).unwrap_or_default()));
    put("values", Json::Object(values.collect()));
    put("diffs", result.diffs.iter().map(diff).collect());
    put("warnings", result.warnings.iter().map(String::as_str).collect());
    if let Some(at) = result.cause.and_then(place) {
        put("cause", at);
    }
    if let Some(diagnostic) = &result.diagnostic {
        put("diagnostic", encode_diagnostic(diagnostic));
    }
    put("elapsed", seconds(result.elapsed));
    Json::Object(line)
}

fn task(info: &TaskInfo) -> Json {
    json!({
        "position": info.position.to_string(),
        "name": info.name,
        "role": info.role,
        "module": info.module,
        "handler": info.is_handler,
        "at": place(info.span),
    })
}

fn diff(diff: &Diff) -> Json {
    match diff {
        Diff::Text { path, before, after } => {
            json!({ "kind": "text", "path": path.to_string_lossy(), "before": before, "after": after })
        }
        Diff::Attribute { subject, name, before, after } => {
            json!({ "kind": "attribute", "subject": subject, "name": name, "before": before, "after": after })
        }
        Diff::Run { argv } => json!({ "kind": "run", "argv": argv }),
    }
}

fn encode_diagnostic(diagnostic: &Diagnostic) -> Json {
    json!({
        "message": diagnostic.message,
        "label": diagnostic.label,
        "help": diagnostic.help,
        "at": place(diagnostic.span),
    })
}

fn place(span: Span) -> Option<Json> {
    let location = span.location()?;
    Some(json!({ "file": location.path.to_string_lossy(), "line": location.line, "column": location.column }))
}

/// Seconds, to the microsecond.
fn seconds(time: Duration) -> Json {
    (time.as_micros() as f64 / 1e6).into()
}
