//! Files and templates of the controller: found, rendered, announced by hash. The agent asks for what it lacks.
#![expect(clippy::disallowed_methods, reason = "reads the files of the controller that steps bring to hosts")]

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::about::AboutTemplate;
use super::connection::{text_of, truth};
use super::prepare::{Bench, argument_span};
use crate::diagnostic::Diagnostic;
use crate::failure::Failure;
use crate::module::{Kind, ModuleSpec, Source, TreeEntry, TreeKind};
use crate::system::Blob;
use crate::template::{RenderError, Scope, TemplateOptions};
use crate::value::{Map, Value};
use crate::vault;
use crate::words;
use crate::yaml::Node;

/// Replaces paths of the controller in `args` by what stands there.
pub fn resolve(
    bench: &Bench,
    spec: &ModuleSpec,
    mut args: Map,
    written: &Node,
    scope: &Arc<dyn Scope>,
) -> Result<Result<Map, Failure>, RenderError> {
    for param in (spec.params)() {
        let kind = match param.kind {
            Kind::Files => "files",
            Kind::Template => "templates",
            _ => continue,
        };
        let names = std::iter::once(&param.name).chain(param.aliases);
        let Some(key) = names.copied().find(|key| args.contains_key(*key)) else { continue };
        let name = text_of(&args[key]);
        let stays = args.get("remote_src").map_or(spec.is_remote_by_default(), truth) || name.contains("://");
        if stays && kind == "files" {
            continue;
        }
        // `script: path arg arg`: only the first word is the file.
        let (name, rest) = match spec.name == "script" {
            true => words::first(&name),
            false => (name, String::new()),
        };
        let Some(path) = find(scope, kind, &name) else {
            let span = argument_span(written, spec, key).unwrap_or(written.span);
            return Err(RenderError::Wrong(Box::new(missing(scope, kind, &name, span))));
        };
        let source = match kind {
            "templates" => template(bench, &path, &args, scope)?,
            _ => read(bench, &path, name.ends_with('/'), &args),
        };
        match source {
            Ok(source) => args.insert(key.to_owned(), source.to_value()),
            Err(failure) => return Ok(Err(failure.argument(key))),
        };
        if !rest.is_empty() {
            args.insert("args".to_owned(), Value::Str(rest));
        }
    }
    // What is only for rendering does not travel.
    if spec.name == "template" {
        args.retain(|key, _| !RENDERING.contains(&key.as_str()));
    }
    Ok(Ok(args))
}

/// Arguments of `template` that are used up when it is rendered.
const RENDERING: &[&str] = &[
    "trim_blocks",
    "lstrip_blocks",
    "newline_sequence",
    "variable_start_string",
    "variable_end_string",
    "block_start_string",
    "block_end_string",
    "comment_start_string",
    "comment_end_string",
    "output_encoding",
];

/// The first of the candidates that exists.
pub fn find(scope: &Arc<dyn Scope>, kind: &str, name: &str) -> Option<PathBuf> {
    scope.files().candidates(kind, name).into_iter().find(|path| path.exists())
}

/// A file that is not there: what was looked for and where.
pub fn missing(scope: &Arc<dyn Scope>, kind: &str, name: &str, span: crate::source::Span) -> Diagnostic {
    let candidates = scope.files().candidates(kind, name);
    let places: Vec<String> = candidates.iter().map(|path| format!("\n  {}", path.display())).collect();
    let what = if kind == "templates" { "template" } else { "file" };
    Diagnostic::error(span, format!("there is no {what} `{name}`")).help(format!("looked for:{}", places.concat()))
}

fn template(
    bench: &Bench,
    path: &Path,
    args: &Map,
    scope: &Arc<dyn Scope>,
) -> Result<Result<Source, Failure>, RenderError> {
    let text = match read_text(path) {
        Ok(text) => text,
        Err(failure) => return Ok(Err(failure)),
    };
    let about =
        AboutTemplate { scope: scope.clone(), path: path.to_owned(), destination: args.get("dest").map(text_of) };
    let scope: Arc<dyn Scope> = Arc::new(about);
    let mut options = TemplateOptions::default();
    let flag = |name: &str, default: bool| args.get(name).map_or(default, truth);
    options.trim_blocks = flag("trim_blocks", true);
    options.lstrip_blocks = flag("lstrip_blocks", false);
    let mut set = |name: &str, field: fn(&mut TemplateOptions) -> &mut String| {
        if let Some(value) = args.get(name) {
            *field(&mut options) = text_of(value);
        }
    };
    set("newline_sequence", |options| &mut options.newline_sequence);
    set("variable_start_string", |options| &mut options.variable_start_string);
    set("variable_end_string", |options| &mut options.variable_end_string);
    set("block_start_string", |options| &mut options.block_start_string);
    set("block_end_string", |options| &mut options.block_end_string);
    set("comment_start_string", |options| &mut options.comment_start_string);
    set("comment_end_string", |options| &mut options.comment_end_string);
    // YAML writes them as the two characters of an escape as often as as the newline itself.
    options.newline_sequence = options.newline_sequence.replace("\\n", "\n").replace("\\r", "\r");
    let rendered = bench.templar.render_file(path, &text, &options, &scope)?;
    Ok(Ok(Source::File { name: base_name(path), mode: mode_of(path), blob: bench.blobs.bytes(rendered.into_bytes()) }))
}

/// A file or a whole directory.
fn read(bench: &Bench, path: &Path, content_only: bool, args: &Map) -> Result<Source, Failure> {
    let flag = |name: &str| args.get(name).is_none_or(truth);
    let reader = TreeReader { bench, follow: flag("local_follow"), decrypt: flag("decrypt") };
    if !path.is_dir() {
        return Ok(Source::File { name: base_name(path), mode: mode_of(path), blob: reader.file(path)? });
    }
    let mut entries = Vec::new();
    reader.below(path, Path::new(""), &mut entries)?;
    let name = if content_only { String::new() } else { base_name(path) };
    Ok(Source::Tree { name, entries })
}

struct TreeReader<'a> {
    bench: &'a Bench<'a>,
    /// Links are taken for what they point at.
    follow: bool,
    decrypt: bool,
}

impl TreeReader<'_> {
    fn file(&self, path: &Path) -> Result<Blob, Failure> {
        let mut start = [0; vault::HEADER.len()];
        let is_encrypted = self.decrypt
            && std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok()
            && vault::is_encrypted(&start);
        match is_encrypted {
            true => Ok(self.bench.blobs.bytes(vault::read_file(path).map_err(Failure::new)?)),
            false => self.bench.blobs.file(path).map_err(|error| trouble(path, &error)),
        }
    }

    /// All that lies below `root/inside`, parents first, in the order of names.
    fn below(&self, root: &Path, inside: &Path, entries: &mut Vec<TreeEntry>) -> Result<(), Failure> {
        let dir = root.join(inside);
        let listed = std::fs::read_dir(&dir).and_then(|names| names.collect::<std::io::Result<Vec<_>>>());
        let mut names = listed.map_err(|error| trouble(&dir, &error))?;
        names.sort_by_key(std::fs::DirEntry::file_name);
        for name in names {
            let (full, path) = (name.path(), inside.join(name.file_name()));
            let own = full.symlink_metadata().map_err(|error| trouble(&full, &error))?;
            // A link that points at nothing stays one, and one that leads back up is not followed.
            let meta = match own.is_symlink() && self.follow && !leads_up(&full, &dir) {
                true => full.metadata().unwrap_or(own),
                false => own,
            };
            let kind = if meta.is_dir() {
                TreeKind::Dir
            } else if meta.is_symlink() {
                TreeKind::Link(std::fs::read_link(&full).map_err(|error| trouble(&full, &error))?)
            } else if meta.is_file() {
                TreeKind::File(self.file(&full)?)
            } else {
                continue;
            };
            let is_dir = kind == TreeKind::Dir;
            entries.push(TreeEntry { path: path.clone(), mode: meta.permissions().mode() & 0o7777, kind });
            if is_dir {
                self.below(root, &path, entries)?;
            }
        }
        Ok(())
    }
}

/// The text of a file, decrypted where it is encrypted.
fn read_text(path: &Path) -> Result<String, Failure> {
    let bytes = vault::read_file(path).map_err(Failure::new)?;
    String::from_utf8(bytes).map_err(|_| trouble(path, &"it is not UTF-8"))
}

/// Whether a link points at a directory that it lies in.
fn leads_up(link: &Path, dir: &Path) -> bool {
    let real = |path: &Path| path.canonicalize();
    matches!((real(link), real(dir)), (Ok(target), Ok(dir)) if dir.starts_with(&target))
}

fn trouble(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(format!("cannot read {}: {error}", path.display()))
}

fn base_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn mode_of(path: &Path) -> u32 {
    path.metadata().map_or(0o644, |meta| meta.permissions().mode() & 0o7777)
}
