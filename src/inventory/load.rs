//! Sources of an inventory: files, folders of them, lists of hosts.
#![expect(clippy::disallowed_methods, reason = "reads inventories")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::reading::Reading;
use super::{Inventory, ini, names, yaml};
use crate::diagnostic::Diagnostic;
use crate::failure;
use crate::source::{self, Span};
use crate::yaml::{self as text, Document};

/// What was read, and what is worth a word.
#[derive(Debug)]
pub struct Loaded {
    /// The hosts and groups.
    pub inventory: Inventory,
    /// Things that are left out or stand twice.
    pub warnings: Vec<Diagnostic>,
}

/// Files of a folder that are no inventories, by the end of their names.
const NO_INVENTORY: &[&str] =
    &[".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry"];

/// Reads all sources, later ones adding to earlier ones: files, folders, and lists such as `a,b` or `a,`.
///
/// The names `vars_plugins`, `group_vars` and `host_vars` and hidden files in a folder are passed over, as in Ansible.
/// An inventory without any host is an error.
pub fn load<S: AsRef<str>>(sources: &[S]) -> Result<Loaded, Diagnostic> {
    let mut reading = Reading { inventory: Inventory::default(), warnings: Vec::new(), file: PathBuf::new() };
    for given in sources {
        let given = given.as_ref();
        let path = Path::new(given);
        if given.contains(',') && !path.exists() {
            reading.list(given);
            continue;
        }
        reading.source(path).map_err(|problem| *problem)?;
        let folder = if path.is_dir() { Some(path) } else { path.parent() };
        reading.inventory.folders.extend(folder.map(Path::to_owned));
    }
    let Reading { mut inventory, warnings, .. } = reading;
    inventory.settle();
    if inventory.hosts.is_empty() {
        return Err(empty(sources));
    }
    Ok(Loaded { inventory, warnings })
}

fn empty<S: AsRef<str>>(sources: &[S]) -> Diagnostic {
    let names: Vec<&str> = sources.iter().map(AsRef::as_ref).collect();
    let problem = Diagnostic::error(Span::default(), format!("the inventory {} names no host", names.join(", ")));
    problem.help("write for example\n  all:\n    hosts:\n      web1:\n        ansible_host: 192.0.2.1")
}

type Read = Result<(), Box<Diagnostic>>;

impl Reading {
    fn source(&mut self, path: &Path) -> Read {
        let meta = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        if meta.is_dir() {
            return self.folder(path);
        }
        let text = text::read_source(path)?;
        if meta.permissions().mode() & 0o111 != 0 && text.starts_with("#!") {
            let span = source::add(path, text);
            let problem = Diagnostic::error(span, "this inventory is a program, and programs are not run");
            return Err(Box::new(problem.help("write its hosts into a YAML or INI inventory")));
        }
        self.file = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        self.file(path, text)
    }

    fn folder(&mut self, path: &Path) -> Read {
        let entries = std::fs::read_dir(path).map_err(|error| unreadable(path, &error))?;
        let mut names: Vec<String> =
            entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect();
        names.sort();
        for name in names {
            let skipped = name.starts_with('.')
                || matches!(name.as_str(), "host_vars" | "group_vars" | "vars_plugins")
                || NO_INVENTORY.iter().any(|end| name.ends_with(end));
            if !skipped {
                self.source(&path.join(&name))?;
            }
        }
        Ok(())
    }

    /// YAML by its name; INI by its name; else whichever it turns out to be.
    fn file(&mut self, path: &Path, text: String) -> Read {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("yml" | "yaml" | "json") => {
                let document = text::read_text(path, text)?;
                self.document(document)
            }
            Some("toml") => {
                let span = source::add(path, text);
                let problem = Diagnostic::error(span, "inventories in TOML are not read");
                Err(Box::new(problem.help("write it in YAML or INI")))
            }
            None => match text::read_text(path, text.as_str()) {
                Ok(document) if document.root.as_ref().is_some_and(|root| root.as_map().is_some()) => {
                    self.document(document)
                }
                Err(problem) if looks_like_yaml(&text) => Err(Box::new(problem)),
                _ => self.ini(path, text),
            },
            Some(_) => self.ini(path, text),
        }
    }

    fn document(&mut self, document: Document) -> Read {
        self.warnings.extend(document.warnings);
        document.root.map_or(Ok(()), |root| yaml::read(&root, self))
    }

    fn ini(&mut self, path: &Path, text: String) -> Read {
        let whole = source::add(path, text);
        let Some(source) = source::source(whole) else { return Ok(()) };
        ini::read(&source.text, whole, self)
    }

    /// `a,b:2222,`: hosts without anything else.
    fn list(&mut self, given: &str) {
        let whole = source::add("<inventory>", given);
        self.file = PathBuf::from(given);
        let mut start = 0;
        for part in given.split(',') {
            let offset = start + (part.len() - part.trim_start().len());
            let (name, port) = names::address(part.trim()).unwrap_or((part.trim(), None));
            if !name.is_empty() {
                self.host(name, "ungrouped", port, whole.part(offset, offset + part.trim().len()));
            }
            start += part.len() + 1;
        }
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Diagnostic {
    let message = format!("cannot read the inventory {}: {}", path.display(), failure::plain(error));
    Diagnostic::error(Span::default(), message)
}

/// Whether someone who wrote this meant YAML: it starts with `---`, or its first line is a key.
fn looks_like_yaml(text: &str) -> bool {
    let first = text.lines().map(str::trim_end).find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| line.starts_with("---") || line.ends_with(':'))
}
