//! A run as a person reads it: headings in order, a line for each host that has something to say, the rest folded.

use std::fmt::Write;
use std::sync::Arc;

use super::failures::{self, Failures, item, place};
use super::live::Live;
use super::plan::Plan;
use super::profile::Profile;
use super::style::{Paint, Palette};
use super::text::{clean, counted, duration, indent, yaml};
use super::{Options, Reporter, diff, recap};
use crate::event::{Event, Status, TaskInfo, TaskResult};
use crate::protocol::Mode;
use crate::value::{Map, Value};

/// So many names are listed where nothing happened; more are counted.
const NAMES: usize = 6;

/// The reporter for people.
#[derive(Debug)]
pub struct Human {
    options: Options,
    palette: Palette,
    mode: Mode,
    plays: usize,
    /// With `--quiet`: the title of the play, until something of it is shown.
    title: String,
    current: Option<Block>,
    live: Live,
    failures: Failures,
    plan: Plan,
    profile: Profile,
}

/// The task that is being shown.
#[derive(Debug)]
struct Block {
    task: Arc<TaskInfo>,
    /// Its heading has been written.
    is_open: bool,
    /// Hosts with nothing to say, not yet written.
    ok: Vec<String>,
    skipped: Vec<String>,
    /// Hosts whose items have been shown one by one.
    itemised: Vec<String>,
}

impl Human {
    /// A reporter for one run.
    pub fn new(options: Options, palette: Palette) -> Self {
        Human {
            options,
            palette,
            mode: Mode::Apply,
            plays: 0,
            title: String::new(),
            current: None,
            live: Live::default(),
            failures: Failures::default(),
            plan: Plan::default(),
            profile: Profile::default(),
        }
    }

    fn play(&mut self, name: &str, note: &str, out: &mut String) {
        self.close(out);
        let title = self.palette.paint(Paint::Bold, &format!("PLAY [{}]", heading(name)));
        self.title = format!("{title} {note}\n");
        if !self.options.quiet {
            self.play_title(out);
        }
    }

    /// Writes the title of the play, unless that has been done.
    fn play_title(&mut self, out: &mut String) {
        if self.title.is_empty() {
            return;
        }
        if self.plays > 0 {
            out.push('\n');
        }
        self.plays += 1;
        out.push_str(&std::mem::take(&mut self.title));
    }

    /// Makes `task` the one that is shown.
    fn turn_to(&mut self, task: &Arc<TaskInfo>, out: &mut String) {
        if self.current.as_ref().is_some_and(|block| block.task.position == task.position) {
            return;
        }
        self.close(out);
        self.current = Some(Block {
            task: task.clone(),
            is_open: false,
            ok: Vec::new(),
            skipped: Vec::new(),
            itemised: Vec::new(),
        });
    }

    /// Writes the heading, and what was folded so far.
    fn open(&mut self, out: &mut String) {
        self.play_title(out);
        let Some(block) = &mut self.current else { return };
        if !block.is_open {
            block.is_open = true;
            let _ = writeln!(out, "{}{}", title(&block.task, self.palette), self.options.whereabouts(&block.task));
        }
        for folded in block.folded(self.palette) {
            let _ = writeln!(out, "  {folded}");
        }
    }

    /// Ends the task that is shown. One that had nothing to say takes a single line, and in a plan none.
    fn close(&mut self, out: &mut String) {
        let Some(mut block) = self.current.take() else { return };
        let folded = block.folded(self.palette);
        if folded.is_empty() {
            return;
        }
        if block.is_open {
            folded.iter().for_each(|line| out.extend(["  ", line, "\n"]));
        } else {
            let _ = writeln!(out, "{} {}", title(&block.task, self.palette), folded.join(" "));
        }
    }

    fn result(&mut self, result: &TaskResult, out: &mut String) {
        let streamed = self.live.end(&result.host, self.palette, out);
        self.failures.add(result);
        self.profile.add(result);
        if self.mode == Mode::Plan {
            self.plan.add(result);
        }
        self.turn_to(&result.task, out);
        let planning = self.mode == Mode::Plan;
        let quiet = self.is_quiet(result);
        let Some(block) = &mut self.current else { return };
        if result.is_summary && block.itemised.contains(&result.host) && (!quiet || self.options.verbosity > 0) {
            return;
        }
        if quiet {
            match result.status {
                _ if planning || self.options.quiet || result.item.is_some() => {}
                Status::Skipped => block.skipped.push(place(result)),
                _ => block.ok.push(place(result)),
            }
            return;
        }
        if result.item.is_some() {
            block.itemised.push(result.host.clone());
        }
        self.open(out);
        self.line(result, streamed, out);
    }

    /// Whether a result has nothing to say beyond its status.
    fn is_quiet(&self, result: &TaskResult) -> bool {
        self.options.verbosity == 0
            && matches!(result.status, Status::Ok | Status::Skipped)
            && result.warnings.is_empty()
            && (self.options.quiet || result.diffs.is_empty() || !self.shows_diffs())
            && (self.options.quiet || spoken(result).is_none())
    }

    fn shows_diffs(&self) -> bool {
        self.options.diff || self.mode == Mode::Plan
    }

    fn line(&self, result: &TaskResult, streamed: bool, out: &mut String) {
        let word = match (result.status, self.mode) {
            (Status::Changed, Mode::Plan) => "would change",
            (Status::Skipped, _) => "skipping",
            (status, _) => status.as_str(),
        };
        let word = self.palette.paint(Paint::of(result.status), word);
        let _ = write!(out, "  {word}: [{}]{}", place(result), item(result));
        let failed = matches!(result.status, Status::Failed | Status::Unreachable);
        if failed {
            let _ = write!(out, ": {}", failures::brief(result));
        }
        for (holds, note) in [(result.ignored, " (ignored)"), (result.rescued, " (rescued)")] {
            if holds {
                out.push_str(&self.palette.paint(Paint::Magenta, note));
            }
        }
        if result.elapsed.as_secs() > 0 {
            let time = format!(" ({})", duration(result.elapsed));
            out.push_str(&self.palette.paint(Paint::Dim, &time));
        }
        out.push('\n');
        self.details(result, streamed, out);
    }

    /// What stands below a result's line.
    fn details(&self, result: &TaskResult, streamed: bool, out: &mut String) {
        for warning in &result.warnings {
            let (paint, word) = match result.status {
                Status::Unknown => (Paint::Magenta, ""),
                _ => (Paint::Yellow, "warning: "),
            };
            out.push_str(&indent(&format!("{}{}", self.palette.paint(paint, word), clean(warning)), "    "));
        }
        if self.shows_diffs() {
            out.push_str(&indent(&diff::render_all(&result.diffs, self.palette), "    "));
        }
        if self.options.verbosity > 0 {
            let values = worth_showing(&result.values, streamed);
            if !values.is_empty() {
                out.push_str(&indent(&yaml(&Value::Map(values)), "    "));
            }
        } else if let Some(text) = spoken(result) {
            out.push_str(&indent(&text, "    "));
        }
    }
}

impl Reporter for Human {
    fn event(&mut self, event: &Event, out: &mut String) {
        match event {
            Event::RunStart { mode, .. } => self.mode = *mode,
            Event::PlayStart { name, hosts, .. } => self.play(name, &counted(hosts.len(), "host"), out),
            Event::PlayEmpty { name } => self.play(name, "no host matches: left out", out),
            Event::Connected { host, elapsed } if self.options.verbosity >= 3 => {
                let _ = writeln!(out, "connected: [{host}] ({})", duration(*elapsed));
            }
            Event::Connected { .. } => {}
            Event::Working { task, .. } => {
                self.turn_to(task, out);
                if !self.options.quiet {
                    self.open(out);
                }
            }
            Event::Result(result) => self.result(result, out),
            Event::Live { .. } if self.options.quiet => {}
            Event::Live { host, stream, text } => self.live.add(host, *stream, text, self.palette, out),
            Event::Warning(text) => {
                self.close(out);
                let _ = writeln!(out, "{}: {}", self.palette.paint(Paint::Yellow, "warning"), clean(text));
            }
            Event::RunEnd { recap, elapsed, phases } => {
                self.close(out);
                out.push_str(&self.failures.render(self.palette));
                if self.mode == Mode::Plan {
                    out.push_str(&self.plan.render(self.palette));
                }
                if self.options.profile {
                    out.push_str(&self.profile.render(phases, self.palette));
                }
                let title = self.palette.paint(Paint::Bold, "RECAP");
                let _ = write!(out, "\n{title} {}\n{}", duration(*elapsed), recap::render(recap, self.palette));
            }
        }
    }
}

impl Block {
    /// Takes what was folded: one text for each status.
    fn folded(&mut self, palette: Palette) -> Vec<String> {
        [(Status::Ok, "ok", &mut self.ok), (Status::Skipped, "skipping", &mut self.skipped)]
            .into_iter()
            .filter(|(_, _, hosts)| !hosts.is_empty())
            .map(|(status, word, hosts)| {
                let hosts = std::mem::take(hosts);
                let names = match hosts.len() {
                    count if count > NAMES => counted(count, "host"),
                    _ => hosts.join(", "),
                };
                format!("{}: [{names}]", palette.paint(Paint::of(status), word))
            })
            .collect()
    }
}

fn title(task: &TaskInfo, palette: Palette) -> String {
    let kind = if task.is_handler { "HANDLER" } else { "TASK" };
    palette.paint(Paint::Bold, &format!("{kind} [{}]", heading(&task.title())))
}

fn heading(text: &str) -> String {
    clean(text).replace('\n', " ")
}

/// What a step says at any verbosity, because saying it is all that it does: `debug`.
fn spoken(result: &TaskResult) -> Option<String> {
    let is_debug = result.task.module.rsplit('.').next() == Some("debug");
    if !is_debug || result.status != Status::Ok || result.is_summary {
        return None;
    }
    match result.values.get("msg") {
        Some(Value::Str(text)) => Some(clean(text).into_owned()),
        Some(value) => Some(yaml(value)),
        None => {
            let values = worth_showing(&result.values, false);
            (!values.is_empty()).then(|| yaml(&Value::Map(values)))
        }
    }
}

/// Values without what is said elsewhere: the status, and the same output in a second form.
pub fn worth_showing(values: &Map, streamed: bool) -> Map {
    const ELSEWHERE: [&str; 7] =
        ["changed", "failed", "skipped", "unreachable", "stdout_lines", "stderr_lines", "ansible_loop_var"];
    let elsewhere = |key: &str| ELSEWHERE.contains(&key) || (streamed && matches!(key, "stdout" | "stderr"));
    values.iter().filter(|(key, _)| !elsewhere(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

impl Options {
    /// Where a task stands, at `-vv`.
    fn whereabouts(&self, task: &TaskInfo) -> String {
        match task.span.location() {
            Some(location) if self.verbosity >= 2 => format!(" {location}"),
            _ => String::new(),
        }
    }
}
