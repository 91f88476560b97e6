//! What an inline `if` without `else` gives where its condition does not hold.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{Error, ErrorKind, Value as Jinja};

/// No letters in a text, no items in a loop, false in a condition; neither a result of its own nor defined.
#[derive(Debug)]
pub struct Blank;

impl Blank {
    /// As a value.
    pub fn value() -> Jinja {
        Jinja::from_object(Blank)
    }

    /// Why it is no result.
    pub fn error() -> Error {
        Error::new(
            ErrorKind::InvalidOperation,
            "the condition of an inline `if` does not hold, and there is no `else`: add `else omit` or `else ''`",
        )
    }
}

/// Whether a value is that.
pub fn is_blank(value: &Jinja) -> bool {
    value.downcast_object_ref::<Blank>().is_some()
}

impl Object for Blank {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        false
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Empty
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(0)
    }

    fn render(self: &Arc<Self>, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}
