//! The one renderer of a process: what the rest of wodctl calls.

use std::path::Path;
use std::sync::Arc;

use super::blank::{Blank, is_blank};
use super::convert;
use super::engine::Engine;
use super::looking::Looking;
use super::run::{Run, Settings, Started};
use super::unit::Kind;
use super::{Asks, Inspection, Memo, Needs, RenderError, Scope, condition, eval, inspect, lookups, python, report};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::value::Value;
use crate::yaml::{Node, NodeKind, Tag};

/// What `omit` stands for in rendered data. It cannot be typed by accident.
pub(super) const OMIT: &str = "\u{0}omit\u{0}";

/// Renders templates for all hosts and tasks. Cheap to clone and to share: clones use one cache of compiled templates.
#[derive(Clone)]
pub struct Templar {
    settings: Settings,
}

impl std::fmt::Debug for Templar {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("Templar").field("planning", &self.settings.planning).finish_non_exhaustive()
    }
}

impl Default for Templar {
    fn default() -> Self {
        Templar::new()
    }
}

/// How a text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Text that may hold `{{ }}`.
    Text,
    /// A bare expression.
    Expression,
    /// A condition.
    Condition,
}

impl From<Reading> for Kind {
    fn from(reading: Reading) -> Self {
        match reading {
            Reading::Text => Kind::Text,
            Reading::Expression => Kind::Expression,
            Reading::Condition => Kind::Condition,
        }
    }
}

/// How a template file is read, with the names and defaults of Ansible's `template` module. A first line
/// `#jinja2: trim_blocks: False, …` overrides them.
#[derive(Clone, Debug, PartialEq)]
pub struct TemplateOptions {
    /// A newline right after a block tag is removed.
    pub trim_blocks: bool,
    /// White space before a block tag at the start of a line is removed.
    pub lstrip_blocks: bool,
    /// What newlines become in the result: `\n`, `\r` or `\r\n`.
    pub newline_sequence: String,
    /// `{{`
    pub variable_start_string: String,
    /// `}}`
    pub variable_end_string: String,
    /// `{%`
    pub block_start_string: String,
    /// `%}`
    pub block_end_string: String,
    /// `{#`
    pub comment_start_string: String,
    /// `#}`
    pub comment_end_string: String,
}

impl Default for TemplateOptions {
    fn default() -> Self {
        TemplateOptions {
            trim_blocks: true,
            lstrip_blocks: false,
            newline_sequence: "\n".into(),
            variable_start_string: "{{".into(),
            variable_end_string: "}}".into(),
            block_start_string: "{%".into(),
            block_end_string: "%}".into(),
            comment_start_string: "{#".into(),
            comment_end_string: "#}".into(),
        }
    }
}

impl TemplateOptions {
    /// Whether a text is a template at all.
    pub(super) fn is_template(&self, text: &str) -> bool {
        let starts = [&self.variable_start_string, &self.block_start_string, &self.comment_start_string];
        text.starts_with("#jinja2:") || starts.iter().any(|start| text.contains(start.as_str()))
    }
}

impl Templar {
    /// A renderer whose warnings go nowhere.
    pub fn new() -> Self {
        let engine = Arc::new(Engine::new());
        Templar { settings: Settings { warn: Arc::new(|_| ()), planning: false, strict: false, engine, memo: None } }
    }

    /// Warnings (a condition that is no boolean, say) go to `hook`.
    pub fn on_warning(mut self, hook: impl Fn(Diagnostic) + Send + Sync + 'static) -> Self {
        self.settings.warn = Arc::new(hook);
        self
    }

    /// For plan mode: an unknown that stands alone in `{{ }}` inside longer text becomes `(known after: TASK)`.
    pub fn planning(mut self) -> Self {
        self.settings.planning = true;
        self
    }

    /// For `--strict`: a condition that is no boolean is an error, as in ansible-core 2.19.
    pub fn strict(mut self) -> Self {
        self.settings.strict = true;
        self
    }

    /// What must happen once (`pipe`, `password`, `random`, …) happens once for this memo.
    pub fn remembering(&self, memo: &Arc<Memo>) -> Self {
        Templar { settings: Settings { memo: Some(memo.clone()), ..self.settings.clone() } }
    }

    /// Renders data: text that holds `{{ }}`, `{% %}` or `{# #}` is a template, everything else is itself. Entries of
    /// lists and mappings that are `omit` are left out; if the whole is, see [`is_omit`]. Entries that are known only
    /// after a step stand as unknown among the others; if the whole is, that is an error.
    pub fn render(&self, node: &Node, scope: &Arc<dyn Scope>) -> Result<Value, RenderError> {
        match &node.kind {
            NodeKind::Scalar(Value::Str(text)) if is_template(text) || node.tag == Some(Tag::Vault) => {
                self.start(scope).0.value(node)
            }
            NodeKind::Scalar(value) => Ok(value.clone()),
            _ => self.start(scope).0.value(node),
        }
    }

    /// Renders one text; `span` is where it stands.
    pub fn render_text(&self, text: &str, span: Span, scope: &Arc<dyn Scope>) -> Result<Value, RenderError> {
        if !is_template(text) {
            return Ok(Value::Str(text.to_owned()));
        }
        self.render(&Node::scalar(span, text), scope)
    }

    /// The value of a bare expression, as `debug: var=` and `until` write them.
    pub fn expression(&self, text: &str, span: Span, scope: &Arc<dyn Scope>) -> Result<Value, RenderError> {
        let node = Node::scalar(span, text);
        let started = self.start(scope);
        let value = self.settings.engine.expression(Kind::Expression, text, &node, &started.0)?;
        started.0.finish(&value, &node)
    }

    /// One condition of `when`, `failed_when`, …: a boolean or a bare expression. A result that is no boolean counts by
    /// its truth, with a warning. (A list of conditions is its caller's.)
    pub fn condition(&self, node: &Node, scope: &Arc<dyn Scope>) -> Result<bool, RenderError> {
        condition::holds(node, &self.start(scope).0)
    }

    /// Renders a template file. `path` is where it was found, for errors.
    pub fn render_file(
        &self,
        path: &Path,
        text: &str,
        options: &TemplateOptions,
        scope: &Arc<dyn Scope>,
    ) -> Result<String, RenderError> {
        let started = self.start(scope);
        let value = self.settings.engine.file(path, text, options, &started.0)?;
        if value.is_none() {
            return Ok(String::new());
        }
        let mut rendered = String::new();
        // A whole that is nothing is no text, as in Ansible.
        let written = if is_blank(&value) { Err(Blank::error()) } else { eval::write(&value, &mut rendered) };
        match written {
            Ok(()) => Ok(rendered),
            Err(error) => Err(report::problem(&error, Span::default())),
        }
    }

    /// What `with_NAME: terms` loops over; `terms` are rendered already, `span` is where they stand, and `folder` where
    /// the task's files lie ([`folder_of_loop`]).
    pub fn with_lookup(
        &self,
        name: &str,
        terms: &Value,
        span: Span,
        folder: &str,
        scope: &Arc<dyn Scope>,
    ) -> Result<Vec<Value>, RenderError> {
        let started = self.start(scope);
        let items = match terms {
            Value::List(items) => items.clone(),
            single => vec![single.clone()],
        };
        // These keep what is not known yet as an item.
        match name {
            "items" => return Ok(items.into_iter().flat_map(flat).collect()),
            "list" => return Ok(items),
            _ => {}
        }
        let run = &started.0;
        let terms: Vec<_> = items.into_iter().map(|item| convert::to_jinja(&Arc::new(item), run)).collect();
        let looking = Looking::looping(run, folder);
        let find = || lookups::call(name, &terms, &[], &looking).map(python::new_list);
        let found = match lookups::asks(name).once {
            true => run.once(|| (span, python::repr(&python::tuple(terms.clone()))), find),
            false => find(),
        };
        if let Some(why) = run.shared().ended() {
            return Err(why);
        }
        let found = found.map_err(|error| report::problem(&error, span))?;
        match started.0.finish(&found, &Node::scalar(span, ""))? {
            Value::List(items) => Ok(items),
            single => Ok(vec![single]),
        }
    }

    /// What can be said about the texts in a node without any values.
    pub fn inspect(&self, node: &Node, reading: Reading) -> Inspection {
        let mut found = Inspection::default();
        inspect::node(&self.settings.engine, node, reading.into(), &mut found);
        found
    }

    /// What can be said about a template file without any values.
    pub fn inspect_file(&self, path: &Path, text: &str, options: &TemplateOptions) -> Inspection {
        inspect::file(&self.settings.engine, path, text, options)
    }

    /// What the texts in a node need by themselves: names, and what their filters, tests and lookups ask.
    pub fn needs(&self, node: &Node, reading: Reading) -> Needs {
        inspect::needs::node(&self.settings.engine, node, reading.into())
    }

    /// The same, with what the variables need that they lead to: those hold templates, which are rendered when they are
    /// used.
    pub fn needs_in(&self, node: &Node, reading: Reading, scope: &dyn Scope) -> Needs {
        self.needs(node, reading).followed(scope, |variable| self.needs(variable, Reading::Text))
    }

    /// What a template file needs, with what the variables need that it leads to.
    pub fn needs_of_file(&self, path: &Path, text: &str, options: &TemplateOptions, scope: &dyn Scope) -> Needs {
        let own = inspect::needs::file(&self.settings.engine, path, text, options);
        own.followed(scope, |variable| self.needs(variable, Reading::Text))
    }

    /// Whether there is a lookup of this name, for `with_NAME`.
    pub fn has_lookup(&self, name: &str) -> bool {
        lookups::exists(name)
    }

    /// What `with_NAME` asks, whose terms are a node of their own.
    pub fn asks_of_lookup(&self, name: &str) -> Asks {
        lookups::asks(name)
    }

    fn start(&self, scope: &Arc<dyn Scope>) -> Started {
        Run::start(&self.settings, scope)
    }
}

fn flat(value: Value) -> Vec<Value> {
    match value {
        Value::List(items) => items,
        single => vec![single],
    }
}

/// The folder in which `with_first_found` looks for a task of this module: Ansible goes by parts of the name.
pub fn folder_of_loop(module: &str) -> &'static str {
    if module.contains("template") {
        "templates"
    } else if module.contains("var") {
        "vars"
    } else {
        "files"
    }
}

/// Whether a text is a template at all.
pub fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%") || text.contains("{#")
}

/// Whether a rendered value is `omit`: the argument is to be left out.
pub fn is_omit(value: &Value) -> bool {
    value.as_str() == Some(OMIT)
}
