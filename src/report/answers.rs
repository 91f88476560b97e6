//! What hosts answer to a single question: `ping`, `facts` and `exec`.

use std::fmt::Write;

use indexmap::IndexMap;

use super::failures::{self, place};
use super::human::worth_showing;
use super::live::Live;
use super::profile::Profile;
use super::style::{Paint, Palette};
use super::text::{clean, counted, duration, indent, printed, yaml};
use super::{Options, Reporter, diff};
use crate::event::{Event, Status, TaskResult};
use crate::value::{Map, Value};

/// Which question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Is the host there?
    Ping,
    /// What is it like?
    Facts,
    /// What does a module say?
    Exec,
}

/// The reporter of answers, one block for each host.
#[derive(Debug)]
pub struct Answers {
    question: Question,
    options: Options,
    palette: Palette,
    live: Live,
    profile: Profile,
}

impl Answers {
    /// A reporter for one question.
    pub fn new(question: Question, options: Options, palette: Palette) -> Self {
        Answers { question, options, palette, live: Live::default(), profile: Profile::default() }
    }

    fn result(&mut self, result: &TaskResult, out: &mut String) {
        let streamed = self.live.end(&result.host, self.palette, out);
        self.profile.add(result);
        let place = place(result);
        if matches!(result.status, Status::Failed | Status::Unreachable) {
            out.push_str(&failures::answer(result, self.palette));
            return;
        }
        match self.question {
            Question::Ping => {
                let _ = writeln!(out, "{}: pong", self.palette.paint(Paint::Green, &place));
            }
            Question::Facts => {
                let _ = writeln!(out, "{}:", self.palette.paint(Paint::Green, &place));
                let facts = result.values.get("ansible_facts").cloned().unwrap_or_default();
                if facts.is_true() {
                    out.push_str(&indent(&yaml(&facts), "  "));
                }
            }
            Question::Exec => self.exec(result, &place, streamed, out),
        }
        for warning in &result.warnings {
            out.push_str(&indent(
                &format!("{}: {}", self.palette.paint(Paint::Yellow, "warning"), clean(warning)),
                "    ",
            ));
        }
    }

    fn exec(&self, result: &TaskResult, place: &str, streamed: bool, out: &mut String) {
        let word = self.palette.paint(Paint::of(result.status), result.status.as_str());
        let rc = match result.values.get("rc") {
            Some(Value::Int(rc)) => format!(", exit status {rc}"),
            _ => String::new(),
        };
        let _ = writeln!(out, "{place}: {word}{rc}");
        let mut rest: Map = worth_showing(&result.values, streamed);
        if result.values.contains_key("stdout") {
            for (stream, paint) in [("stdout", None), ("stderr", Some(Paint::Magenta))] {
                let text = rest.get(stream).and_then(Value::as_str).map(printed).unwrap_or_default();
                let painted =
                    |line: &str| paint.map_or_else(|| line.to_owned(), |paint| self.palette.paint(paint, line));
                let lines: Vec<String> = text.lines().map(painted).collect();
                out.push_str(&indent(&lines.join("\n"), "    "));
            }
            // The rest is about how it ran.
            ["stdout", "stderr"].iter().for_each(|stream| drop(rest.shift_remove(*stream)));
            if self.options.verbosity == 0 {
                rest.clear();
            }
        }
        if self.options.diff {
            for change in &result.diffs {
                out.push_str(&indent(&diff::render(change, self.palette), "    "));
            }
        }
        if !rest.is_empty() {
            out.push_str(&indent(&yaml(&Value::Map(rest)), "    "));
        }
    }
}

impl Reporter for Answers {
    fn event(&mut self, event: &Event, out: &mut String) {
        match event {
            Event::Result(result) if !(result.is_summary) => self.result(result, out),
            Event::Live { host, stream, text } => self.live.add(host, *stream, text, self.palette, out),
            Event::Connected { host, elapsed } if self.options.verbosity >= 3 => {
                let _ = writeln!(out, "connected: [{host}] ({})", duration(*elapsed));
            }
            Event::PlayEmpty { .. } => out.push_str("no host matches\n"),
            Event::Warning(text) => {
                let _ = writeln!(out, "{}: {}", self.palette.paint(Paint::Yellow, "warning"), clean(text));
            }
            Event::RunEnd { recap, phases, .. } => {
                out.push_str(&summary(recap));
                if self.options.profile {
                    out.push_str(&self.profile.render(phases, self.palette));
                }
            }
            _ => {}
        }
    }
}

/// How many hosts did not answer well; nothing if all did.
fn summary(recap: &IndexMap<String, crate::event::Counters>) -> String {
    let failed = recap.values().filter(|counters| counters.failed > 0).count();
    let lost = recap.values().filter(|counters| counters.unreachable > 0).count();
    let hosts = counted(recap.len(), "host");
    match (failed, lost) {
        (0, 0) => String::new(),
        (0, lost) => format!("\n{lost} of {hosts} could not be reached.\n"),
        (failed, 0) => format!("\n{failed} of {hosts} failed.\n"),
        (failed, lost) => format!("\n{failed} of {hosts} failed, {lost} could not be reached.\n"),
    }
}
