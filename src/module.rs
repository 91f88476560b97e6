//! What a module is: an argument struct, one function that plans, and a line in the registry.
//!
//! The struct is declared with [`args!`](crate::args): its doc comments are the manual, its types are the schema, and
//! static check, documentation, wire format and error positions all derive from it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::change::Change;
pub use crate::change::Mode;
use crate::failure::Failure;
use crate::system::{Blob, Output, System};
use crate::value::{Map, Value};

/// How far what a call looks at and changes may reach, see `ARCHITECTURE.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Only this host: the call may be looked at before other hosts have come this far.
    Host,
    /// It looks only at this host, but what it then does may reach others (`command` with `creates`). With several hosts
    /// in lock-step it counts as `Outside`: only the host knows whether there is anything to do.
    Guarded,
    /// Perhaps something that other hosts see too.
    Outside,
}

/// A module with its arguments.
pub trait Module {
    /// What must be done so that the host is as the arguments say. `done` holds one output for each action performed so
    /// far (an empty one where the action was no program): empty on the first call; longer after each
    /// [`Change::again`]. The last call, which has no actions (or whose
    /// change does not ask for another), returns the values.
    ///
    /// Only asks: everything that changes the machine is in the returned [`Change`].
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure>;

    /// What the types cannot say: arguments that exclude or need each other.
    fn check(&self) -> Result<(), ArgError> {
        Ok(())
    }

    /// Whether the call touches nothing but its host. Claim `Host` with a test.
    fn reach(&self) -> Reach {
        Reach::Outside
    }
}

/// Where a module's work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// By the agent on the target.
    Target,
    /// By the runner itself (`debug`, `assert`, `set_fact`, …).
    Controller,
}

/// One entry of the registry.
pub struct ModuleSpec {
    /// Its short name, `copy`.
    pub name: &'static str,
    /// Its collection, `ansible.builtin`.
    pub collection: &'static str,
    /// Other short names of the same module (`systemd_service` for `systemd`).
    pub aliases: &'static [&'static str],
    /// The manual, first line the summary. From the doc comment of the argument struct.
    pub doc: fn() -> &'static str,
    /// The arguments.
    pub params: fn() -> &'static [Param],
    /// The argument that takes the free form (`command: ls -l`).
    pub free_form: Option<&'static str>,
    /// Takes any further arguments (`set_fact`).
    pub any_arguments: bool,
    /// Where the work is done.
    pub place: Place,
    /// Checks the arguments and makes the module; `None` for the controller's own.
    pub build: Option<Build>,
}

/// Checks arguments and makes a module.
pub type Build = fn(&Map) -> Result<Box<dyn Module>, ArgError>;

impl std::fmt::Debug for ModuleSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}.{}", self.collection, self.name)
    }
}

impl ModuleSpec {
    /// The entry of a module whose work is done on the target. Exceptions are written over it:
    /// `ModuleSpec { free_form: Some("cmd"), ..ModuleSpec::of::<Args>("ansible.builtin", "command") }`.
    pub const fn of<A: Arguments + Module + 'static>(collection: &'static str, name: &'static str) -> ModuleSpec {
        ModuleSpec {
            name,
            collection,
            aliases: &[],
            doc: A::doc,
            params: A::params,
            free_form: None,
            any_arguments: A::ANY,
            place: Place::Target,
            build: Some(|map| {
                let args = A::read(map)?;
                args.check()?;
                Ok(Box::new(args))
            }),
        }
    }

    /// The entry of a module that the runner itself carries out.
    pub const fn controller<A: Arguments>(collection: &'static str, name: &'static str) -> ModuleSpec {
        ModuleSpec {
            name,
            collection,
            aliases: &[],
            doc: A::doc,
            params: A::params,
            free_form: None,
            any_arguments: A::ANY,
            place: Place::Controller,
            build: None,
        }
    }

    /// Whether its files lie on the target unless the arguments say that they are the controller's.
    pub fn is_remote_by_default(&self) -> bool {
        self.param("remote_src").and_then(|param| param.default) == Some("true")
    }

    /// What users may give.
    pub fn public_params(&self) -> impl Iterator<Item = &'static Param> {
        (self.params)().iter().filter(|param| !param.is_internal())
    }

    /// The parameter of this name or alias.
    pub fn param(&self, name: &str) -> Option<&'static Param> {
        (self.params)().iter().find(|param| param.name == name || param.aliases.contains(&name))
    }
}

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
            Kind::Choice(choices) => write!(f, "one of {}", choices.join(", ")),
            Kind::List(item) => write!(f, "a list of {item}"),
            Kind::Dict => f.write_str("a mapping"),
            Kind::Raw => f.write_str("anything"),
            Kind::Files => f.write_str("a file of the controller"),
            Kind::Template => f.write_str("a template of the controller"),
        }
    }
}

/// Arguments that do not fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArgError {
    /// The argument, where the problem is about one.
    pub argument: Option<String>,
    /// What is wrong.
    pub message: String,
}

impl ArgError {
    /// A problem with one argument.
    pub fn new(argument: &str, message: impl Into<String>) -> Self {
        ArgError { argument: Some(argument.to_owned()), message: message.into() }
    }

    /// A problem with the arguments as a whole.
    pub fn whole(message: impl Into<String>) -> Self {
        ArgError { argument: None, message: message.into() }
    }
}

impl From<ArgError> for Failure {
    fn from(error: ArgError) -> Self {
        Failure { message: error.message, argument: error.argument, values: Map::new() }
    }
}

/// An argument struct; made by [`args!`](crate::args).
pub trait Arguments: Sized {
    /// Whether further arguments are taken beside those of the schema.
    const ANY: bool;
    /// The schema.
    fn params() -> &'static [Param];
    /// The manual.
    fn doc() -> &'static str;
    /// Reads the arguments, coerced as Ansible does; unknown ones are refused.
    fn read(map: &Map) -> Result<Self, ArgError>;
}

/// A type that an argument can have.
pub trait Arg: Sized {
    /// What it takes, for the schema.
    const KIND: Kind;
    /// Whether it may be left out without a default.
    const OPTIONAL: bool = false;
    /// Reads it; the error says what was expected.
    fn read(value: &Value) -> Result<Self, String>;
    /// What it is when it was left out and has no default.
    fn absent() -> Option<Self> {
        None
    }
}

impl<T: Arg> Arg for Option<T> {
    const KIND: Kind = T::KIND;
    const OPTIONAL: bool = true;
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Null => Ok(None),
            value => T::read(value).map(Some),
        }
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
}

fn expected<T>(what: impl std::fmt::Display, value: &Value) -> Result<T, String> {
    let shown = match value {
        Value::Str(text) => format!("`{text}`"),
        Value::Int(number) => format!("`{number}`"),
        other => other.kind().to_owned(),
    };
    Err(format!("expected {what}, found {shown}"))
}

impl Arg for String {
    const KIND: Kind = Kind::Str;
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Str(text) => Ok(text.clone()),
            Value::Int(number) => Ok(number.to_string()),
            Value::Float(number) => Ok(format!("{number:?}")),
            // Python's spelling, which is what Ansible's own coercion to text gives.
            Value::Bool(flag) => Ok(if *flag { "True" } else { "False" }.to_owned()),
            Value::List(_) | Value::Map(_) => serde_json::to_string(&value.to_json()).map_err(|e| e.to_string()),
            other => expected("text", other),
        }
    }
}

impl Arg for PathBuf {
    const KIND: Kind = Kind::Path;
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Str(text) => Ok(PathBuf::from(text)),
            other => expected("a path", other),
        }
    }
}

/// Ansible's spellings of true and false.
pub fn read_bool(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "on" | "true" | "1" | "y" | "t" | "1.0" => Some(true),
        "no" | "off" | "false" | "0" | "n" | "f" | "0.0" => Some(false),
        _ => None,
    }
}

impl Arg for bool {
    const KIND: Kind = Kind::Bool;
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Bool(flag) => Ok(*flag),
            Value::Int(0) => Ok(false),
            Value::Int(1) => Ok(true),
            Value::Str(text) => read_bool(text).map_or_else(|| expected("a boolean (yes or no)", value), Ok),
            other => expected("a boolean (yes or no)", other),
        }
    }
}

impl Arg for i64 {
    const KIND: Kind = Kind::Int;
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Int(number) => Ok(*number),
            Value::Float(number) if number.fract() == 0.0 => Ok(*number as i64),
            Value::Str(text) => text.trim().parse().or_else(|_| expected("a whole number", value)),
            other => expected("a whole number", other),
        }
    }
}

impl Arg for u32 {
    const KIND: Kind = Kind::Int;
    fn read(value: &Value) -> Result<Self, String> {
        i64::read(value)?.try_into().or_else(|_| expected("a whole number that is not negative", value))
    }
}

impl Arg for f64 {
    const KIND: Kind = Kind::Float;
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Int(number) => Ok(*number as f64),
            Value::Float(number) => Ok(*number),
            Value::Str(text) => text.trim().parse().or_else(|_| expected("a number", value)),
            other => expected("a number", other),
        }
    }
}

impl<T: Arg + 'static> Arg for Vec<T> {
    const KIND: Kind = Kind::List(&T::KIND);
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::List(items) => items.iter().map(T::read).collect(),
            Value::Str(text) if text.is_empty() => Ok(Vec::new()),
            Value::Str(text) => text.split(',').map(|part| T::read(&Value::Str(part.trim().to_owned()))).collect(),
            Value::Map(_) | Value::Null => expected(Self::KIND, value),
            single => Ok(vec![T::read(single)?]),
        }
    }
    fn absent() -> Option<Self> {
        Some(Vec::new())
    }
    const OPTIONAL: bool = true;
}

impl Arg for Map {
    const KIND: Kind = Kind::Dict;
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Map(map) => Ok(map.clone()),
            other => expected("a mapping", other),
        }
    }
}

impl Arg for Value {
    const KIND: Kind = Kind::Raw;
    fn read(value: &Value) -> Result<Self, String> {
        Ok(value.clone())
    }
}

impl Arg for Mode {
    const KIND: Kind = Kind::Mode;
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            // A number is what YAML made of `0644`: its bits are the permissions. `644` without a zero is the usual
            // mistake, and Ansible takes it literally too.
            Value::Int(bits) => u32::try_from(*bits).map(Mode::Bits).or_else(|_| expected("permissions", value)),
            Value::Str(text) if text == "preserve" => Ok(Mode::Preserve),
            Value::Str(text) => {
                let digits = text.strip_prefix("0o").unwrap_or(text);
                match u32::from_str_radix(digits, 8) {
                    Ok(bits) if bits <= 0o7777 => Ok(Mode::Bits(bits)),
                    Ok(_) => expected("permissions such as \"0644\"", value),
                    Err(_) if text.contains(['=', '+', '-']) => Ok(Mode::Symbolic(text.clone())),
                    Err(_) => expected("permissions such as \"0644\" or \"u=rw,g=r\"", value),
                }
            }
            other => expected("permissions such as \"0644\"", other),
        }
    }
}

/// A file or a tree of the controller, as it travels in a call; or a path on the target (`remote_src`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Source {
    /// A path on the target.
    Remote(PathBuf),
    /// A file of the controller.
    File {
        /// Its base name.
        name: String,
        /// Its permission bits.
        mode: u32,
        /// What it holds.
        blob: Blob,
    },
    /// A directory of the controller.
    Tree {
        /// Its base name; empty when only its content is meant (`src` ended in a slash).
        name: String,
        /// All entries, parents first, paths relative.
        entries: Vec<TreeEntry>,
    },
}

/// One entry of a [`Source::Tree`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TreeEntry {
    /// Relative to the tree's root.
    pub path: PathBuf,
    /// Its permission bits.
    pub mode: u32,
    /// What it is.
    pub kind: TreeKind,
    /// Whose it is and how old, where that matters (`synchronize`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// Whose something of the controller is, and how old.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// Last change of the content, seconds since 1970.
    pub mtime: f64,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The owner's name.
    pub owner: Option<String>,
    /// The group's name.
    pub group: Option<String>,
}

/// The kinds of entry of a [`Source::Tree`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TreeKind {
    /// A directory.
    Dir,
    /// A file.
    File(Blob),
    /// A symbolic link.
    Link(PathBuf),
}

/// The key under which a [`Source`] of the controller travels inside a call's arguments.
const SOURCE_KEY: &str = "__wodctl_source";

impl Source {
    /// As a value inside a call's arguments.
    pub fn to_value(&self) -> Value {
        match self {
            Source::Remote(path) => Value::Str(path.to_string_lossy().into_owned()),
            source => {
                let json = serde_json::to_value(source).unwrap_or_default();
                Value::Map(crate::map! { SOURCE_KEY => Value::from(json) })
            }
        }
    }
}

impl Arg for Source {
    const KIND: Kind = Kind::Files;
    fn read(value: &Value) -> Result<Self, String> {
        if let Some(inner) = value.get(SOURCE_KEY) {
            return serde_json::from_value(inner.to_json()).map_err(|error| error.to_string());
        }
        PathBuf::read(value).map(Source::Remote)
    }
}

/// A rendered template of the controller.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered(pub Source);

impl Arg for Rendered {
    const KIND: Kind = Kind::Template;
    fn read(value: &Value) -> Result<Self, String> {
        Source::read(value).map(Rendered)
    }
}

/// Declares an argument struct.
///
/// ```ignore
/// args! {
///     /// Summary line, then the manual.
///     pub struct Args {
///         /// What it is.
///         path: PathBuf, alias("dest", "name");
///         /// With a default.
///         recurse: bool = false;
///         /// May be left out.
///         owner: Option<String>;
///         // Takes any further arguments (left out: they are refused).
///         .. others;
///     }
/// }
/// ```
#[macro_export]
macro_rules! args {
    (
        $(#[doc = $doc:expr])*
        pub struct $name:ident {
            $( $(#[doc = $fdoc:expr])* $field:ident $(as $wire:literal)? : $type:ty $(= $default:expr)? $(, alias($($alias:literal),* $(,)?))? ; )*
            $( .. $rest:ident ; )?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        pub struct $name {
            $( $(#[doc = $fdoc])* pub $field: $type, )*
            $( /// All other arguments.
            pub $rest: $crate::value::Map, )?
        }

        impl $crate::module::Arguments for $name {
            const ANY: bool = $crate::args!(@any $($rest)?);
            fn doc() -> &'static str { concat!($($doc, "\n",)*) }
            fn params() -> &'static [$crate::module::Param] {
                const PARAMS: &[$crate::module::Param] = &[$(
                    $crate::module::Param {
                        name: $crate::args!(@name $field $($wire)?),
                        aliases: &[$($($alias,)*)?],
                        kind: <$type as $crate::module::Arg>::KIND,
                        required: !<$type as $crate::module::Arg>::OPTIONAL && $crate::args!(@required $($default)?),
                        default: $crate::args!(@default $($default)?),
                        reads: |value| <$type as $crate::module::Arg>::read(value).map(|_| ()),
                        doc: concat!($($fdoc, "\n",)*),
                    },
                )*];
                PARAMS
            }
            fn read(map: &$crate::value::Map) -> Result<Self, $crate::module::ArgError> {
                if !Self::ANY {
                    $crate::module::refuse_unknown(map, Self::params())?;
                }
                Ok($name { $(
                    $field: match $crate::module::given(map, $crate::args!(@name $field $($wire)?), &[$($($alias,)*)?]) {
                        Some((key, value)) => <$type as $crate::module::Arg>::read(value)
                            .map_err(|message| $crate::module::ArgError::new(key, message))?,
                        None => $crate::args!(@absent $type, $crate::args!(@name $field $($wire)?) $(, $default)?),
                    },
                )* $( $rest: $crate::module::others(map, Self::params()), )? })
            }
        }
    };
    (@name $field:ident) => { $crate::module::bare(stringify!($field)) };
    (@name $field:ident $wire:literal) => { $wire };
    (@any) => { false };
    (@any $rest:ident) => { true };
    (@required) => { true };
    (@required $default:expr) => { false };
    (@default) => { None };
    (@default $default:expr) => { Some(stringify!($default)) };
    (@absent $type:ty, $name:expr) => {
        <$type as $crate::module::Arg>::absent()
            .ok_or_else(|| $crate::module::ArgError::new($name, format!("`{}` is required", $name)))?
    };
    (@absent $type:ty, $name:expr, $default:expr) => { <$type>::from($default) };
}

/// Declares an enum whose values are the choices of an argument.
///
/// ```ignore
/// choices! { pub enum State { File = "file", Directory = "directory" } }
/// ```
#[macro_export]
macro_rules! choices {
    ( $(#[doc = $doc:expr])* pub enum $name:ident { $( $(#[doc = $vdoc:expr])* $variant:ident = $text:literal $(| $other:literal)* ),* $(,)? } ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $( $(#[doc = $vdoc])* #[allow(missing_docs)] $variant, )* }

        impl $crate::module::Arg for $name {
            const KIND: $crate::module::Kind = $crate::module::Kind::Choice(&[$($text,)*]);
            fn read(value: &$crate::value::Value) -> Result<Self, String> {
                let text = <String as $crate::module::Arg>::read(value)?;
                match text.as_str() {
                    $( $text $(| $other)* => Ok($name::$variant), )*
                    other => Err($crate::module::no_such_choice(other, &[$($text,)*])),
                }
            }
        }

        impl $name {
            /// As the user writes it.
            #[allow(dead_code)]
            pub fn as_str(self) -> &'static str {
                match self { $( $name::$variant => $text, )* }
            }
        }
    };
}

/// A field name without the `r#` of a Rust keyword.
pub const fn bare(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

/// The value given for an argument, under its name or an alias.
pub fn given<'a>(map: &'a Map, name: &'static str, aliases: &[&'static str]) -> Option<(&'a str, &'a Value)> {
    std::iter::once(&name).chain(aliases).find_map(|key| {
        let (_, key, value) = map.get_full(*key)?;
        (*value != Value::Null).then_some((key.as_str(), value))
    })
}

/// Refuses arguments that the module does not have.
pub fn refuse_unknown(map: &Map, params: &[Param]) -> Result<(), ArgError> {
    let known = |key: &str| params.iter().any(|param| param.name == key || param.aliases.contains(&key));
    match map.keys().find(|key| !known(key)) {
        Some(key) => Err(ArgError::new(key, format!("there is no argument `{key}`"))),
        None => Ok(()),
    }
}

/// The arguments that the schema does not name.
pub fn others(map: &Map, params: &[Param]) -> Map {
    let known = |key: &str| params.iter().any(|param| param.name == key || param.aliases.contains(&key));
    map.iter().filter(|(key, _)| !known(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// The message for a value that is none of the choices.
pub fn no_such_choice(given: &str, choices: &[&'static str]) -> String {
    format!("expected one of {}, found `{given}`", choices.join(", "))
}
