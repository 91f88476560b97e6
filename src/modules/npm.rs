mod verdict;

use std::path::{Path, PathBuf};

use crate::change::{Action, Change};
use crate::failure::Failure;
use crate::module::{ArgError, Module, ModuleSpec};
use crate::modules::file_args::{Common, make_dirs};
use crate::modules::printed::add_printed;
use crate::probe::node::lock::Without;
use crate::probe::node::tree;
use crate::probe::{dpkg, expand, paths};
use crate::system::{Command, Output, System};
use crate::value::{Map, Value};
use crate::{args, choices, map};

choices! {
    /// What may be wanted of packages for Node.
    pub enum State {
        /// Installed.
        Present = "present",
        /// Removed.
        Absent = "absent",
        /// Installed in the newest version that the registry has.
        Latest = "latest",
    }
}

args! {
    /// Installs, upgrades and removes packages for Node with npm.
    ///
    /// What is installed is read from `package.json`, the lock file and `node_modules`: with nothing to do no npm is
    /// started. With `ci` the step is changed only if something differs from the lock file.
    pub struct Args {
        /// The package; without it, what `package.json` in `path` asks for.
        name: Option<String>;
        /// Its version or range of versions.
        version: Option<String>;
        /// The folder of the project; made if it is not there.
        path: Option<PathBuf>;
        /// Install for the whole machine.
        global: bool = false;
        /// What is wanted.
        state: State = State::Present;
        /// Install exactly what the lock file says, with `npm ci`.
        ci: bool = false;
        /// Leave out what is for development.
        production: bool = false;
        /// Leave out what is optional.
        no_optional: bool = false;
        /// Do not run the packages' own scripts.
        ignore_scripts: bool = false;
        /// Do not link programs.
        no_bin_links: bool = false;
        /// Run the packages' scripts as root, too.
        unsafe_perm: bool = false;
        /// Install although something speaks against it.
        force: bool = false;
        /// The registry that packages come from.
        registry: Option<String>;
        /// The npm to run.
        executable: Option<PathBuf>;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("community.general", "npm");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        if done.iter().any(|output| !output.argv.is_empty()) {
            return Ok(Change::none(self.values(done)));
        }
        let npm = self.npm(system)?;
        let folder = self.folder(system)?;
        let root = verdict::root(self, system, &npm, folder.as_deref())?;
        let Some(verb) = verdict::verb(self, system, &npm, folder.as_deref(), root.as_deref())? else {
            return Ok(Change::none(self.values(done)));
        };
        let mut actions = Vec::new();
        if let Some(folder) = &folder {
            actions.extend(make_dirs(system, &paths::missing_dirs(system, folder)?, &Common::default())?);
        }
        actions.push(self.run(&npm, verb, folder.as_deref(), root.as_deref()));
        let mut values = self.values(done);
        values.extend(["stdout", "stderr"].map(|key| (key.to_owned(), Value::Unknown(String::new()))));
        Ok(Change::again(actions, values))
    }

    fn check(&self) -> Result<(), ArgError> {
        if self.path.is_none() && !self.global {
            return Err(ArgError::new("path", "`path` is required unless `global` is set"));
        }
        if self.state == State::Absent && self.name.is_none() {
            return Err(ArgError::new("name", "`state: absent` needs `name`"));
        }
        if self.global && self.name.is_none() {
            return Err(ArgError::new("name", "`global` needs `name`"));
        }
        if self.version.is_some() && self.name.is_none() {
            return Err(ArgError::new("version", "`version` needs `name`"));
        }
        if self.ci && (self.global || self.name.is_some()) {
            return Err(ArgError::new("ci", "`ci` installs what a project's lock file says: it needs `path` alone"));
        }
        match &self.name {
            Some(name) if name.starts_with('-') || name.is_empty() => {
                Err(ArgError::new("name", format!("`{name}` is no name of a package")))
            }
            _ => Ok(()),
        }
    }
}

impl Args {
    /// The program.
    fn npm(&self, system: &dyn System) -> Result<String, Failure> {
        let npm = match &self.executable {
            Some(path) => expand::path(system, path)?.to_string_lossy().into_owned(),
            None => "npm".to_owned(),
        };
        match system.which(&npm).is_some() || dpkg::has_planned(system) {
            true => Ok(npm),
            false => {
                let argument = if self.executable.is_some() { "executable" } else { "name" };
                let message = format!("this machine has no {npm}: install a package such as npm first");
                Err(Failure::new(message).argument(argument))
            }
        }
    }

    fn folder(&self, system: &dyn System) -> Result<Option<PathBuf>, Failure> {
        self.path.as_deref().filter(|_| !self.global).map(|path| paths::for_program(system, path)).transpose()
    }

    fn without(&self) -> Without {
        Without { dev: self.production, optional: self.no_optional }
    }

    fn command(&self, npm: &str, words: Vec<String>, folder: Option<&Path>) -> Command {
        let mut argv = vec![npm.to_owned()];
        argv.extend(words);
        argv.extend(self.global.then(|| "--global".to_owned()));
        argv.extend(self.registry.iter().flat_map(|registry| ["--registry".to_owned(), registry.clone()]));
        let mut command = Command::new(argv);
        command.cwd = folder.map(Path::to_owned);
        for (name, value) in [("audit", "false"), ("fund", "false"), ("update_notifier", "false")] {
            command = command.env(&format!("npm_config_{name}"), value);
        }
        command
    }

    fn run(&self, npm: &str, verb: &str, folder: Option<&Path>, root: Option<&Path>) -> Action {
        let mut words = vec![verb.to_owned()];
        let mut flag = |wanted: bool, word: &str| words.extend(wanted.then(|| word.to_owned()));
        flag(self.production, "--production");
        flag(self.ignore_scripts, "--ignore-scripts");
        flag(self.unsafe_perm, "--unsafe-perm");
        flag(self.no_optional, "--no-optional");
        flag(self.no_bin_links, "--no-bin-links");
        flag(self.force, "--force");
        words.extend(self.spec().filter(|_| verb != "uninstall").or(self.name.clone()));
        let command = Command { drain: true, ..self.command(npm, words, folder) };
        let what = self.spec().unwrap_or_else(|| "what package.json asks for".to_owned());
        let done = if verb == "uninstall" { "remove" } else { "install" };
        let action = Action::run(command, format!("npm cannot {done} {what}")).expect(Output::default());
        // Without an npm nobody can tell where to look for it.
        let Some(root) = root else { return action };
        match &self.name {
            Some(name) if verb == "uninstall" => action.settles(tree::subject(root, name), Value::Null),
            name => action.settles(tree::subject(root, name.as_deref().unwrap_or(verdict::ALL)), ""),
        }
    }

    /// `name@version`.
    fn spec(&self) -> Option<String> {
        let name = self.name.as_ref()?;
        let version = self.version.as_ref().filter(|version| !version.is_empty());
        let latest = (self.state == State::Latest && version.is_none()).then(|| "latest".to_owned());
        Some(version.cloned().or(latest).map_or_else(|| name.clone(), |version| format!("{name}@{version}")))
    }

    fn values(&self, done: &[Output]) -> Map {
        let mut values = map! { "name" => self.name.clone(), "state" => self.state.as_str() };
        add_printed(&mut values, done);
        values
    }
}
