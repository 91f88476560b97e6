//! Who carries out the steps of an identity: this process, a thread of it, or a child agent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::child::{self, Child};
use super::hub::Hub;
use crate::protocol::{Become, Mode, Step};
use crate::system::System;

/// Where the steps of an identity are carried out.
pub enum Route {
    /// Here, as this process is.
    Own,
    /// By a thread of this process that becomes this user.
    User(String),
    /// By this child agent.
    Child(Arc<Child>),
}

/// The child agents of this process, each started when a step first needs it.
#[derive(Default)]
pub struct Identities {
    children: Mutex<HashMap<Become, Starting>>,
    /// Steps whose planned changes lie on this process's own overlay: a child that takes over must repeat them.
    planned: Mutex<Vec<Step>>,
    is_child: bool,
}

/// Being started, or started, or not to be had: one attempt for each identity, since failed ones are counted against the
/// user.
type Starting = Arc<OnceLock<Result<Arc<Child>, String>>>;

impl Identities {
    /// None yet. A child agent never has any.
    pub fn new(is_child: bool) -> Self {
        Identities { is_child, ..Identities::default() }
    }

    /// Where the steps of `identity` are carried out; the error says why they cannot be.
    pub fn route(&self, hub: &Hub, identity: Option<&Become>) -> Result<Route, String> {
        let own = hub.local.identity();
        let is_own = |user: &str| user == own.name || user.parse() == Ok(own.uid);
        let Some(wanted) = identity.filter(|wanted| !is_own(&wanted.user)) else {
            // All users of a plan share one machine, which root holds where it can be had.
            let root = if hub.mode == Mode::Plan { self.root() } else { None };
            return Ok(root.map_or(Route::Own, Route::Child));
        };
        if own.uid == 0 {
            return Ok(Route::User(wanted.user.clone()));
        }
        if self.is_child {
            return Err(format!("the agent that should be {} is {}", wanted.user, own.name));
        }
        if matches!(wanted.method.as_str(), "sudo" | "doas") && !is_root(&wanted.user) {
            // Who may become root serves the others too. (The password of `su` is the other user's own.)
            let as_root = Become { user: "root".to_owned(), ..wanted.clone() };
            if let Ok(root) = self.child(hub, &as_root) {
                return Ok(Route::Child(root));
            }
        }
        self.child(hub, wanted).map(Route::Child)
    }

    /// The child agent of an identity, started if it does not run.
    fn child(&self, hub: &Hub, identity: &Become) -> Result<Arc<Child>, String> {
        let starting = {
            let mut children = self.children.lock().unwrap_or_else(PoisonError::into_inner);
            let ended = |starting: &mut Starting| {
                starting.get().is_some_and(|started| started.as_ref().is_ok_and(|child| child.has_ended()))
            };
            if children.get_mut(identity).is_some_and(ended) {
                children.remove(identity);
            }
            children.entry(identity.clone()).or_default().clone()
        };
        let start = || {
            let child = child::start(hub, identity)?;
            if hub.mode == Mode::Plan && is_root(&identity.user) {
                let planned = std::mem::take(&mut *self.planned.lock().unwrap_or_else(PoisonError::into_inner));
                child::repeat(hub, &child, planned);
            }
            Ok(child)
        };
        starting.get_or_init(start).clone()
    }

    /// The child that is root, if it runs.
    fn root(&self) -> Option<Arc<Child>> {
        let children = self.children.lock().unwrap_or_else(PoisonError::into_inner);
        let mut started = children.iter().filter_map(|(identity, child)| Some((identity, child.get()?.as_ref().ok()?)));
        started.find(|(identity, _)| is_root(&identity.user)).map(|(_, child)| child.clone())
    }

    /// A step has planned a change here.
    pub fn remember(&self, hub: &Hub, step: &Step) {
        if hub.mode == Mode::Plan && hub.local.identity().uid != 0 {
            let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
            if planned.last().is_none_or(|last| last.position != step.position || last.lane != step.lane) {
                planned.push(step.clone());
            }
        }
    }

    /// Nothing more will be asked of the children.
    pub fn end(&self) {
        let children = self.children.lock().unwrap_or_else(PoisonError::into_inner);
        for child in children.values().filter_map(|child| child.get()?.as_ref().ok()) {
            child.end();
        }
    }
}

fn is_root(user: &str) -> bool {
    matches!(user, "root" | "0")
}
