//! The facts of each distribution, and where each name of a package was looked up.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use indexmap::IndexMap;
use serde::Deserialize;
use wodctl::value::{Map, Value};

use crate::fixtures;

/// The distributions that the roles know, in order.
pub fn distributions() -> Vec<String> {
    let text = std::fs::read_to_string(fixtures::dir("../roles/settings/vars/main.yml")).expect("the settings");
    let settings: serde_json::Value = serde_yaml::from_str(&text).expect("YAML");
    let names = settings["settings_distributions"].as_array().expect("a list");
    names.iter().map(|name| name.as_str().expect("a name").to_owned()).collect()
}

/// A recording of a distribution.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recording {
    /// Files that tell what it is.
    pub files: BTreeMap<String, String>,
    /// What `setup` says there.
    pub facts: BTreeMap<String, serde_json::Value>,
    /// Variables that the inventory has to give there.
    pub vars: BTreeMap<String, serde_json::Value>,
}

impl Recording {
    /// The one in this folder.
    pub fn of(folder: &Path) -> Self {
        read(&folder.join("facts.yml"))
    }

    /// The facts as the agent sends them.
    pub fn facts(&self) -> Map {
        self.facts.iter().map(|(name, value)| (name.clone(), Value::from(value.clone()))).collect()
    }
}

/// All names of packages.
pub fn names(folder: &Path) -> BTreeSet<String> {
    packages(folder).into_values().flatten().collect()
}

/// Names of packages by where they were looked up.
fn packages(folder: &Path) -> IndexMap<String, Vec<String>> {
    read(&folder.join("packages.yml"))
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The page of the documentation.
pub fn page() -> String {
    let mut text = String::from(PREFACE);
    for name in distributions() {
        writeln!(text, "\n## {}\n", name.replace('-', " ")).unwrap();
        for (source, mut names) in packages(&fixtures::dir("wod/distributions").join(&name)) {
            names.sort();
            writeln!(text, "- **{source}**: `{}`", names.join("`, `")).unwrap();
        }
    }
    text
}

const PREFACE: &str = "\
# Where the names of packages were looked up

For each distribution, every name that the roles may ask for. Made from `tests/wod/distributions` by `cargo test`, where plans
from recorded facts fail on a name that is not listed here.
";
