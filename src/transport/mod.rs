//! How frames reach a host: a channel over SSH or a local process, with the agent at its other end.

pub mod blobs;
pub mod bootstrap;
pub mod local;
pub mod session;
pub mod ssh;

use std::path::PathBuf;
use std::rc::Rc;

use crate::protocol::{FromAgent, ToAgent};
pub use blobs::Blobs;
pub use session::Agent;

/// How to reach a host: what its connection variables and the command line come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Target {
    /// A process on this machine instead of SSH (`ansible_connection: local`).
    pub local: bool,
    /// The address or alias for `ssh`.
    pub address: String,
    /// The port, if not ssh's own choice.
    pub port: Option<u16>,
    /// The login user, if not ssh's own choice.
    pub user: Option<String>,
    /// The only key to use.
    pub key: Option<PathBuf>,
    /// The password for the login.
    pub password: Option<String>,
    /// Further words for `ssh`, split as a shell would (`ansible_ssh_common_args`, `ansible_ssh_extra_args`).
    pub arguments: Vec<String>,
    /// Host keys are checked: strictly, unless the inventory says `false`.
    pub check_host_key: bool,
    /// Give up connecting after this many seconds.
    pub timeout: u64,
}

/// What comes in from a session.
#[derive(Debug)]
pub enum Incoming {
    /// A message of the agent.
    Message(FromAgent),
    /// The session ended, or never began; nothing more will come. The reason is for the user.
    Gone(String),
}

/// Names a session to its receiver.
pub type SessionId = usize;

/// Where sessions deliver what comes in.
pub type Inbox = tokio::sync::mpsc::UnboundedSender<(SessionId, Incoming)>;

/// Opens sessions. The runner knows only this, so that its tests can bring agents of their own.
pub trait Connect {
    /// Begins to open a session and returns at once: messages may be sent before the host has answered.
    /// `first` is sent ahead of everything.
    fn connect(&self, id: SessionId, target: &Target, first: ToAgent, inbox: Inbox) -> Agent;

    /// Waits until all sessions have ended in good order, after their agents were dropped.
    fn close(&self) -> std::pin::Pin<Box<dyn std::future::Future<Output = ()> + '_>>;
}

/// The real thing: SSH and local processes.
pub struct Connector {
    /// Contents that agents may ask for.
    pub blobs: Blobs,
    /// Agents for other machine types.
    pub agents: bootstrap::Agents,
    /// At most so many connections are being opened at once (sshd's MaxStartups).
    opening: Rc<tokio::sync::Semaphore>,
    running: std::cell::RefCell<tokio::task::JoinSet<()>>,
}

impl Connector {
    /// `opening`: how many connections may be in the making at the same time.
    pub fn new(blobs: Blobs, agents: bootstrap::Agents, opening: usize) -> Self {
        let opening = Rc::new(tokio::sync::Semaphore::new(opening));
        Connector { blobs, agents, opening, running: Default::default() }
    }
}

impl Connect for Connector {
    fn connect(&self, id: SessionId, target: &Target, first: ToAgent, inbox: Inbox) -> Agent {
        let (agent, mut outbox) = session::channel();
        agent.send(first);
        let target = target.clone();
        let (blobs, agents, opening) = (self.blobs.clone(), self.agents.clone(), self.opening.clone());
        self.running.borrow_mut().spawn_local(async move {
            let ended = if target.local {
                local::run(id, &mut outbox, &inbox, blobs).await
            } else {
                ssh::run(id, &target, &mut outbox, &inbox, blobs, agents, &opening).await
            };
            let why = ended.err().unwrap_or_else(|| "the connection was closed".to_owned());
            let _ = inbox.send((id, Incoming::Gone(why)));
        });
        agent
    }

    fn close(&self) -> std::pin::Pin<Box<dyn std::future::Future<Output = ()> + '_>> {
        let mut running = self.running.take();
        Box::pin(async move { while running.join_next().await.is_some() {} })
    }
}
