//! Calls are sent to agents: whole steps, or one item after the other.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::batch::Batch;
use super::connection::{Reader, text_of};
use super::flags::Flags;
use super::judge::{Attempts, Verdict};
use super::prepare::{Bench, NotYet, Prepared, Wait};
use super::scheduler::{Running, RunningId};
use super::scope::{data, layer};
use super::task_run::{Ended, ItemRun, TaskRun};
use super::{Tick, prepare};
use crate::event::{Event, TaskInfo};
use crate::module::Things;
use crate::protocol::{self, Mode, Position, ToAgent};
use crate::steps::{Step, Work};
use crate::template::{Reading, RenderError, Scope};
use crate::transport::SessionId;
use crate::value::Value;
use crate::vars::{Layer, Level};

impl Batch<'_> {
    /// Prepares a step for a host.
    pub fn prepare(&mut self, host: usize, step: &Arc<Step>, position: &Position) -> Result<Prepared, NotYet> {
        let scope = self.scope_maker(host, step, position, false);
        if !self.may_ask(host, step, position, &scope(&[])) {
            return Err(NotYet);
        }
        // What is asked of the world is asked once, however often the step has to wait.
        let memo = self.memos.entry((host, position.clone())).or_default().clone();
        memo.rewind();
        let templar = self.run.templar.remembering(&memo);
        let prepared = Bench { templar: &templar, ..self.run.bench(&scope) }.prepare(step)?;
        self.memos.remove(&(host, position.clone()));
        Ok(prepared)
    }

    /// Whether what the templates of a step look at outside of variables (files of the controller, the world) is settled.
    fn may_ask(&self, host: usize, step: &Step, position: &Position, scope: &dyn Scope) -> bool {
        let open = self.scheduler.unsettled(host, position, Things::FILES.and(Things::WORLD));
        if open == Things::NONE {
            return true;
        }
        let templar = &self.run.templar;
        let conditions = step.when.iter().map(|node| (node, Reading::Condition));
        let args = match &step.work {
            Work::Call { args, .. } => Some((args, Reading::Text)),
            _ => None,
        };
        let repeat = step.repeat.as_ref().map(|repeat| (&repeat.over, Reading::Text));
        let keywords = step.keywords.templates().map(|(_, node)| (node, Reading::Text));
        let asks = conditions.chain(args).chain(repeat).chain(keywords);
        let asks = asks.map(|(node, reading)| templar.needs_in(node, reading, scope).asks);
        let of_loop = step.repeat.iter().map(|repeat| templar.asks_of_lookup(&repeat.kind));
        asks.chain(of_loop)
            .all(|asks| !(asks.files && open.meets(Things::FILES) || asks.world && open.meets(Things::WORLD)))
    }

    /// Whether a step is done once for all. Where that cannot be told the step fails, see [`Flags`].
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

    /// A prepared step as it will be under way.
    pub fn task_run(
        &mut self,
        host: usize,
        step: &Arc<Step>,
        position: &Position,
        mut prepared: Prepared,
    ) -> Result<Running<TaskRun>, NotYet> {
        let scope = self.scope_maker(host, step, position, false);
        let bench = self.run.bench(&scope);
        let first_layers = prepared.items.first().map(|item| item.layers.clone()).unwrap_or_default();
        let scope = bench.with(&first_layers);
        let reader = Reader { templar: bench.templar, scope: &scope };
        let flags = Flags::of(&reader, &step.keywords)?;
        prepared.stop_at(flags.trouble);
        let state = &self.scheduler.hosts[host];
        let delegate = prepared.items.first().and_then(|item| item.delegate.clone());
        let info = TaskInfo {
            position: position.clone(),
            name: task_name(&bench, step),
            role: step.role.clone(),
            module: step.work.module(),
            span: step.span,
            is_handler: state.cursor.in_handlers(),
        };
        let work = TaskRun {
            info: Arc::new(info),
            one_by_one: goes_one_by_one(step, &prepared.items),
            items: prepared.items,
            is_loop: prepared.is_loop,
            trouble: prepared.trouble,
            delegate: delegate.filter(|name| *name != state.name),
            pending: VecDeque::new(),
            done: true,
            ignore_errors: flags.ignore_errors,
            is_fatal: flags.any_errors_fatal,
            is_shared: false,
            is_once: false,
            ignore_unreachable: flags.ignore_unreachable,
            no_log: flags.no_log,
            delegate_facts: flags.delegate_facts,
        };
        let (position, step, resume) = (position.clone(), step.clone(), state.cursor.clone());
        self.run.last_id += 1;
        let id = RunningId(self.run.last_id);
        let lane = state.lane;
        let is_delegated = work.delegate.is_some();
        let throttle = flags.throttle;
        let (session, fence, ready) = (None, false, false);
        Ok(Running { id, position, step, resume, session, lane, is_delegated, fence, throttle, ready, work })
    }

    /// Queues a step that is settled already.
    pub fn settled(&mut self, host: usize, step: &Arc<Step>, position: &Position, ended: Ended) -> bool {
        let item = ItemRun { ended: Some(ended), ..ItemRun::default() };
        let prepared = Prepared { items: vec![item], is_loop: false, trouble: None };
        let Ok(mut running) = self.task_run(host, step, position, prepared) else { return false };
        running.fence = true;
        self.scheduler.hosts[host].cursor.advance();
        self.launch(host, running);
        true
    }

    /// Sends the calls of a step, all of them or the first.
    pub fn send(&mut self, host: usize, running: &mut Running<TaskRun>) {
        let first = running.pending.front().copied().unwrap_or_default();
        if let Some(wait) = running.items.get(first).and_then(|item| item.wait.clone()) {
            running.items[first].attempts += 1;
            return self.hold(running.id, wait);
        }
        let Some(session) = self.session_of(host, running) else { return };
        let (identity, calls) = next_calls(running);
        let go_on = running.ignore_errors
            || running.one_by_one
            || !running.step.keywords.failed_when.is_empty()
            || self.run.options.mode == Mode::Plan;
        let step = protocol::Step { position: running.position.clone(), lane: running.lane, identity, calls, go_on };
        self.sent.insert((session, running.lane, running.position.clone()), running.id);
        self.run.sessions[session].send(ToAgent::Step(step));
        if running.is_delegated {
            // It is this host's turn, so the delegate may act.
            self.run.sessions[session].allow(&running.position);
        }
    }

    /// The session that the next calls of a step go to. Where there is none they have ended.
    fn session_of(&mut self, host: usize, running: &mut Running<TaskRun>) -> Option<SessionId> {
        let first = *running.pending.front()?;
        let own = self.scheduler.hosts[host].name.clone();
        let delegate = running.items[first].delegate.clone().filter(|delegate| *delegate != own);
        let lane = self.scheduler.hosts[host].lane;
        running.lane = if delegate.is_some() { 1 + host as u32 + lane } else { lane };
        match self.run.session(delegate.as_ref().unwrap_or(&own), &running.step.keywords) {
            Ok(session) => {
                if delegate.is_none() && self.run.sessions[session].is_local {
                    self.scheduler.is_here(host);
                }
                running.session = Some(session);
                running.is_delegated = delegate.is_some();
                running.delegate = delegate;
                Some(session)
            }
            Err(ended) => {
                running.answer_rest(&ended);
                running.pending.clear();
                running.done = true;
                running.fence = true;
                None
            }
        }
    }

    /// One item of a step that goes one by one was answered: tries it again, goes on to the next, or is through.
    pub fn next_item(&mut self, id: RunningId) {
        let Some((host, place)) = self.scheduler.find(id) else { return };
        let running = &mut self.scheduler.hosts[host].running[place];
        let Some(current) = running.pending.front().copied() else {
            running.done = true;
            return;
        };
        if self.keep_part(id, current) {
            return;
        }
        let Some(mut running) = self.scheduler.hosts[host].running.remove(place) else { return };
        let wait = self.judge_item(host, &mut running, current);
        running.done = wait.is_none();
        self.scheduler.hosts[host].running.insert(place, running);
        match wait {
            None => {}
            Some(seconds) if seconds > 0.0 => self.later(Tick { id, result: None, timed: false }, seconds),
            Some(_) => self.resend(id),
        }
    }

    /// Judges an item that was answered; after how many seconds it, or the next one, is to be sent.
    fn judge_item(&mut self, host: usize, running: &mut Running<TaskRun>, current: usize) -> Option<f64> {
        let step = running.step.clone();
        let (layers, attempts) = (running.items[current].layers.clone(), running.items[current].attempts);
        let ended = running.items[current].ended.clone()?;
        let verdict = self.judge(host, running, &layers, ended, attempts);
        let scope = self.scope_maker(host, &step, &running.position, true);
        let bench = self.run.bench(&scope);
        if verdict.again {
            running.items[current].ended = None;
            return Some(Attempts::of(&bench, &step, &layers).map_or(0.0, |attempts| attempts.delay));
        }
        let scope = bench.with(&layers);
        let reader = Reader { templar: bench.templar, scope: &scope };
        let pause = step.repeat.as_ref().and_then(|repeat| repeat.pause.as_ref());
        let pause = reader.typed::<f64>(pause).ok().flatten().unwrap_or(0.0);
        running.pending.pop_front();
        if self.breaks(host, running, &layers, &verdict) {
            let last = running.pending.front().copied().unwrap_or(running.items.len());
            running.pending.clear();
            running.items.truncate(last);
        }
        running.items[current].verdict = Some(verdict);
        (!running.pending.is_empty()).then_some(pause)
    }

    /// Whether `break_when` ends the loop here.
    fn breaks(&self, host: usize, running: &Running<TaskRun>, layers: &[Arc<Layer>], verdict: &Verdict) -> bool {
        let Some(repeat) = running.step.repeat.as_ref().filter(|repeat| !repeat.break_when.is_empty()) else {
            return false;
        };
        let mut layers = layers.to_vec();
        if let Some(name) = &running.step.keywords.register {
            let values = indexmap::IndexMap::from([(name.clone(), data(Value::Map(verdict.values.clone())))]);
            layers.push(Arc::new(layer(Level::Magic, "the result", values)));
        }
        let scope = self.scope_maker(host, &running.step, &running.position, true);
        let bench = self.run.bench(&scope);
        let scope = bench.with(&layers);
        repeat.break_when.iter().all(|condition| bench.templar.condition(condition, &scope).unwrap_or(false))
    }

    /// Sends the current item of a step (again).
    pub fn resend(&mut self, id: RunningId) {
        let Some((host, place)) = self.scheduler.find(id) else { return };
        if let Some(mut running) = self.scheduler.hosts[host].running.remove(place) {
            self.send(host, &mut running);
            self.scheduler.hosts[host].running.insert(place, running);
            self.check_ready(id);
        }
    }

    /// Comes back to a step after a while, with an answer or to send it again.
    fn later(&self, tick: Tick, seconds: f64) {
        let clock = self.run.clock.clone();
        tokio::task::spawn_local(async move {
            tokio::time::sleep(Duration::from_secs_f64(seconds.clamp(0.0, 1e9))).await;
            let _ = clock.send(tick);
        });
    }

    /// Waits with a step: the answer comes by itself.
    fn hold(&mut self, id: RunningId, mut wait: Wait) {
        if wait.timed {
            wait.result.note_moment("start");
        }
        if let Some(prompt) = wait.prompt {
            self.run.emit(Event::Warning(prompt));
        }
        let tick = Tick { id, result: Some(wait.result), timed: wait.timed };
        match wait.seconds {
            Some(seconds) => self.later(tick, seconds),
            None => self.ask(tick, wait.echo),
        }
    }

    /// Waits for a line from the operator.
    fn ask(&self, mut tick: Tick, echo: bool) {
        let clock = self.run.clock.clone();
        if !rustix::termios::isatty(std::io::stdin()) {
            // Nobody is there to answer, as in Ansible: it goes on.
            let _ = clock.send(tick);
            return;
        }
        std::thread::spawn(move || {
            let mut line = String::new();
            let _hidden = (!echo).then(Hidden::new);
            let _ = std::io::stdin().read_line(&mut line);
            if let Some(Ended::Outcome(outcome)) = &mut tick.result {
                outcome.values.insert("user_input".into(), line.trim_end_matches(['\r', '\n']).into());
            }
            let _ = clock.send(tick);
        });
    }
}

/// What is typed is not shown while this lives.
struct Hidden(Option<rustix::termios::Termios>);

impl Hidden {
    fn new() -> Self {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(std::io::stdin()).ok();
        if let Some(mut quiet) = before.clone() {
            quiet.local_modes.remove(LocalModes::ECHO);
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &quiet);
        }
        Hidden(before)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = rustix::termios::tcsetattr(std::io::stdin(), rustix::termios::OptionalActions::Now, before);
        }
    }
}

/// Whether items are sent one after another, each when the one before has been judged.
fn goes_one_by_one(step: &Step, items: &[ItemRun]) -> bool {
    // One message to one agent can hold only calls for one identity.
    let mut whom = items.iter().filter_map(|item| Some((&item.call.as_ref()?.1, &item.delegate)));
    let first = whom.next();
    prepare::is_stepwise(step)
        || items.iter().any(|item| item.wait.is_some())
        || !whom.all(|other| Some(other) == first)
}

/// The calls to be sent now, and whom the agent becomes for them.
fn next_calls(running: &mut Running<TaskRun>) -> (Option<protocol::Become>, Vec<protocol::Call>) {
    let TaskRun { pending, items, one_by_one, .. } = &mut running.work;
    let count = if *one_by_one { 1 } else { pending.len() };
    let mut calls = Vec::with_capacity(count);
    let mut identity = None;
    for index in pending.iter().take(count) {
        let item = &mut items[*index];
        item.attempts += 1;
        if let Some((call, who)) = &item.call {
            calls.push(call.clone());
            identity.clone_from(who);
        }
    }
    (identity, calls)
}

/// The task's name, rendered as far as it goes.
fn task_name(bench: &Bench, step: &Step) -> String {
    match &step.name {
        None => step.work.module(),
        Some(node) => match bench.templar.render(node, &bench.with(&[])) {
            Ok(value) => text_of(&value),
            Err(_) => prepare::written(node),
        },
    }
}
