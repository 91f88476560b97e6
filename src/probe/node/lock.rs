//! `package.json`, its lock file, and npm's note of what it has installed (`node_modules/.package-lock.json`).

use std::path::Path;

use serde_json::Value as Json;

use super::range;
use super::tree::json;
use crate::failure::{During, Failure};
use crate::system::System;

/// A project and what npm has installed for it.
pub struct Project {
    description: Json,
    locked: Json,
    installed: Json,
    /// Whether npm's note is newer than all that it speaks of, so that no npm was killed at work after it.
    is_finished: bool,
}

/// Which dependencies are left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Without {
    /// Those for development.
    pub dev: bool,
    /// Optional ones.
    pub optional: bool,
}

impl Project {
    /// Reads the project in this folder.
    pub fn read(system: &dyn System, folder: &Path) -> Result<Project, Failure> {
        let note = folder.join("node_modules/.package-lock.json");
        let installed = json(system, &note)?;
        let locked = match json(system, &folder.join("npm-shrinkwrap.json"))? {
            Json::Null => json(system, &folder.join("package-lock.json"))?,
            locked => locked,
        };
        let is_finished = is_finished(system, folder, &note, &installed)?;
        Ok(Project { description: json(system, &folder.join("package.json"))?, locked, installed, is_finished })
    }

    /// Whether there is a `package.json`.
    pub fn is_described(&self) -> bool {
        self.description.is_object()
    }

    /// Whether there is a lock file.
    pub fn has_lock(&self) -> bool {
        self.locked["packages"].is_object()
    }

    /// The version in which a package is installed at the top; the outer `None`: npm's note does not tell.
    pub fn version(&self, name: &str) -> Option<Option<&str>> {
        let packages = self.installed["packages"].as_object().filter(|_| self.is_finished)?;
        Some(packages.get(&format!("node_modules/{name}")).and_then(|package| package["version"].as_str()))
    }

    /// Whether exactly what the lock file says is installed; `None`: that cannot be known.
    pub fn is_as_locked(&self, without: Without) -> Option<bool> {
        let locked = self.locked["packages"].as_object()?;
        let Some(installed) = self.installed["packages"].as_object() else { return Some(false) };
        if !self.is_finished || !self.lock_fits() {
            return Some(false);
        }
        for (path, wanted) in locked.iter().filter(|(path, _)| !path.is_empty()) {
            let flag = |name: &str| wanted[name] == true;
            let may_lack = flag("optional") || flag("devOptional") || flag("peer");
            let left_out = (without.dev && flag("dev")) || (without.optional && flag("optional"));
            match installed.get(path) {
                Some(_) if left_out => return Some(false),
                Some(found) if !is_same(found, wanted) => return Some(false),
                Some(_) => {}
                None if left_out || may_lack => {}
                None => return Some(false),
            }
        }
        Some(installed.keys().all(|path| locked.contains_key(path)))
    }

    /// Whether all that `package.json` asks for is installed; `None`: that cannot be known.
    pub fn is_as_described(&self, without: Without) -> Option<bool> {
        let kinds = ["dependencies"].into_iter().chain((!without.dev).then_some("devDependencies"));
        for (name, wanted) in kinds.flat_map(|kind| self.description[kind].as_object()).flatten() {
            let optional = self.description["optionalDependencies"].get(name).is_some();
            match self.version(name)? {
                Some(version) if range::holds(wanted.as_str()?, version)? => {}
                None if optional => {}
                _ => return Some(false),
            }
        }
        if self.has_lock() { self.is_as_locked(without) } else { Some(true) }
    }

    /// Whether the lock file was made for what `package.json` says now.
    fn lock_fits(&self) -> bool {
        let root = &self.locked["packages"][""];
        let same = |kind: &str| {
            self.description.get(kind).filter(|it| !is_empty(it)) == root.get(kind).filter(|it| !is_empty(it))
        };
        ["dependencies", "devDependencies", "optionalDependencies"].into_iter().all(same)
    }
}

fn is_empty(json: &Json) -> bool {
    json.as_object().is_some_and(serde_json::Map::is_empty)
}

fn is_same(found: &Json, wanted: &Json) -> bool {
    let differs = |key: &str| {
        let (found, wanted) = (found.get(key), wanted.get(key));
        found.is_some() && wanted.is_some() && found != wanted
    };
    found["version"] == wanted["version"] && !differs("integrity") && found["link"] == wanted["link"]
}

/// npm's own rule: its note is void if a folder that it speaks of is gone or newer.
fn is_finished(system: &dyn System, folder: &Path, note: &Path, installed: &Json) -> Result<bool, Failure> {
    let time = |path: &Path| {
        let stat = system.stat(path, false).during(|| format!("look at {}", path.display()));
        stat.map(|stat| stat.map(|stat| stat.mtime))
    };
    let (Some(written), Some(packages)) = (time(note)?, installed["packages"].as_object()) else { return Ok(false) };
    for path in packages.keys() {
        match time(&folder.join(path))? {
            Some(changed) if changed <= written => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::fake::{Fake, Thing};

    const LOCK: &str = r#"{"packages": {"": {"dependencies": {"a": "^1"}},
        "node_modules/a": {"version": "1.2.0"}, "node_modules/t": {"version": "2.0.0", "dev": true}}}"#;
    const NOTE: &str = r#"{"packages": {"node_modules/a": {"version": "1.2.0"}}}"#;

    fn project(note: &str, changed: f64) -> (Fake, Project) {
        let mut fake = Fake::new()
            .file("/p/package.json", r#"{"dependencies": {"a": "^1"}, "devDependencies": {}}"#)
            .file("/p/package-lock.json", LOCK);
        let file = Thing { content: note.into(), mtime: 100.0, ..Thing::default() };
        fake.put("/p/node_modules/.package-lock.json", file);
        fake.put("/p/node_modules/a", Thing { dir: true, mtime: changed, ..Thing::default() });
        let project = Project::read(&fake, Path::new("/p")).unwrap();
        (fake, project)
    }

    #[test]
    fn what_is_installed_is_compared_with_the_lock() {
        let without = Without { dev: true, optional: false };
        let (_, same) = project(NOTE, 50.0);
        assert_eq!((same.is_as_locked(without), same.is_as_described(without)), (Some(true), Some(true)));
        assert_eq!(same.is_as_locked(Without::default()), Some(false), "what is for development is missing");
        assert_eq!(same.version("a"), Some(Some("1.2.0")));
        let (_, other) = project(&NOTE.replace("1.2.0", "1.1.0"), 50.0);
        assert_eq!(other.is_as_locked(without), Some(false));
        let (_, killed) = project(NOTE, 150.0);
        assert_eq!((killed.is_as_locked(without), killed.version("a")), (Some(false), None));
    }
}
