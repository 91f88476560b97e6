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

/// What has been done in a run, and what is left.
#[derive(Debug, Default)]
pub struct Tally {
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

impl Tally {
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
            Event::RunEnd { .. } => *self = Tally::default(),
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

    /// Hosts that are at work, those that have been at it for longest first.
    fn at_work(&self) -> Vec<(&str, &str, Instant)> {
        let mut busy: Vec<_> = self
            .hosts
            .iter()
            .filter_map(|(name, host)| host.work.as_ref().map(|(title, since)| (name.as_str(), title.as_str(), *since)))
            .collect();
        busy.sort_by_key(|(_, _, since)| *since);
        busy
    }

    /// Hosts that have not answered yet.
    fn connecting(&self) -> Vec<&str> {
        self.hosts.keys().filter(|host| !self.connected.contains(*host)).map(String::as_str).collect()
    }

    /// What is done and left, and what hosts are about, in a few words.
    fn summary(&self) -> String {
        let (done, all) = self.totals();
        let waiting = self.connecting();
        let hosts = match waiting.len() {
            0 => counted(self.hosts.len(), "host"),
            1..=3 => format!("connecting to {}", waiting.join(", ")),
            count => format!("connecting to {}", counted(count, "host")),
        };
        format!("{} done, {} left, {hosts}", counted(done, "step"), all - done)
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
        format!("{}\n{busy}", self.summary())
    }
}

/// Lines, written by a thread of their own, since nothing happens while a long command runs.
#[derive(Debug, Default)]
pub struct Lines {
    tally: Arc<Mutex<Tally>>,
    /// Dropping it ends the thread.
    writer: Option<Sender<()>>,
}

impl Lines {
    fn event(&mut self, event: &Event) {
        lock(&self.tally).event(event, Instant::now());
        match event {
            Event::PlayStart { .. } if self.writer.is_none() => self.writer = Some(write_lines(self.tally.clone())),
            Event::RunEnd { .. } => self.writer = None,
            _ => {}
        }
    }
}

fn write_lines(tally: Arc<Mutex<Tally>>) -> Sender<()> {
    let (writer, end) = channel();
    std::thread::spawn(move || {
        while end.recv_timeout(LINE) == Err(RecvTimeoutError::Timeout) {
            let text = lock(&tally).lines(Instant::now());
            // If nobody reads it, nothing can be done.
            let _ = std::io::stderr().write_all(text.as_bytes());
        }
    });
    writer
}

fn lock(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// A bar for all hosts, and below it a line for each that is at work, the longest first, as many as fit.
#[derive(Debug)]
pub struct Bars {
    all: MultiProgress,
    total: ProgressBar,
    tally: Tally,
    lines: Vec<Line>,
}

/// The line of a host that is at work.
#[derive(Debug)]
struct Line {
    host: String,
    since: Instant,
    bar: ProgressBar,
}

impl Line {
    fn clear(&self, all: &MultiProgress) {
        self.bar.finish_and_clear();
        all.remove(&self.bar);
    }
}

impl Bars {
    fn new() -> Self {
        let all = MultiProgress::new();
        let total = all.add(ProgressBar::new(0).with_style(style("[{elapsed_precise}] {bar:24} {wide_msg}")));
        Bars { all, total, tally: Tally::default(), lines: Vec::new() }
    }

    fn event(&mut self, event: &Event) {
        self.tally.event(event, Instant::now());
        match event {
            Event::PlayStart { .. } => self.total.enable_steady_tick(TICK),
            Event::RunEnd { .. } => return self.end(),
            _ if self.tally.hosts.is_empty() => return,
            _ => {}
        }
        let (done, all) = self.tally.totals();
        self.total.set_length(all as u64);
        self.total.set_position(done as u64);
        self.total.set_message(self.tally.summary());
        self.show_at_work(lines_that_fit());
    }

    /// Lines of hosts that work on something else now go; a host that began later stands below.
    fn show_at_work(&mut self, room: usize) {
        let at_work = self.tally.at_work();
        let shown = &at_work[..room.min(at_work.len())];
        let holds = |line: &Line| shown.iter().any(|(host, _, since)| line.host == *host && line.since == *since);
        let (kept, gone): (Vec<_>, Vec<_>) = self.lines.drain(..).partition(holds);
        gone.iter().for_each(|line| line.clear(&self.all));
        self.lines = kept;
        for (place, (host, title, since)) in shown.iter().enumerate() {
            if self.lines.get(place).is_some_and(|line| line.host == *host) {
                continue;
            }
            let bar = ProgressBar::new_spinner().with_style(style("  {prefix}: {wide_msg} {elapsed}"));
            let bar = bar.with_prefix((*host).to_owned()).with_message((*title).to_owned());
            let bar = self.all.insert(place + 1, bar.with_elapsed(since.elapsed()));
            bar.enable_steady_tick(TICK);
            self.lines.insert(place, Line { host: (*host).to_owned(), since: *since, bar });
        }
    }

    fn end(&mut self) {
        self.lines.drain(..).for_each(|line| line.clear(&self.all));
        self.total.finish_and_clear();
    }
}

/// As many hosts have a line as leave room for the bar and some of the output.
fn lines_that_fit() -> usize {
    let rows = rustix::termios::tcgetwinsize(std::io::stderr()).map_or(24, |size| usize::from(size.ws_row));
    (rows * 2 / 3).saturating_sub(1).max(1)
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

    fn task(name: &str) -> Arc<TaskInfo> {
        Arc::new(TaskInfo {
            position: Default::default(),
            name: name.into(),
            role: Some("base".into()),
            module: "apt".into(),
            span: Default::default(),
            is_handler: false,
        })
    }

    #[test]
    fn the_longest_at_work_have_lines() {
        let mut bars = Bars::new();
        let hosts: Vec<String> = ["a", "b", "c"].map(str::to_owned).into();
        bars.event(&Event::PlayStart { name: "Servers".into(), hosts, steps: 3 });
        let began = Instant::now();
        let begin = |bars: &mut Bars, host: &str, name: &str, second: u64| {
            let event = Event::Working { host: host.into(), task: task(name) };
            bars.tally.event(&event, began + Duration::from_secs(second));
            bars.show_at_work(2);
            bars.lines.iter().map(|line| format!("{} {}", line.host, line.bar.message())).collect::<Vec<_>>()
        };
        assert_eq!(begin(&mut bars, "b", "one", 0), ["b base : one"]);
        assert_eq!(begin(&mut bars, "a", "one", 1), ["b base : one", "a base : one"]);
        assert_eq!(begin(&mut bars, "c", "one", 2), ["b base : one", "a base : one"], "there is no room");
        assert_eq!(begin(&mut bars, "b", "two", 3), ["a base : one", "c base : one"], "it is the newest now");
    }

    #[test]
    fn lines_name_who_has_been_at_work_for_long() {
        let mut tally = Tally::default();
        let began = Instant::now();
        let hosts = vec!["a".to_owned(), "b".to_owned()];
        tally.event(&Event::PlayStart { name: "Servers".into(), hosts, steps: 3 }, began);
        assert_eq!(tally.lines(began), "0 steps done, 6 left, connecting to a, b\n");
        for host in ["a", "b"] {
            tally.event(&Event::Connected { host: host.into(), elapsed: Duration::ZERO }, began);
        }
        assert_eq!(tally.lines(began + LINE), "", "nobody is at work");
        tally.event(&Event::Working { host: "a".into(), task: task("Upgrade") }, began);
        assert_eq!(tally.lines(began), "", "not for long");
        let later = began + Duration::from_secs(90);
        assert_eq!(tally.lines(later), "0 steps done, 6 left, 2 hosts\n  a: base : Upgrade (1:30)\n");
    }
}
