//! Entries come to their places, if they are not there already.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::Args;
use super::entry::{Entry, Kind, inside};
use super::select::{Options, is_wanted};
use crate::change::{Act, Action, Attributes, Mode, WriteFile};
use crate::failure::{During, Failure};
use crate::modules::file_args::Common;
use crate::probe::{attributes, passwd, paths};
use crate::system::{Content, FileKind, Stat, System};

/// Collects what is to be done for the entries of an archive.
pub struct Placer<'a> {
    args: &'a Args,
    system: &'a dyn System,
    /// Without links.
    dest: PathBuf,
    options: Options,
    actions: Vec<Action>,
    /// Times are set last, so that all files are written together.
    times: Vec<Action>,
    names: Vec<String>,
    /// What the archive itself brings, by its path.
    brought: HashMap<PathBuf, Kind>,
    ids: HashMap<String, Option<u32>>,
}

impl<'a> Placer<'a> {
    /// For this directory.
    pub fn new(args: &'a Args, system: &'a dyn System, dest: &Path, options: Options) -> Result<Self, Failure> {
        let dest = paths::real(system, dest)?;
        let (actions, times, names) = (Vec::new(), Vec::new(), Vec::new());
        let (brought, ids) = (HashMap::new(), HashMap::new());
        Ok(Placer { args, system, dest, options, actions, times, names, brought, ids })
    }

    /// What is to be done, and the names of all entries.
    pub fn finish(mut self) -> (Vec<Action>, Vec<String>) {
        self.actions.append(&mut self.times);
        (self.actions, self.names)
    }

    /// Takes one entry.
    pub fn add(&mut self, entry: Entry, content: &mut dyn Read) -> Result<(), Failure> {
        let exclude: Vec<String> = self.args.exclude.iter().chain(&self.options.exclude).cloned().collect();
        if !is_wanted(&entry.name, &self.args.include, &exclude) {
            return Ok(());
        }
        let Some(mut relative) = inside(Path::new(&entry.name), self.options.strip)? else { return Ok(()) };
        if self.options.flat {
            match relative.file_name() {
                Some(name) if entry.kind != Kind::Dir => relative = name.into(),
                _ => return Ok(()),
            }
        }
        self.names.push(entry.name.clone());
        let path = self.dest.join(&relative).components().collect::<PathBuf>();
        self.parents(&path, &entry)?;
        let old = paths::stat(self.system, &path, false)?;
        match &entry.kind {
            Kind::Dir => self.dir(&path, old, &entry)?,
            Kind::File => self.file(&path, old, &entry, content)?,
            Kind::Link(target) => self.link(&path, old, &entry, target)?,
            Kind::Hard(target) => self.hard(&path, old, target)?,
        }
        self.brought.insert(path, entry.kind);
        Ok(())
    }

    /// Makes the directories above it, and refuses to go through a link that leads outside.
    fn parents(&mut self, path: &Path, entry: &Entry) -> Result<(), Failure> {
        let Some(parent) = path.parent().filter(|parent| parent.starts_with(&self.dest)) else { return Ok(()) };
        let through = parent.ancestors().find(|above| matches!(self.brought.get(*above), Some(Kind::Link(_))));
        if through.is_some() || !paths::real(self.system, parent)?.starts_with(&self.dest) {
            let message = format!("`{}` would be written through a link that may lead outside", entry.name);
            return Err(Failure::new(message).argument("src"));
        }
        for dir in paths::missing_dirs(self.system, parent)? {
            if !self.brought.contains_key(&dir) {
                let attributes = self.args.common().with_mode(None).attributes(self.system, None, true)?;
                self.actions.push(Action::change(Act::MakeDir { path: dir.clone(), attributes }));
                self.brought.insert(dir, Kind::Dir);
            }
        }
        Ok(())
    }

    fn dir(&mut self, path: &Path, old: Option<Stat>, entry: &Entry) -> Result<(), Failure> {
        match old {
            Some(_) if path == self.dest => self.settle(path, entry),
            Some(stat) if stat.kind == FileKind::Dir => self.settle(path, entry),
            // A link to a directory is as good as one.
            Some(stat) if stat.kind == FileKind::Link && paths::is_dir(self.system, path)? => Ok(()),
            Some(_) => Err(self.in_the_way(path, "a directory")),
            None if self.brought.contains_key(path) => {
                let attributes = self.attributes(entry, true)?;
                let set = Act::SetAttributes { path: path.to_owned(), attributes, follow: false };
                self.actions.push(Action::change(set));
                Ok(())
            }
            None => {
                let attributes = self.attributes(entry, true)?;
                self.actions.push(Action::change(Act::MakeDir { path: path.to_owned(), attributes }));
                Ok(())
            }
        }
    }

    fn file(&mut self, path: &Path, old: Option<Stat>, entry: &Entry, content: &mut dyn Read) -> Result<(), Failure> {
        if old.as_ref().is_some_and(|stat| stat.kind == FileKind::Dir) {
            return Err(self.in_the_way(path, "a file"));
        }
        let file = old.as_ref().filter(|stat| stat.kind == FileKind::File);
        let time = |stat: &Stat| entry.mtime.map(|mtime| stat.mtime.floor() - mtime.floor());
        if self.args.keep_newer && file.and_then(time).is_some_and(|later| later > 0.0) {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(entry.size).unwrap_or(0).min(64 << 20));
        content.read_to_end(&mut bytes).map_err(|error| {
            Failure::new(format!("the archive is broken at `{}`: {error}", entry.name)).argument("src")
        })?;
        let same = match file {
            Some(stat) if stat.size == bytes.len() as u64 => {
                let hash = self.system.hash(path).during(|| format!("read {}", path.display()))?;
                hash == Some(*blake3::hash(&bytes).as_bytes())
            }
            _ => false,
        };
        if same {
            self.settle(path, entry)?;
        } else {
            let write = WriteFile {
                path: path.to_owned(),
                content: Content::Bytes(bytes),
                attributes: self.attributes(entry, false)?,
                backup: None,
                validate: None,
                unsafe_writes: self.args.unsafe_writes,
                diff: true,
            };
            self.actions.push(Action::change(Act::WriteFile(Box::new(write))));
            self.actions.extend(self.args.common().label(self.system, path, file.is_some())?);
        }
        let is_set = same && file.and_then(time).is_none_or(|later| later == 0.0);
        if let (false, Some(mtime)) = (is_set, entry.mtime) {
            let set = Act::SetTimes { path: path.to_owned(), atime: None, mtime: Some(mtime) };
            self.times.push(Action::change(set));
        }
        Ok(())
    }

    fn link(&mut self, path: &Path, old: Option<Stat>, entry: &Entry, target: &Path) -> Result<(), Failure> {
        if old.as_ref().is_some_and(|stat| stat.kind == FileKind::Dir) {
            return Err(self.in_the_way(path, "a link"));
        }
        let is_link = old.as_ref().is_some_and(|stat| stat.kind == FileKind::Link);
        let there = is_link && self.system.read_link(path).during(|| format!("read {}", path.display()))? == target;
        if !there {
            let link = Act::Symlink { path: path.to_owned(), target: target.to_owned() };
            self.actions.push(Action::change(link));
        }
        let attributes = Attributes { mode: None, ..self.attributes(entry, false)? };
        let differs = match old.filter(|_| there) {
            Some(stat) => attributes::differ(&attributes, &stat),
            None => attributes.uid.is_some() || attributes.gid.is_some(),
        };
        if differs {
            let set = Act::SetAttributes { path: path.to_owned(), attributes, follow: false };
            self.actions.push(Action::change(set));
        }
        Ok(())
    }

    fn hard(&mut self, path: &Path, old: Option<Stat>, target: &Path) -> Result<(), Failure> {
        let Some(target) = inside(target, self.options.strip)? else { return Ok(()) };
        let target = self.dest.join(target);
        let other = paths::stat(self.system, &target, false)?;
        let is_same = match (&old, &other) {
            (Some(old), Some(other)) => (old.dev, old.ino) == (other.dev, other.ino),
            _ => false,
        };
        // A file that is written anew gets another inode, to which its other names must be moved.
        let is_new = self.actions.iter().any(|action| action.act.path() == Some(&target));
        if !is_same || is_new {
            self.actions.push(Action::change(Act::HardLink { path: path.to_owned(), target }));
        }
        Ok(())
    }

    /// What is there gets the attributes that it lacks.
    fn settle(&mut self, path: &Path, entry: &Entry) -> Result<(), Failure> {
        let Some(stat) = paths::stat(self.system, path, false)? else { return Ok(()) };
        let wanted = self.attributes(entry, stat.kind == FileKind::Dir)?;
        self.actions.extend(attributes::settle(path, &wanted, &stat));
        self.actions.extend(self.args.common().label(self.system, path, true)?);
        Ok(())
    }

    /// What the arguments say, else what the archive says. Only root can give files away.
    fn attributes(&mut self, entry: &Entry, is_dir: bool) -> Result<Attributes, Failure> {
        let is_root = self.system.identity().uid == 0;
        let keep_mode = is_root && !self.options.no_permissions;
        let mask = if keep_mode && entry.owner.is_some() { 0 } else { self.system.umask() };
        let default = if is_dir { 0o777 } else { 0o666 };
        let mode = entry.mode.unwrap_or(default) & !mask;
        let given: Common = self.args.common();
        let mut attributes = given.with_mode(None).attributes(self.system, None, is_dir)?;
        attributes.mode = Some(match given.mode {
            Some(Mode::Bits(bits)) => *bits,
            Some(Mode::Symbolic(text)) => attributes::symbolic(text, mode, is_dir, self.system.umask())
                .map_err(|message| Failure::new(message).argument("mode"))?,
            Some(Mode::Preserve) | None => mode,
        });
        if is_root && !self.options.no_owner {
            attributes.uid = attributes.uid.or_else(|| self.id(&entry.owner, true));
            attributes.gid = attributes.gid.or_else(|| self.id(&entry.group, false));
        }
        Ok(attributes)
    }

    /// The number that a name has on this machine, else the archive's number.
    fn id(&mut self, owner: &Option<(u32, String)>, user: bool) -> Option<u32> {
        let (number, name) = owner.as_ref()?;
        let system = self.system;
        let known = self.ids.entry(format!("{user} {name}")).or_insert_with(|| match user {
            _ if name.is_empty() => None,
            true => passwd::user(system, name).ok().flatten().map(|user| user.uid),
            false => passwd::group(system, name).ok().flatten().map(|group| group.gid),
        });
        Some(known.unwrap_or(*number))
    }

    fn in_the_way(&self, path: &Path, wanted: &str) -> Failure {
        let message = format!("{} cannot become {wanted}: something else is there", path.display());
        Failure::new(message).argument("dest")
    }
}
