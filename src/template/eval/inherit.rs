//! Templates that use others: include, import, extends and blocks.

use std::sync::Arc;

use crate::template::syntax::{Place, ast};
use minijinja::Value as Jinja;

use super::output::Output;
use super::{Evaluator, Expr, Frame, Text, Unit};
use crate::template::containers::Dict;
use crate::template::run::lock;
use crate::template::{RenderError, python};
use crate::yaml::Node;

/// How deep templates may include each other.
const DEPTH: usize = 50;

/// A block and the template that it stands in.
#[derive(Clone)]
pub struct Override {
    block: &'static ast::Block<'static>,
    unit: &'static Unit,
    node: Arc<Node>,
}

impl Evaluator<'_> {
    /// Writes a whole template, and that of its parent.
    pub(super) fn template(&mut self, unit: &'static Unit, output: &mut Output) -> Result<(), RenderError> {
        let mut unit = unit;
        loop {
            self.unit = unit;
            let mut own = Output::default();
            self.body(unit.tree.parts(), &mut own)?;
            match self.parent.take() {
                // Only what the outermost parent writes counts.
                Some((parent, node)) => {
                    unit = parent;
                    self.text = Text::Elsewhere(node);
                }
                None => {
                    return self.write(Place::default(), own.finish(), output);
                }
            }
        }
    }

    /// Does something inside another template.
    fn elsewhere<T>(
        &mut self,
        place: Place,
        unit: &'static Unit,
        node: Arc<Node>,
        work: impl FnOnce(&mut Self) -> Result<T, RenderError>,
    ) -> Result<T, RenderError> {
        if self.depth >= DEPTH {
            return Err(self.wrong(place, format!("templates include each other more than {DEPTH} times deep")));
        }
        let unit = std::mem::replace(&mut self.unit, unit);
        let text = std::mem::replace(&mut self.text, Text::Elsewhere(node));
        self.depth += 1;
        let result = work(self);
        self.depth -= 1;
        (self.unit, self.text) = (unit, text);
        result
    }

    /// The first template of a name or a list of names that exists.
    fn named(
        &mut self,
        expression: &'static Expr,
        optional: bool,
    ) -> Result<Option<(&'static Unit, Arc<Node>)>, RenderError> {
        let value = self.defined(expression)?;
        let names: Vec<String> = match value.as_str() {
            Some(name) => vec![name.to_owned()],
            None => python::list(&value)
                .map_err(|error| self.failed(expression.span(), &error))?
                .iter()
                .map(|name| python::text(name).into_owned())
                .collect(),
        };
        for name in &names {
            if let Some(path) = self.run.find_template(name, &self.text) {
                return self.run.engine().template_file(&path, self.span(expression.span())).map(Some);
            }
        }
        if optional {
            return Ok(None);
        }
        let places = names.iter().flat_map(|name| self.run.template_places(name, &self.text));
        let places: Vec<String> = places.map(|path| format!("\n  {}", path.display())).collect();
        let what = names.join("`, `");
        Err(self.wrong_with(
            expression.span(),
            format!("there is no template `{what}`"),
            format!("looked for:{}", places.concat()),
        ))
    }

    pub(super) fn include(
        &mut self,
        include: &'static ast::Spanned<ast::Include<'static>>,
        output: &mut Output,
    ) -> Result<(), RenderError> {
        let Some((unit, node)) = self.named(&include.name, include.ignore_missing)? else { return Ok(()) };
        let blocks = std::mem::take(&mut self.blocks);
        let parent = self.parent.take();
        let result = self.elsewhere(include.span(), unit, node, |this| {
            this.within_frame(|this| {
                let mut own = Output::default();
                this.template(unit, &mut own)?;
                this.write(include.span(), own.finish(), output)
            })
        });
        self.blocks = blocks;
        self.parent = parent;
        result
    }

    fn module(&mut self, place: Place, expression: &'static Expr) -> Result<Jinja, RenderError> {
        let Some((unit, node)) = self.named(expression, false)? else { return Ok(Jinja::UNDEFINED) };
        self.elsewhere(place, unit, node, |this| {
            let frame = Frame::default();
            this.frames.push(frame.clone());
            let result = this.body(unit.tree.parts(), &mut Output::default());
            this.frames.pop();
            result?;
            let exports =
                lock(&frame).iter().map(|(name, value)| (Jinja::from(*name), value.clone())).collect::<Vec<_>>();
            Ok(Dict::value(exports))
        })
    }

    pub(super) fn import(&mut self, import: &'static ast::Spanned<ast::Import<'static>>) -> Result<(), RenderError> {
        let module = self.module(import.span(), &import.expr)?;
        self.assign(&import.name, module)
    }

    pub(super) fn import_names(
        &mut self,
        import: &'static ast::Spanned<ast::FromImport<'static>>,
    ) -> Result<(), RenderError> {
        let module = self.module(import.span(), &import.expr)?;
        for (name, alias) in &import.names {
            let Expr::Var(var) = name else { continue };
            let value = super::attributes::attribute(&module, var.id);
            if value.is_undefined() {
                return Err(self.wrong(name.span(), format!("the imported template has no `{}`", var.id)));
            }
            self.assign(alias.as_ref().unwrap_or(name), value)?;
        }
        Ok(())
    }

    pub(super) fn extends(&mut self, extends: &'static ast::Spanned<ast::Extends<'static>>) -> Result<(), RenderError> {
        if self.parent.is_some() {
            return Err(self.wrong(extends.span(), "a template can extend only one other"));
        }
        self.parent = self.named(&extends.name, false)?;
        Ok(())
    }

    pub(super) fn block(
        &mut self,
        block: &'static ast::Block<'static>,
        output: &mut Output,
    ) -> Result<(), RenderError> {
        let node = match &self.text {
            Text::Here(node) => Arc::new((*node).clone()),
            Text::Elsewhere(node) => node.clone(),
        };
        let own = Override { block, unit: self.unit, node };
        let known = self.blocks.entry(block.name).or_default();
        if !known.iter().any(|other| std::ptr::eq(other.block, block)) {
            known.push(own);
        }
        if self.parent.is_some() {
            return Ok(());
        }
        self.render_block(block.name, 0, output)
    }

    fn render_block(&mut self, name: &'static str, level: usize, output: &mut Output) -> Result<(), RenderError> {
        let Some(found) = self.blocks.get(name).and_then(|overrides| overrides.get(level)).cloned() else {
            return Ok(());
        };
        self.within.push((name, level));
        let place = Place::default();
        let result = self.elsewhere(place, found.unit, found.node, |this| {
            this.within_frame(|this| this.body(&found.block.body, output))
        });
        self.within.pop();
        result
    }

    pub(super) fn super_block(&mut self, place: Place) -> Result<Jinja, RenderError> {
        let Some((name, level)) = self.within.last().copied() else {
            return Err(self.wrong(place, "`super()` stands only in a block"));
        };
        self.block_output(name, level + 1)
    }

    pub(super) fn block_text(&mut self, name: &'static str, place: Place) -> Result<Jinja, RenderError> {
        if !self.blocks.contains_key(name) {
            return Err(self.wrong(place, format!("there is no block `{name}`")));
        }
        self.block_output(name, 0)
    }

    fn block_output(&mut self, name: &'static str, level: usize) -> Result<Jinja, RenderError> {
        let mut output = Output::default();
        self.render_block(name, level, &mut output)?;
        let value = output.finish();
        Ok(if value.is_none() { Jinja::from("") } else { value })
    }
}
