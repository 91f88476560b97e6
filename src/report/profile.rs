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

    /// The slowest tasks first: title, slowest host, its time, number of hosts. Those that took no time are left out.
    pub fn slowest(&self) -> Vec<(&str, &str, Duration, usize)> {
        let mut tasks: Vec<_> = self
            .tasks
            .iter()
            .filter_map(|(position, task)| {
                let (host, time) = task.slowest()?;
                (!time.is_zero()).then_some((position, (task.title.as_str(), host, time, task.hosts.len())))
            })
            .collect();
        tasks.sort_by(|(a, (_, _, long, _)), (b, (_, _, other, _))| other.cmp(long).then_with(|| a.cmp(b)));
        tasks.into_iter().map(|(_, task)| task).collect()
    }

    /// The section at the end of a run: the phases, then the slowest tasks.
    pub fn render(&self, phases: &[(&'static str, Duration)], palette: Palette) -> String {
        let mut out = format!("\n{}\n", palette.paint(Paint::Bold, "PROFILE"));
        for (name, time) in phases {
            let _ = writeln!(out, "{:>9}  {name}", duration(*time));
        }
        let tasks = self.slowest();
        let _ = writeln!(out, "slowest tasks ({} took time):", counted(tasks.len(), "task"));
        for (title, host, time, hosts) in tasks.into_iter().take(TASKS) {
            let among = if hosts > 1 { format!(", slowest of {hosts} hosts") } else { String::new() };
            let _ = writeln!(out, "{:>9}  {title} [{host}{among}]", duration(time));
        }
        out
    }
}
