//! Connections: every frame is late by chance, in its order, and lost with its connection.

use std::cell::RefCell;
use std::rc::Rc;

use tokio::sync::mpsc;

use super::agent::Agent;
use super::book::{HOSTS, LOCALHOST};
use super::dice::Dice;
use super::machine::Machines;
use super::mistakes::{Mistake, planted};
use super::time::pass;
use wodctl::protocol::{FromAgent, ToAgent};
use wodctl::transport::session::{Outbox, channel};
use wodctl::transport::{Blobs, Connect, Inbox, Incoming, SessionId, Target};

/// The network between the controller and all hosts.
pub struct Network {
    /// The machines.
    pub machines: Rc<Machines>,
    /// Contents of the controller.
    pub blobs: Blobs,
    /// Hosts that do not answer.
    pub down: Vec<usize>,
    /// Connections that break after so many frames of the agent: host, frames.
    pub breaks: Vec<(usize, u64)>,
    /// Chance.
    pub dice: RefCell<Dice>,
}

impl Connect for Network {
    fn connect(&self, id: SessionId, target: &Target, first: ToAgent, inbox: Inbox) -> wodctl::transport::Agent {
        let (agent, outbox) = channel();
        agent.send(first);
        let host = HOSTS.iter().position(|name| *name == target.address).unwrap_or(LOCALHOST);
        let mut dice = self.dice.borrow_mut().split();
        if self.down.contains(&host) {
            tokio::task::spawn_local(async move {
                pass(dice.roll(100)).await;
                let _ = inbox.send((id, Incoming::Gone("nobody answers".to_owned())));
            });
            return agent;
        }
        let (answers, answered) = mpsc::unbounded_channel();
        let remote = Agent::new(host, self.machines.clone(), self.blobs.clone(), answers, dice.split());
        let breaks = self.breaks.iter().find(|(who, _)| *who == host).map(|(_, frames)| *frames);
        let line = Line { id, inbox, breaks };
        let (cut, is_cut) = tokio::sync::oneshot::channel();
        tokio::task::spawn_local(there(outbox, remote.clone(), dice.split(), is_cut));
        tokio::task::spawn_local(line.back(answered, remote, dice, cut));
        agent
    }

    fn close(&self) -> std::pin::Pin<Box<dyn std::future::Future<Output = ()> + '_>> {
        Box::pin(async {})
    }
}

/// How late a frame is.
async fn late(dice: &mut Dice) {
    let most = dice.pick(&[1, 1, 1, 3, 10, 100]);
    pass(dice.roll(most)).await;
}

/// The way to an agent, until either end closes.
async fn there(mut outbox: Outbox, agent: Rc<Agent>, mut dice: Dice, mut cut: tokio::sync::oneshot::Receiver<()>) {
    loop {
        let message = tokio::select! {
            biased;
            _ = &mut cut => break,
            message = outbox.recv() => message,
        };
        let Some(message) = message else { break };
        late(&mut dice).await;
        agent.hear(message);
    }
    agent.end();
}

/// The way back.
struct Line {
    id: SessionId,
    inbox: Inbox,
    breaks: Option<u64>,
}

impl Line {
    async fn back(
        self,
        mut answered: mpsc::UnboundedReceiver<FromAgent>,
        agent: Rc<Agent>,
        mut dice: Dice,
        cut: tokio::sync::oneshot::Sender<()>,
    ) {
        let (mut frames, mut held) = (0, None);
        while let Some(message) = answered.recv().await {
            late(&mut dice).await;
            frames += 1;
            if self.breaks.is_some_and(|breaks| frames > breaks) {
                let _ = cut.send(());
                agent.end();
                // What has begun there comes to its end before the controller hears of it.
                while agent.busy.get() > 0 {
                    pass(1).await;
                }
                let _ = self.inbox.send((self.id, Incoming::Gone("the connection broke".to_owned())));
                return;
            }
            let is_outcome = matches!(message, FromAgent::Outcome { .. });
            if planted(Mistake::DroppedAnswer) && is_outcome && dice.chance(10) {
                continue;
            }
            if planted(Mistake::AnswersOutOfOrder) && is_outcome && held.is_none() {
                held = Some(message);
                continue;
            }
            let _ = self.inbox.send((self.id, Incoming::Message(message)));
            if let Some(message) = held.take() {
                let _ = self.inbox.send((self.id, Incoming::Message(message)));
            }
        }
    }
}
