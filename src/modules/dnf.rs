mod select;

use std::path::PathBuf;

use crate::change::{Act, Action, Change};
use crate::failure::{During, Failure};
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::modules::printed::add_printed;
use crate::probe::dpkg;
use crate::probe::rpm::Simulation;
use crate::system::{Command, Output, Subject, System};
use crate::value::{Map, Value};
use crate::{args, choices, map};

choices! {
    /// What may be wanted of packages.
    pub enum State {
        /// Installed.
        Present = "present" | "installed",
        /// Removed.
        Absent = "absent" | "removed",
        /// Installed in the newest version that the repositories hold.
        Latest = "latest",
    }
}

args! {
    /// Installs, upgrades and removes packages of Fedora, Red Hat and their kin with dnf.
    ///
    /// What is installed is asked of rpm; dnf is started only for what is missing, first to say what it would do.
    pub struct Args {
        /// The packages: `name`, `name-1.2`, `name >= 1.2`, `name.arch`, `@group`, a file, an address, a capability; `*`
        /// with `state: latest` upgrades all.
        name: Vec<String>, alias("pkg");
        /// What is wanted of them.
        state: Option<State>;
        /// Fetch the lists of the repositories anew.
        update_cache: bool = false, alias("expire-cache");
        /// Upgrade packages that are installed; do not install others. With `state: latest`.
        update_only: bool = false;
        /// Remove packages that were installed for others only and are not needed any more.
        autoremove: bool = false;
        /// Repositories to use besides.
        enablerepo: Vec<String>;
        /// Repositories not to use.
        disablerepo: Vec<String>;
        /// Packages to leave alone.
        exclude: Vec<String>;
        /// Do not heed the exclusions of the configuration: `all`, `main` or a repository.
        disable_excludes: Option<String>;
        /// Plugins of dnf to use.
        enable_plugin: Vec<String>;
        /// Plugins of dnf not to use.
        disable_plugin: Vec<String>;
        /// Another configuration file.
        conf_file: Option<PathBuf>;
        /// Do not check signatures.
        disable_gpg_check: bool = false;
        /// Check certificates of repositories.
        sslverify: bool = true, alias("validate_certs");
        /// Work on the system below this folder.
        installroot: PathBuf = "/";
        /// The release that packages are taken from.
        releasever: Option<String>;
        /// Install weak dependencies too.
        install_weak_deps: bool = true;
        /// Remove packages that are in the way.
        allowerasing: bool = false;
        /// Replace an installed package by an older version.
        allow_downgrade: bool = false;
        /// Insist on the newest version, or do not; by default what the configuration says.
        best: Option<bool>;
        /// Take another version than the newest where that cannot be installed.
        nobest: Option<bool>;
        /// Leave out packages that cannot be installed.
        skip_broken: bool = false;
        /// Only upgrades that repair bugs, with `state: latest`.
        bugfix: bool = false;
        /// Only upgrades that close security holes, with `state: latest`.
        security: bool = false;
        /// Use what has been fetched already; ask no repository.
        cacheonly: bool = false;
        /// Fetch the packages and do not install them.
        download_only: bool = false;
        /// Where `download_only` puts them.
        download_dir: Option<PathBuf>;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec =
    ModuleSpec { aliases: &["yum", "dnf5"], ..ModuleSpec::of::<Args>("ansible.builtin", "dnf") };

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        if system.which("dnf").is_none() && !dpkg::has_planned(system) {
            return Err(Failure::new("this machine has no dnf; is it of the Red Hat family?"));
        }
        if self.update_cache && !done.iter().any(is_refresh) {
            return Ok(Change::again(vec![self.refresh()], self.values(done)));
        }
        let jobs: Vec<&Output> = done.iter().filter(|output| !is_refresh(output)).collect();
        if !jobs.is_empty() {
            return Ok(Change::none(self.values(done)));
        }
        let Some(words) = self.job(system)? else { return Ok(Change::none(self.values(done))) };
        let Some(simulation) = self.simulate(system, &words)? else { return Ok(Change::none(self.values(done))) };
        let mut values = self.values(done);
        values.extend(["stdout", "stderr"].map(|key| (key.to_owned(), Value::Unknown(String::new()))));
        Ok(Change::again(vec![self.run(words, simulation)], values))
    }

    fn check(&self) -> Result<(), ArgError> {
        if self.name.is_empty() && !self.update_cache && !self.autoremove {
            return Err(ArgError::new("name", "`name` is required, unless `autoremove` or `update_cache` is set"));
        }
        if self.best.is_some() && self.nobest.is_some() {
            return Err(ArgError::new("nobest", "give either `best` or `nobest`, not both"));
        }
        if self.download_dir.is_some() && !self.download_only {
            return Err(ArgError::new("download_dir", "`download_dir` needs `download_only`"));
        }
        match self.name.iter().find(|name| name.starts_with('-') || name.is_empty()) {
            Some(name) => Err(ArgError::new("name", format!("`{name}` is no name of a package"))),
            None => Ok(()),
        }
    }

    fn effects(given: &Given) -> Effects {
        Effects::world_if(given.may("name", |name| name.contains("://")))
    }
}

fn is_refresh(output: &Output) -> bool {
    output.argv.iter().any(|word| word == "makecache")
}

impl Args {
    fn state(&self) -> State {
        self.state.unwrap_or(if self.autoremove && self.name.is_empty() { State::Absent } else { State::Present })
    }

    /// The words that come before the verb.
    fn common(&self) -> Vec<String> {
        let mut words = vec!["dnf".to_owned(), "-y".into()];
        let mut option = |name: &str, value: &str| words.push(format!("--{name}={value}"));
        self.enablerepo.iter().for_each(|repo| option("enablerepo", repo));
        self.disablerepo.iter().for_each(|repo| option("disablerepo", repo));
        self.exclude.iter().for_each(|name| option("exclude", name));
        self.enable_plugin.iter().for_each(|name| option("enableplugin", name));
        self.disable_plugin.iter().for_each(|name| option("disableplugin", name));
        self.disable_excludes.iter().for_each(|from| option("disableexcludes", from));
        self.releasever.iter().for_each(|release| option("releasever", release));
        self.conf_file.iter().for_each(|file| option("config", &file.display().to_string()));
        self.download_dir.iter().for_each(|folder| option("downloaddir", &folder.display().to_string()));
        if self.installroot.as_os_str() != "/" {
            option("installroot", &self.installroot.display().to_string());
        }
        let mut setting = |wanted: bool, text: &str| {
            if wanted {
                option("setopt", text);
            }
        };
        setting(!self.sslverify, "sslverify=0");
        setting(!self.install_weak_deps, "install_weak_deps=0");
        setting(self.best == Some(true) || self.nobest == Some(false), "best=1");
        setting(self.best == Some(false) || self.nobest == Some(true), "best=0");
        let mut flag = |wanted: bool, word: &str| words.extend(wanted.then(|| word.to_owned()));
        flag(self.disable_gpg_check, "--nogpgcheck");
        flag(self.allowerasing, "--allowerasing");
        flag(self.skip_broken, "--skip-broken");
        flag(self.cacheonly, "--cacheonly");
        flag(self.download_only, "--downloadonly");
        flag(self.bugfix, "--bugfix");
        flag(self.security, "--security");
        words
    }

    fn refresh(&self) -> Action {
        let words = self.common().into_iter().chain(["makecache".to_owned(), "--refresh".to_owned()]);
        let command = Command::new(words);
        let refresh = Action {
            must_succeed: Some("cannot refresh the lists of packages".into()),
            ..Action::housekeeping(Act::Run(command))
        };
        refresh.expect(Output::default())
    }

    /// What the run would do; nothing if there is nothing to do.
    fn simulate(&self, system: &dyn System, words: &[String]) -> Result<Option<Simulation>, Failure> {
        if system.which("dnf").is_none() {
            return Ok(Some(Simulation::default()));
        }
        let argv = words.iter().map(|word| if word == "-y" { "--assumeno".to_owned() } else { word.clone() });
        let output = system.query(&Command::new(argv)).during(|| "ask dnf")?;
        match Simulation::parse(&output.text()) {
            Some(simulation) if simulation.downgrades && !self.allow_downgrade => {
                let message = "a later version is installed: `allow_downgrade: true` replaces it by an older one";
                Err(Failure::new(message).argument("name").with("stdout", output.text()))
            }
            Some(simulation) => Ok(Some(simulation)),
            None if output.ok() => Ok(None),
            None => Err(explain(&output)),
        }
    }

    fn run(&self, words: Vec<String>, simulation: Simulation) -> Action {
        // A transaction is never killed half-way.
        let command = Command { drain: true, ..Command::new(words) };
        let mut action = Action::run(command, "dnf failed").expect(Output::default());
        if self.download_only {
            return action;
        }
        let installs = !simulation.installs.is_empty();
        for (name, version) in simulation.installs {
            action = action.settles(Subject::Package(name), version);
        }
        for name in simulation.removes {
            action = action.settles(Subject::Package(name), Value::Null);
        }
        if installs { action.settles(dpkg::planned_subject(), true) } else { action }
    }

    fn values(&self, done: &[Output]) -> Map {
        let mut values = map! { "rc" => 0i64, "results" => Vec::<String>::new() };
        if done.iter().all(is_refresh) {
            let message = if self.update_cache && self.name.is_empty() { "Cache updated" } else { "Nothing to do" };
            values.insert("msg".into(), message.into());
        }
        let jobs: Vec<Output> = done.iter().filter(|output| !is_refresh(output)).cloned().collect();
        add_printed(&mut values, &jobs);
        values
    }
}

/// Why dnf cannot do it, for people.
fn explain(output: &Output) -> Failure {
    let (text, errors) = (output.text(), output.errors());
    let missing = errors.lines().chain(text.lines()).find_map(|line| {
        line.strip_prefix("No match for argument: ").or_else(|| line.strip_prefix("No package ")?.split(' ').next())
    });
    let message = match missing {
        Some(name) => format!("no package `{}` is available in the enabled repositories", name.trim()),
        None => format!("dnf refuses: {}", errors.trim()),
    };
    Failure::new(message).argument("name").with("rc", output.rc).with("stdout", text).with("stderr", errors)
}
