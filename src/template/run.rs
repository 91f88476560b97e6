//! One rendering: the variables of its scope, each rendered at most once, and why it ended.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use minijinja::Value as Jinja;
use minijinja::value::ValueKind;

use super::convert::{self, from_jinja};
use super::engine::Engine;
use super::eval::{Frame, Names as Set};
use super::hosts::{Hosts, Names};
use super::lazy::Lazy;
use super::memo::Question;
use super::report::{self, Ended};
use super::templar::is_omit;
use super::{Binding, Memo, RenderError, Scope};
use crate::diagnostic::Diagnostic;
use crate::source;
use crate::value::{Map, Value};
use crate::yaml::{Node, NodeKind, Tag};

/// What all parts of one rendering share, also those that look at other hosts.
#[derive(Debug, Default)]
pub struct Shared {
    ended: Mutex<Option<RenderError>>,
    /// Variables being rendered: whose, and which node.
    active: Mutex<Vec<(usize, usize)>>,
    /// Why a variable of this name counted as undefined.
    causes: Mutex<HashMap<String, Diagnostic>>,
    runs: Mutex<Vec<Weak<Run>>>,
    /// Frames that macros keep.
    frames: Mutex<Vec<Weak<Set>>>,
}

impl Shared {
    /// Remembers why the rendering ends; the value ends it as soon as it is used.
    pub fn end(&self, why: RenderError) -> Jinja {
        lock(&self.ended).get_or_insert_with(|| why.clone());
        Jinja::from(Ended::error(why))
    }

    /// Why it ended, if it did.
    pub fn ended(&self) -> Option<RenderError> {
        lock(&self.ended).clone()
    }

    /// What ended the rendering was dealt with.
    pub fn go_on(&self) {
        *lock(&self.ended) = None;
    }

    /// A macro keeps this frame, in which it may be kept itself.
    pub fn captured(&self, frame: &Frame) {
        lock(&self.frames).push(Arc::downgrade(frame));
    }

    /// Why the variable `name` counted as undefined, if something inside it was.
    pub fn cause(&self, name: &str) -> Option<Diagnostic> {
        lock(&self.causes).get(name).cloned()
    }
}

/// One rendering for one scope.
pub struct Run {
    settings: Settings,
    scope: Arc<dyn Scope>,
    known: Mutex<HashMap<String, Jinja>>,
    shared: Arc<Shared>,
}

/// What a rendering needs beside its scope.
#[derive(Clone)]
pub struct Settings {
    /// The engine.
    pub engine: Arc<Engine>,
    /// Where warnings go.
    pub warn: Arc<dyn Fn(Diagnostic) + Send + Sync>,
    /// Whether this is for a plan.
    pub planning: bool,
    /// Whether what Ansible refuses is refused even where it is clear what is meant.
    pub strict: bool,
    /// What was answered already and must not be asked again.
    pub memo: Option<Arc<Memo>>,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("Run").field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// Breaks the circle of a rendering and the values that it remembers.
#[derive(Debug)]
pub struct Started(pub Arc<Run>);

impl Drop for Started {
    fn drop(&mut self) {
        for frame in lock(&self.0.shared.frames).drain(..).filter_map(|frame| frame.upgrade()) {
            lock(&frame).clear();
        }
        for run in lock(&self.0.shared.runs).drain(..).filter_map(|run| run.upgrade()) {
            lock(&run.known).clear();
        }
    }
}

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Run {
    /// Starts a rendering.
    pub fn start(settings: &Settings, scope: &Arc<dyn Scope>) -> Started {
        Started(Run::new(settings, scope, Arc::default()))
    }

    fn new(settings: &Settings, scope: &Arc<dyn Scope>, shared: Arc<Shared>) -> Arc<Run> {
        let run = Arc::new(Run { settings: settings.clone(), scope: scope.clone(), known: Mutex::default(), shared });
        lock(&run.shared.runs).push(Arc::downgrade(&run));
        run
    }

    /// The same rendering, looking at another host.
    pub fn elsewhere(&self, scope: &Arc<dyn Scope>) -> Arc<Run> {
        Run::new(&self.settings, scope, self.shared.clone())
    }

    /// The engine.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.settings.engine
    }

    /// Whether this is for a plan.
    pub fn planning(&self) -> bool {
        self.settings.planning
    }

    /// Whether conditions must be booleans.
    pub fn is_strict(&self) -> bool {
        self.settings.strict
    }

    /// The answer to something that is asked once for a task, host and item.
    pub fn once<E>(
        self: &Arc<Self>,
        question: impl FnOnce() -> Question,
        find: impl FnOnce() -> Result<Jinja, E>,
    ) -> Result<Jinja, E> {
        match &self.settings.memo {
            Some(memo) => memo.once(question(), self, find),
            None => find(),
        }
    }

    /// Says something that is no error.
    pub fn warn(&self, warning: Diagnostic) {
        (self.settings.warn)(warning);
    }

    /// Where a template that another one names is looked for: beside that one, then as for the `template` module.
    pub fn template_places(&self, name: &str, from: &Node) -> Vec<PathBuf> {
        let beside = source::source(from.span).and_then(|source| Some(source.path.parent()?.join(name)));
        let mut places: Vec<PathBuf> = beside.into_iter().collect();
        for place in self.scope.files().candidates("templates", name) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places
    }

    /// The file of a template that another one names.
    pub fn find_template(&self, name: &str, from: &Node) -> Option<PathBuf> {
        self.template_places(name, from).into_iter().find(|path| path.is_file())
    }

    /// What all parts of the rendering share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The scope.
    pub fn scope(&self) -> &Arc<dyn Scope> {
        &self.scope
    }

    /// A variable; `None` if it is undefined.
    pub fn variable(self: &Arc<Self>, name: &str) -> Option<Jinja> {
        if let Some(known) = lock(&self.known).get(name) {
            return Some(known.clone());
        }
        let value = match self.scope.lookup(name) {
            Some(Binding::Template(node)) => self.template(name, node),
            Some(Binding::Data(data)) => convert::to_jinja(&data, self),
            Some(Binding::Pending) => self.shared.end(RenderError::Pending),
            Some(Binding::HostVars(hosts)) => Jinja::from_object(Hosts::new(hosts, self)),
            None if name == "vars" => Jinja::from_object(Names(self.clone())),
            None => return None,
        };
        // What is not known yet is asked for again: the rendering may go on without it.
        if value.kind() != ValueKind::Invalid {
            lock(&self.known).insert(name.to_owned(), value.clone());
        }
        Some(value)
    }

    fn template(self: &Arc<Self>, name: &str, node: Arc<Node>) -> Jinja {
        if matches!(node.kind, NodeKind::Scalar(_)) || node.tag == Some(Tag::Unsafe) {
            let value = self.scalar(&node).unwrap_or_else(|| convert::to_jinja(&Arc::new(node.to_value()), self));
            if value.is_undefined()
                && let Some(cause) = self.shared.cause("")
            {
                lock(&self.shared.causes).insert(name.to_owned(), cause);
            }
            return value;
        }
        Jinja::from_object(Lazy::new(node, self))
    }

    /// A scalar (or unsafe) part of a variable, rendered; `None` for a collection. If something in it is undefined, so
    /// is the whole.
    pub fn scalar(self: &Arc<Self>, node: &Node) -> Option<Jinja> {
        if node.tag == Some(Tag::Unsafe) {
            return Some(convert::to_jinja(&Arc::new(node.to_value()), self));
        }
        let NodeKind::Scalar(value) = &node.kind else { return None };
        let Value::Str(text) = value else { return convert::scalar(value) };
        let rendered = self.guarded(node, |run| match node.tag {
            Some(Tag::Vault) => run.vaulted(node),
            _ => run.text(text, node),
        });
        Some(match rendered {
            Ok(value) => value,
            Err(RenderError::Undefined(problem)) => {
                lock(&self.shared.causes).insert(String::new(), *problem);
                Jinja::UNDEFINED
            }
            Err(why) => self.shared.end(why),
        })
    }

    /// Renders what is in a vault.
    fn vaulted(self: &Arc<Self>, node: &Node) -> Result<Jinja, RenderError> {
        let opened = node.opened().map_err(RenderError::Wrong)?;
        self.text(opened.as_str().unwrap_or_default(), &opened)
    }

    /// Renders a node that may be asked for again while it is rendered.
    fn guarded(
        self: &Arc<Self>,
        node: &Node,
        render: impl FnOnce(&Arc<Self>) -> Result<Jinja, RenderError>,
    ) -> Result<Jinja, RenderError> {
        let key = (Arc::as_ptr(&self.scope).cast::<()>() as usize, std::ptr::from_ref(node) as usize);
        {
            let mut active = lock(&self.shared.active);
            if active.contains(&key) {
                return Err(report::recursive(node));
            }
            active.push(key);
        }
        let result = render(self);
        lock(&self.shared.active).pop();
        result
    }

    /// Renders one text to a value of the template language.
    pub fn text(self: &Arc<Self>, text: &str, node: &Node) -> Result<Jinja, RenderError> {
        self.engine().render(text, node, self)
    }

    /// Renders data. Entries of lists and mappings that are `omit` are left out; those that are not known yet stand as
    /// unknown among the others.
    pub fn value(self: &Arc<Self>, node: &Node) -> Result<Value, RenderError> {
        if node.tag == Some(Tag::Unsafe) {
            return Ok(node.to_value());
        }
        if node.tag == Some(Tag::Vault) {
            let value = self.vaulted(node)?;
            return self.finish(&value, node);
        }
        match &node.kind {
            NodeKind::Scalar(Value::Str(text)) => self.finished(text, node),
            NodeKind::Scalar(value) => Ok(value.clone()),
            NodeKind::List(items) => {
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    list.extend(self.entry(item)?);
                }
                Ok(Value::List(list))
            }
            NodeKind::Map(entries) => {
                let mut map = Map::with_capacity(entries.len());
                for (key, entry) in entries {
                    if let Some(value) = self.entry(&entry.value)? {
                        map.insert(key.clone(), value);
                    }
                }
                Ok(Value::Map(map))
            }
        }
    }

    fn entry(self: &Arc<Self>, node: &Node) -> Result<Option<Value>, RenderError> {
        match self.value(node) {
            Ok(value) => Ok((!is_omit(&value)).then_some(value)),
            Err(RenderError::Unknown(step)) => {
                // The rendering of the others goes on.
                self.shared.go_on();
                Ok(Some(Value::Unknown(step)))
            }
            Err(error) => Err(error),
        }
    }

    fn finished(self: &Arc<Self>, text: &str, node: &Node) -> Result<Value, RenderError> {
        if !super::is_template(text) {
            return Ok(Value::Str(text.to_owned()));
        }
        if let Some(name) = super::native::bare_name(text)
            && let Some(Binding::Data(data)) = self.scope.lookup(name)
        {
            return match &*data {
                Value::Unknown(step) => Err(RenderError::Unknown(step.clone())),
                value => Ok(value.clone()),
            };
        }
        let value = self.text(text, node)?;
        self.finish(&value, node)
    }

    /// A result as data.
    pub fn finish(&self, value: &Jinja, node: &Node) -> Result<Value, RenderError> {
        let result = from_jinja(value);
        match self.shared.ended() {
            Some(why) => Err(why),
            None => result.map_err(|error| report::problem(&error, node.span)),
        }
    }
}
