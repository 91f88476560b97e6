use std::path::PathBuf;

use crate::change::Change;
use crate::failure::Failure;
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::modules::edit::{Text, gave_up};
use crate::modules::put::{Put, check_validate};
use crate::python_regex::{Flags, Pattern};
use crate::system::{Output, System};
use crate::{choices, file_args, map};

choices! {
    /// Encodings that can be edited.
    pub enum Encoding { Utf8 = "utf-8" | "utf8" | "UTF-8" | "UTF8" }
}

file_args! {
    /// Replaces all matches of a regular expression in a text file.
    ///
    /// Regular expressions are Python's. `^` and `$` hold at every line, `.` does not match a line's end.
    pub struct Args {
        /// The file. A link is followed.
        path: PathBuf, alias("dest", "destfile", "name");
        /// What to look for in the whole text.
        regexp: String;
        /// What takes its place; `\1` and `\g<name>` stand for groups. Nothing removes what was found.
        replace: String = "";
        /// Only behind the first match of this regular expression.
        after: Option<String>;
        /// Only before a match of this regular expression.
        before: Option<String>;
        /// Keep the file that was there, with the time in its name.
        backup: bool = false;
        /// The encoding of the file.
        encoding: Encoding = Encoding::Utf8;
        /// A program that must approve of the new file before it takes its place, with `%s` for the file. It is not run
        /// through a shell.
        validate: Option<String>;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "replace");

impl Module for Args {
    fn plan(&self, system: &dyn System, _: &[Output]) -> Result<Change, Failure> {
        let file = Text::open(system, &self.path)?;
        if !file.exists() {
            return Err(file.missing(""));
        }
        let text = std::str::from_utf8(&file.bytes).map_err(|_| {
            let message = format!("{} is not text in {}", self.path.display(), self.encoding.as_str());
            Failure::new(message).argument("path")
        })?;
        let Some(section) = self.section(text)? else {
            let message = "Pattern for before/after params did not match the given file: ";
            return Ok(Change::none(map! { "msg" => format!("{message}{}", self.around()), "rc" => 0 }));
        };
        let flags = Flags { multiline: true, ..Flags::default() };
        let pattern = Pattern::new(&self.regexp, flags).map_err(gave_up("regexp"))?;
        let replacement = pattern.replacement(&self.replace).map_err(gave_up("replace"))?;
        let (new, count) = pattern.sub(&text[section.clone()], &replacement, 0).map_err(gave_up("regexp"))?;
        let message = match new == text[section.clone()] {
            true => String::new(),
            false => format!("{count} replacements made"),
        };
        let new = [&text[..section.start], &new, &text[section.end..]].concat();
        let put = Put {
            common: self.common(),
            backup: self.backup,
            validate: self.validate.as_deref(),
            unsafe_writes: self.unsafe_writes,
        };
        let edited = file.save(system, &put, new.into_bytes(), &message)?;
        let mut values = map! { "msg" => edited.message, "rc" => 0 };
        values.extend(edited.backup.map(|name| ("backup_file".to_owned(), name.into())));
        Ok(Change::of(edited.actions, values))
    }

    fn check(&self) -> Result<(), ArgError> {
        check_validate(&self.validate)
    }

    fn effects(_: &Given) -> Effects {
        Effects::host()
    }
}

impl Args {
    /// The pattern for what lies between `after` and `before`.
    fn around(&self) -> String {
        match (self.given(&self.after), self.given(&self.before)) {
            (Some(after), Some(before)) => format!("{after}(?P<subsection>.*?){before}"),
            (Some(after), None) => format!("{after}(?P<subsection>.*)"),
            (None, Some(before)) => format!("(?P<subsection>.*){before}"),
            (None, None) => String::new(),
        }
    }

    fn given<'a>(&self, text: &'a Option<String>) -> Option<&'a str> {
        text.as_deref().filter(|text| !text.is_empty())
    }

    /// The part in which is replaced; `None` where `after` and `before` do not match.
    fn section(&self, text: &str) -> Result<Option<std::ops::Range<usize>>, Failure> {
        let around = self.around();
        if around.is_empty() {
            return Ok(Some(0..text.len()));
        }
        let argument = if self.after.is_some() { "after" } else { "before" };
        let flags = Flags { dot_all: true, ..Flags::default() };
        let pattern = Pattern::new(&around, flags).map_err(gave_up(argument))?;
        let found = pattern.search(text, 0).map_err(gave_up(argument))?;
        Ok(found.and_then(|found| found.name("subsection").map(|part| part.start()..part.end())))
    }
}
