mod deb;
mod refresh;
mod run;
mod select;
mod spec;

use crate::change::{Act, Action, Change};
use crate::failure::{During, Failure};
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::probe::{apt, dpkg};
use crate::system::{Command, Output, System};
use crate::value::Map;
use crate::{args, choices, map};

use run::Job;

choices! {
    /// What may be wanted of packages.
    pub enum State {
        /// Installed.
        Present = "present" | "installed",
        /// Removed.
        Absent = "absent" | "removed",
        /// Installed in the newest version that the lists hold.
        Latest = "latest",
        /// What is needed to build them is installed.
        BuildDep = "build-dep",
        /// Installed, with broken dependencies repaired.
        Fixed = "fixed",
    }
}

choices! {
    /// How to upgrade all packages.
    pub enum Upgrade {
        /// Not at all.
        No = "no" | "False",
        /// Without removing any.
        Yes = "yes" | "True",
        /// The same.
        Safe = "safe",
        /// Removing what is in the way.
        Full = "full",
        /// The same.
        Dist = "dist",
    }
}

args! {
    /// Installs, upgrades and removes packages of Debian and its kin.
    ///
    /// What is installed is read from dpkg's own files: with nothing to do no program is started. `apt-get` does the
    /// rest. Refreshing the lists (`update_cache`) alone does not make the step changed; `cache_updated` tells.
    pub struct Args {
        /// The packages: `name`, `name=1.2*`, `name>=1.2`, `name:i386`; in names `*`, `?` and `[…]` match any of the
        /// packages. `*` alone with `state: latest` upgrades all.
        name: Vec<String>, alias("package", "pkg");
        /// What is wanted of them.
        state: State = State::Present;
        /// Refresh the lists first, if they are older than `cache_valid_time`.
        update_cache: Option<bool>, alias("update-cache");
        /// Seconds for which refreshed lists are new enough. Implies `update_cache`. Lists that were never refreshed are
        /// always too old.
        cache_valid_time: i64 = 0;
        /// How often refreshing is tried.
        update_cache_retries: u32 = 5u32;
        /// The longest wait between two tries, in seconds; the first ones are shorter.
        update_cache_retry_max_delay: u32 = 12u32;
        /// A package file on the host, or its address; several are separated by commas.
        deb: Option<String>;
        /// Upgrade all packages; with `full` or `dist` others may be removed for it.
        upgrade: Upgrade = Upgrade::No;
        /// The release that packages are taken from (`-t`).
        default_release: Option<String>, alias("default-release");
        /// Whether recommended packages are installed too; by default what the host's apt says.
        install_recommends: Option<bool>, alias("install-recommends");
        /// Upgrade packages that are installed; do not install others.
        only_upgrade: bool = false;
        /// Remove configuration files too, with `state: absent` and `autoremove`.
        purge: bool = false;
        /// Remove packages that were installed for others only and are not needed any more.
        autoremove: bool = false;
        /// Delete package files that can no longer be downloaded.
        autoclean: bool = false;
        /// Delete all downloaded package files, before anything else.
        clean: bool = false;
        /// Fail instead of removing a package.
        fail_on_autoremove: bool = false;
        /// Replace an installed package by an older version.
        allow_downgrade: bool = false, alias("allow-downgrade", "allow_downgrades", "allow-downgrades");
        /// Install packages whose origin cannot be verified.
        allow_unauthenticated: bool = false, alias("allow-unauthenticated");
        /// Change packages that are on hold.
        allow_change_held_packages: bool = false;
        /// All of the three, and removing essential packages. Dangerous.
        force: bool = false;
        /// Options for dpkg, separated by commas. The default keeps changed configuration files.
        dpkg_options: String = "force-confdef,force-confold";
        /// What `/usr/sbin/policy-rc.d` answers meanwhile; 101 keeps services from being started.
        policy_rc_d: Option<i64>;
        /// Seconds to wait while another program holds the package database.
        lock_timeout: i64 = 60;
        /// Taken for the sake of playbooks that carry it: `apt-get` is what is always used.
        force_apt_get: bool = false, elsewhere("what it is about does not exist here: `apt-get` is all that is run");
        /// Taken for the sake of playbooks that carry it: Ansible installs what its module needs on the host. Here nothing
        /// is needed there, so there is nothing to install.
        auto_install_module_deps: bool = true, elsewhere("what it is about does not exist here: `apt-get` is all that is run");
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "apt");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        if system.which("apt-get").is_none() {
            return Err(Failure::new("this machine has no apt-get; is it of the Debian family?"));
        }
        if dpkg::was_interrupted(system)? && !done.iter().any(run::is_repair) {
            return Ok(Change::again(vec![self.repair()], Map::new()));
        }
        if let Some(refresh) = self.refresh(system, done)? {
            return Ok(Change::again(refresh, self.values(system, done)?));
        }
        if let Some(fetch) = deb::fetch(self, system, done)? {
            return Ok(Change::again(fetch, self.values(system, done)?));
        }
        if done.iter().any(run::is_job) {
            return self.finish(system, done);
        }
        let jobs = self.jobs(system)?;
        let mut values = self.values(system, done)?;
        if jobs.is_empty() {
            return self.close(system, values);
        }
        values.extend(run::unknown_values());
        Ok(Change::again(self.actions(system, jobs)?, values))
    }

    fn check(&self) -> Result<(), ArgError> {
        let several = [!self.name.is_empty(), self.deb.is_some(), self.upgrade != Upgrade::No];
        if several.iter().filter(|given| **given).count() > 1 {
            return Err(ArgError::whole("`name`, `deb` and `upgrade` exclude each other"));
        }
        if self.deb.is_some() && self.state != State::Present {
            return Err(ArgError::new("state", "with `deb` only `state: present` is possible"));
        }
        if self.name.len() > 1 && self.name.iter().any(|name| name == "*") {
            return Err(ArgError::new("name", "`*` stands for all packages: no others can be named beside it"));
        }
        self.name
            .iter()
            .try_for_each(|name| spec::Spec::parse(name).map(|_| ()).map_err(|why| ArgError::new("name", why)))
    }

    fn effects(given: &Given) -> Effects {
        Effects::world_if(given.may("deb", |deb| deb.contains("://")))
    }
}

impl Args {
    /// All runs of `apt-get` that are needed.
    fn jobs(&self, system: &dyn System) -> Result<Vec<Job>, Failure> {
        let mut jobs = Vec::new();
        if self.clean && has_downloads(system)? {
            jobs.push(Job::plain(vec!["clean".into()]));
        }
        let all = self.name.iter().any(|name| name == "*");
        if self.deb.is_some() {
            jobs.extend(deb::install(self, system)?);
        } else if self.upgrade != Upgrade::No || all && self.state == State::Latest {
            jobs.extend(self.upgrade_all(system)?);
        } else if !self.name.is_empty() || self.state == State::Fixed {
            jobs.extend(self.select(system)?);
        } else {
            jobs.extend(self.tidy(system)?);
        }
        Ok(jobs)
    }

    fn upgrade_all(&self, system: &dyn System) -> Result<Option<Job>, Failure> {
        let mut words = self.common();
        match self.upgrade {
            Upgrade::Full | Upgrade::Dist => words.push("dist-upgrade".into()),
            _ => words.extend(["upgrade".into(), "--with-new-pkgs".into()]),
        }
        words.extend(self.autoremove.then(|| "--auto-remove".into()));
        self.simulated(system, words)
    }

    /// `autoclean` and `autoremove` for themselves.
    fn tidy(&self, system: &dyn System) -> Result<Vec<Job>, Failure> {
        let mut jobs = Vec::new();
        for (wanted, verb) in [(self.autoclean, "autoclean"), (self.autoremove, "autoremove")] {
            if wanted {
                let mut words = self.common();
                words.extend(self.purge.then(|| "--purge".into()));
                words.push(verb.into());
                jobs.extend(self.simulated(system, words)?);
            }
        }
        Ok(jobs)
    }

    /// A run, if a simulation says that it would do something.
    fn simulated(&self, system: &dyn System, words: Vec<String>) -> Result<Option<Job>, Failure> {
        if apt::refresh_is_planned(system) && !apt::has_lists(system)? {
            // There are no lists yet that could tell.
            return Ok(Some(Job::plain(words)));
        }
        let output = apt::simulate(system, &words)?;
        if !output.ok() {
            return Err(run::explain(&output, self.lists_hint(system)?));
        }
        let simulation = apt::Simulation::parse(&output.text());
        Ok((!simulation.is_empty()).then(|| Job::of(words, simulation)))
    }

    /// What dpkg could not finish because it was killed.
    fn repair(&self) -> Action {
        let mut words = vec!["dpkg".to_owned()];
        words.extend(self.dpkg_options().map(|option| format!("--{option}")));
        words.extend(["--configure".into(), "-a".into()]);
        let command = run::quiet(Command::new(words));
        let message = "dpkg was killed at work, and what it left cannot be finished";
        Action::run(command, message).expect(Output::default())
    }

    fn dpkg_options(&self) -> impl Iterator<Item = &str> {
        self.dpkg_options.split(',').map(|option| option.trim().trim_start_matches("--")).filter(|it| !it.is_empty())
    }

    fn values(&self, system: &dyn System, done: &[Output]) -> Result<Map, Failure> {
        let time = apt::lists_time(system)?.unwrap_or_default() as i64;
        Ok(map! { "cache_updated" => done.iter().any(refresh::is_refresh), "cache_update_time" => time })
    }

    fn actions(&self, system: &dyn System, jobs: Vec<Job>) -> Result<Vec<Action>, Failure> {
        let actions = jobs.into_iter().map(Job::action).collect();
        let mut actions = run::with_policy(system, self.policy_rc_d, actions)?;
        actions.extend(deb::forget(self, system)?);
        Ok(actions)
    }

    fn finish(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        if let Some(failed) = done.iter().find(|output| run::is_job(output) && !output.ok()) {
            let failure = run::explain(failed, self.lists_hint(system)?);
            return Err(if self.name.is_empty() { failure } else { failure.argument("name") });
        }
        let jobs: Vec<Output> = done.iter().filter(|output| run::is_job(output)).cloned().collect();
        let mut values = self.values(system, done)?;
        values.extend(run::values(&jobs));
        self.close(system, values)
    }

    /// The packages are as wanted: tidies up behind the step.
    fn close(&self, system: &dyn System, values: Map) -> Result<Change, Failure> {
        let mut actions = deb::forget(self, system)?;
        actions.extend(self.mark_wanted(system)?);
        Ok(Change::of(actions, values))
    }

    /// What to do about a package that is not there.
    fn lists_hint(&self, system: &dyn System) -> Result<&'static str, Failure> {
        Ok(match apt::lists_time(system)? {
            None => "the package lists were never refreshed: add `update_cache: true`",
            Some(_) => "is the name right, and are the lists new enough (`update_cache: true`)?",
        })
    }
}

/// Whether `apt-get clean` would delete anything.
fn has_downloads(system: &dyn System) -> Result<bool, Failure> {
    for folder in ["/var/cache/apt/archives", "/var/cache/apt/archives/partial"] {
        let names = system.list(folder.as_ref()).during(|| format!("read {folder}"))?.unwrap_or_default();
        if names.iter().any(|name| name != "lock" && name != "partial") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Housekeeping that is not worth a diff.
fn aside(act: Act) -> Action {
    Action::housekeeping(act)
}
