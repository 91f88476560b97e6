//! How far a run has come: bars on a terminal, now and then a line where there is none. On standard error, so that it
//! never mixes with what a run says.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::time::Duration;

use indexmap::IndexMap;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::text::clean;
use crate::event::Event;

/// So many hosts have a line of their own.
const HOSTS: usize = 8;
/// How often the bars are drawn again while nothing happens.
const TICK: Duration = Duration::from_millis(200);

/// The progress of a run.
#[derive(Debug)]
pub struct Progress {
    bars: Option<Bars>,
}

#[derive(Debug)]
struct Bars {
    all: MultiProgress,
    total: ProgressBar,
    /// Steps done in this play, for each of its hosts.
    done: IndexMap<String, u64>,
    /// Steps of this play.
    steps: u64,
    /// Hosts that have a line.
    lines: HashMap<String, ProgressBar>,
}

impl Progress {
    /// Bars if standard error is a terminal.
    pub fn new() -> Self {
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let bars = (std::io::stderr().is_terminal() && !is_dumb).then(Bars::new);
        Progress { bars }
    }

    /// Takes up an event.
    pub fn event(&mut self, event: &Event) {
        if let Some(bars) = &mut self.bars {
            bars.event(event);
        }
    }

    /// Writes something else while no bar is in the way.
    pub fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bars {
            Some(bars) => bars.all.suspend(write),
            None => write(),
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Progress::new()
    }
}

impl Bars {
    fn new() -> Self {
        let all = MultiProgress::new();
        let total =
            all.add(ProgressBar::new(0).with_style(style("{bar:24} {pos}/{len} steps, {msg} {elapsed_precise}")));
        Bars { all, total, done: IndexMap::new(), steps: 0, lines: HashMap::new() }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::PlayStart { hosts, steps, .. } => {
                self.clear();
                self.done = hosts.iter().map(|host| (host.clone(), 0)).collect();
                self.steps = *steps as u64;
                self.total.inc_length(self.steps * hosts.len() as u64);
                self.total.set_message(super::text::counted(hosts.len(), "host"));
                self.total.enable_steady_tick(TICK);
            }
            Event::Working { host, task } => {
                let title = clean(&task.title()).replace('\n', " ");
                if let Some(line) = self.line(host) {
                    line.set_message(title);
                }
            }
            Event::Result(result) if result.item.is_none() => {
                self.total.inc(1);
                *self.done.entry(result.host.clone()).or_default() += 1;
                if let Some(line) = self.lines.remove(&result.host) {
                    line.finish_and_clear();
                    self.all.remove(&line);
                }
            }
            Event::RunEnd { .. } => {
                self.clear();
                self.total.finish_and_clear();
            }
            _ => {}
        }
        // Includes add steps that nobody could count before.
        if self.total.length().is_some_and(|length| length < self.total.position()) {
            self.total.set_length(self.total.position());
        }
    }

    fn line(&mut self, host: &str) -> Option<&ProgressBar> {
        if !self.lines.contains_key(host) {
            if self.lines.len() >= HOSTS {
                return None;
            }
            let bar = ProgressBar::new(self.steps).with_style(style("  {prefix} {pos}/{len} {elapsed} {wide_msg}"));
            let bar = self.all.add(bar);
            bar.set_prefix(host.to_owned());
            bar.set_position(self.done.get(host).copied().unwrap_or(0));
            bar.enable_steady_tick(TICK);
            self.lines.insert(host.to_owned(), bar);
        }
        self.lines.get(host)
    }

    fn clear(&mut self) {
        for (_, line) in self.lines.drain() {
            line.finish_and_clear();
            self.all.remove(&line);
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
