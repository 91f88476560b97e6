//! What can be said about a text without any values: is it a template, are its filters, tests and lookups there, which
//! variables does it need.

pub(super) mod needs;

use std::collections::HashSet;
use std::path::Path;

use crate::template::syntax::{Place, ast};

use super::engine::Engine;
use super::unit::{Kind, Tree, Unit};
use super::{Needs, TemplateOptions, condition, is_template, report};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::value::Value;
use crate::yaml::{Node, NodeKind, Tag};

type Expr = ast::Expr<'static>;
type Stmt = ast::Stmt<'static>;

/// What was found in a text.
#[derive(Debug, Default)]
pub struct Inspection {
    /// What is wrong whatever the variables are.
    pub problems: Vec<Diagnostic>,
    /// The variables that it needs. One that is asked for with `is defined` or `default` anywhere is none of them.
    pub uses: Vec<Use>,
    /// Names that are asked for with `is defined` or `default`.
    pub guarded: HashSet<String>,
}

/// The use of a variable.
#[derive(Clone, Debug)]
pub struct Use {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
    /// Whether it is evaluated whenever the text is.
    pub certain: bool,
}

/// Looks at a node: at all texts in it.
pub(super) fn node(engine: &Engine, node: &Node, kind: Kind, found: &mut Inspection) {
    if node.tag.is_some_and(|tag| tag == Tag::Unsafe || tag == Tag::Vault) {
        return;
    }
    match &node.kind {
        NodeKind::Scalar(Value::Str(text)) if kind == Kind::Text && !is_template(text) => {}
        NodeKind::Scalar(Value::Str(text)) if kind != Kind::Text && text.trim().is_empty() => {}
        NodeKind::Scalar(Value::Str(text)) => {
            let bare = if kind == Kind::Condition { condition::without_braces(text) } else { None };
            match engine.parsed(kind, bare.as_deref().unwrap_or(text)) {
                Ok(unit) => examine(engine, unit, node, found),
                Err(problem) => found.problems.push(report::syntax_problem(&problem, node)),
            }
        }
        NodeKind::Scalar(_) => {}
        NodeKind::List(items) => items.iter().for_each(|item| self::node(engine, item, kind, found)),
        NodeKind::Map(entries) => entries.values().for_each(|entry| self::node(engine, &entry.value, kind, found)),
    }
}

/// Looks at a template file.
pub(super) fn file(engine: &Engine, path: &Path, text: &str, options: &TemplateOptions) -> Inspection {
    let mut found = Inspection::default();
    if options.is_template(text) {
        let (node, parsed) = engine.read_file(path, text, options);
        match parsed {
            Ok(unit) => examine(engine, unit, &node, &mut found),
            Err(problem) => found.problems.push(report::syntax_problem(&problem, &node)),
        }
    }
    found
}

fn look<'a>(engine: &'a Engine, unit: &'static Unit, node: &'a Node) -> Look<'a> {
    let mut look = Look {
        engine,
        unit,
        node,
        found: Inspection::default(),
        needs: Needs::default(),
        declared: HashSet::new(),
        unsure: 0,
        guards: 0,
        imports: false,
    };
    match &unit.tree {
        Tree::Expression(expression) => look.expression(expression),
        _ => look.body(unit.tree.parts()),
    }
    look
}

fn examine(engine: &Engine, unit: &'static Unit, node: &Node, found: &mut Inspection) {
    let Look { found: mut own, declared, imports, .. } = look(engine, unit, node);
    own.uses.retain(|used| !declared.contains(used.name.as_str()) && !own.guarded.contains(&used.name) && !imports);
    found.problems.append(&mut own.problems);
    found.uses.append(&mut own.uses);
    found.guarded.extend(own.guarded);
}

struct Look<'a> {
    engine: &'a Engine,
    unit: &'static Unit,
    node: &'a Node,
    found: Inspection,
    needs: Needs,
    /// Names that the text sets itself, anywhere.
    declared: HashSet<&'static str>,
    /// Whether this may not be evaluated.
    unsure: usize,
    /// Whether this may be undefined.
    guards: usize,
    /// Whether other templates set names.
    imports: bool,
}

impl Look<'_> {
    fn span(&self, place: Place) -> Span {
        self.node.position(self.unit.written(place.start_offset as usize..place.end_offset as usize))
    }

    fn maybe(&mut self, look: impl FnOnce(&mut Self)) {
        self.unsure += 1;
        look(self);
        self.unsure -= 1;
    }

    fn guarded(&mut self, look: impl FnOnce(&mut Self)) {
        self.guards += 1;
        look(self);
        self.guards -= 1;
    }

    fn body(&mut self, statements: &'static [Stmt]) {
        statements.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &'static Stmt) {
        match statement {
            Stmt::Template(whole) => self.body(&whole.children),
            Stmt::EmitExpr(emit) => self.expression(&emit.expr),
            Stmt::EmitRaw(_) => {}
            Stmt::ForLoop(inner) => {
                self.expression(&inner.iter);
                self.target(&inner.target);
                self.declared.insert("loop");
                self.maybe(|look| {
                    inner.filter_expr.iter().for_each(|expression| look.expression(expression));
                    look.body(&inner.body);
                    look.body(&inner.else_body);
                });
            }
            Stmt::IfCond(choice) => {
                self.expression(&choice.expr);
                self.maybe(|look| {
                    look.body(&choice.true_body);
                    look.body(&choice.false_body);
                });
            }
            Stmt::WithBlock(with) => {
                for (target, value) in &with.assignments {
                    self.expression(value);
                    self.target(target);
                }
                self.body(&with.body);
            }
            // A name may be set to something undefined and asked for later.
            Stmt::Set(set) => {
                self.maybe(|look| look.expression(&set.expr));
                self.target(&set.target);
            }
            Stmt::SetBlock(set) => {
                self.target(&set.target);
                set.filter.iter().for_each(|filter| self.expression(filter));
                self.body(&set.body);
            }
            Stmt::AutoEscape(inner) => self.body(&inner.body),
            Stmt::FilterBlock(block) => {
                self.expression(&block.filter);
                self.body(&block.body);
            }
            Stmt::Block(block) => self.maybe(|look| look.body(&block.body)),
            Stmt::Import(import) => {
                self.needs_template();
                self.expression(&import.expr);
                self.target(&import.name);
            }
            Stmt::FromImport(import) => {
                self.needs_template();
                self.expression(&import.expr);
                for (name, alias) in &import.names {
                    self.target(alias.as_ref().unwrap_or(name));
                }
            }
            Stmt::Extends(extends) => {
                self.needs_template();
                self.imports = true;
                self.expression(&extends.name);
            }
            Stmt::Include(include) => {
                self.needs_template();
                self.expression(&include.name);
            }
            Stmt::Macro(declaration) => self.declaration(declaration),
            Stmt::CallBlock(block) => {
                self.expression(&block.call.expr);
                self.arguments(&block.call.args);
                self.declaration(&block.macro_decl);
            }
            Stmt::Do(statement) => {
                self.expression(&statement.call.expr);
                self.arguments(&statement.call.args);
            }
        }
    }

    fn declaration(&mut self, declaration: &'static ast::Macro<'static>) {
        self.declared.extend(["varargs", "kwargs", "caller", declaration.name]);
        declaration.args.iter().for_each(|arg| self.target(arg));
        self.maybe(|look| {
            declaration.defaults.iter().for_each(|default| look.expression(default));
            look.body(&declaration.body);
        });
    }

    fn target(&mut self, target: &'static Expr) {
        match target {
            Expr::Var(var) => {
                self.declared.insert(var.id);
            }
            Expr::List(list) => list.items.iter().for_each(|item| self.target(item)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.target(item)),
            _ => {}
        }
    }

    fn expression(&mut self, expression: &'static Expr) {
        match expression {
            Expr::Var(var) => self.variable(var.id, expression.span()),
            Expr::Const(constant) => constant.value.as_str().into_iter().for_each(|text| self.needs_text(text)),
            Expr::Slice(slice) => {
                self.expression(&slice.expr);
                let bounds = [&slice.start, &slice.stop, &slice.step];
                bounds.into_iter().flatten().for_each(|bound| self.expression(bound));
            }
            Expr::UnaryOp(unary) => self.expression(&unary.expr),
            Expr::BinOp(binary) => {
                self.expression(&binary.left);
                match binary.op {
                    ast::BinOpKind::ScAnd | ast::BinOpKind::ScOr => self.maybe(|look| look.expression(&binary.right)),
                    _ => self.expression(&binary.right),
                }
            }
            Expr::Compare(chain) => {
                self.expression(&chain.expr);
                chain.ops.iter().for_each(|step| self.expression(&step.expr));
            }
            Expr::IfExpr(choice) => {
                self.expression(&choice.test_expr);
                self.maybe(|look| {
                    look.expression(&choice.true_expr);
                    choice.false_expr.iter().for_each(|other| look.expression(other));
                });
            }
            Expr::Filter(filter) => self.filter(filter),
            Expr::Test(test) => self.test(test),
            Expr::GetAttr(get) => self.expression(&get.expr),
            Expr::GetItem(get) => {
                self.expression(&get.expr);
                self.expression(&get.subscript_expr);
            }
            Expr::Call(call) => {
                self.lookup(call);
                self.expression(&call.expr);
                match &call.expr {
                    Expr::Var(function) if self.engine.global(function.id).is_some() => self.arguments(&call.args),
                    // A macro may do without an argument, and a method without its object.
                    _ => self.maybe(|look| look.arguments(&call.args)),
                }
            }
            Expr::List(list) => list.items.iter().for_each(|item| self.expression(item)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.expression(item)),
            Expr::Map(map) => map.keys.iter().chain(&map.values).for_each(|item| self.expression(item)),
        }
    }

    fn arguments(&mut self, args: &'static [ast::CallArg<'static>]) {
        super::eval::operands(args).for_each(|operand| self.expression(operand));
    }

    fn variable(&mut self, name: &'static str, place: Place) {
        self.needs_name(name);
        if self.guards > 0 {
            self.found.guarded.insert(name.to_owned());
        } else if self.engine.global(name).is_none() {
            let certain = self.unsure == 0;
            let span = self.span(place);
            self.found.uses.push(Use { name: name.to_owned(), span, certain });
        }
    }

    fn filter(&mut self, filter: &'static ast::Spanned<ast::Filter<'static>>) {
        let name: String = filter.name.split_whitespace().collect();
        self.known("filter", &name, filter.span());
        self.needs_filter(&name, &filter.args);
        match name.rsplit('.').next().unwrap_or_default() {
            "default" | "d" | "mandatory" => self.guarded(|look| {
                filter.expr.iter().for_each(|expression| look.expression(expression));
            }),
            _ => filter.expr.iter().for_each(|expression| self.expression(expression)),
        }
        self.arguments(&filter.args);
        let named = |index: usize| match filter.args.get(index) {
            Some(ast::CallArg::Pos(Expr::Const(name))) => {
                name.value.as_str().map(|text| (text.to_owned(), name.span()))
            }
            _ => None,
        };
        let (kind, named) = match name.as_str() {
            "map" => ("filter", named(0)),
            "select" | "reject" => ("test", named(0)),
            "selectattr" | "rejectattr" => ("test", named(1)),
            _ => return,
        };
        if let Some((name, place)) = named {
            self.known(kind, &name, place);
        }
    }

    fn test(&mut self, test: &'static ast::Spanned<ast::Test<'static>>) {
        let name: String = test.name.split_whitespace().collect();
        self.known("test", &name, test.span());
        self.needs_test(&name, &test.args);
        match name.as_str() {
            "defined" | "undefined" => self.guarded(|look| look.expression(&test.expr)),
            _ => self.expression(&test.expr),
        }
        self.arguments(&test.args);
    }

    fn lookup(&mut self, call: &'static ast::Spanned<ast::Call<'static>>) {
        let Expr::Var(function) = &call.expr else { return };
        self.needs_function(function.id, &call.args);
        if !matches!(function.id, "lookup" | "query" | "q") {
            return;
        }
        if let Some(ast::CallArg::Pos(Expr::Const(name))) = call.args.first()
            && let Some(text) = name.value.as_str()
        {
            self.known("lookup", text, name.span());
        }
    }

    /// Whether a filter, test or lookup of this name exists.
    fn known(&mut self, kind: &str, name: &str, place: Place) {
        if self.engine.has(kind, name) {
            return;
        }
        let start = place.start_offset as usize;
        let span = match self.unit.part(place).rfind(name) {
            Some(offset) => self.node.position(self.unit.written(start + offset..start + offset + name.len())),
            None => self.span(place),
        };
        let problem = report::unknown(span, kind, name, &self.engine.names(kind));
        // As in Jinja: only a branch that is taken must have all its filters.
        self.found.problems.push(if self.unsure > 0 { problem.possible() } else { problem });
    }
}
