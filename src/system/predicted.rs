//! A machine on which planned actions have happened: an overlay over another one, which is never changed.
//!
//! Files, directories and links lie in the overlay; what planned programs settle is kept by [`Subject`]; programs do
//! not run.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::{
    Blob, Command, Content, Digest, FileKind, Identity, Machine, Output, Space, Stat, Stream, Subject, System,
};
use crate::value::Value;

/// An overlay over `S`.
#[derive(Clone)]
pub struct Predicted<S> {
    base: S,
    nodes: BTreeMap<PathBuf, Node>,
    settled: HashMap<Subject, Value>,
    made: u64,
    asked_unknown: Cell<bool>,
}

/// What the overlay says of a path. A path that it does not know is looked for in the machine below.
#[derive(Clone)]
enum Node {
    /// There is nothing here any more.
    Gone,
    /// This is here.
    There(Entry),
}

#[derive(Clone)]
struct Entry {
    stat: Stat,
    data: Data,
}

#[derive(Clone)]
enum Data {
    /// A file that holds this.
    Bytes(Arc<[u8]>),
    /// A file that holds what lies on the controller.
    Blob(Blob),
    /// A file or directory (or another thing) with what this path of the machine below holds.
    Below(PathBuf),
    /// A link that points there.
    Link(PathBuf),
    /// A directory that was made by a plan.
    Empty,
    /// A file that a planned program leaves: nobody knows yet what it holds.
    Later,
}

/// As many links may lead to a file; the kernel's own limit.
const MAX_LINKS: usize = 40;

impl<S: System> Predicted<S> {
    /// As `base` is now.
    pub fn new(base: S) -> Self {
        Predicted { base, nodes: BTreeMap::new(), settled: HashMap::new(), made: 0, asked_unknown: Cell::new(false) }
    }

    /// The machine below.
    pub fn base(&self) -> &S {
        &self.base
    }

    /// The machine below, to tell it who asks.
    pub fn base_mut(&mut self) -> &mut S {
        &mut self.base
    }

    /// What stands at a path whose parents are no links.
    fn at(&self, path: &Path) -> io::Result<Option<Entry>> {
        match self.nodes.get(path) {
            Some(Node::Gone) => return Ok(None),
            Some(Node::There(entry)) => return Ok(Some(entry.clone())),
            None => {}
        }
        let Some(below) = self.below(path) else { return Ok(None) };
        let Some(stat) = self.base.stat(&below, false)? else { return Ok(None) };
        let data = match stat.kind {
            FileKind::Link => Data::Link(self.base.read_link(&below)?),
            _ => Data::Below(below),
        };
        Ok(Some(Entry { stat, data }))
    }

    /// Where the machine below has what stands at `path`, if a directory that is planned above it lets it through.
    fn below(&self, path: &Path) -> Option<PathBuf> {
        for ancestor in path.ancestors().skip(1) {
            match self.nodes.get(ancestor) {
                None => {}
                Some(Node::There(Entry { data: Data::Below(below), .. })) => {
                    return Some(below.join(path.strip_prefix(ancestor).ok()?));
                }
                Some(_) => return None,
            }
        }
        Some(path.to_owned())
    }

    /// The path without links in its parents (and in its last part, if `follow`). What does not exist is kept as it is.
    fn resolve(&self, path: &Path, follow: bool) -> io::Result<PathBuf> {
        let mut todo: VecDeque<OsString> = parts(path);
        let mut done = PathBuf::from("/");
        let mut links = 0;
        while let Some(part) = todo.pop_front() {
            if part == ".." {
                done.pop();
                continue;
            }
            let next = done.join(&part);
            let target = match self.at(&next)? {
                Some(Entry { data: Data::Link(target), .. }) if follow || !todo.is_empty() => target,
                _ => {
                    done = next;
                    continue;
                }
            };
            links += 1;
            if links > MAX_LINKS {
                return Err(rustix::io::Errno::LOOP.into());
            }
            if target.is_absolute() {
                done = PathBuf::from("/");
            }
            for part in parts(&target).into_iter().rev() {
                todo.push_front(part);
            }
        }
        Ok(done)
    }

    fn look(&self, path: &Path, follow: bool) -> io::Result<Option<Entry>> {
        self.at(&self.resolve(path, follow)?)
    }

    fn must(&self, path: &Path, follow: bool) -> io::Result<(PathBuf, Entry)> {
        let resolved = self.resolve(path, follow)?;
        let entry = self.at(&resolved)?.ok_or(ErrorKind::NotFound)?;
        Ok((resolved, entry))
    }

    /// The resolved place for something new.
    fn free(&self, path: &Path) -> io::Result<PathBuf> {
        let resolved = self.resolve(path, false)?;
        if self.at(&resolved)?.is_some() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        match resolved.parent().map(|parent| self.at(parent)).transpose()?.flatten() {
            None => Err(ErrorKind::NotFound.into()),
            Some(parent) if parent.stat.kind != FileKind::Dir => Err(ErrorKind::NotADirectory.into()),
            Some(_) => Ok(resolved),
        }
    }

    fn put(&mut self, path: PathBuf, kind: FileKind, mode: u32, data: Data) {
        let now = self.base.now();
        let identity = self.base.identity();
        // A directory with the set-gid bit hands its group down.
        let parent = path.parent().and_then(|parent| self.at(parent).ok().flatten());
        let gid = parent.filter(|dir| dir.stat.mode & 0o2000 != 0).map_or(identity.gid, |dir| dir.stat.gid);
        self.made += 1;
        let size = self.size(&data);
        let stat = Stat {
            kind,
            mode,
            uid: identity.uid,
            gid,
            size,
            mtime: now,
            atime: now,
            ctime: now,
            ino: u64::MAX - self.made,
            dev: 0,
            nlink: 1,
            blocks: size.div_ceil(4096) * 8,
            block_size: 4096,
            rdev: 0,
        };
        self.nodes.insert(path, Node::There(Entry { stat, data }));
    }

    fn size(&self, data: &Data) -> u64 {
        match data {
            Data::Bytes(bytes) => bytes.len() as u64,
            Data::Blob(blob) => blob.size,
            Data::Below(path) => self.base.stat(path, true).ok().flatten().map_or(0, |stat| stat.size),
            Data::Link(target) => target.as_os_str().len() as u64,
            Data::Empty => 4096,
            Data::Later => 0,
        }
    }

    fn data(&self, content: &Content) -> io::Result<Data> {
        Ok(match content {
            Content::Bytes(bytes) => Data::Bytes(bytes.as_slice().into()),
            Content::Blob(blob) => Data::Blob(blob.clone()),
            Content::File(path) => match self.must(path, true)?.1 {
                Entry { stat, data } if stat.kind != FileKind::Dir => data,
                _ => return Err(ErrorKind::IsADirectory.into()),
            },
        })
    }

    /// Forgets everything below `path`, and what the machine below has there.
    fn clear(&mut self, path: &Path) {
        for key in self.subtree(path) {
            self.nodes.remove(&key);
        }
        self.nodes.insert(path.to_owned(), Node::Gone);
    }

    /// The overlay's own paths at and below `path`.
    fn subtree(&self, path: &Path) -> Vec<PathBuf> {
        let from = self.nodes.range(path.to_owned()..);
        from.map(|(key, _)| key).take_while(|key| key.starts_with(path)).cloned().collect()
    }

    fn edit(&mut self, path: &Path, follow: bool, change: impl FnOnce(&mut Stat)) -> io::Result<()> {
        let now = self.base.now();
        let (path, mut entry) = self.must(path, follow)?;
        change(&mut entry.stat);
        entry.stat.ctime = now;
        self.nodes.insert(path, Node::There(entry));
        Ok(())
    }

    fn unknown(&self, path: &Path) -> io::Error {
        self.asked_unknown.set(true);
        io::Error::other(format!("what {} holds is known after apply", path.display()))
    }

    /// What a planned program leaves at a path, see [`Subject::Path`].
    fn settle_path(&mut self, path: &Path, value: &Value) -> io::Result<()> {
        let resolved = self.resolve(path, false)?;
        if *value == Value::Null {
            self.clear(&resolved);
            return Ok(());
        }
        let number = |key: &str| match value.get(key) {
            Some(Value::Int(number)) => u32::try_from(*number).ok(),
            _ => None,
        };
        if self.at(&resolved)?.is_none() {
            let (kind, mode, data) = match value.get("kind").and_then(Value::as_str) {
                Some("dir") => (FileKind::Dir, 0o755, Data::Empty),
                Some("link") => (FileKind::Link, 0o777, Data::Link(PathBuf::new())),
                _ => (FileKind::File, 0o644, Data::Later),
            };
            self.put(resolved.clone(), kind, mode, data);
        }
        self.edit(&resolved, false, |stat| {
            stat.mode = number("mode").unwrap_or(stat.mode);
            stat.uid = number("uid").unwrap_or(stat.uid);
            stat.gid = number("gid").unwrap_or(stat.gid);
        })
    }

    fn names(&self, dir: &Path, entry: &Entry) -> io::Result<Vec<OsString>> {
        let mut names = match &entry.data {
            Data::Below(below) => self.base.list(below)?.unwrap_or_default(),
            _ => Vec::new(),
        };
        for path in self.subtree(dir) {
            let Some(name) = path.file_name().filter(|_| path.parent() == Some(dir)) else { continue };
            names.retain(|known| known != name);
            if let Some(Node::There(_)) = self.nodes.get(&path) {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }
}

/// The named parts of a path.
fn parts(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            _ => None,
        })
        .collect()
}

impl<S: System> System for Predicted<S> {
    fn stat(&self, path: &Path, follow: bool) -> io::Result<Option<Stat>> {
        if self.nodes.is_empty() {
            return self.base.stat(path, follow);
        }
        Ok(self.look(path, follow)?.map(|entry| entry.stat))
    }

    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        if self.nodes.is_empty() {
            return self.base.read(path);
        }
        match self.look(path, true)?.map(|entry| entry.data) {
            None => Ok(None),
            Some(Data::Bytes(bytes)) => Ok(Some(bytes.to_vec())),
            Some(Data::Blob(blob)) => self.base.content(&blob).map(Some),
            Some(Data::Below(path)) => self.base.read(&path),
            Some(Data::Later) => Err(self.unknown(path)),
            Some(Data::Link(_) | Data::Empty) => Err(ErrorKind::IsADirectory.into()),
        }
    }

    fn list(&self, path: &Path) -> io::Result<Option<Vec<OsString>>> {
        if self.nodes.is_empty() {
            return self.base.list(path);
        }
        let resolved = self.resolve(path, true)?;
        match self.at(&resolved)? {
            None => Ok(None),
            Some(entry) if entry.stat.kind == FileKind::Dir => self.names(&resolved, &entry).map(Some),
            Some(_) => Err(ErrorKind::NotADirectory.into()),
        }
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        match self.look(path, false)?.map(|entry| entry.data) {
            Some(Data::Link(target)) => Ok(target),
            Some(_) => Err(ErrorKind::InvalidInput.into()),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    fn follow(&self, link: &Path) -> io::Result<PathBuf> {
        match self.nodes.is_empty() {
            true => self.base.follow(link),
            false => self.read_link(link),
        }
    }

    fn hash(&self, path: &Path) -> io::Result<Option<[u8; 32]>> {
        if self.nodes.is_empty() {
            return self.base.hash(path);
        }
        match self.look(path, true)?.map(|entry| entry.data) {
            None => Ok(None),
            Some(Data::Bytes(bytes)) => Ok(Some(*blake3::hash(&bytes).as_bytes())),
            Some(Data::Blob(blob)) => Ok(Some(blob.hash)),
            Some(Data::Below(path)) => self.base.hash(&path),
            // Like no content that anybody wants there.
            Some(Data::Later) => Ok(Some([0; 32])),
            Some(Data::Link(_) | Data::Empty) => Err(ErrorKind::IsADirectory.into()),
        }
    }

    fn digest(&self, path: &Path, algorithm: Digest) -> io::Result<Option<String>> {
        if self.nodes.is_empty() {
            return self.base.digest(path, algorithm);
        }
        match self.look(path, true)?.map(|entry| entry.data) {
            Some(Data::Below(path)) => self.base.digest(&path, algorithm),
            Some(Data::Blob(blob)) if algorithm == Digest::Sha1 => Ok(Some(blob.sha1)),
            _ => Ok(self.read(path)?.map(|bytes| algorithm.of(&bytes))),
        }
    }

    fn cwd(&self) -> PathBuf {
        self.base.cwd()
    }

    fn query(&self, command: &Command) -> io::Result<Output> {
        self.base.query(command)
    }

    fn which(&self, program: &str) -> Option<PathBuf> {
        self.base.which(program)
    }

    fn is_real(&self) -> bool {
        false
    }

    fn predicted(&self, subject: &Subject) -> Option<Value> {
        self.settled.get(subject).cloned().or_else(|| self.base.predicted(subject))
    }

    fn content(&self, blob: &Blob) -> io::Result<Vec<u8>> {
        self.base.content(blob)
    }

    fn identity(&self) -> Identity {
        self.base.identity()
    }

    fn env(&self, name: &str) -> Option<String> {
        self.base.env(name)
    }

    fn environment(&self) -> Vec<(String, String)> {
        self.base.environment()
    }

    fn space(&self, paths: &[PathBuf], patience: Duration) -> Vec<io::Result<Space>> {
        self.base.space(paths, patience)
    }

    fn connect(
        &self,
        to: SocketAddr,
        patience: Duration,
        enough: &mut dyn FnMut(&[u8]) -> bool,
    ) -> io::Result<Vec<u8>> {
        self.base.connect(to, patience, enough)
    }

    fn netlink(&self, request: &[u8]) -> io::Result<Vec<u8>> {
        self.base.netlink(request)
    }

    fn now(&self) -> f64 {
        self.base.now()
    }

    fn time_zone(&self) -> jiff::tz::TimeZone {
        self.base.time_zone()
    }

    fn umask(&self) -> u32 {
        self.base.umask()
    }

    fn pid(&self) -> u32 {
        self.base.pid()
    }

    fn lane(&self) -> String {
        self.base.lane()
    }

    fn asked_unknown(&self) -> bool {
        self.asked_unknown.take() | self.base.asked_unknown()
    }

    fn xattr(&self, path: &Path, name: &str) -> io::Result<Option<Vec<u8>>> {
        match self.look(path, true)?.map(|entry| entry.data) {
            Some(Data::Below(path)) => self.base.xattr(&path, name),
            _ => Ok(None),
        }
    }
}

impl<S: System> Machine for Predicted<S> {
    fn create(&mut self, path: &Path, content: &Content, mode: u32) -> io::Result<()> {
        let path = self.free(path)?;
        let data = self.data(content)?;
        self.put(path, FileKind::File, mode, data);
        Ok(())
    }

    fn overwrite(&mut self, path: &Path, content: &Content) -> io::Result<()> {
        let now = self.base.now();
        let data = self.data(content)?;
        let (path, mut entry) = self.must(path, true)?;
        entry.stat.size = self.size(&data);
        entry.stat.mtime = now;
        entry.data = data;
        self.nodes.insert(path, Node::There(entry));
        Ok(())
    }

    fn sync(&mut self, _: &[PathBuf]) -> io::Result<()> {
        Ok(())
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let (from, entry) = self.must(from, false)?;
        let to = self.resolve(to, false)?;
        if to == from {
            return Ok(());
        }
        match self.at(&to)? {
            Some(old) if old.stat.kind == FileKind::Dir && entry.stat.kind != FileKind::Dir => {
                return Err(ErrorKind::IsADirectory.into());
            }
            Some(_) => self.clear(&to),
            None => drop(self.free(&to)?),
        }
        for path in self.subtree(&from) {
            if let (Ok(rest), Some(node)) = (path.strip_prefix(&from), self.nodes.remove(&path)) {
                self.nodes.insert(to.join(rest), node);
            }
        }
        self.nodes.insert(to, Node::There(entry));
        self.nodes.insert(from, Node::Gone);
        Ok(())
    }

    fn make_dir(&mut self, path: &Path, mode: u32) -> io::Result<()> {
        let path = self.free(path)?;
        self.put(path, FileKind::Dir, mode, Data::Empty);
        Ok(())
    }

    fn symlink(&mut self, target: &Path, path: &Path) -> io::Result<()> {
        let path = self.free(path)?;
        self.put(path, FileKind::Link, 0o777, Data::Link(target.to_owned()));
        Ok(())
    }

    fn hard_link(&mut self, target: &Path, path: &Path) -> io::Result<()> {
        let (old, mut entry) = self.must(target, false)?;
        let path = self.free(path)?;
        entry.stat.nlink += 1;
        self.nodes.insert(old, Node::There(entry.clone()));
        self.nodes.insert(path, Node::There(entry));
        Ok(())
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        let (path, entry) = self.must(path, false)?;
        if entry.stat.kind == FileKind::Dir && !self.names(&path, &entry)?.is_empty() {
            return Err(ErrorKind::DirectoryNotEmpty.into());
        }
        self.clear(&path);
        Ok(())
    }

    fn remove_tree(&mut self, path: &Path) -> io::Result<()> {
        let (path, _) = self.must(path, false)?;
        self.clear(&path);
        Ok(())
    }

    fn set_mode(&mut self, path: &Path, mode: u32) -> io::Result<()> {
        self.edit(path, true, |stat| stat.mode = mode)
    }

    fn set_owner(&mut self, path: &Path, uid: Option<u32>, gid: Option<u32>, follow: bool) -> io::Result<()> {
        self.edit(path, follow, |stat| {
            stat.uid = uid.unwrap_or(stat.uid);
            stat.gid = gid.unwrap_or(stat.gid);
        })
    }

    fn set_times(&mut self, path: &Path, atime: Option<f64>, mtime: Option<f64>, follow: bool) -> io::Result<()> {
        self.edit(path, follow, |stat| {
            stat.atime = atime.unwrap_or(stat.atime);
            stat.mtime = mtime.unwrap_or(stat.mtime);
        })
    }

    fn keep_attributes(&mut self, _: &Path, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn run(&mut self, _: &Command, _: &mut dyn FnMut(Stream, &[u8])) -> io::Result<Output> {
        Err(io::Error::new(ErrorKind::Unsupported, "programs do not run on a predicted machine"))
    }

    fn download(&mut self, _: &crate::system::Request) -> io::Result<Output> {
        Err(io::Error::new(ErrorKind::Unsupported, "nothing is downloaded on a predicted machine"))
    }

    fn settle(&mut self, subject: Subject, value: Value) {
        if let Subject::Path(path) = &subject {
            let _ = self.settle_path(path, &value);
        }
        self.settled.insert(subject, value);
    }
}
