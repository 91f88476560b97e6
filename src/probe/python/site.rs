//! The folders that packages of one Python lie in, and what is installed there.

use std::path::{Path, PathBuf};

use super::marker::{self, Environment};
use super::normalized;
use super::requirement::Named;
use crate::failure::{During, Failure};
use crate::system::{Subject, System};
use crate::value::Value;

/// One installed distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution {
    /// Its normalized name.
    pub name: String,
    /// Its version; empty if it is only planned.
    pub version: String,
    /// The folder of its metadata.
    pub metadata: PathBuf,
    /// An installer was killed before it had finished.
    pub is_broken: bool,
}

/// Where the packages of one Python lie.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// A word for it: the environment's folder, or `system`.
    pub name: String,
    /// The version of the Python, as far as it is known.
    pub python: String,
    /// Folders, searched in this order.
    pub folders: Vec<PathBuf>,
    /// What is installed.
    pub distributions: Vec<Distribution>,
}

impl Site {
    /// A virtual environment; `None` if there is none (that is complete).
    pub fn of_environment(system: &dyn System, root: &Path) -> Result<Option<Site>, Failure> {
        let activate = root.join("bin/activate");
        if system.stat(&activate, true).during(|| format!("look at {}", activate.display()))?.is_none() {
            return Ok(None);
        }
        let config = text(system, &root.join("pyvenv.cfg"))?;
        let setting = |name: &str| {
            let lines = config.lines().filter_map(|line| line.split_once('='));
            lines.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned()).next()
        };
        let mut site = Site { name: root.display().to_string(), ..Site::default() };
        site.python = setting("version").or_else(|| setting("version_info")).unwrap_or_default();
        let mut own = site_folders(system, &root.join("lib"))?;
        if own.is_empty() {
            own = site_folders(system, &root.join("lib64"))?;
        }
        site.folders = own.clone();
        if setting("include-system-site-packages").is_some_and(|value| value == "true") {
            let minor: String = site.python.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
            site.folders.extend(system_folders(system, &minor));
        }
        site.read(system, &own)?;
        Ok(Some(site))
    }

    /// The system's own Python 3, or that of this version (`3.11`); `None` if there is none.
    pub fn of_system(system: &dyn System, version: Option<&str>) -> Result<Option<Site>, Failure> {
        let link = system.read_link(Path::new("/usr/bin/python3")).ok();
        let linked = link.and_then(|to| to.file_name()?.to_str()?.strip_prefix("python").map(str::to_owned));
        let Some(python) = version.map(str::to_owned).or(linked) else { return Ok(None) };
        let folders = system_folders(system, &python);
        let mut site = Site { name: "system".into(), python, folders, distributions: Vec::new() };
        site.read(system, &[])?;
        Ok(Some(site))
    }

    /// `strict`: the folders that only pip writes to, where a distribution without its marks was left by a killed one.
    fn read(&mut self, system: &dyn System, strict: &[PathBuf]) -> Result<(), Failure> {
        for folder in &self.folders {
            let names = system.list(folder).during(|| format!("read {}", folder.display()))?.unwrap_or_default();
            for entry in names {
                let Some((name, version)) = entry.to_str().and_then(split) else { continue };
                if self.distributions.iter().any(|known| known.name == name) {
                    continue;
                }
                let metadata = folder.join(&entry);
                let there = |file: &str| matches!(system.stat(&metadata.join(file), true), Ok(Some(_)));
                let is_info = entry.to_string_lossy().ends_with(".dist-info");
                let is_broken = is_info && strict.contains(folder) && !(there("RECORD") && there("INSTALLER"));
                self.distributions.push(Distribution { name, version, metadata, is_broken });
            }
        }
        Ok(())
    }

    /// The subject under which a plan settles a distribution.
    pub fn subject(&self, name: &str) -> Subject {
        subject(&self.name, name)
    }

    /// What is installed under this name.
    pub fn find(&self, system: &dyn System, name: &str) -> Option<Distribution> {
        let found = self.distributions.iter().find(|known| known.name == name);
        match system.predicted(&self.subject(name)) {
            Some(Value::Null) => None,
            Some(_) => Some(Distribution {
                name: name.to_owned(),
                version: String::new(),
                metadata: PathBuf::new(),
                is_broken: false,
            }),
            None => found.filter(|found| !found.is_broken).cloned(),
        }
    }

    /// Whether all that a distribution requires (with these optional parts of it) is installed. `None`: not known.
    pub fn is_complete(&self, system: &dyn System, wanted: &Named) -> Result<Option<bool>, Failure> {
        let mut todo = vec![(wanted.name.clone(), wanted.extras.clone())];
        let mut seen: Vec<(String, Vec<String>)> = Vec::new();
        let mut certain = true;
        while let Some((name, extras)) = todo.pop() {
            if seen.contains(&(name.clone(), extras.clone())) {
                continue;
            }
            let Some(found) = self.find(system, &name) else { return Ok(Some(false)) };
            for required in self.requires(system, &found)? {
                match self.applies(&required, &extras) {
                    Some(false) => continue,
                    None => certain = false,
                    Some(true) => match self.find(system, &required.name) {
                        None => return Ok(Some(false)),
                        Some(other) if !other.version.is_empty() && !required.versions.accept(&other.version) => {
                            certain = false;
                        }
                        Some(_) => todo.push((required.name, required.extras)),
                    },
                }
            }
            seen.push((name, extras));
        }
        Ok(certain.then_some(true))
    }

    /// Whether a requirement of an installed distribution counts, given the optional parts that are wanted.
    fn applies(&self, required: &Named, extras: &[String]) -> Option<bool> {
        let Some(marker) = &required.marker else { return Some(true) };
        let wanted = extras.iter().map(String::as_str).chain(std::iter::once(""));
        let answers: Vec<Option<bool>> = wanted
            .map(|extra| marker::holds(marker, &Environment { python: self.python.clone(), extra: extra.into() }))
            .collect();
        if answers.contains(&Some(true)) { Some(true) } else { answers.iter().all(Option::is_some).then_some(false) }
    }

    /// Whether a marker holds for this Python.
    pub fn holds(&self, marker: &str) -> Option<bool> {
        marker::holds(marker, &Environment { python: self.python.clone(), extra: String::new() })
    }

    fn requires(&self, system: &dyn System, found: &Distribution) -> Result<Vec<Named>, Failure> {
        if found.version.is_empty() {
            return Ok(Vec::new());
        }
        let metadata = text(system, &found.metadata.join("METADATA"))?;
        let head = metadata.lines().take_while(|line| !line.is_empty());
        let lines = head.filter_map(|line| line.strip_prefix("Requires-Dist:"));
        Ok(lines.filter_map(|line| Named::parse(line).ok()).collect())
    }
}

/// The subject under which a plan settles a distribution of the site of this name.
pub fn subject(site: &str, name: &str) -> Subject {
    Subject::Other(format!("python:{site}"), name.to_owned())
}

fn text(system: &dyn System, path: &Path) -> Result<String, Failure> {
    let bytes = match system.read(path) {
        // What a plan has only predicted has no content.
        Err(_) if system.asked_unknown() => None,
        bytes => bytes.during(|| format!("read {}", path.display()))?,
    };
    Ok(String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned())
}

/// Name and version in the name of a folder of metadata.
fn split(entry: &str) -> Option<(String, String)> {
    let stem = entry.strip_suffix(".dist-info").or_else(|| entry.strip_suffix(".egg-info"))?;
    let mut parts = stem.split('-');
    let (name, version) = (parts.next()?, parts.next()?);
    Some((normalized(name), version.to_owned()))
}

fn site_folders(system: &dyn System, lib: &Path) -> Result<Vec<PathBuf>, Failure> {
    let names = system.list(lib).during(|| format!("read {}", lib.display()))?.unwrap_or_default();
    let pythons = names.iter().filter(|name| name.to_string_lossy().starts_with("python"));
    Ok(pythons.map(|name| lib.join(name).join("site-packages")).collect())
}

/// Where distributions keep the packages of their Python, in the order of its path.
fn system_folders(system: &dyn System, version: &str) -> Vec<PathBuf> {
    let home = system.identity().home.join(format!(".local/lib/python{version}/site-packages"));
    let shared = [
        format!("/usr/local/lib/python{version}/dist-packages"),
        format!("/usr/local/lib/python{version}/site-packages"),
        "/usr/lib/python3/dist-packages".to_owned(),
        format!("/usr/lib/python{version}/site-packages"),
        format!("/usr/lib64/python{version}/site-packages"),
    ];
    std::iter::once(home).chain(shared.map(PathBuf::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::fake::Fake;

    fn venv() -> Fake {
        let at = "/v/lib/python3.11/site-packages";
        let mut fake = Fake::new().file("/v/bin/activate", "").file("/v/pyvenv.cfg", "version = 3.11.2\n");
        for (name, metadata) in [
            (
                "a-1.0",
                "Requires-Dist: B_x (>=2)\nRequires-Dist: c ; extra == 'more'\nRequires-Dist: d; os_name == 'nt'\n",
            ),
            ("b_x-2.1", "Name: b\n\nRequires-Dist: in the description\n"),
        ] {
            fake = fake
                .file(format!("{at}/{name}.dist-info/METADATA"), metadata)
                .file(format!("{at}/{name}.dist-info/RECORD"), "x")
                .file(format!("{at}/{name}.dist-info/INSTALLER"), "pip");
        }
        fake.file(format!("{at}/half-1.dist-info/METADATA"), "")
    }

    #[test]
    fn distributions_and_what_they_require() {
        let fake = venv();
        let site = Site::of_environment(&fake, Path::new("/v")).unwrap().unwrap();
        assert_eq!(site.find(&fake, "b-x").map(|found| found.version).as_deref(), Some("2.1"));
        assert!(site.find(&fake, "half").is_none(), "what a killed pip left is not installed");
        let complete = |text: &str| site.is_complete(&fake, &Named::parse(text).unwrap()).unwrap();
        assert_eq!((complete("a"), complete("a[more]"), complete("nope")), (Some(true), Some(false), Some(false)));
        assert!(Site::of_environment(&fake, Path::new("/w")).unwrap().is_none());
    }
}
