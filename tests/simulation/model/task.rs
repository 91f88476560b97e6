//! One task on one host: conditions, loop, tries, and what it does.

use std::collections::{BTreeMap, BTreeSet};

use super::super::book::{Act, Condition, Deed, HOSTS, LOCALHOST, State, Task, Text};
use super::super::history::{Effect, Short};
use super::super::mistakes::{Mistake, planted};
use super::Model;

/// What only the task itself sees: facts of its earlier items, and its own result.
#[derive(Clone, Debug, Default)]
pub struct Own {
    facts: BTreeMap<u32, String>,
    result: Option<(u32, Short)>,
}

/// Something that cannot be evaluated.
#[derive(Debug, PartialEq)]
pub struct Wrong;

impl Short {
    /// Any of the items, or the result itself.
    fn any(&self, which: fn(&Short) -> bool) -> bool {
        self.results.as_ref().map_or_else(|| which(self), |results| results.iter().any(which))
    }

    /// Whether the task counts as failed. What `failed_when` said comes before everything else.
    pub fn is_failed(&self) -> bool {
        match self.any(|one| one.judged.is_some()) {
            true => self.any(|one| one.judged == Some(true)),
            false => self.any(|one| one.failed),
        }
    }

    /// Whether the host could not be reached.
    pub fn is_lost(&self) -> bool {
        self.any(|one| one.lost)
    }

    /// Whether something was changed.
    pub fn is_changed(&self) -> bool {
        self.any(|one| one.changed)
    }

    /// Whether everything was skipped.
    pub fn is_skipped(&self) -> bool {
        self.skipped
    }
}

impl Model<'_> {
    /// Runs a task on a host, with its loop.
    pub fn run(&mut self, task: &Task, host: usize) -> Short {
        *self.begun.entry((host, task.id)).or_default() += 1;
        let mut own = Own::default();
        if task.items == 0 {
            let result = self.one(task, host, 0, &mut own);
            return Short { fact: own.facts.pop_first().map(|(_, value)| value), ..result };
        }
        let results: Vec<Short> = (1..=task.items).map(|item| self.one(task, host, item, &mut own)).collect();
        let any = |which: fn(&Short) -> bool| results.iter().any(which);
        Short {
            failed: any(|one| one.failed),
            changed: any(|one| one.changed),
            skipped: results.iter().all(|one| one.skipped),
            lost: any(|one| one.lost),
            results: Some(results),
            fact: own.facts.pop_first().map(|(_, value)| value),
            ..Short::default()
        }
    }

    /// One item, or a task without a loop.
    fn one(&mut self, task: &Task, host: usize, item: u32, own: &mut Own) -> Short {
        for when in self.whens.clone().iter().chain(&task.when) {
            match self.holds(when, host, item, own) {
                Ok(true) => {}
                Ok(false) => return Short { skipped: true, ..Short::default() },
                Err(Wrong) => return Short { failed: true, ..Short::default() },
            }
        }
        let tries = task.until.as_ref().map_or(1, |(_, retries)| retries + 1);
        let mut result = Short::default();
        for attempt in 1..=tries {
            result = match self.act(task, host, item, own) {
                Ok(result) => result,
                Err(Wrong) => return Short { failed: true, ..Short::default() },
            };
            if result.lost {
                return result;
            }
            if tries > 1 {
                result.attempts = Some(attempt);
            }
            self.judge(task, host, item, own, &mut result);
            let done = |model: &Self, until: &Condition| model.holds(until, host, item, own) == Ok(true);
            match &task.until {
                Some((until, _)) if tries > 1 && !done(self, until) => {}
                _ => return result,
            }
        }
        // All tries were in vain.
        result.attempts = Some(tries - 1);
        result.failed = true;
        result
    }

    /// `changed_when`, then `failed_when`.
    fn judge(&self, task: &Task, host: usize, item: u32, own: &mut Own, result: &mut Short) {
        let note = |own: &mut Own, result: &Short| own.result = task.register.map(|number| (number, result.clone()));
        note(own, result);
        if let Some(when) = &task.changed_when {
            result.changed = self.holds(when, host, item, own) == Ok(true);
            note(own, result);
        }
        if let Some(when) = &task.failed_when {
            result.failed = self.holds(when, host, item, own) == Ok(true);
            result.judged = Some(result.failed);
            note(own, result);
        }
    }

    fn act(&mut self, task: &Task, host: usize, item: u32, own: &mut Own) -> Result<Short, Wrong> {
        let here = |number: &u32, host: usize| format!("x{number}-{}", HOSTS[host]);
        match &task.act {
            Act::Debug => return Ok(Short::default()),
            Act::Fail => return Ok(Short { failed: true, ..Short::default() }),
            Act::SetFact(fact, text) => {
                let value = self.text(text, host, item, own)?;
                own.facts.insert(*fact, value);
                return Ok(Short::default());
            }
            _ => {}
        }
        let on = task.delegate.unwrap_or(host);
        let is_down = self.book.down.contains(&on);
        // What lies on the controller is read before the host is asked, but for the file that is copied.
        if is_down && matches!(task.act, Act::Copy(..)) {
            return Ok(Short { lost: true, ..Short::default() });
        }
        let content = match &task.act {
            Act::Write(_, text) => self.text(text, host, item, own)?,
            Act::Copy(from, of, _) => self.world.here.get(&here(from, *of)).cloned().ok_or(Wrong)?,
            _ => String::new(),
        };
        let breaks = self.world.breaks.get(&(task.id, host, self.begun[&(host, task.id)])).copied();
        if is_down || breaks == Some(false) {
            return Ok(Short { lost: true, ..Short::default() });
        }
        let effect = |is_file| Effect { task: task.id, host, item: item_name(item), on, is_file };
        let machine = if self.world.shared { 0 } else { on };
        let file = |number: &u32| (machine, format!("{}-f{number}", HOSTS[host]));
        let result = match &task.act {
            Act::Write(number, _) | Act::Copy(_, _, number) => self.write(effect(true), file(number), content),
            Act::Command(deeds) => self.command(effect(false), deeds[host]),
            Act::Read(number) => {
                let content = self.world.files.get(&file(number)).cloned();
                Short { failed: content.is_none(), content, ..Short::default() }
            }
            Act::Fetch(number) => match self.world.files.get(&file(number)).cloned() {
                None => Short { failed: true, ..Short::default() },
                Some(_) if breaks.is_some() => Short::default(),
                Some(content) => {
                    let before = self.world.here.insert(here(number, host), content.clone());
                    Short { changed: before != Some(content), ..Short::default() }
                }
            },
            _ => Short::default(),
        };
        Ok(if breaks.is_some() { Short { lost: true, ..Short::default() } } else { result })
    }

    fn write(&mut self, effect: Effect, file: (usize, String), content: String) -> Short {
        let changed = self.world.files.get(&file) != Some(&content);
        if changed {
            self.world.files.insert(file, content);
            self.world.effects.push(effect);
        }
        Short { changed, ..Short::default() }
    }

    fn command(&mut self, effect: Effect, deed: Deed) -> Short {
        let commands = self.world.effects.iter().filter(|it| !it.is_file);
        let others = |it: &&Effect| it.task != effect.task && (!self.play.free || it.host == effect.host);
        let seen: BTreeSet<u32> = commands.clone().filter(others).map(|it| it.task).collect();
        let same = |it: &&Effect| (it.task, it.host, &it.item) == (effect.task, effect.host, &effect.item);
        let tries = 1 + commands.filter(same).count();
        if let (Deed::Put(number), true) = (deed, self.world.shared || effect.on == LOCALHOST) {
            self.world.here.insert(format!("x{number}-{}", HOSTS[effect.host]), format!("s{}", effect.task));
        }
        self.world.effects.push(effect);
        let failed = match deed {
            Deed::Ok | Deed::Put(_) => false,
            Deed::Fail => true,
            Deed::At(wanted) => tries < wanted as usize,
        };
        Short { failed, changed: true, stdout: Some(seen.len().to_string()), ..Short::default() }
    }

    /// Facts that a task has set.
    pub fn take_facts(&mut self, task: &Task, host: usize, result: &Short) {
        let (Act::SetFact(fact, _), Some(value)) = (&task.act, &result.fact) else { return };
        for host in self.sharing(task, host) {
            self.hosts[host].facts.insert(*fact, value.clone());
        }
    }

    fn fact(&self, host: usize, fact: u32) -> Option<&String> {
        self.hosts[host].facts.get(&fact)
    }

    /// Renders a text.
    fn text(&self, text: &Text, host: usize, item: u32, own: &Own) -> Result<String, Wrong> {
        let none = || "none".to_owned();
        let fact = |fact: &u32| own.facts.get(fact).or_else(|| self.fact(host, *fact)).cloned();
        let result = |register: &u32| self.hosts[host].registered.get(register);
        Ok(match text {
            Text::Plain(text) => text.clone(),
            Text::Printed(register) => result(register).and_then(|it| it.stdout.clone()).unwrap_or_else(none),
            Text::Content(register) => result(register).and_then(|it| it.content.clone()).unwrap_or_default(),
            Text::Fact(number) => fact(number).unwrap_or_else(none),
            Text::Append(number) => fact(number).unwrap_or_default() + &item_name(item),
            Text::Other(other, number) => self.fact(*other, *number).cloned().unwrap_or_else(none),
            Text::Lookup(number, of) => {
                self.world.here.get(&format!("x{number}-{}", HOSTS[*of])).cloned().ok_or(Wrong)?
            }
        })
    }

    /// Whether a condition holds.
    pub fn holds(&self, when: &Condition, host: usize, item: u32, own: &Own) -> Result<bool, Wrong> {
        let early = planted(Mistake::ReadTooEarly);
        let fact = |fact: &u32| own.facts.get(fact).or_else(|| self.fact(host, *fact)).filter(|_| !early);
        let known = |register: &u32| match &own.result {
            Some((number, result)) if number == register => Some(result),
            _ => self.hosts[host].registered.get(register),
        };
        Ok(match when {
            Condition::Just(value) => *value,
            Condition::Host(other) => host == *other,
            Condition::NotHost(other) => host != *other,
            Condition::Item(number) => item == *number,
            Condition::Known(register, state) => known(register).is_some_and(|result| is(result, *state)),
            Condition::Is(register, state) => is(known(register).ok_or(Wrong)?, *state),
            Condition::Fact(number, value) => fact(number).map_or("none", String::as_str) == value,
            Condition::Other(other, number, value) => {
                self.fact(*other, *number).map_or("none", String::as_str) == value
            }
        })
    }
}

fn is(result: &Short, state: State) -> bool {
    match state {
        State::Failed => result.failed,
        State::Succeeded => !result.failed,
        State::Changed => result.changed,
        State::Skipped => result.skipped,
    }
}

/// How an item is called.
fn item_name(item: u32) -> String {
    if item == 0 { "-".to_owned() } else { format!("i{item}") }
}
