//! From what the host has to what is wanted.

use std::path::Path;

use super::local::Local;
use super::remote::{Kind, Target};
use super::{Args, has_run, is_run, submodules};
use crate::change::{Act, Action, Change};
use crate::failure::{During, Failure};
use crate::map;
use crate::probe::paths;
use crate::system::{Output, Subject, System};
use crate::value::Value;

impl Args {
    pub(super) fn clone_action(
        &self,
        system: &dyn System,
        git: &str,
        dest: &Path,
        target: Option<&Target>,
    ) -> Result<Action, Failure> {
        let repo = self.shown_repo(system)?;
        let mut words = vec!["clone".to_owned()];
        let mut flag = |wanted: bool, word: String| words.extend(wanted.then_some(word));
        flag(self.bare, "--bare".into());
        flag(self.remote != "origin" && !self.bare, format!("--origin={}", self.remote));
        flag(self.single_branch || self.depth.is_some(), "--single-branch".into());
        if let Some(Target { kind: Kind::Branch(name) | Kind::Tag(name), .. }) = target {
            flag(!self.bare || self.version != "HEAD", format!("--branch={name}"));
        }
        // Only what a branch or tag leads to is there then; a commit must be fetched with its history.
        let is_named = target.is_none_or(|target| target.kind != Kind::Commit);
        self.depth.filter(|_| is_named).iter().for_each(|depth| flag(true, format!("--depth={depth}")));
        self.reference.iter().for_each(|path| flag(true, format!("--reference={}", path.display())));
        self.separate_git_dir.iter().for_each(|path| flag(true, format!("--separate-git-dir={}", path.display())));
        words.extend(["--".to_owned(), repo.clone(), dest.display().to_string()]);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let command = self.command(system, git, None, &words)?;
        let mark = dest.join(if self.bare { "HEAD" } else { ".git" });
        let kind = Value::Map(map! { "kind" => if self.bare { "file" } else { "dir" } });
        Ok(Action::run(command, format!("cannot clone {repo}"))
            .expect(Output::default())
            .settles(Subject::Path(dest.to_owned()), Value::Map(map! { "kind" => "dir" }))
            .settles(Subject::Path(mark), kind))
    }

    /// Brings what is there to the version.
    pub(super) fn bring(
        &self,
        system: &dyn System,
        git: &str,
        local: &Local,
        done: &[Output],
    ) -> Result<Change, Failure> {
        if !local.modified.is_empty() && !self.force && !has_run(done, "checkout") {
            let files = local.modified.join(", ");
            let message = format!("there are local modifications in {} ({files})", local.path.display());
            return Err(Failure::new(format!("{message}: `force: true` discards them")).argument("force"));
        }
        let moved =
            done.iter().any(|output| is_run(output, "set-url") || (is_run(output, "remote") && is_run(output, "add")));
        let moved = Some(moved).filter(|_| !has_run(done, "clone"));
        let before = self.before(local, done);
        if let Some(change) = self.tidy_remote(system, git, local, done, &before)? {
            return Ok(change);
        }
        let target = Target::ask(self, system, git)?;
        let planned = done.iter().any(|output| output.planned);
        let is_done = has_run(done, "checkout") || (planned && self.bare && has_run(done, "fetch"));
        if !is_done {
            let is_there = local.head.starts_with(&target.commit) && !local.head.is_empty();
            let is_on = match &target.kind {
                Kind::Branch(name) => local.branch.as_ref() == Some(name) || self.bare,
                _ => true,
            };
            if !is_there || !local.modified.is_empty() || !is_on {
                let is_change = !is_there || !local.modified.is_empty();
                return self.switch(system, git, local, done, &target, is_change, &before, moved);
            }
        }
        let after = if local.head.is_empty() || planned { target.commit } else { local.head.clone() };
        let values = self.values(&before, &after.into(), moved);
        if self.bare || planned || !(self.recursive || self.track_submodules) {
            return Ok(Change::none(values));
        }
        submodules::bring(self, system, git, &local.path, done, values)
    }

    /// The commit before anything was done; it was noted first.
    fn before(&self, local: &Local, done: &[Output]) -> Value {
        if has_run(done, "clone") {
            return Value::Null;
        }
        let noted =
            done.iter().find(|output| is_run(output, "rev-parse")).map(|output| output.text().trim().to_owned());
        noted.unwrap_or_else(|| local.head.clone()).into()
    }

    /// Notes the commit before anything is done.
    fn note(&self, system: &dyn System, git: &str, local: &Local, done: &[Output]) -> Result<Vec<Action>, Failure> {
        if local.head.is_empty() || has_run(done, "rev-parse") || has_run(done, "clone") {
            return Ok(Vec::new());
        }
        let command = self.command(system, git, Some(&local.path), &["rev-parse", "HEAD"])?;
        let expected = Output { stdout: local.head.clone().into_bytes(), ..Output::default() };
        Ok(vec![Action::housekeeping(Act::Run(command)).expect(expected)])
    }

    /// The server's address is what the arguments say.
    fn tidy_remote(
        &self,
        system: &dyn System,
        git: &str,
        local: &Local,
        done: &[Output],
        before: &Value,
    ) -> Result<Option<Change>, Failure> {
        let repo = self.shown_repo(system)?;
        let asked = done.iter().any(|output| is_run(output, "set-url") || is_run(output, "add"));
        let words = match &local.url {
            _ if asked => return Ok(None),
            Some(url) if super::command::split_password(url).0 == repo => return Ok(None),
            Some(_) => ["remote", "set-url", &self.remote, &repo],
            None => ["remote", "add", &self.remote, &repo],
        };
        let mut actions = self.note(system, git, local, done)?;
        let command = self.command(system, git, Some(&local.path), &words)?;
        actions.push(Action::run(command, "cannot set the address of the server").expect(Output::default()));
        Ok(Some(Change::again(actions, self.values(before, before, Some(true)))))
    }

    /// Fetches what is not there yet, then checks it out.
    #[allow(clippy::too_many_arguments)]
    fn switch(
        &self,
        system: &dyn System,
        git: &str,
        local: &Local,
        done: &[Output],
        target: &Target,
        is_change: bool,
        before: &Value,
        moved: Option<bool>,
    ) -> Result<Change, Failure> {
        let values = self.values(before, &target.commit.clone().into(), moved);
        let planned = done.iter().any(|output| output.planned);
        let fetches = done.iter().filter(|output| is_run(output, "fetch")).count();
        let is_here = || -> Result<bool, Failure> {
            let name = format!("{}^{{commit}}", target.commit);
            Ok(planned || self.ask(system, git, &local.path, &["cat-file", "-e", &name])?.ok())
        };
        let needs = match target.kind {
            Kind::Commit => fetches < 2 && !is_here()?,
            _ => fetches == 0,
        };
        if needs {
            let mut actions = self.note(system, git, local, done)?;
            let action = self.fetch(system, git, local, target, fetches > 0)?;
            actions.push(if self.bare { Action { is_change, ..action } } else { action });
            return Ok(Change::again(actions, values));
        }
        if !is_here()? {
            let message = format!("the server has no commit {}", target.commit);
            return Err(Failure::new(message).argument("version"));
        }
        self.verify(system, git, local, target)?;
        if self.bare {
            return Ok(Change::none(values));
        }
        let words = match &target.kind {
            Kind::Branch(name) => {
                let from = format!("refs/remotes/{}/{name}", self.remote);
                ["checkout", "--force", "-B", name, &from].map(str::to_owned).to_vec()
            }
            Kind::Tag(name) => {
                ["checkout", "--force", "--detach", &format!("refs/tags/{name}")].map(str::to_owned).to_vec()
            }
            Kind::Commit | Kind::Ref(_) => {
                ["checkout", "--force", "--detach", &target.commit].map(str::to_owned).to_vec()
            }
        };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut actions = self.note(system, git, local, done)?;
        let command = self.command(system, git, Some(&local.path), &words)?;
        let checkout = Action::run(command, format!("cannot check out {}", self.version)).expect(Output::default());
        actions.push(Action { is_change, ..checkout });
        Ok(Change::again(actions, values))
    }

    fn fetch(
        &self,
        system: &dyn System,
        git: &str,
        local: &Local,
        target: &Target,
        by_number: bool,
    ) -> Result<Action, Failure> {
        let mut words = vec!["fetch".to_owned(), "--force".into()];
        let is_named = target.kind != Kind::Commit || by_number;
        words.extend(self.depth.filter(|_| is_named).map(|depth| format!("--depth={depth}")));
        words.extend((self.depth.is_none() && !by_number).then(|| "--tags".to_owned()));
        words.push(self.remote.clone());
        match &target.kind {
            _ if self.bare => words.extend(["+refs/heads/*:refs/heads/*".into(), "+refs/tags/*:refs/tags/*".into()]),
            Kind::Branch(name) => words.push(format!("+refs/heads/{name}:refs/remotes/{}/{name}", self.remote)),
            Kind::Tag(name) => words.push(format!("+refs/tags/{name}:refs/tags/{name}")),
            Kind::Ref(name) => words.push(name.clone()),
            Kind::Commit if by_number => words.push(target.commit.clone()),
            Kind::Commit => words.push(format!("+refs/heads/*:refs/remotes/{}/*", self.remote)),
        }
        words.extend(self.refspec.clone());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let command = self.command(system, git, Some(&local.path), &words)?;
        let message = format!("cannot fetch from {}", self.shown_repo(system)?);
        // Whether the commit has come is looked at afterwards.
        let must_succeed = (target.kind != Kind::Commit || by_number).then_some(message);
        Ok(Action { must_succeed, ..Action::housekeeping(Act::Run(command)) }.expect(Output::default()))
    }

    /// Whether the commit or tag is signed by somebody who may.
    fn verify(&self, system: &dyn System, git: &str, local: &Local, target: &Target) -> Result<(), Failure> {
        if !self.verify_commit {
            return Ok(());
        }
        let (word, what) = match &target.kind {
            Kind::Tag(name) => {
                let kind = self.ask(system, git, &local.path, &["cat-file", "-t", &format!("refs/tags/{name}")])?;
                let is_tag = kind.text().trim() == "tag";
                if is_tag { ("verify-tag", name.as_str()) } else { ("verify-commit", target.commit.as_str()) }
            }
            _ => ("verify-commit", target.commit.as_str()),
        };
        let output = self.ask(system, git, &local.path, &[word, "--raw", what])?;
        let errors = output.errors();
        let signer = |line: &str| line.strip_prefix("[GNUPG:] VALIDSIG ")?.split(' ').next_back().map(str::to_owned);
        let signers: Vec<String> = errors.lines().filter_map(signer).collect();
        let allowed = self.gpg_allowlist.is_empty() || signers.iter().any(|signer| self.gpg_allowlist.contains(signer));
        match output.ok() && allowed {
            true => Ok(()),
            false => Err(Failure::new(format!("the signature of {what} is not good: {}", errors.trim()))
                .argument("verify_commit")),
        }
    }
}

/// Removes what killed clones have left beside the place.
pub fn leftovers(system: &dyn System, dest: &Path) -> Result<Vec<Action>, Failure> {
    let (Some(parent), Some(name)) = (dest.parent(), dest.file_name()) else { return Ok(Vec::new()) };
    let start = format!(".{}.wodctl-", name.to_string_lossy());
    let names = system.list(parent).during(|| format!("read {}", parent.display()))?.unwrap_or_default();
    let mut actions = Vec::new();
    for name in names {
        let text = name.to_string_lossy();
        let Some(pid) = text.strip_prefix(&start).and_then(|rest| rest.split('-').next()) else { continue };
        let is_alive =
            pid != system.pid().to_string() && paths::stat(system, &Path::new("/proc").join(pid), true)?.is_some();
        if !is_alive {
            actions.push(Action::housekeeping(Act::Remove { path: parent.join(&name) }));
        }
    }
    Ok(actions)
}
