//! The magic variables: what everybody may use and nobody defines. All of them are declared here.

use std::path::{Path, PathBuf};

use super::{Layer, Level, Origin};
use crate::source::Span;
use crate::template::{Binding, SearchPath};
use crate::value::{Map, Value};

/// The names of all magic variables, but those of a loop and of a template.
pub const NAMES: &[&str] = &[
    "ansible_check_mode",
    "ansible_collection_name",
    "ansible_config_file",
    "ansible_dependent_role_names",
    "ansible_diff_mode",
    "ansible_facts",
    "ansible_failed_result",
    "ansible_failed_task",
    "ansible_forks",
    "ansible_inventory_sources",
    "ansible_limit",
    "ansible_parent_role_names",
    "ansible_parent_role_paths",
    "ansible_play_batch",
    "ansible_play_hosts",
    "ansible_play_hosts_all",
    "ansible_play_name",
    "ansible_play_role_names",
    "ansible_playbook_python",
    "ansible_role_name",
    "ansible_role_names",
    "ansible_run_tags",
    "ansible_search_path",
    "ansible_skip_tags",
    "ansible_verbosity",
    "ansible_version",
    "environment",
    "group_names",
    "groups",
    "hostvars",
    "inventory_dir",
    "inventory_file",
    "inventory_hostname",
    "inventory_hostname_short",
    "omit",
    "play_hosts",
    "playbook_dir",
    "role_name",
    "role_names",
    "role_path",
    "role_uuid",
    "vars",
];

/// Those that exist inside a loop, as `loop_control` names them.
pub const OF_LOOPS: &[&str] = &["ansible_index_var", "ansible_loop", "ansible_loop_var", "item"];

/// Those that a template of the controller sees.
pub const OF_TEMPLATES: &[&str] = &[
    "ansible_managed",
    "template_destpath",
    "template_fullpath",
    "template_host",
    "template_mtime",
    "template_path",
    "template_run_date",
    "template_uid",
];

/// The version of ansible-core whose language this is: what roles look at before they begin.
const VERSION: (i64, i64, i64) = (2, 19, 14);

/// A layer of magic variables.
pub fn layer(values: Map) -> Layer {
    let origin = Origin { text: "magic variable".to_owned(), span: Span::default() };
    let values = values.into_iter().map(|(name, value)| (name, Binding::Data(value.into()))).collect();
    Layer { level: Level::Magic, origin, values }
}

/// What is the same in the whole run: `sources` are the inventory's, `limit` is `--limit`.
pub fn of_run(sources: &[String], limit: Option<&str>) -> Map {
    let (major, minor, revision) = VERSION;
    let full = format!("{major}.{minor}.{revision}");
    let mut values = crate::map! {
        "ansible_version" => crate::map! {
            "full" => full.as_str(), "major" => major, "minor" => minor, "revision" => revision,
            "string" => full.as_str(),
        },
        "ansible_config_file" => Value::Null,
        // Nothing here runs it; plays hand it on as `ansible_python_interpreter`.
        "ansible_playbook_python" => "/usr/bin/python3",
        "ansible_inventory_sources" => sources.to_vec(),
    };
    if let Some(limit) = limit {
        values.insert("ansible_limit".into(), limit.into());
    }
    values
}

/// What depends on where a task stands: beside which files.
pub fn of_place(files: &SearchPath) -> Map {
    let mut search: Vec<String> = Vec::new();
    for folder in files.roles.iter().chain([&files.task, &files.playbook]).map(|folder| absolute(folder)) {
        if !search.contains(&folder) {
            search.push(folder);
        }
    }
    crate::map! { "playbook_dir" => absolute(&files.playbook), "ansible_search_path" => search }
}

/// What the tasks of a role see; `parents` are the names and folders of those that included it, the nearest first.
pub fn of_role(name: &str, folder: &Path, parents: &[(&str, &Path)]) -> Map {
    // A role beside the playbook may have dots in its name as well.
    let is_of_collection = folder.components().any(|part| part.as_os_str() == "ansible_collections");
    let (collection, short) = match name.rsplit_once('.').filter(|_| is_of_collection) {
        Some((collection, short)) => (Value::from(collection), short),
        None => (Value::Null, name),
    };
    let mut values = crate::map! {
        "role_name" => short, "ansible_role_name" => name,
        "role_path" => absolute(folder), "ansible_collection_name" => collection,
        "role_uuid" => blake3::hash(format!("{name} {}", folder.display()).as_bytes()).to_hex().as_str(),
    };
    if !parents.is_empty() {
        let (names, folders): (Vec<_>, Vec<_>) = parents.iter().map(|(name, folder)| (*name, absolute(folder))).unzip();
        values.insert("ansible_parent_role_names".into(), names.into());
        values.insert("ansible_parent_role_paths".into(), folders.into());
    }
    values
}

/// A path with no folder before it lies in the current one.
pub fn absolute(path: &Path) -> String {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    whole.components().collect::<PathBuf>().to_string_lossy().into_owned()
}
