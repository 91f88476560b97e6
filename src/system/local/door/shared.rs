//! Who could have put something into a directory.

use std::io::{self, ErrorKind};
use std::os::fd::AsFd;

use rustix::fs::{FileType, Stat};

use super::parent_of;

/// Whose link it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Nobody else could have laid it.
    Ours,
    /// This user may have laid it.
    Other(u32),
    /// It cannot be said: a second name of a link that we laid elsewhere.
    Unknown,
}

/// Whether this thread works as root.
pub fn is_root() -> bool {
    me() == 0
}

fn me() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whether somebody else may put something into a directory. Who is not root asks that only of what is open to all:
/// those who share a directory with a user may have been let in by that user.
pub fn is_shared(dir: &Stat) -> bool {
    match me() {
        0 => dir.st_uid != 0 || dir.st_mode & 0o022 != 0,
        _ => dir.st_mode & 0o002 != 0,
    }
}

/// Whether nobody else can move or replace an entry of a directory, because it is ours and the directory is sticky.
pub fn stays(dir: &Stat, entry: &Stat) -> bool {
    is_own(dir.st_uid) && is_own(entry.st_uid) && dir.st_mode & 0o1000 != 0
}

fn is_own(uid: u32) -> bool {
    uid == 0 || uid == me()
}

/// Who may have laid a link that stands in a directory.
pub fn layer(dir: &Stat, link: &Stat) -> Layer {
    if !is_shared(dir) {
        return Layer::Ours;
    }
    match (is_own(dir.st_uid), is_own(link.st_uid)) {
        (_, false) => Layer::Other(link.st_uid),
        // Who owns the directory may have moved it here.
        (false, true) => Layer::Other(dir.st_uid),
        // Only who may read and write a file can give it a second name, but anybody a link, unless the kernel forbids it.
        (true, true) if link.st_nlink > 1 => Layer::Unknown,
        (true, true) => Layer::Ours,
    }
}

/// A file with several names may be another one's, who only gave it a name here: that is refused where somebody else
/// may do so (the kernel's `protected_hardlinks`, kept where it is off).
pub fn refuse_foreign_names(fd: &impl AsFd, stat: &Stat) -> io::Result<()> {
    if stat.st_nlink < 2 || FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || !is_root() {
        return Ok(());
    }
    let dir = parent_of(fd.as_fd())?;
    let alone = dir.st_uid == stat.st_uid && dir.st_mode & 0o022 == 0;
    match is_shared(&dir) && !alone {
        false => Ok(()),
        true => Err(io::Error::new(
            ErrorKind::PermissionDenied,
            "it has other names elsewhere, and somebody else may have given it the one here",
        )),
    }
}
