//! What a run looks like: reporters are folds over the stream of events, from each event to the text it adds.

pub mod answers;
pub mod diff;
pub mod failures;
pub mod human;
pub mod json;
pub mod live;
pub mod plan;
pub mod profile;
pub mod progress;
pub mod recap;
pub mod style;
pub mod text;

use std::io::{self, Write};

use crate::event::Event;
use answers::Answers;
pub use answers::Question;
use profile::Profile;
use progress::Progress;
use style::Palette;

/// Turns events into text.
pub trait Reporter {
    /// Appends what `event` adds to the output.
    fn event(&mut self, event: &Event, out: &mut String);
}

/// Who reads the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// A person.
    #[default]
    Human,
    /// A program: one event a line, as JSON.
    Json,
}

/// What is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Who reads.
    pub output: Output,
    /// How many `-v`: 1 shows values, 2 where tasks stand, 3 connections.
    pub verbosity: u8,
    /// Show only what changed or failed.
    pub quiet: bool,
    /// Show differences; a plan always does.
    pub diff: bool,
    /// End with where the time went.
    pub profile: bool,
    /// Not a run of playbooks, but a single question to hosts.
    pub question: Option<Question>,
}

/// Shows a run on standard output, and its progress on standard error.
pub struct Report {
    reporter: Box<dyn Reporter>,
    progress: Progress,
    is_closed: bool,
}

impl Report {
    /// The report that `options` ask for.
    pub fn new(options: Options) -> Self {
        let reporter: Box<dyn Reporter> = match (options.output, options.question) {
            (Output::Json, _) => Box::new(json::Lines { profile: options.profile.then(Profile::default) }),
            (Output::Human, None) => Box::new(human::Human::new(options, Palette::stdout())),
            (Output::Human, Some(question)) => Box::new(Answers::new(question, options, Palette::stdout())),
        };
        Report::with(reporter)
    }

    /// A report by another reporter.
    pub fn with(reporter: Box<dyn Reporter>) -> Self {
        Report { reporter, progress: Progress::new(), is_closed: false }
    }

    /// Shows an event.
    pub fn event(&mut self, event: &Event) {
        self.progress.event(event);
        let mut text = String::new();
        self.reporter.event(event, &mut text);
        if text.is_empty() || self.is_closed {
            return;
        }
        let written = self.progress.suspend(|| {
            let mut out = io::stdout().lock();
            out.write_all(text.as_bytes()).and_then(|()| out.flush())
        });
        // Whoever read the output has gone (`| head`), or the disk is full: nobody could read of it here.
        self.is_closed = written.is_err();
    }

    /// Whether nobody reads the output any more.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }
}
