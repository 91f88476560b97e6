//! Paths as arguments name them, and what they lead to.

use std::path::{Component, Path, PathBuf};

use super::expand;
use crate::failure::{During, Failure};
use crate::system::{FileKind, Stat, System};

/// As many links may lead to a file; the kernel's own limit.
const MAX_LINKS: usize = 40;

/// A path argument made absolute: variables, `~`, and the working directory.
pub fn absolute(system: &dyn System, path: &Path) -> Result<PathBuf, Failure> {
    let path = expand::path(system, path)?;
    Ok(if path.is_absolute() { path } else { system.cwd().join(path) })
}

/// The path without links and `..`, as `realpath -m` says it, for whoever goes there: a link that somebody else may have
/// laid to lead us astray is refused. What does not exist is kept.
pub fn real(system: &dyn System, path: &Path) -> Result<PathBuf, Failure> {
    resolve(path, system, &|link| system.follow(link).during(|| format!("follow {}", link.display())))
}

/// A path argument made absolute for a program, which follows links by itself: what [`real`] refuses is refused.
pub fn for_program(system: &dyn System, path: &Path) -> Result<PathBuf, Failure> {
    let path = absolute(system, path)?;
    real(system, &path)?;
    Ok(path)
}

/// The same as [`real`] for whoever only wants to know.
pub fn leads_to(system: &dyn System, path: &Path) -> Result<PathBuf, Failure> {
    resolve(path, system, &|link| system.read_link(link).during(|| format!("read the link {}", link.display())))
}

fn resolve(
    path: &Path,
    system: &dyn System,
    follow: &dyn Fn(&Path) -> Result<PathBuf, Failure>,
) -> Result<PathBuf, Failure> {
    let mut todo: Vec<PathBuf> = vec![path.to_owned()];
    let mut done = PathBuf::from("/");
    let mut links = 0;
    while let Some(rest) = todo.pop() {
        let mut parts = rest.components();
        let Some(part) = parts.next() else { continue };
        todo.push(parts.as_path().to_owned());
        match part {
            Component::Normal(name) => {
                let next = done.join(name);
                let stat = stat(system, &next, false)?;
                if stat.is_none_or(|stat| stat.kind != FileKind::Link) {
                    done = next;
                    continue;
                }
                links += 1;
                if links > MAX_LINKS {
                    return Err(Failure::new(format!("too many links lead to {}", path.display())));
                }
                todo.push(follow(&next)?);
            }
            Component::ParentDir => drop(done.pop()),
            Component::RootDir => done = PathBuf::from("/"),
            Component::CurDir | Component::Prefix(_) => {}
        }
    }
    Ok(done)
}

/// What stands at a path, with the path in the failure.
pub fn stat(system: &dyn System, path: &Path, follow: bool) -> Result<Option<Stat>, Failure> {
    system.stat(path, follow).during(|| format!("look at {}", path.display()))
}

/// Whether a directory stands there, or a link to one.
pub fn is_dir(system: &dyn System, path: &Path) -> Result<bool, Failure> {
    Ok(stat(system, path, true)?.is_some_and(|stat| stat.kind == FileKind::Dir))
}

/// Whether the argument ends in a slash, which says that a directory is meant.
pub fn ends_in_slash(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"/")
}

/// The directories above and including `path` that do not exist, outermost first.
pub fn missing_dirs(system: &dyn System, path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut missing = Vec::new();
    for dir in path.ancestors() {
        if dir.as_os_str().is_empty() || stat(system, dir, true)?.is_some() {
            break;
        }
        missing.push(dir.to_owned());
    }
    missing.reverse();
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::fake::Fake;

    #[test]
    fn links_are_resolved_and_what_is_missing_is_kept() {
        let fake =
            Fake::new().file("/srv/v1/a", "").link("/srv/now", "v1").link("/out", "../srv/now/./a").link("/l", "l");
        let real = |path: &str| real(&fake, Path::new(path)).map(|path| path.display().to_string());
        assert_eq!(real("/srv/now/a").unwrap(), "/srv/v1/a");
        assert_eq!(real("/out").unwrap(), "/srv/v1/a");
        assert_eq!(real("/srv/now/../x/y").unwrap(), "/srv/x/y");
        assert!(real("/l").is_err());
    }

    #[test]
    fn relative_ones_start_at_the_working_directory() {
        let fake = Fake::new();
        assert_eq!(absolute(&fake, Path::new("a")).unwrap(), Path::new("/root/a"));
        assert_eq!(absolute(&fake, Path::new("~/a/")).unwrap().as_os_str(), "/root/a/");
        assert_eq!(missing_dirs(&fake, Path::new("/etc/a/b")).unwrap(), [Path::new("/etc/a"), Path::new("/etc/a/b")]);
    }
}
