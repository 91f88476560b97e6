mod lines;

use std::path::PathBuf;

use crate::change::Change;
use crate::failure::Failure;
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::modules::edit::Text;
use crate::modules::put::{Put, check_validate};
use crate::system::{Output, System};
use crate::{choices, file_args, map};

use lines::Lines;

choices! {
    /// What may be wanted of a line.
    pub enum State { Present = "present", Absent = "absent" }
}

file_args! {
    /// Sees that a line is in a text file, or is not.
    ///
    /// Regular expressions are Python's. They are searched for in each line, and know bytes: `\w` and its kin are ASCII.
    pub struct Args {
        /// The file. A link is followed.
        path: PathBuf, alias("dest", "destfile", "name");
        /// Whether the line shall be there. Absent: all lines that match are removed.
        state: State = State::Present;
        /// What to look for in every line. The last line where it is found (the first with `firstmatch`) is replaced;
        /// without a match the line is added.
        regexp: Option<String>, alias("regex");
        /// Text to look for in every line, as `regexp` but literal.
        search_string: Option<String>;
        /// The line.
        line: Option<String>, alias("value");
        /// In `line`, `\1` and `\g<name>` stand for groups of `regexp`. Nothing is added where it does not match.
        backrefs: bool = false;
        /// Add the line behind the last line that matches this regular expression, or at the end (`EOF`, the default) or
        /// the beginning (`BOF`).
        insertafter: Option<String>;
        /// Add the line before the last line that matches this regular expression, or at the beginning (`BOF`).
        insertbefore: Option<String>;
        /// Take the first line that matches, not the last.
        firstmatch: bool = false;
        /// Make the file, and the directories above it, where there is none.
        create: bool = false;
        /// Keep the file that was there, with the time in its name.
        backup: bool = false;
        /// A program that must approve of the new file before it takes its place, with `%s` for the file:
        /// `sshd -t -f %s`. It is not run through a shell.
        validate: Option<String>;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "lineinfile");

impl Module for Args {
    fn plan(&self, system: &dyn System, _: &[Output]) -> Result<Change, Failure> {
        let text = Text::open(system, &self.path)?;
        if !text.exists() && self.state == State::Absent {
            return Ok(Change::none(map! { "msg" => "file not present" }));
        }
        if !text.exists() && !self.create {
            return Err(text.missing(" `create: true` makes it"));
        }
        let mut lines = Lines::of(&text.bytes);
        let mut values = map! {};
        let message = match self.state {
            State::Present => lines.put(self)?.to_owned(),
            State::Absent => {
                let found = lines.remove(self)?;
                values.insert("found".to_owned(), found.into());
                if found > 0 { format!("{found} line(s) removed") } else { String::new() }
            }
        };
        if !text.exists() && message.is_empty() {
            return Ok(Change::none(map! { "msg" => "", "backup" => "" }));
        }
        let put = Put {
            common: self.common(),
            backup: self.backup,
            validate: self.validate.as_deref(),
            unsafe_writes: self.unsafe_writes,
        };
        let edited = text.save(system, &put, lines.join(), &message)?;
        values.extend(map! { "msg" => edited.message, "backup" => edited.backup.unwrap_or_default() });
        let warnings = self.warnings();
        Ok(Change { warnings, ..Change::of(edited.actions, values) })
    }

    fn check(&self) -> Result<(), ArgError> {
        let both = |one: bool, name: &str, other: bool, other_name: &str| match one && other {
            true => Err(ArgError::new(name, format!("give either `{name}` or `{other_name}`, not both"))),
            false => Ok(()),
        };
        both(self.insertbefore.is_some(), "insertbefore", self.insertafter.is_some(), "insertafter")?;
        both(self.search_string.is_some(), "search_string", self.regexp.is_some(), "regexp")?;
        both(self.backrefs, "backrefs", self.search_string.is_some(), "search_string")?;
        match self.state {
            State::Present if self.backrefs && self.regexp.is_none() => {
                Err(ArgError::new("backrefs", "`backrefs` needs `regexp`, whose groups they are"))
            }
            State::Present if self.line.is_none() => Err(ArgError::whole("`line` is required with `state: present`")),
            State::Absent if self.line.is_none() && self.regexp.is_none() && self.search_string.is_none() => {
                Err(ArgError::whole("`state: absent` needs `line`, `search_string` or `regexp`"))
            }
            _ => check_validate(&self.validate),
        }
    }

    fn effects(_: &Given) -> Effects {
        Effects::host()
    }
}

impl Args {
    fn warnings(&self) -> Vec<String> {
        let empty = |text: &Option<String>| text.as_deref() == Some("");
        let name = match (empty(&self.regexp), empty(&self.search_string)) {
            (true, _) => "regexp",
            (_, true) => "search_string",
            _ => return Vec::new(),
        };
        vec![format!("`{name}` is empty, so it matches every line: the last line is replaced, nothing is added")]
    }
}
