//! What the kernel knows of a user, and how a thread becomes another one.

use rustix::process::{Gid, Uid};

/// What the kernel knows of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// User id.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    /// All groups.
    pub groups: Vec<u32>,
}

impl Credentials {
    /// Switches the calling thread, and only it, for good. Programs that the thread starts inherit it.
    pub(in crate::system) fn take_on(&self) -> rustix::io::Result<()> {
        self.ready()()
    }

    /// The same in two parts: the second one only makes system calls, as it must between fork and exec.
    pub(in crate::system) fn ready(&self) -> impl Fn() -> rustix::io::Result<()> + Send + Sync + use<> {
        let groups: Vec<Gid> = self.groups.iter().map(|gid| Gid::from_raw(*gid)).collect();
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        move || {
            rustix::thread::set_thread_groups(&groups)?;
            rustix::thread::set_thread_res_gid(gid, gid, gid)?;
            rustix::thread::set_thread_res_uid(uid, uid, uid)
        }
    }
}
