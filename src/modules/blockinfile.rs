mod block;

use std::path::PathBuf;

use crate::change::Change;
use crate::failure::Failure;
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::modules::edit::Text;
use crate::modules::put::{Put, check_validate};
use crate::system::{Output, System};
use crate::{choices, file_args, map};

choices! {
    /// What may be wanted of a block.
    pub enum State { Present = "present", Absent = "absent" }
}

file_args! {
    /// Keeps a block of lines between two marker lines in a text file.
    ///
    /// Several blocks in one file need markers that differ.
    pub struct Args {
        /// The file. A link is followed.
        path: PathBuf, alias("dest", "destfile", "name");
        /// Whether the block shall be there.
        state: State = State::Present;
        /// The marker lines; `{mark}` becomes `marker_begin` and `marker_end`.
        marker: String = "# {mark} ANSIBLE MANAGED BLOCK";
        /// What `{mark}` becomes in the line before the block.
        marker_begin: String = "BEGIN";
        /// What `{mark}` becomes in the line behind the block.
        marker_end: String = "END";
        /// The lines. Without any the block is removed.
        block: String = "", alias("content");
        /// Add a block that is not there yet behind the last line that matches this regular expression, or at the end
        /// (`EOF`, the default).
        insertafter: Option<String>;
        /// Add a block that is not there yet before the last line that matches this regular expression, or at the
        /// beginning (`BOF`).
        insertbefore: Option<String>;
        /// Make the file, and the directories above it, where there is none.
        create: bool = false;
        /// Keep the file that was there, with the time in its name.
        backup: bool = false;
        /// See that an empty line is behind the block, unless the file ends there.
        append_newline: bool = false;
        /// See that an empty line is before the block, unless the file begins there.
        prepend_newline: bool = false;
        /// A program that must approve of the new file before it takes its place, with `%s` for the file. It is not run
        /// through a shell.
        validate: Option<String>;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "blockinfile");

impl Module for Args {
    fn plan(&self, system: &dyn System, _: &[Output]) -> Result<Change, Failure> {
        let text = Text::open(system, &self.path)?;
        if !text.exists() && !self.create {
            return Err(text.missing(" `create: true` makes it"));
        }
        if !text.exists() && self.state == State::Absent {
            return Ok(Change::none(map! { "msg" => format!("File {} not present", self.path.display()) }));
        }
        let (new, has_block) = block::place(self, &text.bytes)?;
        let message = match (text.exists(), new == text.bytes, has_block) {
            (false, ..) => "File created",
            (true, true, _) => "",
            (true, false, false) => "Block removed",
            (true, false, true) => "Block inserted",
        };
        let put = Put {
            common: self.common(),
            backup: self.backup,
            validate: self.validate.as_deref(),
            unsafe_writes: self.unsafe_writes,
        };
        let edited = text.save(system, &put, new, message)?;
        let mut values = map! { "msg" => edited.message };
        values.extend(edited.backup.map(|name| ("backup_file".to_owned(), name.into())));
        Ok(Change::of(edited.actions, values))
    }

    fn check(&self) -> Result<(), ArgError> {
        if self.insertbefore.is_some() && self.insertafter.is_some() {
            return Err(ArgError::new("insertbefore", "give either `insertbefore` or `insertafter`, not both"));
        }
        check_validate(&self.validate)
    }

    fn effects(_: &Given) -> Effects {
        Effects::host()
    }
}
