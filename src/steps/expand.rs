//! A play as an ordered list of steps.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::context::{Context, add_tags, layer};
use super::effects;
use super::options::Options;
use super::tags::Selection;
use super::{Block, Item, RoleRun, Step, Work, early, start};
use crate::diagnostic::{Diagnostic, Severity, kinds};
use crate::playbook::{Keywords, Play, Problems, Project};
use crate::probe::glob;
use crate::source::Span;
use crate::template::{Binding, SearchPath};
use crate::value::{Map, Value};
use crate::vars::{Layer, Level, Origin, magic};
use crate::yaml::Node;

/// The steps of a play.
#[derive(Clone, Debug)]
pub struct PlaySteps {
    /// The play.
    pub play: Arc<Play>,
    /// What is done, in order: facts, pre_tasks, roles, tasks, post_tasks, and flushes of handlers between them.
    pub items: Vec<Item>,
    /// Handlers in the order in which they run: those of roles, of the play, of imported roles. Of several with one name
    /// the last one is meant.
    pub handlers: Vec<Arc<Step>>,
    /// Variables that the whole play sees: its own, and those of its roles.
    pub layers: Vec<Arc<Layer>>,
    /// False if `--start-at-task` names a task that is not in this play: then there is nothing to do in it.
    pub started: bool,
    /// Expands what is included at run time.
    pub expander: Arc<Expander>,
}

/// What an include brings.
#[derive(Clone, Debug, Default)]
pub struct Included {
    /// Steps to do in its place; where the include is a handler itself, handlers to be run in its place.
    pub items: Vec<Item>,
    /// Handlers that are added behind those of the play.
    pub handlers: Vec<Arc<Step>>,
    /// Variables of a role that the whole play sees from now on.
    pub layers: Vec<Arc<Layer>>,
}

/// Expands a play, statically and at run time.
#[derive(Debug)]
pub struct Expander {
    pub(super) project: Arc<Project>,
    pub(super) play: Arc<Play>,
    pub(super) options: Options,
    pub(super) selection: Selection,
    shared: Mutex<Shared>,
}

/// What static and later expansions share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Numbers of roles that run once.
    pub runs: HashMap<String, usize>,
    /// Layers of the variables of roles, by folder and file.
    pub layers: HashMap<(PathBuf, Option<String>), Option<Arc<Layer>>>,
}

/// One expansion: what it yields and what is wrong with it.
pub(super) struct Builder<'a> {
    pub expander: &'a Expander,
    pub problems: Problems,
    /// Handlers of roles under `roles:`.
    pub role_handlers: Vec<Arc<Step>>,
    /// Handlers of imported and included roles.
    pub import_handlers: Vec<Arc<Step>>,
    pub layers: Vec<Arc<Layer>>,
    pub role_names: Vec<String>,
    pub dependency_names: Vec<String>,
}

/// The steps of a play, or all that is wrong with it.
pub fn expand(play: &Arc<Play>, project: &Arc<Project>, options: &Options) -> Result<PlaySteps, Vec<Diagnostic>> {
    let (steps, problems) = Expander::expand(play, project, options);
    if problems.iter().any(|problem| problem.severity == Severity::Error) { Err(problems) } else { Ok(steps) }
}

impl Expander {
    /// The steps of a play as far as they can be understood, and all that is wrong with it.
    pub fn expand(play: &Arc<Play>, project: &Arc<Project>, options: &Options) -> (PlaySteps, Vec<Diagnostic>) {
        let expander = Arc::new(Expander {
            project: project.clone(),
            play: play.clone(),
            selection: Selection { only: options.tags.clone(), skip: options.skip_tags.clone() },
            options: options.clone(),
            shared: Mutex::default(),
        });
        let mut builder = expander.builder();
        let context = expander.play_context();
        let items = builder.play(&context);
        let own = builder.handlers(&play.handlers, &Context { handlers: true, ..context });
        let mut handlers = std::mem::take(&mut builder.role_handlers);
        handlers.extend(own);
        handlers.append(&mut builder.import_handlers);
        builder.magic();
        let (mut layers, problems) = (builder.layers, kinds::all_known(builder.problems));
        layers.extend(layer(Level::PlayVars, "vars of the play", play.span, &play.base.vars));
        let items = match &options.start_at_task {
            Some(wanted) => start::from_task(&items, wanted),
            None => Some(items),
        };
        let started = items.is_some();
        let items = items.unwrap_or_default();
        (PlaySteps { play: play.clone(), items, handlers, layers, started, expander }, problems)
    }

    /// What `include_tasks` at `step` brings, as far as it can be understood, and all that is wrong with it. `file` is the
    /// rendered name, `params` the variables of the loop.
    pub fn include_tasks(&self, step: &Step, file: &str, params: &Map) -> (Included, Vec<Diagnostic>) {
        let mut builder = self.builder();
        let Work::IncludeTasks { file: asked, apply } = &step.work else { return builder.done(Vec::new()) };
        let Some(context) = builder.included_context(step, apply.as_deref(), params) else {
            return builder.done(Vec::new());
        };
        let Some(path) = builder.tasks_file(&context, file, asked.span, true) else { return builder.done(Vec::new()) };
        let shown = path.display().to_string();
        if !builder.goes_on(&context.included, &shown, asked.span) {
            return builder.done(Vec::new());
        }
        let included = context.included.iter().cloned().chain([shown]).collect();
        let items = builder.file(&path, asked.span, &Context { included, ..context });
        builder.done(items)
    }

    /// What `include_role` at `step` brings, as far as it can be understood, and all that is wrong with it. `args` are its
    /// rendered arguments, `params` the variables of the loop.
    pub fn include_role(&self, step: &Step, args: &Map, params: &Map) -> (Included, Vec<Diagnostic>) {
        let mut builder = self.builder();
        let Work::IncludeRole { args: asked, apply } = &step.work else { return builder.done(Vec::new()) };
        let Some(context) = builder.included_context(step, apply.as_deref(), params) else {
            return builder.done(Vec::new());
        };
        let own = step.layers.iter().filter(|layer| layer.level == Level::TaskVars).flat_map(|layer| &layer.values);
        let own = own.filter_map(|(name, binding)| match binding {
            Binding::Template(node) => Some((name.clone(), node.to_value())),
            _ => None,
        });
        let vars = own.chain(params.clone()).collect();
        let items = builder.role_by_args(args, role_span(asked), &context, false, &vars);
        builder.done(items)
    }

    /// A name as it is known before the run: by the variables of the play and the step, and those that the command line
    /// gives. `params` are the variables of the loop. None if it uses more than that.
    pub fn foresee(&self, step: &Step, node: &Node, params: &Map) -> Option<String> {
        let play = layer(Level::PlayVars, "vars of the play", self.play.span, &self.play.base.vars);
        let place = Arc::new(magic::layer(magic::of_place(&step.files)));
        let round = params.iter().map(|(name, value)| (name.clone(), Binding::Data(Arc::new(value.clone()))));
        let origin = Origin { text: "known before the run".to_owned(), span: step.span };
        let own = Layer { level: Level::Magic, origin, values: round.collect() };
        let layers = play.into_iter().chain(step.layers.iter().cloned()).chain(self.options.early.iter().cloned());
        super::early::text(node, layers.chain([place, Arc::new(own)]), (*step.files).clone()).ok()
    }

    /// The files of tasks that `pattern` fits, where an include at `step` looks for them.
    pub fn tasks_like(&self, step: &Step, pattern: &str) -> Vec<String> {
        let Some(context) = step.context.as_deref() else { return Vec::new() };
        let folder = Path::new(pattern).parent().filter(|folder| !folder.to_string_lossy().contains('*'));
        let Some(folder) = folder else { return Vec::new() };
        let roots = Builder::tasks_folders(context, true);
        let mut names: Vec<String> = Vec::new();
        for root in roots {
            names.extend(self.project.files_in(&root.join(folder)).into_iter().filter_map(|file| {
                let name = folder.join(file).to_string_lossy().into_owned();
                glob::matches(pattern, &name).then_some(name)
            }));
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    fn builder(&self) -> Builder<'_> {
        Builder {
            expander: self,
            problems: Problems::new(),
            role_handlers: Vec::new(),
            import_handlers: Vec::new(),
            layers: Vec::new(),
            role_names: Vec::new(),
            dependency_names: Vec::new(),
        }
    }

    pub(super) fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The folder of the playbook.
    pub(super) fn folder(&self) -> PathBuf {
        self.play.path.parent().map(Path::to_owned).unwrap_or_default()
    }

    fn play_context(&self) -> Context {
        let folder = self.folder();
        let files = SearchPath { roles: Vec::new(), task: folder.clone(), playbook: folder };
        let base = &self.play.base;
        let mut tags = Vec::new();
        add_tags(&mut tags, &base.tags);
        Context {
            keywords: Arc::new(base.keywords.clone()),
            when: base.when.clone(),
            tags,
            module_defaults: base.module_defaults.clone(),
            collections: base.collections.clone(),
            unsupported: base.unsupported.clone(),
            layers: Vec::new(),
            files: Arc::new(files),
            role: None,
            handlers: false,
            imports: Vec::new(),
            included: Vec::new(),
        }
    }
}

impl Builder<'_> {
    /// The sections of the play in order.
    fn play(&mut self, context: &Context) -> Vec<Item> {
        let play = self.expander.play.clone();
        let pre_tasks = self.items(&play.pre_tasks, context);
        let mut tasks: Vec<Item> = Vec::new();
        for role in &play.roles {
            tasks.extend(self.role_use(role, context));
        }
        tasks.extend(self.items(&play.tasks, context));
        let post_tasks = self.items(&play.post_tasks, context);
        let mut items: Vec<Item> = self.gather(context).into_iter().collect();
        let forces_handlers = self.forces_handlers();
        for section in [pre_tasks, tasks, post_tasks] {
            let flush = self.implicit(Work::Flush, context);
            if forces_handlers {
                // As an `always` section the flush is reached by hosts that failed, too.
                let always = flush.into_iter().collect();
                let block = Block { name: None, main: section, rescue: Vec::new(), always, has_rescue: false };
                items.push(Item::Block(Arc::new(block)));
            } else {
                items.extend(section);
                items.extend(flush);
            }
        }
        items
    }

    /// Whether handlers run on failed hosts too.
    fn forces_handlers(&mut self) -> bool {
        let expander = self.expander;
        let Some(node) = &expander.play.force_handlers else { return expander.options.force_handlers };
        match early::keyword("force_handlers", node, &expander.play, &expander.options) {
            Ok(value) => value == Value::Bool(true),
            Err(problem) => {
                self.problems.push(problem);
                false
            }
        }
    }

    fn gather(&mut self, context: &Context) -> Option<Item> {
        let mut step = self.implicit_step(Work::Gather, context);
        step.name = Some(Node::scalar(self.expander.play.span, "Gathering Facts").into());
        step.when.clone_from(&context.when);
        if !context.tags.is_empty() {
            step.tags.clone_from(&context.tags);
        }
        self.expander.selection.takes(&step.tags).then(|| Item::Step(Arc::new(step)))
    }

    /// A step that nobody wrote. Its tag is `always`; whatever tags are asked for, it stays.
    pub fn implicit(&mut self, work: Work, context: &Context) -> Option<Item> {
        Some(Item::Step(Arc::new(self.implicit_step(work, context))))
    }

    fn implicit_step(&mut self, work: Work, context: &Context) -> Step {
        let keywords = Arc::new(Keywords { run_once: None, ..(*context.keywords).clone() });
        Step {
            span: Span::default(),
            name: None,
            role: context.role.as_ref().map(|role| role.name.clone()),
            run: context.role.as_ref().and_then(|role| role.run),
            effects: effects::of(&work, &keywords),
            work,
            lacks: Vec::new(),
            when: Vec::new(),
            repeat: None,
            keywords,
            tags: vec!["always".to_owned()],
            layers: Vec::new(),
            files: context.files.clone(),
            listen: Vec::new(),
            context: None,
        }
    }

    /// Names of roles as magic variables.
    fn magic(&mut self) {
        let text = |names: &[String]| Value::from(names.to_vec());
        let mut all = self.role_names.clone();
        all.extend(self.dependency_names.iter().filter(|name| !self.role_names.contains(name)).cloned());
        let values = [
            ("ansible_play_role_names", text(&self.role_names)),
            ("role_names", text(&self.role_names)),
            ("ansible_dependent_role_names", text(&self.dependency_names)),
            ("ansible_role_names", text(&all)),
        ];
        let origin = Origin { text: "magic variables".to_owned(), span: Span::default() };
        let values =
            values.into_iter().map(|(name, value)| (name.to_owned(), Binding::Data(Arc::new(value)))).collect();
        self.layers.push(Arc::new(Layer { level: Level::Magic, origin, values }));
    }

    /// The number of a role's run.
    pub fn run(&self, identity: String) -> RoleRun {
        let mut shared = self.expander.shared();
        let next = shared.runs.len();
        let mut again = true;
        let id = *shared.runs.entry(identity).or_insert_with(|| {
            again = false;
            next
        });
        RoleRun { id, again }
    }

    /// What the contents of an include see: what surrounds the include, `apply`, its variables and those of its loop. Not
    /// its own keywords.
    fn included_context(&mut self, step: &Step, apply: Option<&Node>, params: &Map) -> Option<Context> {
        let around = step.context.as_deref()?;
        // What is imported from here on is imported anew: an include between makes no circle of it.
        let mut context = Context { imports: Vec::new(), ..around.clone() };
        if let Some(apply) = apply {
            let base = crate::playbook::apply_base(apply, &mut self.problems);
            context = context.inside(&base, apply.span, "vars under `apply`");
        }
        context.layers.extend(step.layers.iter().filter(|layer| layer.level == Level::TaskVars).map(|layer| {
            let origin = Origin { text: "vars of the include".to_owned(), span: layer.origin.span };
            Arc::new(Layer { level: Level::IncludeParams, origin, values: layer.values.clone() })
        }));
        if !params.is_empty() {
            let values = params.iter().map(|(k, v)| (k.clone(), Binding::Data(Arc::new(v.clone())))).collect();
            let origin = Origin { text: "loop of the include".to_owned(), span: step.span };
            context.layers.push(Arc::new(Layer { level: Level::IncludeParams, origin, values }));
        }
        Some(context)
    }

    fn done(mut self, items: Vec<Item>) -> (Included, Vec<Diagnostic>) {
        let mut handlers = self.role_handlers;
        handlers.append(&mut self.import_handlers);
        (Included { items, handlers, layers: self.layers }, kinds::all_known(self.problems))
    }
}

/// A layer of a role's `defaults` or `vars`.
impl Builder<'_> {
    /// Reads (once) what a role's folder of variables holds.
    pub fn role_layer(
        &mut self,
        role: &str,
        path: &Path,
        kind: &str,
        from: Option<&str>,
        asked: Span,
    ) -> Option<Arc<Layer>> {
        let folder = path.join(kind);
        let key = (folder.clone(), from.map(str::to_owned));
        if let Some(known) = self.expander.shared().layers.get(&key) {
            return known.clone();
        }
        let found = self.expander.project.role_vars(&folder, from);
        if let (None, Some(from)) = (&found, from) {
            let message = format!("the role `{role}` has no {kind} file `{from}`");
            self.problems.push(Diagnostic::error(asked, message).of(&kinds::MISSING_ROLE_FILE));
        }
        let made = found.and_then(|parsed| {
            self.problems.extend(parsed.problems.iter().cloned());
            let (level, word) = match kind {
                "defaults" => (Level::RoleDefaults, "defaults"),
                _ => (Level::RoleVars, "vars"),
            };
            layer(level, &format!("{word} of role {role}"), asked, &parsed.value)
        });
        self.expander.shared().layers.insert(key, made.clone());
        made
    }
}

/// Where the arguments of an import or include name the role.
pub(super) fn role_span(args: &Node) -> Span {
    args.get("name").or_else(|| args.get("role")).map_or(args.span, |node| node.span)
}
