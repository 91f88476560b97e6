//! `include_vars`: variables from files of the controller. They stay templates, rendered when they are used.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fancy_regex::Regex;
use indexmap::IndexMap;

use super::prepare::Bench;
use super::source;
use super::task_run::Ended;
use crate::diagnostic::Diagnostic;
use crate::failure::Failure;
use crate::map;
use crate::module::{ArgError, Arguments};
use crate::modules::include_vars::{Args, HashBehaviour};
use crate::template::{Binding, RenderError, Scope};
use crate::value::Value;
use crate::vars::files;
use crate::yaml::{Entry, Node, NodeKind};

/// The variables that a task reads, and what it returns.
pub fn settle(bench: &Bench, args: &Node, scope: &Arc<dyn Scope>) -> Result<Ended, RenderError> {
    let rendered = bench.arguments(args, scope)?;
    let span = args.get("file").map_or(args.span, |node| node.span);
    let args = match Args::read(&rendered) {
        Ok(read) => read,
        Err(error) => return Ok(Ended::Failed(Box::new(error.into()))),
    };
    let paths = match (&args.file, &args.dir) {
        (Some(file), None) => {
            let name = file.to_string_lossy();
            match source::find(scope, "vars", &name) {
                Some(path) => Ok(vec![path]),
                None => {
                    let problem = source::missing(scope, "vars", &name, span);
                    return Err(RenderError::Wrong(Box::new(problem)));
                }
            }
        }
        (None, Some(dir)) => match source::find(scope, "vars", &dir.to_string_lossy()) {
            Some(folder) if folder.is_dir() => select(&folder, &args),
            _ => Err(Failure::new(format!("there is no folder `{}`", dir.display())).argument("dir")),
        },
        _ => Err(ArgError::whole("give either `file` or `dir`").into()),
    };
    let paths = match paths {
        Ok(paths) => paths,
        Err(failure) => return Ok(Ended::Failed(Box::new(failure))),
    };
    let mut found: IndexMap<String, Arc<Node>> = IndexMap::new();
    for path in &paths {
        let file = files::read_file(path).map_err(|problem: Diagnostic| RenderError::Wrong(Box::new(problem)))?;
        for (name, node) in file.values {
            let merged: Arc<Node> = match (args.hash_behaviour, found.get(&name)) {
                (Some(HashBehaviour::Merge), Some(old)) => Arc::new(merge(old, &node)),
                _ => node,
            };
            found.insert(name, merged);
        }
    }
    if let Some(name) = &args.name {
        let entries = found.iter().map(|(key, node)| (key.clone(), Entry { key: node.span, value: (**node).clone() }));
        let whole = Node { kind: NodeKind::Map(entries.collect()), ..Node::scalar(Default::default(), Value::Null) };
        found = IndexMap::from([(name.clone(), Arc::new(whole))]);
    }
    let shown = found.iter().map(|(name, node)| (name.clone(), node.to_value())).collect();
    let names: Vec<String> = paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let values =
        map! { "ansible_included_var_files" => names, "ansible_facts" => Value::Map(shown), "changed" => false };
    let bindings = found.into_iter().map(|(name, node)| (name, Binding::Template(node))).collect();
    Ok(Ended::Variables(values, bindings))
}

/// The files of a folder that the arguments ask for.
fn select(folder: &Path, args: &Args) -> Result<Vec<PathBuf>, Failure> {
    let compile = |text: &String| {
        Regex::new(text).map_err(|error| Failure::new(format!("`{text}` is no regular expression: {error}")))
    };
    let matching = args.files_matching.as_ref().map(compile).transpose()?;
    let ignored = args.ignore_files.iter().map(compile).collect::<Result<Vec<_>, _>>()?;
    let extensions: Vec<String> = match args.extensions.is_empty() {
        true => files::EXTENSIONS.iter().map(|extension| (*extension).to_owned()).collect(),
        false => args.extensions.clone(),
    };
    let mut walk = walkdir::WalkDir::new(folder).min_depth(1).sort_by_file_name();
    if args.depth > 0 {
        walk = walk.max_depth(args.depth as usize);
    }
    let mut paths = Vec::new();
    for entry in walk {
        let entry = entry.map_err(|error| Failure::new(format!("cannot read the folder: {error}")).argument("dir"))?;
        if !entry.path().is_file() {
            continue;
        }
        let name = entry.file_name().to_string_lossy();
        let matches = |regex: &Regex| regex.is_match(&*name).unwrap_or(false);
        if matching.as_ref().is_some_and(|regex| !matches(regex)) || ignored.iter().any(matches) {
            continue;
        }
        let extension = entry.path().extension().unwrap_or_default().to_string_lossy().into_owned();
        if extensions.contains(&extension) {
            paths.push(entry.path().to_owned());
        } else if !args.ignore_unknown_extensions {
            let message = format!("{} has none of the extensions {}", entry.path().display(), extensions.join(", "));
            return Err(Failure::new(message).argument("extensions"));
        }
    }
    Ok(paths)
}

/// Two mappings merged key by key; of anything else the new one.
fn merge(old: &Node, new: &Node) -> Node {
    let (NodeKind::Map(below), NodeKind::Map(above)) = (&old.kind, &new.kind) else { return new.clone() };
    let mut entries = below.clone();
    for (key, entry) in above {
        let value = entries.get(key).map_or_else(|| entry.value.clone(), |old| merge(&old.value, &entry.value));
        entries.insert(key.clone(), Entry { key: entry.key, value });
    }
    Node { kind: NodeKind::Map(entries), ..new.clone() }
}
