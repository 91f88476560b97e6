//! A machine in memory, for tests: files and users are an overlay over nothing, programs answer from a script.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::predicted::Predicted;
use super::{Blob, Command, Content, FileKind, Identity, Machine, Output, Stat, Stream, System};

/// A machine in memory. It is real to the performer: programs "run", and what their script says happens.
#[derive(Clone)]
pub struct Fake {
    machine: Predicted<Script>,
    ran: Vec<Vec<String>>,
}

/// What a program answers, and what running it does.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Its output.
    pub output: Output,
    /// What it does to the machine. A question must have none.
    pub then: Vec<Effect>,
}

/// What a scripted program does.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Puts a file, directory or link there.
    Put(PathBuf, Thing),
    /// Removes what is there.
    Gone(PathBuf),
    /// From now on this program answers this.
    Say(Vec<String>, Answer),
}

/// A file, directory or link of a fake machine.
#[derive(Clone, Debug, Default)]
pub struct Thing {
    /// A file's content, unless it is a link or a directory.
    pub content: Vec<u8>,
    /// It is a link to this.
    pub link: Option<PathBuf>,
    /// It is a directory.
    pub dir: bool,
    /// Permissions; 0644 or 0755 by default.
    pub mode: Option<u32>,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Last change, seconds since 1970; 0 by default.
    pub mtime: f64,
}

/// What an address answers.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The status code.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// The machine under a [`Fake`]: no files at all but the root directory.
#[derive(Clone)]
struct Script {
    identity: Identity,
    env: BTreeMap<String, String>,
    programs: Vec<String>,
    answers: HashMap<Vec<String>, Answer>,
    blobs: HashMap<[u8; 32], Vec<u8>>,
    downloads: HashMap<String, Page>,
    ports: HashMap<SocketAddr, String>,
    now: f64,
}

/// A blob for these bytes, as the controller makes it.
pub fn blob(bytes: &[u8]) -> Blob {
    use sha1::Digest;
    let sha1 = sha1::Sha1::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    Blob { hash: *blake3::hash(bytes).as_bytes(), size: bytes.len() as u64, sha1 }
}

impl Default for Fake {
    fn default() -> Self {
        Fake::new()
    }
}

impl Fake {
    /// A machine with root and an empty `/tmp` and `/etc`; the agent runs as root.
    pub fn new() -> Self {
        let identity = Identity { uid: 0, gid: 0, name: "root".into(), home: "/root".into() };
        let env = BTreeMap::from([("HOME".into(), "/root".into()), ("PATH".into(), "/usr/bin:/bin".into())]);
        let script = Script {
            identity,
            env,
            programs: Vec::new(),
            answers: HashMap::new(),
            blobs: HashMap::new(),
            downloads: HashMap::new(),
            ports: HashMap::new(),
            now: 1_800_000_000.0,
        };
        let mut fake = Fake { machine: Predicted::new(script), ran: Vec::new() };
        fake.put("/tmp", Thing { dir: true, mode: Some(0o1777), ..Thing::default() });
        fake.put("/root", Thing { dir: true, mode: Some(0o700), ..Thing::default() });
        fake.file("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n").file("/etc/group", "root:x:0:\n")
    }

    /// Adds a file of root with mode 0644.
    pub fn file(mut self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> Self {
        self.put(path, Thing { content: content.as_ref().to_vec(), ..Thing::default() });
        self
    }

    /// Adds a directory of root with mode 0755.
    pub fn dir(mut self, path: impl AsRef<Path>) -> Self {
        self.put(path, Thing { dir: true, ..Thing::default() });
        self
    }

    /// Adds a link.
    pub fn link(mut self, path: impl AsRef<Path>, target: impl Into<PathBuf>) -> Self {
        self.put(path, Thing { link: Some(target.into()), ..Thing::default() });
        self
    }

    /// Adds a user with a group of the same name and number, and with a home.
    pub fn user(mut self, name: &str, uid: u32) -> Self {
        let home = format!("/home/{name}");
        self.append("/etc/passwd", &format!("{name}:x:{uid}:{uid}::{home}:/bin/sh\n"));
        self.append("/etc/group", &format!("{name}:x:{uid}:\n"));
        self.put(&home, Thing { dir: true, uid, gid: uid, ..Thing::default() });
        self
    }

    /// Adds a line to a file.
    pub fn append(&mut self, path: &str, line: &str) {
        let mut content = self.machine.read(Path::new(path)).ok().flatten().unwrap_or_default();
        content.extend_from_slice(line.as_bytes());
        self.put(path, Thing { content, ..Thing::default() });
    }

    /// The agent runs as this user.
    pub fn acting(mut self, identity: Identity) -> Self {
        self.script().identity = identity;
        self
    }

    /// There is such a program in `/usr/bin`.
    pub fn program(mut self, name: &str) -> Self {
        self.script().programs.push(name.to_owned());
        self
    }

    /// A program that answers with this text and status. Its program is found by `which` too.
    pub fn answers(mut self, argv: &[&str], rc: i32, stdout: &str) -> Self {
        let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
        let output = Output { rc, stdout: stdout.as_bytes().to_vec(), ..Output::default() };
        self.say(argv, Answer { output, then: Vec::new() });
        self
    }

    /// A program that answers and does something.
    pub fn say(&mut self, argv: Vec<String>, answer: Answer) {
        if let Some(program) = argv.first() {
            self.script().programs.push(program.clone());
        }
        self.script().answers.insert(argv, answer);
    }

    /// What an address answers.
    pub fn serves(mut self, url: &str, page: Page) -> Self {
        self.script().downloads.insert(url.to_owned(), page);
        self
    }

    /// Somebody listens there, and says this.
    pub fn listens(mut self, at: SocketAddr, says: &str) -> Self {
        self.script().ports.insert(at, says.to_owned());
        self
    }

    /// Content that lies on the controller.
    pub fn blob(&mut self, bytes: &[u8]) -> Blob {
        let blob = blob(bytes);
        self.script().blobs.insert(blob.hash, bytes.to_vec());
        blob
    }

    /// Sets a variable of the agent's environment.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.script().env.insert(name.to_owned(), value.to_owned());
    }

    /// Sets the clock, seconds since 1970.
    pub fn set_now(&mut self, now: f64) {
        self.script().now = now;
    }

    /// The programs that ran (not the questions), in order.
    pub fn ran(&self) -> &[Vec<String>] {
        &self.ran
    }

    /// The machine as a plan sees it: nothing that happens there happens here.
    pub fn plan(&self) -> Predicted<Fake> {
        Predicted::new(self.clone())
    }

    fn script(&mut self) -> &mut Script {
        self.machine.base_mut()
    }

    /// Puts something there, and the directories above it. What was there goes.
    pub fn put(&mut self, path: impl AsRef<Path>, thing: Thing) {
        let path = path.as_ref();
        let missing = |fake: &Fake, path: &Path| matches!(fake.machine.stat(path, true), Ok(None));
        if let Some(parent) = path.parent().filter(|parent| missing(self, parent)) {
            self.put(parent, Thing { dir: true, ..Thing::default() });
        }
        let machine = &mut self.machine;
        let _ = machine.remove_tree(path);
        let mode = thing.mode.unwrap_or(if thing.dir { 0o755 } else { 0o644 });
        let made = match &thing.link {
            Some(target) => machine.symlink(target, path),
            None if thing.dir => machine.make_dir(path, mode),
            None => machine.create(path, &Content::Bytes(thing.content), mode),
        };
        let made = made.and_then(|()| machine.set_owner(path, Some(thing.uid), Some(thing.gid), false));
        let made = made.and_then(|()| machine.set_times(path, Some(thing.mtime), Some(thing.mtime), false));
        made.unwrap_or_else(|error| panic!("the fake machine cannot have {}: {error}", path.display()));
    }

    fn happen(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Put(path, thing) => self.put(path, thing),
                Effect::Gone(path) => drop(self.machine.remove_tree(&path)),
                Effect::Say(argv, answer) => self.say(argv, answer),
            }
        }
    }
}

impl Script {
    fn answer(&self, argv: &[String]) -> Option<&Answer> {
        self.answers.get(argv)
    }
}

impl System for Script {
    fn stat(&self, path: &Path, _: bool) -> io::Result<Option<Stat>> {
        let root = Stat {
            kind: FileKind::Dir,
            mode: 0o755,
            uid: 0,
            gid: 0,
            size: 4096,
            mtime: 0.0,
            atime: 0.0,
            ctime: 0.0,
            ino: 2,
            dev: 0,
            nlink: 2,
            blocks: 8,
            block_size: 4096,
            rdev: 0,
        };
        Ok((path == Path::new("/")).then_some(root))
    }

    fn read(&self, _: &Path) -> io::Result<Option<Vec<u8>>> {
        Ok(None)
    }

    fn list(&self, path: &Path) -> io::Result<Option<Vec<OsString>>> {
        Ok((path == Path::new("/")).then(Vec::new))
    }

    fn read_link(&self, _: &Path) -> io::Result<PathBuf> {
        Err(ErrorKind::NotFound.into())
    }

    fn hash(&self, _: &Path) -> io::Result<Option<[u8; 32]>> {
        Ok(None)
    }

    fn query(&self, command: &Command) -> io::Result<Output> {
        match self.answer(&command.argv) {
            Some(answer) => Ok(answer.output.clone()),
            None => Err(io::Error::new(
                ErrorKind::NotFound,
                format!("the fake machine does not know what `{}` answers", command.argv.join(" ")),
            )),
        }
    }

    fn which(&self, program: &str) -> Option<PathBuf> {
        let known = self.programs.iter().any(|known| known == program);
        known.then(|| if program.starts_with('/') { program.into() } else { Path::new("/usr/bin").join(program) })
    }

    fn content(&self, blob: &Blob) -> io::Result<Vec<u8>> {
        self.blobs.get(&blob.hash).cloned().ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn identity(&self) -> Identity {
        self.identity.clone()
    }

    fn env(&self, name: &str) -> Option<String> {
        self.env.get(name).cloned()
    }

    fn environment(&self) -> Vec<(String, String)> {
        self.env.clone().into_iter().collect()
    }

    fn now(&self) -> f64 {
        self.now
    }

    fn connect(&self, to: SocketAddr, _: Duration, _: &mut dyn FnMut(&[u8]) -> bool) -> io::Result<Vec<u8>> {
        let says = self.ports.get(&to).ok_or(ErrorKind::ConnectionRefused)?;
        Ok(says.clone().into_bytes())
    }
}

impl System for Fake {
    crate::delegate_system!(machine);
}

impl Machine for Fake {
    crate::delegate_machine!(machine);

    /// A program without a script succeeds and prints nothing. `sleep` puts the clock forward.
    fn run(&mut self, command: &Command, live: &mut dyn FnMut(Stream, &[u8])) -> io::Result<Output> {
        self.ran.push(command.argv.clone());
        let started = (self.now() * 1e9) as i128;
        if let [program, seconds] = command.argv.as_slice()
            && program == "sleep"
        {
            self.script().now += seconds.parse().unwrap_or(0.0);
        }
        let answer = self.machine.base().answer(&command.argv).cloned().unwrap_or_default();
        live(Stream::Stdout, &answer.output.stdout);
        self.happen(answer.then);
        Ok(Output { started, ..answer.output })
    }

    fn download(&mut self, request: &crate::system::Request) -> io::Result<Output> {
        let Some(Page { status, headers, body }) = self.machine.base().downloads.get(&request.url).cloned() else {
            return Err(io::Error::new(ErrorKind::NotFound, format!("nothing answers at {}", request.url)));
        };
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let mut stdout = format!("HTTP/1.1 {status}\r\n{headers}\r\n").into_bytes();
        match &request.to {
            Some(path) if status < 300 => {
                self.put(path, Thing { content: body, mode: Some(0o600), ..Thing::default() })
            }
            _ => stdout.extend_from_slice(&body),
        }
        Ok(Output { stdout, stderr: request.url.clone().into_bytes(), ..Output::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(system: &dyn System, path: &str) -> String {
        String::from_utf8(system.read(Path::new(path)).unwrap().unwrap()).unwrap()
    }

    fn exists(system: &dyn System, path: &str) -> bool {
        system.stat(Path::new(path), false).unwrap().is_some()
    }

    #[test]
    fn links_are_followed_through_directories() {
        let fake = Fake::new().file("/srv/v1/a", "one").link("/srv/now", "v1").link("/loop", "/loop");
        assert_eq!(read(&fake, "/srv/now/a"), "one");
        assert_eq!(read(&fake, "/srv/now/../now/a"), "one");
        assert_eq!(fake.read_link(Path::new("/srv/now")).unwrap(), Path::new("v1"));
        assert!(fake.stat(Path::new("/loop"), true).is_err());
    }

    #[test]
    fn a_plan_changes_only_itself() {
        let fake = Fake::new().file("/srv/a", "one").file("/srv/sub/b", "two");
        let mut plan = fake.plan();
        plan.remove(Path::new("/srv/a")).unwrap();
        plan.create(Path::new("/srv/c"), &Content::Bytes(b"new".to_vec()), 0o600).unwrap();
        plan.rename(Path::new("/srv/sub"), Path::new("/srv/moved")).unwrap();
        plan.set_mode(Path::new("/srv/moved/b"), 0o600).unwrap();
        assert_eq!(plan.list(Path::new("/srv")).unwrap().unwrap(), ["c", "moved"]);
        assert_eq!((read(&plan, "/srv/c"), read(&plan, "/srv/moved/b")), ("new".into(), "two".into()));
        assert!(!exists(&plan, "/srv/sub/b") && exists(&fake, "/srv/sub/b"));
        plan.remove_tree(Path::new("/srv")).unwrap();
        plan.make_dir(Path::new("/srv"), 0o755).unwrap();
        assert!(!exists(&plan, "/srv/moved/b") && !exists(&plan, "/srv/a"));
        assert_eq!(read(&fake, "/srv/a"), "one");
    }

    #[test]
    fn what_the_kernel_refuses_is_refused() {
        let mut fake = Fake::new().file("/srv/a", "one");
        let kind = |result: io::Result<()>| result.unwrap_err().kind();
        assert_eq!(kind(fake.create(Path::new("/srv/a"), &Content::Bytes(vec![]), 0)), ErrorKind::AlreadyExists);
        assert_eq!(kind(fake.make_dir(Path::new("/no/such"), 0)), ErrorKind::NotFound);
        assert_eq!(kind(fake.make_dir(Path::new("/srv/a/b"), 0)), ErrorKind::NotADirectory);
        assert_eq!(kind(fake.remove(Path::new("/srv"))), ErrorKind::DirectoryNotEmpty);
        assert_eq!(kind(fake.rename(Path::new("/srv/a"), Path::new("/tmp"))), ErrorKind::IsADirectory);
    }
}
