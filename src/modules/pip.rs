mod place;
mod verdict;

use std::path::PathBuf;

use crate::change::{Act, Action, Change};
use crate::failure::Failure;
use crate::module::{ArgError, Module, ModuleSpec};
use crate::probe::paths;
use crate::probe::python::requirement::{Named, Requirement};
use crate::probe::python::site;
use crate::system::{Command, Output, Subject, System};
use crate::value::{Map, Value};
use crate::{args, choices, map, words};

use place::Place;
use verdict::Verdict;

choices! {
    /// What may be wanted of packages for Python.
    pub enum State {
        /// Installed.
        Present = "present",
        /// Removed.
        Absent = "absent",
        /// Installed in the newest version that the index has.
        Latest = "latest",
        /// Installed anew, each time.
        ForceReinstall = "forcereinstall",
    }
}

args! {
    /// Installs, upgrades and removes packages for Python.
    ///
    /// What is installed is read from the folder that the packages lie in: with nothing to do no Python is started and no
    /// index is asked. Only what cannot be read there (`latest`, addresses, repositories, unusual `extra_args`) is left to
    /// `pip install --dry-run`. Needs pip, or in a new virtual environment what `virtualenv_command` names.
    pub struct Args {
        /// The packages: `name`, `name==1.2`, `name[extra]>=1,<2`, a path, an address. Excludes `requirements`.
        name: Vec<String>;
        /// The version of the one package in `name`: `1.2` or `>=1,<2`.
        version: Option<String>;
        /// A file of requirements on the host. Excludes `name`.
        requirements: Option<String>;
        /// A virtual environment to work in; it is made if it is not there.
        virtualenv: Option<PathBuf>;
        /// What makes it.
        virtualenv_command: String = "virtualenv";
        /// The Python that it is made for; not with `python3 -m venv`, which makes it for its own.
        virtualenv_python: Option<String>;
        /// It also sees the packages of the system.
        virtualenv_site_packages: bool = false;
        /// What is wanted of the packages.
        state: State = State::Present;
        /// Install from the folder or repository so that changes there count at once.
        editable: bool = false;
        /// The folder to run in.
        chdir: Option<PathBuf>;
        /// The pip to run: its path, or a name such as `pip3.11`. Excludes `virtualenv`.
        executable: Option<PathBuf>;
        /// Further options for pip, quoted as for a shell.
        extra_args: Option<String>;
        /// The mask for permissions of new files, such as `"0022"`.
        umask: Option<String>;
        /// Allow changes to packages that the distribution's own manager looks after.
        break_system_packages: bool = false;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "pip");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        if done.iter().any(|output| !output.argv.is_empty()) {
            return Ok(Change::none(self.values(done)));
        }
        let place = Place::find(self, system)?;
        let mut actions = Vec::new();
        if place.is_new {
            actions.push(self.make_environment(system)?);
        }
        let words = match self.state {
            State::Absent => self.remove(system, &place)?,
            _ => match verdict::of(self, system, &place)? {
                Verdict::Nothing => None,
                Verdict::Something => Some(self.install_words()?),
            },
        };
        if let Some(words) = words {
            actions.extend(place.broken().map(|metadata| Action::change(Act::Remove { path: metadata.to_owned() })));
            actions.push(self.run(system, &place, words)?);
        }
        match actions.is_empty() {
            true => Ok(Change::none(self.values(done))),
            false => {
                let mut values = self.values(done);
                values.extend(["cmd", "stdout", "stderr"].map(|key| (key.to_owned(), Value::Unknown(String::new()))));
                Ok(Change::again(actions, values))
            }
        }
    }

    fn check(&self) -> Result<(), ArgError> {
        if self.name.is_empty() && self.requirements.is_none() && self.virtualenv.is_none() {
            return Err(ArgError::whole("`name` or `requirements` is required"));
        }
        if !self.name.is_empty() && self.requirements.is_some() {
            return Err(ArgError::new("requirements", "give either `name` or `requirements`, not both"));
        }
        if self.executable.is_some() && self.virtualenv.is_some() {
            return Err(ArgError::new("executable", "give either `executable` or `virtualenv`, not both"));
        }
        if self.version.is_some() && self.names().len() != 1 {
            return Err(ArgError::new("version", "`version` needs exactly one `name`"));
        }
        if self.requirements.is_some() && matches!(self.state, State::Absent) {
            return Err(ArgError::new("state", "`state: absent` needs `name`"));
        }
        if self.virtualenv_python.is_some() && self.is_venv() {
            let message = "`-m venv` makes environments for its own Python: name that one in `virtualenv_command`";
            return Err(ArgError::new("virtualenv_python", message));
        }
        self.mask().map_err(|message| ArgError::new("umask", message))?;
        self.extra_words()?;
        self.wanted().map(|_| ())
    }
}

impl Args {
    /// The names; commas of versions and extras, at which a line was split, are put back.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for part in self.name.iter().map(|part| part.trim()).filter(|part| !part.is_empty()) {
            let open = |name: &String| name.contains('[') && !name.contains(']');
            match names.last_mut() {
                Some(last) if part.starts_with(['<', '>', '=', '!', '~']) || open(last) => {
                    last.push(',');
                    last.push_str(part);
                }
                _ => names.push(part.to_owned()),
            }
        }
        names
    }

    /// The names with the version, as pip takes them.
    fn specs(&self) -> Vec<String> {
        let version = self.version.as_deref().map(str::trim).filter(|version| !version.is_empty());
        let with = |name: String| match version {
            None => name,
            Some(version) if version.starts_with(|c: char| c.is_ascii_alphanumeric()) => format!("{name}=={version}"),
            Some(version) => format!("{name}{version}"),
        };
        self.names().into_iter().map(with).collect()
    }

    fn wanted(&self) -> Result<Vec<Requirement>, ArgError> {
        if self.editable {
            return Ok(self.specs().into_iter().map(Requirement::Other).collect());
        }
        let parse = |text: String| Requirement::parse(&text).map_err(|message| ArgError::new("name", message));
        self.specs().into_iter().map(parse).collect()
    }

    fn extra_words(&self) -> Result<Vec<String>, ArgError> {
        let extra = self.extra_args.as_deref().unwrap_or_default();
        words::split(extra).map_err(|why| ArgError::new("extra_args", why))
    }

    fn mask(&self) -> Result<Option<u32>, String> {
        let read = |text: &String| {
            let digits = text.trim().trim_start_matches("0o");
            let mask = u32::from_str_radix(digits, 8).ok().filter(|mask| *mask <= 0o777);
            mask.ok_or_else(|| format!("expected a mask such as \"0022\", found `{text}`"))
        };
        self.umask.as_ref().map(read).transpose()
    }

    fn is_venv(&self) -> bool {
        self.virtualenv_command.split_whitespace().any(|word| word == "venv" || word.ends_with("pyvenv"))
    }

    /// The folder that pip runs in.
    fn folder(&self, system: &dyn System) -> Result<PathBuf, Failure> {
        self.chdir.as_deref().map_or_else(|| Ok(system.cwd()), |path| paths::absolute(system, path))
    }

    fn command(&self, system: &dyn System, argv: Vec<String>) -> Result<Command, Failure> {
        let mut command = Command::new(argv).cwd(self.folder(system)?);
        command.umask = self.mask().map_err(Failure::new)?;
        for (name, value) in [("PIP_DISABLE_PIP_VERSION_CHECK", "1"), ("PIP_NO_INPUT", "1")] {
            command = command.env(name, value);
        }
        command = command.env("PIP_ROOT_USER_ACTION", "ignore");
        Ok(if self.break_system_packages { command.env("PIP_BREAK_SYSTEM_PACKAGES", "1") } else { command })
    }

    fn make_environment(&self, system: &dyn System) -> Result<Action, Failure> {
        let mut argv =
            words::split(&self.virtualenv_command).map_err(|why| Failure::new(why).argument("virtualenv_command"))?;
        argv.extend(self.virtualenv_site_packages.then(|| "--system-site-packages".to_owned()));
        argv.extend(self.virtualenv_python.iter().flat_map(|python| ["-p".to_owned(), python.clone()]));
        let root = place::environment(self, system)?.unwrap_or_default();
        argv.push(root.display().to_string());
        let message = format!(
            "cannot make the virtual environment {} (`{}` needs a package such as python3-venv or virtualenv)",
            root.display(),
            self.virtualenv_command
        );
        let mut action = Action::run(self.command(system, argv)?, message).expect(Output::default());
        let kind = |kind: &str| Value::Map(map! { "kind" => kind });
        for dir in paths::missing_dirs(system, &root.join("bin"))? {
            action = action.settles(Subject::Path(dir), kind("dir"));
        }
        for file in ["bin/activate", "bin/python", "bin/python3", "bin/pip"] {
            action = action.settles(Subject::Path(root.join(file)), kind("file"));
        }
        Ok(action)
    }

    /// What follows the word `pip`.
    fn install_words(&self) -> Result<Vec<String>, Failure> {
        let mut argv = vec!["install".to_owned()];
        match self.state {
            State::Latest => argv.push("--upgrade".into()),
            State::ForceReinstall => argv.extend(["--upgrade".into(), "--force-reinstall".into()]),
            State::Present | State::Absent => {}
        }
        argv.extend(self.extra_words()?);
        for spec in self.specs() {
            argv.extend(self.editable.then(|| "-e".to_owned()));
            argv.push(spec);
        }
        argv.extend(self.requirements.iter().flat_map(|file| ["-r".to_owned(), file.clone()]));
        Ok(argv)
    }

    fn remove(&self, system: &dyn System, place: &Place) -> Result<Option<Vec<String>>, Failure> {
        let Some(site) = &place.site else { return Ok(None) };
        let mut argv = vec!["uninstall".to_owned(), "-y".to_owned()];
        argv.extend(self.extra_words()?);
        let before = argv.len();
        for required in self.wanted()? {
            let Requirement::Named(named) = required else {
                return Err(Failure::new("`state: absent` needs names of packages").argument("name"));
            };
            argv.extend(site.find(system, &named.name).map(|found| found.name));
        }
        Ok((argv.len() > before).then_some(argv))
    }

    fn run(&self, system: &dyn System, place: &Place, words: Vec<String>) -> Result<Action, Failure> {
        let argv = place.pip.iter().cloned().chain(words).collect();
        // A distribution that is half written is found by the next run, but it need not come to that.
        let command = Command { drain: true, ..self.command(system, argv)? };
        let what = if self.state == State::Absent { "remove" } else { "install" };
        let shown = self.requirements.clone().unwrap_or_else(|| self.specs().join(", "));
        let mut action = Action::run(command, format!("pip cannot {what} {shown}")).expect(Output::default());
        let value = if self.state == State::Absent { Value::Null } else { "".into() };
        for Named { name, .. } in verdict::all_named(self, system)? {
            action = action.settles(site::subject(&place.site_name(), &name), value.clone());
        }
        Ok(action)
    }

    fn values(&self, done: &[Output]) -> Map {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.to_string_lossy().into_owned());
        let name = if self.name.is_empty() { Value::Null } else { self.names().into() };
        let mut values = map! {
            "name" => name,
            "version" => self.version.clone(),
            "requirements" => self.requirements.clone(),
            "virtualenv" => path(&self.virtualenv),
            "state" => self.state.as_str(),
        };
        if let Some(last) = done.iter().rev().find(|output| !output.argv.is_empty()) {
            values.insert("cmd".into(), last.argv.clone().into());
            let all = |part: fn(&Output) -> String| done.iter().map(part).collect::<String>();
            values.insert("stdout".into(), all(Output::text).into());
            values.insert("stderr".into(), all(Output::errors).into());
        }
        values
    }
}
