//! A text, parsed once: the tree that the evaluator walks, and the way back to the text as it was written.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use super::Needs;
use super::literals::{self, Escapes};
use super::syntax::{self, Place, ast};
use super::templar::TemplateOptions;

/// What kind of text a unit was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A text in YAML.
    Text,
    /// A bare expression in YAML, such as `until`.
    Expression,
    /// A condition: an expression in which texts may hold templates.
    Condition,
    /// A template file, or one that another includes.
    File,
}

/// A text, parsed. Units live as long as the process: there are as many as there are different texts.
pub struct Unit {
    /// What it was made of.
    pub kind: Kind,
    /// The text that was parsed: the one that was written, with some backslashes doubled.
    pub source: &'static str,
    /// Its tree.
    pub tree: Tree,
    /// How many newlines the text ends in.
    pub newlines: usize,
    /// What the newlines at its end become.
    pub end: String,
    newline: String,
    inserted: Vec<usize>,
    cut: usize,
    needs: OnceLock<Needs>,
}

/// The tree of a unit.
pub enum Tree {
    /// One expression.
    Expression(ast::Expr<'static>),
    /// Text and statements.
    Template(ast::Stmt<'static>),
    /// Nothing.
    Empty,
}

impl Tree {
    /// The parts of a template.
    pub fn parts(&self) -> &[ast::Stmt<'static>] {
        match self {
            Tree::Template(ast::Stmt::Template(whole)) => &whole.children,
            _ => &[],
        }
    }
}

impl Unit {
    /// Parses a text. `options` are those of a template file.
    pub fn parse(kind: Kind, text: &str, options: &TemplateOptions) -> Result<&'static Unit, Box<Problem>> {
        let end = options.newline_sequence.clone();
        let (options, cut) = super::header::read(text, options)
            .map_err(|message| Box::new(Problem { range: Some(0..text.find('\n').unwrap_or(text.len())), message }))?;
        let escapes = match kind {
            Kind::Text => Escapes::LiteralIn(&options),
            Kind::File => Escapes::KeptIn(&options),
            Kind::Expression | Kind::Condition => Escapes::Kept,
        };
        let (source, inserted) = literals::escape(&text[cut..], escapes);
        let source: &'static str = Box::leak(source.into_boxed_str());
        let parsed = match kind {
            Kind::Text | Kind::File => syntax::template(source, &options).map(Tree::Template),
            Kind::Expression | Kind::Condition => syntax::expression(source).map(Tree::Expression),
        };
        let newlines = text.chars().rev().filter(|c| *c != '\r').take_while(|c| *c == '\n').count();
        let newline = options.newline_sequence.clone();
        let unit = |tree| Unit {
            kind,
            source,
            tree,
            newlines,
            end: end.clone(),
            newline: newline.clone(),
            inserted,
            cut,
            needs: OnceLock::new(),
        };
        match parsed {
            Ok(tree) => Ok(Box::leak(Box::new(unit(tree)))),
            Err(error) => {
                let unit = unit(Tree::Empty);
                let range = error.range().map(|range| unit.written(range));
                let range = range.or_else(|| error.line().map(|line| line_of(text, line)));
                Err(Box::new(Problem { range, message: super::report::message(&error) }))
            }
        }
    }

    /// What it needs, found out once.
    pub fn needs(&'static self, find: impl FnOnce() -> Needs) -> &'static Needs {
        self.needs.get_or_init(find)
    }

    /// Where a place of the parsed text stands in the text that was written.
    pub fn written(&self, range: Range<usize>) -> Range<usize> {
        let back = |at: usize| self.cut + at - self.inserted.iter().take_while(|&&inserted| inserted < at).count();
        back(range.start)..back(range.end)
    }

    /// The text at a place.
    pub fn part(&self, span: Place) -> &'static str {
        self.source.get(span.start_offset as usize..span.end_offset as usize).unwrap_or_default()
    }

    /// Raw text with the newlines that are wanted.
    pub fn raw(&self, text: &'static str) -> Cow<'static, str> {
        let text = if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) };
        if self.newline == "\n" { text } else { Cow::Owned(text.replace('\n', &self.newline)) }
    }

    /// Whether anything stands beside a single expression.
    pub fn is_long(&self) -> bool {
        self.tree.parts().len() > 1
    }
}

/// What is wrong with a text.
#[derive(Debug)]
pub struct Problem {
    /// Where, in the text as it was written.
    pub range: Option<Range<usize>>,
    /// What.
    pub message: String,
}

fn line_of(text: &str, line: usize) -> Range<usize> {
    let start = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum::<usize>();
    let length = text[start..].find('\n').unwrap_or(text.len() - start);
    start..start + length
}
