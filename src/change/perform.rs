//! Carries out actions, the same way on every machine: the real one, the predicted one, the fake one.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::diff::{Diff, diffs};
use super::{Act, Action, Attributes, WriteFile};
use crate::failure::{During, Failure, plain};
use crate::system::{Command, Content, FileKind, Machine, Output, Stat, Stream, System};

/// Who watches over a call while it is carried out.
pub trait Watch {
    /// There is something to do: may it be done? Blocks until it may.
    fn ask(&mut self) -> Leave {
        Leave::Now
    }

    /// A program prints something.
    fn live(&mut self, stream: Stream, bytes: &[u8]) {
        let _ = (stream, bytes);
    }

    /// Why no further action may begin, if so.
    fn stopped(&self) -> Option<&'static str> {
        None
    }

    /// An action is about to be carried out.
    fn about_to(&mut self, action: &Action) {
        let _ = action;
    }
}

/// The answer to [`Watch::ask`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// Go ahead.
    Now,
    /// Go ahead, but others may have changed the machine meanwhile: look again first.
    AfterAWait,
    /// The step was cancelled: forget it.
    Never,
}

/// Nobody watches.
pub struct Unwatched;

impl Watch for Unwatched {}

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

/// The name for a copy of `path` as it is now: `path.PID.YYYY-MM-DD@HH:MM:SS~`, as Ansible names backups.
pub fn backup_name(system: &dyn System, path: &Path) -> PathBuf {
    let now = jiff::Timestamp::from_second(system.now() as i64).unwrap_or_default();
    let now = system.time_zone().to_datetime(now).strftime("%Y-%m-%d@%H:%M:%S").to_string();
    let named = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}.{now}~"));
        PathBuf::from(name)
    };
    // Ansible's process id differs for each task: one agent may keep a second copy within a second.
    let is_free = |name: &PathBuf| !matches!(system.stat(name, false), Ok(Some(_)));
    (system.pid()..).map(named).find(is_free).unwrap_or_else(|| named(0))
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

/// A file that is complete beside its place.
struct Pending {
    temp: PathBuf,
    path: PathBuf,
    backup: Option<PathBuf>,
    unsafe_writes: bool,
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

    fn make_dir(&mut self, path: &Path, attributes: &Attributes) -> Result<(), Failure> {
        let mode = attributes.mode.unwrap_or(0o777 & !self.machine.umask());
        self.machine.make_dir(path, mode).during(|| format!("make the directory {}", path.display()))?;
        // The kernel does not give the sticky and set-id bits with mkdir, and chown takes them away.
        let wanted = Attributes { mode: Some(mode), ..attributes.clone() };
        let made = self.machine.stat(path, false).during(|| format!("look at {}", path.display()))?;
        self.set_attributes(path, &wanted, false, made.as_ref())
    }

    /// Gives what differs from `old`.
    fn set_attributes(
        &mut self,
        path: &Path,
        wanted: &Attributes,
        follow: bool,
        old: Option<&Stat>,
    ) -> Result<(), Failure> {
        let uid = wanted.uid.filter(|uid| old.is_none_or(|stat| stat.uid != *uid));
        let gid = wanted.gid.filter(|gid| old.is_none_or(|stat| stat.gid != *gid));
        if uid.is_some() || gid.is_some() {
            let set = self.machine.set_owner(path, uid, gid, follow);
            set.during(|| format!("give {} {}", path.display(), owner(uid, gid)))?;
        }
        // After a change of owner the kernel may have taken set-id bits away.
        let set_id = |stat: &Stat| (uid.is_some() || gid.is_some()) && stat.mode & 0o6000 != 0;
        let mode = wanted.mode.filter(|mode| old.is_none_or(|stat| stat.mode != *mode || set_id(stat)));
        let mode = mode.or_else(|| old.filter(|stat| set_id(stat)).map(|stat| stat.mode));
        match mode {
            Some(mode) if follow || old.is_none_or(|stat| stat.kind != FileKind::Link) => {
                let set = self.machine.set_mode(path, mode);
                set.during(|| format!("set the mode of {} to {mode:04o}", path.display()))
            }
            _ => Ok(()),
        }
    }

    fn remove(&mut self, path: &Path) -> Result<(), Failure> {
        let stat = self.machine.stat(path, false).during(|| format!("look at {}", path.display()))?;
        let removed = match stat.map(|stat| stat.kind) {
            None => Ok(()),
            Some(FileKind::Dir) => self.machine.remove_tree(path),
            Some(_) => self.machine.remove(path),
        };
        removed.during(|| format!("remove {}", path.display()))
    }

    /// Makes a link beside its place and renames it, so that there is never nothing.
    fn link(&mut self, path: &Path, make: impl Fn(&mut dyn Machine, &Path) -> io::Result<()>) -> Result<(), Failure> {
        let what = || format!("make the link {}", path.display());
        match make(self.machine, path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => return made.during(what),
        }
        let temp = self.temp_name(path)?;
        make(self.machine, &temp).during(what)?;
        let renamed = self.machine.rename(&temp, path);
        // Renaming one name of a file onto another name of the same file does nothing and leaves both.
        let _ = self.machine.remove(&temp);
        renamed.during(what)
    }

    /// Its output holds the name of the backup, if one is kept: the module that is asked again returns it.
    fn write(&mut self, write: &WriteFile) -> Result<Output, Failure> {
        let path = &write.path;
        let old = self.machine.stat(path, false).during(|| format!("look at {}", path.display()))?;
        let temp = self.temp_name(path)?;
        match self.machine.create(&temp, &write.content, 0o600) {
            Ok(()) => {}
            Err(error) if write.unsafe_writes && old.is_some() && refuses_renames(&error) => {
                return self.write_in_place(write).map(|()| kept(write.backup.as_deref()));
            }
            Err(error) => {
                let _ = self.machine.remove(&temp);
                return Err(error).during(|| format!("write {}", path.display()));
            }
        }
        let finished = self.finish(write, &temp, old.as_ref());
        if finished.is_err() {
            let _ = self.machine.remove(&temp);
        }
        finished?;
        let backup = write.backup.clone().filter(|_| old.is_some());
        let output = kept(backup.as_deref());
        self.pending.push(Pending { temp, path: path.clone(), backup, unsafe_writes: write.unsafe_writes });
        Ok(output)
    }

    /// Gives the new file what it must have before anybody sees it, and has it checked.
    fn finish(&mut self, write: &WriteFile, temp: &Path, old: Option<&Stat>) -> Result<(), Failure> {
        let path = &write.path;
        let old = old.filter(|stat| stat.kind == FileKind::File);
        let made = self.machine.stat(temp, false).during(|| format!("look at {}", temp.display()))?;
        if let Some(stat) = old {
            self.machine.keep_attributes(path, temp).during(|| format!("keep the attributes of {}", path.display()))?;
            let differs = made.as_ref().is_none_or(|made| (made.uid, made.gid) != (stat.uid, stat.gid));
            if differs {
                // Who may not give files away keeps the group alone if that is possible, as Ansible does.
                let given = self.machine.set_owner(temp, Some(stat.uid), Some(stat.gid), false);
                let _ = given.or_else(|_| self.machine.set_owner(temp, None, Some(stat.gid), false));
            }
        }
        let mode = write.attributes.mode.or(old.map(|stat| stat.mode)).unwrap_or(0o666 & !self.machine.umask());
        let wanted = Attributes { mode: Some(mode), ..write.attributes.clone() };
        let now = self.machine.stat(temp, false).during(|| format!("look at {}", temp.display()))?;
        self.set_attributes(temp, &wanted, false, now.as_ref()).map_err(|mut failure| {
            failure.message = failure.message.replace(&*temp.to_string_lossy(), &path.to_string_lossy());
            failure
        })?;
        match &write.validate {
            Some(argv) if self.machine.is_real() => self.validate(argv, temp),
            _ => Ok(()),
        }
    }

    fn validate(&mut self, argv: &[String], file: &Path) -> Result<(), Failure> {
        let argv: Vec<String> = argv.iter().map(|word| word.replace("%s", &file.to_string_lossy())).collect();
        let output = self.run(&Command { c_locale: true, ..Command::new(argv) });
        if output.ok() && output.refused.is_none() {
            return Ok(());
        }
        Err(program_failed("the new content is refused by `validate`", &output).argument("validate"))
    }

    fn write_in_place(&mut self, write: &WriteFile) -> Result<(), Failure> {
        let path = &write.path;
        if let Some(backup) = &write.backup {
            self.copy(path, backup)?;
        }
        self.machine.overwrite(path, &write.content).during(|| format!("write {} in place", path.display()))?;
        let old = self.machine.stat(path, true).during(|| format!("look at {}", path.display()))?;
        self.set_attributes(path, &write.attributes, true, old.as_ref())?;
        self.machine.sync(std::slice::from_ref(path)).during(|| format!("write {}", path.display()))
    }

    /// Lets all complete files take their places.
    fn flush(&mut self) -> Result<(), Failure> {
        let files = std::mem::take(&mut self.pending);
        if files.is_empty() {
            return Ok(());
        }
        let temps: Vec<PathBuf> = files.iter().map(|file| file.temp.clone()).collect();
        let mut result = self.machine.sync(&temps).during(|| format!("write {}", files[0].path.display()));
        for file in &files {
            if result.is_ok() {
                result = self.place(file);
            }
            if result.is_err() {
                let _ = self.machine.remove(&file.temp);
            }
        }
        let dirs: HashSet<&Path> = files.iter().filter_map(|file| file.path.parent()).collect();
        let dirs: Vec<PathBuf> = dirs.into_iter().map(Path::to_owned).collect();
        // A directory that one may write into but not read cannot be synced; the file is in its place all the same.
        let _ = self.machine.sync(&dirs);
        result
    }

    fn place(&mut self, file: &Pending) -> Result<(), Failure> {
        if let Some(backup) = &file.backup {
            // The old file itself under a second name: it keeps all that it had. Where that is refused, a copy.
            if file.unsafe_writes || self.machine.hard_link(&file.path, backup).is_err() {
                self.copy(&file.path, backup)?;
            }
        }
        match self.machine.rename(&file.temp, &file.path) {
            Err(error) if file.unsafe_writes && refuses_renames(&error) => {
                let written = self.machine.overwrite(&file.path, &Content::File(file.temp.clone()));
                let _ = self.machine.remove(&file.temp);
                written.during(|| format!("write {} in place", file.path.display()))
            }
            Err(error) if error.raw_os_error() == Some(Errno::BUSY.raw_os_error()) => Err(Failure::new(format!(
                "cannot replace {}: it is busy (a bind mount?); `unsafe_writes: true` writes it in place",
                file.path.display()
            ))),
            renamed => renamed.during(|| format!("replace {}", file.path.display())),
        }
    }

    fn copy(&mut self, from: &Path, to: &Path) -> Result<(), Failure> {
        let what = || format!("keep a backup of {}", from.display());
        let Some(stat) = self.machine.stat(from, true).during(what)? else { return Ok(()) };
        self.machine.create(to, &Content::File(from.to_owned()), 0o600).during(what)?;
        self.machine.keep_attributes(from, to).during(what)?;
        let _ = self.machine.set_owner(to, Some(stat.uid), Some(stat.gid), false);
        self.machine.set_mode(to, stat.mode).during(what)?;
        self.machine.set_times(to, Some(stat.atime), Some(stat.mtime), false).during(what)
    }

    /// A name beside `path` that no other run uses. What killed runs have left for `path` is removed.
    fn temp_name(&mut self, path: &Path) -> Result<PathBuf, Failure> {
        let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Failure::new(format!("{} cannot be written: it has no name", path.display())));
        };
        if self.swept.insert(dir.to_owned()) {
            self.sweep(dir);
        }
        let mut temp = OsString::from(".");
        temp.push(shortened(name));
        // The letter tells it from names that modules have from `System::temporary`.
        temp.push(format!("{MARK}{}-w{}", self.machine.pid(), next_number()));
        Ok(dir.join(temp))
    }

    /// Removes temporary files whose agent does not run any more.
    fn sweep(&mut self, dir: &Path) {
        for name in self.machine.list(dir).ok().flatten().unwrap_or_default() {
            let text = name.to_string_lossy();
            let Some((_, rest)) = text.rsplit_once(MARK).filter(|_| text.starts_with('.')) else { continue };
            let Some(pid) = rest.split('-').next().and_then(|pid| pid.parse::<u32>().ok()) else { continue };
            let alive = pid == self.machine.pid()
                || self.machine.stat(Path::new(&format!("/proc/{pid}")), true).is_ok_and(|stat| stat.is_some());
            if !alive {
                let _ = self.machine.remove(&dir.join(&name));
            }
        }
    }
}

fn kept(backup: Option<&Path>) -> Output {
    let name = backup.map(|path| path.to_string_lossy().into_owned().into_bytes());
    Output { stdout: name.unwrap_or_default(), ..Output::default() }
}

/// Between the name of a file and the process id, in the names of temporary files.
const MARK: &str = ".wodctl-";

/// What is left of a program that could not be started, or of an address that did not answer.
fn refused(error: &io::Error) -> Output {
    Output { rc: error.raw_os_error().unwrap_or(2), refused: Some(plain(error)), ..Output::default() }
}

fn next_number() -> u64 {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

/// File names are at most 255 bytes long: leaves room for what is added.
fn shortened(name: &std::ffi::OsStr) -> OsString {
    match name.len() {
        0..=200 => name.to_owned(),
        _ => name.to_string_lossy().chars().take(50).collect::<String>().into(),
    }
}

fn owner(uid: Option<u32>, gid: Option<u32>) -> String {
    match (uid, gid) {
        (Some(uid), Some(gid)) => format!("to user {uid} and group {gid}"),
        (Some(uid), None) => format!("to user {uid}"),
        (None, Some(gid)) => format!("to group {gid}"),
        (None, None) => "to the same owner".to_owned(),
    }
}

/// Where a new file cannot take the place of the old one, but the old one may be written.
fn refuses_renames(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    let refusals = [Errno::BUSY, Errno::PERM, Errno::ACCESS, Errno::XDEV, Errno::TXTBSY, Errno::ROFS];
    refusals.iter().any(|errno| code == Some(errno.raw_os_error()))
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
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::sync::Arc;

    use super::*;
    use crate::system::local::{Local, Nothing};

    fn write(path: PathBuf, text: &str) -> WriteFile {
        WriteFile {
            path,
            content: Content::Bytes(text.into()),
            attributes: Attributes::default(),
            backup: None,
            validate: None,
            unsafe_writes: false,
            diff: true,
        }
    }

    fn act(actions: Vec<Act>) -> Result<Performed, Failure> {
        let mut machine = Local::new(Arc::new(Nothing), Arc::default());
        let mut done = Performed::default();
        let actions: Vec<Action> = actions.into_iter().map(Action::change).collect();
        perform(&mut machine, &actions, true, &mut Unwatched, &mut done).map(|()| done)
    }

    fn put(write: WriteFile) -> Act {
        Act::WriteFile(Box::new(write))
    }

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_and_keeps_what_it_had() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let before = fs::metadata(&path).unwrap();
        let backup = dir.path().join("a.bak");
        let done = act(vec![put(WriteFile { backup: Some(backup.clone()), ..write(path.clone(), "new") })]).unwrap();
        let after = fs::metadata(&path).unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap(), after.mode() & 0o777), ("new".into(), 0o640));
        assert_ne!(before.ino(), after.ino());
        assert_eq!((fs::read_to_string(&backup).unwrap(), names(dir.path()).len()), ("old".into(), 2));
        assert!(done.changed && done.diffs.len() == 1);
    }

    #[test]
    fn what_validate_refuses_never_takes_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, "old").unwrap();
        let validate = |argv: &[&str]| Some(argv.iter().map(|word| (*word).to_owned()).collect());
        let refused =
            WriteFile { validate: validate(&["sh", "-c", "echo bad >&2; false", "%s"]), ..write(path.clone(), "x") };
        let failure = act(vec![put(refused)]).unwrap_err();
        assert_eq!(failure.argument.as_deref(), Some("validate"));
        assert!(failure.message.ends_with("bad") && failure.values["rc"] == 1.into());
        assert_eq!((fs::read_to_string(&path).unwrap(), names(dir.path())), ("old".into(), vec!["a".to_owned()]));
        let taken = WriteFile { validate: validate(&["grep", "-q", "new", "%s"]), ..write(path.clone(), "new") };
        act(vec![put(taken)]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }

    #[test]
    fn files_of_one_list_are_in_place_before_a_program_looks() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let run = Command::new(["cat", "sub/a", "b"]).cwd(dir.path());
        let sub = Act::MakeDir { path: at("sub"), attributes: Attributes { mode: Some(0o2775), ..Default::default() } };
        let actions = vec![sub, put(write(at("sub/a"), "1")), put(write(at("b"), "2")), Act::Run(run)];
        let done = act(actions).unwrap();
        assert_eq!((done.outputs[3].text(), done.outputs.len()), ("12".into(), 4));
        assert_eq!(fs::metadata(at("sub")).unwrap().mode() & 0o7777, 0o2775);
    }

    #[test]
    fn what_killed_runs_have_left_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at(".a.wodctl-4194303-0"), "half").unwrap();
        fs::write(at(&format!(".b.wodctl-{}-0", std::process::id())), "ours").unwrap();
        act(vec![put(write(at("a"), "new"))]).unwrap();
        assert_eq!(names(dir.path()), [format!(".b.wodctl-{}-0", std::process::id()), "a".to_owned()]);
    }

    #[test]
    fn links_replace_what_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("a"), "1").unwrap();
        fs::write(at("b"), "2").unwrap();
        let links = vec![
            Act::Symlink { path: at("b"), target: "a".into() },
            Act::HardLink { path: at("c"), target: at("a") },
            Act::HardLink { path: at("c"), target: at("a") },
        ];
        act(links).unwrap();
        assert_eq!((fs::read_link(at("b")).unwrap(), fs::metadata(at("a")).unwrap().nlink()), ("a".into(), 2));
        assert_eq!(names(dir.path()), ["a", "b", "c"]);
    }

    #[test]
    fn a_failing_program_ends_the_list() {
        let dir = tempfile::tempdir().unwrap();
        let mut machine = Local::new(Arc::new(Nothing), Arc::default());
        let mut done = Performed::default();
        let actions = [
            Action::run(Command::new(["sh", "-c", "echo no >&2; exit 4"]), "cannot do it"),
            Action::change(put(write(dir.path().join("a"), "x"))),
        ];
        let failure = perform(&mut machine, &actions, false, &mut Unwatched, &mut done).unwrap_err();
        assert_eq!((&*failure.message, &failure.values["rc"]), ("cannot do it: no", &4.into()));
        assert!(names(dir.path()).is_empty());
        let missing = [Action::run(Command::new(["no-such-program"]), "cannot do it")];
        let failure = perform(&mut machine, &missing, false, &mut Unwatched, &mut done).unwrap_err();
        assert_eq!(failure.message, "cannot do it: no-such-program: no such file or directory");
    }

    #[test]
    fn backups_are_named_after_the_moment() {
        let fake = crate::system::fake::Fake::new();
        let first = backup_name(&fake, Path::new("/etc/a"));
        assert_eq!(first, Path::new("/etc/a.1.2027-01-15@08:00:00~"));
        let fake = fake.file(first, "");
        assert_eq!(backup_name(&fake, Path::new("/etc/a")), Path::new("/etc/a.2.2027-01-15@08:00:00~"));
    }
}
