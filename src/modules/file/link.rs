//! Links, symbolic and hard.

use std::path::{Path, PathBuf};

use super::times::Times;
use super::{Args, Subject, of_link, remove, standing};
use crate::change::{Act, Action};
use crate::failure::{During, Failure};
use crate::probe::{attributes, paths};
use crate::system::{FileKind, System};

/// What the link is to point at: `src`, or where it points already.
pub fn source(args: &Args, system: &dyn System, subject: &Subject) -> Result<Option<PathBuf>, Failure> {
    if let Some(src) = &args.src {
        return crate::probe::expand::path(system, src).map(Some);
    }
    let is_link = subject.stat.as_ref().is_some_and(|stat| stat.kind == FileKind::Link);
    let points = |path: &Path| system.read_link(path).during(|| format!("read the link {}", path.display()));
    if is_link { points(&subject.path).map(Some) } else { Ok(None) }
}

/// A symbolic link; warnings beside the actions.
pub fn symbolic(
    args: &Args,
    system: &dyn System,
    subject: &Subject,
    times: &Times,
) -> Result<(Vec<Action>, Vec<String>), Failure> {
    let path = &subject.path;
    let src = source(args, system, subject)?;
    let src = src.ok_or_else(|| Failure::new("a new link needs `src`: what it is to point at").argument("src"))?;
    let folder = match &subject.stat {
        Some(stat) if stat.kind == FileKind::Dir => path.as_path(),
        _ => path.parent().unwrap_or(Path::new("/")),
    };
    let target = paths::stat(system, &folder.join(&src), true)?;
    if target.is_none() && args.src.is_some() && !args.force {
        let message =
            format!("there is nothing at {}; `force: true` makes the link all the same", folder.join(&src).display());
        return Err(Failure::new(message).argument("src").with("src", src.to_string_lossy().into_owned()));
    }
    let mut actions = Vec::new();
    let points = match &subject.stat {
        Some(stat) if stat.kind == FileKind::Link => system.read_link(path).ok(),
        Some(stat) => {
            actions.extend(make_room(args, system, subject, stat.kind)?);
            None
        }
        None => None,
    };
    let is_new = points.as_ref() != Some(&src);
    if is_new {
        actions.push(Action::change(Act::Symlink { path: path.clone(), target: src.clone() }));
    }
    if !args.follow {
        let wanted = of_link(&args.common(), system)?;
        match subject.stat.as_ref().filter(|stat| stat.kind == FileKind::Link && !is_new) {
            Some(stat) => actions.extend(attributes::settle(path, &wanted, stat)),
            None if wanted != Default::default() => {
                let set = Act::SetAttributes { path: path.clone(), attributes: wanted, follow: false };
                actions.push(Action::change(set));
            }
            None => {}
        }
        return Ok((actions, Vec::new()));
    }
    // A target that is not named by the playbook was chosen by whoever laid the link.
    let real = match args.src {
        Some(_) => paths::real(system, &path.parent().unwrap_or(Path::new("/")).join(&src))?,
        None => paths::real(system, path)?,
    };
    match paths::stat(system, &real, false)? {
        Some(stat) => actions.extend(args.settle(system, &real, &stat, times)?),
        None if of_link(&args.common(), system)? == Default::default() && args.mode.is_none() => {}
        None => {
            let warning = "nothing stands where the link points, so its owner, group and permissions cannot be set; \
                           `follow: false` says that the link itself is meant";
            return Ok((actions, vec![warning.to_owned()]));
        }
    }
    Ok((actions, Vec::new()))
}

/// Takes away what stands in the place of a link, if that may go.
fn make_room(args: &Args, system: &dyn System, subject: &Subject, kind: FileKind) -> Result<Option<Action>, Failure> {
    let path = subject.path.display();
    if !args.force {
        let what = subject.what();
        return Err(subject.failure(format!("{path} is there already, as {what}; `force: true` makes it a link")));
    }
    if kind != FileKind::Dir {
        // The new link takes the place of a file at once.
        return Ok(None);
    }
    let names = system.list(&subject.path).during(|| format!("list {path}"))?.unwrap_or_default();
    match names.is_empty() {
        true => Ok(Some(remove(&subject.path))),
        false => Err(subject.failure(format!("{path} is a directory that is not empty: it is not made a link"))),
    }
}

/// Another name for a file.
pub fn hard(args: &Args, system: &dyn System, subject: &Subject, times: &Times) -> Result<Vec<Action>, Failure> {
    let path = &subject.path;
    let Some(src) = &args.src else {
        return match &subject.stat {
            Some(stat) if standing(stat).as_str() == "hard" => args.settle(system, path, stat, times),
            _ => Err(Failure::new("a new hard link needs `src`: the file that gets another name").argument("src")),
        };
    };
    let src = paths::absolute(system, src)?;
    let of_source = paths::stat(system, &src, true)?;
    let of_source =
        of_source.ok_or_else(|| Failure::new(format!("there is nothing at {}", src.display())).argument("src"))?;
    let is_same = subject.stat.as_ref().is_some_and(|stat| (stat.ino, stat.dev) == (of_source.ino, of_source.dev));
    let mut actions = Vec::new();
    if !is_same {
        if let Some(stat) = &subject.stat
            && stat.kind != FileKind::Link
            && (!args.force || stat.kind == FileKind::Dir)
        {
            let hint = if stat.kind == FileKind::Dir { "" } else { "; `force: true` replaces it" };
            return Err(subject.failure(format!(
                "{} is there already, as another {}{hint}",
                path.display(),
                if stat.kind == FileKind::Dir { "directory" } else { "file" }
            )));
        }
        let target = if args.follow { paths::real(system, &src)? } else { src };
        actions.push(Action::change(Act::HardLink { path: path.clone(), target }));
    }
    actions.extend(args.settle(system, path, &of_source, times)?);
    Ok(actions)
}
