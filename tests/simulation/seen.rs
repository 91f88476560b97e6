//! What the runner shows of a run, in the form in which it is compared.

use std::collections::BTreeMap;

use super::book::HOSTS;
use super::history::{History, Short};
use wodctl::event::{Event, Status};
use wodctl::runner::Run;
use wodctl::template::Binding;
use wodctl::value::{Map, Value};

/// What was seen of a run.
#[derive(Default)]
pub struct Seen {
    /// All but effects, which the machines know.
    pub history: History,
    /// Steps at which a host was lost: task, host, how often the host had come to it.
    pub lost: Vec<(u32, usize, usize)>,
    begun: BTreeMap<(u32, usize), usize>,
}

impl Seen {
    /// Takes up an event.
    pub fn event(&mut self, event: &Event) {
        let Event::Result(result) = event else { return };
        let Some(task) = result.task.name.strip_prefix('s').and_then(|number| number.parse().ok()) else { return };
        if result.item.is_some() {
            return;
        }
        let host = HOSTS.iter().position(|name| *name == result.host).unwrap_or_default();
        let nth = self.begun.entry((task, host)).or_default();
        *nth += 1;
        if result.status == Status::Unreachable {
            self.lost.push((task, host, *nth));
        }
        let status = match result.status {
            Status::Failed if result.ignored => "ignored",
            status => status.as_str(),
        };
        self.history.results.push(format!("s{task} {} {status}", result.host));
    }

    /// Takes up what the run knows at its end.
    pub fn close(&mut self, run: &Run, hosts: usize) {
        for host in &HOSTS[..hosts] {
            let recap = run.counters.get(*host).map(|counters| counters.named().map(|(_, count)| count));
            let values = values(run, host);
            self.history.recap.insert((*host).to_owned(), recap.unwrap_or_default());
            self.history.values.insert((*host).to_owned(), values);
        }
    }
}

fn values(run: &Run, host: &str) -> BTreeMap<String, String> {
    let table = run.table.read();
    let Some(layers) = table.get(host) else { return BTreeMap::new() };
    let value = |(name, binding): (&String, &Binding)| {
        let Binding::Data(value) = binding else { return None };
        let is_ours = name.starts_with(['r', 'v']) && name[1..].bytes().all(|byte| byte.is_ascii_digit());
        is_ours.then(|| (name.clone(), shown(value)))
    };
    layers.set.values.iter().filter_map(value).collect()
}

fn shown(value: &Value) -> String {
    match value {
        Value::Map(map) => short(map).to_string(),
        Value::Str(text) => text.to_string(),
        other => format!("{other:?}"),
    }
}

fn short(map: &Map) -> Short {
    let flag = |name: &str| map.get(name) == Some(&Value::Bool(true));
    Short {
        failed: flag("failed"),
        changed: flag("changed"),
        skipped: flag("skipped"),
        lost: flag("unreachable"),
        stdout: map.get("stdout").and_then(Value::as_str).map(str::to_owned),
        attempts: match map.get("attempts") {
            Some(Value::Int(number)) => Some(*number as u32),
            _ => None,
        },
        results: match map.get("results") {
            Some(Value::List(items)) => Some(items.iter().filter_map(Value::as_map).map(short).collect()),
            _ => None,
        },
        ..Short::default()
    }
}
