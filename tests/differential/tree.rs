//! What a folder holds, and how two of them differ.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::engine::neutral;

/// What lies below `root`, each in a line: kind, permissions, owner, content. Several backups of one file, whose names
/// tell only the moment, share a line.
pub fn list(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = Vec::new();
    add(root, root, &mut found);
    found.sort();
    let mut lines: BTreeMap<PathBuf, String> = BTreeMap::new();
    for (name, line) in found {
        lines.entry(name).and_modify(|all| *all = format!("{all}, {line}")).or_insert(line);
    }
    lines
}

fn add(root: &Path, dir: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        let meta = path.symlink_metadata().expect("its metadata");
        let what = if meta.is_dir() {
            "directory".to_owned()
        } else if meta.is_symlink() {
            format!("link to {}", fs::read_link(&path).expect("a link").display())
        } else {
            let bytes = fs::read(&path).expect("a file");
            format!("file {:?}", neutral(&String::from_utf8_lossy(&bytes), root))
        };
        let mode = if meta.is_symlink() { 0o777 } else { meta.mode() & 0o7777 };
        let name = neutral(&super::relative(&path, root).to_string_lossy(), root);
        found.push((name.into(), format!("{mode:04o} {}:{} {}", meta.uid(), meta.gid(), neutral(&what, root))));
        if meta.is_dir() {
            add(root, &path, found);
        }
    }
}

/// Where they differ.
pub fn differences(theirs: &BTreeMap<PathBuf, String>, ours: &BTreeMap<PathBuf, String>) -> Vec<String> {
    let names: std::collections::BTreeSet<_> = theirs.keys().chain(ours.keys()).collect();
    let differing = names.into_iter().filter(|name| theirs.get(*name) != ours.get(*name));
    let shown = |entry: Option<&String>| entry.map_or("nothing".to_owned(), String::clone);
    differing
        .map(|name| format!("{}: {} and {}", name.display(), shown(theirs.get(name)), shown(ours.get(name))))
        .collect()
}
