//! The one door to the paths of the real machine.
//!
//! Whoever works as root in folders of other users must not be led astray by links that they laid, nor by what they put
//! in the place of something between two looks. So everything is reached by descriptors: a path that holds no link is
//! opened by one system call that refuses links; any other is walked by hand ([`walk`]), which follows a link only where
//! nobody else could have laid it, or where it leads to what is that one's own. What is then done is done to what was
//! reached, whatever happens to its path meanwhile.

mod shared;
mod walk;

use std::ffi::OsString;
use std::fs::{File, Permissions};
use std::io::{self, ErrorKind};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, makedev, openat, openat2, statat};
use rustix::io::Errno;

use shared::is_root;
use walk::Walk;

/// A name in a directory that is held open.
pub struct Place {
    /// The directory.
    pub dir: OwnedFd,
    /// The name.
    pub name: OsString,
}

/// Something that is held, and what it is. It was not opened: neither a pipe nor a device notices.
pub struct Held {
    /// Good for `*at` calls and [`handle`], not for reading or writing.
    pub fd: OwnedFd,
    /// What it is.
    pub stat: Stat,
}

/// The place that a path names; a link at its end is not followed.
pub fn place(path: &Path) -> io::Result<Place> {
    let no_name = || io::Error::new(ErrorKind::InvalidInput, "the path ends in no name");
    let name = path.file_name().ok_or_else(no_name)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(Place { dir: directory(parent, OFlags::PATH)?, name: name.to_owned() })
}

/// A directory; `flags` say whether it can be read or only be a start for other calls.
pub fn directory(path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
    reach(path, flags | OFlags::DIRECTORY, Mode::empty(), true)
}

/// Makes a file that was not there, for writing.
pub fn create(path: &Path, mode: u32) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
    let mode = Mode::from_raw_mode(mode);
    match quick(path, flags | OFlags::NOFOLLOW, mode) {
        Some(made) => Ok(made?.into()),
        None => {
            let Place { dir, name } = place(path)?;
            Ok(openat(dir, name, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, mode)?.into())
        }
    }
}

/// A regular file, to read.
pub fn read(path: &Path) -> io::Result<File> {
    regular(path, OFlags::RDONLY)
}

/// A regular file that is there, to write.
pub fn write(path: &Path) -> io::Result<File> {
    regular(path, OFlags::WRONLY)
}

/// Anything that can be made durable: a file or a directory.
pub fn synced(path: &Path) -> io::Result<File> {
    Ok(reach(path, OFlags::RDONLY | WITHOUT_WAITING, Mode::empty(), true)?.into())
}

/// Opening a pipe, a device or a terminal neither waits nor takes it over.
const WITHOUT_WAITING: OFlags = OFlags::NONBLOCK.union(OFlags::NOCTTY);

fn regular(path: &Path, flags: OFlags) -> io::Result<File> {
    // A look first: to open a device is to do something with it.
    must_be_regular(&statat(CWD, path, AtFlags::empty())?)?;
    let file = File::from(reach(path, flags | WITHOUT_WAITING, Mode::empty(), true)?);
    let stat = fstat(&file)?;
    must_be_regular(&stat)?;
    shared::refuse_foreign_names(&file, &stat)?;
    Ok(file)
}

fn must_be_regular(stat: &Stat) -> io::Result<()> {
    let what = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => return Ok(()),
        // `/dev/null` reads as an empty file.
        FileType::CharacterDevice if stat.st_rdev == makedev(1, 3) => return Ok(()),
        FileType::Directory => return Err(Errno::ISDIR.into()),
        FileType::Fifo => "a named pipe",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        _ => "something else",
    };
    Err(io::Error::new(ErrorKind::InvalidInput, format!("it is {what} and no regular file")))
}

/// What stands at a path, or what it leads to, held without being opened.
pub fn hold(path: &Path, follow: bool) -> io::Result<Held> {
    let fd = reach(path, OFlags::PATH, Mode::empty(), follow)?;
    let stat = fstat(&fd)?;
    shared::refuse_foreign_names(&fd, &stat)?;
    Ok(Held { fd, stat })
}

/// A path that stands for what a descriptor holds, for calls that take nothing else.
pub fn handle(fd: &impl AsRawFd) -> PathBuf {
    format!("/proc/self/fd/{}", fd.as_raw_fd()).into()
}

/// Sets the permissions of what is held.
#[expect(clippy::disallowed_methods, reason = "by descriptor")]
pub fn set_mode(held: &impl AsRawFd, mode: u32) -> io::Result<()> {
    std::fs::set_permissions(handle(held), Permissions::from_mode(mode))
}

/// Whether the link may be followed: nobody else could have laid it, or it leads to what is that one's own.
pub fn may_follow(link: &Path) -> io::Result<()> {
    if !is_root() {
        return Ok(());
    }
    Walk::new().link(link)
}

/// Opens what a path leads to.
fn reach(path: &Path, flags: OFlags, mode: Mode, follow: bool) -> io::Result<OwnedFd> {
    let flags = if follow { flags } else { flags | OFlags::NOFOLLOW };
    if let Some(opened) = quick(path, flags, mode) {
        return opened;
    }
    let end = Walk::new().to(path, follow)?;
    match flags.contains(OFlags::PATH) {
        true if flags.contains(OFlags::DIRECTORY) && !end.is(FileType::Directory) => Err(Errno::NOTDIR.into()),
        true => Ok(end.fd),
        false => Ok(openat(CWD, handle(&end.fd), flags.difference(OFlags::NOFOLLOW) | OFlags::CLOEXEC, mode)?),
    }
}

/// This kernel has no `openat2` (before 5.6).
static WALKS: AtomicBool = AtomicBool::new(false);

/// By one call, where the path holds no link; `None`: it has to be walked.
fn quick(path: &Path, flags: OFlags, mode: Mode) -> Option<io::Result<OwnedFd>> {
    if WALKS.load(Ordering::Relaxed) || goes_up(path) {
        return None;
    }
    match openat2(CWD, path, flags | OFlags::CLOEXEC, mode, ResolveFlags::NO_SYMLINKS) {
        // Some sandboxes refuse what they do not know.
        Err(Errno::LOOP | Errno::PERM) => None,
        Err(Errno::NOSYS) => {
            WALKS.store(true, Ordering::Relaxed);
            None
        }
        opened => Some(opened.map_err(io::Error::from)),
    }
}

/// For `..` somebody else may decide what it means.
fn goes_up(path: &Path) -> bool {
    path.components().any(|part| part == Component::ParentDir)
}

/// Removes a directory of an open one, with all that is in it.
#[expect(clippy::disallowed_methods, reason = "by descriptor")]
pub fn remove_tree(place: &Place) -> io::Result<()> {
    std::fs::remove_dir_all(handle(&place.dir).join(&place.name))
}

/// The names in a directory.
pub fn names(path: &Path) -> io::Result<Vec<OsString>> {
    let fd = directory(path, OFlags::RDONLY)?;
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::new(fd)? {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(OsString::from_vec(name));
        }
    }
    Ok(names)
}

/// The directory that a held entry is in now.
fn parent_of(fd: BorrowedFd) -> io::Result<Stat> {
    let path = rustix::fs::readlink(handle(&fd), Vec::new())?;
    let path = PathBuf::from(OsString::from_vec(path.into_bytes()));
    Ok(statat(CWD, path.parent().unwrap_or(Path::new("/")), AtFlags::empty())?)
}

#[cfg(test)]
mod tests;
