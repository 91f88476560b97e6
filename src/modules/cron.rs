mod table;

use std::path::{Path, PathBuf};

use crate::change::perform::backup_name;
use crate::change::{Act, Action, Attributes, Change, WriteFile};
use crate::failure::{During, Failure};
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::modules::text_file::TextFile;
use crate::probe::dpkg;
use crate::system::{Command, Content, Output, Subject, System};
use crate::value::{Map, Value};
use crate::{args, choices, map};

use table::{Place, Table};

choices! {
    /// Whether there shall be such a job or variable.
    pub enum State { Present = "present", Absent = "absent" }
}

choices! {
    /// A time that has a name.
    pub enum Special {
        Reboot = "reboot",
        Yearly = "yearly",
        Annually = "annually",
        Monthly = "monthly",
        Weekly = "weekly",
        Daily = "daily",
        Hourly = "hourly",
    }
}

args! {
    /// Adds, changes and removes cron jobs, and variables for them.
    ///
    /// A job is found again by the comment `#Ansible: NAME` above it. A user's own table is changed with `crontab`, a file
    /// of `/etc/cron.d` is written as a whole.
    pub struct Args {
        /// The job's name, or the variable's with `env`.
        name: String;
        /// What to run, or the variable's value with `env`.
        job: Option<String>, alias("value");
        /// Whether there shall be such a job or variable.
        state: State = State::Present;
        /// Whose table; in `cron_file` the user whom the job runs as. By default who the step runs as.
        user: Option<String>;
        /// A file of `/etc/cron.d`, or an absolute path, instead of a user's own table. A file without jobs is removed.
        cron_file: Option<PathBuf>;
        /// Minute: 0-59, `*`, `*/5`, `0,30`, …
        minute: String = "*";
        /// Hour: 0-23.
        hour: String = "*";
        /// Day of the month: 1-31.
        day: String = "*", alias("dom");
        /// Month: 1-12.
        month: String = "*";
        /// Day of the week: 0-6, Sunday is 0.
        weekday: String = "*", alias("dow");
        /// A time with a name, instead of the five above.
        special_time: Option<Special>;
        /// Keep the job in the table, but as a comment.
        disabled: bool = false;
        /// It is a variable, not a job.
        env: bool = false;
        /// Put a new variable behind this one.
        insertafter: Option<String>;
        /// Put a new variable in front of this one.
        insertbefore: Option<String>;
        /// Keep the old table in a file of `/tmp`, whose name is returned.
        backup: bool = false;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "cron");

impl Module for Args {
    fn plan(&self, system: &dyn System, _: &[Output]) -> Result<Change, Failure> {
        let (old, file) = match &self.cron_file {
            Some(name) => {
                let file = TextFile::read(system, &Path::new("/etc/cron.d").join(name))?;
                (file.text().to_owned(), Some(file))
            }
            None => (self.crontab(system)?, None),
        };
        let mut table = Table::read(&old, file.is_none());
        let touched = self.settle(&mut table)?;
        let mut change = Change::none(self.values(&table));
        change.warnings.extend(self.warning());
        if !touched && (old.is_empty() || old.ends_with('\n')) {
            return Ok(change);
        }
        if self.backup {
            let path = backup_name(system, Path::new("/tmp/crontab"));
            change.values.insert("backup_file".into(), path.to_string_lossy().into_owned().into());
            change.actions.push(keep(path, &old));
        }
        match file {
            Some(file) if self.state == State::Absent && table.is_empty() => {
                change.values.retain(|name, _| name == "cron_file" || name == "backup_file");
                change.values.insert("state".into(), "absent".into());
                change.actions.push(Action::change(Act::Remove { path: file.path }));
            }
            Some(file) => {
                // cron does not read a file that others may write.
                let mode = file.text.is_none().then_some(0o644);
                change.actions.extend(file.write_with(&table.text(), Attributes { mode, ..Attributes::default() }));
            }
            None => change.actions.push(self.install(system, table.text())),
        }
        Ok(change)
    }

    fn check(&self) -> Result<(), ArgError> {
        let times = [&self.minute, &self.hour, &self.day, &self.month, &self.weekday];
        if self.special_time.is_some() && times.iter().any(|time| *time != "*") {
            return Err(ArgError::new("special_time", "`special_time` excludes minute, hour, day, month and weekday"));
        }
        if self.cron_file.as_deref() == Some(Path::new("/etc/crontab")) {
            return Err(ArgError::new(
                "cron_file",
                "/etc/crontab belongs to the distribution; name a file of /etc/cron.d",
            ));
        }
        if self.insertafter.is_some() && self.insertbefore.is_some() {
            return Err(ArgError::new("insertbefore", "`insertafter` and `insertbefore` exclude each other"));
        }
        if self.env && self.name.contains(' ') {
            return Err(ArgError::new("name", "the name of a variable holds no blank"));
        }
        match self.state {
            State::Present => self.check_present(),
            State::Absent => Ok(()),
        }
    }

    fn effects(_: &Given) -> Effects {
        Effects::host()
    }
}

impl Args {
    fn check_present(&self) -> Result<(), ArgError> {
        let placed = self.insertafter.is_some() || self.insertbefore.is_some();
        if self.job.is_none() {
            return Err(ArgError::whole(
                "`job` says what to run (with `env`: the value); it is needed for `state: present`",
            ));
        }
        if self.cron_file.is_some() && self.user.is_none() {
            return Err(ArgError::new("cron_file", "`cron_file` needs `user`: the user whom the job runs as"));
        }
        if placed && !self.env {
            return Err(ArgError::whole("`insertafter` and `insertbefore` are for variables: they need `env: true`"));
        }
        Ok(())
    }

    /// A user's own table.
    fn crontab(&self, system: &dyn System) -> Result<String, Failure> {
        if let Some(Value::Str(text)) = system.predicted(&self.subject(system)) {
            return Ok(text);
        }
        if system.which("crontab").is_none() {
            return match dpkg::has_planned(system) {
                true => Ok(String::new()),
                false => {
                    Err(Failure::new("there is no program `crontab` here; install the package cron (cronie on RHEL)"))
                }
            };
        }
        let command = Command::new(self.words(system, "-l"));
        let output = system.query(&command).during(|| "read the crontab")?;
        match output.rc {
            0 => Ok(output.text()),
            // There is none yet.
            1 if !output.errors().contains("unknown") => Ok(String::new()),
            _ => {
                let said = output.errors();
                Err(Failure::new(format!("Unable to read crontab: {}", said.trim()))
                    .argument("user")
                    .with("rc", output.rc))
            }
        }
    }

    fn words(&self, system: &dyn System, last: &str) -> Vec<String> {
        let mut words = vec!["crontab".to_owned()];
        if let Some(user) = self.user.as_ref().filter(|user| **user != system.identity().name) {
            words.extend(["-u".into(), user.clone()]);
        }
        words.push(last.into());
        words
    }

    fn subject(&self, system: &dyn System) -> Subject {
        Subject::Other("crontab".into(), self.user.clone().unwrap_or_else(|| system.identity().name))
    }

    fn install(&self, system: &dyn System, text: String) -> Action {
        let command = Command::new(self.words(system, "-")).stdin(text.as_str());
        Action::run(command, "Failed to install new crontab")
            .expect(Output::default())
            .settles(self.subject(system), text)
    }

    /// Brings the table to what is wanted; whether it had to change.
    fn settle(&self, table: &mut Table) -> Result<bool, Failure> {
        let job = self.job.as_deref().unwrap_or_default();
        match (self.env, self.state) {
            (true, State::Absent) => Ok(table.remove_variable(&self.name)),
            (true, State::Present) => {
                let place = match (&self.insertafter, &self.insertbefore) {
                    (Some(other), _) => Place::After(other),
                    (None, Some(other)) => Place::Before(other),
                    (None, None) => Place::First,
                };
                table.set_variable(&self.name, job, place).map_err(|missing| {
                    Failure::new(format!("Variable named '{missing}' not found.")).argument("insertafter")
                })
            }
            (false, State::Absent) => Ok(table.remove_job(&self.name)),
            (false, State::Present) => Ok(table.set_job(&self.name, &self.line(job))),
        }
    }

    /// The job's line.
    fn line(&self, job: &str) -> String {
        let off = if self.disabled { "#" } else { "" };
        let time = match self.special_time {
            Some(special) => format!("@{}", special.as_str()),
            None => [&self.minute, &self.hour, &self.day, &self.month, &self.weekday].map(String::as_str).join(" "),
        };
        let user = match (&self.cron_file, &self.user) {
            (Some(_), Some(user)) => format!(" {user}"),
            _ => String::new(),
        };
        format!("{off}{time}{user} {}", job.trim_matches(['\r', '\n']))
    }

    fn warning(&self) -> Option<String> {
        let file = self.cron_file.as_deref().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        if file.contains(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-') {
            return Some(format!("cron may pass over a file named `{file}`: use letters, digits, `_` and `-` only"));
        }
        let job = self.job.as_deref().unwrap_or_default().trim_matches(['\r', '\n']);
        job.contains(['\r', '\n']).then(|| "`job` holds a line break: cron takes what follows for another job".into())
    }

    fn values(&self, table: &Table) -> Map {
        let mut values = map! { "jobs" => table.jobs(), "envs" => table.variables() };
        if let Some(file) = &self.cron_file {
            values.insert("cron_file".into(), file.to_string_lossy().into_owned().into());
        }
        values
    }
}

fn keep(path: PathBuf, text: &str) -> Action {
    Action::housekeeping(Act::WriteFile(Box::new(WriteFile {
        path,
        content: Content::Bytes(text.as_bytes().to_vec()),
        attributes: Attributes { mode: Some(0o600), ..Attributes::default() },
        backup: None,
        validate: None,
        unsafe_writes: false,
        diff: false,
    })))
}
