//! What apt knows: how old its lists are, and what a run would do.

use std::path::Path;

use crate::failure::{During, Failure};
use crate::system::{Command, Output, Subject, System};
use crate::value::Value;

const LISTS: &str = "/var/lib/apt/lists";
const STAMP: &str = "/var/lib/apt/periodic/update-success-stamp";

/// When the package lists were refreshed, seconds since 1970; `None` if never: an image's empty folder may be young.
pub fn lists_time(system: &dyn System) -> Result<Option<f64>, Failure> {
    if let Some(Value::Bool(true)) = system.predicted(&refreshed_subject()) {
        return Ok(Some(system.now()));
    }
    if !has_lists(system)? {
        return Ok(None);
    }
    let mtime = |path: &str| {
        let stat = system.stat(Path::new(path), true).during(|| format!("look at {path}"));
        stat.map(|stat| stat.map_or(0.0, |stat| stat.mtime))
    };
    Ok(Some(mtime(STAMP)?.max(mtime(LISTS)?)))
}

/// Whether there are lists of packages at all (planned ones do not count).
pub fn has_lists(system: &dyn System) -> Result<bool, Failure> {
    let names = system.list(Path::new(LISTS)).during(|| format!("read {LISTS}"))?.unwrap_or_default();
    Ok(names.iter().any(|name| name.to_string_lossy().contains("_Packages")))
}

/// The folder of the lists, whose time says when they were refreshed.
pub fn lists_folder() -> &'static Path {
    Path::new(LISTS)
}

/// Settled by a planned refresh of the lists.
pub fn refreshed_subject() -> Subject {
    Subject::Other("apt".into(), "lists".into())
}

/// Whether the lists are only planned to be refreshed: what they will hold is not known.
pub fn refresh_is_planned(system: &dyn System) -> bool {
    system.predicted(&refreshed_subject()) == Some(Value::Bool(true))
}

/// What a run of apt would do.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Simulation {
    /// Name (with architecture if that is not the machine's) and version of what is installed or upgraded.
    pub installs: Vec<(String, String)>,
    /// What is removed.
    pub removes: Vec<String>,
    /// How many old package files are deleted.
    pub deletes: usize,
}

impl Simulation {
    /// Reads the lines `Inst …`, `Remv …`, `Del …`.
    pub fn parse(text: &str) -> Self {
        let mut simulation = Simulation::default();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            match (words.next(), words.next()) {
                (Some("Inst"), Some(name)) => {
                    let version = line.split_once('(').and_then(|(_, rest)| rest.split_whitespace().next());
                    simulation.installs.push((name.to_owned(), version.unwrap_or_default().to_owned()));
                }
                (Some("Remv" | "Purg"), Some(name)) => simulation.removes.push(name.to_owned()),
                (Some("Del"), Some(_)) => simulation.deletes += 1,
                _ => {}
            }
        }
        simulation
    }

    /// Whether nothing would happen.
    pub fn is_empty(&self) -> bool {
        self.installs.is_empty() && self.removes.is_empty() && self.deletes == 0
    }
}

/// Runs `apt-get` with these words, without doing anything.
pub fn simulate(system: &dyn System, words: &[String]) -> Result<Output, Failure> {
    let argv = ["apt-get".to_owned(), "-s".to_owned()].into_iter().chain(words.iter().cloned());
    system.query(&Command::new(argv)).during(|| "ask apt-get")
}

/// The names of all packages that the lists hold.
pub fn names(system: &dyn System) -> Result<Vec<String>, Failure> {
    let output = system.query(&Command::new(["apt-cache", "pkgnames"])).during(|| "ask apt-cache")?;
    Ok(output.text().lines().map(str::to_owned).collect())
}

/// Whether there is a package of this very name, not only others that provide it.
pub fn is_real(system: &dyn System, name: &str) -> Result<bool, Failure> {
    let command = Command::new(["apt-cache", "--no-all-versions", "show", name]);
    let output = system.query(&command).during(|| "ask apt-cache")?;
    Ok(output.ok() && output.text().contains("Package:"))
}

/// The packages that were installed for others only, and go when those go.
pub fn automatic(system: &dyn System) -> Result<Vec<String>, Failure> {
    const STATES: &str = "/var/lib/apt/extended_states";
    let bytes = system.read(Path::new(STATES)).during(|| format!("read {STATES}"))?.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let automatic = text.split("\n\n").filter(|stanza| stanza.contains("Auto-Installed: 1"));
    let name = |stanza: &str| stanza.lines().find_map(|line| line.strip_prefix("Package: ")).map(str::to_owned);
    Ok(automatic.filter_map(name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulation_is_read() {
        let text = "Reading package lists...\nInst nginx-common [1.1] (1.22 Debian:12 [all]) []\n\
                    Inst libc6:i386 (2.36 Debian:12 [i386])\nConf nginx-common (1.22 Debian:12 [all])\n\
                    Remv apache2 [2.4]\nPurg old [1]\n";
        let simulation = Simulation::parse(text);
        let install = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        assert_eq!(simulation.installs, [install("nginx-common", "1.22"), install("libc6:i386", "2.36")]);
        assert_eq!(simulation.removes, ["apache2", "old"]);
        assert!(Simulation::parse("0 upgraded, 0 newly installed").is_empty());
        assert_eq!(Simulation::parse("Del tree 2.1.0-1 [52.8 kB]\n").deletes, 1);
    }
}
