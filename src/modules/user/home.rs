//! The home directory of an account that exists without one: a copy of the skeleton, owned by the user.

use std::path::{Path, PathBuf};

use super::Args;
use super::account::{make_dir, owned};
use crate::change::{Act, Action, Attributes, WriteFile};
use crate::failure::{During, Failure};
use crate::probe::passwd;
use crate::system::{Content, FileKind, System};

/// Makes the home directory `home` with what the skeleton holds.
pub fn make(args: &Args, system: &dyn System, home: &Path, uid: u32, gid: u32) -> Result<Vec<Action>, Failure> {
    let mut actions = parents(system, home)?;
    actions.push(make_dir(home.to_owned(), owned(uid, gid, Some(mode(args, system)?))));
    let skeleton = args.skeleton.clone().unwrap_or_else(|| PathBuf::from("/etc/skel"));
    copy(system, &skeleton, home, (uid, gid), &mut actions)?;
    Ok(actions)
}

/// Makes the directories above `home` that are missing.
pub fn parents(system: &dyn System, home: &Path) -> Result<Vec<Action>, Failure> {
    let mut missing = Vec::new();
    for parent in home.ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty()) {
        if system.stat(parent, true).during(|| format!("look at {}", parent.display()))?.is_some() {
            break;
        }
        missing.push(make_dir(parent.to_owned(), Attributes { mode: Some(0o755), ..Attributes::default() }));
    }
    missing.reverse();
    Ok(missing)
}

/// The permissions of a new home directory: `HOME_MODE`, else what `UMASK` leaves, as `/etc/login.defs` says.
pub fn mode(args: &Args, system: &dyn System) -> Result<u32, Failure> {
    let octal = |text: Option<String>| text.and_then(|text| u32::from_str_radix(&text, 8).ok());
    if let Some(umask) = octal(args.umask.clone()) {
        return Ok(0o777 & !umask);
    }
    if let Some(mode) = octal(passwd::login_defs(system, "HOME_MODE")?) {
        return Ok(mode);
    }
    Ok(0o777 & !octal(passwd::login_defs(system, "UMASK")?).unwrap_or(0o022))
}

fn copy(
    system: &dyn System,
    from: &Path,
    to: &Path,
    (uid, gid): (u32, u32),
    actions: &mut Vec<Action>,
) -> Result<(), Failure> {
    let names = system.list(from).during(|| format!("read the skeleton {}", from.display()))?.unwrap_or_default();
    for name in names {
        let (source, path) = (from.join(&name), to.join(&name));
        let Some(stat) = system.stat(&source, false)? else { continue };
        let attributes = owned(uid, gid, Some(stat.mode));
        match stat.kind {
            FileKind::Dir => {
                actions.push(make_dir(path.clone(), attributes));
                copy(system, &source, &path, (uid, gid), actions)?;
            }
            FileKind::Link => {
                let target = system.read_link(&source)?;
                actions.push(Action::change(Act::Symlink { path, target }));
            }
            FileKind::File => actions.push(Action::change(Act::WriteFile(Box::new(WriteFile {
                path,
                content: Content::File(source),
                attributes,
                backup: None,
                validate: None,
                unsafe_writes: false,
                diff: true,
            })))),
            _ => {}
        }
    }
    Ok(())
}
