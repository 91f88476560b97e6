//! Installed packages as rpm knows them, and what a run of dnf would do.

use std::path::Path;

use crate::failure::{During, Failure};
use crate::system::{Command, Output, Subject, System};
use crate::value::Value;

/// One line for each package.
const FORMAT: &str = "%{NAME}\\t%{EPOCHNUM}\\t%{VERSION}\\t%{RELEASE}\\t%{ARCH}\\n";

/// One installed package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its epoch.
    pub epoch: String,
    /// Its version.
    pub version: String,
    /// Its release.
    pub release: String,
    /// Its architecture.
    pub arch: String,
}

impl Package {
    /// Whether the user's words mean this package: `name`, `name.arch`, `name-version`, `name-version-release.arch`, ….
    pub fn is_called(&self, text: &str) -> bool {
        let Package { name, epoch, version, release, arch } = self;
        let stems = [
            name.clone(),
            format!("{name}-{version}"),
            format!("{name}-{version}-{release}"),
            format!("{name}-{epoch}:{version}"),
            format!("{name}-{epoch}:{version}-{release}"),
            format!("{epoch}:{name}-{version}-{release}"),
        ];
        let like =
            |stem: &str| super::glob::matches(text, stem) || super::glob::matches(text, &format!("{stem}.{arch}"));
        stems.iter().any(|stem| like(stem))
    }
}

/// All installed packages.
pub fn all(system: &dyn System, root: Option<&Path>) -> Result<Vec<Package>, Failure> {
    let output = ask(system, root, &["-qa"])?;
    if !output.ok() {
        return Err(Failure::new(format!("rpm does not say what is installed: {}", output.errors().trim())));
    }
    Ok(output.text().lines().filter_map(parse).collect())
}

/// Whether something installed offers `name` (a package, a file, a capability).
pub fn provides(system: &dyn System, root: Option<&Path>, name: &str) -> Result<bool, Failure> {
    Ok(ask(system, root, &["-q", "--whatprovides", name])?.ok())
}

/// What a planned step has settled about a package: installed or not.
pub fn planned(system: &dyn System, name: &str) -> Option<bool> {
    system.predicted(&Subject::Package(name.to_owned())).map(|value| value != Value::Null)
}

fn ask(system: &dyn System, root: Option<&Path>, words: &[&str]) -> Result<Output, Failure> {
    let mut argv = vec!["rpm".to_owned()];
    argv.extend(root.iter().flat_map(|root| ["--root".to_owned(), root.display().to_string()]));
    argv.extend(words.iter().map(|word| (*word).to_owned()));
    argv.extend(["--qf".to_owned(), FORMAT.to_owned()]);
    system.query(&Command::new(argv)).during(|| "ask rpm")
}

fn parse(line: &str) -> Option<Package> {
    let mut fields = line.split('\t').map(str::to_owned);
    let mut next = || fields.next();
    Some(Package { name: next()?, epoch: next()?, version: next()?, release: next()?, arch: next()? })
}

/// What a run of dnf would do.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Simulation {
    /// Name and version of what is installed, upgraded, downgraded or reinstalled.
    pub installs: Vec<(String, String)>,
    /// What is removed.
    pub removes: Vec<String>,
    /// Something installed is replaced by an older version.
    pub downgrades: bool,
}

impl Simulation {
    /// Reads the table that dnf shows before it asks; `None`: it shows none, as there is nothing to do.
    pub fn parse(text: &str) -> Option<Simulation> {
        let mut simulation = Simulation::default();
        let mut removing = false;
        let mut summary = false;
        for line in text.lines() {
            summary |= line.starts_with("Transaction Summary");
            if line.ends_with(':') && line.starts_with(|c: char| c.is_ascii_uppercase()) {
                removing = line.starts_with("Remov");
                simulation.downgrades |= line.starts_with("Downgrading");
                continue;
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            let is_row = line.starts_with(' ') && !line.starts_with("   ") && words.len() >= 4 && !summary;
            match (is_row && words[0] != "Package" && words[0] != "replacing", removing) {
                (false, _) => {}
                (true, true) => simulation.removes.push(words[0].to_owned()),
                (true, false) => simulation.installs.push((words[0].to_owned(), words[2].to_owned())),
            }
        }
        summary.then_some(simulation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_packages() {
        let package = parse("bash\t0\t5.2\t1.fc40\tx86_64").unwrap();
        for name in ["bash", "bash.x86_64", "bash-5.2", "bash-5.2-1.fc40.x86_64", "ba*", "bash-0:5.2-1.fc40"] {
            assert!(package.is_called(name), "{name}");
        }
        assert!(!package.is_called("bash-5.1") && !package.is_called("zsh"));
    }

    #[test]
    fn a_simulation_is_read() {
        let text = "Dependencies resolved.\n====\n Package  Arch  Version  Repository  Size\n====\nInstalling:\n \
                    tree  x86_64  2.1.0-1.fc40  fedora  59 k\nInstalling dependencies:\n b  noarch  1-1  fedora  1 k\n\
                    Removing:\n old  x86_64  1-1  @fedora  1 k\n\nTransaction Summary\n====\nInstall  2 Packages\n";
        let simulation = Simulation::parse(text).unwrap();
        let install = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        assert_eq!(simulation.installs, [install("tree", "2.1.0-1.fc40"), install("b", "1-1")]);
        assert_eq!(simulation.removes, ["old"]);
        assert_eq!(Simulation::parse("Dependencies resolved.\nNothing to do.\nComplete!\n"), None);
    }
}
