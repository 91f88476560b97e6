//! From the controller to the host.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::options::{Options, mode};
use super::{Args, lines};
use crate::change::{Act, Action, Attributes, Change};
use crate::failure::{During, Failure};
use crate::module::{TreeEntry, TreeKind};
use crate::modules::put::{self, Put};
use crate::probe::{attributes, expand, passwd, paths};
use crate::system::{Content, FileKind, Stat, System};

/// What must be done so that the host has what the tree has.
pub fn plan(
    args: &Args,
    options: &Options,
    system: &dyn System,
    name: &str,
    entries: &[TreeEntry],
) -> Result<Change, Failure> {
    let Some(top) = entries.first() else { return Ok(Change::none(lines(&[]))) };
    let dest = system.cwd().join(expand::path(system, &args.dest)?);
    let mut mirror = Mirror {
        options,
        system,
        prefix: String::new(),
        root: dest.clone(),
        actions: Vec::new(),
        times: Vec::new(),
        touched: HashSet::new(),
    };
    match top.kind {
        TreeKind::Dir if name.is_empty() => mirror.parents(&dest)?,
        TreeKind::Dir => {
            mirror.container(&dest)?;
            mirror.root = dest.join(name);
            mirror.prefix = format!("{name}/");
        }
        _ if paths::ends_in_slash(&args.dest) || paths::is_dir(system, &dest)? => {
            mirror.container(&dest)?;
            mirror.root = dest.join(name);
        }
        _ => mirror.parents(&dest)?,
    }
    // Without a trailing slash, which would be in the way when the name above is asked for.
    mirror.root = mirror.root.components().collect();
    mirror.entries(entries)?;
    if options.delete && options.recursive {
        mirror.delete(entries)?;
    }
    let actions = mirror.finish();
    let said: Vec<String> = actions.iter().map(|action| format!("{action}\n")).collect();
    Ok(Change::of(actions, lines(&said)))
}

/// A time to be given.
struct Times {
    path: PathBuf,
    mtime: f64,
    /// In any case; else only where something in the directory changes, which would change its time.
    is_due: bool,
}

struct Mirror<'a> {
    options: &'a Options,
    system: &'a dyn System,
    /// What stands before the paths of the tree where patterns look at them.
    prefix: String,
    root: PathBuf,
    actions: Vec<Action>,
    /// Times, which are given in the end, from the innermost out.
    times: Vec<Times>,
    /// Directories in which something is made or removed.
    touched: HashSet<PathBuf>,
}

impl Mirror<'_> {
    /// The directory above must be there, unless it is asked for.
    fn parents(&mut self, path: &Path) -> Result<(), Failure> {
        let above: PathBuf = path.components().collect();
        let above = above.parent().unwrap_or(Path::new("/"));
        let missing = paths::missing_dirs(self.system, above)?;
        if let (Some(first), false) = (missing.first(), self.options.mkpath) {
            let message = format!("there is no directory {}: only the last one of `dest` is made", first.display());
            return Err(Failure::new(message).argument("dest"));
        }
        missing.into_iter().for_each(|dir| self.change(Act::MakeDir { path: dir, attributes: Attributes::default() }));
        Ok(())
    }

    /// The directory that something keeps its name in.
    fn container(&mut self, dest: &Path) -> Result<(), Failure> {
        self.parents(dest)?;
        let dest: PathBuf = dest.components().collect();
        if paths::stat(self.system, &dest, true)?.is_none() {
            self.change(Act::MakeDir { path: dest, attributes: Attributes::default() });
        }
        Ok(())
    }

    fn change(&mut self, act: Act) {
        let in_place = matches!(act, Act::SetAttributes { .. } | Act::SetTimes { .. });
        if let Some(dir) = act.path().and_then(Path::parent).filter(|_| !in_place) {
            self.touched.insert(dir.to_owned());
        }
        self.actions.push(Action::change(act));
    }

    fn entries(&mut self, entries: &[TreeEntry]) -> Result<(), Failure> {
        let is_dir = entries.first().is_some_and(|entry| entry.kind == TreeKind::Dir);
        for entry in entries {
            let depth = entry.path.components().count();
            // Without `recursive` a directory is left out, or with `dirs` comes without what is in it.
            let is_wanted = match (self.options.recursive, self.options.dirs) {
                (true, _) => true,
                (false, true) => depth == 0 || (depth == 1 && self.prefix.is_empty()),
                (false, false) => !is_dir,
            };
            if is_wanted {
                self.entry(entry)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, entry: &TreeEntry) -> Result<(), Failure> {
        let path = self.path(entry);
        let stat = paths::stat(self.system, &path, false)?;
        let is_left = match &stat {
            None => self.options.existing_only,
            Some(_) => self.options.ignore_existing && entry.kind != TreeKind::Dir,
        };
        if is_left {
            return Ok(());
        }
        match &entry.kind {
            TreeKind::Dir => self.dir(entry, path, stat),
            TreeKind::File(blob) => self.file(entry, path, stat, Content::Blob(blob.clone())),
            TreeKind::Link(_) if !self.options.links => Ok(()),
            TreeKind::Link(target) => {
                let stat = self.clear(&path, stat, |kind| kind != FileKind::Dir)?;
                let wanted = Attributes { mode: None, ..self.attributes(entry, stat.as_ref())? };
                for action in put::link(self.system, &path, stat.as_ref(), target, &wanted)? {
                    self.change(action.act);
                }
                Ok(())
            }
        }
    }

    fn path(&self, entry: &TreeEntry) -> PathBuf {
        if entry.path.as_os_str().is_empty() { self.root.clone() } else { self.root.join(&entry.path) }
    }

    /// Makes way where something of another kind stands, if that is asked for; what stands there then.
    fn clear(
        &mut self,
        path: &Path,
        stat: Option<Stat>,
        fits: impl Fn(FileKind) -> bool,
    ) -> Result<Option<Stat>, Failure> {
        match stat {
            Some(stat) if !fits(stat.kind) && self.options.delete => {
                self.change(Act::Remove { path: path.to_owned() });
                Ok(None)
            }
            Some(stat) if !fits(stat.kind) => {
                let message = format!("{} is something else on the host; `delete` lets it be replaced", path.display());
                Err(Failure::new(message).argument("dest"))
            }
            stat => Ok(stat),
        }
    }

    fn dir(&mut self, entry: &TreeEntry, path: PathBuf, stat: Option<Stat>) -> Result<(), Failure> {
        // `dest` itself may be a link to a directory.
        let stat = match entry.path.as_os_str().is_empty() && self.prefix.is_empty() {
            true => paths::stat(self.system, &path, true)?.or(stat),
            false => stat,
        };
        let stat = self.clear(&path, stat, |kind| kind == FileKind::Dir)?;
        let attributes = self.attributes(entry, stat.as_ref())?;
        match &stat {
            None => self.change(Act::MakeDir { path: path.clone(), attributes }),
            Some(stat) => {
                if let Some(action) = attributes::settle(&paths::real(self.system, &path)?, &attributes, stat) {
                    self.actions.push(action);
                }
            }
        }
        if let Some(origin) = entry.origin.as_ref().filter(|_| self.options.dir_times) {
            let is_due = !stat.is_some_and(|stat| same(stat.mtime, origin.mtime));
            self.times.push(Times { path, mtime: origin.mtime, is_due });
        }
        Ok(())
    }

    fn file(&mut self, entry: &TreeEntry, path: PathBuf, stat: Option<Stat>, content: Content) -> Result<(), Failure> {
        let stat = self.clear(&path, stat, |kind| kind == FileKind::File)?;
        let attributes = self.attributes(entry, stat.as_ref())?;
        let is_there = match &stat {
            Some(stat) => put::holds(self.system, &path, stat, &content)?,
            None => false,
        };
        match &stat {
            Some(stat) if is_there => self.actions.extend(attributes::settle(&path, &attributes, stat)),
            stat => {
                for action in Put::default().write(self.system, &path, stat.as_ref(), content, &attributes)? {
                    self.change(action.act);
                }
            }
        }
        if let Some(origin) = entry.origin.as_ref().filter(|_| self.options.times)
            && !(is_there && stat.is_some_and(|stat| same(stat.mtime, origin.mtime)))
        {
            self.times.push(Times { path, mtime: origin.mtime, is_due: true });
        }
        Ok(())
    }

    /// What something is to have. Only root gives things away.
    fn attributes(&self, entry: &TreeEntry, stat: Option<&Stat>) -> Result<Attributes, Failure> {
        let is_dir = entry.kind == TreeKind::Dir;
        let bits =
            mode(&self.options.chmod, entry.mode, is_dir).map_err(|why| Failure::new(why).argument("rsync_opts"))?;
        let mode = match (self.options.perms, stat) {
            (true, _) => Some(bits),
            (false, None) => Some(bits & !self.system.umask()),
            (false, Some(_)) => None,
        };
        let (user, group) = &self.options.chown;
        let is_root = self.system.identity().uid == 0;
        let origin = entry.origin.as_ref();
        let mut wanted = Attributes { mode, ..Attributes::default() };
        if let Some(user) = user {
            wanted.uid = Some(attributes::uid(self.system, user)?);
        } else if let Some(origin) = origin.filter(|_| is_root && self.options.owner) {
            let known = origin.owner.as_deref().map(|name| passwd::user(self.system, name)).transpose()?.flatten();
            wanted.uid = Some(known.map_or(origin.uid, |user| user.uid));
        }
        if let Some(group) = group {
            wanted.gid = Some(attributes::gid(self.system, group)?);
        } else if let Some(origin) = origin.filter(|_| is_root && self.options.group) {
            let known = origin.group.as_deref().map(|name| passwd::group(self.system, name)).transpose()?.flatten();
            wanted.gid = Some(known.map_or(origin.gid, |group| group.gid));
        }
        Ok(wanted)
    }

    /// Removes what the tree does not have.
    fn delete(&mut self, entries: &[TreeEntry]) -> Result<(), Failure> {
        let mut has: HashMap<&Path, HashSet<OsString>> = HashMap::new();
        for entry in entries {
            if entry.kind == TreeKind::Dir {
                has.entry(&entry.path).or_default();
            }
            if let (Some(dir), Some(name)) = (entry.path.parent(), entry.path.file_name()) {
                has.entry(dir).or_default().insert(name.to_owned());
            }
        }
        for entry in entries.iter().filter(|entry| entry.kind == TreeKind::Dir) {
            let path = self.path(entry);
            let stat = paths::stat(self.system, &path, true)?;
            if stat.is_none_or(|stat| stat.kind != FileKind::Dir) {
                continue;
            }
            let names = self.system.list(&path).during(|| format!("list {}", path.display()))?.unwrap_or_default();
            for name in names.iter().filter(|name| !has[entry.path.as_path()].contains(*name)) {
                self.remove(&entry.path.join(name))?;
            }
        }
        Ok(())
    }

    /// Removes one thing with all that is in it, but for what is excluded; whether it is gone then.
    fn remove(&mut self, inside: &Path) -> Result<bool, Failure> {
        let path = self.root.join(inside);
        let Some(stat) = paths::stat(self.system, &path, false)? else { return Ok(true) };
        let is_dir = stat.kind == FileKind::Dir;
        let shown = format!("{}{}", self.prefix, inside.display());
        if !self.options.delete_excluded && self.options.filter.leaves_out(&shown, is_dir) {
            return Ok(false);
        }
        if is_dir {
            let before = self.actions.len();
            let names = self.system.list(&path).during(|| format!("list {}", path.display()))?.unwrap_or_default();
            let mut gone = true;
            for name in names {
                gone &= self.remove(&inside.join(name))?;
            }
            if !gone {
                return Ok(false);
            }
            // It goes as a whole.
            self.actions.truncate(before);
        }
        self.change(Act::Remove { path });
        Ok(true)
    }

    fn finish(mut self) -> Vec<Action> {
        let mut times = self.times;
        times.retain(|times| times.is_due || self.touched.contains(&times.path));
        times.sort_by_key(|times| std::cmp::Reverse(times.path.components().count()));
        let set = |Times { path, mtime, .. }| Act::SetTimes { path, atime: None, mtime: Some(mtime) };
        self.actions.extend(times.into_iter().map(set).map(Action::change));
        self.actions
    }
}

/// Whether two times are one, as far as a file system and a number of 64 bits keep them.
fn same(one: f64, other: f64) -> bool {
    (one - other).abs() < 0.001
}
