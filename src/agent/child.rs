//! A child agent: this same program as another user, spoken to over its pipes with the same frames.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::process::ChildStdin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::escalation::{self, Started};
use super::hub::Hub;
use super::routes::Asker;
use crate::change::perform::Leave;
use crate::failure::Failure;
use crate::protocol::{Become, FromAgent, Outcome, Position, Step, ToAgent, encode, read_frame};
use crate::system::System;

/// A child agent.
pub struct Child {
    input: Mutex<Option<ChildStdin>>,
    /// Who waits for answers, by lane.
    lanes: Mutex<HashMap<u32, Sender<FromAgent>>>,
    ended: AtomicBool,
    /// The last that it said on standard error.
    said: Arc<Mutex<VecDeque<u8>>>,
}

impl Child {
    /// Sends a frame; a child that has ended is noticed by its reader.
    pub fn send(&self, message: &ToAgent) {
        let Ok(frame) = encode(message) else { return };
        if let Some(input) = &mut *self.input.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = input.write_all(&frame);
        }
    }

    /// Tells it that nothing more will come.
    pub fn end(&self) {
        self.input.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Whether it runs no more.
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    fn listen(&self, lane: u32) -> std::sync::mpsc::Receiver<FromAgent> {
        let (sender, answers) = channel();
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.has_ended() {
            lanes.insert(lane, sender);
        }
        answers
    }

    fn last_words(&self) -> String {
        let said: Vec<u8> = self.said.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        String::from_utf8_lossy(&said).trim().to_owned()
    }
}

impl Asker for Child {
    fn deliver(&self, hash: [u8; 32], data: Vec<u8>) {
        self.send(&ToAgent::Piece { hash, data });
    }

    fn refuse(&self, hash: [u8; 32], why: String) {
        self.send(&ToAgent::NoContent { hash, why });
    }
}

/// Has a child carry out a step and passes its answers on; whether a call failed.
pub fn forward(hub: &Hub, child: &Child, step: &Step) -> bool {
    let (lane, position) = (step.lane, &step.position);
    let answers = child.listen(lane);
    if hub.lock().grant(lane) {
        child.send(&ToAgent::Watermark(position.clone()));
    }
    child.send(&ToAgent::Step(for_child(hub, step)));
    let (mut failed, mut index) = (false, 0);
    while let Ok(answer) = answers.recv() {
        match answer {
            FromAgent::Done { dropped, .. } => {
                if dropped {
                    // Its lane was closed; this agent sees to the order itself.
                    child.send(&ToAgent::Cancel { lane, from: Position::end() });
                }
                return failed;
            }
            FromAgent::Waiting { .. } => match hub.ask(lane, position) {
                Leave::Now | Leave::AfterAWait => child.send(&ToAgent::Watermark(position.clone())),
                Leave::Never => {
                    child.send(&ToAgent::Cancel { lane, from: position.clone() });
                    return failed;
                }
            },
            answer => {
                match &answer {
                    FromAgent::Outcome { outcome, .. } => {
                        failed |= outcome.failure.is_some();
                        index += 1;
                    }
                    FromAgent::NoIdentity { .. } => failed = true,
                    _ => {}
                }
                if !hub.lock().is_cancelled(lane) {
                    hub.answer(answer);
                }
            }
        }
    }
    let why = match child.last_words() {
        words if words.is_empty() => "the agent that ran as the other user has ended".to_owned(),
        words => format!("the agent that ran as the other user has ended: {words}"),
    };
    for index in index..step.calls.len() as u32 {
        let outcome = Box::new(Outcome::failed(Failure::new(why.clone()), false));
        hub.answer(FromAgent::Outcome { position: position.clone(), lane, index, outcome });
    }
    true
}

/// Has a child repeat steps that were planned here, so that its machine is as this one's. Their answers are known.
pub fn repeat(hub: &Hub, child: &Child, steps: Vec<Step>) {
    let lane = u32::MAX;
    for step in steps {
        let answers = child.listen(lane);
        child.send(&ToAgent::Step(Step { lane, go_on: true, ..for_child(hub, &step) }));
        while answers.recv().is_ok_and(|answer| !matches!(answer, FromAgent::Done { .. })) {}
    }
}

/// A step as a child gets it: who it is for is said outright, and the password stays here.
fn for_child(hub: &Hub, step: &Step) -> Step {
    let own = || Become {
        method: "sudo".to_owned(),
        user: hub.local.identity().name,
        exe: None,
        flags: None,
        password: None,
    };
    let identity = step.identity.clone().unwrap_or_else(own);
    Step { identity: Some(Become { password: None, ..identity }), ..step.clone() }
}

/// Starts a child agent. The error says why it cannot be, for the user.
pub fn start(hub: &Hub, identity: &Become) -> Result<Arc<Child>, String> {
    let (process, output) = escalation::start(identity)?;
    let said = Arc::new(Mutex::new(VecDeque::new()));
    let Started { input, errors, mut process, terminal } = process;
    let child = Arc::new(Child {
        input: Mutex::new(Some(input)),
        lanes: Mutex::default(),
        ended: AtomicBool::new(false),
        said: said.clone(),
    });
    std::thread::spawn(move || keep_last_words(File::from(errors), &said));
    let (reader, answers, routes) = (child.clone(), hub.answers.clone(), hub.routes.clone());
    std::thread::spawn(move || {
        let mut output = BufReader::new(output);
        while let Ok(Some(message)) = read_frame::<FromAgent>(&mut output) {
            let lane = match &message {
                FromAgent::Want { hash, offset, length } => {
                    let asker: Weak<dyn Asker> = Arc::<Child>::downgrade(&reader);
                    routes.want(&answers, asker, *hash, *offset, *length);
                    continue;
                }
                FromAgent::Hello(_) | FromAgent::Pong(_) => continue,
                FromAgent::Outcome { lane, .. }
                | FromAgent::Done { lane, .. }
                | FromAgent::Waiting { lane, .. }
                | FromAgent::NoIdentity { lane, .. }
                | FromAgent::Live { lane, .. } => *lane,
            };
            if let Some(sender) = reader.lanes.lock().unwrap_or_else(PoisonError::into_inner).get(&lane) {
                let _ = sender.send(message);
            }
        }
        let _ = process.wait();
        let mut lanes = reader.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        reader.ended.store(true, Ordering::Relaxed);
        lanes.clear();
        drop(terminal);
    });
    child.send(&ToAgent::Start { mode: hub.mode, watermark: Position::default() });
    Ok(child)
}

fn keep_last_words(mut errors: File, said: &Mutex<VecDeque<u8>>) {
    let mut buffer = [0; 1024];
    while let Ok(got @ 1..) = errors.read(&mut buffer) {
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend(&buffer[..got]);
        let surplus = said.len().saturating_sub(2048);
        said.drain(..surplus);
    }
}
