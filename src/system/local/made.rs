//! What has been made and has not got its place yet, so that nobody can put something else there meanwhile.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rustix::fs::Stat;

/// New files and directories, by the paths at which they were made.
#[derive(Clone, Debug, Default)]
pub struct MadeHere(HashMap<PathBuf, Made>);

/// One of them: its device and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made(u64, u64);

impl MadeHere {
    /// This was made at `path`.
    pub fn note(&mut self, path: &Path, stat: &Stat) {
        self.0.insert(path.to_owned(), Made::of(stat));
    }

    /// What was made at `path`, if anything was.
    pub fn at(&self, path: &Path) -> Option<Made> {
        self.0.get(path).copied()
    }

    /// The same; from now on it is like any other.
    pub fn take(&mut self, path: &Path) -> Option<Made> {
        self.0.remove(path)
    }
}

impl Made {
    fn of(stat: &Stat) -> Made {
        Made(stat.st_dev, stat.st_ino)
    }

    /// Whether what stands there now is still it.
    pub fn must_be(self, stat: &Stat) -> io::Result<()> {
        match self == Made::of(stat) {
            true => Ok(()),
            false => {
                Err(io::Error::new(ErrorKind::PermissionDenied, "somebody else has put something else in its place"))
            }
        }
    }
}
