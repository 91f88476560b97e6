//! Which of the named packages need something done.

use std::collections::HashSet;

use super::run::{self, Job};
use super::spec::{Spec, Version};
use super::{Args, State};
use crate::change::Action;
use crate::failure::Failure;
use crate::probe::dpkg::{self, Database};
use crate::probe::{apt, glob};
use crate::system::{Command, System};

impl Args {
    /// The run that brings the named packages to the wanted state, if one is needed.
    pub(super) fn select(&self, system: &dyn System) -> Result<Option<Job>, Failure> {
        match self.state {
            State::Absent => self.remove(system),
            State::BuildDep => {
                let mut words = self.common();
                words.push("build-dep".into());
                words.extend(self.name.iter().map(|name| name.trim().to_owned()));
                self.simulated(system, words)
            }
            State::Present | State::Latest | State::Fixed => self.install(system),
        }
    }

    fn install(&self, system: &dyn System) -> Result<Option<Job>, Failure> {
        let database = Database::read(system)?;
        let mut wanted = Vec::new();
        for spec in self.expand(system, &database)? {
            if self.is_wanted(system, &database, &spec)? {
                wanted.push(spec);
            }
        }
        if wanted.is_empty() && self.state != State::Fixed {
            return Ok(None);
        }
        let mut words = self.common();
        let mut flag = |wanted: bool, word: &str| words.extend(wanted.then(|| word.to_owned()));
        flag(self.state == State::Fixed, "--fix-broken");
        flag(self.only_upgrade, "--only-upgrade");
        flag(self.autoremove, "--auto-remove");
        words.push("install".into());
        words.extend(wanted.iter().map(Spec::word));
        if system.is_real() && self.is_certain(system, &database, &wanted)? {
            return Ok(Some(Job::installing(words, wanted.into_iter().map(|spec| spec.name))));
        }
        self.simulated_install(system, &wanted, words)
    }

    /// Whether a run can only install something, so that `apt-get` need not be asked what it would do: it thinks for
    /// seconds about packages that need many others, and would have to think twice.
    fn is_certain(&self, system: &dyn System, database: &Database, wanted: &[Spec]) -> Result<bool, Failure> {
        let is_installed =
            |spec: &Spec| database.package(&spec.name).is_some_and(|package| package.state == dpkg::State::Installed);
        let is_plain = |spec: &Spec| spec.version == Version::Any && !spec.is_pattern();
        if self.state != State::Present || !wanted.iter().all(|spec| is_plain(spec) && !is_installed(spec)) {
            return Ok(false);
        }
        // A name that only others provide may be there already.
        let known: HashSet<String> = apt::names(system)?.into_iter().collect();
        Ok(wanted.iter().all(|spec| known.contains(&spec.name)))
    }

    fn simulated_install(
        &self,
        system: &dyn System,
        wanted: &[Spec],
        words: Vec<String>,
    ) -> Result<Option<Job>, Failure> {
        let names = || wanted.iter().filter(|spec| !spec.is_pattern()).map(|spec| spec.name.clone());
        let refreshed = apt::refresh_is_planned(system);
        if refreshed && !apt::has_lists(system)? {
            return Ok(Some(Job::installing(words, names())));
        }
        let output = apt::simulate(system, &words)?;
        if !output.ok() {
            // The lists that are planned, perhaps of a new repository, may well hold what today's do not.
            if refreshed {
                return Ok(Some(Job::installing(words, names())));
            }
            return Err(run::explain(&output, self.lists_hint(system)?).argument("name"));
        }
        let simulation = apt::Simulation::parse(&output.text());
        for spec in wanted.iter().filter(|spec| matches!(spec.version, Version::AtLeast(_))) {
            let new = simulation.installs.iter().find(|(name, _)| *name == spec.name);
            if let (false, Version::AtLeast(least)) =
                (new.is_some_and(|(_, version)| spec.accepts(version)), &spec.version)
            {
                let message = format!("no available installation candidate for {}>={least}", spec.name);
                return Err(Failure::new(message).argument("name"));
            }
        }
        Ok((!simulation.is_empty()).then(|| Job::of(words, simulation)))
    }

    /// Whether something may have to be done for it. With `latest` only apt itself can tell.
    fn is_wanted(&self, system: &dyn System, database: &Database, spec: &Spec) -> Result<bool, Failure> {
        let found = database.package(&spec.name);
        let installed = found.filter(|package| package.state == dpkg::State::Installed);
        match installed {
            Some(package) if self.state == State::Latest => Ok(!package.version.is_empty()),
            Some(package) => Ok(!spec.accepts(&package.version)),
            None if self.only_upgrade => Ok(false),
            // Something installed may stand in for it, unless there is a package of that very name.
            None if spec.version == Version::Any && database.provides(&spec.name) => apt::is_real(system, &spec.name),
            None => Ok(true),
        }
    }

    fn remove(&self, system: &dyn System) -> Result<Option<Job>, Failure> {
        let database = Database::read(system)?;
        let all = database.names();
        let mut names = Vec::new();
        for spec in self.specs()? {
            let matching: Vec<String> = match spec.is_pattern() {
                true => all.iter().filter(|name| glob::matches(&spec.name, name)).cloned().collect(),
                false => vec![spec.name.clone()],
            };
            for name in matching {
                let goes = database.package(&name).is_some_and(|package| match package.state {
                    dpkg::State::ConfigFiles => self.purge,
                    dpkg::State::Installed | dpkg::State::Broken => spec.accepts(&package.version),
                });
                if goes && !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        if names.is_empty() {
            return Ok(None);
        }
        let mut words = self.common();
        words.retain(|word| word != "--no-remove");
        words.extend(self.purge.then(|| "--purge".into()));
        words.extend(self.autoremove.then(|| "--auto-remove".into()));
        words.push("remove".into());
        words.extend(names);
        self.simulated(system, words)
    }

    /// Packages that are wanted for themselves must not go when those go that brought them.
    pub(super) fn mark_wanted(&self, system: &dyn System) -> Result<Option<Action>, Failure> {
        if self.name.is_empty() || !matches!(self.state, State::Present | State::Latest | State::Fixed) {
            return Ok(None);
        }
        let automatic = apt::automatic(system)?;
        let specs = self.specs()?.into_iter().map(|spec| spec.name);
        let names: Vec<String> = specs.filter(|name| automatic.contains(name)).collect();
        if names.is_empty() || system.which("apt-mark").is_none() {
            return Ok(None);
        }
        let words = ["apt-mark", "-q", "manual"].map(str::to_owned).into_iter().chain(names);
        Ok(Some(super::aside(crate::change::Act::Run(Command::new(words)))))
    }

    fn specs(&self) -> Result<Vec<Spec>, Failure> {
        let parse = |text: &String| Spec::parse(text).map_err(|why| Failure::new(why).argument("name"));
        self.name.iter().map(parse).collect()
    }

    /// The named packages, with patterns replaced by all packages that match.
    fn expand(&self, system: &dyn System, database: &Database) -> Result<Vec<Spec>, Failure> {
        let mut specs = Vec::new();
        let mut known: Option<Vec<String>> = None;
        for spec in self.specs()? {
            if !spec.is_pattern() || apt::refresh_is_planned(system) && !apt::has_lists(system)? {
                specs.push(spec);
                continue;
            }
            let known = match &mut known {
                Some(known) => known,
                none => none.insert(apt::names(system)?.into_iter().chain(database.names()).collect()),
            };
            let (base, arch) = spec.name.split_once(':').map_or((&*spec.name, None), |(base, arch)| (base, Some(arch)));
            let mut names: Vec<&String> = known.iter().filter(|name| glob::matches(base, name)).collect();
            names.sort();
            names.dedup();
            if names.is_empty() {
                let message = format!("No package(s) matching '{}' available: {}", spec.name, self.lists_hint(system)?);
                return Err(Failure::new(message).argument("name"));
            }
            specs.extend(names.into_iter().map(|name| Spec {
                name: arch.map_or_else(|| name.clone(), |arch| format!("{name}:{arch}")),
                version: spec.version.clone(),
            }));
        }
        Ok(specs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map;
    use crate::module::{Arguments, Module};
    use crate::system::fake::Fake;

    #[test]
    fn what_is_certain_is_asked_for_in_a_plan_only() {
        let args = Args::read(&map! { "name" => "tree" }).unwrap();
        // It has no answer to `apt-get -s`.
        let system = Fake::new()
            .program("apt-get")
            .file("/var/lib/dpkg/status", "Package: mawk\nStatus: install ok installed\nVersion: 1\n")
            .answers(&["apt-cache", "pkgnames"], 0, "mawk\ntree\n");
        let change = args.plan(&system, &[]).unwrap();
        assert!(change.actions[0].to_string().ends_with("install tree"), "{:?}", change.actions);
        assert!(args.plan(&system.plan(), &[]).is_err());
        let unknown = Args::read(&map! { "name" => "nope" }).unwrap();
        assert!(unknown.plan(&system, &[]).is_err());
    }
}
