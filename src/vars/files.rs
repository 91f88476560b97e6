//! Files of variables: `group_vars`, `vars_files`, `include_vars`, `-e @file`.
#![expect(clippy::disallowed_methods, reason = "reads files of variables")]

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Layer, Level, Origin};
use crate::diagnostic::{Diagnostic, kinds};
use crate::failure::plain;
use crate::source::Span;
use crate::template::Binding;
use crate::yaml::{self, Document, NodeKind, Nodes};

/// The endings that a file of variables may have, beside none at all.
pub const EXTENSIONS: &[&str] = &["yml", "yaml", "json"];

/// What a file of variables holds.
#[derive(Debug, Default)]
pub struct VarsFile {
    /// The variables.
    pub values: Nodes,
    /// The whole mapping.
    pub span: Span,
    /// Keys that stand twice.
    pub warnings: Vec<Diagnostic>,
}

/// Reads a YAML or JSON file that holds a mapping. One with nothing but comments holds no variables.
pub fn read_file(path: &Path) -> Result<VarsFile, Diagnostic> {
    from_document(yaml::read_file(path).map_err(|problem| problem.or_of(&kinds::UNREADABLE_VARS))?)
}

pub(super) fn from_document(document: Document) -> Result<VarsFile, Diagnostic> {
    let Document { root, warnings } = document;
    match root {
        None => Ok(VarsFile { warnings, ..VarsFile::default() }),
        Some(root) if root.is_null() => Ok(VarsFile { warnings, ..VarsFile::default() }),
        Some(root) => match root.kind {
            NodeKind::Map(entries) => {
                let values = entries.into_iter().map(|(name, entry)| (name, Arc::new(entry.value))).collect();
                Ok(VarsFile { values, span: root.span, warnings })
            }
            NodeKind::List(_) => Err(no_mapping(root.span, "a list")),
            NodeKind::Scalar(value) => Err(no_mapping(root.span, value.kind())),
        },
    }
}

fn no_mapping(span: Span, kind: &str) -> Diagnostic {
    Diagnostic::error(span, format!("a file of variables is a mapping, and this is {kind}"))
        .of(&kinds::UNREADABLE_VARS)
        .help("write each variable as `name: value`")
}

impl VarsFile {
    /// The variables as a layer.
    pub fn layer(self, level: Level, text: impl Into<String>) -> Layer {
        let values = self.values.into_iter().map(|(name, node)| (name, Binding::Template(node))).collect();
        Layer { level, origin: Origin { text: text.into(), span: self.span }, values }
    }
}

/// A file of `vars_files`: in `vars/` beside the playbook, or beside it.
pub fn vars_file(folder: &Path, name: &str) -> Option<PathBuf> {
    [folder.join("vars").join(name), folder.join(name)].into_iter().find(|path| path.is_file())
}

/// The files of variables in a folder and in folders below it, in order of name; hidden files, backups (`x~`) and other
/// endings are passed over.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>, Diagnostic> {
    let mut files = Vec::new();
    for path in entries(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned());
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        if path.is_dir() {
            if extension.is_none() {
                files.extend(files_below(&path)?);
            }
        } else if extension.is_none_or(|extension| EXTENSIONS.contains(&extension.as_str())) {
            files.push(path);
        }
    }
    Ok(files)
}

/// What a folder holds, in order of name; nothing where there is no such folder.
pub fn entries(folder: &Path) -> Result<Vec<PathBuf>, Diagnostic> {
    let listed = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>());
    match listed {
        Ok(mut paths) => {
            paths.sort();
            Ok(paths)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => {
            Err(Diagnostic::error(Span::default(), format!("cannot read {}: {}", folder.display(), plain(&error))))
        }
    }
}
