use std::path::PathBuf;

use crate::change::{Attributes, Change, Mode};
use crate::failure::Failure;
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec, Rendered, Source};
use crate::modules::file_args::Common;
use crate::modules::placing::Placing;
use crate::modules::put::{Put, check_validate};
use crate::system::{Content, Output, System};
use crate::{choices, file_args};

choices! {
    /// Encodings that a rendered template can be written in.
    pub enum Encoding { Utf8 = "utf-8" | "utf8" | "UTF-8" | "UTF8" }
}

choices! {
    /// Ends of lines.
    pub enum Newline {
        /// A line feed.
        Unix = "\n" | "\\n",
        /// A carriage return.
        Mac = "\r" | "\\r",
        /// Both.
        Windows = "\r\n" | "\\r\\n",
    }
}

file_args! {
    /// Renders a template of the controller and puts it onto the host.
    ///
    /// The template sees all variables of the host and of the task. A file that is the same already is left alone.
    pub struct Args {
        /// The template, looked for in `templates` of the role and beside the playbook.
        src: Rendered;
        /// Where it goes. If it is a directory, or ends in a slash, the file keeps its name in it.
        dest: PathBuf;
        /// Keep the file that was there, with the time in its name.
        backup: bool = false;
        /// Replace a file with another content. With `false` a file is only written where there is none.
        force: bool = true;
        /// A program that must approve of the new file before it takes its place, with `%s` for the file:
        /// `nginx -t -c %s`. It is not run through a shell.
        validate: Option<String>;
        /// Where a link stands at `dest`, replace what it points at and not the link.
        follow: bool = false;
        /// Take the line end behind a block away.
        trim_blocks: bool = true, elsewhere("used up when the template is rendered");
        /// Take the blanks between the start of a line and a block away.
        lstrip_blocks: bool = false, elsewhere("used up when the template is rendered");
        /// How the lines of the file end, `\n` by default.
        newline_sequence: Newline = Newline::Unix, elsewhere("used up when the template is rendered");
        /// What begins an expression, `{{` by default.
        variable_start_string: Option<String>, elsewhere("used up when the template is rendered");
        /// What ends an expression, `}}` by default.
        variable_end_string: Option<String>, elsewhere("used up when the template is rendered");
        /// What begins a block, `{%` by default.
        block_start_string: Option<String>, elsewhere("used up when the template is rendered");
        /// What ends a block, `%}` by default.
        block_end_string: Option<String>, elsewhere("used up when the template is rendered");
        /// What begins a comment, `{#` by default.
        comment_start_string: Option<String>, elsewhere("used up when the template is rendered");
        /// What ends a comment, `#}` by default.
        comment_end_string: Option<String>, elsewhere("used up when the template is rendered");
        /// The encoding of the file.
        output_encoding: Encoding = Encoding::Utf8, elsewhere("there is one choice");
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "template");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        let Source::File { name, mode, blob } = &self.src.0 else {
            return Err(Failure::new("the template was not rendered").argument("src"));
        };
        let preserved = Mode::Bits(*mode);
        let mode = self.mode.as_ref().map(|mode| if *mode == Mode::Preserve { &preserved } else { mode });
        let placing = Placing {
            content: Content::Blob(blob.clone()),
            name: Some(name),
            sha1: blob.sha1.clone(),
            dest: &self.dest,
            put: Put {
                common: Common { mode, ..self.common() },
                backup: self.backup,
                validate: self.validate.as_deref(),
                unsafe_writes: self.unsafe_writes,
            },
            force: self.force,
            follow: self.follow,
            directory_mode: None,
            checksum: None,
            replaced: Attributes::default(),
        };
        placing.plan(system, done)
    }

    fn check(&self) -> Result<(), ArgError> {
        check_validate(&self.validate)
    }

    fn effects(_: &Given) -> Effects {
        Effects::host()
    }
}
