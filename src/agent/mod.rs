//! The remote loop: reads frames, works through steps by position, answers.
//!
//! One thread reads and never stops, so that a watermark, a cancellation or a ping acts on arrival; one writes; one for
//! each lane works. A step for another user is carried out by a thread that has become that user (if this agent is
//! root), or by a child agent that was started through `sudo`, `su` or `doas`.

pub mod carry;
mod child;
mod contents;
mod identity;
mod lanes;
mod work;

use std::collections::{HashMap, VecDeque};
use std::io::{self, BufReader, Read, Write};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use crate::change::perform::Leave;
use crate::protocol::{FromAgent, Hello, Mode, Position, Step, ToAgent, encode, read_frame};
use crate::system::System;
use crate::system::local::Local;
use crate::system::predicted::Predicted;
use crate::system::process::Running;

use child::Child;
use contents::Contents;
use identity::Identities;
use lanes::{Grant, Lanes, Next};

/// So many answers may wait to be written before work waits for the controller.
const ANSWERS: usize = 512;
/// Answers that are ready together leave in one write of about this size.
const BATCH: usize = 64 << 10;

/// The agent as a program: `agent` on the target, over its standard input and output. `args` are those behind `agent`.
pub fn main(args: &[String]) -> ExitCode {
    let mut marker: Option<String> = None;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--child" => marker = args.next().cloned(),
            "--locale" => child::restore_locale(args.next().map_or("", String::as_str)),
            other => {
                eprintln!("wodctl agent: `{other}` is no option; this command is started by wodctl itself");
                return ExitCode::FAILURE;
            }
        }
    }
    let mut output = io::stdout();
    let is_child = marker.is_some();
    let said = marker.map_or(Ok(()), |marker| writeln!(output, "{marker}").and_then(|()| output.flush()));
    match said.and_then(|()| run(io::stdin(), output, is_child)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wodctl agent: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What all threads of an agent share.
struct Hub {
    lanes: Mutex<Lanes>,
    /// Something about the lanes has changed.
    moved: Condvar,
    answers: SyncSender<FromAgent>,
    mode: Mode,
    running: Arc<Running>,
    contents: Arc<Contents>,
    routes: Arc<Routes>,
    local: Local,
    /// In plan mode: the one machine on which all planned actions have happened.
    predicted: Option<Mutex<Predicted<Local>>>,
    identities: Identities,
}

/// Serves a controller until its end of the stream. A child serves its parent, and has no children of its own.
pub fn run(input: impl Read, output: impl Write + Send + 'static, is_child: bool) -> io::Result<()> {
    let (answers, queue) = sync_channel(ANSWERS);
    std::thread::spawn(move || write_all(&queue, output));
    let running = Arc::new(Running::default());
    let routes = Arc::new(Routes::default());
    let (to, wants) = (answers.clone(), routes.clone());
    let contents = Arc::new(Contents::new(Box::new(move |hash, offset, length| {
        wants.want(&to, Whose::Own, hash, offset, length);
    })));
    let local = Local::new(contents.clone(), running.clone());
    send(&answers, FromAgent::Hello(hello(&local)));

    let mut input = BufReader::with_capacity(BATCH, input);
    let Some(ToAgent::Start { mode, watermark }) = read_frame(&mut input)? else { return Ok(()) };
    let predicted = (mode == Mode::Plan).then(|| Mutex::new(Predicted::new(local.clone())));
    let hub = Arc::new(Hub {
        lanes: Mutex::new(Lanes::new(watermark)),
        moved: Condvar::new(),
        answers,
        mode,
        running,
        contents,
        routes,
        local,
        predicted,
        identities: Identities::new(is_child),
    });
    let result = read_all(&hub, &mut input);
    hub.end();
    result
}

/// Takes frames in until the end of the stream.
fn read_all(hub: &Arc<Hub>, input: &mut impl Read) -> io::Result<()> {
    while let Some(message) = read_frame(input)? {
        match message {
            ToAgent::Start { watermark, .. } | ToAgent::Watermark(watermark) => {
                hub.lock().watermark = watermark;
                hub.moved.notify_all();
            }
            ToAgent::Step(step) => take_in(hub, step),
            ToAgent::Cancel { lane, from } => {
                hub.lock().cancel(lane, &from);
                hub.moved.notify_all();
            }
            ToAgent::Piece { hash, data } => match hub.routes.arrived(hash, data.len() as u64) {
                Some(Whose::Child(child)) => drop(child.upgrade().map(|it| it.send(&ToAgent::Piece { hash, data }))),
                _ => hub.contents.deliver(hash, data),
            },
            ToAgent::NoContent { hash, why } => match hub.routes.refused(hash) {
                Some(Whose::Child(child)) => drop(child.upgrade().map(|it| it.send(&ToAgent::NoContent { hash, why }))),
                _ => hub.contents.refuse(hash, why),
            },
            // If so many answers wait that this one finds no room, the controller does not read anyway.
            ToAgent::Ping(number) => drop(hub.answers.try_send(FromAgent::Pong(number))),
        }
    }
    Ok(())
}

fn take_in(hub: &Arc<Hub>, step: Step) {
    let lane = step.lane;
    if hub.lock().push(step) {
        let worker = hub.clone();
        let spawned = std::thread::Builder::new().name(format!("lane {lane}")).spawn(move || serve(&worker, lane));
        if let Err(error) = spawned {
            eprintln!("wodctl agent: cannot start a thread: {error}");
        }
    }
    hub.moved.notify_all();
}

/// Works on one lane until there is nothing left in it.
fn serve(hub: &Hub, lane: u32) {
    loop {
        let mut lanes = hub.lock();
        let step = loop {
            match lanes.next(lane) {
                Next::Begin(step) => break step,
                Next::Wait => lanes = hub.wait(lanes),
                Next::Leave => {
                    hub.moved.notify_all();
                    return;
                }
            }
        };
        drop(lanes);
        let failed = work::step(hub, &step);
        let dropped = failed && !step.go_on;
        let mut lanes = hub.lock();
        let cancelled = lanes.is_cancelled(lane);
        lanes.finish(lane, dropped && !cancelled);
        drop(lanes);
        if !cancelled {
            hub.answer(FromAgent::Done { position: step.position, lane, dropped });
        }
        hub.moved.notify_all();
    }
}

impl Hub {
    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, lanes: MutexGuard<'a, Lanes>) -> MutexGuard<'a, Lanes> {
        self.moved.wait(lanes).unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, message: FromAgent) {
        send(&self.answers, message);
    }

    /// Whether a lane's step may change things; waits until it may. The controller is told once that it waits.
    fn ask(&self, lane: u32, position: &Position) -> Leave {
        let mut waited = false;
        let mut lanes = self.lock();
        loop {
            match lanes.ask(lane) {
                Grant::Go if waited => return Leave::AfterAWait,
                Grant::Go => return Leave::Now,
                Grant::Never => return Leave::Never,
                Grant::Wait => {}
            }
            if !std::mem::replace(&mut waited, true) {
                // Others may go first now; and while the lock is open, leave may already have come.
                drop(lanes);
                self.moved.notify_all();
                self.answer(FromAgent::Waiting { position: position.clone(), lane });
                lanes = self.lock();
                continue;
            }
            lanes = self.wait(lanes);
        }
    }

    /// The stream has ended: what runs is ended, nothing else begins. Waits for what must not be ended half-way.
    fn end(&self) {
        self.lock().ended = true;
        self.running.stop();
        self.contents.end();
        self.moved.notify_all();
        self.identities.end();
        let mut patience = 60;
        let mut lanes = self.lock();
        while lanes.are_served() && patience > 0 {
            // A thread that hangs in the kernel (a dead network mount) is left behind.
            let waited = self.moved.wait_timeout(lanes, Duration::from_millis(500));
            lanes = waited.unwrap_or_else(PoisonError::into_inner).0;
            if !self.running.drains() {
                patience -= 1;
            }
        }
    }
}

fn send(answers: &SyncSender<FromAgent>, message: FromAgent) {
    // When the writer has ended nobody listens any more, and the reader is about to notice.
    let _ = answers.send(message);
}

/// Writes answers, as many as are ready together.
fn write_all(queue: &Receiver<FromAgent>, mut output: impl Write) {
    while let Ok(first) = queue.recv() {
        let mut bytes = frame(first);
        while bytes.len() < BATCH {
            let Ok(next) = queue.try_recv() else { break };
            bytes.extend(frame(next));
        }
        if output.write_all(&bytes).and_then(|()| output.flush()).is_err() {
            return;
        }
    }
}

/// A frame, or a failure where the outcome is too long for one.
fn frame(message: FromAgent) -> Vec<u8> {
    encode(&message).unwrap_or_else(|error| match message {
        FromAgent::Outcome { position, lane, index, outcome } => {
            let failure = crate::failure::Failure::new(format!("the result cannot be sent: {error}"));
            let outcome = Box::new(work::failed(failure, outcome.changed));
            encode(&FromAgent::Outcome { position, lane, index, outcome }).unwrap_or_default()
        }
        _ => Vec::new(),
    })
}

fn hello(local: &Local) -> Hello {
    let text = |path: &str| local.read(path.as_ref()).ok().flatten();
    let boot_id =
        text("/proc/sys/kernel/random/boot_id").map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
    let namespace = local.read_link("/proc/self/ns/mnt".as_ref());
    let identity = local.identity();
    Hello {
        boot_id: boot_id.unwrap_or_default(),
        mount_namespace: namespace.map(|path| path.display().to_string()).unwrap_or_default(),
        user: identity.name,
        home: identity.home,
        uid: identity.uid,
    }
}

/// Who asked for a content.
#[derive(Clone)]
enum Whose {
    Own,
    Child(Weak<Child>),
}

/// For whom the pieces that arrive are. Those of one content arrive in the order in which they were asked for.
#[derive(Default)]
struct Routes(Mutex<HashMap<[u8; 32], Askers>>);

/// Who asked for parts of one content, and how many bytes each is still to get.
type Askers = VecDeque<(Whose, u64)>;

impl Routes {
    fn want(&self, answers: &SyncSender<FromAgent>, whose: Whose, hash: [u8; 32], offset: u64, length: u64) {
        // The controller must hear of them in the order in which they are noted here.
        let mut routes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        routes.entry(hash).or_default().push_back((whose, length));
        send(answers, FromAgent::Want { hash, offset, length });
    }

    fn arrived(&self, hash: [u8; 32], length: u64) -> Option<Whose> {
        let mut routes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = routes.get_mut(&hash)?;
        let (whose, left) = queue.front_mut()?;
        let whose = whose.clone();
        *left = left.saturating_sub(length);
        if *left == 0 {
            queue.pop_front();
        }
        if queue.is_empty() {
            routes.remove(&hash);
        }
        Some(whose)
    }

    fn refused(&self, hash: [u8; 32]) -> Option<Whose> {
        let mut routes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let whose = routes.get_mut(&hash)?.pop_front().map(|(whose, _)| whose);
        routes.retain(|_, queue| !queue.is_empty());
        whose
    }
}
