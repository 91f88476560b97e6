//! The end of a plan: the steps that would change something, and those that cannot be known before.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::failures::place;
use super::style::{Paint, Palette};
use super::text::{clean, counted};
use crate::event::{Status, TaskResult};
use crate::protocol::Position;

/// What a plan found, by step.
#[derive(Debug, Default)]
pub struct Plan {
    steps: BTreeMap<Position, Step>,
}

#[derive(Debug, Default)]
struct Step {
    title: String,
    changing: Vec<String>,
    unknown: Vec<String>,
    reasons: Vec<String>,
}

impl Plan {
    /// Takes up a result.
    pub fn add(&mut self, result: &TaskResult) {
        let step = self.steps.entry(result.task.position.clone()).or_default();
        if step.title.is_empty() {
            step.title = clean(&result.task.title()).replace('\n', " ");
        }
        let list = match result.status {
            Status::Changed => &mut step.changing,
            Status::Unknown => {
                step.reasons.extend(result.warnings.iter().cloned());
                &mut step.unknown
            }
            _ => return,
        };
        let place = place(result);
        if !list.contains(&place) {
            list.push(place);
        }
    }

    /// The section at the end of a plan.
    pub fn render(&self, palette: Palette) -> String {
        let mut out = format!("\n{}\n", palette.paint(Paint::Bold, "PLAN"));
        for step in self.steps.values() {
            if !step.changing.is_empty() {
                let word = palette.paint(Paint::Yellow, "would change");
                let _ = writeln!(out, "  {word}: {}: {}", step.title, step.changing.join(", "));
            }
            if !step.unknown.is_empty() {
                let word = palette.paint(Paint::Magenta, "unknown");
                let _ = writeln!(out, "  {word}: {}: {}{}", step.title, step.unknown.join(", "), step.why());
            }
        }
        let changing = self.steps.values().filter(|step| !step.changing.is_empty()).count();
        let unknown = self.steps.values().filter(|step| step.changing.is_empty() && !step.unknown.is_empty()).count();
        let rest = self.steps.len() - changing - unknown;
        let _ = match changing {
            0 => write!(out, "No step would change anything"),
            count => write!(out, "{} would change something", counted(count, "step")),
        };
        if unknown > 0 {
            let _ = write!(out, ", {} can be known only when applied", counted(unknown, "step"));
        }
        let _ = match rest {
            0 => writeln!(out, "."),
            1 => writeln!(out, ", 1 step has nothing to do."),
            count => writeln!(out, ", {count} steps have nothing to do."),
        };
        out
    }
}

impl Step {
    fn why(&self) -> String {
        let mut reasons: Vec<&str> = self.reasons.iter().map(String::as_str).collect();
        reasons.dedup();
        match reasons.is_empty() {
            true => String::new(),
            false => format!(" ({})", clean(&reasons.join("; "))),
        }
    }
}
