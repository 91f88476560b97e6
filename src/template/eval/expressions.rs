//! Expressions.

use crate::template::syntax::ast;
use minijinja::value::{Value as Jinja, ValueKind};

use super::operators::{self, Problem};
use super::{Evaluator, Expr};
use crate::diagnostic::Diagnostic;
use crate::template::RenderError;
use crate::template::blank::Blank;
use crate::template::containers::{Array, Dict};
use crate::template::{is_template, python};
use crate::yaml::Node;

impl Evaluator<'_> {
    /// The value of an expression, which may be undefined.
    pub(super) fn value(&mut self, expression: &'static Expr) -> Result<Jinja, RenderError> {
        let value = match expression {
            Expr::Var(var) => self.variable(var.id),
            Expr::Const(constant) => self.constant(constant)?,
            Expr::Slice(slice) => self.slice(slice)?,
            Expr::UnaryOp(unary) => self.unary(unary)?,
            Expr::BinOp(binary) => self.binary(binary)?,
            Expr::Compare(chain) => self.chain(chain)?,
            Expr::IfExpr(choice) => self.choice(choice)?,
            Expr::Filter(filter) => self.filter(filter)?,
            Expr::Test(test) => self.test(test)?,
            Expr::GetAttr(get) => self.attribute(get)?,
            Expr::GetItem(get) => self.item(get)?,
            Expr::Call(call) => self.call(call)?,
            Expr::List(list) => Array::value(self.values(&list.items)?),
            Expr::Tuple(tuple) => python::tuple(self.values(&tuple.items)?),
            Expr::Map(map) => {
                let keys = self.values(&map.keys)?;
                let values = self.values(&map.values)?;
                Dict::value(keys.into_iter().zip(values))
            }
        };
        if value.kind() == ValueKind::Invalid {
            return Err(self.ended(expression, &value));
        }
        Ok(value)
    }

    /// What a value carries that is an error.
    fn ended(&self, expression: &'static Expr, value: &Jinja) -> RenderError {
        if let Some(why) = self.run.shared().ended() {
            return why;
        }
        match value.try_iter() {
            Err(error) => self.failed(expression.span(), &error),
            Ok(_) => self.wrong(expression.span(), "this has no value"),
        }
    }

    /// The value of an expression, which must not be undefined.
    pub(super) fn defined(&mut self, expression: &'static Expr) -> Result<Jinja, RenderError> {
        let value = self.value(expression)?;
        if value.is_undefined() { Err(self.missing(expression)) } else { Ok(value) }
    }

    pub(super) fn values(&mut self, expressions: &'static [Expr]) -> Result<Vec<Jinja>, RenderError> {
        expressions.iter().map(|expression| self.value(expression)).collect()
    }

    /// Whether an expression is true.
    pub(super) fn truth(&mut self, expression: &'static Expr) -> Result<bool, RenderError> {
        Ok(self.defined(expression)?.is_true())
    }

    /// What a name stands for.
    pub(super) fn variable(&mut self, name: &str) -> Jinja {
        self.local(name)
            .or_else(|| self.run.variable(name))
            .or_else(|| self.run.engine().global(name))
            .unwrap_or(Jinja::UNDEFINED)
    }

    /// As in Ansible, a template inside the text of a condition is rendered, with a warning.
    fn constant(&mut self, constant: &'static ast::Spanned<ast::Const>) -> Result<Jinja, RenderError> {
        let is_condition = self.unit.kind == crate::template::unit::Kind::Condition;
        match constant.value.as_str() {
            Some(text) if is_condition && is_template(text) => {
                let span = self.span(constant.span());
                self.run.warn(
                    Diagnostic::warning(span, "a condition is an expression already: this is a template inside it")
                        .help("write the name without quotes and braces"),
                );
                let node = Node::scalar(span, text);
                self.run.text(text, &node)
            }
            _ => Ok(constant.value.clone()),
        }
    }

    fn unary(&mut self, unary: &'static ast::Spanned<ast::UnaryOp<'static>>) -> Result<Jinja, RenderError> {
        match unary.op {
            ast::UnaryOpKind::Not => Ok(Jinja::from(!self.truth(&unary.expr)?)),
            ast::UnaryOpKind::Neg => {
                let value = self.defined(&unary.expr)?;
                operators::negative(&value).map_err(|problem| self.wrong(unary.span(), problem))
            }
        }
    }

    fn binary(&mut self, binary: &'static ast::Spanned<ast::BinOp<'static>>) -> Result<Jinja, RenderError> {
        use ast::BinOpKind::{ScAnd, ScOr};
        let left = self.defined(&binary.left)?;
        match binary.op {
            ScAnd if !left.is_true() => return Ok(left),
            ScOr if left.is_true() => return Ok(left),
            ScAnd | ScOr => return self.defined(&binary.right),
            _ => {}
        }
        let right = self.defined(&binary.right)?;
        let result = operators::binary(binary.op, &left, &right);
        result.map_err(|problem| self.operation(binary.span(), problem))
    }

    fn operation(&self, place: crate::template::syntax::Place, problem: Problem) -> RenderError {
        match problem {
            Problem::Message(message) => self.wrong(place, message),
            Problem::Error(error) => self.failed(place, &error),
        }
    }

    fn chain(&mut self, chain: &'static ast::Spanned<ast::Compare<'static>>) -> Result<Jinja, RenderError> {
        let mut left = self.defined(&chain.expr)?;
        for step in &chain.ops {
            let right = self.defined(&step.expr)?;
            let holds = operators::compare(step.op, &left, &right);
            if !holds.map_err(|problem| self.operation(chain.span(), problem))? {
                return Ok(Jinja::from(false));
            }
            left = right;
        }
        Ok(Jinja::from(true))
    }

    fn choice(&mut self, choice: &'static ast::Spanned<ast::IfExpr<'static>>) -> Result<Jinja, RenderError> {
        if self.truth(&choice.test_expr)? {
            return self.value(&choice.true_expr);
        }
        match &choice.false_expr {
            Some(other) => self.value(other),
            None => Ok(Blank::value()),
        }
    }
}
