//! From a step to calls: conditions, the loop, arguments, files of the controller. Nothing here waits: what is not known
//! yet ends the preparation, and the step is prepared again later.

use std::sync::Arc;

use indexmap::IndexMap;

use super::connection::{Reader, identity, text_of, truth};
use super::judge::Attempts;
use super::scope::{TaskScope, data, layer};
use super::task_run::{Ended, ItemRun};
use super::{Options, controller, scope, source};
use crate::diagnostic::Diagnostic;
use crate::module::{ModuleSpec, Place, Things};
use crate::playbook::action;
use crate::protocol::{Become, Call, Mode};
use crate::source::Span;
use crate::steps::{Loop, Step, Work, is_controller};
use crate::template::{RenderError, Scope, Templar, folder_of_loop};
use crate::transport::Blobs;
use crate::value::{Map, Value};
use crate::vars::{Layer, Level};
use crate::yaml::Node;

/// Everything that preparing a step needs, for one host.
pub struct Bench<'a> {
    /// The renderer.
    pub templar: &'a Templar,
    /// The command line's choices.
    pub options: &'a Options,
    /// Where contents are announced.
    pub blobs: &'a Blobs,
    /// Makes the scope of the step with further layers on top.
    pub scope: &'a dyn Fn(&[Arc<Layer>]) -> TaskScope,
    /// The run, for the variables of another host to which a step may be delegated.
    pub run: &'a super::Run,
}

/// The step cannot be prepared before earlier ones are judged.
#[derive(Debug)]
pub struct NotYet;

/// An item of a loop (none where there is no loop), with the variables that it brings.
pub type Entry = (Option<Value>, Vec<Arc<Layer>>);

/// A step, prepared.
#[derive(Debug)]
pub struct Prepared {
    /// Its items.
    pub items: Vec<ItemRun>,
    /// Whether it has a loop.
    pub is_loop: bool,
    /// Why the loop could not be settled.
    pub trouble: Option<Ended>,
}

impl Prepared {
    /// Something is wrong with the step: it is not carried out, unless it would be skipped anyway.
    pub fn stop_at(&mut self, trouble: Option<Ended>) {
        let is_skipped = |item: &ItemRun| matches!(item.ended, Some(Ended::Skipped(_)));
        if self.trouble.is_none() && trouble.is_some() && !self.items.iter().all(is_skipped) {
            self.items.clear();
            self.trouble = trouble;
        }
    }
}

/// What one item comes to: a call for the target, or how it ended already.
pub enum Settled {
    /// To be carried out by an agent.
    Call(Box<Call>, Option<Become>),
    /// It ends after a while (`pause`).
    Wait(Wait),
    /// Settled here.
    Ended(Ended),
}

/// What `pause` waits for, and what it then returns.
#[derive(Clone, Debug)]
pub struct Wait {
    /// What the operator is told.
    pub prompt: Option<String>,
    /// So many seconds; `None`: until the operator has entered a line.
    pub seconds: Option<f64>,
    /// Whether what the operator types is shown.
    pub echo: bool,
    /// Whether it returns when it began and ended.
    pub timed: bool,
    /// How it then ends, but for what was entered.
    pub result: Ended,
}

impl Bench<'_> {
    /// The scope of the step with these layers on top.
    pub fn with(&self, layers: &[Arc<Layer>]) -> Arc<dyn Scope> {
        Arc::new((self.scope)(layers))
    }

    /// Prepares all items of a step.
    pub fn prepare(&self, step: &Step) -> Result<Prepared, NotYet> {
        let mut prepared = Prepared { items: Vec::new(), is_loop: step.repeat.is_some(), trouble: None };
        let entries = match &step.repeat {
            None => vec![(None, Vec::new())],
            Some(repeat) => match self.entries(step, repeat) {
                Ok(entries) => entries,
                Err(error) => {
                    prepared.trouble = Some(self.loop_trouble(step, error)?);
                    return Ok(prepared);
                }
            },
        };
        // What an item sets is seen by those behind it.
        let mut set = Vec::new();
        for (item, layers) in entries {
            let run = self.item(step, item, layers, &set)?;
            let ended = run.ended.as_ref().or(run.wait.as_ref().map(|wait| &wait.result));
            set.extend(ended.and_then(left_behind));
            prepared.items.push(run);
        }
        Ok(prepared)
    }

    /// Prepares one item. `set`: what those before it have left behind.
    fn item(
        &self,
        step: &Step,
        item: Option<Value>,
        own: Vec<Arc<Layer>>,
        set: &[Arc<Layer>],
    ) -> Result<ItemRun, NotYet> {
        let layers = set.iter().chain(&own).cloned().collect();
        let mut run = ItemRun { item, own, layers, ..ItemRun::default() };
        match self.settle(step, &mut run) {
            Ok(Settled::Call(call, identity)) => run.call = Some((*call, identity)),
            Ok(Settled::Wait(wait)) => run.wait = Some(wait),
            // What is settled here is judged item by item as what an agent does.
            Ok(Settled::Ended(ended @ (Ended::Outcome(_) | Ended::Failed(_)))) if is_stepwise(step) => {
                run.wait = Some(Wait { prompt: None, seconds: Some(0.0), echo: true, timed: false, result: ended });
            }
            Ok(Settled::Ended(ended)) => run.ended = Some(ended),
            Err(error) => run.ended = Some(trouble(error)?),
        }
        Ok(run)
    }

    /// What a loop runs over, each with the variables it brings.
    pub fn entries(&self, step: &Step, repeat: &Loop) -> Result<Vec<Entry>, RenderError> {
        let scope = self.with(&[]);
        let over = self.loop_terms(step, repeat, &scope)?;
        let count = over.len();
        let entry = |(index, item): (usize, Value)| {
            let mut values = IndexMap::from([(repeat.var.clone(), data(item.clone()))]);
            values.insert("ansible_loop_var".into(), data(repeat.var.as_str().into()));
            if let Some(name) = &repeat.index_var {
                values.insert(name.clone(), data(Value::Int(index as i64)));
                values.insert("ansible_index_var".into(), data(name.as_str().into()));
            }
            if repeat.extended {
                let extended = extended(&over, index, count, repeat.extended_allitems);
                values.insert("ansible_loop".into(), data(extended));
            }
            (Some(item), vec![Arc::new(layer(Level::Magic, "the loop", values))])
        };
        Ok(over.iter().cloned().enumerate().map(entry).collect())
    }

    fn loop_terms(&self, step: &Step, repeat: &Loop, scope: &Arc<dyn Scope>) -> Result<Vec<Value>, RenderError> {
        let terms = self.templar.render(&repeat.over, scope)?;
        if let Some(step) = terms.unknown()
            && !matches!(terms, Value::List(_))
        {
            return Err(RenderError::Unknown(step.to_owned()));
        }
        match (repeat.kind.as_str(), terms) {
            ("loop", Value::List(items)) => Ok(items),
            ("loop", other) => Err(RenderError::Wrong(Box::new(
                Diagnostic::error(repeat.over.span, format!("`loop` needs a list, this is {}", other.kind()))
                    .help("for a mapping write `{{ name | dict2items }}`, for a single value `[value]`"),
            ))),
            (kind, terms) => {
                let folder = match &step.work {
                    Work::Call { spec, .. } => folder_of_loop(spec.name),
                    _ => "files",
                };
                self.templar.with_lookup(kind, &terms, repeat.over.span, folder, scope)
            }
        }
    }

    /// What a loop comes to that cannot be settled. As in Ansible, that does not matter where the condition says no anyway.
    pub fn loop_trouble(&self, step: &Step, error: RenderError) -> Result<Ended, NotYet> {
        match (&error, self.condition(step, &[])) {
            (RenderError::Undefined(_), Ok(Some(condition))) => Ok(Ended::Skipped(condition)),
            _ => trouble(error),
        }
    }

    /// The condition that does not hold, if one does not.
    pub fn condition(&self, step: &Step, layers: &[Arc<Layer>]) -> Result<Option<Value>, RenderError> {
        let scope = self.with(layers);
        for condition in &step.when {
            if !self.templar.condition(condition, &scope)? {
                return Ok(Some(condition.to_value()));
            }
        }
        Ok(None)
    }

    fn settle(&self, step: &Step, run: &mut ItemRun) -> Result<Settled, RenderError> {
        let Work::Call { spec, args, .. } = &step.work else {
            return Ok(Settled::Ended(Ended::Skipped(Value::Null)));
        };
        // As in Ansible: the condition already sees whom the step is delegated to, but a name that cannot be rendered does
        // not matter where it does not hold.
        let delegate = self.delegate(step, run);
        if let Some(condition) = self.condition(step, &run.layers)? {
            return Ok(Settled::Ended(Ended::Skipped(condition)));
        }
        if let Some(lacking) = step.lacks.first() {
            return Ok(Settled::Ended(Ended::Wrong(Box::new((**lacking).clone()))));
        }
        let mut delegate = delegate?;
        run.delegate.clone_from(&delegate);
        let scope = self.with(&run.layers);
        Attempts::of(self, step, &run.layers)?;
        let named;
        let (spec, args) = match action::is_named_later(spec) {
            true => {
                named = self.named(args, &scope)?;
                (named.0, &named.1)
            }
            false => (*spec, &**args),
        };
        if spec.place != Place::Target {
            return controller::settle(self, spec, args, &scope);
        }
        let reader = Reader { templar: self.templar, scope: &scope };
        let rendered = self.arguments(args, &scope)?;
        let rendered = match source::resolve(self, spec, rendered, args, &scope, delegate.as_deref())? {
            Ok(rendered) => rendered,
            Err(failure) => return Ok(Settled::Ended(Ended::Failed(Box::new(failure)))),
        };
        if let Some(Err(error)) = spec.build.map(|build| build(&rendered)) {
            return Ok(Settled::Ended(Ended::Failed(Box::new(error.into()))));
        }
        // There it says whose the source is; the work is done on the host.
        delegate = delegate.filter(|name| spec.name != "synchronize" || !is_controller(name));
        run.delegate.clone_from(&delegate);
        // As in Ansible: keywords are the task's, connection variables the delegate's.
        let there = delegate.as_ref().map(|name| self.run.host_scope(name, &[]));
        let variables = Reader { templar: self.templar, scope: there.as_ref().unwrap_or(&scope) };
        let identity = identity(&variables, &reader, &step.keywords, self.options)?;
        let call = Call {
            module: spec.name.to_owned(),
            args: rendered,
            environment: self.environment(step, &scope)?,
            diff: reader.flag(step.keywords.diff.as_ref())?.unwrap_or(self.options.diff),
            mode: reader.flag(step.keywords.check_mode.as_ref())?.map(|dry| if dry { Mode::Plan } else { Mode::Apply }),
            live: self.options.verbosity > 0,
            timeout: reader.typed::<i64>(step.keywords.timeout.as_ref())?.map_or(0, |seconds| seconds.max(0) as u64),
        };
        Ok(Settled::Call(Box::new(call), identity))
    }

    /// The host that carries an item out, if that is another one. Its variables are seen as `ansible_delegated_vars`.
    fn delegate(&self, step: &Step, run: &mut ItemRun) -> Result<Option<String>, RenderError> {
        let scope = self.with(&run.layers);
        let reader = Reader { templar: self.templar, scope: &scope };
        let Some(name) = reader.keyword(step.keywords.delegate_to.as_ref())? else { return Ok(None) };
        let name = text_of(&name);
        // As in Ansible: under the name that the step is for.
        let own = reader.variable("inventory_hostname")?.unwrap_or_default();
        let own =
            Arc::new(layer(Level::Magic, "the delegation", [("inventory_hostname".to_owned(), data(own))].into()));
        let vars = scope::hostvars(&self.run.table, &step.files, Some((&name, own)));
        let values = IndexMap::from([
            ("ansible_delegated_vars".to_owned(), vars),
            ("ansible_delegated_host".to_owned(), data(name.as_str().into())),
        ]);
        run.layers.push(Arc::new(layer(Level::Magic, "the delegation", values)));
        Ok(Some(name))
    }

    /// The module that a template names, with its arguments.
    fn named(&self, args: &Node, scope: &Arc<dyn Scope>) -> Result<(&'static ModuleSpec, Node), RenderError> {
        let Some(node) = args.get(action::NAME) else { return Err(RenderError::Pending) };
        let name = text_of(&self.templar.render(node, scope)?);
        let wrong = |what: String| RenderError::Wrong(Box::new(Diagnostic::error(node.span, what)));
        let (spec, args) = action::named(&name, args).ok_or_else(|| wrong(format!("there is no module `{name}`")))?;
        match spec.place == Place::Course
            || spec.effects_of(&Map::new()).writes != Things::NONE && spec.place != Place::Target
        {
            true => Err(wrong(format!("`{name}` cannot be named by a template"))),
            false => Ok((spec, args)),
        }
    }

    /// Arguments, rendered. A whole mapping given by one template (`args: "{{ options }}"`) is taken too.
    pub fn arguments(&self, args: &Node, scope: &Arc<dyn Scope>) -> Result<Map, RenderError> {
        let value = self.templar.render(args, scope)?;
        match value {
            Value::Map(map) => match map.values().find_map(Value::unknown) {
                Some(step) => Err(RenderError::Unknown(step.to_owned())),
                None => Ok(map),
            },
            Value::Null => Ok(Map::new()),
            other => Err(RenderError::Wrong(Box::new(Diagnostic::error(
                args.span,
                format!("the arguments must be a mapping, these are {}", other.kind()),
            )))),
        }
    }

    fn environment(&self, step: &Step, scope: &Arc<dyn Scope>) -> Result<Vec<(String, String)>, RenderError> {
        let mut merged: IndexMap<String, String> = IndexMap::new();
        for node in &step.keywords.environment {
            let maps = match self.templar.render(node, scope)? {
                Value::List(maps) => maps,
                single => vec![single],
            };
            for map in maps.iter().filter_map(Value::as_map) {
                merged.extend(map.iter().map(|(name, value)| (name.clone(), text_of(value))));
            }
        }
        Ok(merged.into_iter().collect())
    }

    /// A keyword that is a boolean, with nothing on top of the step's own scope.
    pub fn flag(&self, node: Option<&Arc<Node>>) -> Result<Option<bool>, RenderError> {
        let Some(node) = node else { return Ok(None) };
        let scope = self.with(&[]);
        Ok(Reader { templar: self.templar, scope: &scope }.keyword(Some(node))?.map(|value| truth(&value)))
    }
}

/// Whether each item is judged before the next one: those of a step that may be tried several times, or of a loop with
/// `pause` or `break_when`.
pub fn is_stepwise(step: &Step) -> bool {
    let repeat = step.repeat.as_ref();
    !step.keywords.until.is_empty()
        || step.keywords.retries.is_some()
        || repeat.is_some_and(|repeat| repeat.pause.is_some() || !repeat.break_when.is_empty())
}

/// What a rendering that failed comes to; pending ones are tried again later.
pub fn trouble(error: RenderError) -> Result<Ended, NotYet> {
    match error {
        RenderError::Pending => Err(NotYet),
        RenderError::Unknown(step) => Ok(Ended::Unknown(step)),
        RenderError::Undefined(diagnostic) | RenderError::Wrong(diagnostic) => Ok(Ended::Wrong(diagnostic)),
    }
}

/// The variables that an item which is settled here leaves to those behind it: `set_fact`, `include_vars`.
fn left_behind(ended: &Ended) -> Option<Arc<Layer>> {
    let (level, values) = match ended {
        Ended::Outcome(outcome) => {
            let facts = outcome.values.get("ansible_facts")?.as_map()?;
            (Level::SetFacts, facts.iter().map(|(name, value)| (name.clone(), data(value.clone()))).collect())
        }
        Ended::Variables(_, bindings) => (Level::IncludeVars, bindings.clone()),
        _ => return None,
    };
    Some(Arc::new(layer(level, "an earlier item", values)))
}

/// A condition as it stands in the text.
pub fn written(node: &Node) -> String {
    match node.to_value() {
        Value::Bool(flag) => if flag { "True" } else { "False" }.to_owned(),
        value => text_of(&value),
    }
}

/// `ansible_loop`, for `loop_control: extended`.
fn extended(items: &[Value], index: usize, count: usize, all: bool) -> Value {
    let mut map = crate::map! {
        "index" => index as i64 + 1,
        "index0" => index as i64,
        "first" => index == 0,
        "last" => index + 1 == count,
        "length" => count as i64,
        "revindex" => (count - index) as i64,
        "revindex0" => (count - index - 1) as i64,
    };
    if all {
        map.insert("allitems".into(), Value::List(items.to_vec()));
    }
    if let Some(previous) = index.checked_sub(1) {
        map.insert("previtem".into(), items[previous].clone());
    }
    if let Some(next) = items.get(index + 1) {
        map.insert("nextitem".into(), next.clone());
    }
    Value::Map(map)
}

/// Where an argument stands in the text.
pub fn argument_span(args: &Node, spec: &ModuleSpec, name: &str) -> Option<Span> {
    let entries = args.as_map()?;
    let found = entries.get(name).or_else(|| {
        let param = spec.param(name)?;
        std::iter::once(&param.name).chain(param.aliases).find_map(|key| entries.get(*key))
    })?;
    Some(if found.value.span.is_somewhere() { found.value.span } else { found.key })
}
