//! The real machine. This module, [`process`](super::process) and [`http`](super::http) are the only doors to it.
#![expect(clippy::disallowed_methods, reason = "the real machine")]

mod content;
mod credentials;
pub(super) mod door;
mod effects;
pub mod lock;
mod made;
mod programs;
mod questions;

use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

pub use self::credentials::Credentials;
use self::made::MadeHere;
use super::process::Running;
use super::{Blob, Identity, System, users};
/// Brings what lies on the controller.
pub trait Fetch: Send + Sync {
    /// The content, in pieces, as it arrives.
    fn open(&self, blob: &Blob) -> io::Result<Box<dyn Read + '_>>;

    /// These are wanted soon.
    fn ahead(&self, blobs: &[Blob]) {
        let _ = blobs;
    }
}

/// A machine without a controller: nothing can be fetched.
pub struct Nothing;

impl Fetch for Nothing {
    fn open(&self, _: &Blob) -> io::Result<Box<dyn Read + '_>> {
        Err(io::Error::new(ErrorKind::Unsupported, "there is no controller to fetch it from"))
    }
}

/// The machine that this process runs on.
#[derive(Clone)]
pub struct Local {
    identity: Identity,
    fetch: Arc<dyn Fetch>,
    running: Arc<Running>,
    /// Set on top of the process's own environment, for programs and for [`System::env`].
    environment: Vec<(String, String)>,
    /// The variables that make a user at home, where it is not the process's own.
    at_home: Vec<(String, String)>,
    /// Programs run with these ids, where they are not the thread's own.
    credentials: Option<Credentials>,
    deadline: Option<Instant>,
    umask: u32,
    made: MadeHere,
}

impl Local {
    /// As the user that this process runs as.
    pub fn new(fetch: Arc<dyn Fetch>, running: Arc<Running>) -> Local {
        let uid = rustix::process::geteuid().as_raw();
        let gid = rustix::process::getegid().as_raw();
        let identity = Identity { uid, gid, name: uid.to_string(), home: "/".into() };
        let mut local = Local {
            identity,
            fetch,
            running,
            environment: Vec::new(),
            at_home: Vec::new(),
            credentials: None,
            deadline: None,
            umask: read_umask(),
            made: MadeHere::default(),
        };
        let user = users::user_by_id(&local, uid);
        let home = local.env("HOME").filter(|home| home.starts_with('/')).map(PathBuf::from);
        if let Some(user) = user {
            local.identity.name = user.name;
            local.identity.home = home.unwrap_or(user.home);
        } else if let Some(home) = home {
            local.identity.home = home;
        }
        local
    }

    /// As another user; only root can. Files are reached with the rights of the calling thread, which switches to the
    /// user for good: call it on a thread of its own. Programs inherit the thread's ids.
    pub fn as_user(&self, user: &users::User, groups: Vec<u32>) -> io::Result<Local> {
        let local = self.planning_for(user, groups);
        local.credentials.as_ref().map_or(Ok(()), Credentials::take_on)?;
        Ok(Local { credentials: None, ..local })
    }

    /// For planning as root what a user will do: programs are asked with the user's ids, files are read with root's. The
    /// user may exist in the plan only.
    pub fn planning_for(&self, user: &users::User, groups: Vec<u32>) -> Local {
        let home = user.home.to_string_lossy().into_owned();
        let shell = if user.shell.is_empty() { "/bin/sh" } else { &user.shell };
        let variables = [("HOME", &*home), ("USER", &*user.name), ("LOGNAME", &*user.name), ("SHELL", shell)];
        Local {
            identity: Identity { uid: user.uid, gid: user.gid, name: user.name.clone(), home: user.home.clone() },
            at_home: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            credentials: Some(Credentials { uid: user.uid, gid: user.gid, groups }),
            ..self.clone()
        }
    }

    /// From now on no program runs longer than until then.
    pub fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// Replaces the task's `environment`.
    pub fn set_environment(&mut self, environment: &[(String, String)]) {
        self.environment = environment.to_vec();
    }
}

/// The process's mask; asking the kernel for it would change it for a moment.
fn read_umask() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| u32::from_str_radix(line.strip_prefix("Umask:")?.trim(), 8).ok());
    mask.unwrap_or(0o022)
}

#[cfg(test)]
mod tests;
