use super::command::{Guard, Run};
use super::script::RETURNED;
use crate::args;
use crate::change::Change;
use crate::failure::Failure;
use crate::module::{ArgError, Module, ModuleSpec};
use crate::system::{Command, Output, System};
use crate::value::Value;

args! {
    /// Runs a line in a shell, and nothing else.
    ///
    /// In Ansible it needs no Python on the target; here nothing does, so `shell` can do the same and more.
    pub struct Args {
        /// What the shell shall do.
        cmd: String, alias("_raw_params", "free_form");
        /// The shell, as an absolute path.
        executable: String = "/bin/sh";
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec { free_form: Some("cmd"), ..ModuleSpec::of::<Args>("ansible.builtin", "raw") };

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        let guard = Guard { creates: None, removes: None };
        let run = Run { shown: Value::from(self.cmd.as_str()), chdir: None, guard, strip: false };
        let mut planned = run.plan(system, done, || {
            let argv = vec![self.executable.clone(), "-c".to_owned(), self.cmd.clone()];
            Ok(Command { argv, ..Command::default() })
        });
        let values = match &mut planned {
            Ok(change) => &mut change.values,
            Err(failure) => &mut failure.values,
        };
        values.retain(|name, _| name == "changed" || RETURNED.contains(&name.as_str()));
        planned
    }

    fn check(&self) -> Result<(), ArgError> {
        match self.cmd.trim().is_empty() {
            true => Err(ArgError::new("cmd", "no command was given")),
            false => Ok(()),
        }
    }
}
