use std::path::{Path, PathBuf};

use crate::change::{Act, Action, Change, ran};
use crate::failure::{During, Failure};
use crate::map;
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::probe::{expand, glob};
use crate::system::{Command, FileKind, Output, System};
use crate::value::{Map, Value};
use crate::{args, words};

args! {
    /// Runs a program, without a shell.
    ///
    /// Pipes, redirections, `&&` and the like are for `shell`. The step counts as changed whenever the program ran;
    /// `creates`, `removes` and `changed_when` say better.
    ///
    /// In plan mode the program does not run, and what it would print is known only after apply.
    pub struct Args {
        /// The program and its arguments in one line, quoted as for a shell. Excludes `argv`.
        cmd: Option<String>, alias("_raw_params");
        /// The program and its arguments as a list. Excludes `cmd`.
        argv: Vec<String>;
        /// Run in this directory.
        chdir: Option<PathBuf>;
        /// Do not run if this path, or one that matches this pattern, exists.
        creates: Option<PathBuf>;
        /// Do not run unless this path, or one that matches this pattern, exists.
        removes: Option<PathBuf>;
        /// Text for its standard input.
        stdin: Option<String>;
        /// End that text with a newline.
        stdin_add_newline: bool = true;
        /// Take empty lines off the end of what it prints.
        strip_empty_ends: bool = true;
        /// Expand `~` and `$VARIABLE` in the arguments.
        expand_argument_vars: bool = true;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec =
    ModuleSpec { free_form: Some("cmd"), ..ModuleSpec::of::<Args>("ansible.builtin", "command") };

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        let words = match &self.cmd {
            Some(line) => words::split(line).map_err(|why| Failure::new(why).argument("cmd"))?,
            None => self.argv.clone(),
        };
        let run = Run {
            shown: Value::from(words.clone()),
            chdir: self.chdir.as_deref(),
            guard: Guard { creates: self.creates.as_deref(), removes: self.removes.as_deref() },
            strip: self.strip_empty_ends,
        };
        run.plan(system, done, || {
            let argv = match self.expand_argument_vars {
                true => words
                    .iter()
                    .map(|word| expand::user(system, &expand::vars(system, word)))
                    .collect::<Result<_, _>>()?,
                false => words.clone(),
            };
            Ok(Command { argv, stdin: stdin(&self.stdin, self.stdin_add_newline), ..Command::default() })
        })
    }

    fn check(&self) -> Result<(), ArgError> {
        match (&self.cmd, self.argv.is_empty()) {
            (Some(_), false) => Err(ArgError::new("argv", "give either a command line or `argv`, not both")),
            (None, true) => Err(ArgError::whole("no command was given")),
            (Some(line), true) => match words::split(line) {
                Ok(words) if words.is_empty() => Err(ArgError::new("cmd", "no command was given")),
                Ok(_) => Ok(()),
                Err(why) => Err(ArgError::new("cmd", why)),
            },
            (None, false) => Ok(()),
        }
    }

    fn effects(_: &Given) -> Effects {
        Effects::world()
    }
}

/// What `command`, `shell` and `script` have in common.
pub(super) struct Run<'a> {
    /// The command as the result shows it.
    pub shown: Value,
    pub chdir: Option<&'a Path>,
    pub guard: Guard<'a>,
    pub strip: bool,
}

impl Run<'_> {
    /// `command` makes the program to run; it is asked only if the program is to run.
    pub fn plan(
        &self,
        system: &dyn System,
        done: &[Output],
        command: impl FnOnce() -> Result<Command, Failure>,
    ) -> Result<Change, Failure> {
        if let Some(output) = done.last() {
            return self.judge(output);
        }
        let chdir =
            self.chdir.map(|dir| directory(system, dir)).transpose().map_err(|failure| self.not_run(failure))?;
        if let Some(why) = self.guard.holds_back(system, chdir.as_deref())? {
            return Ok(Change::none(self.skipped(why)));
        }
        let command = Command { cwd: chdir, ..command()? };
        let mut values = map! { "cmd" => self.shown.clone(), "msg" => "" };
        values.extend(ran::unknown());
        Ok(Change::again(vec![Action::change(Act::Run(command))], values))
    }

    /// The result of a program that ran.
    pub fn judge(&self, output: &Output) -> Result<Change, Failure> {
        let mut values = map! { "cmd" => self.shown.clone() };
        values.extend(ran::values(output, self.strip));
        if let Some(why) = &output.refused {
            let failure = self.not_run(Failure::new(format!("Error executing command: {why}")));
            return Err(failure.with("cmd", self.line()).with("rc", output.rc));
        }
        if output.rc != 0 {
            // Whatever it says, it ran.
            values.insert("changed".into(), true.into());
            return Err(Failure { values, ..Failure::new("non-zero return code") });
        }
        values.insert("msg".into(), "".into());
        Ok(Change::none(values))
    }

    /// A failure before the program ran.
    fn not_run(&self, failure: Failure) -> Failure {
        let values = [("cmd", self.shown.clone()), ("rc", Value::Null), ("stdout", "".into()), ("stderr", "".into())];
        values.into_iter().fold(failure, |failure, (key, value)| failure.with(key, value))
    }

    /// The command as one line.
    fn line(&self) -> Value {
        match &self.shown {
            Value::List(all) => {
                all.iter().filter_map(Value::as_str).map(words::quote).collect::<Vec<_>>().join(" ").into()
            }
            line => line.clone(),
        }
    }

    /// The result where `creates` or `removes` holds the program back.
    fn skipped(&self, (path, is): (&Path, &str)) -> Map {
        map! {
            "cmd" => self.shown.clone(),
            "rc" => 0,
            "msg" => format!("Did not run command since '{}' {is}", path.display()),
            "stdout" => format!("skipped, since {} {is}", path.display()),
            "stderr" => "",
            "start" => Value::Null,
            "end" => Value::Null,
            "delta" => Value::Null,
        }
    }
}

/// `creates` and `removes`.
pub(super) struct Guard<'a> {
    pub creates: Option<&'a Path>,
    pub removes: Option<&'a Path>,
}

impl<'a> Guard<'a> {
    /// Why the program need not run, if it need not: a path, and that it exists or does not. Relative ones are looked
    /// for in `dir`.
    pub fn holds_back(
        &self,
        system: &dyn System,
        dir: Option<&Path>,
    ) -> Result<Option<(&'a Path, &'static str)>, Failure> {
        let home;
        let dir = match dir {
            Some(dir) => dir,
            None => {
                home = system.identity().home;
                &home
            }
        };
        let exists = |path: &Path| -> Result<bool, Failure> {
            let pattern = dir.join(expand::path(system, path)?);
            Ok(!glob::glob(system, &pattern).is_empty())
        };
        if let Some(path) = self.creates
            && exists(path)?
        {
            return Ok(Some((path, "exists")));
        }
        if let Some(path) = self.removes
            && !exists(path)?
        {
            return Ok(Some((path, "does not exist")));
        }
        Ok(None)
    }
}

/// The standard input that the arguments ask for.
pub(super) fn stdin(text: &Option<String>, newline: bool) -> Vec<u8> {
    let Some(text) = text.as_ref().filter(|text| !text.is_empty()) else { return Vec::new() };
    let end = if newline { "\n" } else { "" };
    format!("{text}{end}").into_bytes()
}

/// The absolute form of `chdir`, which must be a directory.
fn directory(system: &dyn System, path: &Path) -> Result<PathBuf, Failure> {
    let path = system.identity().home.join(expand::path(system, path)?);
    let refuse = |why: &str| {
        let message = format!("Unable to change directory before execution: {} {why}", path.display());
        Err(Failure::new(message).argument("chdir"))
    };
    match system.stat(&path, true).during(|| format!("look at {}", path.display()))? {
        Some(stat) if stat.kind == FileKind::Dir => Ok(path),
        Some(_) => refuse("is not a directory"),
        None => refuse("does not exist"),
    }
}
