//! Directories with all that is in them.

use std::path::{Path, PathBuf};

use super::Args;
use crate::change::{Action, Attributes, Change};
use crate::failure::{During, Failure};
use crate::map;
use crate::module::{Mode, TreeEntry, TreeKind};
use crate::modules::file_args::{Common, make_dirs};
use crate::modules::placing::{text, wrong_checksum};
use crate::modules::put::{self, Put};
use crate::probe::{attributes, expand, paths};
use crate::system::{Content, FileKind, Output, Stat, System};

/// A directory of the controller. What it has goes into place; what else the host has there stays.
pub fn of_controller(
    args: &Args,
    system: &dyn System,
    name: &str,
    entries: &[TreeEntry],
    done: &[Output],
) -> Result<Change, Failure> {
    let shown = expand::path(system, &args.dest)?.join("");
    let values = map! { "dest" => text(&shown), "src" => name };
    if !done.is_empty() || entries.is_empty() {
        return Ok(Change::none(values));
    }
    let root = system.cwd().join(&shown).join(name).components().collect::<PathBuf>();
    let of_dirs = Common { flags: None, ..args.common().with_mode(args.directory_mode.as_ref()) };
    let mut actions = make_dirs(system, &paths::missing_dirs(system, &root)?, &of_dirs)?;
    let has_dirs = entries.iter().any(|entry| entry.kind == TreeKind::Dir);
    for entry in entries {
        let path = root.join(&entry.path);
        actions.extend(match &entry.kind {
            TreeKind::Dir => directory(system, &path, &of_dirs)?,
            TreeKind::File(blob) => {
                if let Some(checksum) = args.checksum.as_deref().filter(|checksum| *checksum != blob.sha1) {
                    return Err(wrong_checksum(&blob.sha1, checksum));
                }
                let mode = args.mode_from(entry.mode);
                file(args, system, path, Content::Blob(blob.clone()), mode.as_ref(), args.follow && !has_dirs)?
            }
            TreeKind::Link(target) => {
                let stat = paths::stat(system, &path, false)?;
                put::link(system, &path, stat.as_ref(), target, &put::of_link(system, &args.common())?)?
            }
        });
    }
    Ok(Change { again: !actions.is_empty(), actions, values, ..Change::default() })
}

/// A directory in a tree: made, or given what it lacks.
fn directory(system: &dyn System, path: &Path, common: &Common) -> Result<Vec<Action>, Failure> {
    match paths::stat(system, path, true)? {
        None => make_dirs(system, &[path.to_owned()], common),
        Some(stat) if stat.kind == FileKind::Dir => common.settle(system, &paths::real(system, path)?, &stat),
        Some(_) => Err(in_the_way(path, "a directory")),
    }
}

/// A file in a tree.
fn file(
    args: &Args,
    system: &dyn System,
    mut path: PathBuf,
    content: Content,
    mode: Option<&Mode>,
    follow: bool,
) -> Result<Vec<Action>, Failure> {
    let mut stat = paths::stat(system, &path, false)?;
    if stat.as_ref().is_some_and(|stat| stat.kind == FileKind::Link) && follow {
        path = paths::real(system, &path)?;
        stat = paths::stat(system, &path, false)?;
    }
    match &stat {
        Some(stat) if stat.kind == FileKind::Dir => Err(in_the_way(&path, "a file")),
        Some(_) if !args.force => Ok(Vec::new()),
        stat => args.put(mode).actions(system, &path, stat.as_ref(), content),
    }
}

fn in_the_way(path: &Path, what: &str) -> Failure {
    Failure::new(format!("{} is there already, and it is not {what}", path.display())).argument("dest")
}

/// A directory of the host itself. Everything brings its permissions; `mode` is that of the copied directory.
pub fn of_host(args: &Args, system: &dyn System, src: &Path, stat: &Stat, done: &[Output]) -> Result<Change, Failure> {
    let dest = system.cwd().join(expand::path(system, &args.dest)?);
    let root = match paths::ends_in_slash(src) {
        true => dest.clone(),
        false => dest.join(src.file_name().unwrap_or_default()),
    };
    let root: PathBuf = root.components().collect();
    let mut values = map! { "dest" => text(&root), "src" => text(src) };
    let is_left = !args.force && paths::stat(system, &root, true)?.is_some();
    let actions = match done.is_empty() && !is_left {
        true => of_host_actions(args, system, src, stat, &root)?,
        false => Vec::new(),
    };
    values.extend(attributes::values(system, &root)?);
    Ok(Change { again: !actions.is_empty(), actions, values, ..Change::default() })
}

fn of_host_actions(
    args: &Args,
    system: &dyn System,
    src: &Path,
    stat: &Stat,
    root: &Path,
) -> Result<Vec<Action>, Failure> {
    let missing = paths::missing_dirs(system, root)?;
    if let Some(outermost) = missing.first()
        && !paths::ends_in_slash(&args.dest)
        && system
            .cwd()
            .join(expand::path(system, &args.dest)?)
            .parent()
            .is_some_and(|parent| parent.starts_with(outermost))
    {
        let message = format!("Destination directory {} does not exist", outermost.display());
        return Err(Failure::new(message).argument("dest"));
    }
    let above: Vec<PathBuf> = missing.into_iter().filter(|dir| dir != root).collect();
    let mut actions = make_dirs(system, &above, &args.common().with_mode(args.directory_mode.as_ref()))?;
    let mode = match &args.mode {
        Some(_) => args.mode_from(stat.mode),
        None => None,
    };
    let top = Common { mode: mode.as_ref(), ..args.common() };
    actions.extend(match paths::stat(system, root, false)? {
        None => {
            make_dirs(system, &[root.to_owned()], &top.with_mode(Some(&mode.clone().unwrap_or(Mode::Bits(stat.mode)))))?
        }
        Some(_) => directory(system, root, &top)?,
    });
    let copier = Copier { args, system, follow: args.local_follow == Some(true) };
    copier.below(src, root, &mut actions)?;
    Ok(actions)
}

struct Copier<'a> {
    args: &'a Args,
    system: &'a dyn System,
    follow: bool,
}

impl Copier<'_> {
    /// Only owner and group are given to what is there; the permissions come with the content.
    fn common(&self) -> Common<'_> {
        Common { owner: self.args.owner.as_deref(), group: self.args.group.as_deref(), ..Common::default() }
    }

    fn below(&self, src: &Path, dest: &Path, actions: &mut Vec<Action>) -> Result<(), Failure> {
        let names = self.system.list(src).during(|| format!("list {}", src.display()))?.unwrap_or_default();
        for name in names {
            self.one(&src.join(&name), &dest.join(&name), actions)?;
        }
        Ok(())
    }

    fn one(&self, src: &Path, dest: &Path, actions: &mut Vec<Action>) -> Result<(), Failure> {
        let Some(stat) = paths::stat(self.system, src, self.follow)? else { return Ok(()) };
        let there = paths::stat(self.system, dest, stat.kind != FileKind::Link)?;
        match stat.kind {
            FileKind::Dir => {
                actions.extend(match &there {
                    None => make_dirs(
                        self.system,
                        &[dest.to_owned()],
                        &self.common().with_mode(Some(&Mode::Bits(stat.mode))),
                    )?,
                    Some(_) => directory(self.system, dest, &self.common())?,
                });
                self.below(src, dest, actions)
            }
            FileKind::Link => {
                let target = self.system.read_link(src).during(|| format!("read the link {}", src.display()))?;
                let wanted = put::of_link(self.system, &self.common())?;
                actions.extend(put::link(self.system, dest, there.as_ref(), &target, &wanted)?);
                Ok(())
            }
            FileKind::File => {
                actions.extend(self.file(src, &stat, dest, there.as_ref())?);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn file(&self, src: &Path, stat: &Stat, dest: &Path, there: Option<&Stat>) -> Result<Vec<Action>, Failure> {
        let content = Content::File(src.to_owned());
        let mode = Attributes { mode: Some(stat.mode), ..Attributes::default() };
        let put = Put { common: self.common(), ..self.args.put(None) };
        match there {
            Some(there) if there.kind == FileKind::Dir => Err(in_the_way(dest, "a file")),
            Some(there) if put::holds(self.system, dest, there, &content)? => {
                self.common().settle(self.system, &paths::real(self.system, dest)?, there)
            }
            there => put.write(self.system, &paths::real(self.system, dest)?, there, content, &mode),
        }
    }
}
