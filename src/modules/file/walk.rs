//! Everything in a directory.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::times::Times;
use super::{Args, of_link};
use crate::change::Action;
use crate::failure::{During, Failure};
use crate::probe::{attributes, paths};
use crate::system::{FileKind, System};

/// Gives everything below `dir` what it lacks. With `follow` also what links point at, but nothing twice.
pub fn settle_all(
    args: &Args,
    system: &dyn System,
    dir: &Path,
    times: &Times,
    actions: &mut Vec<Action>,
) -> Result<(), Failure> {
    let mut seen = HashSet::from([dir.to_owned()]);
    let mut todo = vec![dir.to_owned()];
    while let Some(dir) = todo.pop() {
        let names = system.list(&dir).during(|| format!("list {}", dir.display()))?.unwrap_or_default();
        for name in names {
            one(args, system, dir.join(name), times, actions, &mut seen, &mut todo)?;
        }
    }
    Ok(())
}

fn one(
    args: &Args,
    system: &dyn System,
    path: PathBuf,
    times: &Times,
    actions: &mut Vec<Action>,
    seen: &mut HashSet<PathBuf>,
    todo: &mut Vec<PathBuf>,
) -> Result<(), Failure> {
    if !seen.insert(path.clone()) {
        return Ok(());
    }
    let Some(stat) = paths::stat(system, &path, false)? else { return Ok(()) };
    if stat.kind != FileKind::Link {
        actions.extend(args.settle(system, &path, &stat, times)?);
        if stat.kind == FileKind::Dir {
            todo.push(path);
        }
        return Ok(());
    }
    actions.extend(attributes::settle(&path, &of_link(&args.common(), system)?, &stat));
    // Whose folder it is may have laid a link to something that is not theirs: that stays as it is.
    match args.follow && paths::stat(system, &path, true)?.is_some() && system.follow(&path).is_ok() {
        true => one(args, system, paths::real(system, &path)?, times, actions, seen, todo),
        false => Ok(()),
    }
}
