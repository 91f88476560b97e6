//! Files and templates of the controller: found, rendered, announced by hash. The agent asks for what it lacks.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::connection::{text_of, truth};
use super::prepare::{Bench, argument_span};
use crate::diagnostic::Diagnostic;
use crate::failure::Failure;
use crate::module::{Kind, ModuleSpec, Source, TreeEntry, TreeKind};
use crate::template::{RenderError, Scope, TemplateOptions};
use crate::value::{Map, Value};
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
        let stays = args.get("remote_src").is_some_and(truth) || name.contains("://");
        if stays && kind == "files" {
            continue;
        }
        // `script: path arg arg`: only the first word is the file.
        let (name, rest) = match spec.name == "script" {
            true => split_command(&name),
            false => (name, String::new()),
        };
        let Some(path) = find(scope, kind, &name) else {
            let span = argument_span(written, spec, key).unwrap_or(written.span);
            return Err(RenderError::Wrong(Box::new(missing(scope, kind, &name, span))));
        };
        let source = match kind {
            "templates" => template(bench, &path, &args, scope)?,
            _ => read(bench, &path, name.ends_with('/')),
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

fn split_command(text: &str) -> (String, String) {
    let mut words = super::connection::shell_words(text).into_iter();
    let name = words.next().unwrap_or_default();
    let rest = text.trim_start().get(name.len()..).unwrap_or_default();
    (name, rest.trim().to_owned())
}

fn template(
    bench: &Bench,
    path: &Path,
    args: &Map,
    scope: &Arc<dyn Scope>,
) -> Result<Result<Source, Failure>, RenderError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return Ok(Err(Failure::new(format!("cannot read {}: {error}", path.display())))),
    };
    let mut options = TemplateOptions { destination: args.get("dest").map(text_of), ..TemplateOptions::default() };
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
    let rendered = bench.templar.render_file(path, &text, &options, scope)?;
    Ok(Ok(Source::File { name: base_name(path), mode: mode_of(path), blob: bench.blobs.bytes(rendered.into_bytes()) }))
}

/// A file or a whole directory.
fn read(bench: &Bench, path: &Path, content_only: bool) -> Result<Source, Failure> {
    let trouble =
        |path: &Path, error: &dyn std::fmt::Display| Failure::new(format!("cannot read {}: {error}", path.display()));
    if !path.is_dir() {
        let blob = bench.blobs.file(path).map_err(|error| trouble(path, &error))?;
        return Ok(Source::File { name: base_name(path), mode: mode_of(path), blob });
    }
    let mut entries = Vec::new();
    for entry in walkdir::WalkDir::new(path).min_depth(1).sort_by_file_name() {
        let entry = entry.map_err(|error| trouble(path, &error))?;
        let full = entry.path();
        let relative = full.strip_prefix(path).unwrap_or(full).to_owned();
        let kind = if entry.file_type().is_dir() {
            TreeKind::Dir
        } else if entry.file_type().is_symlink() {
            TreeKind::Link(std::fs::read_link(full).map_err(|error| trouble(full, &error))?)
        } else if entry.file_type().is_file() {
            TreeKind::File(bench.blobs.file(full).map_err(|error| trouble(full, &error))?)
        } else {
            continue;
        };
        entries.push(TreeEntry { path: relative, mode: mode_of(full), kind });
    }
    let name = if content_only { String::new() } else { base_name(path) };
    Ok(Source::Tree { name, entries })
}

fn base_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn mode_of(path: &Path) -> u32 {
    path.symlink_metadata().map_or(0o644, |meta| meta.permissions().mode() & 0o7777)
}
