//! Fake machines: files in memory, and the program `act`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use super::book::{HOSTS, LOCALHOST};
use super::history::Effect;
use wodctl::agent::carry::carry_out;
use wodctl::change::perform::{Leave, Watch};
use wodctl::failure::Failure;
use wodctl::module::{Arg, Source};
use wodctl::modules;
use wodctl::protocol::{Call, Outcome};
use wodctl::system::System;
use wodctl::system::fake::{Answer, Fake};
use wodctl::transport::Blobs;
use wodctl::transport::blobs::Place;
use wodctl::value::Value;

/// The folder for files on every machine.
pub const BASE: &str = "/r";

/// All machines, and what has happened on them.
pub struct Machines {
    machines: RefCell<BTreeMap<usize, Fake>>,
    /// All names are names of one machine.
    pub shared: bool,
    /// The controller's folder.
    pub folder: PathBuf,
    /// Everything that was done, in order.
    pub effects: RefCell<Vec<Effect>>,
}

/// What comes of a call.
pub enum Called {
    /// It has ended.
    Ended(Box<Outcome>),
    /// It has something to change, and may not.
    Waits,
}

/// Asks once for leave.
struct Once<'a> {
    ask: &'a mut dyn FnMut() -> bool,
    refused: bool,
}

impl Watch for Once<'_> {
    fn ask(&mut self) -> Leave {
        if (self.ask)() {
            return Leave::Now;
        }
        self.refused = true;
        Leave::Never
    }
}

impl Machines {
    /// Machines on which nothing has happened yet.
    pub fn new(shared: bool, folder: PathBuf) -> Rc<Self> {
        Rc::new(Machines { machines: RefCell::default(), shared, folder, effects: RefCell::default() })
    }

    /// The machine behind a name.
    pub fn behind(&self, host: usize) -> usize {
        if self.shared { 0 } else { host }
    }

    /// The files of all machines: machine, name, content.
    pub fn files(&self) -> BTreeMap<(usize, String), String> {
        let mut files = BTreeMap::new();
        for (machine, fake) in self.machines.borrow().iter() {
            for name in fake.list(BASE.as_ref()).ok().flatten().unwrap_or_default() {
                let name = name.to_string_lossy().into_owned();
                let content = fake.read(&PathBuf::from(BASE).join(&name)).ok().flatten().unwrap_or_default();
                files.insert((*machine, name), String::from_utf8_lossy(&content).into_owned());
            }
        }
        files
    }

    /// The hosts' files on the controller.
    pub fn here(&self) -> BTreeMap<String, String> {
        let entries = std::fs::read_dir(&self.folder).expect("the controller's folder").flatten();
        let file = |entry: std::fs::DirEntry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let content = name.starts_with('x').then(|| std::fs::read_to_string(entry.path()).ok())??;
            Some((name, content))
        };
        entries.filter_map(file).collect()
    }

    /// Carries out a call on a host. `ask`: whether it may change something now.
    pub fn call(&self, host: usize, call: &Call, blobs: &Blobs, ask: &mut dyn FnMut() -> bool) -> Called {
        let spec = modules::find(&call.module).and_then(|spec| spec.build);
        let module = match spec.map(|build| build(&call.args)) {
            Some(Ok(module)) => module,
            Some(Err(error)) => return Called::Ended(Box::new(failed(error.into()))),
            None => return Called::Ended(Box::new(failed(Failure::new("no such module on a host")))),
        };
        let mut machines = self.machines.borrow_mut();
        let fake = machines.entry(self.behind(host)).or_insert_with(|| Fake::new().dir(BASE));
        let act = self.prepare(fake, call, blobs);
        let before = fake.ran().len();
        let mut once = Once { ask, refused: false };
        let outcome = carry_out(&*module, fake, false, &mut once);
        if let (Some(act), true) = (&act, fake.ran().len() > before) {
            self.acted(host, act);
        }
        match outcome {
            Some(outcome) => {
                if let ("copy", true) = (call.module.as_str(), outcome.changed) {
                    self.written(host, call);
                }
                Called::Ended(Box::new(outcome))
            }
            None => Called::Waits,
        }
    }

    /// Makes ready what the call may ask for: contents of the controller, and what `act` would do.
    fn prepare(&self, fake: &mut Fake, call: &Call, blobs: &Blobs) -> Option<Act> {
        for value in call.args.values() {
            if let Ok(Source::File { blob, .. }) = Source::read(value) {
                let bytes = match blobs.place(&blob.hash) {
                    Some(Place::Memory(bytes)) => bytes.to_vec(),
                    Some(Place::File(path)) => std::fs::read(path).unwrap_or_default(),
                    None => Vec::new(),
                };
                fake.blob(&bytes);
            }
        }
        let act = call.args.values().find_map(Value::as_str).and_then(Act::of)?;
        let effects = self.effects.borrow();
        let rc = i32::from(act.fails(&effects));
        let output = wodctl::system::Output { rc, stdout: act.seen(&effects).into_bytes(), ..Default::default() };
        fake.say(act.words.clone(), Answer { output, then: Vec::new() });
        Some(act)
    }

    fn acted(&self, host: usize, act: &Act) {
        let effect = Effect { task: act.task, host: act.host, item: act.item.clone(), on: host, is_file: false };
        self.effects.borrow_mut().push(effect);
        if let (Some(number), true) = (act.deed.strip_prefix("put"), self.shared || host == LOCALHOST) {
            let path = self.folder.join(format!("x{number}-{}", HOSTS[act.host]));
            std::fs::write(path, format!("s{}", act.task)).expect("a file of the controller");
        }
    }

    /// A file was written. Its path says for which host; the environment of the task says for which task.
    fn written(&self, host: usize, call: &Call) {
        let of = |name: &str| call.environment.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let path = call.args.get("dest").and_then(Value::as_str).unwrap_or_default();
        let owner = path.strip_prefix("/r/").and_then(|rest| rest.split('-').next()).unwrap_or_default();
        let owner = HOSTS.iter().position(|name| *name == owner).unwrap_or(0);
        let task = of("TASK").and_then(|task| task.parse().ok()).unwrap_or_default();
        let item = of("ITEM").unwrap_or_else(|| "-".to_owned());
        self.effects.borrow_mut().push(Effect { task, host: owner, item, on: host, is_file: true });
    }
}

/// `act TASK HOST ITEM DEEDS VIEW`, as the script of that name in `tests/simulation` does it.
struct Act {
    words: Vec<String>,
    task: u32,
    host: usize,
    item: String,
    deed: String,
    own: bool,
}

impl Act {
    fn of(line: &str) -> Option<Act> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let [program, task, host, item, deeds, view] = &words[..] else { return None };
        let host = HOSTS.iter().position(|name| name == host).filter(|_| program == "act")?;
        let task = task.strip_prefix('s')?.parse().ok()?;
        let deed = deeds.split('/').nth(host)?.to_owned();
        Some(Act { task, host, item: item.clone(), deed, own: view == "own", words: words.clone() })
    }

    /// How many other tasks it sees in the trace.
    fn seen(&self, effects: &[Effect]) -> String {
        let others = effects.iter().filter(|it| !it.is_file && it.task != self.task);
        let mut tasks: Vec<u32> = others.filter(|it| !self.own || it.host == self.host).map(|it| it.task).collect();
        tasks.sort_unstable();
        tasks.dedup();
        tasks.len().to_string()
    }

    fn fails(&self, effects: &[Effect]) -> bool {
        let own = |it: &&Effect| !it.is_file && it.task == self.task && it.host == self.host && it.item == self.item;
        let tries = 1 + effects.iter().filter(own).count();
        match self.deed.strip_prefix("at").and_then(|tries| tries.parse::<usize>().ok()) {
            Some(wanted) => tries < wanted,
            None => self.deed == "fail",
        }
    }
}

fn failed(failure: Failure) -> Outcome {
    Outcome {
        changed: false,
        failure: Some(failure),
        values: Default::default(),
        diffs: Vec::new(),
        warnings: Vec::new(),
        opaque: false,
        micros: 0,
    }
}
