//! A lock on the machine, held as long as the process lives.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::io::Errno;

use super::{Local, door};
use crate::system::{FileKind, System};

/// The lock, as long as this is kept.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "it is enough that it is open")] File);

/// Why it could not be taken.
#[derive(Debug)]
pub enum Refused {
    /// Somebody has it, who says this.
    Held(String),
    /// It cannot be had here at all.
    Failed(String),
}

/// Takes the lock of the machine, or of the user who is not root, for a run, and writes `who` into it. A run that has it
/// already, as the same machine under another name, has it.
pub fn take(local: &Local, run: &str, who: &str) -> Result<Lock, Refused> {
    let mut last = io::Error::from(Errno::NOENT);
    for path in places(local) {
        match open(&path) {
            Ok(file) => return hold(file, local, run, who),
            Err(error) => last = error,
        }
    }
    Err(Refused::Failed(format!("no lock can be made on this host: {last}")))
}

fn hold(mut file: File, local: &Local, run: &str, who: &str) -> Result<Lock, Refused> {
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::AGAIN) => {
            let (its_run, holder) = holder(&file);
            return if its_run == run { Ok(Lock(file)) } else { Err(Refused::Held(holder)) };
        }
        Err(error) => return Err(Refused::Failed(format!("the lock of this host cannot be taken: {error}"))),
    }
    let since = jiff::Timestamp::from_second(local.now() as i64).unwrap_or_default();
    let since = local.time_zone().to_datetime(since).strftime("%Y-%m-%d %H:%M:%S");
    let said = format!("{run}\n{who}, since {since}, process {}\n", local.pid());
    let written = file.set_len(0).and_then(|()| file.write_all(said.as_bytes()));
    written
        .map(|()| Lock(file))
        .map_err(|error| Refused::Failed(format!("the lock of this host cannot be written: {error}")))
}

/// The run that has the lock, and what it says of itself. It may not have written that yet.
fn holder(file: &File) -> (String, String) {
    for _ in 0..10 {
        let mut said = [0; 1024];
        let got = file.read_at(&mut said, 0).unwrap_or(0);
        let said = String::from_utf8_lossy(&said[..got]).into_owned();
        if let Some((run, who)) = said.split_once('\n').filter(|(_, who)| who.ends_with('\n')) {
            return (run.to_owned(), who.trim().to_owned());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    (String::new(), "it does not say who it is".to_owned())
}

/// Where the lock may lie, the best place first.
fn places(local: &Local) -> Vec<PathBuf> {
    let identity = local.identity();
    if identity.uid == 0 {
        return vec!["/run/wodctl.lock".into(), "/var/run/wodctl.lock".into()];
    }
    let runtime = PathBuf::from(format!("/run/user/{}", identity.uid));
    let runtime =
        matches!(local.stat(&runtime, false), Ok(Some(stat)) if stat.kind == FileKind::Dir).then_some(runtime);
    let own = [identity.home.join(".cache/wodctl"), format!("/var/tmp/.wodctl-{}", identity.uid).into()];
    runtime.into_iter().chain(own).map(|dir| dir.join("wodctl.lock")).collect()
}

/// Never follows a link, and never opens what is no file.
fn open(path: &Path) -> io::Result<File> {
    let folder = path.parent().map(door::place).transpose()?;
    if let Some(door::Place { dir, name }) = folder {
        match rustix::fs::mkdirat(dir, name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let door::Place { dir, name } = door::place(path)?;
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(dir, name, flags, Mode::from_raw_mode(0o600))?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_it_and_the_others_hear_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let local = super::super::Local::new(std::sync::Arc::new(super::super::Nothing), Default::default());
        let held = hold(open(&path).unwrap(), &local, "1", "root from ops1").unwrap();
        assert!(hold(open(&path).unwrap(), &local, "1", "under another name").is_ok());
        match hold(open(&path).unwrap(), &local, "2", "another").unwrap_err() {
            Refused::Held(holder) => assert!(holder.starts_with("root from ops1, since 20"), "{holder}"),
            Refused::Failed(why) => panic!("{why}"),
        }
        drop(held);
        assert!(hold(open(&path).unwrap(), &local, "2", "another").is_ok());
    }
}
