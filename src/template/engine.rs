//! Texts, compiled once, and their evaluation.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use minijinja::machinery::{self, CodeGenerator, Instructions, ast};
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, Value as Jinja};

use super::report;
use super::run::{Run, Variables, lock};
use super::templar::TemplateOptions;
use super::{RenderError, environment};
use crate::yaml::Node;

/// A compiled text.
struct Compiled {
    code: Instructions<'static>,
    blocks: BTreeMap<&'static str, Instructions<'static>>,
    native: bool,
}

/// The engine of a process: the environment and all texts that it has compiled.
pub struct Engine {
    environment: Environment<'static>,
    known: Mutex<HashMap<String, Arc<Compiled>>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine that has compiled nothing yet.
    pub fn new() -> Self {
        Engine { environment: environment::build(), known: Mutex::default() }
    }

    /// Renders a text.
    pub fn render(&self, text: &str, node: &Node, run: &Arc<Run>) -> Result<Jinja, RenderError> {
        if !super::is_template(text) {
            return Ok(Jinja::from(text));
        }
        let compiled = self.compiled(text, text, || template(text, &TemplateOptions::in_yaml()));
        self.evaluate(compiled, node, run)
    }

    /// The value of a bare expression.
    pub fn expression(&self, text: &str, node: &Node, run: &Arc<Run>) -> Result<Jinja, RenderError> {
        let compiled = self.compiled(&format!("\0expression\0{text}"), text, || expression(text));
        self.evaluate(compiled, node, run)
    }

    /// Renders the text of a file.
    pub fn file(
        &self,
        text: &str,
        options: &TemplateOptions,
        node: &Node,
        run: &Arc<Run>,
    ) -> Result<Jinja, RenderError> {
        let compiled = self.compiled(&format!("\0file\0{options:?}{text}"), text, || template(text, options));
        self.evaluate(compiled, node, run)
    }

    fn compiled(
        &self,
        key: &str,
        _text: &str,
        compile: impl FnOnce() -> Result<Compiled, Error>,
    ) -> Result<Arc<Compiled>, Error> {
        if let Some(compiled) = lock(&self.known).get(key) {
            return Ok(compiled.clone());
        }
        let compiled = Arc::new(compile()?);
        lock(&self.known).insert(key.to_owned(), compiled.clone());
        Ok(compiled)
    }

    fn evaluate(
        &self,
        compiled: Result<Arc<Compiled>, Error>,
        node: &Node,
        run: &Arc<Run>,
    ) -> Result<Jinja, RenderError> {
        let result = compiled.and_then(|compiled| {
            let root = Jinja::from_object(Variables(run.clone()));
            let mut text = String::new();
            let mut output = machinery::make_string_output(&mut text);
            let value = machinery::eval(
                &self.environment,
                &compiled.code,
                root,
                &compiled.blocks,
                &mut output,
                AutoEscape::None,
            )?
            .0;
            Ok(match value {
                Some(value) if compiled.native => value,
                _ => Jinja::from(text),
            })
        });
        if let Some(why) = run.shared().ended() {
            return Err(why);
        }
        match result {
            Ok(value) if value.is_undefined() => {
                let error = Error::new(minijinja::ErrorKind::UndefinedError, "the value");
                Err(report::problem(&error, node, run))
            }
            Ok(value) => Ok(value),
            Err(error) => Err(report::problem(&error, node, run)),
        }
    }
}

// The cache keeps compiled texts as long as the process lives, and they borrow what they were compiled from.
fn kept(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

fn expression(text: &str) -> Result<Compiled, Error> {
    let text = kept(text);
    native(text, &machinery::parse_expr(text)?)
}

fn native(text: &'static str, expression: &ast::Expr<'static>) -> Result<Compiled, Error> {
    let mut code = CodeGenerator::new("<expression>", text);
    code.compile_expr(expression);
    let (code, blocks) = code.finish();
    Ok(Compiled { code, blocks, native: true })
}

fn template(text: &str, options: &TemplateOptions) -> Result<Compiled, Error> {
    let text = kept(text);
    let tree = machinery::parse(text, "<template>", syntax(options)?)?;
    if let ast::Stmt::Template(whole) = &tree
        && let [ast::Stmt::EmitExpr(single)] = whole.children.as_slice()
        && options.destination.is_none()
    {
        return native(text, &single.expr);
    }
    let mut code = CodeGenerator::new("<template>", text);
    code.compile_stmt(&tree);
    let (code, blocks) = code.finish();
    Ok(Compiled { code, blocks, native: false })
}

fn syntax(options: &TemplateOptions) -> Result<SyntaxConfig, Error> {
    let o = options.clone();
    SyntaxConfig::builder()
        .block_delimiters(o.block_start_string, o.block_end_string)
        .variable_delimiters(o.variable_start_string, o.variable_end_string)
        .comment_delimiters(o.comment_start_string, o.comment_end_string)
        .trim_blocks(o.trim_blocks)
        .lstrip_blocks(o.lstrip_blocks)
        .keep_trailing_newline(true)
        .build()
}
