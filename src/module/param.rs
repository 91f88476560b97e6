//! Arguments as the manual and the static check see them.

use crate::value::Value;

/// One argument as the manual and the static check see it.
#[derive(Debug)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// Other names that Ansible documents.
    pub aliases: &'static [&'static str],
    /// What it takes.
    pub kind: Kind,
    /// Whether it must be given.
    pub required: bool,
    /// The default as the manual shows it.
    pub default: Option<&'static str>,
    /// Whether a value can be read; the error says what was expected.
    pub reads: fn(&Value) -> Result<(), String>,
    /// The manual.
    pub doc: &'static str,
}

impl Param {
    /// Whether only wodctl itself gives it: users do not know of it.
    pub fn is_internal(&self) -> bool {
        self.name.starts_with('_')
    }
}

/// What an argument takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Text (numbers and booleans are taken as their text).
    Str,
    /// A boolean, in any of Ansible's spellings.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// A path on the target.
    Path,
    /// Permissions: `"0644"`, `0644` as a number, or symbolic `u=rw,g=r`.
    Mode,
    /// One of these.
    Choice(&'static [&'static str]),
    /// A list (text is split at commas).
    List(&'static Kind),
    /// A mapping.
    Dict,
    /// Anything.
    Raw,
    /// A file or directory of the controller, looked for in this folder of roles and playbooks (`files`).
    Files,
    /// A template of the controller, looked for in `templates` and rendered before it is sent.
    Template,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Kind::Str => f.write_str("text"),
            Kind::Bool => f.write_str("a boolean"),
            Kind::Int => f.write_str("a whole number"),
            Kind::Float => f.write_str("a number"),
            Kind::Path => f.write_str("a path"),
            Kind::Mode => f.write_str("permissions"),
            Kind::Choice(choices) => {
                // The end of a line is written as in a playbook.
                let choices: Vec<String> = choices.iter().map(|choice| choice.escape_debug().to_string()).collect();
                write!(f, "one of {}", choices.join(", "))
            }
            Kind::List(item) => write!(f, "a list of {item}"),
            Kind::Dict => f.write_str("a mapping"),
            Kind::Raw => f.write_str("anything"),
            Kind::Files => f.write_str("a file of the controller"),
            Kind::Template => f.write_str("a template of the controller"),
        }
    }
}
