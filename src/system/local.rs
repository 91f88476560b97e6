//! The real machine. This file, [`process`](super::process) and [`http`](super::http) are the only doors to it.
#![expect(clippy::disallowed_methods, reason = "the real machine")]

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_OMIT, XattrFlags};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

use super::Request;
use super::process::{Launch, Running};
use super::{
    Blob, Command, Content, Digest, FileKind, Identity, Machine, Output, Space, Stat, Stream, System, http, kernel,
    tcp, users,
};

/// Brings what lies on the controller.
pub trait Fetch: Send + Sync {
    /// The content, in pieces, as it arrives.
    fn open(&self, blob: &Blob) -> io::Result<Box<dyn Read + '_>>;

    /// These are wanted soon.
    fn ahead(&self, blobs: &[Blob]) {
        let _ = blobs;
    }
}

/// A machine without a controller: nothing can be fetched.
pub struct Nothing;

impl Fetch for Nothing {
    fn open(&self, _: &Blob) -> io::Result<Box<dyn Read + '_>> {
        Err(io::Error::new(ErrorKind::Unsupported, "there is no controller to fetch it from"))
    }
}

/// The machine that this process runs on.
#[derive(Clone)]
pub struct Local {
    identity: Identity,
    fetch: Arc<dyn Fetch>,
    running: Arc<Running>,
    /// Set on top of the process's own environment, for programs and for [`System::env`].
    environment: Vec<(String, String)>,
    /// The variables that make a user at home, where it is not the process's own.
    at_home: Vec<(String, String)>,
    /// Programs run with these ids, where they are not the thread's own.
    credentials: Option<Credentials>,
    deadline: Option<Instant>,
    umask: u32,
}

/// What the kernel knows of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// User id.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    /// All groups.
    pub groups: Vec<u32>,
}

impl Credentials {
    /// Switches the calling thread, and only it, for good. Programs that the thread starts inherit it.
    pub(super) fn take_on(&self) -> rustix::io::Result<()> {
        self.ready()()
    }

    /// The same in two parts: the second one only makes system calls, as it must between fork and exec.
    pub(super) fn ready(&self) -> impl Fn() -> rustix::io::Result<()> + Send + Sync + use<> {
        let groups: Vec<Gid> = self.groups.iter().map(|gid| Gid::from_raw(*gid)).collect();
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        move || {
            rustix::thread::set_thread_groups(&groups)?;
            rustix::thread::set_thread_res_gid(gid, gid, gid)?;
            rustix::thread::set_thread_res_uid(uid, uid, uid)
        }
    }
}

/// More files than this are made durable together with their whole file system.
const MANY: usize = 32;

/// Where programs are looked for after `PATH`, which for users often lacks them.
const MORE_PATH: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];
/// Where a process looks if there is no `PATH` at all.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl Local {
    /// As the user that this process runs as.
    pub fn new(fetch: Arc<dyn Fetch>, running: Arc<Running>) -> Local {
        let uid = rustix::process::geteuid().as_raw();
        let gid = rustix::process::getegid().as_raw();
        let identity = Identity { uid, gid, name: uid.to_string(), home: "/".into() };
        let mut local = Local {
            identity,
            fetch,
            running,
            environment: Vec::new(),
            at_home: Vec::new(),
            credentials: None,
            deadline: None,
            umask: read_umask(),
        };
        let user = users::user_by_id(&local, uid);
        let home = local.env("HOME").filter(|home| home.starts_with('/')).map(PathBuf::from);
        if let Some(user) = user {
            local.identity.name = user.name;
            local.identity.home = home.unwrap_or(user.home);
        } else if let Some(home) = home {
            local.identity.home = home;
        }
        local
    }

    /// As another user; only root can. Files are reached with the rights of the calling thread, which switches to the
    /// user for good: call it on a thread of its own. Programs inherit the thread's ids.
    pub fn as_user(&self, user: &users::User, groups: Vec<u32>) -> io::Result<Local> {
        let local = self.planning_for(user, groups);
        local.credentials.as_ref().map_or(Ok(()), Credentials::take_on)?;
        Ok(Local { credentials: None, ..local })
    }

    /// For planning as root what a user will do: programs are asked with the user's ids, files are read with root's. The
    /// user may exist in the plan only.
    pub fn planning_for(&self, user: &users::User, groups: Vec<u32>) -> Local {
        let home = user.home.to_string_lossy().into_owned();
        let shell = if user.shell.is_empty() { "/bin/sh" } else { &user.shell };
        let variables = [("HOME", &*home), ("USER", &*user.name), ("LOGNAME", &*user.name), ("SHELL", shell)];
        Local {
            identity: Identity { uid: user.uid, gid: user.gid, name: user.name.clone(), home: user.home.clone() },
            at_home: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            credentials: Some(Credentials { uid: user.uid, gid: user.gid, groups }),
            ..self.clone()
        }
    }

    /// From now on no program runs longer than until then.
    pub fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// Replaces the task's `environment`.
    pub fn set_environment(&mut self, environment: &[(String, String)]) {
        self.environment = environment.to_vec();
    }

    fn variable(&self, name: &str, command: Option<&Command>) -> Option<String> {
        let own = command.map_or(&[][..], |command| &command.env);
        let set = own.iter().rev().chain(self.environment.iter().rev()).chain(&self.at_home);
        let set = set.into_iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        set.or_else(|| std::env::var(name).ok())
    }

    fn find_program(&self, program: &str, path: Option<String>) -> Option<PathBuf> {
        let runs = |path: &Path| {
            fs::metadata(path).is_ok_and(|meta| meta.is_file())
                && rustix::fs::accessat(CWD, path, rustix::fs::Access::EXEC_OK, AtFlags::EACCESS)
                    .or_else(|_| rustix::fs::access(path, rustix::fs::Access::EXEC_OK))
                    .is_ok()
        };
        if program.contains('/') {
            return runs(Path::new(program)).then(|| program.into());
        }
        let path = path.unwrap_or_else(|| DEFAULT_PATH.to_owned());
        let dirs = path.split(':').filter(|dir| dir.starts_with('/')).chain(MORE_PATH);
        dirs.map(|dir| Path::new(dir).join(program)).find(|path| runs(path))
    }

    fn launch<'a>(&self, command: &'a Command) -> io::Result<Launch<'a>> {
        let name =
            command.argv.first().ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "no program is named"))?;
        let path = self.variable("PATH", Some(command));
        let in_cwd = command.cwd.as_ref().filter(|_| name.contains('/') && !name.starts_with('/'));
        let program = match in_cwd {
            Some(cwd) => Some(cwd.join(name)),
            None => self.find_program(name, path.clone()),
        };
        let program = program.ok_or_else(|| match Path::new(name).exists() && name.contains('/') {
            true => io::Error::from(Errno::ACCESS),
            false => io::Error::from(Errno::NOENT),
        })?;
        let mut environment: Vec<(String, Option<String>)> = Vec::new();
        let mut set = |name: &str, value: &str| environment.push((name.to_owned(), Some(value.to_owned())));
        self.at_home.iter().for_each(|(name, value)| set(name, value));
        if command.c_locale {
            // Our own tools find their helpers as root does, and speak the language that we read.
            let path = path.unwrap_or_else(|| DEFAULT_PATH.to_owned());
            let missing = MORE_PATH.iter().filter(|dir| !path.split(':').any(|known| known == **dir));
            set("PATH", &missing.fold(path.clone(), |path, dir| format!("{path}:{dir}")));
        }
        self.environment.iter().for_each(|(name, value)| set(name, value));
        if command.c_locale {
            set("LC_ALL", "C");
            environment.push(("LANGUAGE".to_owned(), None));
        }
        command.env.iter().for_each(|(name, value)| environment.push((name.clone(), Some(value.clone()))));
        let cwd = command.cwd.clone().or_else(|| self.reachable_cwd());
        Ok(Launch {
            command,
            program,
            environment,
            cwd,
            credentials: self.credentials.clone(),
            deadline: self.deadline,
        })
    }

    /// Programs of another user start where this process is, if that user may be there, else at the user's home.
    fn reachable_cwd(&self) -> Option<PathBuf> {
        if self.at_home.is_empty() {
            return None;
        }
        let may_be_at = |path: &Path| match &self.credentials {
            None => rustix::fs::accessat(CWD, path, rustix::fs::Access::EXEC_OK, AtFlags::EACCESS).is_ok(),
            Some(ids) => fs::metadata(path).is_ok_and(|meta| {
                let mode = meta.mode();
                let class = match () {
                    () if meta.uid() == ids.uid => mode >> 6,
                    () if ids.groups.contains(&meta.gid()) => mode >> 3,
                    () => mode,
                };
                class & 1 != 0
            }),
        };
        let here = std::env::current_dir().ok();
        match here.filter(|here| here.ancestors().all(may_be_at)) {
            Some(_) => None,
            None => Some(self.identity.home.clone()).filter(|home| may_be_at(home)).or_else(|| Some("/".into())),
        }
    }

    fn write_content(&self, file: &mut File, content: &Content) -> io::Result<()> {
        match content {
            Content::Bytes(bytes) => file.write_all(bytes),
            Content::File(path) => io::copy(&mut File::open(path)?, file).map(drop),
            Content::Blob(blob) => {
                let mut source = self.fetch.open(blob)?;
                let mut hasher = blake3::Hasher::new();
                pieces(&mut source, |piece| {
                    hasher.update(piece);
                    file.write_all(piece)
                })?;
                match *hasher.finalize().as_bytes() == blob.hash {
                    true => Ok(()),
                    false => Err(io::Error::other("the content changed while it was sent")),
                }
            }
        }
    }
}

/// Reads everything in pieces of constant size.
fn pieces(source: &mut dyn Read, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(got) => each(&buffer[..got])?,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The process's mask; asking the kernel for it would change it for a moment.
fn read_umask() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| u32::from_str_radix(line.strip_prefix("Umask:")?.trim(), 8).ok());
    mask.unwrap_or(0o022)
}

/// "There is nothing" is an answer, not an error.
fn or_nothing<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Attributes that the kernel makes itself, or that are about the content and do not outlive it.
const NOT_KEPT: [&str; 3] = ["security.capability", "security.ima", "security.evm"];

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
        or_nothing(fs::read(path))
    }

    fn list(&self, path: &Path) -> io::Result<Option<Vec<OsString>>> {
        let Some(entries) = or_nothing(fs::read_dir(path))? else { return Ok(None) };
        let mut names = entries.map(|entry| entry.map(|entry| entry.file_name())).collect::<io::Result<Vec<_>>>()?;
        names.sort();
        Ok(Some(names))
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        fs::read_link(path)
    }

    fn read_part(&self, path: &Path, offset: u64, length: u64) -> io::Result<Option<Vec<u8>>> {
        let Some(mut file) = or_nothing(File::open(path))? else { return Ok(None) };
        file.seek(SeekFrom::Start(offset))?;
        let mut part = Vec::new();
        file.take(length).read_to_end(&mut part)?;
        Ok(Some(part))
    }

    fn hash(&self, path: &Path) -> io::Result<Option<[u8; 32]>> {
        let Some(mut file) = or_nothing(File::open(path))? else { return Ok(None) };
        let mut hasher = blake3::Hasher::new();
        pieces(&mut file, |piece| {
            hasher.update(piece);
            Ok(())
        })?;
        Ok(Some(*hasher.finalize().as_bytes()))
    }

    fn digest(&self, path: &Path, algorithm: Digest) -> io::Result<Option<String>> {
        let Some(mut file) = or_nothing(File::open(path))? else { return Ok(None) };
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
        id.chars().filter(char::is_ascii_digit).collect()
    }

    fn xattr(&self, path: &Path, name: &str) -> io::Result<Option<Vec<u8>>> {
        read_xattr(path, name)
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

fn read_xattr(path: &Path, name: &str) -> io::Result<Option<Vec<u8>>> {
    let mut value = vec![0; 64 << 10];
    match rustix::fs::lgetxattr(path, name, &mut value[..]) {
        Ok(length) => {
            value.truncate(length);
            Ok(Some(value))
        }
        Err(Errno::NODATA | Errno::NOTSUP | Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

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

    fn is_real(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::fake;

    fn local() -> Local {
        Local::new(Arc::new(Nothing), Arc::default())
    }

    #[test]
    fn files_and_what_is_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let mut local = local();
        local.create(&at("a"), &Content::Bytes(b"one".to_vec()), 0o640).unwrap();
        assert!(local.create(&at("a"), &Content::Bytes(vec![]), 0o600).is_err(), "never an existing one");
        let stat = local.stat(&at("a"), true).unwrap().unwrap();
        assert_eq!((stat.kind, stat.mode, stat.size), (FileKind::File, 0o640, 3));
        assert_eq!(local.hash(&at("a")).unwrap().unwrap(), *blake3::hash(b"one").as_bytes());
        assert_eq!((local.read(&at("b")).unwrap(), local.stat(&at("a/b"), true).unwrap()), (None, None));
        local.set_times(&at("a"), None, Some(1_000_000.5), true).unwrap();
        assert_eq!(local.stat(&at("a"), true).unwrap().unwrap().mtime, 1_000_000.5);
        local.create(&at("copy"), &Content::File(at("a")), 0o600).unwrap();
        local.overwrite(&at("copy"), &Content::Bytes(b"x".to_vec())).unwrap();
        local.symlink(Path::new("nowhere"), &at("link")).unwrap();
        assert_eq!(local.list(dir.path()).unwrap().unwrap(), ["a", "copy", "link"]);
        assert_eq!(local.stat(&at("link"), true).unwrap(), None);
        local.sync(&[at("a"), at("copy"), dir.path().to_owned()]).unwrap();
    }

    #[test]
    fn extended_attributes_are_kept_where_the_file_system_has_them() {
        let dir = tempfile::tempdir_in("/var/tmp").unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        fs::write(&from, "").unwrap();
        fs::write(&to, "").unwrap();
        if rustix::fs::lsetxattr(&from, "user.note", b"kept", XattrFlags::empty()).is_ok() {
            local().keep_attributes(&from, &to).unwrap();
            assert_eq!(local().xattr(&to, "user.note").unwrap().unwrap(), b"kept");
        }
    }

    #[test]
    fn a_damaged_content_is_refused() {
        struct Wrong;
        impl Fetch for Wrong {
            fn open(&self, _: &Blob) -> io::Result<Box<dyn Read + '_>> {
                Ok(Box::new(&b"other"[..]))
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let mut local = Local::new(Arc::new(Wrong), Arc::default());
        let content = Content::Blob(fake::blob(b"text"));
        assert!(local.create(&dir.path().join("a"), &content, 0o600).is_err());
    }

    #[test]
    fn programs_are_found_beyond_the_path() {
        let mut local = local();
        local.set_environment(&[("PATH".into(), "/nowhere".into())]);
        assert_eq!(local.which("no-such-program"), None);
        assert!(local.which("/bin/sh").is_some());
    }

    /// Only root can become another user.
    #[test]
    fn a_thread_becomes_another_user() {
        let root = local();
        if root.identity.uid != 0 {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let path = dir.path().join("a");
        let nobody = users::user(&root, "nobody").unwrap();
        let (own, uid, gid) = (path.clone(), nobody.uid, nobody.gid);
        std::thread::spawn(move || {
            let mut local = local().as_user(&nobody, vec![nobody.gid]).unwrap();
            local.create(&own, &Content::Bytes(vec![]), 0o600).unwrap();
            assert!(local.read(Path::new("/etc/shadow")).is_err());
            let said = local.run(&Command::new(["sh", "-c", "id -u; id -G; echo $USER"]), &mut |_, _| {}).unwrap();
            assert_eq!(said.text(), format!("{}\n{}\nnobody\n", nobody.uid, nobody.gid));
        })
        .join()
        .unwrap();
        assert_eq!(fs::metadata(&path).unwrap().uid(), uid);
        assert!(root.read(Path::new("/etc/shadow")).is_ok(), "other threads are still root");
        let planning = root.planning_for(&users::user(&root, "nobody").unwrap(), vec![gid]);
        assert_eq!(planning.query(&Command::new(["id", "-u"])).unwrap().text(), format!("{uid}\n"));
    }
}
