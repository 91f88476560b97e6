//! What a text needs: names, and what its filters, tests, lookups and functions ask.

use std::path::Path;

use crate::template::syntax::ast;

use super::{Expr, Look, look};
use crate::template::arguments::Entry;
use crate::template::engine::{Engine, Parsed};
use crate::template::unit::{Kind, Unit};
use crate::template::{Asks, Needs, TemplateOptions, condition, filters, functions, is_template, lookups, predicates};
use crate::value::Value;
use crate::yaml::{Node, NodeKind, Tag};

/// What all texts in a node need.
pub(in crate::template) fn node(engine: &Engine, node: &Node, kind: Kind) -> Needs {
    let mut needs = Needs::default();
    match &node.kind {
        _ if node.tag == Some(Tag::Unsafe) => {}
        // What is in a vault may be a template, and is not opened for this.
        _ if node.tag == Some(Tag::Vault) => needs = Needs { any_name: true, asks: Asks::ANYTHING, ..needs },
        NodeKind::Scalar(Value::Str(text)) => needs = self::text(engine, text, node, kind),
        NodeKind::Scalar(_) => {}
        NodeKind::List(items) => items.iter().for_each(|item| needs.add(&self::node(engine, item, kind))),
        NodeKind::Map(entries) => {
            entries.values().for_each(|entry| needs.add(&self::node(engine, &entry.value, kind)));
        }
    }
    needs
}

/// What a template file needs.
pub(in crate::template) fn file(engine: &Engine, path: &Path, text: &str, options: &TemplateOptions) -> Needs {
    if !options.is_template(text) {
        return Needs::default();
    }
    let (node, parsed) = engine.read_file(path, text, options);
    unit(engine, &parsed, &node)
}

fn text(engine: &Engine, text: &str, node: &Node, kind: Kind) -> Needs {
    if (kind == Kind::Text && !is_template(text)) || text.trim().is_empty() {
        return Needs::default();
    }
    let bare = if kind == Kind::Condition { condition::without_braces(text) } else { None };
    let mut needs = unit(engine, &engine.parsed(kind, bare.as_deref().unwrap_or(text)), node);
    // The variable may hold a condition.
    needs.any_name |= bare.is_some();
    needs
}

/// A text that cannot be parsed needs nothing: it fails whenever it is rendered.
fn unit(engine: &Engine, parsed: &Parsed, node: &Node) -> Needs {
    match parsed {
        Ok(unit) => unit.needs(|| needs_of(engine, unit, node)).clone(),
        Err(_) => Needs::default(),
    }
}

fn needs_of(engine: &Engine, unit: &'static Unit, node: &Node) -> Needs {
    look(engine, unit, node).needs
}

/// A name that stands as text among the arguments.
fn constant(args: &'static [ast::CallArg<'static>], index: usize) -> Option<&'static str> {
    match args.get(index) {
        Some(ast::CallArg::Pos(Expr::Const(constant))) => constant.value.as_str(),
        _ => None,
    }
}

fn asked_by(entry: Option<&Entry>, args: &'static [ast::CallArg<'static>]) -> Asks {
    let named = args.iter().filter_map(|arg| match arg {
        ast::CallArg::Kwarg(name, _) => Some(*name),
        _ => None,
    });
    let positional = args.iter().filter(|arg| matches!(arg, ast::CallArg::Pos(_))).count();
    entry.map_or(Asks::NOTHING, |entry| entry.asks(positional, named))
}

impl Look<'_> {
    fn asks(&mut self, asks: Asks) {
        self.needs.asks = self.needs.asks | asks;
    }

    /// A variable, or something of all templates.
    pub(super) fn needs_name(&mut self, name: &'static str) {
        match name {
            // Their entries are variables; which ones is known only when they are looked up.
            "vars" => self.needs.any_name = true,
            "hostvars" => self.asks(Asks::HOSTS),
            _ => {}
        }
        if self.engine.global(name).is_none() {
            self.needs.names.insert(name);
        }
    }

    /// A filter, and the one that `map` is given.
    pub(super) fn needs_filter(&mut self, name: &str, args: &'static [ast::CallArg<'static>]) {
        self.asks(asked_by(filters::find(name), args));
        if name.ends_with("map") {
            self.needs_named(constant(args, 0), filters::find, args, 1);
        } else if name.ends_with("select") || name.ends_with("reject") {
            self.needs_named(constant(args, 0), predicates::find, args, 1);
        } else if name.ends_with("selectattr") || name.ends_with("rejectattr") {
            self.needs_named(constant(args, 1), predicates::find, args, 2);
        }
    }

    fn needs_named(
        &mut self,
        name: Option<&str>,
        find: fn(&str) -> Option<&'static Entry>,
        args: &'static [ast::CallArg<'static>],
        before: usize,
    ) {
        match name {
            Some(name) => self.asks(asked_by(find(name), args.get(before..).unwrap_or_default())),
            // No name at all, or one that is computed.
            None if matches!(args.get(before - 1), Some(ast::CallArg::Pos(_))) => self.asks(Asks::ANYTHING),
            None => {}
        }
    }

    pub(super) fn needs_test(&mut self, name: &str, args: &'static [ast::CallArg<'static>]) {
        self.asks(asked_by(predicates::find(name), args));
    }

    /// A call by name: a function, or a lookup.
    pub(super) fn needs_function(&mut self, name: &str, args: &'static [ast::CallArg<'static>]) {
        self.asks(functions::asks(name));
        if !matches!(name, "lookup" | "query" | "q") {
            return;
        }
        let lookup = constant(args, 0);
        self.asks(lookup.map_or(Asks::ANYTHING, lookups::asks));
        let terms = args.iter().skip(1).filter(|arg| matches!(arg, ast::CallArg::Pos(_))).count();
        match lookup.map(|name| name.rsplit('.').next().unwrap_or_default()) {
            Some("vars") => match (1..=terms).map(|at| constant(args, at)).collect::<Option<Vec<_>>>() {
                Some(names) => names.into_iter().for_each(|name| self.needs_name(name)),
                None => self.needs.any_name = true,
            },
            Some("inventory_hostnames") => self.needs_name("groups"),
            Some("varnames" | "template") | None => self.needs.any_name = true,
            Some(_) => {}
        }
    }

    /// Another template.
    pub(super) fn needs_template(&mut self) {
        self.needs.any_name = true;
        self.asks(Asks::ANYTHING);
    }

    /// A text inside an expression, which may be a template of its own.
    pub(super) fn needs_text(&mut self, text: &str) {
        if is_template(text) {
            let inner = self::text(self.engine, text, self.node, Kind::Text);
            self.needs.add(&inner);
        }
    }
}
