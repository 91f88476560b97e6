//! Where programs are, and with which environment they are started.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, OFlags};
use rustix::io::Errno;

use super::{Local, door};
use crate::system::Command;
use crate::system::process::Launch;

/// Where programs are looked for after `PATH`, which for users often lacks them.
const MORE_PATH: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Where a process looks if there is no `PATH` at all.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl Local {
    pub(super) fn variable(&self, name: &str, command: Option<&Command>) -> Option<String> {
        let own = command.map_or(&[][..], |command| &command.env);
        let set = own.iter().rev().chain(self.environment.iter().rev()).chain(&self.at_home);
        let set = set.into_iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        set.or_else(|| std::env::var(name).ok())
    }

    pub(super) fn find_program(&self, program: &str, path: Option<String>) -> Option<PathBuf> {
        let runs = |path: &Path| {
            fs::metadata(path).is_ok_and(|meta| meta.is_file())
                && rustix::fs::accessat(CWD, path, rustix::fs::Access::EXEC_OK, AtFlags::EACCESS)
                    .or_else(|_| rustix::fs::access(path, rustix::fs::Access::EXEC_OK))
                    .is_ok()
        };
        if program.contains('/') {
            return runs(Path::new(program)).then(|| program.into());
        }
        let path = path.unwrap_or_else(|| DEFAULT_PATH.to_owned());
        let dirs = path.split(':').filter(|dir| dir.starts_with('/')).chain(MORE_PATH);
        dirs.map(|dir| Path::new(dir).join(program)).find(|path| runs(path))
    }

    pub(super) fn launch<'a>(&self, command: &'a Command) -> io::Result<Launch<'a>> {
        let name =
            command.argv.first().ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "no program is named"))?;
        let path = self.variable("PATH", Some(command));
        let in_cwd = command.cwd.as_ref().filter(|_| name.contains('/') && !name.starts_with('/'));
        let program = match in_cwd {
            Some(cwd) => Some(cwd.join(name)),
            None => self.find_program(name, path.clone()),
        };
        let program = program.ok_or_else(|| match Path::new(name).exists() && name.contains('/') {
            true => io::Error::from(Errno::ACCESS),
            false => io::Error::from(Errno::NOENT),
        })?;
        let mut environment: Vec<(String, Option<String>)> = Vec::new();
        let mut set = |name: &str, value: &str| environment.push((name.to_owned(), Some(value.to_owned())));
        self.at_home.iter().for_each(|(name, value)| set(name, value));
        if command.c_locale {
            // Our own tools find their helpers as root does, and speak the language that we read.
            let path = path.unwrap_or_else(|| DEFAULT_PATH.to_owned());
            let missing = MORE_PATH.iter().filter(|dir| !path.split(':').any(|known| known == **dir));
            set("PATH", &missing.fold(path.clone(), |path, dir| format!("{path}:{dir}")));
        }
        self.environment.iter().for_each(|(name, value)| set(name, value));
        if command.c_locale {
            set("LC_ALL", "C");
            environment.push(("LANGUAGE".to_owned(), None));
        }
        command.env.iter().for_each(|(name, value)| environment.push((name.clone(), Some(value.clone()))));
        // Held, so that it is where the path led when it was judged. A new process still has the descriptor.
        let held = command.cwd.as_deref().map(|cwd| door::directory(cwd, OFlags::PATH)).transpose()?;
        let cwd = held.as_ref().map(door::handle).or_else(|| self.reachable_cwd());
        Ok(Launch {
            command,
            program,
            environment,
            cwd,
            held,
            credentials: self.credentials.clone(),
            deadline: self.deadline,
        })
    }

    /// Programs of another user start where this process is, if that user may be there, else at the user's home.
    pub(super) fn reachable_cwd(&self) -> Option<PathBuf> {
        if self.at_home.is_empty() {
            return None;
        }
        let may_be_at = |path: &Path| match &self.credentials {
            None => rustix::fs::accessat(CWD, path, rustix::fs::Access::EXEC_OK, AtFlags::EACCESS).is_ok(),
            Some(ids) => fs::metadata(path).is_ok_and(|meta| {
                let mode = meta.mode();
                let class = match () {
                    () if meta.uid() == ids.uid => mode >> 6,
                    () if ids.groups.contains(&meta.gid()) => mode >> 3,
                    () => mode,
                };
                class & 1 != 0
            }),
        };
        let here = std::env::current_dir().ok();
        match here.filter(|here| here.ancestors().all(may_be_at)) {
            Some(_) => None,
            None => Some(self.identity.home.clone()).filter(|home| may_be_at(home)).or_else(|| Some("/".into())),
        }
    }
}
