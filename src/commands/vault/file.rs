//! Files that are read and replaced as a whole.
#![expect(clippy::disallowed_methods, reason = "reads and writes the files that it is asked for")]

use std::fmt;
use std::fs::{self, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::commands::Error;
use crate::failure::plain;

/// Where a content comes from or goes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// Standard input, standard output.
    Standard,
    /// A file.
    File(PathBuf),
}

impl Place {
    /// `-` stands for the standard streams.
    pub fn of(path: &Path) -> Self {
        if path == Path::new("-") { Place::Standard } else { Place::File(path.to_owned()) }
    }

    /// Writes all of it; a file is replaced at once, and stays what it was if that fails.
    pub fn write(&self, content: &[u8], mode: u32) -> Result<(), Error> {
        let cannot = |error: io::Error| format!("cannot write {self}: {}", plain(&error));
        let Place::File(path) = self else {
            return Ok(io::stdout().lock().write_all(content).map_err(cannot)?);
        };
        // What a link points at is replaced, not the link.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(cannot)?;
        file.write_all(content).map_err(cannot)?;
        file.as_file().set_permissions(Permissions::from_mode(mode)).map_err(cannot)?;
        if let Ok(before) = fs::metadata(&path) {
            let same =
                file.as_file().metadata().is_ok_and(|now| (now.uid(), now.gid()) == (before.uid(), before.gid()));
            if !same {
                std::os::unix::fs::chown(file.path(), Some(before.uid()), Some(before.gid())).map_err(cannot)?;
            }
        }
        file.as_file().sync_all().map_err(cannot)?;
        file.persist(&path).map_err(|error| cannot(error.error))?;
        Ok(())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Place::Standard => f.write_str("standard input"),
            Place::File(path) => path.display().fmt(f),
        }
    }
}

/// What was read, and from where.
#[derive(Debug)]
pub struct Content {
    /// Where it came from.
    pub place: Place,
    /// All of it.
    pub bytes: Vec<u8>,
    /// Who may do what with it.
    pub mode: u32,
}

impl Content {
    /// Reads all of it.
    pub fn read(place: &Place) -> Result<Self, Error> {
        let cannot = |error: io::Error| format!("cannot read {place}: {}", plain(&error));
        let mut bytes = Vec::new();
        let mode = match place {
            Place::Standard => {
                io::stdin().lock().read_to_end(&mut bytes).map_err(cannot)?;
                0o600
            }
            Place::File(path) => {
                let mut file = fs::File::open(path).map_err(cannot)?;
                file.read_to_end(&mut bytes).map_err(cannot)?;
                file.metadata().map_err(cannot)?.permissions().mode() & 0o7777
            }
        };
        Ok(Content { place: place.clone(), bytes, mode })
    }

    /// As text, which everything encrypted is.
    pub fn text(&self) -> Result<String, Error> {
        let text = String::from_utf8(self.bytes.clone());
        text.map_err(|_| format!("{} is not encrypted: it is no text", self.place).into())
    }
}
