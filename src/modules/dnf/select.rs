//! Which of the named packages need something done, and the run of dnf for it.

use std::path::Path;

use super::{Args, State};
use crate::failure::{During, Failure};
use crate::probe::rpm::{self, Package};
use crate::system::{Command, System};

impl Args {
    /// The run that may be needed.
    pub(super) fn job(&self, system: &dyn System) -> Result<Option<Vec<String>>, Failure> {
        let words = match (self.state(), self.name.is_empty()) {
            (_, true) if self.autoremove => vec!["autoremove".to_owned()],
            (_, true) => return Ok(None),
            (State::Absent, _) => match self.removed(system)? {
                names if names.is_empty() => return Ok(None),
                names => {
                    let verb = if self.autoremove { "autoremove" } else { "remove" };
                    std::iter::once(verb.to_owned()).chain(names).collect()
                }
            },
            (State::Present, _) => match self.missing(system)? {
                names if names.is_empty() => return Ok(None),
                names => std::iter::once("install".to_owned()).chain(names).collect(),
            },
            (State::Latest, _) if self.name == ["*"] => vec!["upgrade".to_owned()],
            (State::Latest, _) => {
                let verb = if self.update_only { "upgrade" } else { "install" };
                let names = if self.update_only { self.there(system)? } else { self.name.clone() };
                if names.is_empty() {
                    return Ok(None);
                }
                std::iter::once(verb.to_owned()).chain(names).collect()
            }
        };
        Ok(Some(self.common().into_iter().chain(words).collect()))
    }

    fn root(&self) -> Option<&Path> {
        (self.installroot.as_os_str() != "/").then_some(&self.installroot)
    }

    fn installed(&self, system: &dyn System) -> Result<Vec<Package>, Failure> {
        match system.which("rpm") {
            Some(_) => rpm::all(system, self.root()),
            None => Ok(Vec::new()),
        }
    }

    /// Which of the names nothing installed answers to.
    fn missing(&self, system: &dyn System) -> Result<Vec<String>, Failure> {
        let installed = self.installed(system)?;
        let mut missing = Vec::new();
        for name in self.name.iter().map(|name| name.trim()) {
            if !self.is_there(system, &installed, name)? {
                missing.push(name.to_owned());
            }
        }
        Ok(missing)
    }

    fn is_there(&self, system: &dyn System, installed: &[Package], name: &str) -> Result<bool, Failure> {
        if let Some(planned) = rpm::planned(system, name) {
            return Ok(planned);
        }
        // A pattern may mean more than is there, and of groups rpm knows nothing.
        if name.starts_with('@') || name.contains(['*', '?', '<', '>', '=']) {
            return Ok(false);
        }
        if name.ends_with(".rpm") {
            return self.file_is_there(system, installed, name);
        }
        if installed.iter().any(|package| package.is_called(name)) {
            return Ok(true);
        }
        Ok(system.which("rpm").is_some() && rpm::provides(system, self.root(), name)?)
    }

    /// Whether what a package file holds is installed; of one that lies elsewhere its name tells.
    fn file_is_there(&self, system: &dyn System, installed: &[Package], file: &str) -> Result<bool, Failure> {
        let mut called = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".rpm").to_owned();
        if !file.contains("://") {
            let words = ["rpm", "-qp", "--qf", "%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}", file];
            let output = system.query(&Command::new(words)).during(|| "ask rpm")?;
            if !output.ok() {
                return Err(Failure::new(format!("{file} is no package: {}", output.errors().trim())).argument("name"));
            }
            called = output.text().trim().to_owned();
        }
        Ok(installed.iter().any(|package| package.is_called(&called)))
    }

    /// The names that something installed answers to.
    fn there(&self, system: &dyn System) -> Result<Vec<String>, Failure> {
        let installed = self.installed(system)?;
        let is_there =
            |name: &&String| name.starts_with('@') || installed.iter().any(|package| package.is_called(name));
        Ok(self.name.iter().filter(is_there).cloned().collect())
    }

    fn removed(&self, system: &dyn System) -> Result<Vec<String>, Failure> {
        let installed = self.installed(system)?;
        let goes = |name: &&String| match rpm::planned(system, name) {
            Some(planned) => planned,
            None => name.starts_with('@') || installed.iter().any(|package| package.is_called(name)),
        };
        Ok(self.name.iter().filter(goes).cloned().collect())
    }
}
