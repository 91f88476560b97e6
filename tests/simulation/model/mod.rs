//! A plain model of Ansible's rules: one step after the other, each on all hosts that come to it.
//!
//! It knows nothing of agents, of looking ahead or of messages, and is compared with ansible-core itself (`recorded`).
//! Under `linear` a list of tasks is walked once for all hosts: first the block, then the rescue of those that failed in
//! it, then `always`. Under `free` each host walks by itself.

mod task;

use std::collections::{BTreeMap, BTreeSet};

use super::book::{Block, Book, Condition, HOSTS, Include, Meta, Node, Notify, Play, Task};
use super::history::{Effect, History, Short};
use super::mistakes::{Mistake, planted};

/// Where a host stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    /// It takes part.
    Going,
    /// It failed, and was declared failed so often again before its next `rescue` or `always` began.
    Failing(u32),
    /// It failed, and is on its way out of the block in which it did: being declared failed again means nothing more.
    Falling,
    /// It could not be reached.
    Lost,
    /// It was ended by `meta`, or failed in an earlier play.
    Out,
}

/// A host.
#[derive(Clone, Debug)]
struct Host {
    stand: Stand,
    notified: BTreeSet<usize>,
    facts: BTreeMap<u32, String>,
    registered: BTreeMap<u32, Short>,
    /// ok, changed, unreachable, failed, skipped, rescued, ignored.
    recap: [u32; 7],
}

/// Places in a recap.
const OK: usize = 0;
const CHANGED: usize = 1;
const UNREACHABLE: usize = 2;
const FAILED: usize = 3;
const SKIPPED: usize = 4;
const RESCUED: usize = 5;
const IGNORED: usize = 6;

/// A block that is being walked: what a failure in it leads to.
#[derive(Clone, Copy, Debug)]
struct Around {
    rescue: bool,
    always: bool,
}

/// What differs between one run of a book and another.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// All hosts, and the controller, are one machine.
    pub shared: bool,
    /// Where a connection breaks, which is chance: task, host, how often the host has come to it. And whether the step was
    /// carried out before.
    pub breaks: BTreeMap<(u32, usize, usize), bool>,
    /// What has happened before.
    pub effects: Vec<Effect>,
    /// Files on machines that are there before: machine, name, content.
    pub files: BTreeMap<(usize, String), String>,
    /// Files of the controller that are there before.
    pub here: BTreeMap<String, String>,
}

/// The model on its way through a book.
pub struct Model<'a> {
    book: &'a Book,
    play: &'a Play,
    world: World,
    hosts: Vec<Host>,
    batch: Vec<usize>,
    around: Vec<Around>,
    whens: Vec<Condition>,
    /// Hosts that count as failed for the play as a whole.
    failed: BTreeSet<usize>,
    /// `max_fail_percentage` was passed.
    broken: bool,
    /// Nothing more of this batch.
    stopped: bool,
    /// Nothing more of this play.
    ended: bool,
    history: History,
    /// How many effects there were before.
    before: usize,
    begun: BTreeMap<(usize, u32), usize>,
}

/// What happens when a book is played.
pub fn play(book: &Book, world: World) -> (History, World) {
    let host = Host {
        stand: Stand::Going,
        notified: BTreeSet::new(),
        facts: BTreeMap::new(),
        registered: BTreeMap::new(),
        recap: [0; 7],
    };
    let empty = Play::default();
    let mut model = Model {
        book,
        play: &empty,
        before: world.effects.len(),
        world,
        hosts: vec![host; book.hosts],
        batch: Vec::new(),
        around: Vec::new(),
        whens: Vec::new(),
        failed: BTreeSet::new(),
        broken: false,
        stopped: false,
        ended: false,
        history: History::default(),
        begun: BTreeMap::new(),
    };
    for play in &book.plays {
        model.play = play;
        if !model.whole_play() {
            break;
        }
    }
    model.close()
}

impl Model<'_> {
    /// Plays all batches of a play. Whether another play may follow.
    fn whole_play(&mut self) -> bool {
        let (mut first, mut sizes) = (0, self.play.serial.iter().copied());
        let mut size = self.book.hosts;
        self.ended = false;
        let mut go_on = true;
        if planted(Mistake::SerialOrder) && !self.play.serial.is_empty() {
            sizes = sizes.rev().collect::<Vec<_>>().leak().iter().copied();
        }
        while first < self.book.hosts && !self.ended {
            size = sizes.next().unwrap_or(size);
            let before = self.failed.len() + self.lost();
            self.batch = (first..self.book.hosts.min(first + size)).collect();
            first += size;
            self.one_batch();
            go_on &= !self.broken;
            // When a whole batch has failed, nothing follows.
            if !self.ended && self.failed.len() + self.lost() - before == self.batch.len() {
                return false;
            }
        }
        go_on
    }

    fn lost(&self) -> usize {
        self.hosts.iter().filter(|host| host.stand == Stand::Lost).count()
    }

    fn one_batch(&mut self) {
        let earlier = std::mem::take(&mut self.failed);
        for host in self.batch.clone() {
            self.hosts[host].notified.clear();
            if self.hosts[host].stand != Stand::Lost {
                let out = earlier.contains(&host);
                self.hosts[host].stand = if out { Stand::Out } else { Stand::Going };
            }
        }
        (self.broken, self.stopped) = (false, false);
        let (play, batch) = (self.play, self.batch.clone());
        let groups: Vec<Vec<usize>> = match play.free {
            true => batch.iter().map(|host| vec![*host]).collect(),
            false => vec![batch.clone()],
        };
        for group in groups {
            self.list(&play.tasks, &group);
            // Handlers run behind the tasks, and those that handlers notified behind the (empty) post_tasks.
            self.flush(&group);
            self.flush(&group);
        }
        self.failed.extend(self.fallen_all(&batch));
        self.failed.extend(earlier);
    }

    /// Those of some hosts that take part.
    fn going(&self, who: &[usize]) -> Vec<usize> {
        let is_going = |host: &usize| !self.stopped && self.hosts[*host].stand == Stand::Going;
        who.iter().copied().filter(is_going).collect()
    }

    fn list(&mut self, nodes: &[Node], who: &[usize]) {
        for node in nodes {
            let who = self.going(who);
            if who.is_empty() {
                return;
            }
            match node {
                Node::Task(task) => self.step(task, &who),
                Node::Block(block) => self.block(block, &who),
                Node::Include(include) => self.include(include, &who),
                Node::Meta(meta, when) => self.meta(*meta, when.as_ref(), &who),
            }
        }
    }

    fn block(&mut self, block: &Block, who: &[usize]) {
        let outer = self.whens.len();
        self.whens.extend(block.when.clone());
        let (rescue, always) = (!block.rescue.is_empty(), !block.always.is_empty());

        self.around.push(Around { rescue, always });
        self.list(&block.main, who);
        self.around.pop();

        if rescue && !planted(Mistake::RescueForgotten) {
            let fallen = self.fallen(who);
            self.around.push(Around { rescue: false, always });
            self.list(&block.rescue, &fallen);
            self.around.pop();
        }
        if always {
            let failed: Vec<usize> = self.fallen_all(who);
            let all = self.going(who);
            let again = if planted(Mistake::AlwaysForgotten) { Vec::new() } else { self.fallen(who) };
            let mut everybody: Vec<usize> = all.into_iter().chain(again).collect();
            everybody.sort_unstable();
            self.around.push(Around { rescue: false, always: false });
            self.list(&block.always, &everybody);
            self.around.pop();
            for host in failed {
                if self.hosts[host].stand == Stand::Going {
                    self.hosts[host].stand = Stand::Failing(0);
                }
            }
        }
        self.leave(who);
        self.whens.truncate(outer);
    }

    /// Hosts that have failed.
    fn fallen_all(&self, who: &[usize]) -> Vec<usize> {
        let has_failed = |host: &usize| matches!(self.hosts[*host].stand, Stand::Failing(_) | Stand::Falling);
        who.iter().copied().filter(has_failed).collect()
    }

    /// Hosts that have failed go into the `rescue` or `always` that comes, but those that were declared failed again:
    /// for each time they miss one.
    fn fallen(&mut self, who: &[usize]) -> Vec<usize> {
        let mut fallen = Vec::new();
        for host in self.fallen_all(who) {
            self.hosts[host].stand = match self.hosts[host].stand {
                Stand::Failing(again) if again > 0 => Stand::Failing(again - 1),
                _ => {
                    fallen.push(host);
                    Stand::Going
                }
            };
        }
        fallen
    }

    /// At the end of a block only its own `rescue` and `always` have been missed.
    fn leave(&mut self, who: &[usize]) {
        for host in self.fallen_all(who) {
            self.hosts[host].stand = Stand::Falling;
        }
    }

    fn include(&mut self, include: &Include, who: &[usize]) {
        let begun = self.hosts_left();
        let when = include.when.clone().into_iter().collect();
        let task = Task { id: include.id, items: include.items, when, include: true, ..Task::default() };
        let mut by_item: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        let mut failed = Vec::new();
        for host in who {
            let result = self.run(&task, *host);
            for (item, one) in (1..).zip(result.results.as_ref().unwrap_or(&vec![result.clone()])) {
                if !one.skipped && !one.failed {
                    by_item.entry(item).or_default().push(*host);
                }
            }
            if result.is_failed() {
                failed.push(*host);
            }
            if result.is_failed() || result.is_skipped() {
                self.take(&task, *host, result);
            }
        }
        for hosts in by_item.values() {
            for host in hosts {
                self.hosts[*host].recap[OK] += 1;
            }
        }
        self.behind(self.play.fatal && !failed.is_empty(), &failed, &begun);
        for hosts in by_item.values() {
            let hosts = self.going(hosts);
            self.list(&include.tasks, &hosts);
        }
        let all: Vec<usize> = by_item.into_values().flatten().collect();
        self.leave(&all);
    }

    fn meta(&mut self, meta: Meta, when: Option<&Condition>, who: &[usize]) {
        let holds = |model: &Self, host: usize| {
            let mut whens = model.whens.iter().chain(when);
            whens.all(|when| model.holds(when, host, 0, &Default::default()) == Ok(true))
        };
        match meta {
            Meta::Flush => {
                let who: Vec<usize> = who.iter().copied().filter(|host| holds(self, *host)).collect();
                self.flush(&who);
            }
            Meta::EndHost => {
                for host in who.iter().copied().filter(|host| holds(self, *host)).collect::<Vec<_>>() {
                    self.hosts[host].stand = Stand::Out;
                }
            }
            // The first host decides for all.
            Meta::EndBatch | Meta::EndPlay if holds(self, who[0]) => {
                for host in self.going(&self.batch.clone()) {
                    self.hosts[host].stand = Stand::Out;
                }
                self.ended |= meta == Meta::EndPlay;
            }
            Meta::EndBatch | Meta::EndPlay => {}
        }
    }

    /// Runs notified handlers, in the order in which they stand.
    fn flush(&mut self, who: &[usize]) {
        let mut handlers: Vec<_> = self.play.handlers.iter().enumerate().collect();
        if planted(Mistake::HandlersBackwards) {
            handlers.reverse();
        }
        for (index, handler) in handlers {
            let mut who = self.going(who);
            who.retain(|host| self.hosts[*host].notified.contains(&index));
            if who.is_empty() {
                continue;
            }
            for host in 0..self.hosts.len() {
                if handler.task.once && !self.play.free || who.contains(&host) {
                    self.hosts[host].notified.remove(&index);
                }
            }
            let whens = std::mem::take(&mut self.whens);
            self.step(&handler.task, &who);
            self.whens = whens;
        }
    }

    /// The handlers that a notification means.
    fn handlers(&self, notify: Notify) -> Vec<usize> {
        let handlers = self.play.handlers.iter().enumerate();
        match notify {
            Notify::Name(id) => handlers.filter(|(_, it)| it.task.id == id).map(|(index, _)| index).collect(),
            Notify::Topic(topic) => {
                handlers.filter(|(_, it)| it.listen == Some(topic)).map(|(index, _)| index).collect()
            }
        }
    }

    /// Hosts of the batch that can be reached.
    fn hosts_left(&self) -> Vec<usize> {
        self.batch.iter().copied().filter(|host| self.hosts[*host].stand != Stand::Lost).collect()
    }

    /// One task on all hosts that come to it.
    fn step(&mut self, task: &Task, who: &[usize]) {
        let begun = self.hosts_left();
        let once = task.once && !self.play.free;
        let mut failed = Vec::new();
        let mut bad = false;
        for host in &who[..if once { 1 } else { who.len() }] {
            let result = self.run(task, *host);
            if result.is_failed() {
                failed.push(*host);
            }
            bad |= result.is_failed() || result.is_lost();
            self.take(task, *host, result);
        }
        let fatal = (task.fatal || self.play.fatal || once) && !task.ignore;
        self.behind(fatal && bad, &failed, &begun);
    }

    /// What failures on some hosts mean for the others.
    fn behind(&mut self, fatal: bool, failed: &[usize], hosts: &[usize]) {
        if self.play.free {
            return;
        }
        if fatal {
            self.fail_others(failed, hosts);
        }
        if let Some(percent) = self.play.max_fail
            && self.failed.len() * 100 > percent as usize * self.batch.len()
        {
            self.fail_others(failed, hosts);
            self.broken = true;
        }
        self.stopped |= self.broken && self.failed.len() >= hosts.len();
    }

    fn fail_others(&mut self, failed: &[usize], hosts: &[usize]) {
        for host in hosts.iter().copied().filter(|host| !failed.contains(host)) {
            self.failed.insert(host);
            self.mark(host);
        }
    }

    /// Declares a host failed.
    fn mark(&mut self, host: usize) {
        let stand = &mut self.hosts[host].stand;
        *stand = match *stand {
            Stand::Going => Stand::Failing(0),
            Stand::Failing(again) => Stand::Failing(again + 1),
            other => other,
        };
    }

    /// Takes up how a task ended on a host.
    fn take(&mut self, task: &Task, host: usize, result: Short) {
        let status = self.count(task, host, &result);
        if !task.include {
            self.history.results.push(format!("s{} {} {status}", task.id, HOSTS[host]));
        }
        if matches!(status, "ok" | "changed") {
            if let (Some(notify), "changed") = (task.notify, status) {
                let handlers = self.handlers(notify);
                let lost = usize::from(planted(Mistake::HandlerLost));
                self.hosts[host].notified.extend(handlers.into_iter().skip(lost));
            }
            self.take_facts(task, host, &result);
        }
        if let Some(register) = task.register {
            for host in self.sharing(task, host) {
                self.hosts[host].registered.insert(register, result.clone());
            }
        }
    }

    /// Who gets what a task brings: with `run_once` all hosts of the batch.
    fn sharing(&self, task: &Task, host: usize) -> Vec<usize> {
        match task.once && !planted(Mistake::OnceNotShared) {
            true => self.hosts_left(),
            false => vec![host],
        }
    }

    fn count(&mut self, task: &Task, host: usize, result: &Short) -> &'static str {
        if result.is_failed() && (!task.ignore || planted(Mistake::IgnoreOverlooked)) {
            self.fail(task, host);
            return "failed";
        }
        let recap = &mut self.hosts[host].recap;
        if result.is_failed() {
            recap[OK] += 1;
            recap[IGNORED] += 1;
            recap[CHANGED] += u32::from(result.is_changed());
            "ignored"
        } else if result.is_lost() && task.ignore_lost {
            recap[OK] += 1;
            recap[IGNORED] += 1;
            "unreachable"
        } else if result.is_lost() {
            recap[UNREACHABLE] += 1;
            self.hosts[host].stand = Stand::Lost;
            "unreachable"
        } else if result.is_skipped() {
            recap[SKIPPED] += 1;
            "skipped"
        } else {
            recap[OK] += 1;
            recap[CHANGED] += u32::from(result.is_changed());
            if result.is_changed() { "changed" } else { "ok" }
        }
    }

    /// A task has failed on a host.
    fn fail(&mut self, task: &Task, host: usize) {
        let rescued = self.around.iter().any(|around| around.rescue);
        self.hosts[host].recap[if rescued { RESCUED } else { FAILED }] += 1;
        match task.once && !planted(Mistake::OnceNotCopied) {
            true => self.hosts_left().into_iter().for_each(|host| self.mark(host)),
            false => self.mark(host),
        }
        if !self.around.iter().any(|around| around.rescue || around.always) {
            self.failed.insert(host);
        }
    }

    fn close(mut self) -> (History, World) {
        for (host, name) in self.hosts.iter().zip(HOSTS) {
            self.history.recap.insert(name.to_owned(), host.recap);
            let facts = host.facts.iter().map(|(number, value)| (format!("v{number}"), value.clone()));
            let results = host.registered.iter().map(|(number, result)| (format!("r{number}"), result.to_string()));
            self.history.values.insert(name.to_owned(), facts.chain(results).collect());
        }
        self.history.effects = self.world.effects[self.before..].iter().map(Effect::to_string).collect();
        (self.history, self.world)
    }
}
