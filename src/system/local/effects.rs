//! What is done to the machine.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_OMIT, XattrFlags};
use rustix::io::Errno;

use super::Local;
use super::questions::read_xattr;
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
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode & 0o700).open(path)?;
        self.write_content(&mut file, content)?;
        file.set_permissions(fs::Permissions::from_mode(mode))
    }

    fn overwrite(&mut self, path: &Path, content: &Content) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).truncate(true).open(path)?;
        self.write_content(&mut file, content)
    }

    fn sync(&mut self, paths: &[PathBuf]) -> io::Result<()> {
        if paths.len() <= MANY {
            return paths.iter().try_for_each(|path| File::open(path)?.sync_all());
        }
        // One pass over each file system is quicker than one for each file.
        let mut devices = Vec::new();
        for path in paths {
            let file = File::open(path)?;
            let device = file.metadata()?.dev();
            if !devices.contains(&device) {
                rustix::fs::syncfs(&file)?;
                devices.push(device);
            }
        }
        Ok(())
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn make_dir(&mut self, path: &Path, mode: u32) -> io::Result<()> {
        fs::create_dir(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
    }

    fn symlink(&mut self, target: &Path, path: &Path) -> io::Result<()> {
        std::os::unix::fs::symlink(target, path)
    }

    fn hard_link(&mut self, target: &Path, path: &Path) -> io::Result<()> {
        fs::hard_link(target, path)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        match fs::symlink_metadata(path)?.is_dir() {
            true => fs::remove_dir(path),
            false => fs::remove_file(path),
        }
    }

    fn remove_tree(&mut self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    fn set_mode(&mut self, path: &Path, mode: u32) -> io::Result<()> {
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
    }

    fn set_owner(&mut self, path: &Path, uid: Option<u32>, gid: Option<u32>, follow: bool) -> io::Result<()> {
        match follow {
            true => std::os::unix::fs::chown(path, uid, gid),
            false => std::os::unix::fs::lchown(path, uid, gid),
        }
    }

    fn set_times(&mut self, path: &Path, atime: Option<f64>, mtime: Option<f64>, follow: bool) -> io::Result<()> {
        let time = |seconds: Option<f64>| match seconds {
            Some(seconds) => {
                Timespec { tv_sec: seconds.floor() as i64, tv_nsec: ((seconds - seconds.floor()) * 1e9) as i64 as _ }
            }
            None => Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT as _ },
        };
        let times = Timestamps { last_access: time(atime), last_modification: time(mtime) };
        let flags = if follow { AtFlags::empty() } else { AtFlags::SYMLINK_NOFOLLOW };
        Ok(rustix::fs::utimensat(CWD, path, &times, flags)?)
    }

    fn keep_attributes(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let mut names = vec![0; 64 << 10];
        let length = match rustix::fs::llistxattr(from, &mut names[..]) {
            Ok(length) => length,
            Err(Errno::NOTSUP) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for name in names[..length].split(|byte| *byte == 0).filter_map(|name| std::str::from_utf8(name).ok()) {
            if name.is_empty() || NOT_KEPT.contains(&name) {
                continue;
            }
            let Some(value) = read_xattr(from, name)? else { continue };
            match rustix::fs::lsetxattr(to, name, &value, XattrFlags::empty()) {
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
