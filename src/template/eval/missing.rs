//! Which part of an expression was undefined, and what may have been meant.

use crate::template::syntax::ast;
use minijinja::Value as Jinja;

use super::attributes::is_container;
use super::{Evaluator, Expr};
use crate::diagnostic::Diagnostic;
use crate::template::run::lock;
use crate::template::{RenderError, python};

impl Evaluator<'_> {
    /// Why an expression is undefined.
    pub(super) fn missing(&mut self, expression: &'static Expr) -> RenderError {
        match self.culprit(expression) {
            Ok(problem) => RenderError::Undefined(Box::new(problem)),
            Err(error) => error,
        }
    }

    fn culprit(&mut self, expression: &'static Expr) -> Result<Diagnostic, RenderError> {
        match expression {
            Expr::Var(var) => Ok(self.unknown_name(expression, var.id)),
            Expr::GetAttr(get) => {
                let value = self.value(&get.expr)?;
                if value.is_undefined() {
                    self.culprit(&get.expr)
                } else {
                    Ok(self.no_entry(expression, &get.expr, &value, get.name))
                }
            }
            Expr::GetItem(get) => {
                let value = self.value(&get.expr)?;
                let key = self.value(&get.subscript_expr)?;
                if value.is_undefined() {
                    self.culprit(&get.expr)
                } else if key.is_undefined() {
                    self.culprit(&get.subscript_expr)
                } else {
                    Ok(self.no_entry(expression, &get.expr, &value, &python::text(&key)))
                }
            }
            Expr::Filter(filter) => self.operand(expression, filter.expr.iter().chain(operands(&filter.args))),
            Expr::Test(test) => self.operand(expression, std::iter::once(&test.expr).chain(operands(&test.args))),
            Expr::Call(call) => match &call.expr {
                Expr::Var(var) if self.variable(var.id).is_undefined() => match self.no_function(&call.expr, var.id) {
                    RenderError::Undefined(problem) => Ok(*problem),
                    other => Err(other),
                },
                Expr::GetAttr(get) => match self.among(std::iter::once(&get.expr).chain(operands(&call.args)))? {
                    Some(problem) => Ok(problem),
                    None => {
                        let value = self.value(&get.expr)?;
                        let message = format!("{} has no method `{}`", python::described(&value), get.name);
                        Ok(Diagnostic::error(self.span(call.span()), message))
                    }
                },
                other => self.operand(expression, std::iter::once(other).chain(operands(&call.args))),
            },
            Expr::IfExpr(choice) => {
                let yes = self.truth(&choice.test_expr)?;
                match &choice.false_expr {
                    Some(other) if !yes => self.culprit(other),
                    _ => self.culprit(&choice.true_expr),
                }
            }
            Expr::BinOp(binary) => self.operand(expression, [&binary.left, &binary.right].into_iter()),
            _ => Ok(self.undefined(expression)),
        }
    }

    /// The operand that is undefined, or something in it.
    fn operand(
        &mut self,
        expression: &'static Expr,
        operands: impl Iterator<Item = &'static Expr>,
    ) -> Result<Diagnostic, RenderError> {
        Ok(self.among(operands)?.unwrap_or_else(|| self.undefined(expression)))
    }

    fn among(&mut self, operands: impl Iterator<Item = &'static Expr>) -> Result<Option<Diagnostic>, RenderError> {
        for operand in operands {
            if self.value(operand)?.is_undefined() {
                return self.culprit(operand).map(Some);
            }
        }
        Ok(None)
    }

    fn undefined(&self, expression: &'static Expr) -> Diagnostic {
        let place = expression.span();
        Diagnostic::error(self.span(place), format!("`{}` is undefined", self.unit.part(place)))
    }

    fn unknown_name(&mut self, expression: &'static Expr, name: &'static str) -> Diagnostic {
        let span = self.span(expression.span());
        if let Some(cause) = self.run.shared().cause(name) {
            return if cause.span == span { cause } else { cause.note(span, "used here") };
        }
        let mut names = self.run.scope().names();
        for frame in &self.frames {
            names.extend(lock(frame).iter().map(|(known, _)| (*known).to_owned()));
        }
        Diagnostic::error(span, format!("`{name}` is undefined")).suggest(name, names.iter().map(String::as_str))
    }

    fn no_entry(&self, expression: &'static Expr, whole: &'static Expr, value: &Jinja, key: &str) -> Diagnostic {
        let span = self.span(expression.span());
        let written = self.unit.part(whole.span());
        let keys: Vec<String> = match python::is_map(value) {
            true => python::items(value).unwrap_or_default().iter().map(|key| python::text(key).into_owned()).collect(),
            false => Vec::new(),
        };
        if keys.iter().any(|known| known == key)
            && let Some(cause) = self.run.shared().cause("")
        {
            return cause.note(span, "used here");
        }
        let message = match (python::is_list(value), is_container(value)) {
            (true, _) => format!("`{written}` has {} items, and no `{key}`", value.len().unwrap_or(0)),
            (_, true) => format!("`{written}` has no `{key}`"),
            _ => format!("`{written}` has no `{key}`: it is {}", python::described(value)),
        };
        Diagnostic::error(span, message).suggest(key, keys.iter().map(String::as_str))
    }
}

/// The expressions among the arguments of a call.
pub fn operands(args: &'static [ast::CallArg<'static>]) -> impl Iterator<Item = &'static Expr> {
    args.iter().map(|arg| match arg {
        ast::CallArg::Pos(expression)
        | ast::CallArg::Kwarg(_, expression)
        | ast::CallArg::PosSplat(expression)
        | ast::CallArg::KwargSplat(expression) => expression,
    })
}
