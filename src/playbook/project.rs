//! Where playbooks, roles and task files lie, and what they hold: each file is read once in a run.
#![expect(clippy::disallowed_methods, reason = "lists the roles and modules of a project")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::fields::{self, expected};
use super::{Entry, Item, Problems, Role, play, task};
use crate::catalog::Kind;
use crate::diagnostic::{Diagnostic, Severity, kinds};
use crate::source::Span;
use crate::template::SearchPath;
use crate::value::Value;
use crate::yaml::{self, Node, NodeKind, Nodes};

/// What a file holds, with the problems found in it.
#[derive(Debug, Default)]
pub struct Parsed<T> {
    /// What could be understood.
    pub value: T,
    /// The problems.
    pub problems: Problems,
}

/// The folders of a project and what was read from them so far.
#[derive(Debug, Default)]
pub struct Project {
    roles: Vec<PathBuf>,
    cache: Mutex<Cache>,
}

/// A role's variables: which folder (`defaults` or `vars` of a role) and which file of it.
type VarsKey = (PathBuf, Option<String>);

#[derive(Debug, Default)]
struct Cache {
    playbooks: HashMap<PathBuf, Arc<Parsed<Vec<Entry>>>>,
    tasks: HashMap<(PathBuf, bool), Arc<Parsed<Vec<Item>>>>,
    roles: HashMap<PathBuf, Arc<Parsed<Role>>>,
    vars: HashMap<VarsKey, Option<Arc<Parsed<Nodes>>>>,
    files: HashMap<PathBuf, Option<PathBuf>>,
}

const EXTENSIONS: &[&str] = &["yml", "yaml", "json"];

impl Project {
    /// A project with these further folders of roles, in order. Roles beside the playbook are always found, and first.
    pub fn new(roles: impl IntoIterator<Item = PathBuf>) -> Self {
        Project { roles: roles.into_iter().collect(), cache: Mutex::default() }
    }

    /// The project that `path` lies in: the nearest folder above that holds `playbooks/` lends its `roles/`.
    pub fn around(path: &Path) -> Self {
        Project::new(root_of(path).map(|root| root.join("roles")))
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The plays of a playbook. `asked` is what names the file, for the message when it cannot be read.
    pub fn playbook(&self, path: &Path, asked: Span) -> Arc<Parsed<Vec<Entry>>> {
        if let Some(parsed) = self.cache().playbooks.get(path) {
            return parsed.clone();
        }
        let parsed = parse(path, asked, "playbook", |node, problems| play::playbook(node, path, problems));
        self.cache().playbooks.insert(path.to_owned(), parsed.clone());
        parsed
    }

    /// Takes a playbook that no file holds; `path` is its name, also in messages.
    pub fn lend(&self, path: &Path, text: &str) {
        let mut problems = Problems::new();
        let node = take(yaml::read_text(path, text), &mut problems);
        let value = node.map(|node| play::playbook(node, path, &mut problems)).unwrap_or_default();
        self.cache().playbooks.insert(path.to_owned(), Arc::new(Parsed { value, problems }));
    }

    /// The tasks or handlers of a file.
    pub fn tasks(&self, path: &Path, handlers: bool, asked: Span) -> Arc<Parsed<Vec<Item>>> {
        let key = (path.to_owned(), handlers);
        if let Some(parsed) = self.cache().tasks.get(&key) {
            return parsed.clone();
        }
        let what = if handlers { "a file of handlers" } else { "a file of tasks" };
        let parsed = parse(path, asked, what, |node, problems| task::tasks(node, what, handlers, problems));
        self.cache().tasks.insert(key, parsed.clone());
        parsed
    }

    /// The folder of a role, with its whole name: in a collection that its name begins with or that is searched, in
    /// `roles/` beside the playbook, the project's folders, beside the role that asks, the playbook's own folder, or the
    /// name taken as a path. The error holds the folders that were searched.
    pub fn find_role(
        &self,
        name: &str,
        collections: &[String],
        playbook: &Path,
        asking: Option<&Path>,
    ) -> Result<(PathBuf, String), Vec<PathBuf>> {
        if let Some(found) = self.find_in_collections(name, collections, playbook) {
            return Ok(found);
        }
        let beside = asking.and_then(Path::parent).map(Path::to_owned);
        let mut folders = vec![playbook.join("roles")];
        folders.extend(self.roles.iter().cloned());
        folders.extend(beside);
        folders.push(playbook.to_owned());
        let mut searched: Vec<PathBuf> = Vec::new();
        for folder in folders {
            let candidate = folder.join(name);
            if candidate.is_dir() {
                return Ok((candidate, name.rsplit('/').next().unwrap_or(name).to_owned()));
            }
            if !searched.contains(&folder) {
                searched.push(folder);
            }
        }
        Err(searched)
    }

    /// A role of a collection below `collections/`, beside the playbook or in the project.
    fn find_in_collections(&self, name: &str, collections: &[String], playbook: &Path) -> Option<(PathBuf, String)> {
        let own = name.rsplit_once('.').filter(|(collection, _)| collection.matches('.').count() == 1);
        let names: Vec<(&str, &str)> = match own {
            Some(own) => vec![own],
            None => collections.iter().map(|collection| (collection.as_str(), name)).collect(),
        };
        let roots = self.roles.iter().filter_map(|roles| roles.parent()).chain([playbook]);
        let roots: Vec<PathBuf> = roots.map(|root| root.join("collections/ansible_collections")).collect();
        names.iter().find_map(|(collection, role)| {
            let inside = Path::new(&collection.replace('.', "/")).join("roles").join(role);
            let found = roots.iter().map(|root| root.join(&inside)).find(|path| path.is_dir())?;
            Some((found, format!("{collection}.{role}")))
        })
    }

    /// The names of the files in a folder.
    pub fn files_in(&self, folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .filter(|entry| entry.path().is_file())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect()
    }

    /// The file of a module or plug-in that the project brings itself: in `library/` or `…_plugins/` of the role or beside
    /// the playbook, or in a collection beside the playbook or in the user's folder.
    pub fn own_plugin(&self, kind: Kind, name: &str, files: &SearchPath) -> Option<PathBuf> {
        let (beside, in_collection) = match kind {
            Kind::Module => (["library", "action_plugins"], ["modules", "action"]),
            Kind::Filter => (["filter_plugins"; 2], ["filter"; 2]),
            Kind::Test => (["test_plugins"; 2], ["test"; 2]),
            Kind::Lookup => (["lookup_plugins"; 2], ["lookup"; 2]),
        };
        let mut parts = name.splitn(3, '.');
        let folders: Vec<PathBuf> = match (parts.next(), parts.next(), parts.next()) {
            (Some(namespace), Some(collection), Some(_)) => {
                let inside = Path::new("ansible_collections").join(namespace).join(collection).join("plugins");
                let user = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".ansible/collections"));
                let roots = [files.playbook.join("collections"), PathBuf::from("/usr/share/ansible/collections")];
                let roots = roots.into_iter().chain(user);
                roots.flat_map(|root| in_collection.map(|kind| root.join(&inside).join(kind))).collect()
            }
            _ => {
                let around = files.roles.iter().chain([&files.playbook]);
                around.flat_map(|folder| beside.map(|kind| folder.join(kind))).collect()
            }
        };
        let short = name.rsplit('.').next().unwrap_or(name);
        let is_module = |path: &PathBuf| path.file_stem().is_some_and(|stem| stem == short) && path.is_file();
        folders
            .iter()
            .filter_map(|folder| std::fs::read_dir(folder).ok())
            .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
            .find(is_module)
    }

    /// All roles that can be found beside a playbook and in the project, for suggestions.
    pub fn role_names(&self, playbook: &Path) -> Vec<String> {
        let folders = std::iter::once(playbook.join("roles")).chain(self.roles.iter().cloned());
        let mut names: Vec<String> = folders
            .filter_map(|folder| std::fs::read_dir(folder).ok())
            .flat_map(|entries| entries.flatten())
            .filter(|entry| entry.path().is_dir())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// A role's dependencies and argument specifications.
    pub fn role(&self, name: &str, path: &Path) -> Arc<Parsed<Role>> {
        if let Some(parsed) = self.cache().roles.get(path) {
            return parsed.clone();
        }
        let mut problems = Problems::new();
        let mut read = |name: &str| -> Option<Node> {
            let file = with_extension(&path.join("meta").join(name))?;
            load(&file, &mut problems)
        };
        let (meta, specs) = (read("main"), read("argument_specs"));
        let value = Role::read(name, path, meta, specs, &mut problems);
        let parsed = Arc::new(Parsed { value, problems });
        self.cache().roles.insert(path.to_owned(), parsed.clone());
        parsed
    }

    /// A file in a folder of a role: `from` as it was asked for (with or without an extension), else `main`.
    pub fn role_file(&self, folder: &Path, from: Option<&str>) -> Option<PathBuf> {
        let path = folder.join(from.unwrap_or("main"));
        if let Some(found) = self.cache().files.get(&path) {
            return found.clone();
        }
        let found = match from {
            Some(_) if path.is_file() => Some(path.clone()),
            _ => with_extension(&path).or_else(|| path.is_file().then(|| path.clone())),
        };
        self.cache().files.insert(path, found.clone());
        found
    }

    /// A role's `defaults` or `vars`: `main.yml`, or every file of a folder `main/`, in the order of their names.
    /// `None` if there is no such file.
    pub fn role_vars(&self, folder: &Path, from: Option<&str>) -> Option<Arc<Parsed<Nodes>>> {
        let key = (folder.to_owned(), from.map(str::to_owned));
        if let Some(parsed) = self.cache().vars.get(&key) {
            return parsed.clone();
        }
        let main = folder.join(from.unwrap_or("main"));
        let files = match self.role_file(folder, from) {
            Some(file) => Some(Ok(vec![file])),
            None => main.is_dir().then(|| files_below(&main)),
        };
        let parsed = files.map(|files| Arc::new(read_vars(files)));
        self.cache().vars.insert(key, parsed.clone());
        parsed
    }
}

/// The nearest folder above `path` (or `path` itself) that holds `playbooks/`.
pub fn root_of(path: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(path).ok()?;
    absolute.ancestors().find(|folder| folder.join("playbooks").is_dir()).map(Path::to_owned)
}

fn parse<T: Default>(
    path: &Path,
    asked: Span,
    what: &str,
    read: impl FnOnce(Node, &mut Problems) -> T,
) -> Arc<Parsed<T>> {
    let mut problems = Problems::new();
    // A file that is not there is a problem of the place that names it.
    if asked.is_somewhere() && !path.exists() {
        problems.push(Diagnostic::error(asked, format!("{what} {} does not exist", path.display())));
        return Arc::new(Parsed { value: T::default(), problems });
    }
    let value = load(path, &mut problems).map(|node| read(node, &mut problems)).unwrap_or_default();
    Arc::new(Parsed { value, problems })
}

/// What a file holds; null if it is empty.
fn load(path: &Path, problems: &mut Problems) -> Option<Node> {
    take(yaml::read_file(path), problems)
}

fn take(read: Result<yaml::Document, Diagnostic>, problems: &mut Problems) -> Option<Node> {
    match read {
        Ok(document) => {
            problems.extend(document.warnings.into_iter().map(|warning| warning.or_of(&kinds::DUPLICATE_KEY)));
            Some(document.root.unwrap_or_else(|| Node::scalar(Span::default(), Value::Null)))
        }
        Err(problem) => {
            problems.push(problem.or_of(&kinds::YAML));
            None
        }
    }
}

/// Variables of several files, later ones winning.
fn read_vars(files: Result<Vec<PathBuf>, Diagnostic>) -> Parsed<Nodes> {
    let mut parsed = Parsed::<Nodes>::default();
    let files = files.unwrap_or_else(|problem| {
        parsed.problems.push(problem);
        Vec::new()
    });
    for file in &files {
        if let Some(node) = load(file, &mut parsed.problems) {
            let found = variables(node, &mut parsed.problems);
            parsed.value.extend(found);
        }
    }
    parsed
}

/// The variables of a file that must hold a mapping (or nothing).
fn variables(node: Node, problems: &mut Problems) -> Nodes {
    match node.kind {
        NodeKind::Map(entries) => {
            // As in Ansible, such a one is there: `vars['a-b']`.
            let warning = |problem| Diagnostic { severity: Severity::Warning, ..problem };
            problems.extend(fields::bad_names(&entries).map(warning));
            fields::named(entries)
        }
        _ if node.is_null() => Nodes::new(),
        _ => {
            problems.push(expected(&node, "a file of variables", "a mapping"));
            Nodes::new()
        }
    }
}

fn with_extension(path: &Path) -> Option<PathBuf> {
    let name = path.as_os_str().to_string_lossy();
    EXTENSIONS.iter().map(|extension| PathBuf::from(format!("{name}.{extension}"))).find(|file| file.is_file())
}

/// The files of variables in a folder and in folders below it, in order of name.
fn files_below(folder: &Path) -> Result<Vec<PathBuf>, Diagnostic> {
    let hidden = |name: &str| name.starts_with('.') || name.ends_with('~');
    let known = |path: &Path| {
        path.extension().is_none_or(|extension| EXTENSIONS.iter().any(|known| extension == std::ffi::OsStr::new(known)))
    };
    let entries = walkdir::WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !hidden(&entry.file_name().to_string_lossy()));
    let mut files = Vec::new();
    for entry in entries {
        let unreadable =
            |error| Diagnostic::error(Span::default(), format!("cannot read a folder of variables: {error}"));
        let path = entry.map_err(unreadable)?.into_path();
        if path.is_file() && known(&path) {
            files.push(path);
        }
    }
    Ok(files)
}
