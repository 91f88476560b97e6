//! `group_vars` and `host_vars`: files and folders named after groups and hosts, each read once.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::diagnostic::Diagnostic;
use crate::vars::{self, Layer, Level};

/// Which of the two folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Group,
    Host,
}

impl Kind {
    fn folder(self) -> &'static str {
        match self {
            Kind::Group => "group_vars",
            Kind::Host => "host_vars",
        }
    }
}

type Key = (PathBuf, Kind, String, Level);
type Found = Result<Vec<Arc<Layer>>, Diagnostic>;

/// What was read so far.
#[derive(Debug, Default)]
pub(super) struct Cache {
    /// The names in a folder; empty for one that is not there.
    names: Mutex<HashMap<PathBuf, Arc<HashSet<String>>>>,
    layers: Mutex<HashMap<Key, Found>>,
    warnings: Mutex<Vec<Diagnostic>>,
}

impl Cache {
    /// The variables that `folder` holds for a group or a host, one layer for each file, in order of precedence.
    pub fn layers(&self, folder: &Path, kind: Kind, name: &str, level: Level) -> Found {
        if name.starts_with('/') {
            return Ok(Vec::new());
        }
        let key = (folder.to_owned(), kind, name.to_owned(), level);
        if let Some(found) = self.layers.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return found.clone();
        }
        let found = self.read(folder, kind, name, level);
        self.layers.lock().unwrap_or_else(PoisonError::into_inner).insert(key, found.clone());
        found
    }

    /// What reading has warned of so far; each warning is handed out once.
    pub fn warnings(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn read(&self, folder: &Path, kind: Kind, name: &str, level: Level) -> Found {
        let folder = folder.join(kind.folder());
        let names = self.names(&folder)?;
        // The first of these names counts, and no other.
        let candidates = ["", ".yml", ".yaml", ".json"].map(|extension| format!("{name}{extension}"));
        let Some(found) = candidates.iter().find(|candidate| names.contains(*candidate)) else {
            return Ok(Vec::new());
        };
        let path = folder.join(found);
        let files = if path.is_dir() { vars::files_below(&path)? } else { vec![path] };
        files.iter().map(|file| self.file(file, &folder, level)).collect()
    }

    fn file(&self, path: &Path, folder: &Path, level: Level) -> Result<Arc<Layer>, Diagnostic> {
        let shown = folder.parent().and_then(|parent| path.strip_prefix(parent).ok()).unwrap_or(path);
        let mut file = vars::read_file(path)?;
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).append(&mut file.warnings);
        Ok(Arc::new(file.layer(level, shown.display().to_string())))
    }

    fn names(&self, folder: &Path) -> Result<Arc<HashSet<String>>, Diagnostic> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = names.get(folder) {
            return Ok(known.clone());
        }
        let entries = vars::files::entries(folder)?;
        let found = entries.iter().filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
        let found = Arc::new(found.collect::<HashSet<String>>());
        names.insert(folder.to_owned(), found.clone());
        Ok(found)
    }
}
