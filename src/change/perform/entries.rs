//! Directories, links, attributes, and what is removed.

use std::io::{self, ErrorKind};
use std::path::Path;

use super::Performer;
use crate::change::Attributes;
use crate::failure::{During, Failure};
use crate::system::{FileKind, Machine, Stat};

impl Performer<'_> {
    pub(super) fn make_dir(&mut self, path: &Path, attributes: &Attributes) -> Result<(), Failure> {
        // As the kernel does it: what is made in a set-group-id directory is one too, unless permissions are asked for.
        let above = path.parent().and_then(|above| self.machine.stat(above, true).ok().flatten());
        let inherited = above.map_or(0, |above| above.mode & 0o2000);
        let mode = attributes.mode.unwrap_or(0o777 & !self.machine.umask() | inherited);
        self.machine.make_dir(path, mode).during(|| format!("make the directory {}", path.display()))?;
        // The kernel does not give the sticky and set-id bits with mkdir, and chown takes them away.
        let wanted = Attributes { mode: Some(mode), ..attributes.clone() };
        let made = self.machine.stat(path, false).during(|| format!("look at {}", path.display()))?;
        self.set_attributes(path, &wanted, false, made.as_ref())
    }

    /// Gives what differs from `old`.
    pub(super) fn set_attributes(
        &mut self,
        path: &Path,
        wanted: &Attributes,
        follow: bool,
        old: Option<&Stat>,
    ) -> Result<(), Failure> {
        let uid = wanted.uid.filter(|uid| old.is_none_or(|stat| stat.uid != *uid));
        let gid = wanted.gid.filter(|gid| old.is_none_or(|stat| stat.gid != *gid));
        if uid.is_some() || gid.is_some() {
            let set = self.machine.set_owner(path, uid, gid, follow);
            set.during(|| format!("give {} {}", path.display(), owner(uid, gid)))?;
        }
        // After a change of owner the kernel may have taken set-id bits away.
        let set_id = |stat: &Stat| (uid.is_some() || gid.is_some()) && stat.mode & 0o6000 != 0;
        let mode = wanted.mode.filter(|mode| old.is_none_or(|stat| stat.mode != *mode || set_id(stat)));
        let mode = mode.or_else(|| old.filter(|stat| set_id(stat)).map(|stat| stat.mode));
        match mode {
            Some(mode) if follow || old.is_none_or(|stat| stat.kind != FileKind::Link) => {
                let set = self.machine.set_mode(path, mode);
                set.during(|| format!("set the mode of {} to {mode:04o}", path.display()))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn remove(&mut self, path: &Path) -> Result<(), Failure> {
        let stat = self.machine.stat(path, false).during(|| format!("look at {}", path.display()))?;
        let removed = match stat.map(|stat| stat.kind) {
            None => Ok(()),
            Some(FileKind::Dir) => self.machine.remove_tree(path),
            Some(_) => self.machine.remove(path),
        };
        removed.during(|| format!("remove {}", path.display()))
    }

    /// Makes a link beside its place and renames it, so that there is never nothing.
    pub(super) fn link(
        &mut self,
        path: &Path,
        make: impl Fn(&mut dyn Machine, &Path) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let what = || format!("make the link {}", path.display());
        match make(self.machine, path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => return made.during(what),
        }
        let temp = self.temp_name(path)?;
        make(self.machine, &temp).during(what)?;
        let renamed = self.machine.rename(&temp, path);
        // Renaming one name of a file onto another name of the same file does nothing and leaves both.
        let _ = self.machine.remove(&temp);
        renamed.during(what)
    }
}

fn owner(uid: Option<u32>, gid: Option<u32>) -> String {
    match (uid, gid) {
        (Some(uid), Some(gid)) => format!("to user {uid} and group {gid}"),
        (Some(uid), None) => format!("to user {uid}"),
        (None, Some(gid)) => format!("to group {gid}"),
        (None, None) => "to the same owner".to_owned(),
    }
}
