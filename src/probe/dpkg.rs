//! Installed packages, read from dpkg's own status file: no program is started.

use std::cmp::Ordering;
use std::path::Path;

use crate::failure::{During, Failure};
use crate::system::{Subject, System};
use crate::value::Value;

const STATUS: &str = "/var/lib/dpkg/status";

/// What dpkg knows of all packages.
pub struct Database<'a> {
    system: &'a dyn System,
    text: String,
}

/// One package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version; empty if a planned step installs it and nobody knows yet which one.
    pub version: String,
    /// Its architecture.
    pub architecture: String,
    /// How far it is installed.
    pub state: State,
}

/// How far a package is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// As a whole.
    Installed,
    /// Something went wrong on the way: it is unpacked or half configured.
    Broken,
    /// Removed, but its configuration files are still there.
    ConfigFiles,
}

impl<'a> Database<'a> {
    /// Reads the status file.
    pub fn read(system: &'a dyn System) -> Result<Self, Failure> {
        let bytes = system.read(Path::new(STATUS)).during(|| format!("read {STATUS}"))?;
        let bytes = bytes.ok_or_else(|| Failure::new(format!("{STATUS} is missing: this machine has no dpkg")))?;
        Ok(Database { system, text: String::from_utf8_lossy(&bytes).into_owned() })
    }

    /// The package `name` or `name:arch`; without an architecture, that of the machine (or `all`). Packages of which
    /// dpkg has no files are none.
    pub fn package(&self, name: &str) -> Option<Package> {
        if let Some(settled) = self.system.predicted(&Subject::Package(name.to_owned())) {
            return planned(name, &settled);
        }
        let (base, arch) = name.split_once(':').map_or((name, None), |(base, arch)| (base, Some(arch)));
        let mut found = self.stanzas().filter(|stanza| field(stanza, "Package") == Some(base)).filter_map(parse);
        match arch {
            Some("any") => found.next(),
            Some(arch) => found.find(|package| package.architecture == arch || package.architecture == "all"),
            None => {
                let all: Vec<Package> = found.collect();
                let native = self.architecture();
                let own = |package: &&Package| package.architecture == "all" || Some(&*package.architecture) == native;
                all.iter().find(own).cloned()
            }
        }
    }

    /// Whether an installed package provides `name`.
    pub fn provides(&self, name: &str) -> bool {
        self.stanzas().any(|stanza| {
            let offers = field(stanza, "Provides").unwrap_or_default();
            offers.split(',').filter_map(|offer| offer.split_whitespace().next()).any(|offer| offer == name)
                && parse(stanza).is_some_and(|package| package.state == State::Installed)
        })
    }

    /// The names of all packages that are there in some way.
    pub fn names(&self) -> Vec<String> {
        self.stanzas().filter_map(parse).map(|package| package.name).collect()
    }

    /// All installed packages with their sections.
    pub fn installed(&self) -> Vec<(Package, String)> {
        let section = |stanza| field(stanza, "Section").unwrap_or_default().to_owned();
        let all = self.stanzas().filter_map(|stanza| Some((parse(stanza)?, section(stanza))));
        all.filter(|(package, _)| package.state == State::Installed).collect()
    }

    /// What is wanted of a package: `install`, `hold`, `deinstall` or `purge`.
    pub fn selection(&self, name: &str) -> Option<String> {
        let stanza = self.stanzas().find(|stanza| field(stanza, "Package") == Some(name))?;
        field(stanza, "Status")?.split_whitespace().next().map(str::to_owned)
    }

    /// The machine's own architecture: dpkg's own.
    pub fn architecture(&self) -> Option<&str> {
        let dpkg = self.stanzas().find(|stanza| field(stanza, "Package") == Some("dpkg"))?;
        field(dpkg, "Architecture")
    }

    fn stanzas(&self) -> impl Iterator<Item = &str> {
        self.text.split("\n\n")
    }
}

/// Whether dpkg was killed at work and has to finish before it does anything else.
pub fn was_interrupted(system: &dyn System) -> Result<bool, Failure> {
    const JOURNAL: &str = "/var/lib/dpkg/updates";
    let names = system.list(Path::new(JOURNAL)).during(|| format!("read {JOURNAL}"))?.unwrap_or_default();
    Ok(names.iter().any(|name| name.to_string_lossy().chars().all(|letter| letter.is_ascii_digit())))
}

/// Settled by every planned step that installs a package.
pub fn planned_subject() -> Subject {
    Subject::Other("packages".into(), "planned".into())
}

/// Whether packages are only planned: they may bring files, users and units that nobody knows yet.
pub fn has_planned(system: &dyn System) -> bool {
    system.predicted(&planned_subject()) == Some(Value::Bool(true))
}

fn planned(name: &str, settled: &Value) -> Option<Package> {
    let version = settled.as_str()?.to_owned();
    let name = name.split(':').next().unwrap_or(name).to_owned();
    Some(Package { name, version, architecture: String::new(), state: State::Installed })
}

/// The value of a field that stands on one line.
fn field<'t>(stanza: &'t str, name: &str) -> Option<&'t str> {
    stanza.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

fn parse(stanza: &str) -> Option<Package> {
    let state = match field(stanza, "Status")?.split_whitespace().nth(2)? {
        "installed" | "triggers-awaited" | "triggers-pending" => State::Installed,
        "unpacked" | "half-configured" | "half-installed" => State::Broken,
        "config-files" => State::ConfigFiles,
        _ => return None,
    };
    let text = |name| field(stanza, name).unwrap_or_default().to_owned();
    Some(Package { name: text("Package"), version: text("Version"), architecture: text("Architecture"), state })
}

/// Compares two versions as dpkg does: epoch, upstream version, revision.
pub fn compare_versions(one: &str, other: &str) -> Ordering {
    let split = |version: &str| {
        let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        (epoch.parse::<u64>().unwrap_or(0), upstream.to_owned(), revision.to_owned())
    };
    let (one, other) = (split(one), split(other));
    one.0.cmp(&other.0).then_with(|| compare_part(&one.1, &other.1)).then_with(|| compare_part(&one.2, &other.2))
}

/// Alternates between text, in which `~` sorts before the end and letters before other signs, and numbers.
fn compare_part(one: &str, other: &str) -> Ordering {
    let order = |byte: Option<&u8>| match byte {
        None => 0,
        Some(b'~') => -1,
        Some(byte) if byte.is_ascii_digit() => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    };
    let is_text = |bytes: &[u8]| bytes.first().is_some_and(|byte| !byte.is_ascii_digit());
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    while !one.is_empty() || !other.is_empty() {
        while is_text(one) || is_text(other) {
            match order(one.first()).cmp(&order(other.first())) {
                Ordering::Equal => {}
                unequal => return unequal,
            }
            one = one.get(1..).unwrap_or_default();
            other = other.get(1..).unwrap_or_default();
        }
        let (left, right) = (number(&mut one), number(&mut other));
        match left.len().cmp(&right.len()).then_with(|| left.cmp(right)) {
            Ordering::Equal => {}
            unequal => return unequal,
        }
    }
    Ordering::Equal
}

/// Takes the digits at the start, without leading zeros.
fn number<'b>(bytes: &mut &'b [u8]) -> &'b [u8] {
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    let (digits, rest) = bytes.split_at(end);
    *bytes = rest;
    let zeros = digits.iter().position(|byte| *byte != b'0').unwrap_or(digits.len());
    &digits[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::fake::{Fake, Thing};

    const TEXT: &str = "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.21\n\n\
        Package: libc6\nStatus: install ok installed\nArchitecture: i386\nVersion: 2.36-9\n\n\
        Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-9+x\n\n\
        Package: mawk\nStatus: install ok installed\nArchitecture: amd64\nProvides: awk (= 1), x\nVersion: 1\n\n\
        Package: old\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 3\nProvides: older\n\n\
        Package: half\nStatus: install ok half-configured\nArchitecture: amd64\nVersion: 3\n";

    fn fake() -> Fake {
        let mut fake = Fake::new();
        fake.put(STATUS, Thing { content: TEXT.into(), ..Thing::default() });
        fake
    }

    #[test]
    fn packages_are_found_by_name_and_architecture() {
        let fake = fake();
        let database = Database::read(&fake).unwrap();
        assert_eq!(database.package("libc6").unwrap().version, "2.36-9+x");
        assert_eq!(database.package("libc6:i386").unwrap().version, "2.36-9");
        assert_eq!(database.package("libc6:arm64"), None);
        assert_eq!(database.package("old").unwrap().state, State::ConfigFiles);
        assert_eq!(database.package("half").unwrap().state, State::Broken);
        assert_eq!(database.package("lib"), None);
        assert!(database.provides("awk") && database.provides("x"));
        assert!(!database.provides("older") && !database.provides("aw"));
    }

    #[test]
    fn planned_packages_are_there() {
        use crate::system::Machine;
        let mut fake = fake();
        fake.settle(Subject::Package("nginx".into()), "".into());
        fake.settle(Subject::Package("mawk".into()), Value::Null);
        let database = Database::read(&fake).unwrap();
        assert_eq!(database.package("nginx").unwrap().version, "");
        assert_eq!(database.package("mawk"), None);
    }

    #[test]
    fn versions_sort_as_dpkg_sorts_them() {
        let ascending = [
            ("1.0~rc1", "1.0"),
            ("1.0", "1.0-1"),
            ("1.0-1", "1.0-1.1"),
            ("1.9", "1.10"),
            ("1.0a", "1.0+b"),
            ("2.0", "1:1.0"),
            ("1.0~~", "1.0~"),
            ("1.22.1-9", "1.22.1-9+deb12u1"),
        ];
        for (less, more) in ascending {
            assert_eq!(compare_versions(less, more), Ordering::Less, "{less} {more}");
            assert_eq!(compare_versions(more, less), Ordering::Greater, "{more} {less}");
        }
        for (one, same) in [("1.01", "1.1"), ("0:1", "1"), ("1.0-0", "1.0")] {
            assert_eq!(compare_versions(one, same), Ordering::Equal, "{one} {same}");
        }
    }
}
