//! `{% for %}` and what `loop` knows.

use std::sync::{Arc, Mutex};

use crate::template::syntax::ast;
use minijinja::value::{Enumerator, Object};
use minijinja::{Error, ErrorKind, State, Value as Jinja};

use super::output::Output;
use super::{Evaluator, Expr};
use crate::template::run::lock;
use crate::template::{RenderError, python};

/// `loop`
#[derive(Debug)]
struct Loop {
    index: usize,
    items: Arc<Vec<Jinja>>,
    depth: usize,
    last: Arc<Mutex<Option<Vec<Jinja>>>>,
}

const FIELDS: &[&str] =
    &["index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0", "previtem", "nextitem"];

impl Object for Loop {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        let length = self.items.len();
        Some(match key.as_str()? {
            "index" => Jinja::from(self.index + 1),
            "index0" => Jinja::from(self.index),
            "revindex" => Jinja::from(length - self.index),
            "revindex0" => Jinja::from(length - self.index - 1),
            "first" => Jinja::from(self.index == 0),
            "last" => Jinja::from(self.index + 1 == length),
            "length" => Jinja::from(length),
            "depth" => Jinja::from(self.depth + 1),
            "depth0" => Jinja::from(self.depth),
            "previtem" => self.index.checked_sub(1).and_then(|at| self.items.get(at)).cloned().unwrap_or_default(),
            "nextitem" => self.items.get(self.index + 1).cloned().unwrap_or_default(),
            _ => return None,
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(FIELDS)
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, method: &str, args: &[Jinja]) -> Result<Jinja, Error> {
        match method {
            "cycle" if !args.is_empty() => Ok(args[self.index % args.len()].clone()),
            "cycle" => Err(Error::new(ErrorKind::MissingArgument, "`loop.cycle` needs values to go through")),
            "changed" => {
                let mut last = lock(&self.last);
                let changed = last.as_deref() != Some(args);
                *last = Some(args.to_vec());
                Ok(Jinja::from(changed))
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}

impl Evaluator<'_> {
    pub(super) fn for_loop(
        &mut self,
        statement: &'static ast::ForLoop<'static>,
        output: &mut Output,
    ) -> Result<(), RenderError> {
        let over = self.defined(&statement.iter)?;
        let outer = if statement.recursive { Vec::new() } else { std::mem::take(&mut self.loops) };
        if statement.recursive {
            self.loops.push(statement);
        }
        let result = self.iterate(statement, &over, 0, output);
        if statement.recursive {
            self.loops.pop();
        } else {
            self.loops = outer;
        }
        result
    }

    fn iterate(
        &mut self,
        statement: &'static ast::ForLoop<'static>,
        over: &Jinja,
        depth: usize,
        output: &mut Output,
    ) -> Result<(), RenderError> {
        let mut items = python::items(over).map_err(|error| match over.try_iter() {
            Ok(_) if self.run.shared().ended().is_some() => self.failed(statement.iter.span(), &error),
            _ => self.wrong(statement.iter.span(), format!("cannot loop over {}", python::described(over))),
        })?;
        if let Some(condition) = &statement.filter_expr {
            let mut kept = Vec::new();
            for item in items {
                let keep = self.within_frame(|this| {
                    this.assign(&statement.target, item.clone())?;
                    this.truth(condition)
                })?;
                if keep {
                    kept.push(item);
                }
            }
            items = kept;
        }
        if items.is_empty() {
            return self.within_frame(|this| this.body(&statement.else_body, output));
        }
        let items = Arc::new(items);
        let last = Arc::default();
        for (index, item) in items.iter().enumerate() {
            self.within_frame(|this| {
                this.assign(&statement.target, item.clone())?;
                let inner = Loop { index, items: items.clone(), depth, last: Arc::clone(&last) };
                this.set("loop", Jinja::from_object(inner));
                this.body(&statement.body, output)
            })?;
        }
        Ok(())
    }

    /// `loop(children)` in a recursive loop.
    pub(super) fn recurse(&mut self, call: &'static ast::Spanned<ast::Call<'static>>) -> Result<Jinja, RenderError> {
        let (Some(statement), [ast::CallArg::Pos(expression)]) = (self.loops.last().copied(), call.args.as_slice())
        else {
            return Err(self.wrong(call.span(), "`loop()` takes one argument: what to loop over"));
        };
        let over = self.defined(expression)?;
        let depth = self.local("loop").and_then(|inner| inner.get_attr("depth").ok()?.as_usize()).unwrap_or(0);
        if depth > 100 {
            return Err(self.wrong(call.span(), "the loop calls itself more than 100 times deep"));
        }
        let mut output = Output::default();
        self.iterate(statement, &over, depth, &mut output)?;
        Ok(output.finish())
    }

    /// Sets the names of a target: `x`, `x, y`, `ns.x`.
    pub(super) fn assign(&mut self, target: &'static Expr, value: Jinja) -> Result<(), RenderError> {
        let names = match target {
            Expr::Var(var) => {
                self.set(var.id, value);
                return Ok(());
            }
            Expr::GetAttr(get) => return self.assign_attribute(get, value),
            Expr::List(list) => &list.items,
            Expr::Tuple(tuple) => &tuple.items,
            other => return Err(self.wrong(other.span(), "this cannot be set")),
        };
        let parts = python::items(&value).map_err(|error| self.failed(target.span(), &error))?;
        if parts.len() != names.len() {
            let message = format!("{} names for {} values", names.len(), parts.len());
            return Err(self.wrong(target.span(), message));
        }
        names.iter().zip(parts).try_for_each(|(name, part)| self.assign(name, part))
    }
}
