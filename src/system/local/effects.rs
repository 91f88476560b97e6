//! What is done to the machine.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT, XattrFlags};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

use super::Local;
use super::door::{self, Held, Place, handle};
use super::questions::value_of;
use crate::system::{Blob, Command, Content, Machine, Output, Request, Stream, http};

/// More files than this are made durable together with their whole file system.
const MANY: usize = 32;

/// Attributes that the kernel makes itself, or that are about the content and do not outlive it.
const NOT_KEPT: [&str; 3] = ["security.capability", "security.ima", "security.evm"];

impl Machine for Local {
    fn prefetch(&mut self, blobs: &[Blob]) {
        self.fetch.ahead(blobs);
    }

    fn create(&mut self, path: &Path, content: &Content, mode: u32) -> io::Result<()> {
        let mut file = door::create(path, mode & 0o700)?;
        self.made.note(path, &rustix::fs::fstat(&file)?);
        self.write_content(&mut file, content)?;
        file.set_permissions(Permissions::from_mode(mode))
    }

    fn overwrite(&mut self, path: &Path, content: &Content) -> io::Result<()> {
        let mut file = door::write(path)?;
        file.set_len(0)?;
        self.write_content(&mut file, content)
    }

    fn sync(&mut self, paths: &[PathBuf]) -> io::Result<()> {
        if paths.len() <= MANY {
            return paths.iter().try_for_each(|path| door::synced(path)?.sync_all());
        }
        // One pass over each file system is quicker than one for each file.
        let mut devices = Vec::new();
        for path in paths {
            let file = door::synced(path)?;
            let device = file.metadata()?.dev();
            if !devices.contains(&device) {
                rustix::fs::syncfs(&file)?;
                devices.push(device);
            }
        }
        Ok(())
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let (old, new) = (door::place(from)?, door::place(to)?);
        if let Some(made) = self.made.take(from) {
            made.must_be(&rustix::fs::statat(&old.dir, &old.name, AtFlags::SYMLINK_NOFOLLOW)?)?;
        }
        Ok(rustix::fs::renameat(&old.dir, &old.name, &new.dir, &new.name)?)
    }

    fn make_dir(&mut self, path: &Path, mode: u32) -> io::Result<()> {
        let Place { dir, name } = door::place(path)?;
        rustix::fs::mkdirat(&dir, &name, Mode::from_raw_mode(mode & 0o700))?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let made = rustix::fs::openat(&dir, &name, flags, Mode::empty())?;
        self.made.note(path, &rustix::fs::fstat(&made)?);
        door::set_mode(&made, mode)
    }

    fn symlink(&mut self, target: &Path, path: &Path) -> io::Result<()> {
        let Place { dir, name } = door::place(path)?;
        Ok(rustix::fs::symlinkat(target, dir, name)?)
    }

    fn hard_link(&mut self, target: &Path, path: &Path) -> io::Result<()> {
        let (old, new) = (door::place(target)?, door::place(path)?);
        Ok(rustix::fs::linkat(&old.dir, &old.name, &new.dir, &new.name, AtFlags::empty())?)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.made.take(path);
        let Place { dir, name } = door::place(path)?;
        match rustix::fs::unlinkat(&dir, &name, AtFlags::empty()) {
            Err(Errno::ISDIR) => Ok(rustix::fs::unlinkat(&dir, &name, AtFlags::REMOVEDIR)?),
            removed => Ok(removed?),
        }
    }

    fn remove_tree(&mut self, path: &Path) -> io::Result<()> {
        door::remove_tree(&door::place(path)?)
    }

    fn set_mode(&mut self, path: &Path, mode: u32) -> io::Result<()> {
        door::set_mode(&self.held(path, true)?.fd, mode)
    }

    fn set_owner(&mut self, path: &Path, uid: Option<u32>, gid: Option<u32>, follow: bool) -> io::Result<()> {
        let (uid, gid) = (uid.map(Uid::from_raw), gid.map(Gid::from_raw));
        Ok(rustix::fs::chownat(&self.held(path, follow)?.fd, "", uid, gid, AtFlags::EMPTY_PATH)?)
    }

    fn set_times(&mut self, path: &Path, atime: Option<f64>, mtime: Option<f64>, follow: bool) -> io::Result<()> {
        let time = |seconds: Option<f64>| match seconds {
            Some(seconds) => {
                Timespec { tv_sec: seconds.floor() as i64, tv_nsec: ((seconds - seconds.floor()) * 1e9) as i64 as _ }
            }
            None => Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT as _ },
        };
        let times = Timestamps { last_access: time(atime), last_modification: time(mtime) };
        let held = self.held(path, follow)?;
        match FileType::from_raw_mode(held.stat.st_mode) {
            // A link's own times cannot be set through a handle, which would follow it; nobody else is hurt by its name.
            FileType::Symlink => {
                let Place { dir, name } = door::place(path)?;
                Ok(rustix::fs::utimensat(dir, name, &times, AtFlags::SYMLINK_NOFOLLOW)?)
            }
            _ => Ok(rustix::fs::utimensat(CWD, handle(&held.fd), &times, AtFlags::empty())?),
        }
    }

    fn keep_attributes(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let (from, to) = (self.held(from, false)?, self.held(to, false)?);
        let (from, to) = (handle(&from.fd), handle(&to.fd));
        let mut names = vec![0; 64 << 10];
        let length = match rustix::fs::listxattr(&from, &mut names[..]) {
            Ok(length) => length,
            Err(Errno::NOTSUP) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for name in names[..length].split(|byte| *byte == 0).filter_map(|name| std::str::from_utf8(name).ok()) {
            if name.is_empty() || NOT_KEPT.contains(&name) {
                continue;
            }
            let Some(value) = value_of(|value| rustix::fs::getxattr(&from, name, value))? else { continue };
            match rustix::fs::setxattr(&to, name, &value, XattrFlags::empty()) {
                Ok(()) | Err(Errno::NOTSUP | Errno::PERM | Errno::ACCESS) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn run(&mut self, command: &Command, live: &mut dyn FnMut(Stream, &[u8])) -> io::Result<Output> {
        self.launch(command)?.run(&self.running, live)
    }

    fn download(&mut self, request: &Request) -> io::Result<Output> {
        http::download(self, request)
    }
}

impl Local {
    /// Holds what stands at a path. What this machine has made there itself must still be it.
    fn held(&self, path: &Path, follow: bool) -> io::Result<Held> {
        match self.made.at(path) {
            None => door::hold(path, follow),
            Some(made) => {
                let held = door::hold(path, false)?;
                made.must_be(&held.stat)?;
                Ok(held)
            }
        }
    }
}
