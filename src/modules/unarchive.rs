mod entry;
mod open;
mod place;
mod select;

use std::path::{Path, PathBuf};

use super::command::Guard;
use super::web::exchange;
use super::web::shown;
use crate::change::answer::Answer;
use crate::change::{Act, Action, Change};
use crate::failure::{During, Failure};
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec, Source};
use crate::probe::{attributes, expand, paths};
use crate::system::{Output, System};
use crate::value::{Map, Value};
use crate::{file_args, map};

use select::Options;

file_args! {
    /// Unpacks an archive: tar (plain or compressed with gzip, bzip2, xz or zstd) or zip.
    ///
    /// What is there is compared with what the archive holds, and only what differs is written, each file as a whole.
    /// Nothing is ever written outside `dest`. Neither tar nor unzip is needed on the host. The archive is held in memory.
    pub struct Args {
        /// The archive: a file of the controller, with `remote_src` one of the host, or an address.
        src: Source;
        /// The directory to unpack into. It must be there.
        dest: PathBuf;
        /// `src` lies on the host.
        remote_src: Option<bool>;
        /// The contrary of `remote_src`, which it excludes: `src` is a file of the controller.
        copy: Option<bool>;
        /// Do nothing if this path exists.
        creates: Option<PathBuf>;
        /// Return the names of all that the archive holds.
        list_files: bool = false;
        /// Patterns of names to leave out. Excludes `include`.
        exclude: Vec<String>;
        /// Names, or patterns of names, to unpack; nothing else is. Excludes `exclude`.
        include: Vec<String>;
        /// Leave files alone that are newer than in the archive.
        keep_newer: bool = false;
        /// Options of tar and unzip: `--strip-components=N`, `--no-same-owner`, `--no-same-permissions`, `--exclude=…`, `-j`.
        extra_opts: Vec<String>;
        /// Check the certificate of the server that `src` names.
        validate_certs: bool = true;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "unarchive");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        let guard = Guard { creates: self.creates.as_deref(), removes: None };
        if let Some((path, is)) = guard.holds_back(system, None)?.filter(|_| done.is_empty()) {
            return Ok(Change::none(
                map! { "skipped" => true, "msg" => format!("skipped, since {} {is}", path.display()) },
            ));
        }
        let dest = paths::absolute(system, &self.dest)?;
        if !paths::is_dir(system, &dest)? {
            return Err(Failure::new(format!("{} is no directory: make it first", dest.display())).argument("dest"));
        }
        let Some(url) = self.url() else {
            let bytes = self.archive(system)?;
            return self.unpack(system, &dest, &bytes, None);
        };
        let temporary = system.temporary(Path::new("/tmp/archive"));
        let Some(last) = done.iter().find(|output| output.refused.is_some() || !output.stdout.is_empty()) else {
            let mut request = exchange::get(url, self.validate_certs);
            request.to = Some(temporary);
            return Ok(Change::again(vec![exchange::ask(request)], self.unknown()));
        };
        let answer = Answer::read(last).ok_or_else(|| {
            let why = last.refused.as_deref().unwrap_or("the answer is not HTTP");
            Failure::new(format!("cannot fetch {}: {why}", shown(url))).argument("src")
        })?;
        if !answer.ok() {
            return Err(exchange::refusal(url, &answer).argument("src"));
        }
        let bytes = system.read(&temporary).during(|| format!("read {}", temporary.display()))?.unwrap_or_default();
        self.unpack(system, &dest, &bytes, Some(temporary))
    }

    fn check(&self) -> Result<(), ArgError> {
        if self.copy.is_some() && self.remote_src.is_some() {
            return Err(ArgError::new("copy", "give either `copy` or `remote_src`, not both"));
        }
        if !self.include.is_empty() && !self.exclude.is_empty() {
            return Err(ArgError::new("include", "give either `include` or `exclude`, not both"));
        }
        Options::parse(&self.extra_opts).map(|_| ()).map_err(|message| ArgError::new("extra_opts", message))
    }

    fn effects(given: &Given) -> Effects {
        Effects::world_if(given.may("src", |src| src.contains("://")))
    }
}

impl Args {
    fn url(&self) -> Option<&str> {
        match &self.src {
            Source::Remote(path) => path.to_str().filter(|text| text.contains("://")),
            _ => None,
        }
    }

    fn archive(&self, system: &dyn System) -> Result<Vec<u8>, Failure> {
        match &self.src {
            Source::File { name, blob, .. } => system.content(blob).during(|| format!("read {name}")),
            Source::Remote(path) => {
                let path = expand::path(system, path)?;
                let bytes = system.read(&path).during(|| format!("read {}", path.display()))?;
                bytes.ok_or_else(|| Failure::new(format!("there is no archive {}", path.display())).argument("src"))
            }
            Source::Tree { name, .. } => {
                Err(Failure::new(format!("{name} is a directory and no archive")).argument("src"))
            }
        }
    }

    fn unpack(
        &self,
        system: &dyn System,
        dest: &Path,
        bytes: &[u8],
        fetched: Option<PathBuf>,
    ) -> Result<Change, Failure> {
        let result = self.unpacked(system, dest, bytes);
        let forget = fetched.map(|path| Action::housekeeping(Act::Remove { path }));
        match (result, forget) {
            (Ok(mut change), forget) => {
                change.actions.extend(forget);
                Ok(change)
            }
            // Nothing stays behind; with the next look, at an archive without bytes, the step fails.
            (Err(_), Some(forget)) if !bytes.is_empty() => Ok(Change::again(vec![forget], Map::new())),
            (Err(failure), _) => Err(failure),
        }
    }

    fn unpacked(&self, system: &dyn System, dest: &Path, bytes: &[u8]) -> Result<Change, Failure> {
        let options =
            Options::parse(&self.extra_opts).map_err(|message| Failure::new(message).argument("extra_opts"))?;
        let mut placer = place::Placer::new(self, system, dest, options)?;
        let handler = open::each(system, bytes, &mut |entry, content| placer.add(entry, content))?;
        let (actions, names) = placer.finish();
        let mut values = map! { "dest" => dest.display().to_string(), "handler" => handler, "src" => self.shown_src() };
        values.extend(attributes::values(system, dest)?);
        if self.list_files {
            values.insert("files".into(), names.into());
        }
        Ok(Change::of(actions, values))
    }

    fn shown_src(&self) -> String {
        match &self.src {
            Source::Remote(path) => shown(&path.to_string_lossy()),
            Source::File { name, .. } | Source::Tree { name, .. } => name.clone(),
        }
    }

    fn unknown(&self) -> Map {
        let keys = ["handler", "files"];
        let mut values: Map = keys.map(|key| (key.to_owned(), Value::Unknown(String::new()))).into_iter().collect();
        values.insert("src".into(), self.shown_src().into());
        values
    }
}
