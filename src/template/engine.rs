//! Texts, parsed once, and their evaluation.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use minijinja::{Environment, Value as Jinja};

use super::eval::Evaluator;
use super::run::{Run, lock};
use super::templar::{OMIT, TemplateOptions};
use super::unit::{Kind, Problem, Unit};
use super::{RenderError, environment, report};
use crate::source::Span;
use crate::yaml::{self, Node};

/// A parsed text, or why it is none.
pub type Parsed = Result<&'static Unit, Arc<Problem>>;

/// The engine of a process: the environment and all texts that it has parsed.
pub struct Engine {
    environment: Environment<'static>,
    names: environment::Names,
    texts: Mutex<HashMap<Kind, HashMap<Box<str>, Parsed>>>,
    files: Mutex<HashMap<(PathBuf, String), File>>,
}

/// A template file as it was read last.
#[derive(Clone)]
struct File {
    node: Arc<Node>,
    parsed: Parsed,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine that has parsed nothing yet.
    pub fn new() -> Self {
        let (environment, names) = environment::build();
        Engine { environment, names, texts: Mutex::default(), files: Mutex::default() }
    }

    /// A function or constant that every template knows.
    pub fn global(&self, name: &str) -> Option<Jinja> {
        self.names.globals.get(name).cloned()
    }

    /// The names of all filters, tests, functions or lookups.
    pub fn names(&self, kind: &str) -> Vec<String> {
        self.names.of(kind)
    }

    /// Renders a text. Text that is no template is itself.
    pub fn render(&self, text: &str, node: &Node, run: &Arc<Run>) -> Result<Jinja, RenderError> {
        if !super::is_template(text) {
            return Ok(Jinja::from(text));
        }
        self.evaluate(self.parsed(Kind::Text, text), node, run)
    }

    /// The value of a bare expression.
    pub fn expression(&self, kind: Kind, text: &str, node: &Node, run: &Arc<Run>) -> Result<Jinja, RenderError> {
        self.evaluate(self.parsed(kind, text), node, run)
    }

    /// Renders the text of a file.
    pub fn file(
        &self,
        path: &Path,
        text: &str,
        options: &TemplateOptions,
        run: &Arc<Run>,
    ) -> Result<Jinja, RenderError> {
        if !options.is_template(text) {
            return Ok(Jinja::from(text));
        }
        let file = self.read(path, text, options);
        self.evaluate(file.parsed, &file.node, run)
    }

    /// A template that another one names.
    pub fn template_file(&self, path: &Path, asked: Span) -> Result<(&'static Unit, Arc<Node>), RenderError> {
        let text = yaml::read_source(path).map_err(|mut problem| {
            problem.span = asked;
            RenderError::Wrong(Box::new(problem))
        })?;
        let file = self.read(path, &text, &TemplateOptions::default());
        match file.parsed {
            Ok(unit) => Ok((unit, file.node)),
            Err(problem) => Err(report::syntax(&problem, &file.node)),
        }
    }

    /// A text, parsed now or before.
    pub fn parsed(&self, kind: Kind, text: &str) -> Parsed {
        if let Some(parsed) = lock(&self.texts).get(&kind).and_then(|known| known.get(text)) {
            return parsed.clone();
        }
        let parsed = Unit::parse(kind, text, &TemplateOptions::default()).map_err(|problem| Arc::new(*problem));
        lock(&self.texts).entry(kind).or_default().insert(text.into(), parsed.clone());
        parsed
    }

    /// A template file, parsed now or before.
    pub fn read_file(&self, path: &Path, text: &str, options: &TemplateOptions) -> (Arc<Node>, Parsed) {
        let file = self.read(path, text, options);
        (file.node, file.parsed)
    }

    /// Whether there is a filter, test or lookup of this name.
    pub fn has(&self, kind: &str, name: &str) -> bool {
        self.names.has(kind, name)
    }

    fn read(&self, path: &Path, text: &str, options: &TemplateOptions) -> File {
        let key = (path.to_owned(), format!("{options:?}"));
        if let Some(file) = lock(&self.files).get(&key).filter(|file| file.node.as_str() == Some(text)) {
            return file.clone();
        }
        let node = Arc::new(Node::scalar(crate::source::add(path, text), text));
        let parsed = Unit::parse(Kind::File, text, options).map_err(|problem| Arc::new(*problem));
        let file = File { node, parsed };
        lock(&self.files).insert(key, file.clone());
        file
    }

    fn evaluate(&self, parsed: Parsed, node: &Node, run: &Arc<Run>) -> Result<Jinja, RenderError> {
        let unit = parsed.map_err(|problem| report::syntax(&problem, node))?;
        let value = Evaluator::new(run, &self.environment, unit, node).evaluate();
        match run.shared().ended() {
            Some(why) => Err(why),
            None => Ok(with_newlines(value?, unit)),
        }
    }
}

/// As in Ansible, a text ends in as many newlines as its template did.
fn with_newlines(value: Jinja, unit: &Unit) -> Jinja {
    let is_template = matches!(unit.kind, Kind::Text | Kind::File);
    let Some(text) = value.as_str().filter(|text| is_template && *text != OMIT) else { return value };
    let own = text.len() - text.trim_end_matches('\n').len();
    match unit.newlines.checked_sub(own) {
        Some(missing) if missing > 0 => Jinja::from(format!("{text}{}", unit.end.repeat(missing))),
        _ => value,
    }
}
