//! What a template yields: a single value keeps its type, several become text.

use minijinja::{Error, Value as Jinja};

use crate::template::blank::is_blank;
use crate::template::convert::settled;
use crate::template::python;

/// Collects what is written.
#[derive(Debug, Default)]
pub struct Output {
    text: String,
    single: Option<Jinja>,
    count: usize,
}

impl Output {
    /// Writes a value. `None` is nothing.
    pub fn value(&mut self, value: Jinja) -> Result<(), Error> {
        if value.is_none() {
            return Ok(());
        }
        if self.count == 0 {
            self.single = Some(value);
        } else {
            self.settle()?;
            write(&value, &mut self.text)?;
        }
        self.count += 1;
        Ok(())
    }

    /// Writes text.
    pub fn text(&mut self, text: &str) -> Result<(), Error> {
        if !text.is_empty() {
            self.settle()?;
            self.text.push_str(text);
            self.count += 1;
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<(), Error> {
        match self.single.take() {
            Some(value) => write(&value, &mut self.text),
            None => Ok(()),
        }
    }

    /// The single value, or the text; `None` where nothing was written.
    pub fn finish(self) -> Jinja {
        match (self.count, self.single) {
            (0, _) => Jinja::from(()),
            (_, Some(value)) => value,
            _ => Jinja::from(self.text),
        }
    }
}

/// Writes a value as text. As in Ansible, a collection is settled first: tuples are lists, `omit`s are left out, and
/// nothing in it may be undefined.
pub fn write(value: &Jinja, text: &mut String) -> Result<(), Error> {
    if value.as_object().is_none() {
        text.push_str(&python::text(value));
        return Ok(());
    }
    if is_blank(value) {
        return Ok(());
    }
    text.push_str(&python::text(&settled(value)?));
    Ok(())
}
