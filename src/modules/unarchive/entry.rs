//! One entry of an archive.

use std::path::{Component, Path, PathBuf};

use crate::failure::Failure;

/// What an entry is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A directory.
    Dir,
    /// A file; its content comes apart.
    File,
    /// A symbolic link to this.
    Link(PathBuf),
    /// Another name of an entry before it.
    Hard(PathBuf),
}

/// One entry of an archive.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its name as the archive has it.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Permissions; `None` if the archive has none.
    pub mode: Option<u32>,
    /// Last change, seconds since 1970.
    pub mtime: Option<f64>,
    /// Owner: number and name.
    pub owner: Option<(u32, String)>,
    /// Group: number and name.
    pub group: Option<(u32, String)>,
    /// Bytes.
    pub size: u64,
}

/// The path below the destination that a name means, without its first `strip` parts. `None`: nothing is left of it.
/// Names that would lead outside are refused.
pub fn inside(name: &Path, strip: usize) -> Result<Option<PathBuf>, Failure> {
    let mut parts = Vec::new();
    for part in name.components() {
        match part {
            Component::Normal(part) => parts.push(part),
            Component::ParentDir => {
                let message = format!("the archive holds `{}`, which lies outside the directory", name.display());
                return Err(Failure::new(message).argument("src"));
            }
            // Like tar, which takes the first slash away.
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    if strip > 0 && parts.len() <= strip {
        return Ok(None);
    }
    Ok(Some(parts.into_iter().skip(strip).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside() {
        let place = |name: &str, strip| inside(Path::new(name), strip).ok().flatten();
        assert_eq!(place("./a/b", 0), Some("a/b".into()));
        assert_eq!(place("/etc/passwd", 0), Some("etc/passwd".into()));
        assert_eq!(place("a/b/c", 1), Some("b/c".into()));
        assert_eq!((place("a", 1), place("./", 0)), (None, Some("".into())));
        assert!(inside(Path::new("a/../../b"), 0).is_err());
    }
}
