//! Tasks and blocks as steps, with all that they inherit.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

use super::context::{Context, add_tags, layer, values};
use super::effects;
use super::expand::{Builder, role_span};
use super::{Block, Item, Step, Work};
use crate::catalog;
use crate::diagnostic::{Diagnostic, kinds};
use crate::module::{Effects, ModuleSpec, Place};
use crate::modules;
use crate::playbook::{self, Action, Task, TasksFile};
use crate::source::Span;
use crate::template::SearchPath;
use crate::vars::Level;
use crate::yaml::{Entry, Node, NodeKind};

/// How often something may include itself: more than any tree of files is deep.
const ROUNDS: usize = 100;

/// Stands for a module that does not exist: the problem is reported, and the checks go on with the rest of the task.
pub(crate) static UNKNOWN: ModuleSpec = ModuleSpec {
    name: "unknown",
    collection: "",
    aliases: &[],
    doc: || "",
    params: || &[],
    free_form: None,
    any_arguments: true,
    place: Place::Controller,
    effects: |_| Effects::none(),
    once: false,
    build: None,
};

impl Builder<'_> {
    /// The steps of a list of tasks. Blocks of which no step is left are left out.
    pub fn items(&mut self, items: &[playbook::Item], context: &Context) -> Vec<Item> {
        let mut steps = Vec::new();
        for item in items {
            match item {
                playbook::Item::Task(task) => self.task(task, context, &mut steps),
                playbook::Item::Block(block) => {
                    let inner = context.inside(&block.base, block.span, "vars of the block");
                    let expanded = Block {
                        name: block.base.name.as_ref().and_then(|name| name.as_str()).map(str::to_owned),
                        main: self.items(&block.main, &inner),
                        rescue: self.items(&block.rescue, &inner),
                        always: self.items(&block.always, &inner),
                        has_rescue: block.has_rescue,
                    };
                    if !(expanded.main.is_empty() && expanded.rescue.is_empty() && expanded.always.is_empty()) {
                        steps.push(Item::Block(Arc::new(expanded)));
                    }
                }
            }
        }
        steps
    }

    /// Handlers, flat. Tags do not select among them.
    pub fn handlers(&mut self, items: &[playbook::Item], context: &Context) -> Vec<Arc<Step>> {
        let mut steps = Vec::new();
        flatten(&self.items(items, context), &mut steps);
        steps
    }

    fn task(&mut self, task: &Task, context: &Context, steps: &mut Vec<Item>) {
        match &task.action {
            Action::ImportTasks(file) => steps.extend(self.import_tasks(task, file, context)),
            Action::ImportRole(args) => {
                let inner = context.inside(&task.base, task.span, "vars of the import");
                let Some(rendered) = self.early_args(args, &inner) else { return };
                steps.extend(self.role_by_args(&rendered, role_span(args), &inner, true, &values(&task.base.vars)));
            }
            _ => {
                let step = self.step(task, context);
                if context.handlers || self.expander.selection.takes(&step.tags) {
                    steps.push(Item::Step(Arc::new(step)));
                }
            }
        }
    }

    fn step(&mut self, task: &Task, context: &Context) -> Step {
        let mut tags = context.tags.clone();
        add_tags(&mut tags, &task.base.tags);
        let mut when = context.when.clone();
        when.extend(task.base.when.iter().cloned());
        let mut layers = context.role.as_ref().map(|role| role.layers.clone()).unwrap_or_default();
        layers.extend(context.layers.iter().cloned());
        layers.extend(layer(Level::TaskVars, "vars of the task", task.span, &task.base.vars));
        let (work, is_include) = self.work(task, context);
        let keywords = Arc::new(task.base.keywords.inside(&context.keywords));
        let mut lacks: Vec<_> = context.unsupported.iter().chain(&task.base.unsupported).cloned().collect();
        lacks.extend(self.lacking(task, context));
        self.problems.extend(self.unknown_loop(task, context));
        Step {
            span: task.span,
            lacks,
            name: task.base.name.clone(),
            role: context.role.as_ref().map(|role| role.name.clone()),
            run: context.role.as_ref().and_then(|role| role.run),
            effects: effects::of(&work, &keywords),
            work,
            when,
            repeat: task.repeat.clone(),
            keywords,
            tags,
            layers,
            files: context.files.clone(),
            listen: task.listen.iter().filter_map(|node| node.as_str()).map(str::to_owned).collect(),
            context: is_include.then(|| Arc::new(context.clone())),
        }
    }

    fn work(&mut self, task: &Task, context: &Context) -> (Work, bool) {
        match &task.action {
            Action::Call { spec, args } => {
                if is_flush(spec, args) && task.base.when.is_empty() && context.when.is_empty() {
                    return (Work::Flush, false);
                }
                let args =
                    self.with_defaults(spec, args, &[context.module_defaults.as_slice(), &task.base.module_defaults]);
                (Work::Call { spec, name: task.action_span, args }, false)
            }
            Action::IncludeTasks(TasksFile { file, apply }) => {
                (Work::IncludeTasks { file: file.clone(), apply: apply.clone() }, true)
            }
            Action::IncludeRole(args) => {
                let apply = args.get("apply").map(|apply| Arc::new(apply.clone()));
                (Work::IncludeRole { args: args.clone(), apply }, true)
            }
            // Imports never come here.
            Action::Foreign(_) | Action::Unknown | Action::ImportTasks(_) | Action::ImportRole(_) => {
                let args = Arc::new(Node { span: task.action_span, kind: NodeKind::Map(IndexMap::new()), tag: None });
                (Work::Call { spec: &UNKNOWN, name: task.action_span, args }, false)
            }
        }
    }

    /// A loop over a lookup that nobody has: no word of the language, wherever it stands.
    fn unknown_loop(&self, task: &Task, context: &Context) -> Option<Diagnostic> {
        let name = &task.repeat.as_ref()?.kind;
        let unknown = task.base.unsupported.iter().find(|problem| problem.kind == Some(&kinds::UNKNOWN_LOOKUP))?;
        let own = self.expander.project.own_plugin(catalog::Kind::Lookup, name, &context.files);
        own.is_none().then(|| (**unknown).clone().of(&kinds::UNKNOWN_KEYWORD))
    }

    /// What is wrong with a module that wodctl lacks. One that nobody has is wrong wherever it stands.
    fn lacking(&mut self, task: &Task, context: &Context) -> Option<Arc<Diagnostic>> {
        let Action::Foreign(foreign) = &task.action else { return None };
        let name = &foreign.name;
        let known = catalog::find(catalog::Kind::Module, name).map(|full| match full == *name {
            true => "it is one of the `ansible` package".to_owned(),
            false => format!("it is `{full}` of the `ansible` package"),
        });
        let own = || {
            let found = self.expander.project.own_plugin(catalog::Kind::Module, name, &context.files)?;
            Some(format!("it is the project's own: {}", found.display()))
        };
        let Some(whose) = known.or_else(own) else {
            self.problems.push((*foreign.unknown).clone());
            return Some(Arc::new((*foreign.unknown).clone()));
        };
        let problem = Diagnostic::error(task.action_span, format!("wodctl has no module `{name}`"))
            .of(&kinds::UNSUPPORTED_MODULE)
            .label(whose)
            .help("`wodctl doc` lists the modules that there are; a task that is never carried out may name others");
        Some(Arc::new(problem))
    }

    /// The arguments over those that `module_defaults` give the module, the nearest defaults over the outer ones.
    fn with_defaults(&mut self, spec: &'static ModuleSpec, args: &Arc<Node>, defaults: &[&[Arc<Node>]]) -> Arc<Node> {
        let mut merged: IndexMap<String, Entry> = IndexMap::new();
        for node in defaults.iter().copied().flatten() {
            for (name, entry) in node.as_map().into_iter().flatten() {
                let is_meant = modules::find(name).is_some_and(|found| std::ptr::eq(found, spec));
                if let (true, Some(given)) = (is_meant, entry.value.as_map()) {
                    merged.extend(given.iter().map(|(key, entry)| (key.clone(), entry.clone())));
                }
            }
        }
        if merged.is_empty() {
            return args.clone();
        }
        merged.extend(args.as_map().into_iter().flatten().map(|(key, entry)| (key.clone(), entry.clone())));
        Arc::new(Node { span: args.span, kind: NodeKind::Map(merged), tag: args.tag })
    }

    fn import_tasks(&mut self, task: &Task, file: &TasksFile, context: &Context) -> Vec<Item> {
        let inner = context.inside(&task.base, task.span, "vars of the import");
        let Some(name) = self.early_text(&file.file, &inner) else { return Vec::new() };
        let Some(path) = self.tasks_file(&inner, &name, file.file.span, false) else { return Vec::new() };
        if inner.imports.contains(&path) {
            let message = format!("{} imports itself", path.display());
            self.problems.push(
                Diagnostic::error(file.file.span, message)
                    .of(&kinds::ENDLESS_INCLUDE)
                    .help("an `include_tasks` with a `when` may include its own file"),
            );
            return Vec::new();
        }
        self.file(&path, file.file.span, &inner)
    }

    /// The steps of a file of tasks.
    pub fn file(&mut self, path: &Path, asked: Span, context: &Context) -> Vec<Item> {
        let parsed = self.expander.project.tasks(path, context.handlers, asked);
        self.problems.extend(parsed.problems.iter().cloned());
        let mut inner = context.clone();
        let task = path.parent().map(Path::to_owned).unwrap_or_default();
        inner.files = Arc::new(SearchPath { task, ..(*context.files).clone() });
        inner.imports.push(path.to_owned());
        self.items(&parsed.value, &inner)
    }

    /// Whether `next` may be included once more behind `chain`. What includes itself ends by its own `when`, or here.
    pub fn goes_on(&mut self, chain: &[String], next: &str, asked: Span) -> bool {
        if chain.iter().filter(|one| *one == next).count() < ROUNDS {
            return true;
        }
        let last = chain.iter().rposition(|one| one == next).unwrap_or_default();
        let circle: Vec<&str> = chain[last..].iter().map(String::as_str).chain([next]).collect();
        self.problems.push(
            Diagnostic::error(asked, format!("`{next}` includes itself without end: {}", circle.join(" → ")))
                .of(&kinds::ENDLESS_INCLUDE)
                .help(format!("after {ROUNDS} rounds no `when` has ended it")),
        );
        false
    }

    /// Where files of tasks are looked for, best first.
    pub fn tasks_folders(context: &Context, dynamic: bool) -> Vec<PathBuf> {
        let folder = if context.handlers { "handlers" } else { "tasks" };
        let files = &context.files;
        let mut folders = vec![files.task.clone()];
        if let Some(role) = &context.role {
            folders.extend([role.path.join(folder), role.path.join("tasks"), role.path.clone()]);
            // An include looks into the role's own folder first, an import beside the file that it stands in.
            if dynamic {
                folders.rotate_left(1);
            }
        } else {
            folders.push(files.task.join(folder));
        }
        folders.extend([files.playbook.join(folder), files.playbook.clone()]);
        folders
    }

    /// The file that an import or include means: in the role's `tasks`, or beside the file that asks, or beside the
    /// playbook.
    pub fn tasks_file(&mut self, context: &Context, name: &str, asked: Span, dynamic: bool) -> Option<PathBuf> {
        let candidates: Vec<_> =
            Self::tasks_folders(context, dynamic).into_iter().map(|folder| folder.join(name)).collect();
        if let Some(found) = candidates.iter().find(|path| path.is_file()) {
            return Some(found.clone());
        }
        let mut places: Vec<String> = Vec::new();
        for path in &candidates {
            let place = path.display().to_string();
            if !places.contains(&place) {
                places.push(place);
            }
        }
        self.problems.push(
            Diagnostic::error(asked, format!("there is no file of tasks `{name}`"))
                .of(&kinds::MISSING_FILE)
                .help(format!("looked for {}", places.join(", "))),
        );
        None
    }
}

/// The steps of a list and of the blocks in it.
pub(super) fn flatten(items: &[Item], steps: &mut Vec<Arc<Step>>) {
    for item in items {
        match item {
            Item::Step(step) => steps.push(step.clone()),
            Item::Block(block) => flatten(&block.main, steps),
        }
    }
}

/// Whether a call of `meta` is nothing but a flush of handlers.
fn is_flush(spec: &ModuleSpec, args: &Node) -> bool {
    spec.name == "meta"
        && args.as_map().is_some_and(|map| {
            map.values().next().is_some_and(|entry| map.len() == 1 && entry.value.as_str() == Some("flush_handlers"))
        })
}
