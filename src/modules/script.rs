use std::path::{Path, PathBuf};

use crate::args;
use crate::change::{Act, Action, Attributes, Change, WriteFile, ran};
use crate::failure::Failure;
use crate::map;
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec, Source};
use crate::modules::command::Guard;
use crate::probe::{expand, paths};
use crate::system::{Command, Content, Output, System};
use crate::value::Map;

args! {
    /// Runs a script of the controller on the host.
    ///
    /// The script is put into a temporary file, run through the shell of the host with its arguments, and removed. The
    /// step counts as changed whenever it ran; `creates`, `removes` and `changed_when` say better.
    ///
    /// In plan mode it does not run, and what it would print is known only after apply.
    pub struct Args {
        /// The script, looked for in `files` of the role and beside the playbook, with its arguments behind it.
        cmd: Source, alias("_raw_params");
        /// Arguments, as a shell reads them. In the line of `cmd` they stand behind the script.
        args: String = "";
        /// Run in this directory.
        chdir: Option<PathBuf>;
        /// Do not run if this path, or one that matches this pattern, exists.
        creates: Option<PathBuf>;
        /// Do not run unless this path, or one that matches this pattern, exists.
        removes: Option<PathBuf>;
        /// The program that reads the script, by default the one that its first line names.
        executable: Option<String>;
        /// Decrypt a script that is encrypted with ansible-vault.
        decrypt: bool = true, elsewhere("where the source is read");
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec =
    ModuleSpec { free_form: Some("cmd"), ..ModuleSpec::of::<Args>("ansible.builtin", "script") };

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        let Source::File { name, blob, .. } = &self.cmd else {
            return Err(Failure::new("the script must be a file of the controller").argument("cmd"));
        };
        let place = system.temporary(&directory(system).join(name));
        match done {
            [] => {}
            // The script is removed before it is judged.
            [_, _] => {
                let remove = Action::housekeeping(Act::Remove { path: place });
                return Ok(Change::again(vec![remove], Map::new()));
            }
            [_, output, ..] => return judge(output),
            [_] => return Err(Failure::new("the script was not run")),
        }
        let guard = Guard { creates: self.creates.as_deref(), removes: self.removes.as_deref() };
        let chdir = self.chdir.as_deref().map(|dir| paths::absolute(system, dir)).transpose()?;
        if let Some((path, is)) = guard.holds_back(system, chdir.as_deref())? {
            let option = if is == "exists" { "creates" } else { "removes" };
            let message = format!("{} {is}, matching {option} option", path.display());
            return Ok(Change::none(map! { "skipped" => true, "msg" => message }));
        }
        if let Some(dir) = &chdir
            && !paths::is_dir(system, dir)?
        {
            return Err(Failure::new(format!("{} is no directory", dir.display())).argument("chdir"));
        }
        let write = WriteFile {
            path: place.clone(),
            content: Content::Blob(blob.clone()),
            attributes: Attributes { mode: Some(0o700), ..Attributes::default() },
            backup: None,
            validate: None,
            unsafe_writes: false,
            diff: false,
        };
        let run = Command { cwd: chdir, ..Command::default() };
        let run = Command { argv: vec!["/bin/sh".to_owned(), "-c".to_owned(), self.line(system, &place)?], ..run };
        let actions = vec![Action::housekeeping(Act::WriteFile(Box::new(write))), Action::change(Act::Run(run))];
        let mut values = ran::unknown();
        values.retain(|name, _| RETURNED.contains(&name.as_str()));
        Ok(Change::again(actions, values))
    }

    fn check(&self) -> Result<(), ArgError> {
        match &self.cmd {
            Source::Tree { .. } => Err(ArgError::new("cmd", "a directory cannot be run")),
            _ => Ok(()),
        }
    }

    fn effects(_: &Given) -> Effects {
        Effects::world()
    }
}

impl Args {
    /// What the shell is told.
    fn line(&self, system: &dyn System, script: &Path) -> Result<String, Failure> {
        let mut line = String::new();
        if let Some(executable) = &self.executable {
            line = expand::user(system, executable)? + " ";
        }
        line += &format!("'{}'", script.to_string_lossy().replace('\'', r"'\''"));
        if !self.args.is_empty() {
            line = format!("{line} {}", self.args);
        }
        Ok(line)
    }
}

/// What is returned of a program that runs without Ansible's own `command`.
pub(super) const RETURNED: [&str; 3] = ["rc", "stdout", "stderr"];

fn judge(output: &Output) -> Result<Change, Failure> {
    let mut values = ran::values(output, false);
    values.retain(|name, _| RETURNED.contains(&name.as_str()));
    if let Some(why) = &output.refused {
        return Err(Failure { values, ..Failure::new(format!("the script could not be run: {why}")) });
    }
    match output.rc {
        0 => Ok(Change::none(values)),
        _ => {
            values.insert("changed".into(), true.into());
            Err(Failure { values, ..Failure::new("non-zero return code") })
        }
    }
}

/// Where the script lies while it runs.
fn directory(system: &dyn System) -> PathBuf {
    system.env("TMPDIR").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from)
}
