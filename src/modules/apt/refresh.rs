//! Refreshing the package lists, again and again if need be.

use super::Args;
use crate::change::{Act, Action};
use crate::failure::Failure;
use crate::modules::apt::run;
use crate::probe::apt;
use crate::system::{Command, Output, System};

/// Whether this is what a refresh left behind.
pub fn is_refresh(output: &Output) -> bool {
    run::verb(output) == Some("update")
}

impl Args {
    /// What refreshes the lists; nothing if they are new enough, or have just been refreshed.
    pub(super) fn refresh(&self, system: &dyn System, done: &[Output]) -> Result<Option<Vec<Action>>, Failure> {
        let tries: Vec<&Output> = done.iter().filter(|output| is_refresh(output)).collect();
        let Some(last) = tries.last() else {
            let new = apt::lists_time(system)?.is_some_and(|time| self.is_new(system.now() - time));
            let wanted = self.update_cache == Some(true) || self.cache_valid_time > 0;
            let began = done.iter().any(run::is_job);
            return Ok((wanted && !new && !began).then(|| update(None)));
        };
        if last.ok() {
            return note_time(system, last);
        }
        match self.wait(&tries) {
            Some(seconds) => Ok(Some(update(Some(seconds)))),
            None => Err(failed(last, tries.len())),
        }
    }

    fn is_new(&self, age: f64) -> bool {
        age < self.cache_valid_time as f64
    }

    /// How many seconds to wait before the next try; `None`: it has been tried often enough.
    fn wait(&self, tries: &[&Output]) -> Option<u64> {
        let last = tries.last()?;
        if last.refused.is_some() {
            return None;
        }
        if is_locked(last) {
            let waited = tries.first().map_or(0, |first| last.started - first.started) / 1_000_000_000;
            return (waited < i128::from(self.lock_timeout)).then_some(1);
        }
        let failed = tries.iter().filter(|output| !is_locked(output)).count() as u32;
        let delay = 2u64.saturating_pow(failed - 1).min(self.update_cache_retry_max_delay.into());
        (failed < self.update_cache_retries).then_some(delay)
    }
}

fn is_locked(output: &Output) -> bool {
    output.errors().contains("Could not get lock")
}

/// Where there was nothing new to fetch, apt leaves the folder's time as it was, and the lists would look old.
fn note_time(system: &dyn System, refresh: &Output) -> Result<Option<Vec<Action>>, Failure> {
    let began = refresh.started as f64 / 1e9;
    let old = apt::lists_time(system)?.is_some_and(|time| time < began);
    let now = Some(system.now());
    let touch = Act::SetTimes { path: apt::lists_folder().to_owned(), atime: now, mtime: now };
    Ok((old && !refresh.planned).then(|| vec![Action::housekeeping(touch)]))
}

/// Refreshes the lists, after a wait.
fn update(wait: Option<u64>) -> Vec<Action> {
    let mut actions = Vec::new();
    if let Some(seconds) = wait {
        let sleep = Command::new(["sleep".to_owned(), seconds.to_string()]);
        actions.push(Action::housekeeping(Act::Run(sleep)).expect(Output::default()));
    }
    // Without the option a source that does not answer is only a warning.
    let words = ["apt-get", "-q", "-o", "APT::Update::Error-Mode=any", "update"];
    let command = run::quiet(Command::new(words));
    let update = Action::housekeeping(Act::Run(command)).expect(Output::default());
    actions.push(update.settles(apt::refreshed_subject(), true));
    actions
}

fn failed(output: &Output, tries: usize) -> Failure {
    let lines: Vec<String> = output.errors().lines().filter(|line| line.starts_with("E:")).map(str::to_owned).collect();
    let said = if lines.is_empty() { output.errors() } else { lines.join("\n") };
    let times = if tries == 1 { String::new() } else { format!(" after {tries} tries") };
    let reason = output.refused.clone().unwrap_or(said);
    Failure::new(format!("cannot refresh the package lists{times}: {}", reason.trim()))
        .argument("update_cache")
        .with("rc", output.rc)
        .with("stdout", output.text())
        .with("stderr", output.errors())
}
