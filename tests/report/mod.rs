//! Reporters: lists of events, and the text that comes out.

mod answers;
mod human;
mod json;

use std::sync::Arc;
use std::time::Duration;

use wodctl::event::{Counters, Event, Status, TaskInfo, TaskResult};
use wodctl::protocol::{Mode, Position};
use wodctl::report::Reporter;
use wodctl::source::Span;
use wodctl::value::Map;

/// What a reporter makes of events.
fn shown(reporter: &mut dyn Reporter, events: impl IntoIterator<Item = Event>) -> String {
    let mut out = String::new();
    events.into_iter().for_each(|event| reporter.event(&event, &mut out));
    out
}

fn start(mode: Mode) -> Event {
    Event::RunStart { mode, playbooks: vec!["site.yml".into()] }
}

fn play(name: &str, hosts: &[&str]) -> Event {
    Event::PlayStart { name: name.into(), hosts: hosts.iter().map(|host| (*host).to_owned()).collect(), steps: 3 }
}

fn task(step: u32, name: &str) -> Arc<TaskInfo> {
    Arc::new(TaskInfo {
        position: Position(vec![0, step]),
        name: name.into(),
        role: None,
        module: "command".into(),
        span: Span::default(),
        is_handler: false,
    })
}

fn result(task: &Arc<TaskInfo>, host: &str, status: Status) -> TaskResult {
    TaskResult {
        task: task.clone(),
        host: host.into(),
        delegate: None,
        item: None,
        status,
        ignored: false,
        rescued: false,
        values: Map::new(),
        diffs: Vec::new(),
        warnings: Vec::new(),
        cause: None,
        diagnostic: None,
        elapsed: Duration::ZERO,
        is_summary: false,
    }
}

fn ended(task: &Arc<TaskInfo>, host: &str, status: Status) -> Event {
    Event::Result(Box::new(result(task, host, status)))
}

fn end(hosts: &[(&str, Counters)]) -> Event {
    Event::RunEnd {
        recap: hosts.iter().map(|(host, counters)| ((*host).to_owned(), *counters)).collect(),
        elapsed: Duration::from_millis(1500),
        phases: vec![("connect", Duration::from_millis(210)), ("run", Duration::from_millis(1290))],
    }
}
