//! Where the time of a run went (`--profile`).

use std::collections::HashMap;
use std::fmt::Write;
use std::time::Duration;

use super::style::{Paint, Palette};
use super::text::{clean, counted, duration};
use crate::event::TaskResult;
use crate::protocol::Position;

/// So many tasks are listed.
const TASKS: usize = 20;

/// Adds up what the agents worked on each task.
#[derive(Debug, Default)]
pub struct Profile {
    tasks: HashMap<Position, Task>,
}

#[derive(Debug, Default)]
struct Task {
    title: String,
    hosts: HashMap<String, Duration>,
}

impl Task {
    /// The slowest host, which is what others may have waited for.
    fn slowest(&self) -> Option<(&str, Duration)> {
        let key = |(host, time): &(&str, Duration)| (*time, std::cmp::Reverse(host.to_string()));
        self.hosts.iter().map(|(host, time)| (host.as_str(), *time)).max_by_key(key)
    }
}

impl Profile {
    /// Takes up a result. A loop counts by its items.
    pub fn add(&mut self, result: &TaskResult) {
        if result.is_summary {
            return;
        }
        let task = self.tasks.entry(result.task.position.clone()).or_default();
        if task.title.is_empty() {
            task.title = clean(&result.task.title()).replace('\n', " ");
        }
        *task.hosts.entry(result.host.clone()).or_default() += result.elapsed;
    }

    /// The section at the end of a run: the phases, then the slowest tasks.
    pub fn render(&self, phases: &[(&'static str, Duration)], palette: Palette) -> String {
        let mut out = format!("\n{}\n", palette.paint(Paint::Bold, "PROFILE"));
        for (name, time) in phases {
            let _ = writeln!(out, "{:>9}  {name}", duration(*time));
        }
        let mut tasks: Vec<(&Position, &Task, &str, Duration)> = self
            .tasks
            .iter()
            .filter_map(|(position, task)| task.slowest().map(|(host, time)| (position, task, host, time)))
            .filter(|entry| !entry.3.is_zero())
            .collect();
        tasks.sort_by(|a, b| b.3.cmp(&a.3).then_with(|| a.0.cmp(b.0)));
        let _ = writeln!(out, "slowest tasks ({} took time):", counted(tasks.len(), "task"));
        for (_, task, host, time) in tasks.iter().take(TASKS) {
            let among = match task.hosts.len() {
                1 => String::new(),
                count => format!(", slowest of {count} hosts"),
            };
            let _ = writeln!(out, "{:>9}  {} [{host}{among}]", duration(*time), task.title);
        }
        out
    }
}
