//! The form of a case.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use indexmap::IndexMap;
use serde::Deserialize;

/// One case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    #[serde(skip)]
    pub name: String,
    #[serde(default)]
    pub files: IndexMap<String, Thing>,
    #[serde(default)]
    pub before: IndexMap<String, Thing>,
    pub tasks: serde_yaml::Value,
    #[serde(default)]
    pub differs: Vec<String>,
}

/// A file, a directory or a link.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Thing {
    Text(String),
    Full(Full),
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Full {
    content: String,
    base64: Option<String>,
    mode: Option<String>,
    link: Option<PathBuf>,
}

impl Case {
    /// All cases, in the order of their names; only some if `CASE` says so.
    pub fn all() -> Vec<Case> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential");
        let only = std::env::var("CASE").unwrap_or_default();
        let entries = fs::read_dir(&folder).expect("the folder of cases").map(|entry| entry.expect("an entry").path());
        let mut paths: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|it| it == "yml")).collect();
        paths.retain(|path| path.to_string_lossy().contains(&only));
        paths.sort();
        paths.iter().map(|path| Case::load(path)).collect()
    }

    fn load(path: &Path) -> Case {
        let text = fs::read_to_string(path).expect("a case");
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match serde_yaml::from_str(&text) {
            Ok(case) => Case { name, ..case },
            Err(error) => panic!("{}: {error}", path.display()),
        }
    }

    /// The playbook, for a tree at `root`.
    pub fn playbook(&self, root: &Path) -> String {
        let tasks = serde_yaml::to_string(&self.tasks).expect("tasks");
        let tasks: String = tasks.lines().map(|line| format!("    {line}\n")).collect();
        let (name, root) = (&self.name, root.display());
        format!(
            "- name: {name}\n  hosts: all\n  gather_facts: false\n  ignore_errors: true\n  vars: {{root: {root}}}\n  tasks:\n{tasks}"
        )
    }
}

/// Puts things into a folder.
pub fn put_all(folder: &Path, things: &IndexMap<String, Thing>) {
    fs::create_dir_all(folder).expect("a folder");
    for (name, thing) in things {
        put(&folder.join(name), name.ends_with('/'), thing);
    }
}

fn put(path: &Path, is_dir: bool, thing: &Thing) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    let mode = |text: &str| fs::Permissions::from_mode(u32::from_str_radix(text, 8).expect("an octal mode"));
    match thing {
        Thing::Text(text) if is_dir => {
            fs::create_dir_all(path).expect("a folder");
            fs::set_permissions(path, mode(text)).expect("its permissions");
        }
        Thing::Text(text) => fs::write(path, text).expect("a file"),
        Thing::Full(Full { link: Some(target), .. }) => symlink(target, path).expect("a link"),
        Thing::Full(full) => {
            let decoded = full.base64.as_ref().map(|text| base64::engine::general_purpose::STANDARD.decode(text));
            let bytes = decoded.map_or_else(|| full.content.clone().into_bytes(), |bytes| bytes.expect("base64"));
            fs::write(path, bytes).expect("a file");
            if let Some(text) = &full.mode {
                fs::set_permissions(path, mode(text)).expect("its permissions");
            }
        }
    }
}
