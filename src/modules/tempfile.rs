use std::path::{Path, PathBuf};

use crate::change::{Act, Action, Change};
use crate::failure::Failure;
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::probe::{attributes, paths};
use crate::system::{Command, Output, System};
use crate::value::Value;
use crate::{args, choices, map};

choices! {
    /// What is made.
    pub enum State { File = "file", Directory = "directory" }
}

args! {
    /// Makes a temporary file or directory with a name that nothing else has.
    ///
    /// It is not removed: `file` with `state: absent` does that. Its name is known only after apply.
    pub struct Args {
        /// What is made.
        state: State = State::File;
        /// The directory in which it is made, that of temporary files by default.
        path: Option<PathBuf>;
        /// What its name begins with.
        prefix: String = "ansible.";
        /// What its name ends with.
        suffix: String = "";
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "tempfile");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        if let Some(output) = done.last() {
            let path = output.text().trim_end_matches('\n').to_owned();
            let mut values = attributes::values(system, Path::new(&path))?;
            values.insert("path".to_owned(), path.into());
            return Ok(Change::none(values));
        }
        let dir = match &self.path {
            Some(path) => paths::for_program(system, path)?,
            None => system.env("TMPDIR").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from),
        };
        if !paths::is_dir(system, &dir)? {
            return Err(Failure::new(format!("{} is no directory", dir.display())).argument("path"));
        }
        let mut argv = vec!["mktemp".to_owned(), format!("--tmpdir={}", dir.display())];
        if self.state == State::Directory {
            argv.push("-d".to_owned());
        }
        argv.extend([format!("--suffix={}", self.suffix), "--".to_owned(), format!("{}XXXXXXXX", self.prefix)]);
        let make = Act::Run(Command::new(argv));
        let failure = format!("cannot make a temporary {} in {}", self.state.as_str(), dir.display());
        let action = Action { must_succeed: Some(failure), ..Action::change(make) };
        Ok(Change::again(
            vec![action],
            map! { "path" => Value::Unknown(String::new()), "state" => self.state.as_str() },
        ))
    }

    fn check(&self) -> Result<(), ArgError> {
        for (name, text) in [("prefix", &self.prefix), ("suffix", &self.suffix)] {
            if text.contains('/') {
                return Err(ArgError::new(
                    name,
                    format!("`{name}` is part of a name and cannot hold a slash; `path` says where"),
                ));
            }
        }
        Ok(())
    }

    fn effects(_: &Given) -> Effects {
        Effects::host()
    }
}
