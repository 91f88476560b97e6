//! The machine that a step is for: [`System`] asks, [`Machine`] acts.
//!
//! Modules see only `System`, so a module cannot change anything. There are three: [`local`], the real machine;
//! [`predicted`], a machine on which planned actions have happened; [`fake`], a machine in memory for tests.

mod digest;
pub mod fake;
pub mod http;
pub mod kernel;
pub mod local;
pub mod predicted;
pub mod process;
pub mod random;
mod request;
mod tcp;
pub mod users;

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use digest::Digest;
pub use request::Request;

use crate::value::Value;

/// What is kept in memory as a whole, a file's content or what a program prints, is at most so long.
pub const IN_MEMORY: u64 = 64 << 20;

/// The kind of a file system entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Link,
    /// A block device.
    Block,
    /// A character device.
    Char,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
}

/// What `lstat` or `stat` says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stat {
    /// The kind of the entry.
    pub kind: FileKind,
    /// The permission bits, with set-uid, set-gid and sticky: 12 bits.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Bytes.
    pub size: u64,
    /// Last change of the content, seconds since 1970.
    pub mtime: f64,
    /// Last access, seconds since 1970.
    pub atime: f64,
    /// Last change of the entry, seconds since 1970.
    pub ctime: f64,
    /// Inode number.
    pub ino: u64,
    /// Device number.
    pub dev: u64,
    /// Number of names.
    pub nlink: u64,
    /// Blocks of 512 bytes that it takes.
    pub blocks: u64,
    /// The size of block that the file system likes.
    pub block_size: u64,
    /// What device it is, if it is one.
    pub rdev: u64,
}

/// How full a file system is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Space {
    /// Bytes of a block as reads and writes like them.
    pub block_size: u64,
    /// Bytes of a block as `blocks` counts them.
    pub fragment_size: u64,
    /// All blocks.
    pub blocks: u64,
    /// Blocks that a user may still fill.
    pub blocks_available: u64,
    /// All inodes.
    pub inodes: u64,
    /// Inodes that a user may still take.
    pub inodes_available: u64,
}

/// A program to run: always a list of words, never a line for a shell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// The program and its arguments. A program without a slash is looked for in PATH, then /usr/sbin and /sbin.
    pub argv: Vec<String>,
    /// Set on top of the agent's own environment.
    pub env: Vec<(String, String)>,
    /// The working directory.
    pub cwd: Option<PathBuf>,
    /// Bytes for its standard input; nothing by default. Secrets go here, never into `argv`.
    pub stdin: Vec<u8>,
    /// Run with the `C` locale, because its output is read by us. On for everything that we run ourselves.
    pub c_locale: bool,
    /// Kill it (the whole process group) after this long.
    pub timeout: Option<Duration>,
    /// File mode creation mask.
    pub umask: Option<u32>,
    /// Killing it half-way leaves a mess (a package transaction): when the connection ends it is left to finish.
    pub drain: bool,
}

impl Command {
    /// A program of the system that we call ourselves, with its output in the `C` locale.
    pub fn new<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Self {
        Command { argv: argv.into_iter().map(Into::into).collect(), c_locale: true, ..Command::default() }
    }

    /// Adds a variable to its environment.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Gives it standard input.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Sets its working directory.
    pub fn cwd(mut self, path: impl Into<PathBuf>) -> Self {
        self.cwd = Some(path.into());
        self
    }
}

/// What a program left behind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// The program that left it, filled in by the performer: with it a module that is asked again tells which of its
    /// actions have happened. Empty for anything but a program.
    pub argv: Vec<String>,
    /// Its exit status; 128 + N when signal N ended it.
    pub rc: i32,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it complained about.
    pub stderr: Vec<u8>,
    /// When it started, nanoseconds since 1970.
    pub started: i128,
    /// How long it took, nanoseconds.
    pub elapsed: u64,
    /// It was killed because its time was over.
    pub timed_out: bool,
    /// Nothing ran: this is what a plan expects.
    pub planned: bool,
    /// Why it could not be started at all (no such program, not executable); `rc` is then the system's error number.
    pub refused: Option<String>,
}

impl Output {
    /// Whether it exited with 0.
    pub fn ok(&self) -> bool {
        self.rc == 0
    }

    /// What it printed, as text (bytes that are no UTF-8 are replaced).
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// What it complained about, as text.
    pub fn errors(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

/// Content that lies on the controller. The agent asks for it, by its hash, only when it must write it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Blob {
    /// BLAKE3 of the content.
    pub hash: [u8; 32],
    /// Bytes.
    pub size: u64,
    /// SHA-1 of the content in hexadecimal, which Ansible's results call `checksum`.
    pub sha1: String,
}

/// Who the steps run as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Login name.
    pub name: String,
    /// Home directory.
    pub home: PathBuf,
}

/// Something that a planned step has settled although no file says it yet. Probes ask for it before they ask a tool.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// A package of the distribution; the value is its version, text `""` for "some version", null for "not installed".
    Package(String),
    /// Whether a unit starts at boot: a boolean.
    UnitEnabled(String),
    /// Whether a unit runs: a boolean.
    UnitActive(String),
    /// What a program leaves at a path (`useradd` a home, a package its files): a mapping with `kind` (`file`, `dir`,
    /// `link`), `mode`, `uid`, `gid`, each with a sensible default; null for "removed". The predicted machine itself
    /// answers `stat` and its kin by it; the content of such a file is not known.
    Path(PathBuf),
    /// Anything else that one module's probe knows by name, as `("postgresql_db", "wod")`. Null is "absent".
    Other(String, String),
}

/// Questions to a machine. Nothing here changes it.
pub trait System {
    /// What stands at `path`, following links if `follow`; `None` if there is nothing.
    fn stat(&self, path: &Path, follow: bool) -> io::Result<Option<Stat>>;

    /// The content of a file; `None` if there is no such file.
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>>;

    /// At most `length` bytes of a file from `offset` on; fewer only at its end. `None` if there is no such file.
    fn read_part(&self, path: &Path, offset: u64, length: u64) -> io::Result<Option<Vec<u8>>> {
        let part = |bytes: Vec<u8>| bytes.into_iter().skip(offset as usize).take(length as usize).collect();
        Ok(self.read(path)?.map(part))
    }

    /// The names in a directory, sorted; `None` if there is no such directory.
    fn list(&self, path: &Path) -> io::Result<Option<Vec<OsString>>>;

    /// Where a symbolic link points.
    fn read_link(&self, path: &Path) -> io::Result<PathBuf>;

    /// The same for whoever goes there: refused where somebody else may have laid the link to lead us astray.
    fn follow(&self, link: &Path) -> io::Result<PathBuf> {
        self.read_link(link)
    }

    /// BLAKE3 of a file's content, in constant memory; `None` if there is no such file.
    fn hash(&self, path: &Path) -> io::Result<Option<[u8; 32]>>;

    /// A checksum of a file's content in hexadecimal, in constant memory; `None` if there is no such file.
    fn digest(&self, path: &Path, algorithm: Digest) -> io::Result<Option<String>> {
        Ok(self.read(path)?.map(|bytes| algorithm.of(&bytes)))
    }

    /// The working directory, from which relative paths start.
    fn cwd(&self) -> PathBuf {
        self.identity().home
    }

    /// Runs a program that only reads. The caller vouches for that: it runs in plan mode too.
    fn query(&self, command: &Command) -> io::Result<Output>;

    /// The absolute path of a program, looked for in PATH, /usr/sbin, /sbin, /usr/local/sbin.
    fn which(&self, program: &str) -> Option<PathBuf>;

    /// Whether actions really happen. False for the predicted machine: programs do not run on it, so a module has to say
    /// what they would do, if it must ask them first.
    fn is_real(&self) -> bool {
        true
    }

    /// What a planned step has settled about `subject`; `None`: ask the machine itself.
    fn predicted(&self, subject: &Subject) -> Option<Value> {
        let _ = subject;
        None
    }

    /// Content that lies on the controller. Whole in memory: for text that is edited or shown as a diff.
    fn content(&self, blob: &Blob) -> io::Result<Vec<u8>>;

    /// Who asks.
    fn identity(&self) -> Identity;

    /// A variable of the agent's environment.
    fn env(&self, name: &str) -> Option<String>;

    /// The agent's whole environment.
    fn environment(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Seconds since 1970.
    fn now(&self) -> f64;

    /// The machine's time zone.
    fn time_zone(&self) -> jiff::tz::TimeZone {
        jiff::tz::TimeZone::UTC
    }

    /// The mask that takes permissions from new files.
    fn umask(&self) -> u32 {
        0o022
    }

    /// The agent's process id, for names that no other run uses.
    fn pid(&self) -> u32 {
        1
    }

    /// A temporary name beside `path` that no other step uses, also none that runs at the same time; the same for as
    /// long as one step lasts. What a killed run leaves under such a name is removed when something is next written there.
    fn temporary(&self, path: &Path) -> PathBuf {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let short: String = name.chars().take(50).collect();
        path.with_file_name(format!(".{short}.wodctl-{}-{}", self.pid(), self.lane()))
    }

    /// A word for what works beside others in this process.
    fn lane(&self) -> String {
        "own".to_owned()
    }

    /// A question since the last call of this was about the content of a file that nobody can know yet (a planned
    /// package brings it). Only the predicted machine has such files; its answer was an error.
    fn asked_unknown(&self) -> bool {
        false
    }

    /// How full the file systems mounted at `paths` are. One that does not answer within `patience` (a dead network
    /// mount) is given up on: `TimedOut`.
    fn space(&self, paths: &[PathBuf], patience: Duration) -> Vec<io::Result<Space>> {
        let _ = patience;
        paths.iter().map(|_| Err(io::ErrorKind::Unsupported.into())).collect()
    }

    /// Connects to a TCP port and listens until `enough` says so, the other side closes, or `patience` is over; what was
    /// heard. `enough` is asked with nothing heard too. Nobody there is an error.
    fn connect(
        &self,
        to: SocketAddr,
        patience: Duration,
        enough: &mut dyn FnMut(&[u8]) -> bool,
    ) -> io::Result<Vec<u8>> {
        let _ = (to, patience, enough);
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The kernel's answer to one request of netlink's routing family that only reads.
    fn netlink(&self, request: &[u8]) -> io::Result<Vec<u8>> {
        let _ = request;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// An extended attribute; `None` if there is none or the file system has none.
    fn xattr(&self, path: &Path, name: &str) -> io::Result<Option<Vec<u8>>> {
        let _ = (path, name);
        Ok(None)
    }
}

/// Bytes to be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Content {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Bytes that lie on the controller.
    Blob(Blob),
    /// A file on the machine itself (copied, never moved).
    File(PathBuf),
}

/// Effects on a machine: what the performer is made of. Each is one system call's worth, or one program.
pub trait Machine: System {
    /// These contents will be written next: ask for them together, so that many small ones cost one round trip.
    fn prefetch(&mut self, blobs: &[Blob]) {
        let _ = blobs;
    }

    /// Writes a new file (never an existing one) with these permissions, not yet synced.
    fn create(&mut self, path: &Path, content: &Content, mode: u32) -> io::Result<()>;

    /// Overwrites an existing file in place (`unsafe_writes`).
    fn overwrite(&mut self, path: &Path, content: &Content) -> io::Result<()>;

    /// Makes files durable, all at once.
    fn sync(&mut self, paths: &[PathBuf]) -> io::Result<()>;

    /// Renames, replacing what stands at `to`.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;

    /// Makes one directory.
    fn make_dir(&mut self, path: &Path, mode: u32) -> io::Result<()>;

    /// Makes a symbolic link at `path`.
    fn symlink(&mut self, target: &Path, path: &Path) -> io::Result<()>;

    /// Makes another name for a file.
    fn hard_link(&mut self, target: &Path, path: &Path) -> io::Result<()>;

    /// Removes a file, a link or an empty directory.
    fn remove(&mut self, path: &Path) -> io::Result<()>;

    /// Removes a directory with all that is in it, without following links.
    fn remove_tree(&mut self, path: &Path) -> io::Result<()>;

    /// Sets permission bits (12 bits) of a file or directory.
    fn set_mode(&mut self, path: &Path, mode: u32) -> io::Result<()>;

    /// Sets owner and group; of a link itself unless `follow`.
    fn set_owner(&mut self, path: &Path, uid: Option<u32>, gid: Option<u32>, follow: bool) -> io::Result<()>;

    /// Sets the times of last access and last change, seconds since 1970; `None` leaves one as it is.
    fn set_times(&mut self, path: &Path, atime: Option<f64>, mtime: Option<f64>, follow: bool) -> io::Result<()>;

    /// Copies what an atomic replacement would lose from `from` to `to`: SELinux label, ACLs, other attributes.
    fn keep_attributes(&mut self, from: &Path, to: &Path) -> io::Result<()>;

    /// Runs a program to its end. `live` receives what it prints, as it prints it.
    fn run(&mut self, command: &Command, live: &mut dyn FnMut(Stream, &[u8])) -> io::Result<Output>;

    /// Fetches `request` into the file `request.to` (or into the output, if it names none).
    fn download(&mut self, request: &crate::system::Request) -> io::Result<Output>;

    /// Records what a performed action has settled. Only the predicted machine listens.
    fn settle(&mut self, subject: Subject, value: Value) {
        let _ = (subject, value);
    }
}

/// Which of a program's two outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Answers every question of [`System`] as the field does.
#[macro_export]
macro_rules! delegate_system {
    ($($field:tt).+) => {
        fn stat(&self, path: &Path, follow: bool) -> std::io::Result<Option<$crate::system::Stat>> {
            self.$($field).+.stat(path, follow)
        }
        fn read(&self, path: &Path) -> std::io::Result<Option<Vec<u8>>> {
            self.$($field).+.read(path)
        }
        fn read_part(&self, path: &Path, offset: u64, length: u64) -> std::io::Result<Option<Vec<u8>>> {
            self.$($field).+.read_part(path, offset, length)
        }
        fn list(&self, path: &Path) -> std::io::Result<Option<Vec<std::ffi::OsString>>> {
            self.$($field).+.list(path)
        }
        fn read_link(&self, path: &Path) -> std::io::Result<std::path::PathBuf> {
            self.$($field).+.read_link(path)
        }
        fn follow(&self, link: &Path) -> std::io::Result<std::path::PathBuf> {
            self.$($field).+.follow(link)
        }
        fn hash(&self, path: &Path) -> std::io::Result<Option<[u8; 32]>> {
            self.$($field).+.hash(path)
        }
        fn digest(&self, path: &Path, algorithm: $crate::system::Digest) -> std::io::Result<Option<String>> {
            self.$($field).+.digest(path, algorithm)
        }
        fn cwd(&self) -> std::path::PathBuf {
            self.$($field).+.cwd()
        }
        fn query(&self, command: &$crate::system::Command) -> std::io::Result<$crate::system::Output> {
            self.$($field).+.query(command)
        }
        fn which(&self, program: &str) -> Option<std::path::PathBuf> {
            self.$($field).+.which(program)
        }
        fn predicted(&self, subject: &$crate::system::Subject) -> Option<$crate::value::Value> {
            $crate::system::System::predicted(&self.$($field).+, subject)
        }
        fn content(&self, blob: &$crate::system::Blob) -> std::io::Result<Vec<u8>> {
            self.$($field).+.content(blob)
        }
        fn identity(&self) -> $crate::system::Identity {
            self.$($field).+.identity()
        }
        fn env(&self, name: &str) -> Option<String> {
            self.$($field).+.env(name)
        }
        fn environment(&self) -> Vec<(String, String)> {
            self.$($field).+.environment()
        }
        fn now(&self) -> f64 {
            self.$($field).+.now()
        }
        fn time_zone(&self) -> jiff::tz::TimeZone {
            self.$($field).+.time_zone()
        }
        fn umask(&self) -> u32 {
            self.$($field).+.umask()
        }
        fn pid(&self) -> u32 {
            self.$($field).+.pid()
        }
        fn lane(&self) -> String {
            self.$($field).+.lane()
        }
        fn asked_unknown(&self) -> bool {
            self.$($field).+.asked_unknown()
        }
        fn space(
            &self, paths: &[std::path::PathBuf], patience: std::time::Duration,
        ) -> Vec<std::io::Result<$crate::system::Space>> {
            self.$($field).+.space(paths, patience)
        }
        fn connect(
            &self, to: std::net::SocketAddr, patience: std::time::Duration, enough: &mut dyn FnMut(&[u8]) -> bool,
        ) -> std::io::Result<Vec<u8>> {
            self.$($field).+.connect(to, patience, enough)
        }
        fn netlink(&self, request: &[u8]) -> std::io::Result<Vec<u8>> {
            self.$($field).+.netlink(request)
        }
        fn xattr(&self, path: &Path, name: &str) -> std::io::Result<Option<Vec<u8>>> {
            self.$($field).+.xattr(path, name)
        }
    };
}

/// Does everything of [`Machine`] that is about files, and settles, as the field does.
#[macro_export]
macro_rules! delegate_machine {
    ($($field:tt).+) => {
        fn prefetch(&mut self, blobs: &[$crate::system::Blob]) {
            self.$($field).+.prefetch(blobs);
        }
        fn create(&mut self, path: &Path, content: &$crate::system::Content, mode: u32) -> std::io::Result<()> {
            self.$($field).+.create(path, content, mode)
        }
        fn overwrite(&mut self, path: &Path, content: &$crate::system::Content) -> std::io::Result<()> {
            self.$($field).+.overwrite(path, content)
        }
        fn sync(&mut self, paths: &[std::path::PathBuf]) -> std::io::Result<()> {
            self.$($field).+.sync(paths)
        }
        fn rename(&mut self, from: &Path, to: &Path) -> std::io::Result<()> {
            self.$($field).+.rename(from, to)
        }
        fn make_dir(&mut self, path: &Path, mode: u32) -> std::io::Result<()> {
            self.$($field).+.make_dir(path, mode)
        }
        fn symlink(&mut self, target: &Path, path: &Path) -> std::io::Result<()> {
            self.$($field).+.symlink(target, path)
        }
        fn hard_link(&mut self, target: &Path, path: &Path) -> std::io::Result<()> {
            self.$($field).+.hard_link(target, path)
        }
        fn remove(&mut self, path: &Path) -> std::io::Result<()> {
            self.$($field).+.remove(path)
        }
        fn remove_tree(&mut self, path: &Path) -> std::io::Result<()> {
            self.$($field).+.remove_tree(path)
        }
        fn set_mode(&mut self, path: &Path, mode: u32) -> std::io::Result<()> {
            self.$($field).+.set_mode(path, mode)
        }
        fn set_owner(&mut self, path: &Path, uid: Option<u32>, gid: Option<u32>, follow: bool) -> std::io::Result<()> {
            self.$($field).+.set_owner(path, uid, gid, follow)
        }
        fn set_times(
            &mut self, path: &Path, atime: Option<f64>, mtime: Option<f64>, follow: bool,
        ) -> std::io::Result<()> {
            self.$($field).+.set_times(path, atime, mtime, follow)
        }
        fn keep_attributes(&mut self, from: &Path, to: &Path) -> std::io::Result<()> {
            self.$($field).+.keep_attributes(from, to)
        }
        fn settle(&mut self, subject: $crate::system::Subject, value: $crate::value::Value) {
            self.$($field).+.settle(subject, value);
        }
    };
}
