//! Books from seeds: small plays in which everything meets everything.
//!
//! Left out is what Ansible itself leaves to chance, so that nobody could say what is right: reading another host's facts
//! or files in the very step that sets them, or under `free`. And where a failure ends the play for hosts that do not
//! take part in a `rescue` nothing fails in one: Ansible then goes back in the list.

use super::book::{
    Act, Block, Book, Condition, Deed, HOSTS, Handler, Include, LOCALHOST, Meta, Node, Notify, Play, State, Task, Text,
};
use super::dice::Dice;

/// How many facts and files there are.
const NAMES: u64 = 3;
/// How many topics handlers listen to.
const TOPICS: u64 = 2;

/// The book of a seed.
pub fn book(seed: u64) -> Book {
    let mut dice = Dice::new(seed);
    let hosts = 1 + dice.roll(HOSTS.len() as u64) as usize;
    let down: Vec<usize> = (0..hosts).filter(|_| dice.chance(7)).collect();
    let forks = if dice.chance(30) { 1 } else { 5 };
    let mut maker = Maker { dice, hosts, has_down: !down.is_empty(), ..Maker::default() };
    let plays = if maker.dice.chance(20) { 2 } else { 1 };
    let plays = (0..plays).map(|_| maker.play()).collect();
    Book { hosts, down, forks, plays }
}

impl Default for Dice {
    fn default() -> Self {
        Dice::new(0)
    }
}

/// Where a list stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the play itself.
    Top,
    /// In a block or an include.
    Inside,
    /// In a `rescue`.
    Rescue,
    /// In an `always`.
    Always,
}

#[derive(Default)]
struct Maker {
    dice: Dice,
    hosts: usize,
    has_down: bool,
    next: u32,
    registers: Vec<u32>,
    /// Handlers' numbers, and the topics that they listen to.
    handlers: Vec<(u32, Option<u32>)>,
    free: bool,
    /// A failure may end the play for others.
    fatal: bool,
    /// Handlers may fail, so they are flushed only outside of blocks.
    rough_handlers: bool,
    /// Nothing may fail.
    calm: bool,
    in_role: bool,
    size: u32,
}

impl Maker {
    fn play(&mut self) -> Play {
        self.free = self.dice.chance(20);
        self.fatal = !self.free && self.dice.chance(40);
        self.rough_handlers = self.dice.chance(50);
        self.size = 0;
        let handlers = self.dice.roll(4) as u32;
        let topic = |dice: &mut Dice| dice.roll(TOPICS) as u32;
        self.handlers = (0..handlers).map(|_| (self.number(), self.dice.maybe(40, topic))).collect();
        let may_fatal = self.fatal || self.free;
        let serial = self.dice.maybe(20, |dice| (0..=dice.roll(2)).map(|_| 1 + dice.roll(2) as usize).collect());
        let fatal = may_fatal && self.dice.chance(30);
        let max_fail = if may_fatal { self.dice.maybe(30, |dice| dice.pick(&[0, 30, 34, 50, 99])) } else { None };
        let tasks = self.list(2, Place::Top);
        self.calm = !self.rough_handlers;
        let handlers = (0..handlers as usize).map(|index| self.handler(index)).collect();
        self.calm = false;
        Play { free: self.free, serial: serial.unwrap_or_default(), fatal, max_fail, tasks, handlers }
    }

    fn number(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    fn list(&mut self, depth: u32, place: Place) -> Vec<Node> {
        let length = 1 + self.dice.roll(if depth == 2 { 5 } else { 3 });
        (0..length).map(|_| self.node(depth, place)).collect()
    }

    fn node(&mut self, depth: u32, place: Place) -> Node {
        self.size += 1;
        let may_nest = depth > 0 && self.size < 12;
        match self.dice.roll(20) {
            0..=3 if may_nest => Node::Block(self.block(depth - 1, place)),
            4 | 5 if may_nest => Node::Include(self.include(depth - 1, place)),
            6 if place == Place::Top || !self.rough_handlers && place == Place::Inside => self.meta(Meta::Flush),
            7 if matches!(place, Place::Top | Place::Inside) && self.dice.chance(40) => self.meta(Meta::EndHost),
            8 if place == Place::Top && !self.free && self.dice.chance(30) => {
                let meta = self.dice.pick(&[Meta::EndBatch, Meta::EndPlay]);
                self.meta(meta)
            }
            _ => {
                let id = self.number();
                Node::Task(Box::new(self.task(id, place)))
            }
        }
    }

    fn meta(&mut self, meta: Meta) -> Node {
        let always = meta == Meta::Flush && self.dice.chance(70);
        Node::Meta(meta, if always { None } else { Some(self.plain_condition()) })
    }

    fn block(&mut self, depth: u32, place: Place) -> Block {
        let inside = if place == Place::Top { Place::Inside } else { place };
        let when = self.dice.chance(15).then(|| self.plain_condition());
        let main = self.list(depth, inside);
        let mut block = Block { when, main, ..Block::default() };
        if self.dice.chance(60) && !(self.fatal && self.has_down) {
            let calm = self.calm;
            self.calm |= self.fatal;
            block.rescue = self.list(depth, Place::Rescue);
            self.calm = calm;
        }
        if self.dice.chance(40) {
            block.always = self.list(depth, if place == Place::Rescue { place } else { Place::Always });
        }
        block
    }

    fn include(&mut self, depth: u32, place: Place) -> Include {
        let inside = if place == Place::Top { Place::Inside } else { place };
        let id = self.number();
        let role = self.in_role || self.dice.chance(30);
        let items = if self.dice.chance(30) { 1 + self.dice.roll(2) as u32 } else { 0 };
        let when = self.dice.chance(30).then(|| match items > 0 && self.dice.chance(40) {
            true => Condition::Item(1 + self.dice.roll(2) as u32),
            false => self.plain_condition(),
        });
        let outer = std::mem::replace(&mut self.in_role, role);
        let tasks = self.list(depth, inside);
        self.in_role = outer;
        Include { id, role, when, items, tasks }
    }

    fn handler(&mut self, index: usize) -> Handler {
        let (id, listen) = self.handlers[index];
        Handler { task: self.task(id, Place::Inside), listen }
    }

    fn task(&mut self, id: u32, place: Place) -> Task {
        let items = if self.dice.chance(20) { 1 + self.dice.roll(2) as u32 } else { 0 };
        let act = self.act(items);
        let register = self.dice.chance(50).then_some(id);
        let mut task = Task { id, items, register, ..Task::default() };
        for _ in 0..self.dice.pick(&[0, 0, 0, 0, 1, 1, 2]) {
            task.when.push(self.condition(items));
        }
        task.notify = self.notify();
        task.ignore = self.dice.chance(15);
        task.ignore_lost = self.dice.chance(5) && place != Place::Rescue;
        if !self.calm {
            self.judged(&mut task, &act);
        }
        let is_local = matches!(act, Act::Debug | Act::Fail | Act::SetFact(..));
        let is_command = matches!(act, Act::Command(_));
        if self.dice.chance(15) && !is_local && (is_command || !self.free) && !(self.calm && self.has_down) {
            task.delegate = Some(self.dice.roll(self.hosts as u64) as usize);
        }
        if let Act::Command(deeds) = &act
            && deeds.iter().any(|deed| matches!(deed, Deed::Put(_)))
        {
            task.delegate = Some(LOCALHOST);
        }
        if self.fatal && !self.calm {
            task.once = self.dice.chance(12);
            task.fatal = self.dice.chance(8);
        }
        // A fact is not read from others in the step that sets it.
        if let Act::SetFact(fact, text) = &act {
            let own = *fact;
            task.when.retain(|when| !matches!(when, Condition::Other(_, fact, _) if *fact == own));
            debug_assert!(!matches!(text, Text::Other(_, fact) if *fact == own));
        }
        self.registers.extend(register);
        Task { act, ..task }
    }

    /// What a result comes to.
    fn judged(&mut self, task: &mut Task, act: &Act) {
        let id = task.id;
        let own = |dice: &mut Dice, states: &[State]| match dice.chance(40) {
            true => Condition::Just(dice.chance(50)),
            false => Condition::Is(id, dice.pick(states)),
        };
        if self.dice.chance(12) {
            task.register = Some(id);
            task.failed_when = Some(own(&mut self.dice, &[State::Failed, State::Changed, State::Succeeded]));
        }
        if self.dice.chance(12) {
            task.register = Some(id);
            task.changed_when = Some(own(&mut self.dice, &[State::Failed, State::Succeeded]));
        }
        let is_fact = matches!(act, Act::SetFact(..));
        if self.dice.chance(8) && !is_fact {
            task.register = Some(id);
            let retries = self.dice.roll(3) as u32;
            task.until = Some((own(&mut self.dice, &[State::Succeeded, State::Failed, State::Changed]), retries));
        }
    }

    fn act(&mut self, items: u32) -> Act {
        let name = self.dice.roll(NAMES) as u32;
        let host = self.dice.roll(self.hosts as u64) as usize;
        match self.dice.roll(24) {
            0 => Act::Debug,
            1 if !self.calm => Act::Fail,
            2..=5 => Act::Write(name, self.text(items, None)),
            6 | 7 if !self.calm => Act::Read(name),
            8 | 9 if !self.calm => Act::Fetch(name),
            10 if !self.calm && !self.free => Act::Copy(name, host, self.dice.roll(NAMES) as u32),
            11..=14 => Act::SetFact(name, self.text(items, Some(name))),
            15 if !self.free => Act::Command(vec![Deed::Put(name); self.hosts]),
            _ => Act::Command((0..self.hosts).map(|_| self.deed()).collect()),
        }
    }

    fn deed(&mut self) -> Deed {
        match self.dice.roll(10) {
            0 | 1 if !self.calm => Deed::Fail,
            2 if !self.calm => Deed::At(2 + self.dice.roll(2) as u32),
            _ => Deed::Ok,
        }
    }

    fn text(&mut self, items: u32, own: Option<u32>) -> Text {
        let fact = self.dice.roll(NAMES) as u32;
        let host = self.dice.roll(self.hosts as u64) as usize;
        let register = self.dice.chance(50).then(|| self.registers.last().copied()).flatten();
        match self.dice.roll(12) {
            0 | 1 => register.map_or(Text::Fact(fact), Text::Printed),
            2 => register.map_or(Text::Fact(fact), Text::Content),
            3 => Text::Fact(fact),
            4 | 5 if items > 0 => Text::Append(own.unwrap_or(fact)),
            6 | 7 if !self.free && own != Some(fact) => Text::Other(host, fact),
            8 | 9 if !self.free && !self.calm => Text::Lookup(fact, host),
            _ => Text::Plain(format!("p{}", self.dice.roll(3))),
        }
    }

    fn notify(&mut self) -> Option<Notify> {
        if self.handlers.is_empty() || !self.dice.chance(30) {
            return None;
        }
        Some(match self.dice.pick(&self.handlers) {
            (_, Some(topic)) if self.dice.chance(60) => Notify::Topic(topic),
            (id, _) => Notify::Name(id),
        })
    }

    fn condition(&mut self, items: u32) -> Condition {
        match self.dice.roll(10) {
            0 | 1 if items > 0 => Condition::Item(1 + self.dice.roll(2) as u32),
            2 if !self.calm && !self.registers.is_empty() => {
                let register = self.dice.pick(&self.registers);
                Condition::Is(register, self.state())
            }
            _ => self.plain_condition(),
        }
    }

    fn state(&mut self) -> State {
        self.dice.pick(&[State::Failed, State::Succeeded, State::Changed, State::Skipped])
    }

    /// A condition that is never an error.
    fn plain_condition(&mut self) -> Condition {
        let host = self.dice.roll(self.hosts as u64) as usize;
        let fact = self.dice.roll(NAMES) as u32;
        let value = self.dice.pick(&["p0", "p1", "p2", "none", "i1"]).to_owned();
        match self.dice.roll(10) {
            0 | 1 => Condition::Host(host),
            2 => Condition::NotHost(host),
            3 => Condition::Just(self.dice.chance(60)),
            4 | 5 => Condition::Fact(fact, value),
            6 if !self.free => Condition::Other(host, fact, value),
            _ if !self.registers.is_empty() => {
                let register = self.dice.pick(&self.registers);
                Condition::Known(register, self.state())
            }
            _ => Condition::NotHost(host),
        }
    }
}
