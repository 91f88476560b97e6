//! Steps that concern the course of the play itself: `meta`, `pause`, `add_host`, `group_by`, includes, and everything
//! that a flight needs before it is launched.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::batch::{Batch, State};
use super::connection::{Reader, text_of};
use super::controller;
use super::flight::{Ended, Flight, ItemRun};
use super::prepare::{Bench, NotYet, Prepared, Wait, trouble};
use super::scope::{TaskScope, data, layer, magic};
use super::{Tick, prepare};
use crate::event::TaskInfo;
use crate::failure::Failure;
use crate::map;
use crate::module::Arguments;
use crate::modules;
use crate::protocol::{self, Mode, Position, ToAgent};
use crate::steps::{Step, Work, absolute};
use crate::template::{Binding, RenderError};
use crate::transport::SessionId;
use crate::value::{Map, Value};
use crate::vars::{Layer, Level, Stack};

impl Batch<'_> {
    /// Whether an answer at this position may be taken up.
    pub fn may_conclude(&self, position: &Position) -> bool {
        self.play.free || self.walkers.len() < 2 || *position <= self.watermark()
    }

    /// Makes scopes for a step on a host. `in_turn`: everything before it has been taken up, on every host.
    pub fn scope_maker(
        &self,
        host: usize,
        step: &Step,
        position: &Position,
        in_turn: bool,
    ) -> impl Fn(&[Arc<Layer>]) -> TaskScope + 'static {
        let walker = &self.walkers[host];
        let mut layers: Vec<Arc<Layer>> = Vec::with_capacity(24);
        if let Some(known) = self.run.table.read().get(&walker.name) {
            layers.extend(known.all());
        }
        layers.extend(self.play.layers.iter().cloned());
        layers.extend(self.play.host_layers.get(&walker.name).into_iter().flatten().cloned());
        layers.extend(step.layers.iter().cloned());
        let unsettled = self.unsettled(host, position, in_turn);
        layers.push(self.play_magic(step));
        layers.push(self.hosts_magic(unsettled.others));
        let (files, table) = (step.files.clone(), self.run.table.clone());
        move |more| TaskScope {
            stack: Stack::new(layers.iter().chain(more).cloned()),
            files: files.clone(),
            unsettled: unsettled.clone(),
            table: table.clone(),
        }
    }

    /// Magic variables of the play and the step.
    fn play_magic(&self, step: &Step) -> Arc<Layer> {
        let mut values = map! {
            "ansible_play_hosts_all" => self.play.hosts.clone(),
            "ansible_play_name" => self.play.name.clone(),
            "ansible_check_mode" => self.run.options.mode == Mode::Plan,
            "ansible_diff_mode" => self.run.options.diff,
            "ansible_verbosity" => i64::from(self.run.options.verbosity),
            "ansible_forks" => self.run.options.forks as i64,
            "ansible_run_tags" => self.run.options.tags.clone(),
            "ansible_skip_tags" => self.run.options.skip_tags.clone(),
        };
        if let Some(role) = &step.role {
            let short = role.rsplit(" : ").next().unwrap_or(role);
            values.insert("role_name".into(), short.into());
            values.insert("ansible_role_name".into(), short.into());
        }
        if let Some(folder) = step.files.roles.first() {
            values.insert("role_path".into(), absolute(folder).into());
        }
        magic(values)
    }

    /// Magic variables that speak of which hosts are left. `pending`: not everybody has come so far.
    fn hosts_magic(&self, pending: bool) -> Arc<Layer> {
        let names = ["ansible_play_batch", "ansible_play_hosts", "play_hosts"];
        if pending {
            let values = names.map(|name| (name.to_owned(), Binding::Pending)).into();
            return Arc::new(layer(Level::Magic, "magic variable", values));
        }
        let alive = |walker: &&super::batch::Walker| matches!(walker.state, State::Active | State::Done);
        let batch: Vec<String> = self.walkers.iter().filter(alive).map(|walker| walker.name.clone()).collect();
        let out = |host: &&String| self.run.out.contains_key(*host);
        let all: Vec<String> = self.play.hosts.iter().filter(|host| !out(host)).cloned().collect();
        magic(names.into_iter().map(str::to_owned).zip([batch.clone(), all, batch].map(Value::from)).collect())
    }

    /// Prepares a step for a host.
    pub fn prepare(&mut self, host: usize, step: &Arc<Step>, position: &Position) -> Result<Prepared, NotYet> {
        let scope = self.scope_maker(host, step, position, false);
        self.run.bench(&scope).prepare(step)
    }

    /// Whether a step is done once for all. Where that cannot be told the step fails, see [`Batch::flight`].
    pub fn is_once(&mut self, host: usize, step: &Arc<Step>, position: &Position) -> Result<bool, NotYet> {
        if matches!(&step.work, Work::Call { spec, .. } if spec.once) {
            return Ok(true);
        }
        let Some(node) = &step.keywords.run_once else { return Ok(false) };
        let scope = self.scope_maker(host, step, position, false);
        match self.run.bench(&scope).flag(Some(node)) {
            Ok(once) => Ok(once.unwrap_or(false)),
            Err(RenderError::Pending) => Err(NotYet),
            Err(_) => Ok(false),
        }
    }

    /// Makes a flight of a prepared step.
    pub fn flight(
        &mut self,
        host: usize,
        step: &Arc<Step>,
        position: &Position,
        mut prepared: Prepared,
    ) -> Result<Flight, NotYet> {
        let scope = self.scope_maker(host, step, position, false);
        let bench = self.run.bench(&scope);
        let first_layers = prepared.items.first().map(|item| item.layers.clone()).unwrap_or_default();
        let scope = bench.with(&first_layers);
        let reader = Reader { templar: bench.templar, scope: &scope };
        let keywords = &step.keywords;
        let mut wrong = None;
        // A keyword that cannot be evaluated fails the task: then its default holds.
        let mut flag = |node: &Option<Arc<crate::yaml::Node>>, default: bool| -> Result<bool, NotYet> {
            match reader.flag(node.as_ref()) {
                Ok(flag) => Ok(flag.unwrap_or(false)),
                Err(error) => {
                    wrong = Some(trouble(error)?);
                    Ok(default)
                }
            }
        };
        let ignore_errors = flag(&keywords.ignore_errors, false)?;
        let is_fatal = flag(&keywords.any_errors_fatal, false)?;
        let ignore_unreachable = flag(&keywords.ignore_unreachable, false)?;
        let delegate_facts = flag(&keywords.delegate_facts, false)?;
        // What cannot be told is not shown.
        let no_log = flag(&keywords.no_log, true)?;
        flag(&keywords.run_once, false)?;
        let is_skipped = |item: &ItemRun| matches!(item.ended, Some(Ended::Skipped(_)));
        if !prepared.items.iter().all(is_skipped) && prepared.trouble.is_none() {
            prepared.trouble = wrong;
        }
        if prepared.trouble.is_some() {
            prepared.items.clear();
        }
        // One message to one agent can hold only calls for one identity.
        let is_uniform = |items: &[ItemRun]| {
            let mut all = items.iter().filter_map(|item| Some((&item.call.as_ref()?.1, &item.delegate)));
            let first = all.next();
            all.all(|other| Some(other) == first)
        };
        let repeat = step.repeat.as_ref();
        let one_by_one = !keywords.until.is_empty()
            || repeat.is_some_and(|repeat| repeat.pause.is_some() || !repeat.break_when.is_empty())
            || prepared.items.iter().any(|item| item.wait.is_some())
            || !is_uniform(&prepared.items);
        let own = &self.walkers[host].name;
        let delegate = prepared.items.first().and_then(|item| item.delegate.clone()).filter(|name| name != own);
        let info = TaskInfo {
            position: position.clone(),
            name: task_name(&bench, step),
            role: step.role.clone(),
            module: match &step.work {
                Work::Call { spec, .. } => spec.name.to_owned(),
                Work::IncludeRole { .. } => "include_role".to_owned(),
                _ => "include_tasks".to_owned(),
            },
            span: step.span,
            is_handler: self.walkers[host].cursor.in_handlers(),
        };
        Ok(Flight {
            position: position.clone(),
            step: step.clone(),
            info: Arc::new(info),
            resume: self.walkers[host].cursor.clone(),
            items: prepared.items,
            is_loop: prepared.is_loop,
            trouble: prepared.trouble,
            session: None,
            delegate,
            lane: 0,
            one_by_one,
            pending: VecDeque::new(),
            fence: false,
            done: true,
            ignore_errors,
            is_fatal,
            is_shared: false,
            ignore_unreachable,
            no_log,
            delegate_facts,
        })
    }

    /// Sends a flight's calls, all of them or the first.
    pub fn send(&mut self, host: usize, flight: &mut Flight) {
        let waits = flight.pending.front().and_then(|index| flight.items[*index].wait.clone());
        if let Some(wait) = waits {
            return self.hold(host, &flight.position, wait);
        }
        let Some(session) = self.session_of(host, flight) else { return };
        let count = if flight.one_by_one { 1 } else { flight.pending.len() };
        let mut calls = Vec::with_capacity(count);
        let mut identity = None;
        for index in flight.pending.iter().take(count) {
            let item = &mut flight.items[*index];
            item.attempts += 1;
            if let Some((call, who)) = &item.call {
                calls.push(call.clone());
                identity = who.clone();
            }
        }
        let keywords = &flight.step.keywords;
        let go_on = flight.ignore_errors
            || flight.one_by_one
            || !keywords.failed_when.is_empty()
            || self.run.options.mode == Mode::Plan;
        let step = protocol::Step { position: flight.position.clone(), lane: flight.lane, identity, calls, go_on };
        self.run.sessions[session].send(ToAgent::Step(step));
        if flight.delegate.is_some() {
            // It is this host's turn, so the delegate may act.
            self.run.sessions[session].allow(&flight.position);
        }
    }

    /// The session that the next calls of a flight go to. Where there is none they have ended.
    fn session_of(&mut self, host: usize, flight: &mut Flight) -> Option<SessionId> {
        let first = *flight.pending.front()?;
        let own = self.walkers[host].name.clone();
        let delegate = flight.items[first].delegate.clone().filter(|delegate| *delegate != own);
        let lane = self.walkers[host].lane;
        flight.lane = if delegate.is_some() { 1 + host as u32 + lane } else { lane };
        match self.run.session(delegate.as_ref().unwrap_or(&own), &flight.step.keywords) {
            Ok(session) => {
                self.walkers[host].is_here |= delegate.is_none() && self.run.sessions[session].is_local;
                flight.session = Some(session);
                flight.delegate = delegate;
                Some(session)
            }
            Err(ended) => {
                flight.answer_rest(&ended);
                flight.pending.clear();
                (flight.done, flight.fence) = (true, true);
                None
            }
        }
    }

    /// One item of a flight that goes one by one was answered: tries it again, goes on to the next, or is through.
    pub fn next_item(&mut self, host: usize, index: usize) {
        let flight = &self.walkers[host].flights[index];
        let Some(current) = flight.pending.front().copied() else {
            self.walkers[host].flights[index].done = true;
            return;
        };
        if self.keep_part(host, index, current) {
            return;
        }
        let flight = &self.walkers[host].flights[index];
        let step = flight.step.clone();
        let (layers, attempts) = (flight.items[current].layers.clone(), flight.items[current].attempts);
        let Some(ended) = flight.items[current].ended.clone() else { return };
        let Some(flight) = self.walkers[host].flights.remove(index) else { return };
        let mut verdict = self.judge(host, &flight, &layers, ended, attempts);
        let scope = self.scope_maker(host, &step, &flight.position, true);
        let (retries, delay, pause) = {
            let bench = self.run.bench(&scope);
            let scope = bench.with(&layers);
            let reader = Reader { templar: bench.templar, scope: &scope };
            let number = |node: Option<&Arc<crate::yaml::Node>>, default: f64| match reader.keyword(node) {
                Ok(Some(value)) => text_of(&value).parse().unwrap_or(default),
                _ => default,
            };
            let retries = number(step.keywords.retries.as_ref(), 3.0);
            let delay = number(step.keywords.delay.as_ref(), 5.0);
            (retries, delay, number(step.repeat.as_ref().and_then(|repeat| repeat.pause.as_ref()), 0.0))
        };
        let mut flight = flight;
        // `retries: 3` means three tries after the first one, as since Ansible 2.16's documentation: attempts count all.
        let tries_left = f64::from(attempts) < retries.max(1.0);
        let wait = if verdict.again && tries_left && verdict.status != crate::event::Status::Unreachable {
            flight.items[current].ended = None;
            Some(delay)
        } else {
            if verdict.again {
                verdict.status = crate::event::Status::Failed;
                verdict.values.insert("failed".into(), true.into());
                if !verdict.values.contains_key("msg") {
                    verdict.values.insert("msg".into(), "`until` did not become true".into());
                }
                verdict.cause = verdict.cause.or_else(|| step.keywords.until.first().map(|node| node.span));
            }
            let stop = self.breaks(host, &flight, &layers, &verdict);
            flight.items[current].verdict = Some(verdict);
            flight.pending.pop_front();
            if stop {
                let rest: Vec<usize> = flight.pending.drain(..).collect();
                let last = rest.first().copied().unwrap_or(flight.items.len());
                flight.items.truncate(last);
            }
            (!flight.pending.is_empty()).then_some(pause)
        };
        flight.done = wait.is_none();
        let position = flight.position.clone();
        self.walkers[host].flights.insert(index, flight);
        match wait {
            None => {}
            Some(seconds) if seconds > 0.0 => self.later(host, position, seconds, None),
            Some(_) => self.resend(host, index),
        }
    }

    /// Whether `break_when` ends the loop here.
    fn breaks(&mut self, host: usize, flight: &Flight, layers: &[Arc<Layer>], verdict: &super::judge::Verdict) -> bool {
        let Some(repeat) = flight.step.repeat.as_ref().filter(|repeat| !repeat.break_when.is_empty()) else {
            return false;
        };
        let mut layers = layers.to_vec();
        if let Some(name) = &flight.step.keywords.register {
            let values = indexmap::IndexMap::from([(name.clone(), data(Value::Map(verdict.values.clone())))]);
            layers.push(Arc::new(layer(Level::Magic, "the result", values)));
        }
        let scope = self.scope_maker(host, &flight.step, &flight.position, true);
        let bench = self.run.bench(&scope);
        let scope = bench.with(&layers);
        repeat.break_when.iter().all(|condition| bench.templar.condition(condition, &scope).unwrap_or(false))
    }

    /// Sends the current item of a flight (again).
    pub fn resend(&mut self, host: usize, index: usize) {
        if let Some(mut flight) = self.walkers[host].flights.remove(index) {
            self.send(host, &mut flight);
            self.walkers[host].flights.insert(index, flight);
        }
    }

    /// Comes back to a flight after a while, with an answer or to send it again.
    fn later(&self, host: usize, position: Position, seconds: f64, result: Option<Ended>) {
        let tick = Tick { host: self.walkers[host].name.clone(), position, result };
        let clock = self.run.clock.clone();
        tokio::task::spawn_local(async move {
            tokio::time::sleep(Duration::from_secs_f64(seconds.clamp(0.0, 1e9))).await;
            let _ = clock.send(tick);
        });
    }

    /// Carries out `meta`, which decides where a host goes from there. False: not yet.
    pub fn course(&mut self, host: usize, step: &Arc<Step>, position: &Position) -> bool {
        let Work::Call { args, .. } = &step.work else { return true };
        let scope = self.scope_maker(host, step, position, true);
        let rendered = {
            let bench = self.run.bench(&scope);
            let scope = bench.with(&[]);
            match bench.condition(step, &[]) {
                Ok(Some(condition)) => Err(Ended::Skipped(condition)),
                Err(error) => Err(trouble(error).unwrap_or_else(|NotYet| Ended::Skipped(String::new()))),
                Ok(None) => bench
                    .arguments(args, &scope)
                    .map_err(|error| trouble(error).unwrap_or_else(|NotYet| Ended::Skipped(String::new()))),
            }
        };
        match rendered {
            Ok(rendered) => self.meta(host, step, position, &rendered),
            // One that does not apply leaves no trace, as in Ansible.
            Err(Ended::Skipped(_)) => {
                self.walkers[host].cursor.advance();
                true
            }
            Err(ended) => self.settled(host, step, position, ended),
        }
    }

    /// Queues a step that is settled already.
    fn settled(&mut self, host: usize, step: &Arc<Step>, position: &Position, ended: Ended) -> bool {
        let item = ItemRun { ended: Some(ended), ..ItemRun::default() };
        let prepared = Prepared { items: vec![item], is_loop: false, trouble: None };
        let Ok(mut flight) = self.flight(host, step, position, prepared) else { return false };
        flight.fence = true;
        self.walkers[host].cursor.advance();
        self.walkers[host].flights.push_back(flight);
        true
    }

    fn meta(&mut self, host: usize, step: &Arc<Step>, position: &Position, args: &Map) -> bool {
        use modules::meta::Action;
        let action = match modules::meta::Args::read(args) {
            Ok(args) => args.action,
            Err(error) => {
                return self.settled(host, step, position, Ended::Failed(Box::new(Failure::from(error))));
            }
        };
        let name = self.walkers[host].name.clone();
        match action {
            Action::FlushHandlers => return self.flush(host),
            Action::Noop | Action::RefreshInventory => {}
            Action::ClearFacts => self.run.table.update(&name, |layers| layers.clear_facts()),
            Action::ClearHostErrors => {
                self.run.out.clear();
            }
            Action::EndHost => self.walkers[host].cursor.finish(),
            Action::EndBatch | Action::EndPlay => {
                for walker in &mut self.walkers {
                    walker.cursor.finish();
                }
                self.run.stop |= matches!(action, Action::EndPlay);
                return true;
            }
            Action::EndRole => {
                self.walkers[host].cursor.end_role();
                return true;
            }
            Action::ResetConnection => self.run.reset(&name),
        }
        self.walkers[host].cursor.advance();
        true
    }

    /// Waits with a step: the answer comes by itself.
    fn hold(&self, host: usize, position: &Position, wait: Wait) {
        match wait {
            Wait::Seconds(seconds, result) => {
                self.later(host, position.clone(), seconds, Some(controller::outcome(result)))
            }
            Wait::Line(result) => self.ask(host, position.clone(), result),
        }
    }

    /// Waits for a line from the operator.
    fn ask(&self, host: usize, position: Position, mut result: Map) {
        let tick = |result: Map| Tick {
            host: self.walkers[host].name.clone(),
            position: position.clone(),
            result: Some(controller::outcome(result)),
        };
        let clock = self.run.clock.clone();
        if !rustix::termios::isatty(std::io::stdin()) {
            // Nobody is there to answer, as in Ansible: it goes on.
            let _ = clock.send(tick(result));
            return;
        }
        let mut tick = tick(result.clone());
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = std::io::stdin().read_line(&mut line);
            result.insert("user_input".into(), line.trim_end_matches(['\r', '\n']).into());
            tick.result = Some(controller::outcome(result));
            let _ = clock.send(tick);
        });
    }
}

/// The task's name, rendered as far as it goes.
fn task_name(bench: &Bench, step: &Step) -> String {
    let module = match &step.work {
        Work::Call { spec, .. } => spec.name,
        Work::IncludeTasks { .. } => "include_tasks",
        Work::IncludeRole { .. } => "include_role",
        _ => "meta",
    };
    match &step.name {
        None => module.to_owned(),
        Some(node) => match bench.templar.render(node, &bench.with(&[])) {
            Ok(value) => text_of(&value),
            Err(_) => prepare::written(node),
        },
    }
}
