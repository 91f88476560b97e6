mod link;
mod times;
mod walk;

use std::path::{Path, PathBuf};

use crate::change::{Act, Action, Attributes, Change, WriteFile};
use crate::failure::Failure;
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::modules::file_args::{Common, make_dirs};
use crate::probe::{attributes, expand, paths};
use crate::system::{Content, FileKind, Output, Stat, System};
use crate::value::{Map, Value};
use crate::{choices, file_args, map};

use times::Times;

choices! {
    /// What may stand at a path.
    pub enum State {
        /// Nothing: files and links are unlinked, directories go with all that is in them.
        Absent = "absent",
        /// A directory; those above it are made too, with the same attributes.
        Directory = "directory",
        /// A file that is there already.
        File = "file",
        /// Another name for the file `src`.
        Hard = "hard",
        /// A symbolic link to `src`.
        Link = "link",
        /// An empty file, or new times for what is there.
        Touch = "touch",
    }
}

file_args! {
    /// Makes and removes files, links and directories, and sets their owner, group and permissions.
    ///
    /// Contents are for `copy` and `template`.
    pub struct Args {
        /// What it is about. A relative path starts at the working directory, `~` at the home.
        path: PathBuf, alias("dest", "name");
        /// What is to stand there. Left out: what is there already, a directory with `recurse`, else a file.
        state: Option<State>;
        /// What a link points at, or the file that gets another name. A relative one counts from the link's folder.
        src: Option<PathBuf>;
        /// Set owner, group and permissions of everything in a directory. As root, links by which other users lead out of
        /// what is their own are left alone.
        recurse: bool = false;
        /// Make a link although nothing stands where it points, or although a file or an empty directory is in its place.
        force: bool = false;
        /// Where a link stands at the path, take it for what it points at.
        follow: bool = true;
        /// Time of last change: `now`, `preserve`, or a time as `modification_time_format` says.
        modification_time: Option<String>;
        /// The form of `modification_time`.
        modification_time_format: String = "%Y%m%d%H%M.%S";
        /// Time of last access: `now`, `preserve`, or a time as `access_time_format` says.
        access_time: Option<String>;
        /// The form of `access_time`.
        access_time_format: String = "%Y%m%d%H%M.%S";
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "file");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        self.bring(system, done).map_err(|failure| failure.with("path", self.path.to_string_lossy().into_owned()))
    }

    fn check(&self) -> Result<(), ArgError> {
        let is_link = matches!(self.state, None | Some(State::Link | State::Hard));
        match (self.recurse, self.state) {
            (true, None | Some(State::Directory)) | (false, _) if self.src.is_none() || is_link => Ok(()),
            (true, state) if state != Some(State::Directory) => {
                Err(ArgError::new("recurse", "`recurse` needs `state: directory`"))
            }
            _ => Err(ArgError::new("src", "`src` needs `state: link` or `state: hard`")),
        }
    }

    fn effects(_: &Given) -> Effects {
        Effects::host()
    }
}

/// What a call is about: the path that is meant, and what stands there.
struct Subject {
    path: PathBuf,
    /// The path as it is returned: as the user gave it, if no link was followed.
    shown: PathBuf,
    /// Of the entry itself: a link is not followed.
    stat: Option<Stat>,
    state: State,
}

impl Subject {
    fn of(args: &Args, system: &dyn System) -> Result<Subject, Failure> {
        let mut path = paths::absolute(system, &args.path)?;
        let inside = !matches!(args.state, Some(State::Link | State::Absent));
        if let Some(name) = args.src.as_deref().and_then(Path::file_name).filter(|_| inside)
            && paths::is_dir(system, &path)?
        {
            path.push(name);
        }
        let mut shown = expand::path(system, &args.path)?;
        if path.file_name() != shown.file_name() {
            shown.clone_from(&path);
        }
        let mut path = tidy(path);
        let mut stat = paths::stat(system, &path, false)?;
        let state = args.state.unwrap_or(match &stat {
            Some(stat) => standing(stat),
            None if args.recurse => State::Directory,
            None => State::File,
        });
        let resolves = args.follow && !matches!(state, State::Absent | State::Link | State::Hard);
        if resolves && stat.as_ref().is_some_and(|stat| stat.kind == FileKind::Link) {
            path = paths::real(system, &path)?;
            stat = paths::stat(system, &path, false)?;
            shown.clone_from(&path);
        }
        if args.recurse && state != State::Directory {
            return Err(Failure::new("`recurse` needs a directory").argument("recurse"));
        }
        if args.src.is_some() && !matches!(state, State::Link | State::Hard) {
            return Err(Failure::new("`src` needs `state: link` or `state: hard`").argument("src"));
        }
        Ok(Subject { path, shown, stat, state })
    }

    fn failure(&self, message: String) -> Failure {
        Failure::new(message).with("path", self.path.to_string_lossy().into_owned()).argument("path")
    }

    /// What stands there, in a sentence.
    fn what(&self) -> &'static str {
        match self.stat.as_ref().map(standing) {
            None => "absent",
            Some(State::Directory) => "a directory",
            Some(State::Link) => "a link",
            Some(_) => "a file",
        }
    }
}

/// The path without slashes at its end.
fn tidy(path: PathBuf) -> PathBuf {
    path.components().collect()
}

/// The state that something has already.
fn standing(stat: &Stat) -> State {
    match stat.kind {
        FileKind::Link => State::Link,
        FileKind::Dir => State::Directory,
        _ if stat.nlink > 1 => State::Hard,
        _ => State::File,
    }
}

impl Args {
    fn bring(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        let subject = Subject::of(self, system)?;
        let (actions, warnings) = if done.is_empty() { self.actions(system, &subject)? } else { Default::default() };
        let values = self.values(system, &subject)?;
        Ok(Change { again: !actions.is_empty(), actions, values, warnings })
    }

    fn actions(&self, system: &dyn System, subject: &Subject) -> Result<(Vec<Action>, Vec<String>), Failure> {
        let times = Times::read(self, subject.state, system)?;
        let actions = match subject.state {
            State::Absent => subject.stat.iter().map(|_| remove(&subject.path)).collect(),
            State::File => self.file(system, subject, &times)?,
            State::Directory => self.directory(system, subject, &times)?,
            State::Touch => self.touch(system, subject, &times)?,
            State::Link => return link::symbolic(self, system, subject, &times),
            State::Hard => link::hard(self, system, subject, &times)?,
        };
        Ok((actions, Vec::new()))
    }

    /// What is there gets what it lacks.
    fn settle(&self, system: &dyn System, path: &Path, stat: &Stat, times: &Times) -> Result<Vec<Action>, Failure> {
        let mut actions = self.common().settle(system, path, stat)?;
        actions.extend(times.action(path, Some(stat)));
        Ok(actions)
    }

    fn file(&self, system: &dyn System, subject: &Subject, times: &Times) -> Result<Vec<Action>, Failure> {
        match &subject.stat {
            Some(stat) if !matches!(stat.kind, FileKind::Dir | FileKind::Link) => {
                self.settle(system, &subject.path, stat, times)
            }
            _ => {
                let (path, what) = (subject.path.display(), subject.what());
                let hint =
                    if subject.stat.is_none() { "; `state: touch` makes it, `copy` gives it a content" } else { "" };
                let failure = subject.failure(format!("{path} is {what}, not a file{hint}"));
                Err(failure.with("state", subject.stat.as_ref().map_or("absent", |stat| standing(stat).as_str())))
            }
        }
    }

    fn directory(&self, system: &dyn System, subject: &Subject, times: &Times) -> Result<Vec<Action>, Failure> {
        let Some(stat) = &subject.stat else {
            let dirs = paths::missing_dirs(system, &subject.path)?;
            let mut actions = make_dirs(system, &dirs, &self.common())?;
            actions.extend(times.action(&subject.path, None));
            return Ok(actions);
        };
        if stat.kind != FileKind::Dir {
            let (path, what) = (subject.path.display(), subject.what());
            return Err(subject.failure(format!("{path} cannot be made a directory: it is there already, as {what}")));
        }
        let mut actions = self.settle(system, &subject.path, stat, times)?;
        if self.recurse {
            walk::settle_all(self, system, &subject.path, times, &mut actions)?;
        }
        Ok(actions)
    }

    fn touch(&self, system: &dyn System, subject: &Subject, times: &Times) -> Result<Vec<Action>, Failure> {
        if let Some(stat) = &subject.stat {
            return self.settle(system, &subject.path, stat, times);
        }
        let write = WriteFile {
            path: subject.path.clone(),
            content: Content::Bytes(Vec::new()),
            attributes: self.common().attributes(system, None, false)?,
            backup: None,
            validate: None,
            unsafe_writes: self.unsafe_writes,
            diff: true,
        };
        let mut actions = vec![Action::change(Act::WriteFile(Box::new(write)))];
        actions.extend(self.common().label(system, &subject.path, false)?);
        actions.extend(times.action(&subject.path, None).filter(|_| !times.are_now()));
        Ok(actions)
    }

    fn values(&self, system: &dyn System, subject: &Subject) -> Result<Map, Failure> {
        let text = |path: &Path| Value::Str(path.to_string_lossy().into_owned());
        let name = match subject.state {
            State::Absent | State::Directory | State::File => "path",
            State::Touch | State::Hard | State::Link => "dest",
        };
        let mut values = map! { name => text(&subject.shown) };
        if let State::Hard | State::Link = subject.state {
            values.insert("src".to_owned(), link::source(self, system, subject)?.map_or(Value::Null, |src| text(&src)));
        }
        match subject.state {
            State::Absent => drop(values.insert("state".to_owned(), "absent".into())),
            // A link that points nowhere has none.
            State::Link if paths::stat(system, &subject.path, true)?.is_none() => {}
            _ => values.extend(attributes::values(system, &subject.path)?),
        }
        Ok(values)
    }
}

fn remove(path: &Path) -> Action {
    Action::change(Act::Remove { path: path.to_owned() })
}

/// Attributes of a link itself: it has no permissions.
fn of_link(common: &Common, system: &dyn System) -> Result<Attributes, Failure> {
    Ok(Attributes { mode: None, ..common.with_mode(None).attributes(system, None, false)? })
}
