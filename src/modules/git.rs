mod command;
mod local;
mod remote;
mod steps;
mod submodules;

use std::path::PathBuf;

use crate::change::{Act, Action, Change};
use crate::failure::Failure;
use crate::module::{ArgError, Module, ModuleSpec};
use crate::probe::{dpkg, paths};
use crate::system::{Output, Subject, System};
use crate::value::{Map, Value};
use crate::{args, map};

use local::Local;
use remote::Target;

args! {
    /// Brings a repository of git to a version.
    ///
    /// Needs git on the host. The server is asked for the version first; only if the host has another one is anything
    /// fetched. A new repository is cloned beside its place and then put there, so that it is there as a whole or not at
    /// all. A password in the address is handed over so that nobody sees it, and is not kept.
    pub struct Args {
        /// The address.
        repo: String, alias("name");
        /// Where it goes.
        dest: PathBuf;
        /// A branch, a tag, a commit, or `HEAD` for the server's own branch.
        version: String = "HEAD";
        /// The name under which the server is known in the repository.
        remote: String = "origin";
        /// Something else to fetch besides, such as `+refs/pull/*:refs/remotes/pull/*`.
        refspec: Option<String>;
        /// Clone it if it is not there.
        clone: bool = true;
        /// Bring it to the version if it is there.
        update: bool = true;
        /// Discard local changes; without this they make the step fail.
        force: bool = false;
        /// As many commits of history, and no more.
        depth: Option<u32>;
        /// Fetch the history of one branch only.
        single_branch: bool = false;
        /// A repository without files beside it.
        bare: bool = false;
        /// Also bring the repositories inside it to what it says.
        recursive: bool = true;
        /// Bring those to the newest commit of their branches instead.
        track_submodules: bool = false;
        /// A repository on the host to take what it has from.
        reference: Option<PathBuf>;
        /// Put the repository itself there and only its files at `dest`.
        separate_git_dir: Option<PathBuf>;
        /// Check the signature of the commit.
        verify_commit: bool = false;
        /// Fingerprints of the keys that may have signed it; any known key if left out.
        gpg_allowlist: Vec<String>, alias("gpg_whitelist");
        /// The private key for SSH, on the host.
        key_file: Option<PathBuf>;
        /// Further options for ssh.
        ssh_opts: Option<String>;
        /// Trust a server whose key is not known or has changed. Better: `accept_newhostkey`.
        accept_hostkey: bool = false;
        /// Trust a server whose key is not known; not one whose key has changed.
        accept_newhostkey: bool = false;
        /// The mask for permissions of new files, such as `"0022"`.
        umask: Option<String>;
        /// The git to run.
        executable: Option<PathBuf>;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "git");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        let dest = paths::for_program(system, &self.dest)?;
        for path in [&self.separate_git_dir, &self.reference].into_iter().flatten() {
            paths::for_program(system, path)?;
        }
        let git = self.git(system)?;
        if has_run(done, "clone") && done.iter().any(|output| output.planned) {
            return Ok(Change::none(self.values(&Value::Null, &Value::Unknown(String::new()), None)));
        }
        let found = Local::find(self, system, &git, &dest)?;
        match found {
            None if !self.clone => {
                let target = Target::ask(self, system, &git)?;
                Ok(Change::none(self.values(&Value::Null, &target.commit.into(), None)))
            }
            None => self.make(system, &git, &dest),
            Some(local) if !self.update && !has_run(done, "clone") => {
                let head = Value::from(local.head);
                Ok(Change::none(self.values(&head, &head, None)))
            }
            Some(local) => self.bring(system, &git, &local, done),
        }
    }

    fn check(&self) -> Result<(), ArgError> {
        if self.accept_hostkey && self.accept_newhostkey {
            return Err(ArgError::new("accept_newhostkey", "give either `accept_hostkey` or `accept_newhostkey`"));
        }
        if self.bare && self.separate_git_dir.is_some() {
            return Err(ArgError::new("separate_git_dir", "a bare repository has no files that could lie elsewhere"));
        }
        if self.depth == Some(0) {
            return Err(ArgError::new("depth", "`depth` is at least 1"));
        }
        for (name, value) in [("repo", &self.repo), ("version", &self.version), ("remote", &self.remote)] {
            if value.is_empty() || value.starts_with('-') {
                return Err(ArgError::new(name, format!("`{value}` is no {name}")));
            }
        }
        self.mask().map(|_| ()).map_err(|message| ArgError::new("umask", message))
    }
}

/// Whether git has been run with this word.
fn has_run(done: &[Output], word: &str) -> bool {
    done.iter().any(|output| is_run(output, word))
}

/// Whether this is what git with this word has left.
fn is_run(output: &Output, word: &str) -> bool {
    output.argv.iter().any(|other| other == word)
}

impl Args {
    fn git(&self, system: &dyn System) -> Result<String, Failure> {
        let git = self.executable.as_ref().map_or_else(|| "git".to_owned(), |path| path.display().to_string());
        match system.which(&git).is_some() || dpkg::has_planned(system) {
            true => Ok(git),
            false => Err(Failure::new(format!(
                "this machine has no {git}: install it first, as with `package: {{name: git}}`"
            ))
            .argument(if self.executable.is_some() { "executable" } else { "repo" })),
        }
    }

    fn mask(&self) -> Result<Option<u32>, String> {
        let read = |text: &String| {
            let mask = u32::from_str_radix(text.trim(), 8).ok().filter(|mask| *mask <= 0o777);
            mask.ok_or_else(|| format!("expected a mask such as \"0022\", found `{text}`"))
        };
        self.umask.as_ref().map(read).transpose()
    }

    /// Clones it.
    fn make(&self, system: &dyn System, git: &str, dest: &std::path::Path) -> Result<Change, Failure> {
        let there = system.list(dest).unwrap_or_default();
        if there.as_ref().is_some_and(|names| !names.is_empty())
            || (there.is_none() && paths::stat(system, dest, false)?.is_some())
        {
            let message =
                format!("{} is there already and is neither a repository nor an empty directory", dest.display());
            return Err(Failure::new(message).argument("dest"));
        }
        let is_known = system.which(git).is_some();
        let target = is_known.then(|| Target::ask(self, system, git)).transpose()?;
        let mut actions = Vec::new();
        let parent = dest.parent().unwrap_or(dest);
        let common = crate::modules::file_args::Common::default();
        actions.extend(crate::modules::file_args::make_dirs(system, &paths::missing_dirs(system, parent)?, &common)?);
        // A killed clone leaves nothing at its place. A folder that is there keeps its owner.
        let aside = there.is_none() && self.separate_git_dir.is_none();
        let place = if aside { system.temporary(dest) } else { dest.to_owned() };
        if aside {
            actions.extend(steps::leftovers(system, dest)?);
        }
        let clone = self.clone_action(system, git, &place, target.as_ref())?;
        actions.push(match aside {
            // A plan has nothing that could be renamed.
            true => clone.settles(Subject::Path(place.clone()), Value::Map(map! { "kind" => "dir" })),
            false => clone,
        });
        actions.extend(aside.then(|| Action::change(Act::Rename { from: place, to: dest.to_owned() })));
        let after = target.map_or(Value::Unknown(String::new()), |target| target.commit.into());
        Ok(Change::again(actions, self.values(&Value::Null, &after, None)))
    }

    fn values(&self, before: &Value, after: &Value, remote_url_changed: Option<bool>) -> Map {
        let mut values = map! { "before" => before.clone(), "after" => after.clone() };
        values.extend(remote_url_changed.map(|changed| ("remote_url_changed".to_owned(), changed.into())));
        if let Some(folder) = &self.separate_git_dir {
            values.insert("git_dir_now".into(), folder.display().to_string().into());
        }
        values
    }
}
