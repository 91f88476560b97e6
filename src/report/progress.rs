//! How far a run has come: bars on a terminal, now and then a line where there is none. On standard error, so that it
//! never mixes with what a run says.
#![expect(clippy::disallowed_methods, reason = "what the terminal can do is in the environment")]

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use indexmap::{IndexMap, IndexSet};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::text::{clean, counted, duration};
use crate::event::{Event, Status};

/// So many hosts have a line of their own.
const HOSTS: usize = 8;
/// How often bars are drawn again while nothing happens.
const TICK: Duration = Duration::from_millis(200);
/// How often lines are written where there is no terminal.
const LINE: Duration = Duration::from_secs(30);

/// The progress of a run.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one of it in a run")]
pub enum Progress {
    /// On a terminal.
    Bars(Bars),
    /// Elsewhere.
    Lines(Lines),
}

impl Progress {
    /// Bars if standard error is a terminal.
    pub fn new() -> Self {
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        match std::io::stderr().is_terminal() && !is_dumb {
            true => Progress::Bars(Bars::new()),
            false => Progress::Lines(Lines::default()),
        }
    }

    /// Takes up an event.
    pub fn event(&mut self, event: &Event) {
        match self {
            Progress::Bars(bars) => bars.event(event),
            Progress::Lines(lines) => lines.event(event),
        }
    }

    /// Writes something else while no bar is in the way.
    pub fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        match self {
            Progress::Bars(bars) => bars.all.suspend(write),
            Progress::Lines(_) => write(),
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Progress::new()
    }
}

/// What is known of the course of a run.
#[derive(Debug, Default)]
pub struct Course {
    /// Steps of this play for each host, as far as they can be counted.
    steps: usize,
    /// The hosts of this play.
    hosts: IndexMap<String, Host>,
    /// Hosts that have answered in this or an earlier play.
    connected: IndexSet<String>,
}

/// One host of a play.
#[derive(Debug, Default)]
struct Host {
    done: usize,
    /// It takes part no more.
    is_out: bool,
    /// What it is working on, and since when.
    work: Option<(String, Instant)>,
}

impl Course {
    /// Takes up an event that happened at `now`.
    fn event(&mut self, event: &Event, now: Instant) {
        match event {
            Event::PlayStart { hosts, steps, .. } => {
                self.steps = *steps;
                self.hosts = hosts.iter().map(|host| (host.clone(), Host::default())).collect();
            }
            Event::Connected { host, .. } => {
                self.connected.insert(host.clone());
            }
            Event::Working { host, task } => {
                let title = clean(&task.title()).replace('\n', " ");
                self.hosts.entry(host.clone()).or_default().work = Some((title, now));
            }
            Event::Result(result) if result.item.is_none() => {
                let host = self.hosts.entry(result.host.clone()).or_default();
                host.done += 1;
                host.work = None;
                host.is_out |= result.status == Status::Unreachable
                    || (result.status == Status::Failed && !result.ignored && !result.rescued);
                self.connected.insert(result.host.clone());
            }
            Event::RunEnd { .. } => *self = Course::default(),
            _ => {}
        }
    }

    /// Steps done by all hosts of the play, and to be done as far as is known.
    fn totals(&self) -> (usize, usize) {
        let done: usize = self.hosts.values().map(|host| host.done).sum();
        // Includes add steps that nobody could count before; a host that is out does no more.
        let of = |host: &Host| if host.is_out { host.done } else { self.steps.max(host.done) };
        (done, self.hosts.values().map(of).sum())
    }

    /// Hosts that have not answered yet.
    fn connecting(&self) -> Vec<&str> {
        self.hosts.keys().filter(|host| !self.connected.contains(*host)).map(String::as_str).collect()
    }

    /// What all hosts are about, in a few words.
    fn summary(&self) -> String {
        let waiting = self.connecting();
        match waiting.len() {
            0 => counted(self.hosts.len(), "host"),
            1..=3 => format!("connecting to {}", waiting.join(", ")),
            count => format!("connecting to {}", counted(count, "host")),
        }
    }

    /// A line for each host that has been at the same work for a while, behind one with the totals.
    fn lines(&self, now: Instant) -> String {
        let busy = self.hosts.iter().filter_map(|(name, host)| {
            let (title, since) = host.work.as_ref()?;
            let time = now.saturating_duration_since(*since);
            (time >= LINE).then(|| format!("  {name}: {title} ({})\n", duration(time)))
        });
        let busy: String = busy.collect();
        if busy.is_empty() && self.connecting().is_empty() {
            return String::new();
        }
        let (done, all) = self.totals();
        format!("at work: {done}/{all} steps, {}\n{busy}", self.summary())
    }
}

/// Lines, written by a thread of their own, since nothing happens while a long command runs.
#[derive(Debug, Default)]
pub struct Lines {
    course: Arc<Mutex<Course>>,
    /// Dropping it ends the thread.
    writer: Option<Sender<()>>,
}

impl Lines {
    fn event(&mut self, event: &Event) {
        lock(&self.course).event(event, Instant::now());
        match event {
            Event::PlayStart { .. } if self.writer.is_none() => self.writer = Some(write_lines(self.course.clone())),
            Event::RunEnd { .. } => self.writer = None,
            _ => {}
        }
    }
}

fn write_lines(course: Arc<Mutex<Course>>) -> Sender<()> {
    let (writer, end) = channel();
    std::thread::spawn(move || {
        while end.recv_timeout(LINE) == Err(RecvTimeoutError::Timeout) {
            let text = lock(&course).lines(Instant::now());
            // If nobody reads it, nothing can be done.
            let _ = std::io::stderr().write_all(text.as_bytes());
        }
    });
    writer
}

fn lock(course: &Mutex<Course>) -> MutexGuard<'_, Course> {
    course.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Bars: one for all, and one for each host that is working.
#[derive(Debug)]
pub struct Bars {
    all: MultiProgress,
    total: ProgressBar,
    course: Course,
    working: IndexMap<String, ProgressBar>,
}

impl Bars {
    fn new() -> Self {
        let all = MultiProgress::new();
        let total = ProgressBar::new(0).with_style(style("[{elapsed_precise}] {bar:24} {pos}/{len} steps, {wide_msg}"));
        let total = all.add(total);
        Bars { all, total, course: Course::default(), working: IndexMap::new() }
    }

    fn event(&mut self, event: &Event) {
        self.course.event(event, Instant::now());
        match event {
            Event::PlayStart { .. } => self.clear(),
            Event::Working { host, .. } => self.show(host),
            Event::Result(result) if result.item.is_none() => self.hide(&result.host),
            Event::RunEnd { .. } => self.end(),
            _ => {}
        }
        if self.course.hosts.is_empty() {
            return;
        }
        let (done, all) = self.course.totals();
        self.total.set_length(all as u64);
        self.total.set_position(done as u64);
        self.total.set_message(self.course.summary());
        if matches!(event, Event::PlayStart { .. }) {
            self.total.enable_steady_tick(TICK);
        }
    }

    /// Gives a host a line, unless too many have one.
    fn show(&mut self, name: &str) {
        let Some(host) = self.course.hosts.get(name) else { return };
        if self.working.len() >= HOSTS && !self.working.contains_key(name) {
            return;
        }
        let prefix = format!("{name} {}/{}", host.done, self.course.steps.max(host.done));
        let message = host.work.as_ref().map_or_else(String::new, |(title, _)| title.clone());
        match self.working.get(name) {
            Some(bar) => {
                bar.reset_elapsed();
                bar.set_prefix(prefix);
                bar.set_message(message);
            }
            None => {
                let bar = ProgressBar::new_spinner().with_style(style("  {prefix} [{elapsed}] {wide_msg}"));
                let bar = self.all.add(bar.with_prefix(prefix).with_message(message));
                bar.enable_steady_tick(TICK);
                self.working.insert(name.to_owned(), bar);
            }
        }
    }

    fn hide(&mut self, name: &str) {
        if let Some(bar) = self.working.shift_remove(name) {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
    }

    fn end(&mut self) {
        self.clear();
        self.total.finish_and_clear();
    }

    fn clear(&mut self) {
        let names: Vec<String> = self.working.keys().cloned().collect();
        names.iter().for_each(|name| self.hide(name));
    }
}

impl Drop for Bars {
    /// A run that was interrupted leaves no bar behind.
    fn drop(&mut self) {
        self.end();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::TaskInfo;

    #[test]
    fn lines_name_who_has_been_at_work_for_long() {
        let mut course = Course::default();
        let began = Instant::now();
        let hosts = vec!["a".to_owned(), "b".to_owned()];
        course.event(&Event::PlayStart { name: "Servers".into(), hosts, steps: 3 }, began);
        assert_eq!(course.lines(began), "at work: 0/6 steps, connecting to a, b\n");
        for host in ["a", "b"] {
            course.event(&Event::Connected { host: host.into(), elapsed: Duration::ZERO }, began);
        }
        assert_eq!(course.lines(began + LINE), "", "nobody is at work");
        let task = Arc::new(TaskInfo {
            position: Default::default(),
            name: "Upgrade".into(),
            role: Some("base".into()),
            module: "apt".into(),
            span: Default::default(),
            is_handler: false,
        });
        course.event(&Event::Working { host: "a".into(), task }, began);
        assert_eq!(course.lines(began), "", "not for long");
        let later = began + Duration::from_secs(90);
        assert_eq!(course.lines(later), "at work: 0/6 steps, 2 hosts\n  a: base : Upgrade (1:30)\n");
    }
}
