//! A thousand random plays against a simple sequential model: the same things happen on each host, in Ansible's order,
//! and nothing hangs. The agents are fakes that keep the agent's rules and dawdle at random.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::{Hosts, Options, Out, PlayContext, Run};
use crate::failure::Failure;
use crate::playbook::Project;
use crate::protocol::{FromAgent, Hello, Outcome, Position, Step, ToAgent};
use crate::steps::{self, Item, Work};
use crate::template::Templar;
use crate::transport::session::{Outbox, channel};
use crate::transport::{Agent, Blobs, Connect, Inbox, Incoming, SessionId, Target};
use crate::value::{Map, Value};
use crate::vars::Layer;

/// Numbers that look random and are the same in every run.
#[derive(Clone, Debug)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % sides
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }
}

/// What a step does on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Nothing,
    Change,
    /// Changes something half-way, then fails.
    Fail,
    /// Fails while it looks, before anything is changed.
    Stumble,
}

#[derive(Clone, Debug)]
enum Plan {
    Step {
        id: u32,
        deeds: Vec<Deed>,
        outside: bool,
        ignore: bool,
        verdict: Option<bool>,
        notify: Option<usize>,
        once: bool,
    },
    Block {
        main: Vec<Plan>,
        rescue: Vec<Plan>,
        always: Vec<Plan>,
    },
    Flush,
}

const HOSTS: [&str; 3] = ["a", "b", "c"];
const HANDLERS: usize = 3;

fn step(dice: &mut Dice, next: &mut u32, hosts: usize) -> Plan {
    *next += 1;
    let deed = |dice: &mut Dice| match dice.roll(12) {
        0..=5 => Deed::Nothing,
        6..=9 => Deed::Change,
        10 => Deed::Fail,
        _ => Deed::Stumble,
    };
    let deeds = (0..hosts).map(|_| deed(dice)).collect();
    Plan::Step {
        id: *next,
        deeds,
        outside: dice.chance(25),
        ignore: dice.chance(15),
        verdict: dice.chance(10).then(|| dice.chance(40)),
        notify: dice.chance(25).then(|| dice.roll(HANDLERS as u64) as usize),
        once: dice.chance(5),
    }
}

fn plans(dice: &mut Dice, next: &mut u32, hosts: usize, depth: u32) -> Vec<Plan> {
    let length = 1 + dice.roll(5);
    let one = |dice: &mut Dice, next: &mut u32| match dice.roll(10) {
        0 | 1 if depth > 0 => Plan::Block {
            main: plans(dice, next, hosts, depth - 1),
            rescue: if dice.chance(60) { plans(dice, next, hosts, depth - 1) } else { Vec::new() },
            always: if dice.chance(40) { plans(dice, next, hosts, depth - 1) } else { Vec::new() },
        },
        2 if depth == 2 => Plan::Flush,
        _ => step(dice, next, hosts),
    };
    (0..length).map(|_| one(dice, next)).collect()
}

fn write(plans: &[Plan], indent: usize, text: &mut String) {
    let pad = " ".repeat(indent);
    for plan in plans {
        match plan {
            Plan::Flush => writeln!(text, "{pad}- meta: flush_handlers").unwrap(),
            Plan::Block { main, rescue, always } => {
                for (index, (name, list)) in
                    [("block", main), ("rescue", rescue), ("always", always)].iter().enumerate()
                {
                    if !list.is_empty() {
                        let dash = if index == 0 { "- " } else { "  " };
                        writeln!(text, "{pad}{dash}{name}:").unwrap();
                        write(list, indent + 4, text);
                    }
                }
            }
            Plan::Step { id, deeds, outside, ignore, verdict, notify, once } => {
                writeln!(text, "{pad}- name: s{id}").unwrap();
                let deeds: Vec<String> = deeds.iter().map(|deed| format!("{deed:?}")).collect();
                match outside {
                    true => writeln!(text, "{pad}  command: s{id}:{}", deeds.join("/")).unwrap(),
                    false => writeln!(text, "{pad}  ping: {{data: 's{id}:{}'}}", deeds.join("/")).unwrap(),
                }
                if *ignore {
                    writeln!(text, "{pad}  ignore_errors: true").unwrap();
                }
                if *once {
                    writeln!(text, "{pad}  run_once: true").unwrap();
                }
                if let Some(verdict) = verdict {
                    writeln!(text, "{pad}  failed_when: {verdict}").unwrap();
                }
                if let Some(notify) = notify {
                    writeln!(text, "{pad}  notify: h{notify}").unwrap();
                }
            }
        }
    }
}

/// What happened on a host, in the model.
#[derive(Debug, Default, PartialEq, Eq)]
struct Trace {
    performed: Vec<u32>,
    failed: bool,
}

struct Model<'a> {
    host: usize,
    handlers: &'a [Plan],
    notified: BTreeSet<usize>,
    trace: Trace,
}

impl Model<'_> {
    /// Whether the list came to its end.
    fn list(&mut self, plans: &[Plan]) -> bool {
        plans.iter().all(|plan| match plan {
            Plan::Flush => self.flush(),
            Plan::Step { .. } => self.step(plan),
            Plan::Block { main, rescue, always } => {
                let mut well = self.list(main);
                if !well && !rescue.is_empty() {
                    well = self.list(rescue);
                }
                self.list(always) && well
            }
        })
    }

    fn step(&mut self, plan: &Plan) -> bool {
        let Plan::Step { id, deeds, ignore, verdict, notify, .. } = plan else { return true };
        let deed = deeds[self.host];
        if matches!(deed, Deed::Change | Deed::Fail) {
            self.trace.performed.push(*id);
        }
        let failed = verdict.unwrap_or(matches!(deed, Deed::Fail | Deed::Stumble));
        if deed == Deed::Change && !failed {
            self.notified.extend(notify);
        }
        !failed || *ignore
    }

    fn flush(&mut self) -> bool {
        (0..self.handlers.len()).all(|index| {
            !self.notified.remove(&index) || {
                let handler = self.handlers[index].clone();
                self.step(&handler)
            }
        })
    }
}

/// Everything that was done, in the order in which it was done.
type Log = Rc<RefCell<Vec<(Position, usize, u32)>>>;

struct Fakes {
    log: Log,
    seed: u64,
    shared: bool,
}

impl Connect for Fakes {
    fn connect(&self, id: SessionId, target: &Target, first: ToAgent, inbox: Inbox) -> Agent {
        let (agent, outbox) = channel();
        agent.send(first);
        let host = HOSTS.iter().position(|name| *name == target.address).unwrap();
        let boot = if self.shared { "one".to_owned() } else { target.address.clone() };
        let fake = Fake {
            id,
            host,
            inbox,
            log: self.log.clone(),
            dice: Dice(self.seed ^ (id as u64 + 1) << 20),
            lanes: BTreeMap::new(),
        };
        tokio::task::spawn_local(fake.run(outbox, boot));
        agent
    }

    fn close(&self) -> std::pin::Pin<Box<dyn std::future::Future<Output = ()> + '_>> {
        Box::pin(async {})
    }
}

struct Fake {
    id: SessionId,
    host: usize,
    inbox: Inbox,
    log: Log,
    dice: Dice,
    lanes: BTreeMap<u32, (VecDeque<Step>, bool)>,
}

impl Fake {
    fn say(&self, message: FromAgent) {
        let _ = self.inbox.send((self.id, Incoming::Message(message)));
    }

    async fn run(mut self, mut outbox: Outbox, boot: String) {
        let mut watermark = Position::default();
        let mut told = BTreeSet::new();
        loop {
            for _ in 0..self.dice.roll(4) {
                tokio::task::yield_now().await;
            }
            let due =
                |lanes: &BTreeMap<u32, (VecDeque<Step>, bool)>, told: &BTreeSet<(u32, Position)>, mark: &Position| {
                    lanes.iter().filter(|(_, lane)| !lane.1).find_map(|(number, lane)| {
                        let step = lane.0.front()?;
                        let waits = told.contains(&(*number, step.position.clone())) && step.position > *mark;
                        (!waits).then_some(*number)
                    })
                };
            let message = match due(&self.lanes, &told, &watermark) {
                Some(_) if self.dice.chance(60) => outbox.try_recv().ok(),
                Some(_) => None,
                None => match outbox.recv().await {
                    Some(message) => Some(message),
                    None => return,
                },
            };
            match message {
                Some(ToAgent::Start { .. }) => self.say(FromAgent::Hello(Hello {
                    boot_id: boot.clone(),
                    mount_namespace: String::new(),
                    user: "u".into(),
                    home: "/".into(),
                    uid: 1,
                })),
                Some(ToAgent::Step(step)) => {
                    let lane = self.lanes.entry(step.lane).or_default();
                    if !lane.1 {
                        lane.0.push_back(step);
                    }
                }
                Some(ToAgent::Watermark(mark)) => watermark = mark,
                Some(ToAgent::Cancel { lane, from }) => {
                    let lane = self.lanes.entry(lane).or_default();
                    lane.0.retain(|step| step.position < from);
                    lane.1 = false;
                }
                _ => {}
            }
            let Some(number) = due(&self.lanes, &told, &watermark) else { continue };
            let step = self.lanes[&number].0[0].clone();
            let call = &step.calls[0];
            let text = call.args.values().find_map(Value::as_str).unwrap_or_default().to_owned();
            let (id, deeds) = text.split_once(':').unwrap();
            let deed = deeds.split('/').nth(self.host).unwrap();
            if matches!(deed, "Change" | "Fail") && step.position > watermark {
                told.insert((number, step.position.clone()));
                self.say(FromAgent::Waiting { position: step.position, lane: number });
                continue;
            }
            if let Some(lane) = self.lanes.get_mut(&number) {
                lane.0.pop_front();
            }
            if matches!(deed, "Change" | "Fail") {
                let id = id[1..].parse().unwrap();
                self.log.borrow_mut().push((step.position.clone(), self.host, id));
            }
            let failed = matches!(deed, "Fail" | "Stumble");
            let outcome = Outcome {
                changed: deed == "Change",
                failure: failed.then(|| Failure::new("as told")),
                values: Map::new(),
                diffs: Vec::new(),
                warnings: Vec::new(),
                opaque: false,
                micros: 0,
            };
            let position = step.position.clone();
            self.say(FromAgent::Outcome { position, lane: number, index: 0, outcome: Box::new(outcome) });
            let dropped = failed && !step.go_on;
            if let (true, Some(lane)) = (dropped, self.lanes.get_mut(&number)) {
                lane.0.clear();
                lane.1 = true;
            }
            self.say(FromAgent::Done { position: step.position, lane: number, dropped });
        }
    }
}

struct Names(usize);

impl Hosts for Names {
    fn add_host(&mut self, _: &str, _: &[String], _: &Map) -> bool {
        false
    }
    fn group_by(&mut self, _: &str, _: &str, _: &[String]) -> bool {
        false
    }
    fn layers(&self, _: &str) -> Vec<Arc<Layer>> {
        Vec::new()
    }
    fn names(&self) -> Vec<String> {
        HOSTS[..self.0].iter().map(|name| (*name).to_owned()).collect()
    }
}

fn has_once(plans: &[Plan]) -> bool {
    plans.iter().any(|plan| match plan {
        Plan::Step { once, .. } => *once,
        Plan::Block { main, rescue, always } => has_once(main) || has_once(rescue) || has_once(always),
        Plan::Flush => false,
    })
}

fn one_play(seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let hosts = 1 + dice.roll(3) as usize;
    let mut next = 0;
    let tasks = plans(&mut dice, &mut next, hosts, 2);
    let handlers: Vec<Plan> = (0..HANDLERS).map(|_| step(&mut dice, &mut next, hosts)).collect();
    let (free, shared, forks) = (dice.chance(25), dice.chance(15), if dice.chance(30) { 1 } else { 5 });
    let mut text = String::from("- hosts: all\n  gather_facts: false\n");
    if free {
        text.push_str("  strategy: free\n");
    }
    text.push_str("  tasks:\n");
    write(&tasks, 2, &mut text);
    text.push_str("  handlers:\n");
    let mut listed = String::new();
    for (index, handler) in handlers.iter().enumerate() {
        let mut one = String::new();
        let Plan::Step { id, .. } = handler else { continue };
        let mut handler = handler.clone();
        if let Plan::Step { once, .. } = &mut handler {
            *once = false;
        }
        write(std::slice::from_ref(&handler), 2, &mut one);
        listed += &one.replace(&format!("name: s{id}\n"), &format!("name: h{index}\n"));
    }
    text += &listed;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("play.yml");
    std::fs::write(&path, &text).unwrap();
    let project = Arc::new(Project::around(&path));
    let options = steps::Options::default();
    let (plays, problems) = steps::plays(&path, &project, &options);
    assert!(problems.is_empty(), "{}\n{text}", problems[0].render(false));
    let expanded = steps::expand(&plays[0], &project, &options).unwrap();
    let names: Vec<String> = HOSTS[..hosts].iter().map(|name| (*name).to_owned()).collect();
    let play = PlayContext {
        name: "play".into(),
        items: Arc::new(expanded.items.clone()),
        hosts: names.clone(),
        listed: names.clone(),
        keywords: Default::default(),
        layers: Vec::new(),
        host_layers: Default::default(),
        free,
        max_fail_percentage: None,
        gather: None,
        needs_hosts: expanded.items.iter().any(|item| !matches!(item, Item::Step(s) if matches!(s.work, Work::Flush))),
        handlers: RefCell::new(expanded.handlers.clone()),
        published: RefCell::default(),
        steps: expanded,
    };
    let log: Log = Rc::default();
    let connect = Fakes { log: log.clone(), seed, shared };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let out = tokio::task::LocalSet::new().block_on(&runtime, async {
        let options = Options { forks, ..Options::default() };
        let mut run = Run::new(
            options,
            Templar::new(),
            Blobs::default(),
            Box::new(connect),
            Box::new(Names(hosts)),
            Box::new(|_| ()),
        );
        let batch = [hosts];
        let walk = run.play(&play, &batch, 0);
        let ended = tokio::time::timeout(Duration::from_secs(10), walk).await;
        assert!(ended.is_ok(), "seed {seed} hangs ({hosts} hosts, free {free}, shared {shared}):\n{text}");
        run.out.clone()
    });

    let log = log.borrow();
    if !free {
        let ordered = log.windows(2).all(|pair| pair[0].0 <= pair[1].0);
        assert!(ordered, "seed {seed}: out of step: {log:?}\n{text}");
    }
    if has_once(&tasks) {
        return;
    }
    for (host, name) in names.iter().enumerate() {
        let mut model = Model { host, handlers: &handlers, notified: BTreeSet::new(), trace: Trace::default() };
        // Behind the tasks, and behind the (empty) post_tasks.
        model.trace.failed = !(model.list(&tasks) && model.flush() && model.flush());
        let mine = log.iter().filter(|(_, who, _)| *who == host).map(|(_, _, id)| *id).collect();
        let seen = Trace { performed: mine, failed: out.get(name) == Some(&Out::Failed) };
        assert_eq!(seen, model.trace, "seed {seed}, host {name} of {hosts}, free {free}, shared {shared}:\n{text}");
    }
}

#[test]
fn random_plays_end_as_the_model_says() {
    for seed in 0..1000 {
        one_play(seed);
    }
}
