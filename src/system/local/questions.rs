//! What the machine is asked.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use rustix::io::Errno;

use super::content::pieces;
use super::{Local, door};
use crate::system::{
    Blob, Command, Digest, FileKind, IN_MEMORY, Identity, Output, Space, Stat, System, kernel, random, tcp,
};

impl System for Local {
    fn stat(&self, path: &Path, follow: bool) -> io::Result<Option<Stat>> {
        let meta = or_nothing(if follow { fs::metadata(path) } else { fs::symlink_metadata(path) })?;
        Ok(meta.map(|meta| {
            let seconds = |whole: i64, nanos: i64| whole as f64 + nanos as f64 / 1e9;
            Stat {
                kind: kind(&meta),
                mode: meta.mode() & 0o7777,
                uid: meta.uid(),
                gid: meta.gid(),
                size: meta.size(),
                mtime: seconds(meta.mtime(), meta.mtime_nsec()),
                atime: seconds(meta.atime(), meta.atime_nsec()),
                ctime: seconds(meta.ctime(), meta.ctime_nsec()),
                ino: meta.ino(),
                dev: meta.dev(),
                nlink: meta.nlink(),
                blocks: meta.blocks(),
                block_size: meta.blksize(),
                rdev: meta.rdev(),
            }
        }))
    }

    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        let Some(file) = or_nothing(door::read(path))? else { return Ok(None) };
        whole(file).map(Some)
    }

    fn list(&self, path: &Path) -> io::Result<Option<Vec<OsString>>> {
        let Some(mut names) = or_nothing(door::names(path))? else { return Ok(None) };
        names.sort();
        Ok(Some(names))
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        fs::read_link(path)
    }

    fn follow(&self, link: &Path) -> io::Result<PathBuf> {
        door::may_follow(link)?;
        fs::read_link(link)
    }

    fn read_part(&self, path: &Path, offset: u64, length: u64) -> io::Result<Option<Vec<u8>>> {
        let Some(mut file) = or_nothing(door::read(path))? else { return Ok(None) };
        file.seek(SeekFrom::Start(offset))?;
        let mut part = Vec::new();
        file.take(length).read_to_end(&mut part)?;
        Ok(Some(part))
    }

    fn hash(&self, path: &Path) -> io::Result<Option<[u8; 32]>> {
        let Some(mut file) = or_nothing(door::read(path))? else { return Ok(None) };
        let mut hasher = blake3::Hasher::new();
        pieces(&mut file, |piece| {
            hasher.update(piece);
            Ok(())
        })?;
        Ok(Some(*hasher.finalize().as_bytes()))
    }

    fn digest(&self, path: &Path, algorithm: Digest) -> io::Result<Option<String>> {
        let Some(mut file) = or_nothing(door::read(path))? else { return Ok(None) };
        let mut digester = algorithm.start();
        pieces(&mut file, |piece| {
            digester.update(piece);
            Ok(())
        })?;
        Ok(Some(digester.finish()))
    }

    fn cwd(&self) -> PathBuf {
        let home = || self.identity.home.clone();
        self.reachable_cwd().unwrap_or_else(|| std::env::current_dir().unwrap_or_else(|_| home()))
    }

    fn query(&self, command: &Command) -> io::Result<Output> {
        self.launch(command)?.run(&self.running, &mut |_, _| {})
    }

    fn which(&self, program: &str) -> Option<PathBuf> {
        self.find_program(program, self.variable("PATH", None))
    }

    fn content(&self, blob: &Blob) -> io::Result<Vec<u8>> {
        if blob.size > IN_MEMORY {
            return Err(too_large());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(blob.size).unwrap_or(0).min(1 << 20));
        self.fetch.open(blob)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn identity(&self) -> Identity {
        self.identity.clone()
    }

    fn env(&self, name: &str) -> Option<String> {
        self.variable(name, None)
    }

    fn environment(&self) -> Vec<(String, String)> {
        let own = std::env::vars_os();
        let own = own.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let mut all: Vec<(String, String)> = own.collect();
        for (name, value) in self.at_home.iter().chain(&self.environment) {
            all.retain(|(known, _)| known != name);
            all.push((name.clone(), value.clone()));
        }
        all
    }

    fn space(&self, paths: &[PathBuf], patience: Duration) -> Vec<io::Result<Space>> {
        kernel::space(paths, patience)
    }

    fn connect(
        &self,
        to: SocketAddr,
        patience: Duration,
        enough: &mut dyn FnMut(&[u8]) -> bool,
    ) -> io::Result<Vec<u8>> {
        tcp::connect(to, patience, enough)
    }

    fn netlink(&self, request: &[u8]) -> io::Result<Vec<u8>> {
        kernel::netlink(request)
    }

    fn now(&self) -> f64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0.0, |since| since.as_secs_f64())
    }

    fn time_zone(&self) -> jiff::tz::TimeZone {
        jiff::tz::TimeZone::system()
    }

    fn umask(&self) -> u32 {
        self.umask
    }

    fn pid(&self) -> u32 {
        std::process::id()
    }

    fn lane(&self) -> String {
        let id = format!("{:?}", std::thread::current().id());
        let id: String = id.chars().filter(char::is_ascii_digit).collect();
        format!("{id}-{}", token())
    }

    fn xattr(&self, path: &Path, name: &str) -> io::Result<Option<Vec<u8>>> {
        value_of(|value| rustix::fs::lgetxattr(path, name, value))
    }
}

/// A word that nobody can foresee, so that no name of ours is taken beforehand.
fn token() -> &'static str {
    static TOKEN: LazyLock<String> = LazyLock::new(|| random::name().expect("the kernel gives random bytes"));
    &TOKEN[..8]
}

/// "There is nothing" is an answer, not an error.
fn or_nothing<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

fn kind(meta: &fs::Metadata) -> FileKind {
    match rustix::fs::FileType::from_raw_mode(meta.mode()) {
        rustix::fs::FileType::Directory => FileKind::Dir,
        rustix::fs::FileType::Symlink => FileKind::Link,
        rustix::fs::FileType::BlockDevice => FileKind::Block,
        rustix::fs::FileType::CharacterDevice => FileKind::Char,
        rustix::fs::FileType::Fifo => FileKind::Fifo,
        rustix::fs::FileType::Socket => FileKind::Socket,
        _ => FileKind::File,
    }
}

/// The value of an extended attribute as `get` puts it into a buffer; `None` if there is none.
pub(super) fn value_of(get: impl Fn(&mut [u8]) -> rustix::io::Result<usize>) -> io::Result<Option<Vec<u8>>> {
    let mut value = vec![0; 64 << 10];
    match get(&mut value[..]) {
        Ok(length) => {
            value.truncate(length);
            Ok(Some(value))
        }
        Err(Errno::NODATA | Errno::NOTSUP | Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// All that a file holds, if that is not more than a machine's memory is for.
fn whole(file: File) -> io::Result<Vec<u8>> {
    let size = file.metadata()?.len();
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(IN_MEMORY)).unwrap_or(0));
    file.take(IN_MEMORY + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > IN_MEMORY {
        true => Err(too_large()),
        false => Ok(bytes),
    }
}

fn too_large() -> io::Error {
    let message = format!("it holds more than the {} MiB that are read into memory", IN_MEMORY >> 20);
    io::Error::new(ErrorKind::FileTooLarge, message)
}
