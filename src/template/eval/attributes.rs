//! Attributes, items and slices.

use crate::template::syntax::{Place, ast};
use minijinja::value::{Value as Jinja, ValueKind};

use super::{Evaluator, Expr};
use crate::template::blank::{Blank, is_blank};
use crate::template::containers::Array;
use crate::template::{RenderError, python};

impl Evaluator<'_> {
    pub(super) fn attribute(
        &mut self,
        get: &'static ast::Spanned<ast::GetAttr<'static>>,
    ) -> Result<Jinja, RenderError> {
        let value = self.value(&get.expr)?;
        self.not_blank(&value, get.span())?;
        Ok(attribute(&value, get.name))
    }

    pub(super) fn item(&mut self, get: &'static ast::Spanned<ast::GetItem<'static>>) -> Result<Jinja, RenderError> {
        let value = self.value(&get.expr)?;
        let key = self.value(&get.subscript_expr)?;
        self.not_blank(&value, get.span())?;
        if value.is_undefined() || key.is_undefined() {
            return Ok(Jinja::UNDEFINED);
        }
        Ok(item(&value, &key))
    }

    /// What an inline `if` did not give has no parts.
    fn not_blank(&self, value: &Jinja, place: Place) -> Result<(), RenderError> {
        if is_blank(value) { Err(self.failed(place, &Blank::error())) } else { Ok(()) }
    }

    pub(super) fn slice(&mut self, slice: &'static ast::Spanned<ast::Slice<'static>>) -> Result<Jinja, RenderError> {
        let value = self.defined(&slice.expr)?;
        let start = self.bound(slice.start.as_ref())?;
        let stop = self.bound(slice.stop.as_ref())?;
        let step = self.bound(slice.step.as_ref())?.unwrap_or(1);
        if step == 0 {
            return Err(self.wrong(slice.span(), "the step of a slice cannot be 0"));
        }
        if let Some(text) = value.as_str() {
            let letters: Vec<char> = text.chars().collect();
            let picked = indexes(letters.len(), start, stop, step).map(|index| letters[index]);
            return Ok(Jinja::from(picked.collect::<String>()));
        }
        if !python::is_list(&value) {
            let message = format!("only lists and texts have slices, this is {}", python::described(&value));
            return Err(self.wrong(slice.span(), message));
        }
        let items = python::items(&value).map_err(|error| self.failed(slice.span(), &error))?;
        let picked = indexes(items.len(), start, stop, step).map(|index| items[index].clone()).collect();
        Ok(if python::is_tuple(&value) { python::tuple(picked) } else { Array::value(picked) })
    }

    fn bound(&mut self, bound: Option<&'static Expr>) -> Result<Option<i64>, RenderError> {
        let Some(expression) = bound else { return Ok(None) };
        let value = self.defined(expression)?;
        match value.as_i64() {
            Some(number) => Ok(Some(number)),
            None if value.is_none() => Ok(None),
            None => {
                let message = format!("a slice needs whole numbers, this is {}", python::described(&value));
                Err(self.wrong(expression.span(), message))
            }
        }
    }
}

/// `value.name`; undefined where there is no such entry.
pub(super) fn attribute(value: &Jinja, name: &str) -> Jinja {
    if python::is_list(value)
        && let Ok(index) = name.parse::<i64>()
    {
        return item(value, &Jinja::from(index));
    }
    if value.is_undefined() { Jinja::UNDEFINED } else { value.get_attr(name).unwrap_or_default() }
}

/// `value[key]`; undefined where there is no such item.
pub(super) fn item(value: &Jinja, key: &Jinja) -> Jinja {
    value.get_item(key).unwrap_or_default()
}

/// The places that a slice takes, as in Python.
fn indexes(length: usize, start: Option<i64>, stop: Option<i64>, step: i64) -> impl Iterator<Item = usize> {
    let length = length as i64;
    let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let clamp = |bound: i64| if bound < 0 { (bound + length).max(low) } else { bound.min(high) };
    let mut at = start.map_or(if step > 0 { low } else { high }, clamp);
    let end = stop.map_or(if step > 0 { high } else { low }, clamp);
    std::iter::from_fn(move || {
        let inside = if step > 0 { at < end } else { at > end };
        let index = at;
        at += step;
        inside.then_some(index as usize)
    })
}

/// Whether something can be looked into.
pub(super) fn is_container(value: &Jinja) -> bool {
    matches!(value.kind(), ValueKind::Map | ValueKind::Seq | ValueKind::Iterable | ValueKind::Plain)
}
