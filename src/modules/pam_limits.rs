use std::path::{Path, PathBuf};

use crate::change::perform::backup_name;
use crate::change::{Act, Action, Change, WriteFile};
use crate::failure::Failure;
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::modules::text_file::TextFile;
use crate::probe::paths;
use crate::system::{Output, System};
use crate::{args, choices, map};

choices! {
    /// Which of the two limits.
    pub enum Type { Hard = "hard", Soft = "soft", Both = "-" }
}

choices! {
    /// What is limited.
    pub enum Item {
        Core = "core",
        Data = "data",
        Fsize = "fsize",
        Memlock = "memlock",
        Nofile = "nofile",
        Rss = "rss",
        Stack = "stack",
        Cpu = "cpu",
        Nproc = "nproc",
        As = "as",
        Maxlogins = "maxlogins",
        Maxsyslogins = "maxsyslogins",
        Priority = "priority",
        Locks = "locks",
        Sigpending = "sigpending",
        Msgqueue = "msgqueue",
        Nice = "nice",
        Rtprio = "rtprio",
        Chroot = "chroot",
    }
}

args! {
    /// Sets limits for sessions (`/etc/security/limits.conf`).
    pub struct Args {
        /// Whom it is for: a user, `@group`, `*`, `%group`, or a range of ids.
        domain: String;
        /// Which of the two limits; `-` for both.
        limit_type: Type;
        /// What is limited.
        limit_item: Item;
        /// The limit: a whole number, `unlimited`, `infinity` or `-1`.
        value: String;
        /// Never lower a limit that is there.
        use_max: bool = false;
        /// Never raise a limit that is there.
        use_min: bool = false;
        /// The file.
        dest: PathBuf = "/etc/security/limits.conf";
        /// A comment behind the line.
        comment: String = "";
        /// Keep the old file, whose name is returned.
        backup: bool = false;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("community.general", "pam_limits");

impl Module for Args {
    fn plan(&self, system: &dyn System, _: &[Output]) -> Result<Change, Failure> {
        let path = paths::absolute(system, &self.dest)?;
        let folder = path.parent().unwrap_or(Path::new("/"));
        if !paths::is_dir(system, folder)? {
            return Err(Failure::new(format!("directory {} is not there", folder.display())).argument("dest"));
        }
        let file = TextFile::read(system, &paths::real(system, &path)?)?;
        let (text, line) = self.settle(file.text());
        let mut values = map! { "msg" => line };
        let mut actions = Vec::new();
        if text != file.text() {
            let backup = self.backup.then(|| backup_name(system, &file.path)).filter(|_| file.text.is_some());
            let shown = backup.as_ref().map(|path| path.to_string_lossy().into_owned());
            values.extend(shown.map(|path| ("backup_file".to_owned(), path.into())));
            actions.extend(file.write(&text).map(|action| with_backup(action, backup)));
        }
        Ok(Change::of(actions, values))
    }

    fn check(&self) -> Result<(), ArgError> {
        if self.use_max && self.use_min {
            return Err(ArgError::new("use_min", "`use_max` and `use_min` exclude each other"));
        }
        if number(&self.value).is_none() {
            let message = format!("expected a whole number, unlimited, infinity or -1, found `{}`", self.value);
            return Err(ArgError::new("value", message));
        }
        Ok(())
    }

    fn effects(_: &Given) -> Effects {
        Effects::host()
    }
}

/// A limit as a number; none is the highest. `nice` and `priority` may be negative.
fn number(value: &str) -> Option<i64> {
    match value {
        "unlimited" | "infinity" | "-1" => Some(i64::MAX),
        value => value.parse().ok(),
    }
}

fn with_backup(mut action: Action, backup: Option<PathBuf>) -> Action {
    if let Act::WriteFile(write) = &mut action.act {
        **write = WriteFile { backup, ..(**write).clone() };
    }
    action
}

impl Args {
    /// The file's text as it shall be, and the line that says it. A comment alone is no reason to change a line.
    fn settle(&self, text: &str) -> (String, String) {
        let mut said = None;
        let mut after = String::new();
        for line in text.lines() {
            let line = match self.value_in(line) {
                Some(now) => {
                    let value = self.value(Some(now));
                    let line = if value == now { line.to_owned() } else { self.line(&value) };
                    said.insert(line).clone()
                }
                None => line.to_owned(),
            };
            after.extend([line.as_str(), "\n"]);
        }
        match said {
            Some(line) if after.trim_end() == text.trim_end() => (text.to_owned(), line),
            Some(line) => (after, line),
            None => {
                let line = self.line(&self.value);
                (format!("{after}{line}\n"), line)
            }
        }
    }

    /// The value of a line that is about this limit.
    fn value_in<'l>(&self, line: &'l str) -> Option<&'l str> {
        let fields: Vec<&str> = line.split('#').next()?.split_whitespace().collect();
        let [domain, kind, item, value] = fields[..] else { return None };
        let wanted = (self.domain.as_str(), self.limit_type.as_str(), self.limit_item.as_str());
        ((domain, kind, item) == wanted).then_some(value)
    }

    /// The value to write, where the file has `now`.
    fn value(&self, now: Option<&str>) -> String {
        let kept = now.filter(|now| match (number(now), number(&self.value)) {
            (Some(old), Some(new)) => self.use_max && old > new || self.use_min && old < new,
            _ => false,
        });
        kept.unwrap_or(&self.value).to_owned()
    }

    fn line(&self, value: &str) -> String {
        let (domain, kind, item) = (&self.domain, self.limit_type.as_str(), self.limit_item.as_str());
        let comment = if self.comment.is_empty() { String::new() } else { format!("\t#{}", self.comment) };
        format!("{domain}\t{kind}\t{item}\t{value}{comment}")
    }
}
