//! Walks the tree of a text: Jinja2's semantics, with Ansible's types, laziness and undefined values.
//!
//! minijinja parses and keeps filters, tests and functions. Its own machine is not used: it cannot change a list, take
//! `%` with text, print Python's way, look into an undefined value, or say which part of a text was undefined.

mod attributes;
mod calls;
mod expressions;
mod inherit;
mod loops;
mod macros;
mod missing;
mod operators;
mod output;
mod statements;

use std::collections::HashMap;
use std::ops::{Deref, Range};
use std::sync::{Arc, Mutex};

use crate::template::syntax::{Place, ast};
use minijinja::{Environment, Error, State, Value as Jinja};

pub use self::missing::operands;
use self::output::Output;
pub use self::output::write;
use super::RenderError;
use super::report;
use super::run::{Run, lock};
use super::unit::{Tree, Unit};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::yaml::Node;

type Expr = ast::Expr<'static>;
type Stmt = ast::Stmt<'static>;

/// Names that statements set.
pub type Names = Mutex<Vec<(&'static str, Jinja)>>;

/// Names that statements set, shared with the macros that were declared among them.
pub type Frame = Arc<Names>;

/// Where a unit stands.
#[derive(Clone)]
enum Text<'e> {
    Here(&'e Node),
    Elsewhere(Arc<Node>),
}

impl Deref for Text<'_> {
    type Target = Node;

    fn deref(&self) -> &Node {
        match self {
            Text::Here(node) => node,
            Text::Elsewhere(node) => node,
        }
    }
}

/// One evaluation of a unit.
pub struct Evaluator<'e> {
    run: &'e Arc<Run>,
    state: State<'e, 'e>,
    unit: &'static Unit,
    text: Text<'e>,
    frames: Vec<Frame>,
    /// What a filter with nothing before it applies to: the body of a `{% filter %}` or `{% set %}` block.
    piped: Option<Jinja>,
    /// Recursive loops, innermost last.
    loops: Vec<&'static ast::ForLoop<'static>>,
    blocks: HashMap<&'static str, Vec<inherit::Override>>,
    /// The blocks being rendered, each with how far up its overrides it is.
    within: Vec<(&'static str, usize)>,
    parent: Option<(&'static Unit, Arc<Node>)>,
    depth: usize,
}

impl<'e> Evaluator<'e> {
    /// An evaluation of `unit`, which was made of `node`.
    pub fn new(run: &'e Arc<Run>, environment: &'e Environment<'static>, unit: &'static Unit, node: &'e Node) -> Self {
        Evaluator {
            run,
            state: environment.empty_state(),
            unit,
            text: Text::Here(node),
            frames: vec![Frame::default()],
            piped: None,
            loops: Vec::new(),
            blocks: HashMap::new(),
            within: Vec::new(),
            parent: None,
            depth: 0,
        }
    }

    /// The value of the unit.
    pub fn evaluate(mut self) -> Result<Jinja, RenderError> {
        match &self.unit.tree {
            Tree::Expression(expression) => self.defined(expression),
            Tree::Template(_) | Tree::Empty => {
                let mut output = Output::default();
                self.template(self.unit, &mut output)?;
                Ok(output.finish())
            }
        }
    }

    /// Sets a name in the innermost frame.
    fn set(&mut self, name: &'static str, value: Jinja) {
        if let Some(frame) = self.frames.last() {
            let mut frame = lock(frame);
            match frame.iter_mut().find(|(known, _)| *known == name) {
                Some(entry) => entry.1 = value,
                None => frame.push((name, value)),
            }
        }
    }

    fn local(&self, name: &str) -> Option<Jinja> {
        self.frames.iter().rev().find_map(|frame| {
            let frame = lock(frame);
            frame.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
        })
    }

    /// Does something with a frame of its own.
    fn within_frame<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, RenderError>) -> Result<T, RenderError> {
        self.frames.push(Frame::default());
        let result = work(self);
        self.frames.pop();
        result
    }

    /// Where a part of the unit stands.
    fn span(&self, place: Place) -> Span {
        self.span_of(place.start_offset as usize..place.end_offset as usize)
    }

    fn span_of(&self, range: Range<usize>) -> Span {
        self.text.position(self.unit.written(range))
    }

    /// A problem with a part of the unit.
    fn wrong(&self, place: Place, message: impl Into<String>) -> RenderError {
        report::wrong(self.span(place), message)
    }

    /// What an error of a filter, test, function or method means.
    fn failed(&self, place: Place, error: &Error) -> RenderError {
        match self.run.shared().ended() {
            Some(why) => why,
            None => report::problem(error, self.span(place)),
        }
    }

    /// A problem with what to do about it.
    fn wrong_with(&self, place: Place, message: impl Into<String>, help: impl Into<String>) -> RenderError {
        RenderError::Wrong(Box::new(Diagnostic::error(self.span(place), message).help(help)))
    }
}
