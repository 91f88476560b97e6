//! Plans the whole site on recorded machines: the runner as it is, with agents in this process.
//!
//! A step of a plan is one line, `HOSTS: STATUS ROLE : TASK`, with a line below it for each thing that it would do.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::pin::Pin;
use std::rc::Rc;

use wodctl::agent::carry::carry_out;
use wodctl::change::Action;
use wodctl::change::perform::Watch;
use wodctl::commands::content::Content;
use wodctl::commands::job::{About, Job};
use wodctl::commands::options::{Selection, Variables};
use wodctl::commands::settle;
use wodctl::event::{Event, Status, TaskResult};
use wodctl::modules;
use wodctl::protocol::{Call, FromAgent, Hello, Mode, Outcome, Position, Step, ToAgent};
use wodctl::runner::{Options, Run};
use wodctl::system::predicted::Predicted;
use wodctl::system::{Identity, users};
use wodctl::template::Templar;
use wodctl::transport::session::{Outbox, channel};
use wodctl::transport::{Agent, Blobs, Connect, Inbox, Incoming, SessionId, Target};
use wodctl::value::{Map, Value};

use super::machine::Recorded;
use super::sources::{self, Recording};
use crate::fixtures;

const PLAYBOOKS: [&str; 2] = ["../playbooks/site.yml", "../playbooks/appliance.yml"];

/// A thing that a step would do on some hosts, the same on each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    play: (usize, String),
    position: Position,
    what: String,
    hosts: Vec<String>,
}

/// As it is written.
pub fn text(entries: &[Entry]) -> String {
    let mut text = String::new();
    for (index, entry) in entries.iter().enumerate() {
        if index == 0 || entries[index - 1].play != entry.play {
            writeln!(text, "{}# {}\n", if index == 0 { "" } else { "\n" }, entry.play.1).unwrap();
        }
        write!(text, "{}", entry.text("")).unwrap();
    }
    text
}

/// What `plan` has not that `base` has (`-`), and the other way round (`+`).
pub fn difference(base: &[Entry], plan: &[Entry]) -> String {
    let less = base.iter().filter(|entry| !plan.contains(entry)).map(|entry| (entry, "- "));
    let more = plan.iter().filter(|entry| !base.contains(entry)).map(|entry| (entry, "+ "));
    let mut lines: Vec<(&Entry, &str)> = less.chain(more).collect();
    lines.sort_by_key(|(entry, sign)| (entry.play.0, entry.position.clone(), *sign == "+ "));
    lines.iter().map(|(entry, sign)| entry.text(sign)).collect()
}

impl Entry {
    /// Whether the step would fail.
    pub fn has_failed(&self) -> bool {
        self.what.starts_with("failed ")
    }

    fn text(&self, sign: &str) -> String {
        let what = self.what.trim_end().lines().fold(String::new(), |text, line| text + sign + line + "\n");
        what.replacen(sign, &format!("{sign}{}: ", self.hosts.join(" ")), 1)
    }
}

/// What the playbooks would do on machines of the distribution in this folder.
pub fn entries(folder: &Path, vars: &BTreeMap<String, serde_json::Value>) -> Vec<Entry> {
    let recording = Recording::of(folder);
    let blobs = Blobs::default();
    let machine = Recorded::new(&recording, sources::names(folder), blobs.clone());
    let actions = Actions::default();
    let connect = Machines { machine, facts: recording.facts(), actions: actions.clone() };

    let selection = Selection::default();
    let variables = Variables { extra_vars: vec![serde_json::json!(vars).to_string()], ..Variables::default() };
    let inventory = fixtures::dir("wod/distributions/inventory.yml");
    let playbooks: Vec<_> = PLAYBOOKS.iter().map(|path| fixtures::dir(path)).collect();
    let job = Job::open(About {
        inventory: &inventory,
        content: Content::find(&inventory, &playbooks).expect("playbooks"),
        selection: &selection,
        variables: &variables,
        limit: None,
        becomes: false,
    });
    let job = job.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(job.checked.certain(), 0, "{:?}", job.checked.problems);

    let plan = Rc::new(RefCell::new(Plan::default()));
    let show = {
        let plan = plan.clone();
        move |event| plan.borrow_mut().event(&event, &actions)
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let templar = Templar::new().planning();
        let shared = job.machines.share();
        let options = Options { mode: Mode::Plan, diff: true, ..Options::default() };
        let hosts = Box::new(job.machines);
        let mut run = Run::new(options, templar.clone(), blobs, Box::new(connect), hosts, Box::new(show));
        for (number, play) in job.checked.plays.into_iter().enumerate() {
            let (play, serial) = settle::play(&run, &templar, &shared, play.steps, None).expect("a play");
            plan.borrow_mut().play = (number, play.name.clone());
            run.play(&play, &serial, number as u32).await.expect("nobody interrupts");
            if !run.go_on() {
                break;
            }
        }
        run.finish().await;
    });
    let mut entries = plan.take().entries;
    entries.iter_mut().for_each(|entry| entry.hosts.sort());
    entries.sort();
    entries
}

/// What each host would do at each position.
type Actions = Rc<RefCell<BTreeMap<(String, Position), Vec<String>>>>;

/// The plan so far.
#[derive(Default)]
struct Plan {
    play: (usize, String),
    entries: Vec<Entry>,
}

impl Plan {
    fn event(&mut self, event: &Event, actions: &Actions) {
        let Event::Result(result) = event else { return };
        let TaskResult { task, host, status, item, values, .. } = &**result;
        // The items of a loop are told by the step as a whole, failures apart.
        if matches!(status, Status::Ok | Status::Skipped) || item.is_some() && *status != Status::Failed {
            return;
        }
        let mut what = format!("{} {}\n", status.as_str(), task.title());
        if *status == Status::Failed {
            writeln!(what, "    {}", values.get("msg").and_then(Value::as_str).unwrap_or_default()).unwrap();
        }
        let mine = |(who, at): &(String, Position)| who == host && at.0.starts_with(&task.position.0);
        let mut actions = actions.borrow_mut();
        let keys: Vec<_> = actions.keys().filter(|key| mine(key)).cloned().collect();
        for action in keys.iter().filter_map(|key| actions.remove(key)).flatten() {
            writeln!(what, "    {action}").unwrap();
        }
        let short = |name: &str| name.trim_end_matches(".example.org").to_owned();
        let what = what.replace(host.as_str(), "HOST");
        let position = task.position.clone();
        let known = |entry: &&mut Entry| (&entry.play, &entry.position, &entry.what) == (&self.play, &position, &what);
        match self.entries.iter_mut().find(known) {
            Some(entry) => entry.hosts.push(short(host)),
            None => self.entries.push(Entry { play: self.play.clone(), position, what, hosts: vec![short(host)] }),
        }
    }
}

/// All hosts are such machines; the controller is left alone.
struct Machines {
    machine: Recorded,
    facts: Map,
    actions: Actions,
}

impl Connect for Machines {
    fn connect(&self, id: SessionId, target: &Target, first: ToAgent, inbox: Inbox) -> Agent {
        let (agent, outbox) = channel();
        agent.send(first);
        let host = Host {
            id,
            name: target.address.clone(),
            machine: Predicted::new(self.machine.clone()),
            facts: self.facts.clone(),
            actions: self.actions.clone(),
            inbox,
        };
        tokio::task::spawn_local(host.serve(outbox));
        agent
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        Box::pin(async {})
    }
}

struct Host {
    id: SessionId,
    name: String,
    machine: Predicted<Recorded>,
    facts: Map,
    actions: Actions,
    inbox: Inbox,
}

impl Host {
    fn say(&self, message: FromAgent) {
        let _ = self.inbox.send((self.id, Incoming::Message(message)));
    }

    async fn serve(mut self, mut outbox: Outbox) {
        while let Some(message) = outbox.recv().await {
            match message {
                ToAgent::Start { .. } => self.say(FromAgent::Hello(Hello {
                    boot_id: self.name.clone(),
                    mount_namespace: String::new(),
                    user: "admin".into(),
                    home: "/home/admin".into(),
                    uid: 1000,
                })),
                ToAgent::Step(step) => self.step(&step),
                _ => {}
            }
        }
    }

    fn step(&mut self, step: &Step) {
        let user = step.identity.as_ref().map_or_else(|| "root".to_owned(), |wanted| wanted.user.clone());
        self.machine.base_mut().identity = match users::user(&self.machine, &user) {
            Some(user) => Identity { uid: user.uid, gid: user.gid, name: user.name, home: user.home },
            // A package that is only planned brings this one.
            None => Identity { uid: 999, gid: 999, name: user, home: "/nonexistent".into() },
        };
        let mut failed = false;
        for (index, call) in step.calls.iter().enumerate() {
            let outcome = self.call(call, &step.position);
            failed |= outcome.failure.is_some();
            let position = step.position.clone();
            self.say(FromAgent::Outcome { position, lane: step.lane, index: index as u32, outcome: Box::new(outcome) });
        }
        self.say(FromAgent::Done { position: step.position.clone(), lane: step.lane, dropped: failed && !step.go_on });
    }

    fn call(&mut self, call: &Call, position: &Position) -> Outcome {
        if call.module == "setup" {
            let values = Map::from_iter([("ansible_facts".into(), self.facts.clone().into())]);
            return Outcome {
                changed: false,
                failure: None,
                values,
                diffs: vec![],
                warnings: vec![],
                opaque: false,
                micros: 0,
            };
        }
        let spec = modules::find(&call.module).expect("a module");
        let module = spec.build.expect("a module for hosts")(&call.args).unwrap_or_else(|error| panic!("{error:?}"));
        let mut notes = Notes::default();
        let outcome = carry_out(&*module, &mut self.machine, call.diff, &mut notes).expect("nobody cancels");
        let key = (self.name.clone(), position.clone());
        self.actions.borrow_mut().entry(key).or_default().extend(notes.0);
        outcome
    }
}

/// Notes what would be done.
#[derive(Default)]
struct Notes(Vec<String>);

impl Watch for Notes {
    fn about_to(&mut self, action: &Action) {
        let text = action.to_string();
        // Of a script its beginning; and the options of apt-get are the same each time.
        let text = text.split_once('\n').map_or_else(|| text.clone(), |(first, _)| format!("{first} ..."));
        let words = text.split(' ').scan(false, |is_option, word| {
            let hidden = std::mem::replace(is_option, word == "-o") || word == "-o";
            Some((!hidden).then_some(word))
        });
        self.0.push(words.flatten().collect::<Vec<_>>().join(" "));
    }
}
