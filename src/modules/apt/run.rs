//! Running `apt-get`: the words that all runs share, what a plan settles by one, and what went wrong.

use std::path::{Path, PathBuf};

use super::{Args, aside};
use crate::change::{Act, Action, Attributes, WriteFile};
use crate::failure::{During, Failure};
use crate::map;
use crate::modules::printed;
use crate::probe::{apt, dpkg};
use crate::system::{Command, Content, Output, Subject, System};
use crate::value::{Map, Value};

const POLICY: &str = "/usr/sbin/policy-rc.d";
const OLD_POLICY: &str = "/usr/sbin/policy-rc.d.wodctl-saved";

/// One run of `apt-get`.
pub struct Job {
    words: Vec<String>,
    settles: Vec<(Subject, Value)>,
}

impl Job {
    /// A run of which nobody knows what it will do.
    pub fn plain(words: Vec<String>) -> Job {
        Job { words, settles: Vec::new() }
    }

    /// A run that will do this.
    pub fn of(words: Vec<String>, simulation: apt::Simulation) -> Job {
        let mut settles = Vec::new();
        for (name, version) in simulation.installs {
            settles.push((Subject::Package(name), version.into()));
        }
        for name in simulation.removes {
            settles.push((Subject::Package(name), Value::Null));
        }
        Job { words, settles }
    }

    /// A run that installs these, in versions that nobody knows yet.
    pub fn installing(words: Vec<String>, names: impl IntoIterator<Item = String>) -> Job {
        Job { words, settles: names.into_iter().map(|name| (Subject::Package(name), "".into())).collect() }
    }

    /// The action. Whether it succeeded is judged when the module is asked again.
    pub fn action(self) -> Action {
        let words = std::iter::once("apt-get".to_owned()).chain(self.words);
        // A transaction is never killed half-way.
        let command = Command { drain: true, ..quiet(Command::new(words)) };
        let mut action = Action::change(Act::Run(command)).expect(Output::default());
        let installs = self.settles.iter().any(|(_, value)| *value != Value::Null);
        action.settles = self.settles;
        if installs { action.settles(dpkg::planned_subject(), true) } else { action }
    }
}

/// Nobody is there to answer questions.
pub fn quiet(command: Command) -> Command {
    command.env("DEBIAN_FRONTEND", "noninteractive").env("DEBIAN_PRIORITY", "critical")
}

/// Which of its jobs `apt-get` was run for.
pub fn verb(output: &Output) -> Option<&str> {
    const VERBS: [&str; 9] =
        ["update", "install", "remove", "upgrade", "dist-upgrade", "build-dep", "autoremove", "autoclean", "clean"];
    let (program, words) = output.argv.split_first()?;
    (program == "apt-get").then(|| words.iter().map(String::as_str).find(|word| VERBS.contains(word))).flatten()
}

/// Whether this is what a change of packages left behind.
pub fn is_job(output: &Output) -> bool {
    verb(output).is_some_and(|verb| verb != "update")
}

/// Whether this is what dpkg left behind when it finished what it had begun.
pub fn is_repair(output: &Output) -> bool {
    output.argv.first().is_some_and(|program| program == "dpkg") && output.argv.iter().any(|word| word == "--configure")
}

impl Args {
    /// The words that come before the verb.
    pub(super) fn common(&self) -> Vec<String> {
        let mut words = vec!["-y".to_owned()];
        let mut option = |text: String| words.extend(["-o".to_owned(), text]);
        for name in self.dpkg_options() {
            option(format!("Dpkg::Options::=--{name}"));
        }
        option(format!("DPkg::Lock::Timeout={}", self.lock_timeout));
        if let Some(wanted) = self.install_recommends {
            option(format!("APT::Install-Recommends={}", if wanted { "yes" } else { "no" }));
        }
        let mut flag = |wanted: bool, word: &str| words.extend(wanted.then(|| word.to_owned()));
        flag(self.fail_on_autoremove, "--no-remove");
        flag(self.allow_unauthenticated || self.force, "--allow-unauthenticated");
        flag(self.allow_downgrade || self.force, "--allow-downgrades");
        flag(self.allow_change_held_packages || self.force, "--allow-change-held-packages");
        flag(self.force, "--allow-remove-essential");
        if let Some(release) = &self.default_release {
            words.extend(["-t".to_owned(), release.clone()]);
        }
        words
    }
}

/// Has `policy-rc.d` answer `code` meanwhile, and puts back what was there.
pub fn with_policy(system: &dyn System, code: Option<i64>, actions: Vec<Action>) -> Result<Vec<Action>, Failure> {
    let Some(code) = code else { return Ok(actions) };
    let there = system.stat(Path::new(POLICY), false).during(|| format!("look at {POLICY}"))?.is_some();
    let (path, saved) = (PathBuf::from(POLICY), PathBuf::from(OLD_POLICY));
    let mut all = Vec::new();
    if there {
        all.push(aside(Act::Rename { from: path.clone(), to: saved.clone() }));
    }
    all.push(aside(Act::WriteFile(Box::new(WriteFile {
        path: path.clone(),
        content: Content::Bytes(format!("#!/bin/sh\nexit {code}\n").into_bytes()),
        attributes: Attributes { mode: Some(0o755), ..Attributes::default() },
        backup: None,
        validate: None,
        unsafe_writes: false,
        diff: false,
    }))));
    all.extend(actions);
    all.push(match there {
        true => aside(Act::Rename { from: saved, to: path }),
        false => aside(Act::Remove { path }),
    });
    Ok(all)
}

/// What is returned of the runs.
pub fn values(jobs: &[Output]) -> Map {
    if jobs.iter().any(|output| output.planned) {
        return unknown_values();
    }
    let mut values = map! { "stdout" => "", "stderr" => "" };
    printed::add_printed(&mut values, jobs);
    values
}

/// The same before anybody can know them.
pub fn unknown_values() -> Map {
    let unknown = || Value::Unknown(String::new());
    map! { "stdout" => unknown(), "stderr" => unknown() }
}

/// Why `apt-get` failed, for people.
pub fn explain(output: &Output, hint: &str) -> Failure {
    let (stdout, errors) = (output.text(), output.errors());
    let complaints: Vec<&str> = errors.lines().filter_map(|line| line.strip_prefix("E: ")).collect();
    let missing: Vec<String> = complaints.iter().filter_map(|line| missing_package(line)).collect();
    let message = if let Some(why) = &output.refused {
        format!("cannot run apt-get: {why}")
    } else if !missing.is_empty() {
        format!("{}: {hint}", missing.join("; "))
    } else if complaints.iter().any(|line| line.contains("Could not get lock")) {
        format!("another program holds the package database, and `lock_timeout` is over: {}", complaints.join("; "))
    } else {
        // What dpkg itself says is in the other output.
        let dpkg = stdout.lines().filter(|line| line.starts_with("dpkg: error"));
        let said: Vec<&str> = dpkg.chain(complaints.iter().copied()).collect();
        let said = if said.is_empty() { errors.trim().to_owned() } else { said.join("\n") };
        format!("`apt-get {}` failed: {said}", verb(output).unwrap_or("install"))
    };
    Failure::new(message)
        .with("cmd", output.argv.clone())
        .with("rc", output.rc)
        .with("stdout", stdout)
        .with("stderr", errors)
}

/// A complaint about a package that the lists do not hold, in a sentence.
fn missing_package(complaint: &str) -> Option<String> {
    let quoted = |text: &str| text.trim_matches(['\'', '"']).to_owned();
    if let Some(name) = complaint.strip_prefix("Unable to locate package ") {
        return Some(format!("no package `{}` is available", quoted(name)));
    }
    if let Some(rest) = complaint.strip_suffix(" has no installation candidate") {
        let name = rest.strip_prefix("Package ").unwrap_or(rest);
        return Some(format!("no package `{}` is available", quoted(name)));
    }
    let (version, name) = complaint.strip_prefix("Version ")?.strip_suffix(" was not found")?.split_once(" for ")?;
    Some(format!("no version `{}` of the package `{}` is available", quoted(version), quoted(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_become_sentences() {
        let say = |text: &str| missing_package(text).unwrap_or_default();
        assert_eq!(say("Unable to locate package nope"), "no package `nope` is available");
        assert_eq!(say("Package 'awk' has no installation candidate"), "no package `awk` is available");
        assert_eq!(say("Version '9*' for 'mawk' was not found"), "no version `9*` of the package `mawk` is available");
        assert_eq!(say("Something else"), "");
    }

    #[test]
    fn jobs_are_told_from_refreshes() {
        let output =
            |argv: &[&str]| Output { argv: argv.iter().map(|w| (*w).to_owned()).collect(), ..Output::default() };
        assert_eq!(verb(&output(&["apt-get", "-q", "-o", "x", "update"])), Some("update"));
        assert!(is_job(&output(&["apt-get", "-y", "install", "update"])));
        assert!(!is_job(&output(&["dpkg", "install"])) && !is_job(&Output::default()));
    }
}
