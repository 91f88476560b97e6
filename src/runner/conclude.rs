//! Taking up answers in order: events, registered results, facts, notifications, and where the host goes from there.

use std::sync::Arc;
use std::time::Duration;

use super::batch::Batch;
use super::connection::text_of;
use super::judge::{self, Verdict};
use super::scheduler::{AfterFailure, Fatal, Running, State};
use super::task_run::{Ended, TaskRun};
use crate::diagnostic::{Diagnostic, kinds};
use crate::event::{Event, Status, TaskResult};
use crate::map;
use crate::protocol::Mode;
use crate::steps::{Step, Work};
use crate::template::RenderError;
use crate::value::{Map, Value};

/// What a step leaves.
#[derive(Clone)]
struct Registered {
    /// What is registered.
    result: Value,
    /// The facts that its items returned.
    facts: Vec<(Map, bool)>,
}

impl Batch<'_> {
    /// Judges a step of a host that is complete, reports it, and keeps what it left.
    pub fn conclude(&mut self, host: usize, mut running: Running<TaskRun>) {
        let step = running.step.clone();
        let name = self.scheduler.hosts[host].name.clone();
        for item in &mut running.items {
            if let Some(Ended::Variables(_, bindings)) = &mut item.ended {
                let bindings = std::mem::take(bindings);
                self.run.table.update(&name, |layers| layers.include(bindings));
            }
        }
        let mut verdicts = Vec::new();
        for index in 0..running.items.len() {
            let verdict = self.verdict(host, &mut running, index);
            verdicts.push((running.items[index].own.clone(), verdict));
        }
        let mut whole = match (running.trouble.take(), running.is_loop) {
            (Some(trouble), _) => self.judge(host, &running, &[], trouble, 0),
            (None, true) => judge::whole(&verdicts),
            (None, false) => match verdicts.pop() {
                Some((_, verdict)) => verdict,
                None => return,
            },
        };
        if running.is_loop {
            for (index, (_, verdict)) in verdicts.iter().enumerate() {
                let label = self.label(host, &running, index);
                self.report(host, &running, verdict.clone(), Some(label), false);
            }
        }
        let acted = |verdict: &Verdict| matches!(verdict.status, Status::Changed | Status::Unknown);
        // As in Ansible: where anything has changed all items notify.
        let items = if running.is_loop { verdicts.len() } else { 1 };
        if acted(&whole)
            && let Some(problem) = self.notify(host, &running, items)
        {
            // As in Ansible: a handler that is not there ends the run.
            if whole.status == Status::Changed {
                self.run.refused = true;
                whole.fail(problem);
            } else {
                self.run.warn(&problem);
            }
        }
        let failed = whole.is_failed();
        let lost = whole.status == Status::Unreachable;
        let ignored = failed && if lost { running.ignore_unreachable } else { running.ignore_errors };
        self.count(host, &running, &whole, ignored);
        if running.is_loop && step.work.is_include() {
            // As in Ansible: each item that was included counts, and `whole` is one of them.
            let included = verdicts.iter().filter(|(_, verdict)| verdict.status == Status::Ok).count();
            self.run.counters.entry(name).or_default().ok += (included as u32).saturating_sub(1);
        }
        self.report(host, &running, whole.clone(), None, running.is_loop);
        // As in Ansible: what an include brings must be a list of tasks, each of a module that somebody has.
        let is_refusal = |problem: &Diagnostic| problem.kind.is_some_and(|kind| kind.ends_run);
        self.run.refused |= step.work.is_include() && whole.diagnostic.as_deref().is_some_and(is_refusal);
        let registered = self.register(host, &running, &whole, &verdicts);
        if running.is_shared {
            self.share(host, &running, &registered);
        }
        if running.is_once {
            self.once.insert(running.position.clone());
        }
        if self.run.options.mode == Mode::Plan && whole.status == Status::Unknown {
            self.run.opaque.insert(self.scheduler.hosts[host].name.clone(), running.info.title());
        }
        if lost {
            self.scheduler.miss(host, &running, fatality(&running).min(Fatal::ForAll));
        }
        match (lost && !ignored, failed && !ignored) {
            (true, _) => self.out(host, State::Lost),
            (false, true) => self.fall(host, &running, &whole),
            (false, false) => {}
        }
    }

    /// Judges one item, unless that was done when its answer came.
    fn verdict(&mut self, host: usize, running: &mut Running<TaskRun>, index: usize) -> Verdict {
        let item = &mut running.items[index];
        if let Some(verdict) = item.verdict.take() {
            return verdict;
        }
        let ended = item.ended.take().unwrap_or_else(|| Ended::Skipped(Value::Null));
        let (layers, attempts) = (item.layers.clone(), item.attempts);
        self.judge(host, running, &layers, ended, attempts)
    }

    /// Judges how an item ended.
    pub fn judge(
        &mut self,
        host: usize,
        running: &Running<TaskRun>,
        layers: &[Arc<crate::vars::Layer>],
        ended: Ended,
        attempts: u32,
    ) -> Verdict {
        let planning = self.run.options.mode == Mode::Plan;
        let mut ended = ended;
        if let (true, Ended::Outcome(outcome)) = (planning, &mut ended) {
            // An agent does not know what its step is called.
            outcome.values.values_mut().for_each(|value| value.name_unknown(&running.info.title()));
        }
        let opaque = match &ended {
            Ended::Outcome(outcome) => outcome.opaque,
            _ => false,
        };
        let scope = self.scope_maker(host, &running.step, &running.position, true);
        let bench = self.run.bench(&scope);
        let ended = match &running.step.work {
            Work::Call { spec, args, .. } if spec.name == "fetch" => {
                let item = running.pending.front().and_then(|index| running.items.get(*index));
                let spool = item.and_then(|item| item.spool.as_ref());
                super::fetch::keep(&bench, args, &bench.with(layers), ended, spool, planning)
            }
            _ => ended,
        };
        let mut verdict = judge::judge(&bench, &running.step, layers, ended, attempts, planning);
        let name = &self.scheduler.hosts[host].name;
        if planning && opaque {
            self.run.opaque.entry(name.clone()).or_insert_with(|| running.info.title());
        }
        if verdict.status == Status::Failed
            && let Some(cause) = self.run.opaque.get(name)
        {
            // What it misses may be what a step made whose effect nobody can know beforehand.
            let said = verdict.values.get("msg").map(text_of).unwrap_or_default();
            verdict.status = Status::Unknown;
            verdict.warnings.push(format!("known after: {cause} (now: {said})"));
        }
        verdict
    }

    /// What an item of a loop is called.
    fn label(&mut self, host: usize, running: &Running<TaskRun>, index: usize) -> Value {
        let item = running.items[index].item.clone().unwrap_or_default();
        let Some(label) = running.step.repeat.as_ref().and_then(|repeat| repeat.label.clone()) else { return item };
        let scope = self.scope_maker(host, &running.step, &running.position, true);
        let bench = self.run.bench(&scope);
        bench.templar.render(&label, &bench.with(&running.items[index].layers)).unwrap_or(item)
    }

    /// Tells reporters how a step, or one item of it, ended.
    pub fn report(
        &mut self,
        host: usize,
        running: &Running<TaskRun>,
        verdict: Verdict,
        item: Option<Value>,
        is_summary: bool,
    ) {
        let failed = verdict.is_failed();
        let rescued = failed && !running.ignore_errors && running.resume.is_rescued();
        let mut values = verdict.values;
        values.shift_remove("_ansible_facts_cacheable");
        if running.no_log {
            censor(&mut values);
        }
        let result = TaskResult {
            task: running.info.clone(),
            host: self.scheduler.hosts[host].name.clone(),
            delegate: running.delegate.clone(),
            item: item.map(|item| if running.no_log { Value::from("(hidden by no_log)") } else { item }),
            status: verdict.status,
            ignored: failed && running.ignore_errors,
            rescued,
            values,
            diffs: if running.no_log { Vec::new() } else { verdict.diffs },
            warnings: verdict.warnings,
            cause: verdict.cause.or_else(|| failed.then_some(running.step.span)),
            diagnostic: verdict.diagnostic,
            elapsed: Duration::from_micros(verdict.micros),
            is_summary,
        };
        self.run.emit(Event::Result(Box::new(result)));
    }

    fn count(&mut self, host: usize, running: &Running<TaskRun>, whole: &Verdict, ignored: bool) {
        let counters = self.run.counters.entry(self.scheduler.hosts[host].name.clone()).or_default();
        match whole.status {
            Status::Ok => counters.ok += 1,
            Status::Changed => {
                counters.ok += 1;
                counters.changed += 1;
            }
            Status::Unknown => counters.ok += 1,
            Status::Skipped => counters.skipped += 1,
            Status::Unreachable if ignored => {
                counters.ok += 1;
                counters.ignored += 1;
            }
            Status::Unreachable => counters.unreachable += 1,
            Status::Failed if ignored => {
                counters.ok += 1;
                counters.ignored += 1;
                // As in Ansible: what it has changed before it failed counts.
                counters.changed += u32::from(whole.values.get("changed").is_some_and(Value::is_true));
            }
            Status::Failed if running.resume.is_rescued() => counters.rescued += 1,
            Status::Failed => counters.failed += 1,
        }
    }

    /// Keeps the result and the facts of a step.
    fn register(
        &mut self,
        host: usize,
        running: &Running<TaskRun>,
        whole: &Verdict,
        items: &[(Vec<Arc<crate::vars::Layer>>, Verdict)],
    ) -> Registered {
        let single = [(Vec::new(), whole.clone())];
        let items = if running.is_loop { items } else { &single };
        let facts = |(_, verdict): &(Vec<Arc<crate::vars::Layer>>, Verdict)| {
            let facts = verdict.values.get("ansible_facts")?.as_map()?.clone();
            let cacheable = verdict.values.get("_ansible_facts_cacheable").is_some_and(Value::is_true);
            (!verdict.is_failed()).then_some((facts, cacheable))
        };
        let mut result = whole.values.clone();
        result.shift_remove("_ansible_facts_cacheable");
        let registered = Registered { result: Value::Map(result), facts: items.iter().filter_map(facts).collect() };
        let name = self.scheduler.hosts[host].name.clone();
        let owner = match &running.delegate {
            Some(delegate) if running.delegate_facts => delegate.clone(),
            _ => name.clone(),
        };
        // As in Ansible: one that cannot be reached has no part in what is done once for all.
        if !running.is_shared || whole.status != Status::Unreachable || running.ignore_unreachable {
            self.keep(&name, &owner, &running.step, &registered);
        }
        registered
    }

    /// Gives all hosts of the batch that can be reached, also those that have failed, what a step left that was done once
    /// for all.
    fn share(&mut self, done_by: usize, running: &Running<TaskRun>, registered: &Registered) {
        let done_by = &self.scheduler.hosts[done_by].name;
        let can_be_reached = |host: &&String| self.run.out.get(*host) != Some(&super::Out::Lost);
        let others: Vec<&String> = self.members.iter().filter(can_be_reached).filter(|host| *host != done_by).collect();
        // Facts of a delegate are the delegate's alone.
        let of_delegate = running.delegate_facts && running.delegate.is_some();
        let left =
            Registered { facts: if of_delegate { Vec::new() } else { registered.facts.clone() }, ..registered.clone() };
        for host in others {
            self.keep(host, host, &running.step, &left);
        }
    }

    /// Puts what a step left among a host's variables.
    fn keep(&mut self, host: &str, owner: &str, step: &Step, registered: &Registered) {
        let module = match &step.work {
            Work::Call { spec, .. } => spec.name,
            _ => "",
        };
        for (facts, cacheable) in &registered.facts {
            self.run.table.update(owner, |layers| match module {
                "set_fact" => {
                    for (name, value) in facts {
                        layers.set(name, value.clone());
                    }
                    if *cacheable {
                        layers.add_facts(facts);
                    }
                }
                // Its variables were taken up as templates.
                "include_vars" => {}
                _ => layers.add_facts(facts),
            });
        }
        if let Some(name) = &step.keywords.register {
            self.run.table.update(host, |layers| layers.set(name, registered.result.clone()));
        }
    }

    /// Marks the handlers that the items notify. The diagnostic is about one that does not exist.
    fn notify(&mut self, host: usize, running: &Running<TaskRun>, items: usize) -> Option<Diagnostic> {
        let mut trouble = None;
        for node in &running.step.keywords.notify {
            for index in 0..items {
                let layers = running.items.get(index).map(|item| item.layers.clone()).unwrap_or_default();
                let scope = self.scope_maker(host, &running.step, &running.position, true);
                let bench = self.run.bench(&scope);
                let names = match bench.templar.render(node, &bench.with(&layers)) {
                    Ok(Value::List(names)) => names.iter().map(text_of).collect(),
                    Ok(name) => vec![text_of(&name)],
                    Err(RenderError::Undefined(diagnostic) | RenderError::Wrong(diagnostic)) => {
                        trouble = Some(*diagnostic);
                        continue;
                    }
                    Err(_) => continue,
                };
                for name in names {
                    let found = self.play.handlers_named(&name, &bench);
                    if found.is_empty() {
                        trouble = Some(
                            Diagnostic::error(node.span, format!("no handler is named `{name}` or listens to it"))
                                .of(&kinds::UNKNOWN_HANDLER),
                        );
                    }
                    self.scheduler.hosts[host].notified.extend(found);
                }
            }
        }
        trouble
    }

    /// A failure that is not ignored: to the next `rescue` or `always`, or out of the play.
    fn fall(&mut self, host: usize, running: &Running<TaskRun>, whole: &Verdict) {
        let name = self.scheduler.hosts[host].name.clone();
        let task = map! { "name" => running.info.name.clone(), "action" => running.info.module.clone() };
        if !running.resume.is_rescued() {
            self.run.removed.insert(name.clone());
        }
        let values = whole.values.clone();
        self.run.table.update(&name, |layers| {
            layers.set("ansible_failed_task", Value::Map(task));
            layers.set("ansible_failed_result", Value::Map(values));
        });
        let fatal = fatality(running);
        if self.scheduler.fail(host, running, fatal) == AfterFailure::Ends {
            self.out(host, State::Failed);
        }
    }

    /// Takes a host out of the play and of those that follow.
    pub fn out(&mut self, host: usize, state: State) {
        self.scheduler.leave(host, state);
        let name = self.scheduler.hosts[host].name.clone();
        let end = if state == State::Lost { super::Out::Lost } else { super::Out::Failed };
        self.run.out.insert(name, end);
    }
}

/// Leaves of a result, and of those of its items, what may be shown of it.
fn censor(values: &mut Map) {
    let items = values.shift_remove("results");
    values.retain(|name, _| ["changed", "failed", "skipped", "attempts"].contains(&name.as_str()));
    values.insert("censored".into(), "the result is hidden because of `no_log: true`".into());
    if let Some(Value::List(mut items)) = items.filter(|items| items.as_list().is_some_and(|items| !items.is_empty())) {
        for item in &mut items {
            if let Value::Map(values) = item {
                censor(values);
            }
        }
        values.insert("results".into(), Value::List(items));
    }
}

/// What a failure of a step, or a host that is lost on it, means for the other hosts.
fn fatality(running: &TaskRun) -> Fatal {
    match (running.ignore_errors, running.is_shared, running.is_fatal || running.is_once) {
        (true, ..) | (_, false, false) => Fatal::No,
        (_, true, _) => Fatal::Once,
        (_, false, true) => Fatal::ForAll,
    }
}
