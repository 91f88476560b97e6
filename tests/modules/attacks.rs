//! A user of the machine who wants root led astray, against every module and every argument that is a path.
//!
//! Nothing here names a module: the fixtures say how each is called, and its declaration says which of its arguments are
//! paths. Each of them is pointed into a real folder of somebody else, who has laid something there: a link, another name
//! of root's file, a pipe, or a directory that becomes a link while root works. What is root's must be as it was, and
//! nothing of it may be in what the module answers.

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wodctl::agent::carry::carry_out;
use wodctl::change::perform::Unwatched;
use wodctl::module::{Kind, ModuleSpec};
use wodctl::modules;
use wodctl::protocol::Outcome;
use wodctl::system::fake::{self, Fake};
use wodctl::system::local::{Local, Nothing};
use wodctl::system::{Blob, Command, Content, Digest, Identity, Machine, Output, Request, Stat, Stream, System};
use wodctl::value::{Map, Value};

use super::fixture::Case;
use super::{files, folders};

/// Somebody else.
const USER: u32 = 54_321;
const SECRET: &str = "nobody else may read this";

/// What the user has laid.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Trap {
    /// The directory above is a link to one of root's.
    Above,
    /// What the path names is a link to a file of root's.
    File,
    /// What the path names is a link to a directory of root's.
    Folder,
    /// The link leads to where nothing is yet.
    Nothing,
    /// Another name of a file of root's.
    HardLink,
    /// Something that would be waited for.
    Pipe,
    /// The directory above becomes a link when root does this for the so-manieth time.
    Swap(usize),
}

/// In so many moments of a call the directory is swapped, one after the other.
const MOMENTS: usize = 12;

const TRAPS: [Trap; 6] = [Trap::Above, Trap::File, Trap::Folder, Trap::Nothing, Trap::HardLink, Trap::Pipe];

/// A real folder with what is root's and what is the user's.
struct Ground(tempfile::TempDir);

impl Ground {
    fn new() -> Ground {
        let place = ["/dev/shm", "/var/tmp"].into_iter().find(|place| Path::new(place).is_dir()).expect("a place");
        let ground = Ground(tempfile::Builder::new().prefix("wodctl-attacks-").tempdir_in(place).expect("a folder"));
        std::fs::set_permissions(ground.0.path(), PermissionsExt::from_mode(0o755)).unwrap();
        std::fs::create_dir_all(ground.root().join("folder")).unwrap();
        std::fs::create_dir(ground.home()).unwrap();
        lchown(ground.home(), Some(USER), Some(USER)).unwrap();
        ground
    }

    fn root(&self) -> PathBuf {
        self.0.path().join("root")
    }

    fn home(&self) -> PathBuf {
        self.0.path().join("home")
    }

    fn keep(&self, path: &Path) {
        std::fs::write(path, SECRET).unwrap();
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
    }

    /// Lays a trap for a path that ends in `name`; the path.
    fn lay(&self, trap: Trap, name: &str) -> PathBuf {
        let (root, home) = (self.root(), self.home());
        for kept in [name, "folder/inside", "folder/authorized_keys"] {
            self.keep(&root.join(kept));
        }
        let at = home.join(name);
        let link = |target: PathBuf, at: &Path| {
            symlink(target, at).unwrap();
            lchown(at, Some(USER), Some(USER)).unwrap();
        };
        match trap {
            Trap::Above => {
                link(root, &home.join("way"));
                return home.join("way").join(name);
            }
            Trap::File => link(root.join(name), &at),
            Trap::Folder => link(root.join("folder"), &at),
            Trap::Nothing => link(root.join("nothing"), &at),
            Trap::HardLink => std::fs::hard_link(root.join(name), &at).unwrap(),
            Trap::Pipe => {
                let mode = rustix::fs::Mode::from_raw_mode(0o600);
                rustix::fs::mknodat(rustix::fs::CWD, &at, rustix::fs::FileType::Fifo, mode, 0).unwrap();
                lchown(&at, Some(USER), Some(USER)).unwrap();
            }
            Trap::Swap(_) => {
                let way = home.join("way");
                std::fs::create_dir(&way).unwrap();
                std::fs::write(way.join(name), "the user's own\n").unwrap();
                for own in [&way, &way.join(name)] {
                    lchown(own, Some(USER), Some(USER)).unwrap();
                }
                return way.join(name);
            }
        }
        at
    }

    /// The directory above becomes a link to root's.
    fn swap(&self) {
        let way = self.home().join("way");
        if std::fs::rename(&way, self.home().join("away")).is_ok() {
            symlink(self.root(), &way).unwrap();
            lchown(&way, Some(USER), Some(USER)).unwrap();
        }
    }

    /// All that is root's, as text to compare.
    fn state(&self) -> Vec<String> {
        let mut state = Vec::new();
        for entry in walkdir::WalkDir::new(self.root()).sort_by_file_name() {
            let entry = entry.unwrap();
            let meta = entry.path().symlink_metadata().unwrap();
            let text = if meta.is_file() { std::fs::read_to_string(entry.path()).unwrap() } else { String::new() };
            let (mode, uid, gid) = (meta.mode(), meta.uid(), meta.gid());
            let times = (meta.mtime(), meta.mtime_nsec());
            assert!(!meta.file_type().is_fifo());
            state.push(format!("{} {mode:o} {uid}:{gid} {times:?} {text}", entry.path().display()));
        }
        state
    }
}

/// The fixture's machine, but what lies on the ground is real.
struct Caged<'a> {
    ground: &'a Ground,
    local: Local,
    fake: Fake,
    /// What was done or asked on the ground so far.
    steps: std::cell::Cell<usize>,
    trap: Trap,
}

impl Caged<'_> {
    fn is_real(&self, path: &Path) -> bool {
        if !path.starts_with(self.ground.0.path()) {
            return false;
        }
        let step = self.steps.get();
        self.steps.set(step + 1);
        if self.trap == Trap::Swap(step) {
            self.ground.swap();
        }
        true
    }

    fn content(&self, content: &Content) -> io::Result<Content> {
        Ok(match content {
            Content::Blob(blob) => Content::Bytes(self.fake.content(blob)?),
            Content::File(path) if !path.starts_with(self.ground.0.path()) => {
                Content::Bytes(self.fake.read(path)?.ok_or(io::ErrorKind::NotFound)?)
            }
            content => content.clone(),
        })
    }
}

macro_rules! by_path {
    ($self:ident, $path:expr, $call:ident($($arg:expr),*)) => {
        match $self.is_real($path) {
            true => $self.local.$call($($arg),*),
            false => $self.fake.$call($($arg),*),
        }
    };
}

impl System for Caged<'_> {
    fn stat(&self, path: &Path, follow: bool) -> io::Result<Option<Stat>> {
        by_path!(self, path, stat(path, follow))
    }
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        by_path!(self, path, read(path))
    }
    fn read_part(&self, path: &Path, offset: u64, length: u64) -> io::Result<Option<Vec<u8>>> {
        by_path!(self, path, read_part(path, offset, length))
    }
    fn list(&self, path: &Path) -> io::Result<Option<Vec<OsString>>> {
        by_path!(self, path, list(path))
    }
    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        by_path!(self, path, read_link(path))
    }
    fn follow(&self, path: &Path) -> io::Result<PathBuf> {
        by_path!(self, path, follow(path))
    }
    fn hash(&self, path: &Path) -> io::Result<Option<[u8; 32]>> {
        by_path!(self, path, hash(path))
    }
    fn digest(&self, path: &Path, algorithm: Digest) -> io::Result<Option<String>> {
        by_path!(self, path, digest(path, algorithm))
    }
    fn query(&self, command: &Command) -> io::Result<Output> {
        self.fake.query(command)
    }
    fn which(&self, program: &str) -> Option<PathBuf> {
        self.fake.which(program)
    }
    fn content(&self, blob: &Blob) -> io::Result<Vec<u8>> {
        self.fake.content(blob)
    }
    fn identity(&self) -> Identity {
        self.fake.identity()
    }
    fn env(&self, name: &str) -> Option<String> {
        self.fake.env(name)
    }
    fn now(&self) -> f64 {
        self.fake.now()
    }
}

impl Machine for Caged<'_> {
    fn create(&mut self, path: &Path, content: &Content, mode: u32) -> io::Result<()> {
        let content = Caged::content(self, content)?;
        by_path!(self, path, create(path, &content, mode))
    }
    fn overwrite(&mut self, path: &Path, content: &Content) -> io::Result<()> {
        let content = Caged::content(self, content)?;
        by_path!(self, path, overwrite(path, &content))
    }
    fn sync(&mut self, paths: &[PathBuf]) -> io::Result<()> {
        let real: Vec<PathBuf> = paths.iter().filter(|path| self.is_real(path)).cloned().collect();
        self.local.sync(&real)
    }
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        by_path!(self, from, rename(from, to))
    }
    fn make_dir(&mut self, path: &Path, mode: u32) -> io::Result<()> {
        by_path!(self, path, make_dir(path, mode))
    }
    fn symlink(&mut self, target: &Path, path: &Path) -> io::Result<()> {
        by_path!(self, path, symlink(target, path))
    }
    fn hard_link(&mut self, target: &Path, path: &Path) -> io::Result<()> {
        by_path!(self, path, hard_link(target, path))
    }
    fn remove(&mut self, path: &Path) -> io::Result<()> {
        by_path!(self, path, remove(path))
    }
    fn remove_tree(&mut self, path: &Path) -> io::Result<()> {
        by_path!(self, path, remove_tree(path))
    }
    fn set_mode(&mut self, path: &Path, mode: u32) -> io::Result<()> {
        by_path!(self, path, set_mode(path, mode))
    }
    fn set_owner(&mut self, path: &Path, uid: Option<u32>, gid: Option<u32>, follow: bool) -> io::Result<()> {
        by_path!(self, path, set_owner(path, uid, gid, follow))
    }
    fn set_times(&mut self, path: &Path, atime: Option<f64>, mtime: Option<f64>, follow: bool) -> io::Result<()> {
        by_path!(self, path, set_times(path, atime, mtime, follow))
    }
    fn keep_attributes(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        by_path!(self, from, keep_attributes(from, to))
    }
    fn run(&mut self, command: &Command, live: &mut dyn FnMut(Stream, &[u8])) -> io::Result<Output> {
        self.fake.run(command, live)
    }
    fn download(&mut self, request: &Request) -> io::Result<Output> {
        let Some(to) = request.to.as_deref().filter(|to| self.is_real(to)) else { return self.fake.download(request) };
        let aside = PathBuf::from("/tmp/what-was-fetched");
        let output = self.fake.download(&Request { to: Some(aside.clone()), ..request.clone() })?;
        if let Some(bytes) = self.fake.read(&aside)? {
            self.fake.remove(&aside)?;
            self.local.create(to, &Content::Bytes(bytes), 0o600)?;
        }
        Ok(output)
    }
}

/// Carries a fixture's call out with one of its paths on the ground; the outcome, and how often the ground was touched.
fn carry(spec: &ModuleSpec, ground: &Ground, fake: Fake, args: &Map, trap: Trap) -> Option<(Outcome, usize)> {
    let module = spec.build?(args).ok()?;
    let local = Local::new(Arc::new(Nothing), Arc::default());
    let mut caged = Caged { ground, local, fake, steps: 0.into(), trap };
    let outcome = carry_out(&*module, &mut caged, true, &mut Unwatched)?;
    Some((outcome, caged.steps.get()))
}

/// The arguments with one path led to `to`; `None` if the argument is no path of the host here.
fn led(args: &Map, name: &str, to: &Path) -> Option<Map> {
    let to = to.display().to_string();
    let value = match args.get(name)? {
        Value::Str(text) if text.starts_with('/') => {
            let slash = if text.ends_with('/') { "/" } else { "" };
            Value::Str(format!("{to}{slash}"))
        }
        Value::List(list) if list.iter().any(|item| item.as_str().is_some_and(|text| text.starts_with('/'))) => {
            Value::List(vec![Value::Str(to)])
        }
        _ => return None,
    };
    let mut args = args.clone();
    args.insert(name.to_owned(), value);
    Some(args)
}

fn is_path(kind: Kind) -> bool {
    match kind {
        Kind::Path | Kind::Files => true,
        Kind::List(item) => is_path(*item),
        _ => false,
    }
}

/// The last part of a path argument, which traps are given.
fn last(value: &Value) -> Option<String> {
    let text = match value {
        Value::Str(text) => text.clone(),
        Value::List(list) => list.iter().find_map(|item| item.as_str())?.to_owned(),
        _ => return None,
    };
    Some(Path::new(&text).file_name()?.to_str()?.to_owned())
}

/// What went wrong with one trap, if anything.
fn spring(spec: &ModuleSpec, fake: Fake, args: &Map, name: &str, trap: Trap) -> Result<usize, String> {
    let ground = Ground::new();
    let Some(end) = args.get(name).and_then(last) else { return Ok(0) };
    let path = ground.lay(trap, &end);
    let Some(args) = led(args, name, &path) else { return Ok(0) };
    judge(spec, &ground, fake, &args, trap).map_err(|problem| format!("{name}, {trap:?}: {problem}"))
}

fn judge(spec: &ModuleSpec, ground: &Ground, fake: Fake, args: &Map, trap: Trap) -> Result<usize, String> {
    let before = ground.state();
    let Some((outcome, steps)) = carry(spec, ground, fake, args, trap) else { return Ok(0) };
    let after = ground.state();
    if before != after {
        return Err(format!("what is root's has changed\nbefore {before:#?}\nafter {after:#?}"));
    }
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, SECRET);
    let said = format!("{outcome:?}");
    match [SECRET, encoded.as_str()].into_iter().find(|secret| said.contains(secret)) {
        Some(_) => Err(format!("what is root's was read: {said}")),
        None => Ok(steps),
    }
}

/// A machine whose users have their homes on the ground.
fn at_home(mut fake: Fake, ground: &Ground) -> Fake {
    let passwd = fake.read("/etc/passwd".as_ref()).unwrap().unwrap_or_default();
    let mut text = String::new();
    for line in String::from_utf8_lossy(&passwd).lines() {
        let mut fields: Vec<String> = line.split(':').map(str::to_owned).collect();
        if fields.len() == 7 && fields[5].starts_with("/home/") {
            fields[5] = ground.home().display().to_string();
        }
        text.push_str(&format!("{}\n", fields.join(":")));
    }
    fake.put("/etc/passwd", fake::Thing { content: text.into_bytes(), ..Default::default() });
    fake
}

fn homes(spec: &ModuleSpec, case: &Case) -> Result<usize, String> {
    let ground = Ground::new();
    ground.lay(Trap::Pipe, "unused");
    symlink(ground.root().join("folder"), ground.home().join(".ssh")).unwrap();
    lchown(ground.home().join(".ssh"), Some(USER), Some(USER)).unwrap();
    let (fake, args) = case.machine();
    judge(spec, &ground, at_home(fake, &ground), &args, Trap::Above).map_err(|problem| format!("a home: {problem}"))
}

#[test]
fn nobody_leads_root_astray() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can be led astray");
        return;
    }
    let (mut sprung, mut problems) = (0, Vec::new());
    for path in folders(&super::root()).iter().flat_map(|dir| files(dir)) {
        let module = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        let (Some(spec), Ok(case)) = (modules::find(&module), Case::load(&path)) else { continue };
        let mut note = |found: Result<usize, String>| match found {
            Ok(steps) => {
                sprung += usize::from(steps > 0);
                steps
            }
            Err(problem) => {
                problems.push(format!("{}: {problem}", path.display()));
                0
            }
        };
        note(homes(spec, &case));
        for param in spec.public_params().filter(|param| is_path(param.kind)) {
            let with = |trap| {
                let (fake, args) = case.machine();
                spring(spec, fake, &args, param.name, trap)
            };
            for trap in TRAPS {
                note(with(trap));
            }
            let steps = note(with(Trap::Swap(usize::MAX)));
            for step in 0..steps.min(MOMENTS) {
                note(with(Trap::Swap(step)));
            }
        }
    }
    assert!(problems.is_empty(), "{} problems\n\n{}", problems.len(), problems.join("\n\n"));
    assert!(sprung > 1000, "only {sprung} traps were come near");
}
