//! Argument structs, and the macros that declare them.

use super::{ArgError, Param};
use crate::value::{Map, Value};

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
///         /// Read by name, or in need of nothing: why no code reads the field.
///         decrypt: bool = true, elsewhere("where the source is read");
///         // Takes any further arguments (left out: they are refused).
///         .. others;
///     }
/// }
/// ```
#[macro_export]
macro_rules! args {
    (
        $(#[doc = $doc:expr])*
        pub struct $name:ident $(, elsewhere($all:literal))? {
            $( $(#[doc = $fdoc:expr])* $field:ident $(as $wire:literal)? : $type:ty $(= $default:expr)? $(, alias($($alias:literal),* $(,)?))? $(, elsewhere($why:literal))? ; )*
            $( .. $rest:ident ; )?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        $(#[allow(dead_code, reason = $all)])?
        pub struct $name {
            // Not `pub`, so that the compiler finds an argument that no code reads.
            $( $(#[doc = $fdoc])* $(#[allow(dead_code, reason = $why)])? pub(crate) $field: $type, )*
            $( /// All other arguments.
            pub(crate) $rest: $crate::value::Map, )?
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
