//! Files and templates of the controller: found, rendered, announced by hash. The agent asks for what it lacks.
#![expect(clippy::disallowed_methods, reason = "reads the files of the controller that steps bring to hosts")]

use std::collections::HashMap;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::about::AboutTemplate;
use super::connection::{text_of, truth};
use super::prepare::{Bench, argument_span};
use crate::diagnostic::Diagnostic;
use crate::failure::Failure;
use crate::module::{Kind, ModuleSpec, Origin, Source, TreeEntry, TreeKind};
use crate::modules::synchronize;
use crate::steps::is_controller;
use crate::system::Blob;
use crate::system::users::{Group, User};
use crate::template::{Binding, RenderError, Scope, TemplateOptions};
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
    delegate: Option<&str>,
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
        let stays = spec.is_remote(|name| args.get(name), truth) || name.contains("://");
        if stays && kind == "files" {
            continue;
        }
        if spec.name == "synchronize" {
            match whose(delegate, scope) {
                Ok(true) => continue,
                Ok(false) => {}
                Err(failure) => return Ok(Err(failure)),
            }
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
            _ if spec.name == "synchronize" => mirror(bench, &path, name.ends_with('/'), &args),
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
    let reader = TreeReader { bench, follow: flag("local_follow"), decrypt: flag("decrypt"), origins: None };
    if !path.is_dir() {
        return Ok(Source::File { name: base_name(path), mode: mode_of(path), blob: reader.file(path)? });
    }
    let mut entries = Vec::new();
    reader.below(path, Path::new(""), &mut entries)?;
    let name = if content_only { String::new() } else { base_name(path) };
    Ok(Source::Tree { name, entries })
}

/// Whether the source of `synchronize` is the host's own, by `delegate_to`. It is the controller's where nothing else is
/// said.
fn whose(delegate: Option<&str>, scope: &Arc<dyn Scope>) -> Result<bool, Failure> {
    let host = match scope.lookup("inventory_hostname") {
        Some(Binding::Data(name)) => text_of(&name),
        _ => String::new(),
    };
    match delegate {
        None => Ok(false),
        Some(name) if name == host => Ok(true),
        Some(name) if is_controller(name) => Ok(false),
        Some(name) => Err(Failure::new(format!(
            "files go from the controller to a host, or from one place of a host to another (`delegate_to: \"{{{{ \
             inventory_hostname }}}}\"`); from {name} to {host} they go by `fetch` and `copy`"
        ))),
    }
}

/// A file or directory as `synchronize` brings it: a tree, with its top first.
fn mirror(bench: &Bench, path: &Path, content_only: bool, args: &Map) -> Result<Source, Failure> {
    let (follow, filter) = synchronize::reading(args)?;
    let is_dir = path.is_dir();
    let name = if content_only && is_dir { String::new() } else { base_name(path) };
    let prefix = if is_dir && !content_only { format!("{name}/") } else { String::new() };
    let origins = Origins { filter, prefix, names: Names::read() };
    let meta = path.metadata().map_err(|error| trouble(path, &error))?;
    let origin = Some(origins.names.origin(&meta));
    let reader = TreeReader { bench, follow, decrypt: false, origins: Some(origins) };
    let kind = if is_dir { TreeKind::Dir } else { TreeKind::File(reader.file(path)?) };
    let mode = meta.permissions().mode() & 0o7777;
    let mut entries = vec![TreeEntry { path: PathBuf::new(), mode, kind, origin }];
    if is_dir {
        reader.below(path, Path::new(""), &mut entries)?;
    }
    Ok(Source::Tree { name, entries })
}

/// The names of the controller's users and groups.
struct Names {
    users: HashMap<u32, String>,
    groups: HashMap<u32, String>,
}

impl Names {
    fn read() -> Self {
        let lines = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let (users, groups) = (lines("/etc/passwd"), lines("/etc/group"));
        Names {
            users: users.lines().filter_map(User::parse).map(|user| (user.uid, user.name)).collect(),
            groups: groups.lines().filter_map(Group::parse).map(|group| (group.gid, group.name)).collect(),
        }
    }

    fn origin(&self, meta: &std::fs::Metadata) -> Origin {
        Origin {
            mtime: meta.mtime() as f64 + meta.mtime_nsec() as f64 / 1e9,
            uid: meta.uid(),
            gid: meta.gid(),
            owner: self.users.get(&meta.uid()).cloned(),
            group: self.groups.get(&meta.gid()).cloned(),
        }
    }
}

/// That owners and times are wanted too, and what is left out.
struct Origins {
    filter: synchronize::Filter,
    /// What stands before paths where patterns look at them.
    prefix: String,
    names: Names,
}

struct TreeReader<'a> {
    bench: &'a Bench<'a>,
    /// Links are taken for what they point at.
    follow: bool,
    decrypt: bool,
    origins: Option<Origins>,
}

impl TreeReader<'_> {
    fn leaves_out(&self, path: &Path, is_dir: bool) -> bool {
        let out =
            |origins: &Origins| origins.filter.leaves_out(&format!("{}{}", origins.prefix, path.display()), is_dir);
        self.origins.as_ref().is_some_and(out)
    }

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
            if self.leaves_out(&path, meta.is_dir()) {
                continue;
            }
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
            let origin = self.origins.as_ref().map(|origins| origins.names.origin(&meta));
            entries.push(TreeEntry { path: path.clone(), mode: meta.permissions().mode() & 0o7777, kind, origin });
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
