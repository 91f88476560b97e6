//! Files are complete beside their places, then take them together.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::{Performer, program_failed};
use crate::change::{Attributes, WriteFile};
use crate::failure::{During, Failure};
use crate::system::{Command, Content, FileKind, Output, Stat};

/// A file that is complete beside its place.
pub(super) struct Pending {
    temp: PathBuf,
    pub(super) path: PathBuf,
    backup: Option<PathBuf>,
    unsafe_writes: bool,
}

impl Performer<'_> {
    /// Its output holds the name of the backup, if one is kept: the module that is asked again returns it.
    pub(super) fn write(&mut self, write: &WriteFile) -> Result<Output, Failure> {
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
        // Ansible's name for the exit status is another one here, and the command line is not told.
        let mut failure = program_failed("the new content is refused by `validate`", &output).argument("validate");
        failure.values.retain(|name, _| name != "cmd" && name != "rc");
        Err(failure.with("exit_status", output.rc))
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
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
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
}

fn kept(backup: Option<&Path>) -> Output {
    let name = backup.map(|path| path.to_string_lossy().into_owned().into_bytes());
    Output { stdout: name.unwrap_or_default(), ..Output::default() }
}

/// Where a new file cannot take the place of the old one, but the old one may be written.
fn refuses_renames(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    let refusals = [Errno::BUSY, Errno::PERM, Errno::ACCESS, Errno::XDEV, Errno::TXTBSY, Errno::ROFS];
    refusals.iter().any(|errno| code == Some(errno.raw_os_error()))
}
