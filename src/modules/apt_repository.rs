mod lines;
mod ppa;

use std::path::{Path, PathBuf};

use super::apt;
use crate::change::{Act, Action, Attributes, Change, Mode, WriteFile};
use crate::failure::{During, Failure};
use crate::module::{ArgError, Arguments, Effects, Given, Module, ModuleSpec};
use crate::probe::attributes;
use crate::system::{Content, Output, System};
use crate::value::{Map, Value};
use crate::{args, choices, map};

use lines::Line;

const MAIN: &str = "/etc/apt/sources.list";
const PARTS: &str = "/etc/apt/sources.list.d";

choices! {
    /// What may be wanted of a repository.
    pub enum State {
        /// apt uses it.
        Present = "present",
        /// No file names it.
        Absent = "absent",
    }
}

args! {
    /// Adds repositories to apt's sources, and removes them, as lines of `sources.list`.
    ///
    /// When something was changed the lists of packages are refreshed; if that fails, a new repository goes again.
    /// `deb822_repository` writes the newer form, with the key beside it.
    pub struct Args {
        /// The line, `deb [options] ADDRESS SUITE COMPONENT…`, or `ppa:OWNER/NAME` with its key.
        repo: String;
        /// What is wanted.
        state: State = State::Present;
        /// The file in `sources.list.d`; by default named after the address.
        filename: Option<String>;
        /// The permissions of a new file; 0644 when left out.
        mode: Option<Mode>;
        /// Refresh the lists of packages when something was changed.
        update_cache: bool = true, alias("update-cache");
        /// How often that is tried.
        update_cache_retries: u32 = 5u32;
        /// The longest wait between two tries, in seconds.
        update_cache_retry_max_delay: u32 = 12u32;
        /// The release for a PPA; by default the machine's own.
        codename: Option<String>;
        /// Check certificates while a PPA's key is fetched.
        validate_certs: bool = true;
        /// Taken for the sake of playbooks that carry it: Ansible installs what its module needs on the host. Here nothing
        /// is needed there, so there is nothing to install.
        install_python_apt: bool = true, elsewhere("no Python is needed");
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "apt_repository");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        if system.which("apt-get").is_none() {
            return Err(Failure::new("this machine has no apt-get; is it of the Debian family?"));
        }
        let source = self.source(system)?;
        let values = self.values();
        if done.iter().any(is_edit) {
            return self.refresh(system, done, &source, values);
        }
        let edits = self.edits(system, &source, self.state)?;
        if edits.is_empty() {
            return Ok(Change::none(values));
        }
        let mut actions = Vec::new();
        if let Some(ppa) = ppa::Ppa::parse(&self.repo).filter(|_| self.state == State::Present) {
            match ppa.key(system, self.validate_certs, done)? {
                ppa::Key::There => {}
                ppa::Key::Ask(action) => return Ok(Change::again(vec![*action], values)),
                ppa::Key::Write(writes) => actions.extend(writes),
            }
        }
        actions.extend(edits);
        Ok(Change::again(actions, values))
    }

    fn check(&self) -> Result<(), ArgError> {
        let is_ppa = self.repo.starts_with("ppa:");
        match Line::parse(&self.repo) {
            _ if is_ppa && ppa::Ppa::parse(&self.repo).is_some() => Ok(()),
            Line { source: Some(source), enabled: true, .. } if source.split(' ').count() > 2 => Ok(()),
            _ => {
                let message =
                    format!("expected `deb ADDRESS SUITE COMPONENT…` or `ppa:OWNER/NAME`, found `{}`", self.repo);
                Err(ArgError::new("repo", message))
            }
        }
    }

    fn effects(given: &Given) -> Effects {
        Effects::world_if(given.may("repo", |repo| repo.starts_with("ppa:")))
    }
}

/// Whether this is left of a file that was written or removed: neither of a program nor of a download.
fn is_edit(output: &Output) -> bool {
    output.argv.is_empty() && output.stdout.is_empty() && output.refused.is_none()
}

impl Args {
    /// The line as apt reads it.
    fn source(&self, system: &dyn System) -> Result<String, Failure> {
        match ppa::Ppa::parse(&self.repo) {
            Some(ppa) => ppa.source(system, self.codename.as_deref()),
            None => Ok(Line::parse(&self.repo).source.unwrap_or_default()),
        }
    }

    /// What brings the files to the state.
    fn edits(&self, system: &dyn System, source: &str, state: State) -> Result<Vec<Action>, Failure> {
        let mut actions = Vec::new();
        let mut found = false;
        for path in source_files(system)? {
            let bytes = system.read(&path).during(|| format!("read {}", path.display()))?.unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let new = match state {
                State::Present => lines::enabled(&text, source).inspect(|_| found = true),
                State::Absent => lines::without(&text, source),
            };
            match new {
                Some(new) if new == text => {}
                Some(new) if new.is_empty() => actions.push(Action::change(Act::Remove { path })),
                Some(new) => actions.push(write(path, new, Attributes::default())),
                None => {}
            }
        }
        if state == State::Present && !found {
            actions.push(self.add(system, source)?);
        }
        Ok(actions)
    }

    fn add(&self, system: &dyn System, source: &str) -> Result<Action, Failure> {
        let path = self.file(source);
        let old = system.stat(&path, true).during(|| format!("look at {}", path.display()))?;
        let bytes = system.read(&path).during(|| format!("read {}", path.display()))?.unwrap_or_default();
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(source);
        text.push('\n');
        let mode = self.mode.clone().unwrap_or(Mode::Bits(0o644));
        let wanted = attributes::Wanted { mode: Some(&mode).filter(|_| old.is_none()), ..Default::default() };
        Ok(write(path, text, attributes::resolve(system, wanted, old.as_ref(), false)?))
    }

    fn file(&self, source: &str) -> PathBuf {
        let name = match &self.filename {
            Some(name) => name.trim_end_matches(".list").to_owned(),
            None => lines::suggested(source),
        };
        if name.contains('/') { format!("{name}.list").into() } else { Path::new(PARTS).join(format!("{name}.list")) }
    }

    /// Refreshes the lists of packages; where that fails, the new repository goes.
    fn refresh(&self, system: &dyn System, done: &[Output], source: &str, values: Map) -> Result<Change, Failure> {
        if !self.update_cache {
            return Ok(Change::none(values));
        }
        let refresh = apt::Args::read(&map! {
            "update_cache" => true,
            "update_cache_retries" => self.update_cache_retries,
            "update_cache_retry_max_delay" => self.update_cache_retry_max_delay,
        })?;
        let programs: Vec<Output> = done.iter().filter(|output| !output.argv.is_empty()).cloned().collect();
        match refresh.plan(system, &programs) {
            Ok(change) if change.actions.is_empty() => Ok(Change::none(values)),
            Ok(change) => Ok(Change::again(change.actions, values)),
            Err(failure) if self.state == State::Present => {
                let undo = self.edits(system, source, State::Absent)?;
                let failure = failure.argument("repo");
                if undo.is_empty() { Err(failure) } else { Ok(Change::again(undo, values)) }
            }
            Err(failure) => Err(failure),
        }
    }

    fn values(&self) -> Map {
        map! { "repo" => self.repo.as_str(), "state" => self.state.as_str(), "update_cache" => Value::Bool(self.update_cache) }
    }
}

fn write(path: PathBuf, text: String, attributes: Attributes) -> Action {
    Action::change(Act::WriteFile(Box::new(WriteFile {
        path,
        content: Content::Bytes(text.into_bytes()),
        attributes,
        backup: None,
        validate: None,
        unsafe_writes: false,
        diff: true,
    })))
}

fn source_files(system: &dyn System) -> Result<Vec<PathBuf>, Failure> {
    let names = system.list(Path::new(PARTS)).during(|| format!("read {PARTS}"))?.unwrap_or_default();
    let parts = names.iter().filter(|name| name.to_string_lossy().ends_with(".list"));
    Ok(std::iter::once(PathBuf::from(MAIN)).chain(parts.map(|name| Path::new(PARTS).join(name))).collect())
}
