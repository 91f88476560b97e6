//! How frames reach a host: a channel over SSH or a local process, with the agent at its other end.

pub mod blobs;
pub mod bootstrap;
pub mod local;
pub mod session;
pub mod ssh;

use std::path::PathBuf;
use std::rc::Rc;

use tokio::sync::{mpsc, oneshot};

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

/// The real thing: SSH and local processes. All frames move on a thread of their own, so that an agent hears from us in
/// time whatever the runner is busy with.
pub struct Connector {
    orders: mpsc::UnboundedSender<Order>,
    /// How hosts are held, if they are.
    pub lock: Option<Lock>,
}

/// How hosts are held, so that two runs do not change one at the same time.
#[derive(Clone, Debug)]
pub struct Lock {
    /// Wait so many seconds for another run.
    pub patience: u64,
    /// Tells this run from others.
    pub run: String,
    /// Who asks.
    pub who: String,
    /// The machine that we run on ourselves is held too.
    pub here: bool,
}

/// What the thread is told.
enum Order {
    Connect { id: SessionId, target: Box<Target>, outbox: session::Outbox, inbox: Inbox },
    Close(oneshot::Sender<()>),
}

/// What the thread has.
struct Network {
    /// Contents that agents may ask for.
    blobs: Blobs,
    /// Agents for other machine types.
    agents: bootstrap::Agents,
    /// At most so many connections are being opened at once (sshd's MaxStartups).
    opening: Rc<tokio::sync::Semaphore>,
    running: tokio::task::JoinSet<()>,
}

impl Connector {
    /// `blobs`: contents that agents may ask for; `agents`: for other machine types; `opening`: how many connections may
    /// be in the making at the same time.
    pub fn new(blobs: Blobs, agents: bootstrap::Agents, opening: usize) -> std::io::Result<Self> {
        let (orders, queue) = mpsc::unbounded_channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("network".to_owned()).spawn(move || {
            let opening = Rc::new(tokio::sync::Semaphore::new(opening));
            let network = Network { blobs, agents, opening, running: Default::default() };
            tokio::task::LocalSet::new().block_on(&runtime, network.serve(queue));
        })?;
        Ok(Connector { orders, lock: None })
    }
}

impl Network {
    async fn serve(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        while let Some(order) = orders.recv().await {
            match order {
                Order::Connect { id, target, outbox, inbox } => self.connect(id, *target, outbox, inbox),
                Order::Close(done) => {
                    while self.running.join_next().await.is_some() {}
                    let _ = done.send(());
                }
            }
        }
    }

    fn connect(&mut self, id: SessionId, target: Target, mut outbox: session::Outbox, inbox: Inbox) {
        let (blobs, agents, opening) = (self.blobs.clone(), self.agents.clone(), self.opening.clone());
        self.running.spawn_local(async move {
            let ended = if target.local {
                local::run(id, &mut outbox, &inbox, blobs).await
            } else {
                ssh::run(id, &target, &mut outbox, &inbox, blobs, agents, &opening).await
            };
            let why = ended.err().unwrap_or_else(|| "the connection was closed".to_owned());
            let _ = inbox.send((id, Incoming::Gone(why)));
        });
    }
}

impl Connect for Connector {
    fn connect(&self, id: SessionId, target: &Target, first: ToAgent, inbox: Inbox) -> Agent {
        let (agent, outbox) = session::channel();
        agent.send(first);
        if let Some(Lock { patience, run, who, .. }) = self.lock.clone().filter(|lock| lock.here || !target.local) {
            agent.send(ToAgent::Lock { patience, run, who });
        }
        // The thread lasts as long as this end of the queue.
        let _ = self.orders.send(Order::Connect { id, target: Box::new(target.clone()), outbox, inbox });
        agent
    }

    fn close(&self) -> std::pin::Pin<Box<dyn std::future::Future<Output = ()> + '_>> {
        let (done, closed) = oneshot::channel();
        let _ = self.orders.send(Order::Close(done));
        Box::pin(async move { drop(closed.await) })
    }
}
