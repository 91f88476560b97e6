//! A folder `node_modules`, and what lies in it.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::range;
use crate::failure::{During, Failure};
use crate::system::{Subject, System};
use crate::value::Value;

/// A file of JSON; `Null` if there is none.
pub fn json(system: &dyn System, path: &Path) -> Result<Json, Failure> {
    let bytes = match system.read(path) {
        // What a plan has only predicted has no content.
        Err(_) if system.asked_unknown() => None,
        bytes => bytes.during(|| format!("read {}", path.display()))?,
    };
    let Some(bytes) = bytes else { return Ok(Json::Null) };
    serde_json::from_slice(&bytes).map_err(|error| Failure::new(format!("{} is no JSON: {error}", path.display())))
}

/// The subject under which a plan settles a package below this folder.
pub fn subject(root: &Path, name: &str) -> Subject {
    Subject::Other(format!("npm:{}", root.display()), name.to_owned())
}

/// A package in `root/node_modules`.
#[derive(Clone, Debug, PartialEq)]
pub struct Package {
    /// Its version; empty if it is only planned.
    pub version: String,
    /// Its folder.
    pub folder: PathBuf,
    description: Json,
}

/// Finds a package by its name.
pub fn find(system: &dyn System, root: &Path, name: &str) -> Result<Option<Package>, Failure> {
    let folder = root.join("node_modules").join(name);
    match system.predicted(&subject(root, name)) {
        Some(Value::Null) => return Ok(None),
        Some(_) => return Ok(Some(Package { version: String::new(), folder, description: Json::Null })),
        None => {}
    }
    let description = json(system, &folder.join("package.json"))?;
    let version = description["version"].as_str().map(str::to_owned);
    Ok(version.map(|version| Package { version, folder, description }))
}

impl Package {
    /// The names under which its programs are linked.
    pub fn programs(&self, name: &str) -> Vec<String> {
        match &self.description["bin"] {
            Json::Object(programs) => programs.keys().cloned().collect(),
            Json::String(_) => vec![name.rsplit('/').next().unwrap_or(name).to_owned()],
            _ => Vec::new(),
        }
    }

    /// Whether all that it needs is there, in a version that will do.
    pub fn is_complete(&self, system: &dyn System) -> Result<bool, Failure> {
        let mut todo = vec![self.clone()];
        let mut seen = Vec::new();
        while let Some(package) = todo.pop() {
            if seen.contains(&package.folder) {
                continue;
            }
            for (name, wanted) in package.needs() {
                let Some(found) = resolve(system, &package.folder, &name)? else { return Ok(false) };
                if range::holds(&wanted, &found.version) == Some(false) {
                    return Ok(false);
                }
                todo.push(found);
            }
            seen.push(package.folder);
        }
        Ok(true)
    }

    /// What it cannot do without.
    fn needs(&self) -> Vec<(String, String)> {
        let optional = |name: &str| self.description["optionalDependencies"].get(name).is_some();
        let all = self.description["dependencies"].as_object();
        let needed = all.into_iter().flatten().filter(|(name, _)| !optional(name));
        needed.map(|(name, range)| (name.clone(), range.as_str().unwrap_or("*").to_owned())).collect()
    }
}

/// Finds a package as Node does: in the folder's own `node_modules`, then further up.
fn resolve(system: &dyn System, from: &Path, name: &str) -> Result<Option<Package>, Failure> {
    for folder in from.ancestors().filter(|folder| !folder.ends_with("node_modules")) {
        if let Some(found) = find(system, folder, name)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::fake::Fake;

    #[test]
    fn packages_and_what_they_need() {
        let package = |version: &str, needs: &str| {
            format!(r#"{{"version": "{version}", "bin": {{"a": "x"}}, "dependencies": {{{needs}}}}}"#)
        };
        let fake = Fake::new()
            .file("/r/node_modules/@s/a/package.json", package("1.0.0", r#""b": "^2", "c": "1""#))
            .file("/r/node_modules/b/package.json", package("2.3.4", ""))
            .file("/r/node_modules/@s/a/node_modules/c/package.json", package("1.5.0", r#""b": "2.x""#))
            .file("/r/node_modules/d/package.json", package("1.0.0", r#""b": "^3""#));
        let found = |name: &str| find(&fake, Path::new("/r"), name).unwrap();
        assert_eq!(found("@s/a").unwrap().programs("@s/a"), ["a"]);
        assert!(found("@s/a").unwrap().is_complete(&fake).unwrap());
        assert!(!found("d").unwrap().is_complete(&fake).unwrap());
        assert!(found("nope").is_none());
    }
}
