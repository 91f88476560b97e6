//! Statements.

use crate::template::syntax::{Place, ast};
use minijinja::value::Value as Jinja;

use super::macros::Macro;
use super::output::Output;
use super::{Evaluator, Expr, Stmt};
use crate::template::RenderError;
use crate::template::containers::{Array, Dict};
use crate::template::python;
use crate::template::run::lock;

impl Evaluator<'_> {
    pub(super) fn body(&mut self, statements: &'static [Stmt], output: &mut Output) -> Result<(), RenderError> {
        statements.iter().try_for_each(|statement| self.statement(statement, output))
    }

    fn statement(&mut self, statement: &'static Stmt, output: &mut Output) -> Result<(), RenderError> {
        match statement {
            Stmt::Template(whole) => self.body(&whole.children, output),
            Stmt::EmitExpr(emit) => self.emit(&emit.expr, output),
            Stmt::EmitRaw(raw) => output.text(&self.unit.raw(raw.raw)).map_err(|error| self.failed(raw.span(), &error)),
            Stmt::ForLoop(statement) => self.for_loop(statement, output),
            Stmt::IfCond(choice) => match self.truth(&choice.expr)? {
                true => self.body(&choice.true_body, output),
                false => self.body(&choice.false_body, output),
            },
            Stmt::WithBlock(with) => self.within_frame(|this| {
                for (target, expression) in &with.assignments {
                    let value = this.value(expression)?;
                    this.assign(target, value)?;
                }
                this.body(&with.body, output)
            }),
            Stmt::Set(set) => {
                let value = self.value(&set.expr)?;
                self.assign(&set.target, value)
            }
            Stmt::SetBlock(set) => {
                let mut value = self.captured(&set.body)?;
                if let Some(filter) = &set.filter {
                    value = self.pipe(filter, value)?;
                }
                self.assign(&set.target, value)
            }
            Stmt::AutoEscape(inner) => self.body(&inner.body, output),
            Stmt::FilterBlock(block) => {
                let value = self.captured(&block.body)?;
                let value = self.pipe(&block.filter, value)?;
                self.write(block.filter_span, value, output)
            }
            Stmt::Block(block) => self.block(block, output),
            Stmt::Import(import) => self.import(import),
            Stmt::FromImport(import) => self.import_names(import),
            Stmt::Extends(extends) => self.extends(extends),
            Stmt::Include(include) => self.include(include, output),
            Stmt::Macro(declaration) => {
                let value = self.declare(declaration);
                self.set(declaration.name, value);
                Ok(())
            }
            Stmt::CallBlock(block) => self.call_block(block, output),
            Stmt::Do(statement) => self.call(&statement.call).map(|_| ()),
        }
    }

    fn emit(&mut self, expression: &'static Expr, output: &mut Output) -> Result<(), RenderError> {
        match self.defined(expression) {
            Ok(value) => self.write(expression.span(), value, output)?,
            Err(RenderError::Unknown(step)) if self.may_stand_in(expression) => {
                self.run.shared().go_on();
                let placeholder = format!("(known after: {step})");
                output.text(&placeholder).map_err(|error| self.failed(expression.span(), &error))?;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Writes a value.
    pub(super) fn write(&self, place: Place, value: Jinja, output: &mut Output) -> Result<(), RenderError> {
        output.value(value).map_err(|error| self.failed(place, &error))
    }

    /// In plan mode the place of a bare variable in longer text is kept for it.
    fn may_stand_in(&self, expression: &Expr) -> bool {
        self.run.planning() && self.unit.is_long() && is_bare(expression)
    }

    /// What a body writes, as a value.
    pub(super) fn captured(&mut self, body: &'static [Stmt]) -> Result<Jinja, RenderError> {
        let mut output = Output::default();
        self.within_frame(|this| this.body(body, &mut output))?;
        Ok(output.finish())
    }

    fn pipe(&mut self, filter: &'static Expr, value: Jinja) -> Result<Jinja, RenderError> {
        let outer = self.piped.replace(value);
        let result = self.defined(filter);
        self.piped = outer;
        result
    }

    pub(super) fn assign_attribute(
        &mut self,
        get: &'static ast::Spanned<ast::GetAttr<'static>>,
        value: Jinja,
    ) -> Result<(), RenderError> {
        let object = self.defined(&get.expr)?;
        match object.downcast_object::<Dict>() {
            Some(dict) => {
                lock(&dict.0).insert(Jinja::from(get.name), value);
                Ok(())
            }
            None => Err(self.wrong_with(
                get.span(),
                format!("`{}` cannot be set: {} is no namespace", get.name, python::described(&object)),
                "make it with `{% set ns = namespace(x=0) %}`",
            )),
        }
    }

    fn call_block(&mut self, block: &'static ast::CallBlock<'static>, output: &mut Output) -> Result<(), RenderError> {
        let caller = self.declare(&block.macro_decl);
        let place = block.call_expr_span;
        let function = self.defined(&block.call.expr)?;
        let given = self.given(None, &block.call.args)?;
        let Some(called) = function.downcast_object::<Macro>() else {
            return Err(self.wrong(place, "`{% call %}` needs a macro"));
        };
        let value = self.call_macro(place, &called, given, Some(caller))?;
        self.write(place, value, output)
    }

    /// Makes what a variable holds changeable, where the method changes it: from then on the variable stands for the
    /// changed copy. Values of the inventory and of tasks themselves never change.
    pub(super) fn changeable(&mut self, object: &'static Expr, value: Jinja, method: &str) -> Jinja {
        const CHANGING: &[&str] = &[
            "append",
            "extend",
            "insert",
            "remove",
            "pop",
            "clear",
            "sort",
            "reverse",
            "update",
            "setdefault",
            "popitem",
        ];
        let is_ready = value.downcast_object_ref::<Array>().is_some() || value.downcast_object_ref::<Dict>().is_some();
        if is_ready || !CHANGING.contains(&method) {
            return value;
        }
        let copy = match value.kind() {
            minijinja::value::ValueKind::Seq | minijinja::value::ValueKind::Iterable if !python::is_tuple(&value) => {
                python::items(&value).map(Array::value)
            }
            minijinja::value::ValueKind::Map => python::pairs(&value).map(Dict::value),
            _ => return value,
        };
        let Ok(copy) = copy else { return value };
        self.rebind(object, &copy);
        copy
    }

    fn rebind(&mut self, object: &'static Expr, value: &Jinja) {
        match object {
            Expr::Var(var) => {
                for frame in self.frames.iter().rev() {
                    if let Some(entry) = lock(frame).iter_mut().find(|(name, _)| *name == var.id) {
                        entry.1 = value.clone();
                        return;
                    }
                }
                // A name of the scope: the copy hides it until the end of the template.
                if let Some(frame) = self.frames.first() {
                    lock(frame).push((var.id, value.clone()));
                }
            }
            Expr::GetAttr(get) => self.rebind_entry(&get.expr, Jinja::from(get.name), value),
            Expr::GetItem(get) => {
                if let Ok(key) = self.value(&get.subscript_expr) {
                    self.rebind_entry(&get.expr, key, value);
                }
            }
            _ => {}
        }
    }

    fn rebind_entry(&mut self, parent: &'static Expr, key: Jinja, value: &Jinja) {
        let Ok(whole) = self.value(parent) else { return };
        let whole = self.changeable(parent, whole, "update");
        if let Some(dict) = whole.downcast_object::<Dict>() {
            lock(&dict.0).insert(key, value.clone());
        } else if let (Some(list), Some(index)) = (whole.downcast_object::<Array>(), key.as_usize())
            && let Some(place) = lock(&list.0).get_mut(index)
        {
            *place = value.clone();
        }
    }
}

fn is_bare(expression: &Expr) -> bool {
    match expression {
        Expr::Var(_) => true,
        Expr::GetAttr(get) => is_bare(&get.expr),
        Expr::GetItem(get) => is_bare(&get.expr),
        _ => false,
    }
}
