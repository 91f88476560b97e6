//! Carries out actions, the same way on every machine: the real one, the predicted one, the fake one.

mod entries;
mod files;
mod names;
mod watch;

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use self::files::Pending;
pub use self::names::backup_name;
pub use self::watch::{Leave, Unwatched, Watch};
use super::diff::{Diff, diffs};
use super::{Act, Action};
use crate::failure::{During, Failure, plain};
use crate::system::{Command, Content, Machine, Output, Stream};
/// What has been done so far in one call.
#[derive(Debug, Default)]
pub struct Performed {
    /// One for each action, in order.
    pub outputs: Vec<Output>,
    /// A change was among them.
    pub changed: bool,
    /// What changed, if it was asked for.
    pub diffs: Vec<Diff>,
    /// Some output is not known (the machine is a predicted one, and the action does not say what to expect).
    pub unknown: bool,
}

/// Carries out `actions` in order and notes what they did in `done`, also where one fails.
///
/// Files are written as a group: each is complete beside its place, all are made durable together, and only then take
/// their places, before the first action that could see them.
pub fn perform(
    machine: &mut dyn Machine,
    actions: &[Action],
    with_diffs: bool,
    watch: &mut dyn Watch,
    done: &mut Performed,
) -> Result<(), Failure> {
    let mut performer = Performer { machine, watch, pending: Vec::new(), swept: HashSet::new() };
    performer.prefetch(actions);
    let mut result = Ok(());
    for action in actions {
        result = performer.action(action, with_diffs, done);
        if result.is_err() {
            break;
        }
    }
    // Files that are complete take their places although a later action failed: their actions came before it.
    let flushed = performer.flush();
    result.and(flushed)
}

struct Performer<'a> {
    machine: &'a mut dyn Machine,
    watch: &'a mut dyn Watch,
    pending: Vec<Pending>,
    /// Directories in which leftovers of killed runs were looked for.
    swept: HashSet<PathBuf>,
}

impl Performer<'_> {
    fn prefetch(&mut self, actions: &[Action]) {
        let blobs: Vec<_> = actions
            .iter()
            .filter_map(|action| match &action.act {
                Act::WriteFile(write) => match &write.content {
                    Content::Blob(blob) => Some(blob.clone()),
                    _ => None,
                },
                _ => None,
            })
            .collect();
        if !blobs.is_empty() {
            self.machine.prefetch(&blobs);
        }
    }

    fn action(&mut self, action: &Action, with_diffs: bool, done: &mut Performed) -> Result<(), Failure> {
        if let Some(why) = self.watch.stopped() {
            return Err(Failure::new(format!("stopped: {why}")));
        }
        if self.must_flush(&action.act) {
            self.flush()?;
        }
        self.watch.about_to(action);
        if with_diffs && action.is_change {
            done.diffs.extend(diffs(self.machine, &action.act));
        }
        let output = self.act(action, &mut done.unknown)?;
        done.changed |= action.is_change;
        let failed = action.must_succeed.as_ref().filter(|_| !output.ok() || output.refused.is_some());
        let failure = failed.map(|message| program_failed(message, &output));
        done.outputs.push(output);
        for (subject, value) in &action.settles {
            self.machine.settle(subject.clone(), value.clone());
        }
        failure.map_or(Ok(()), Err)
    }

    /// Whether the action could see files that are not in their places yet.
    fn must_flush(&self, act: &Act) -> bool {
        let touches = |path: &Path| self.pending.iter().any(|file| file.path.starts_with(path) || file.path == path);
        match act {
            Act::WriteFile(write) => match &write.content {
                Content::File(from) => touches(&write.path) || touches(from),
                _ => touches(&write.path),
            },
            Act::MakeDir { path, .. } | Act::SetAttributes { path, .. } | Act::Symlink { path, .. } => touches(path),
            _ => true,
        }
    }

    fn act(&mut self, action: &Action, unknown: &mut bool) -> Result<Output, Failure> {
        match &action.act {
            Act::WriteFile(write) => return self.write(write),
            Act::MakeDir { path, attributes } => self.make_dir(path, attributes)?,
            Act::SetAttributes { path, attributes, follow } => {
                let old = self.machine.stat(path, *follow).during(|| format!("look at {}", path.display()))?;
                self.set_attributes(path, attributes, *follow, old.as_ref())?;
            }
            Act::SetTimes { path, atime, mtime } => {
                let set = self.machine.set_times(path, *atime, *mtime, true);
                set.during(|| format!("set the times of {}", path.display()))?;
            }
            Act::Symlink { path, target } => self.link(path, |machine, at| machine.symlink(target, at))?,
            Act::HardLink { path, target } => self.link(path, |machine, at| machine.hard_link(target, at))?,
            Act::Rename { from, to } => {
                let renamed = self.machine.rename(from, to);
                renamed.during(|| format!("rename {} to {}", from.display(), to.display()))?;
            }
            Act::Remove { path } => self.remove(path)?,
            Act::Run(_) | Act::Download(_) if !self.machine.is_real() => {
                *unknown |= action.expect.is_none();
                let mut output = Output { planned: true, ..action.expect.clone().unwrap_or_default() };
                if let Act::Run(command) = &action.act {
                    output.argv = command.argv.clone();
                }
                return Ok(output);
            }
            Act::Run(command) => return Ok(self.run(command)),
            Act::Download(request) => {
                // Like a program that cannot be started: the action says whether that fails the step.
                return Ok(self.machine.download(request).unwrap_or_else(|error| refused(&error)));
            }
        }
        Ok(Output::default())
    }

    /// A program that cannot be started is an output too: the action says whether that fails the step.
    fn run(&mut self, command: &Command) -> Output {
        let watch = &mut *self.watch;
        let mut live = |stream: Stream, bytes: &[u8]| watch.live(stream, bytes);
        let mut output = self.machine.run(command, &mut live).unwrap_or_else(|error| refused(&error));
        output.argv = command.argv.clone();
        output
    }
}

/// What is left of a program that could not be started, or of an address that did not answer.
fn refused(error: &io::Error) -> Output {
    Output { rc: error.raw_os_error().unwrap_or(2), refused: Some(plain(error)), ..Output::default() }
}

/// The failure of a step whose program failed, with Ansible's names for what it left.
pub fn program_failed(message: &str, output: &Output) -> Failure {
    let said = match &output.refused {
        Some(why) => output.argv.first().map_or_else(|| why.clone(), |program| format!("{program}: {why}")),
        None if output.timed_out => "its time was over".to_owned(),
        None if output.stderr.trim_ascii().is_empty() => output.text(),
        None => output.errors(),
    };
    let message = match said.trim() {
        "" => format!("{message} (exit status {})", output.rc),
        said => format!("{message}: {said}"),
    };
    Failure::new(message)
        .with("cmd", output.argv.clone())
        .with("rc", output.rc)
        .with("stdout", output.text())
        .with("stderr", output.errors())
}

#[cfg(test)]
mod tests;
