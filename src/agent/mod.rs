//! The remote loop: reads frames, works through steps by position, answers.
//!
//! One thread reads and never stops, so that a watermark, a cancellation or a ping acts on arrival; one writes; one for
//! each lane works. A step for another user is carried out by a thread that has become that user (if this agent is
//! root), or by a child agent that was started through `sudo`, `su` or `doas`.

pub mod carry;
mod child;
mod contents;
mod escalation;
mod heard;
mod hold;
mod hub;
mod identity;
mod lanes;
mod routes;
mod work;

use std::io::{self, BufReader, Read, Write};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::time::Duration;

use crate::failure::Failure;
use crate::protocol::{FromAgent, Hello, Mode, Outcome, SILENCE, Step, ToAgent, encode, read_frame};
use crate::system::System;
use crate::system::local::Local;
use crate::system::predicted::Predicted;
use crate::system::process::{Running, adopt_orphans};

use contents::Contents;
use heard::{Heard, Listening};
use hold::Hold;
use hub::{Hub, send};
use identity::Identities;
use lanes::{Lanes, Next};
use routes::Routes;

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
            "--locale" => escalation::restore_locale(args.next().map_or("", String::as_str)),
            other => {
                eprintln!("wodctl agent: `{other}` is no option; this command is started by wodctl itself");
                return ExitCode::FAILURE;
            }
        }
    }
    adopt_orphans();
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

/// Serves a controller until its end of the stream. A child serves its parent, and has no children of its own.
pub fn run(input: impl Read, output: impl Write + Send + 'static, is_child: bool) -> io::Result<()> {
    let (answers, queue) = sync_channel(ANSWERS);
    std::thread::spawn(move || write_all(&queue, output));
    let running = Arc::new(Running::default());
    let routes = Arc::new(Routes::default());
    let (to, wants) = (answers.clone(), routes.clone());
    let contents = Arc::new_cyclic(|own: &Weak<Contents>| {
        let own = own.clone();
        Contents::new(Box::new(move |hash, offset, length| wants.want(&to, own.clone(), hash, offset, length)))
    });
    let local = Local::new(contents.clone(), running.clone());
    send(&answers, FromAgent::Hello(hello(&local)));

    let heard = Arc::new(Heard::default());
    let mut input = BufReader::with_capacity(BATCH, Listening::new(input, heard.clone()));
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
        hold: Hold::default(),
    });
    let identities = Arc::new(Identities::new(is_child));
    let end = |hub: &Hub, identities: &Identities| {
        hub.stop();
        identities.end();
        hub.drain();
    };
    let (watched, whom, last) = (hub.clone(), identities.clone(), heard.clone());
    std::thread::spawn(move || {
        last.wait_for_silence(SILENCE);
        // The thread that reads waits for what never comes, so the program has to end here.
        end(&watched, &whom);
        eprintln!("wodctl agent: the controller has not been heard for {} seconds", SILENCE.as_secs());
        std::process::exit(1);
    });
    let result = read_all(&hub, &identities, &heard, &mut input);
    end(&hub, &identities);
    result
}

/// Takes frames in until the end of the stream.
fn read_all(hub: &Arc<Hub>, identities: &Arc<Identities>, heard: &Heard, input: &mut impl Read) -> io::Result<()> {
    while let Some(message) = read_frame(input)? {
        match message {
            ToAgent::Start { watermark, .. } | ToAgent::Watermark(watermark) => {
                hub.lock().watermark = watermark;
                hub.moved.notify_all();
            }
            ToAgent::Step(step) => take_in(hub, identities, step),
            ToAgent::Cancel { lane, from } => {
                hub.lock().cancel(lane, &from);
                hub.moved.notify_all();
            }
            ToAgent::Piece { hash, data } => hub.routes.deliver(hash, data),
            ToAgent::NoContent { hash, why } => hub.routes.refuse(hash, why),
            ToAgent::Lock { patience, run, who } => hub.hold.want(Duration::from_secs(patience), run, who),
            ToAgent::Ping(number) => {
                heard.expect_more();
                // If so many answers wait that this one finds no room, the controller does not read anyway.
                drop(hub.answers.try_send(FromAgent::Pong(number)));
            }
        }
    }
    Ok(())
}

fn take_in(hub: &Arc<Hub>, identities: &Arc<Identities>, step: Step) {
    let lane = step.lane;
    if hub.lock().push(step) {
        let (hub, identities) = (hub.clone(), identities.clone());
        let thread = std::thread::Builder::new().name(format!("lane {lane}"));
        let spawned = thread.spawn(move || serve(&hub, &identities, lane));
        if let Err(error) = spawned {
            eprintln!("wodctl agent: cannot start a thread: {error}");
        }
    }
    hub.moved.notify_all();
}

/// Works on one lane until there is nothing left in it.
fn serve(hub: &Hub, identities: &Identities, lane: u32) {
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
        let failed = work::step(hub, identities, &step);
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
            let failure = Failure::new(format!("the result cannot be sent: {error}"));
            let outcome = Box::new(Outcome::failed(failure, outcome.changed));
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
