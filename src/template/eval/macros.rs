//! Macros, with `varargs`, `kwargs` and `caller`.

use std::sync::Arc;

use crate::template::syntax::{Place, ast};
use minijinja::value::{Object, ObjectRepr};
use minijinja::{Error, ErrorKind, State, Value as Jinja};

use super::calls::Given;
use super::output::Output;
use super::{Evaluator, Expr, Frame, Text, Unit};
use crate::template::containers::Dict;
use crate::template::{RenderError, python};
use crate::yaml::Node;

/// How deep macros may call each other.
const DEPTH: usize = 150;

/// A macro with the frames that it was declared in.
pub(super) struct Macro {
    declaration: &'static ast::Macro<'static>,
    unit: &'static Unit,
    node: Arc<Node>,
    frames: Vec<Frame>,
}

impl std::fmt::Debug for Macro {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "<macro {}>", self.declaration.name)
    }
}

impl Object for Macro {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, _: &[Jinja]) -> Result<Jinja, Error> {
        let message = format!("the macro `{}` can be called only by its name", self.declaration.name);
        Err(Error::new(ErrorKind::InvalidOperation, message))
    }
}

impl Evaluator<'_> {
    /// A macro as a value.
    pub(super) fn declare(&mut self, declaration: &'static ast::Macro<'static>) -> Jinja {
        for frame in &self.frames {
            self.run.shared().captured(frame);
        }
        let node = match &self.text {
            Text::Here(node) => Arc::new((*node).clone()),
            Text::Elsewhere(node) => node.clone(),
        };
        Jinja::from_object(Macro { declaration, unit: self.unit, node, frames: self.frames.clone() })
    }

    /// Calls a macro.
    pub(super) fn call_macro(
        &mut self,
        place: Place,
        called: &Arc<Macro>,
        given: Given,
        caller: Option<Jinja>,
    ) -> Result<Jinja, RenderError> {
        if self.depth >= DEPTH {
            return Err(self.wrong(place, format!("macros call each other more than {DEPTH} times deep")));
        }
        let locals = self.bind(place, called, given)?;
        let frames = std::mem::replace(&mut self.frames, called.frames.clone());
        let unit = std::mem::replace(&mut self.unit, called.unit);
        let text = std::mem::replace(&mut self.text, Text::Elsewhere(called.node.clone()));
        self.frames.push(Frame::default());
        self.depth += 1;
        let result = self.body_of_macro(called, locals, caller);
        self.depth -= 1;
        (self.frames, self.unit, self.text) = (frames, unit, text);
        result
    }

    fn body_of_macro(
        &mut self,
        called: &Macro,
        locals: Vec<(&'static str, Jinja)>,
        caller: Option<Jinja>,
    ) -> Result<Jinja, RenderError> {
        for (name, value) in locals {
            self.set(name, value);
        }
        if let Some(caller) = caller {
            self.set("caller", caller);
        }
        self.defaults(called.declaration)?;
        let mut output = Output::default();
        self.body(&called.declaration.body, &mut output)?;
        Ok(output.finish())
    }

    /// Parameters that were not given take their defaults, which may speak of the ones before them.
    fn defaults(&mut self, declaration: &'static ast::Macro<'static>) -> Result<(), RenderError> {
        let without = declaration.args.len() - declaration.defaults.len();
        for (index, arg) in declaration.args.iter().enumerate() {
            let Expr::Var(var) = arg else { continue };
            let own = self
                .frames
                .last()
                .is_some_and(|frame| crate::template::run::lock(frame).iter().any(|(name, _)| *name == var.id));
            if own {
                continue;
            }
            let value = match index.checked_sub(without).and_then(|at| declaration.defaults.get(at)) {
                Some(default) => self.value(default)?,
                None => Jinja::UNDEFINED,
            };
            self.set(var.id, value);
        }
        Ok(())
    }

    fn bind(&self, place: Place, called: &Macro, given: Given) -> Result<Vec<(&'static str, Jinja)>, RenderError> {
        let declaration = called.declaration;
        let names: Vec<&'static str> = declaration
            .args
            .iter()
            .filter_map(|arg| if let Expr::Var(var) = arg { Some(var.id) } else { None })
            .collect();
        let mut positional = given.positional.into_iter();
        let mut locals: Vec<(&'static str, Jinja)> = names.iter().copied().zip(positional.by_ref()).collect();
        let rest: Vec<Jinja> = positional.collect();
        let mut others = Vec::new();
        for (name, value) in given.named {
            match names.iter().find(|known| **known == name) {
                Some(known) if locals.iter().any(|(bound, _)| bound == known) => {
                    return Err(
                        self.wrong(place, format!("`{name}` is given twice to the macro `{}`", declaration.name))
                    );
                }
                Some(known) => locals.push((known, value)),
                None => others.push((name, value)),
            }
        }
        let source = called.unit.source;
        if !rest.is_empty() && !source.contains("varargs") {
            let message = format!(
                "the macro `{}` takes {} arguments, {} are given",
                declaration.name,
                names.len(),
                names.len() + rest.len()
            );
            return Err(self.wrong_with(place, message, "a macro takes more arguments if it uses `varargs`"));
        }
        if let Some((name, _)) = others.first()
            && !source.contains("kwargs")
        {
            return Err(self.wrong(place, format!("the macro `{}` has no parameter `{name}`", declaration.name)));
        }
        locals.push(("varargs", python::tuple(rest)));
        locals.push(("kwargs", Dict::value(others.into_iter().map(|(name, value)| (Jinja::from(name), value)))));
        Ok(locals)
    }
}
