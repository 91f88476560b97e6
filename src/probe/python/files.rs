//! Files of requirements and of constraints, as pip reads them.

use std::path::{Path, PathBuf};

use super::requirement::{Named, Requirement};
use crate::failure::{During, Failure};
use crate::system::System;

/// What such files hold.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// What is required.
    pub required: Vec<Requirement>,
    /// Which versions are allowed, if a distribution is installed at all.
    pub constraints: Vec<Named>,
    /// Something that only pip itself can judge.
    pub odd: bool,
}

/// Options that change where things come from, not what is wanted; and whether they take a value.
const HARMLESS: [(&str, bool); 31] = [
    ("-i", true),
    ("--index-url", true),
    ("--pypi-url", true),
    ("--extra-index-url", true),
    ("-f", true),
    ("--find-links", true),
    ("--trusted-host", true),
    ("--no-binary", true),
    ("--only-binary", true),
    ("--prefer-binary", false),
    ("--no-index", false),
    ("--pre", false),
    ("--no-deps", false),
    ("--hash", true),
    ("--require-hashes", false),
    ("--no-cache-dir", false),
    ("--cache-dir", true),
    ("--disable-pip-version-check", false),
    ("--no-warn-script-location", false),
    ("--no-build-isolation", false),
    ("--use-pep517", false),
    ("--no-input", false),
    ("--root-user-action", true),
    ("--break-system-packages", false),
    ("--progress-bar", true),
    ("--timeout", true),
    ("--retries", true),
    ("--cert", true),
    ("--proxy", true),
    ("-q", false),
    ("--quiet", false),
];

impl Wanted {
    /// Reads a file of requirements with all that it includes.
    pub fn add_file(&mut self, system: &dyn System, path: &Path, is_constraints: bool) -> Result<(), Failure> {
        self.file(system, path, is_constraints, 0)
    }

    fn file(&mut self, system: &dyn System, path: &Path, is_constraints: bool, depth: usize) -> Result<(), Failure> {
        if path.to_string_lossy().contains("://") || depth > 20 {
            self.odd = true;
            return Ok(());
        }
        let bytes = system.read(path).during(|| format!("read {}", path.display()))?;
        let bytes = bytes.ok_or_else(|| Failure::new(format!("there is no file {}", path.display())))?;
        for line in logical_lines(&String::from_utf8_lossy(&bytes)) {
            self.line(system, &line, path, is_constraints, depth)?;
        }
        Ok(())
    }

    fn line(
        &mut self,
        system: &dyn System,
        line: &str,
        file: &Path,
        is_constraints: bool,
        depth: usize,
    ) -> Result<(), Failure> {
        let beside = |name: &str| file.parent().unwrap_or(Path::new("/")).join(name);
        if line.contains("${") {
            self.odd = true;
        } else if line.starts_with('-') {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            for include in self.options(&words) {
                self.file(system, &beside(&include.0), include.1 || is_constraints, depth + 1)?;
            }
        } else {
            // Options of one requirement (`--hash=…`) are for pip.
            let text = line.split(" --").next().unwrap_or(line);
            match (Requirement::parse(text), is_constraints) {
                (Ok(Requirement::Named(named)), true) => self.constraints.push(named),
                (Ok(required), false) => self.required.push(required),
                _ => self.odd = true,
            }
        }
        Ok(())
    }

    /// Takes in the options of a line or of `extra_args`; the files that they include, and whether of constraints.
    pub fn options(&mut self, words: &[String]) -> Vec<(String, bool)> {
        let mut files = Vec::new();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let (name, joined) = match word.split_once('=').filter(|_| word.starts_with("--")) {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (word.as_str(), None),
            };
            let mut value = || joined.clone().or_else(|| words.next().cloned()).unwrap_or_default();
            match name {
                "-r" | "--requirement" => files.push((value(), false)),
                "-c" | "--constraint" => files.push((value(), true)),
                _ => match HARMLESS.iter().find(|(known, _)| *known == name) {
                    Some((_, true)) => drop(value()),
                    Some((_, false)) => {}
                    None => self.odd = true,
                },
            }
        }
        files
    }
}

/// The lines without comments, those that end in a backslash joined.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut held = String::new();
    for line in text.lines() {
        let is_comment = line.trim_start().starts_with('#');
        let line = if is_comment { "" } else { line };
        if let Some(start) = line.strip_suffix('\\') {
            held.push_str(start);
            continue;
        }
        held.push_str(line);
        let whole = std::mem::take(&mut held);
        let whole = whole.split(" #").next().unwrap_or_default().trim().to_owned();
        if !whole.is_empty() {
            lines.push(whole);
        }
    }
    let rest = held.trim().to_owned();
    lines.extend((!rest.is_empty()).then_some(rest));
    lines
}

/// A path of an argument, from the folder that pip runs in.
pub fn placed(folder: &Path, name: &str) -> PathBuf {
    if name.contains("://") { PathBuf::from(name) } else { folder.join(name) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::fake::Fake;

    #[test]
    fn files_include_others() {
        let fake = Fake::new()
            .file("/p/r.txt", "# all\n-c sub/c.txt\na==1 \\\n  --hash=sha256:aa\n--index-url https://h/\n-r more.txt\n")
            .file("/p/more.txt", "b>=2 # why\n\n")
            .file("/p/sub/c.txt", "c<3\n");
        let mut wanted = Wanted::default();
        wanted.add_file(&fake, Path::new("/p/r.txt"), false).unwrap();
        assert_eq!((wanted.required.len(), wanted.constraints.len(), wanted.odd), (2, 1, false));
        assert!(wanted.add_file(&fake, Path::new("/p/none.txt"), false).is_err());
    }

    #[test]
    fn what_only_pip_can_judge() {
        for line in ["-e ./x", "${NAME}==1", "--unknown"] {
            let fake = Fake::new().file("/r", line);
            let mut wanted = Wanted::default();
            wanted.add_file(&fake, Path::new("/r"), false).unwrap();
            assert!(wanted.odd, "{line}");
        }
    }
}
