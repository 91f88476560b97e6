//! Roles as steps: dependencies first, each with the variables that it sees.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::context::{Context, layer, values};
use super::expand::Builder;
use super::in_role::{InRole, Own};
use super::items::flatten;
use super::{Item, RoleRun, Work};
use crate::diagnostic::{Diagnostic, kinds};
use crate::modules::validate_argument_spec;
use crate::playbook::{self, Action, Base, Role, RoleUse, Task};
use crate::source::Span;
use crate::template::SearchPath;
use crate::value::{Map, Value};
use crate::vars::Level;
use crate::yaml::{Entry, Node, NodeKind, Nodes, Tag};

/// Which files of a role are meant: `tasks_from` and its kin.
#[derive(Clone, Debug, Default)]
struct From {
    tasks: Option<String>,
    handlers: Option<String>,
    defaults: Option<String>,
    vars: Option<String>,
}

/// How a role comes into the play.
struct Use<'a> {
    name: &'a str,
    span: Span,
    from: From,
    /// What makes two uses the same, beside the role and its files.
    identity: String,
    vars: &'a Nodes,
    params: &'a Nodes,
    /// `allow_duplicates` where the use decides on it.
    allow_duplicates: Option<bool>,
    /// Whether the whole play sees its variables.
    public: bool,
    /// Whether its parameters are checked, where it says what they must be.
    validate: bool,
    /// By `import_role` or `include_role`.
    included: bool,
    /// Before the run: a cycle can only be a mistake.
    is_static: bool,
    parents: Vec<Arc<InRole>>,
}

impl Builder<'_> {
    /// A role under `roles:`.
    pub fn role_use(&mut self, role: &RoleUse, context: &Context) -> Vec<Item> {
        self.named_role(role, context, Vec::new(), true).map(|(items, _)| items).unwrap_or_default()
    }

    /// A role under `roles:` or in `dependencies`.
    fn named_role(
        &mut self,
        role: &RoleUse,
        context: &Context,
        parents: Vec<Arc<InRole>>,
        public: bool,
    ) -> Option<(Vec<Item>, Arc<InRole>)> {
        let name = self.early_text(&role.role, context)?;
        let inner = context.inside(&Base { vars: Nodes::new(), ..role.base.clone() }, role.span, "role");
        let use_ = Use {
            name: &name,
            span: role.role.span,
            from: From::default(),
            identity: identity(&role.base, &role.params),
            vars: &role.base.vars,
            params: &role.params,
            allow_duplicates: None,
            public,
            validate: true,
            included: false,
            is_static: true,
            parents,
        };
        self.expand_role(use_, &inner)
    }

    /// A role by the arguments of `import_role` or `include_role`. `vars` are those of the task, which tell one use from
    /// another; the context holds them already.
    pub fn role_by_args(
        &mut self,
        args: &Map,
        span: Span,
        context: &Context,
        is_static: bool,
        vars: &Map,
    ) -> Vec<Item> {
        let text = |key: &str| args.get(key).and_then(Value::as_str).map(str::to_owned);
        let flag = |key: &str| args.get(key).and_then(|value| <bool as crate::module::Arg>::read(value).ok());
        let Some(name) = text("name").or_else(|| text("role")) else {
            self.problems.push(Diagnostic::error(span, "the role has no name"));
            return Vec::new();
        };
        let none = Nodes::new();
        let use_ = Use {
            name: &name,
            span,
            from: From {
                tasks: text("tasks_from"),
                handlers: text("handlers_from"),
                defaults: text("defaults_from"),
                vars: text("vars_from"),
            },
            identity: format!("{vars:?}"),
            vars: &none,
            params: &none,
            allow_duplicates: Some(flag("allow_duplicates").unwrap_or(true)),
            public: flag("public").unwrap_or(is_static),
            validate: flag("rolespec_validate").unwrap_or(true),
            included: true,
            is_static,
            parents: context.role.iter().flat_map(|role| role.parents.iter().chain([role])).cloned().collect(),
        };
        self.expand_role(use_, context).map(|(items, _)| items).unwrap_or_default()
    }

    fn expand_role(&mut self, use_: Use, context: &Context) -> Option<(Vec<Item>, Arc<InRole>)> {
        let (path, name) = self.find_role(&use_, &context.collections)?;
        let use_ = Use { name: &name, ..use_ };
        match use_.is_static {
            true => self.refuse_cycle(&use_, &path)?,
            false => {
                let chain: Vec<String> = use_.parents.iter().map(|parent| parent.name.clone()).collect();
                self.goes_on(&chain, use_.name, use_.span).then_some(())?;
            }
        }
        let parsed = self.expander.project.role(use_.name, &path);
        self.problems.extend(parsed.problems.iter().cloned());
        let role = &parsed.value;
        let own = self.own_vars(&use_, &path);
        let run = self.run_of(&use_, role, &path);
        let mut items = Vec::new();

        // Dependencies see the parameters of the role that asks for them, so it comes first as their parent.
        let outline = Arc::new(self.in_role(&use_, &path, run, &own, Vec::new()));
        let mut dependencies: Vec<Arc<InRole>> = Vec::new();
        for dependency in &role.dependencies {
            let parents = use_.parents.iter().cloned().chain([outline.clone()]).collect();
            let Some((steps, inner)) = self.named_role(dependency, context, parents, use_.public) else { continue };
            items.extend(steps);
            dependencies.extend(inner.dependencies.iter().cloned());
            if !self.dependency_names.contains(&inner.name) {
                self.dependency_names.push(inner.name.clone());
            }
            dependencies.push(inner);
        }
        let in_role = Arc::new(self.in_role(&use_, &path, run, &own, dependencies));
        self.publish(&use_, &in_role);

        let roles = std::iter::once(&path).chain(use_.parents.iter().rev().map(|parent| &parent.path));
        let files = SearchPath {
            roles: roles.cloned().collect(),
            task: path.join("tasks"),
            playbook: context.files.playbook.clone(),
        };
        let mut inner =
            Context { role: Some(in_role.clone()), files: Arc::new(files), handlers: false, ..context.clone() };
        if let Some((collection, _)) = name.rsplit_once('.').filter(|(collection, _)| collection.contains('.')) {
            inner.collections = vec![collection.to_owned()];
        }
        self.role_handlers_of(&use_, &in_role, &inner);
        items.extend(self.role_tasks(&use_, &in_role, role.argument_specs.as_deref(), &inner));
        items.extend(self.implicit(Work::RoleEnd, &inner));
        Some((items, in_role))
    }

    fn find_role(&mut self, use_: &Use, collections: &[String]) -> Option<(PathBuf, String)> {
        let asking = use_.parents.last().map(|parent| parent.path.as_path());
        let folder = self.expander.folder();
        match self.expander.project.find_role(use_.name, collections, &folder, asking) {
            Ok(found) => Some(found),
            Err(searched) => {
                let names = self.expander.project.role_names(&folder);
                let searched: Vec<_> = searched.iter().map(|folder| folder.display().to_string()).collect();
                self.problems.push(
                    Diagnostic::error(use_.span, format!("there is no role `{}`", use_.name))
                        .of(&kinds::MISSING_ROLE)
                        .suggest(use_.name, names.iter().map(String::as_str))
                        .or_help(format!("looked in {}", searched.join(", "))),
                );
                None
            }
        }
    }

    fn refuse_cycle(&mut self, use_: &Use, path: &Path) -> Option<()> {
        let Some(start) = use_.parents.iter().position(|parent| parent.path == path) else { return Some(()) };
        let cycle: Vec<&str> =
            use_.parents[start..].iter().map(|parent| parent.name.as_str()).chain([use_.name]).collect();
        self.problems.push(
            Diagnostic::error(use_.span, format!("the role `{}` depends on itself: {}", use_.name, cycle.join(" → ")))
                .of(&kinds::ENDLESS_INCLUDE)
                .help("move what they share into a role that both depend on"),
        );
        None
    }

    fn own_vars(&mut self, use_: &Use, path: &Path) -> Own {
        Own {
            defaults: self.role_layer(use_.name, path, "defaults", use_.from.defaults.as_deref(), use_.span),
            vars: self.role_layer(use_.name, path, "vars", use_.from.vars.as_deref(), use_.span),
            used: layer(Level::RoleVars, &format!("vars given to role {}", use_.name), use_.span, use_.vars),
            params: layer(Level::RoleParams, &format!("parameters of role {}", use_.name), use_.span, use_.params),
        }
    }

    fn run_of(&mut self, use_: &Use, role: &Role, path: &Path) -> Option<RoleRun> {
        if use_.allow_duplicates.unwrap_or(role.allow_duplicates) {
            return None;
        }
        let identity = format!("{} {} {:?} {}", path.display(), use_.included, use_.from, use_.identity);
        Some(self.run(identity))
    }

    fn in_role(
        &self,
        use_: &Use,
        path: &Path,
        run: Option<RoleRun>,
        own: &Own,
        dependencies: Vec<Arc<InRole>>,
    ) -> InRole {
        let mut role = InRole {
            name: use_.name.to_owned(),
            path: path.to_owned(),
            run,
            layers: Vec::new(),
            own: own.clone(),
            parents: use_.parents.clone(),
            dependencies,
        };
        role.layers = role.visible();
        role
    }

    /// Makes a public role's variables, and those of its dependencies, visible to the whole play.
    fn publish(&mut self, use_: &Use, role: &InRole) {
        if !use_.public {
            return;
        }
        if (use_.parents.is_empty() || use_.included) && !self.role_names.contains(&role.name) {
            self.role_names.push(role.name.clone());
        }
        let of = |role: &InRole| [role.own.defaults.clone(), role.own.vars.clone()];
        for layer in role.dependencies.iter().flat_map(|dependency| of(dependency)).chain(of(role)).flatten() {
            // The last role that brings it decides where it stands.
            self.layers.retain(|known| !Arc::ptr_eq(known, &layer));
            self.layers.push(layer);
        }
    }

    fn role_tasks(&mut self, use_: &Use, role: &InRole, specs: Option<&Node>, context: &Context) -> Vec<Item> {
        let mut items: Vec<Item> = self.validation(use_, role, specs, context).into_iter().collect();
        if let Some(file) = self.role_file(use_, role, "tasks", use_.from.tasks.as_deref()) {
            items.extend(self.file(&file, use_.span, context));
        }
        items
    }

    /// The step that checks the role's parameters, where it says what they must be.
    fn validation(&mut self, use_: &Use, role: &InRole, specs: Option<&Node>, context: &Context) -> Option<Item> {
        let entry = use_.from.tasks.as_deref().unwrap_or("main");
        let entry = entry.strip_suffix(".yml").unwrap_or(entry);
        let entry_spec = specs.filter(|_| use_.validate)?.get(entry)?;
        let span = entry_spec.span;
        let title = match entry_spec.get("short_description").and_then(Node::as_str) {
            Some(about) => format!("Validating arguments against arg spec '{entry}' - {about}"),
            None => format!("Validating arguments against arg spec '{entry}'"),
        };
        // A description may well show braces: nothing in it is a template.
        let options = Node { tag: Some(Tag::Unsafe), ..entry_spec.get("options")?.clone() };
        let said =
            |value: &str| Entry { key: span, value: Node { tag: Some(Tag::Unsafe), ..Node::scalar(span, value) } };
        let about = [
            ("type", "role"),
            ("name", &role.name),
            ("argument_spec_name", entry),
            ("path", &role.path.to_string_lossy()),
        ];
        let about = about.map(|(name, value)| (name.to_owned(), said(value))).into_iter().collect();
        let about = Node { span, kind: NodeKind::Map(about), tag: None };
        let args = [
            ("argument_spec".to_owned(), Entry { key: options.span, value: options }),
            ("validate_args_context".to_owned(), Entry { key: span, value: about }),
        ];
        let action = Action::Call {
            spec: &validate_argument_spec::SPEC,
            args: Arc::new(Node { span: entry_spec.span, kind: NodeKind::Map(args.into_iter().collect()), tag: None }),
        };
        let always = Node::scalar(entry_spec.span, "always");
        let base = Base {
            name: Some(Node::scalar(entry_spec.span, title).into()),
            tags: vec![always.into()],
            ..Base::default()
        };
        let task = Task { span, base, action, action_span: span, repeat: None, listen: Vec::new() };
        self.items(&[playbook::Item::Task(Box::new(task))], context).pop()
    }

    fn role_handlers_of(&mut self, use_: &Use, role: &InRole, context: &Context) {
        // The same role once more has the same handlers.
        if role.run.is_some_and(|run| run.again) {
            return;
        }
        let Some(file) = self.role_file(use_, role, "handlers", use_.from.handlers.as_deref()) else { return };
        let context = Context { handlers: true, ..context.clone() };
        let mut handlers = Vec::new();
        flatten(&self.file(&file, use_.span, &context), &mut handlers);
        let target = if use_.included { &mut self.import_handlers } else { &mut self.role_handlers };
        target.extend(handlers);
    }

    fn role_file(&mut self, use_: &Use, role: &InRole, kind: &str, from: Option<&str>) -> Option<PathBuf> {
        let found = self.expander.project.role_file(&role.path.join(kind), from);
        if let (None, Some(from)) = (&found, from) {
            let message = format!("the role `{}` has no file `{kind}/{from}`", role.name);
            self.problems.push(Diagnostic::error(use_.span, message).of(&kinds::MISSING_ROLE_FILE));
        }
        found
    }
}

/// What tells one use of a role from another, beside the role itself: two with equal texts are the same.
fn identity(base: &Base, params: &Nodes) -> String {
    let when: Vec<_> = base.when.iter().map(|node| node.to_value()).collect();
    let tags: Vec<_> = base.tags.iter().map(|node| node.to_value()).collect();
    format!("{:?} {when:?} {tags:?} {:?}", values(params), values(&base.vars))
}
