//! What happened in a run, in a form in which the runner, the model and Ansible can be compared.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::book::host_name;

/// What happened in a run. Everything is text, so that a difference can be read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    /// Effects in their order: task, host, item.
    pub effects: Vec<String>,
    /// How tasks ended, in their order: task, host, status.
    pub results: Vec<String>,
    /// For each host: ok, changed, unreachable, failed, skipped, rescued, ignored.
    pub recap: BTreeMap<String, [u32; 7]>,
    /// For each host: facts, and registered results in short.
    pub values: BTreeMap<String, BTreeMap<String, String>>,
}

/// Something that was changed on a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The number of the task.
    pub task: u32,
    /// The host that the task was for.
    pub host: usize,
    /// The item of its loop, or `-`.
    pub item: String,
    /// The host on which it was carried out.
    pub on: usize,
    /// A file was written; otherwise a command ran.
    pub is_file: bool,
}

impl std::fmt::Display for Effect {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "s{} {} {}", self.task, host_name(self.host), self.item)?;
        if self.is_file {
            f.write_str(" file")?;
        }
        if self.on != self.host {
            write!(f, " @{}", host_name(self.on))?;
        }
        Ok(())
    }
}

/// The order of entries that the strategy leaves open is made one: hosts do one step side by side under `linear`, and
/// everything under `free`.
pub fn in_order(entries: &[String], free: bool) -> Vec<String> {
    let task = |entry: &String| entry.split(' ').next().map(str::to_owned);
    let host = |entry: &String| entry.split(' ').nth(1).map(str::to_owned);
    let mut ordered = entries.to_vec();
    if free {
        ordered.sort_by_key(host);
        return ordered;
    }
    for step in ordered.chunk_by_mut(|one, next| task(one) == task(next)) {
        step.sort_by_key(host);
    }
    ordered
}

/// A registered result, as far as it is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Short {
    /// `failed`.
    pub failed: bool,
    /// `changed`.
    pub changed: bool,
    /// `skipped`.
    pub skipped: bool,
    /// `unreachable`.
    pub lost: bool,
    /// `stdout`.
    pub stdout: Option<String>,
    /// `content`, in plain text.
    pub content: Option<String>,
    /// The fact that was set.
    pub fact: Option<String>,
    /// `attempts`.
    pub attempts: Option<u32>,
    /// `failed_when_result`.
    pub judged: Option<bool>,
    /// `results`.
    pub results: Option<Vec<Short>>,
}

impl std::fmt::Display for Short {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let mut words = Vec::new();
        for (is_set, word) in
            [(self.failed, "failed"), (self.changed, "changed"), (self.skipped, "skipped"), (self.lost, "unreachable")]
        {
            words.extend(is_set.then(|| word.to_owned()));
        }
        words.extend(self.stdout.iter().map(|stdout| format!("stdout={stdout}")));
        words.extend(self.attempts.iter().map(|attempts| format!("attempts={attempts}")));
        if let Some(results) = &self.results {
            let results: Vec<String> = results.iter().map(Short::to_string).collect();
            words.push(format!("[{}]", results.join("; ")));
        }
        if words.is_empty() {
            words.push("ok".to_owned());
        }
        f.write_str(&words.join(" "))
    }
}
