use std::path::PathBuf;

use super::command::{Guard, Run, stdin};
use crate::args;
use crate::change::Change;
use crate::failure::Failure;
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::system::{Command, Output, System};
use crate::value::Value;

args! {
    /// Runs a line, or several, in a shell.
    ///
    /// Pipes, redirections and variables work; quote what comes from variables with the `quote` filter. Where none of
    /// that is needed, `command` is safer. The step counts as changed whenever the shell ran; `creates`, `removes` and
    /// `changed_when` say better.
    ///
    /// In plan mode the shell does not run, and what it would print is known only after apply.
    pub struct Args {
        /// What the shell shall do.
        cmd: String, alias("_raw_params");
        /// Run in this directory.
        chdir: Option<PathBuf>;
        /// Do not run if this path, or one that matches this pattern, exists.
        creates: Option<PathBuf>;
        /// Do not run unless this path, or one that matches this pattern, exists.
        removes: Option<PathBuf>;
        /// The shell, as an absolute path.
        executable: String = "/bin/sh";
        /// Text for its standard input.
        stdin: Option<String>;
        /// End that text with a newline.
        stdin_add_newline: bool = true;
        /// Take empty lines off the end of what it prints.
        strip_empty_ends: bool = true;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec =
    ModuleSpec { free_form: Some("cmd"), ..ModuleSpec::of::<Args>("ansible.builtin", "shell") };

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        let run = Run {
            shown: Value::from(self.cmd.as_str()),
            chdir: self.chdir.as_deref(),
            guard: Guard { creates: self.creates.as_deref(), removes: self.removes.as_deref() },
            strip: self.strip_empty_ends,
        };
        run.plan(system, done, || {
            let argv = vec![self.executable.clone(), "-c".to_owned(), self.cmd.clone()];
            Ok(Command { argv, stdin: stdin(&self.stdin, self.stdin_add_newline), ..Command::default() })
        })
    }

    fn check(&self) -> Result<(), ArgError> {
        match self.cmd.trim().is_empty() {
            true => Err(ArgError::new("cmd", "no command was given")),
            false => Ok(()),
        }
    }

    fn effects(_: &Given) -> Effects {
        Effects::world()
    }
}
