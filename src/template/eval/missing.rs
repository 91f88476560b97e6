//! Which part of an expression was undefined, and what may have been meant.

use minijinja::Value as Jinja;
use minijinja::machinery::ast;

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
            Expr::Filter(filter) => self.among(expression, filter.expr.iter().chain(operands(&filter.args))),
            Expr::Test(test) => self.among(expression, std::iter::once(&test.expr).chain(operands(&test.args))),
            Expr::Call(call) => {
                let object = match &call.expr {
                    Expr::GetAttr(get) => &get.expr,
                    other => other,
                };
                self.among(expression, std::iter::once(object).chain(operands(&call.args)))
            }
            Expr::IfExpr(choice) => {
                let yes = self.truth(&choice.test_expr)?;
                match (yes, &choice.false_expr) {
                    (true, _) => self.culprit(&choice.true_expr),
                    (false, Some(other)) => self.culprit(other),
                    (false, None) => Ok(self
                        .undefined(expression)
                        .help("the condition does not hold, and there is no `else`: add `else omit` or `else ''`")),
                }
            }
            Expr::BinOp(binary) => self.among(expression, [&binary.left, &binary.right].into_iter()),
            _ => Ok(self.undefined(expression)),
        }
    }

    fn among(
        &mut self,
        expression: &'static Expr,
        operands: impl Iterator<Item = &'static Expr>,
    ) -> Result<Diagnostic, RenderError> {
        for operand in operands {
            if self.value(operand)?.is_undefined() {
                return self.culprit(operand);
            }
        }
        Ok(self.undefined(expression))
    }

    fn undefined(&self, expression: &'static Expr) -> Diagnostic {
        let mut place = expression.span();
        // The parser lets a choice begin before its first part.
        if let Expr::IfExpr(choice) = expression {
            place.start_offset = choice.true_expr.span().start_offset;
        }
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
