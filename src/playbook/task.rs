//! Tasks, handlers and blocks.

use std::sync::Arc;

use indexmap::IndexMap;

use super::fields::{self, check, expected, is_template};
use super::keywords::{self, BLOCK, HANDLER, TASK};
use super::{Action, Base, Block, Foreign, Item, Loop, Problems, Task, TasksFile, action, free_form};
use crate::diagnostic::{Diagnostic, Severity, kinds, nearest};
use crate::module::ModuleSpec;
use crate::modules;
use crate::source::{self, Span};
use crate::template::{self, lookups};
use crate::yaml::{Entry, Node, NodeKind};

/// What is no module but part of the language.
const STATEMENTS: &[&str] = &["include_tasks", "import_tasks", "include_role", "import_role"];

/// The keywords that a dynamic include may have.
const INCLUDE_KEYWORDS: &[&str] = &[
    "action",
    "args",
    "collections",
    "debugger",
    "ignore_errors",
    "listen",
    "local_action",
    "loop",
    "loop_control",
    "name",
    "no_log",
    "register",
    "run_once",
    "tags",
    "timeout",
    "vars",
    "when",
];

/// Reads a list of tasks and blocks. `what` names it in messages.
pub(super) fn tasks(node: Node, what: &str, handlers: bool, problems: &mut Problems) -> Vec<Item> {
    fields::items(node, what, problems).into_iter().filter_map(|node| item(node, handlers, problems)).collect()
}

fn item(node: Node, handlers: bool, problems: &mut Problems) -> Option<Item> {
    let span = node.span;
    let what = if handlers { "a handler" } else { "a task" };
    let entries = fields::entries(node, what, problems)?;
    let section = ["block", "rescue", "always"].into_iter().find_map(|key| entries.get(key));
    match section {
        Some(_) => Some(Item::Block(Box::new(block(span, entries, handlers, problems)))),
        None => Some(Item::Task(Box::new(task(span, entries, handlers, problems)))),
    }
}

/// A block. One among handlers only groups them: nothing is rescued there.
fn block(span: Span, entries: IndexMap<String, Entry>, handlers: bool, problems: &mut Problems) -> Block {
    if let (None, Some((key, entry))) =
        (entries.get("block"), entries.iter().find(|(key, _)| matches!(key.as_str(), "rescue" | "always")))
    {
        problems.push(Diagnostic::error(entry.key, format!("`{key}` needs a `block` beside it")));
    }
    let (mut main, mut rescue, mut always) = (Vec::new(), Vec::new(), Vec::new());
    let mut has_rescue = false;
    let base = fields::walk(
        entries,
        BLOCK,
        problems,
        |key, entry, problems| {
            if handlers && key != "block" {
                problems.push(
                    Diagnostic::warning(entry.key, format!("`{key}` has no effect among handlers")).help(
                        "put the handlers of the block into the list, or include a file of tasks that has a block",
                    ),
                );
            }
            let items = tasks(entry.value, &format!("`{key}`"), handlers, problems);
            match key {
                "rescue" => (rescue, has_rescue) = (items, true),
                "always" => always = items,
                _ => main = items,
            }
        },
        |key, entry, problems| keywords::unknown(&key, &entry, BLOCK, problems),
    );
    Block { span, base, main, rescue, always, has_rescue }
}

/// The parts of a task until it is known which module it calls.
#[derive(Default)]
struct Parts {
    span: Span,
    action: Option<Entry>,
    local_action: Option<Entry>,
    args: Option<Node>,
    loops: Vec<(String, Entry)>,
    loop_control: Option<Node>,
    listen: Vec<Arc<Node>>,
    // Keys that are no keywords: the module, if all is well.
    others: Vec<(String, Entry)>,
    given: Vec<(String, Span)>,
}

fn task(span: Span, entries: IndexMap<String, Entry>, handler: bool, problems: &mut Problems) -> Task {
    let mut parts = Parts { span, ..Parts::default() };
    parts.given = entries.iter().map(|(key, entry)| (key.clone(), entry.key)).collect();
    let place = if handler { HANDLER } else { TASK };
    let mut others = Vec::new();
    let mut base = fields::walk(
        entries,
        place,
        problems,
        |key, entry, _| match key {
            "action" => parts.action = Some(entry),
            "local_action" => parts.local_action = Some(entry),
            "args" => parts.args = Some(entry.value),
            "loop" => parts.loops.push(("loop".to_owned(), entry)),
            "loop_control" => parts.loop_control = Some(entry.value),
            _ => parts.listen = fields::many(entry.value),
        },
        |key, entry, _| others.push((key, entry)),
    );
    for (key, entry) in others {
        match key.strip_prefix("with_") {
            Some(lookup) => parts.loops.push((lookup.to_owned(), entry)),
            None => parts.others.push((key, entry)),
        }
    }
    let (action, action_span) = parts.action(&mut base, place, problems);
    if matches!(action, Action::IncludeTasks(_) | Action::IncludeRole(_)) {
        refuse_keywords(&parts.given, action_span, problems);
    }
    let repeat = parts.repeat(problems);
    base.unsupported.extend(repeat.as_ref().and_then(unknown_loop));
    if let (Action::ImportTasks(_) | Action::ImportRole(_), Some(repeat)) = (&action, &repeat) {
        problems.push(
            Diagnostic::error(repeat.span, "an import cannot be looped over: it is resolved once, before the run")
                .help("use `include_tasks` or `include_role`"),
        );
    }
    if let (true, Action::ImportRole(_) | Action::IncludeRole(_)) = (handler, &action) {
        problems.push(Diagnostic::error(action_span, "a role cannot be a handler"));
    }
    Task { span, base, action, action_span, repeat, listen: parts.listen }
}

/// A loop over a lookup that wodctl lacks, or that nobody has.
fn unknown_loop(repeat: &Loop) -> Option<Arc<Diagnostic>> {
    let name = repeat.kind.as_str();
    if name == "loop"
        || lookups::names().any(|known| known == name || name.strip_prefix("ansible.builtin.") == Some(known))
    {
        return None;
    }
    let known: Vec<String> = lookups::names().map(str::to_owned).collect();
    Some(Arc::new(template::unknown_name(repeat.span, "lookup", name, &known)))
}

/// An include passes nothing on but what `apply` says, so most keywords on it would do nothing.
fn refuse_keywords(given: &[(String, Span)], action: Span, problems: &mut Problems) {
    for (key, span) in given {
        if keywords::find(key, TASK).is_some() && !INCLUDE_KEYWORDS.contains(&key.as_str()) {
            problems.push(
                Diagnostic::error(*span, format!("`{key}` has no effect on a dynamic include"))
                    .note(action, "included when the run comes here")
                    .help(format!("put it under `apply:` of the include, or import instead: `apply: {{{key}: …}}`")),
            );
        }
    }
}

impl Parts {
    /// Finds out which module is called, with which arguments.
    fn action(&mut self, base: &mut Base, place: u8, problems: &mut Problems) -> (Action, Span) {
        let mut found = std::mem::take(&mut self.others);
        if found.len() > 1 {
            found = self.settle(found, place, problems);
        }
        for (key, entry) in [("action", self.action.take()), ("local_action", self.local_action.take())] {
            let Some(entry) = entry else { continue };
            if key == "local_action" {
                base.keywords.delegate_to = Some(Node::scalar(entry.key, "localhost").into());
            }
            if let Some(named) = old_style(entry, key, problems) {
                found.push(named);
            } else if found.is_empty() {
                return (Action::Unknown, self.span);
            }
        }
        let mut found = found.into_iter();
        let Some((name, entry)) = found.next() else {
            problems.push(
                Diagnostic::error(first_line(self.span), "this task calls no module")
                    .help("a task has the name of a module as a key, for example `command: uptime`"),
            );
            return (Action::Unknown, self.span);
        };
        for (other, second) in found {
            problems.push(
                Diagnostic::error(second.key, format!("one task cannot call both `{name}` and `{other}`"))
                    .note(entry.key, "the first one")
                    .help("make two tasks of it"),
            );
        }
        let span = entry.key;
        (self.call(&name, entry, place, problems), span)
    }

    /// Several keys are no keywords: those that name a module are meant as such, the others are mistakes.
    fn settle(&self, found: Vec<(String, Entry)>, place: u8, problems: &mut Problems) -> Vec<(String, Entry)> {
        let is_known = |name: &str| statement(name).is_some() || modules::find(name).is_some();
        let (known, unknown): (Vec<_>, Vec<_>) = found.into_iter().partition(|(name, _)| is_known(name));
        let mut unknown = unknown.into_iter();
        // With no known module the first unknown key that looks like no keyword is the module.
        let mut known = known;
        if known.is_empty() && self.action.is_none() && self.local_action.is_none() {
            let mut rest: Vec<_> = unknown.collect();
            let near = |name: &str| nearest(name, keywords::names(place)).is_some();
            let index = rest.iter().position(|(name, _)| !near(name)).unwrap_or(0);
            known.push(rest.remove(index));
            unknown = rest.into_iter();
        }
        for (key, entry) in unknown {
            keywords::unknown(&key, &entry, place, problems);
        }
        known
    }

    fn call(&mut self, name: &str, entry: Entry, place: u8, problems: &mut Problems) -> Action {
        let key = entry.key;
        if let Some(statement) = statement(name) {
            let Some(args) = self.arguments(entry, statement, Some("_raw_params"), false, problems) else {
                return Action::Unknown;
            };
            return statement_action(statement, args, key, problems);
        }
        if crate::template::is_template(name) {
            return self.named_later(name, entry, problems);
        }
        let Some(spec) = modules::find(name) else {
            let unknown = unknown_module(name, key, place);
            if matches!(name.rsplit('.').next(), Some("include" | "import_playbook")) {
                problems.push(unknown);
                return Action::Unknown;
            }
            return Action::Foreign(Foreign { name: name.to_owned(), unknown: Box::new(unknown) });
        };
        let command = matches!(spec.name, "command" | "shell" | "script" | "raw");
        let Some(args) = self.arguments(entry, spec.name, spec.free_form, command, problems) else {
            return Action::Unknown;
        };
        if spec.free_form.is_none()
            && let Some(raw) = args.get("_raw_params")
        {
            problems.push(free_form_refused(spec, raw.span));
            return Action::Unknown;
        }
        Action::Call { spec, args: Arc::new(args) }
    }

    /// A module whose name is a template: which one it is, is settled when the task is run.
    fn named_later(&mut self, name: &str, entry: Entry, problems: &mut Problems) -> Action {
        let key = entry.key;
        let Some(mut args) = self.arguments(entry, "action", Some("_raw_params"), false, problems) else {
            return Action::Unknown;
        };
        if let NodeKind::Map(entries) = &mut args.kind {
            entries.insert(action::NAME.to_owned(), Entry { key, value: Node::scalar(key, name) });
        }
        Action::Call { spec: &action::SPEC, args: Arc::new(args) }
    }

    /// The arguments as one mapping: `args:` first, then what stands beside the module's name. Free text goes under the
    /// name that the module has for it.
    fn arguments(
        &mut self,
        entry: Entry,
        name: &str,
        raw: Option<&str>,
        command: bool,
        problems: &mut Problems,
    ) -> Option<Node> {
        let span = if entry.value.is_null() { entry.key } else { entry.value.span };
        let whole = self.args.as_ref().is_none_or(Node::is_null) && raw.is_none() && is_whole(&entry.value);
        if whole && !command {
            return Some(entry.value);
        }
        let mut all = match self.args.take() {
            Some(args) if is_template(&args) && entry.value.is_null() => return Some(args),
            Some(args) if is_template(&args) => {
                problems.push(templated_arguments(args.span, name));
                return None;
            }
            Some(args) => fields::entries(args, "`args`", problems)?,
            None => IndexMap::new(),
        };
        match entry.value.kind {
            NodeKind::Map(entries) => all.extend(entries),
            _ if entry.value.is_null() => {}
            _ if entry.value.as_str().is_some() => all.extend(line(&entry.value, raw, command, problems)?),
            // `command: 5`, `pause: 3`: a scalar that YAML did not take for text.
            NodeKind::Scalar(_) => {
                let key = raw.unwrap_or("_raw_params").to_owned();
                all.insert(key, Entry { key: span, value: entry.value });
            }
            NodeKind::List(_) => {
                problems.push(expected(&entry.value, &format!("what `{name}` takes"), "a mapping of arguments"));
                return None;
            }
        }
        Some(Node { span, kind: NodeKind::Map(all), tag: None })
    }

    fn repeat(&mut self, problems: &mut Problems) -> Option<Loop> {
        let mut loops = std::mem::take(&mut self.loops).into_iter();
        let control = self.loop_control.take();
        let Some((kind, entry)) = loops.next() else {
            if let Some(control) = control {
                problems.push(
                    Diagnostic::warning(control.span, "`loop_control` without a loop has no effect")
                        .help("add `loop:`, or remove it"),
                );
            }
            return None;
        };
        for (_, second) in loops {
            problems.push(Diagnostic::error(second.key, "a task has one loop only").note(entry.key, "the first one"));
        }
        if entry.value.is_null() {
            problems.push(Diagnostic::error(entry.key, "this loop has nothing to loop over"));
        } else if kind == "loop" && entry.value.as_list().is_none() && !is_template(&entry.value) {
            // As in Ansible: the task fails, if a host comes to it.
            let problem = expected(&entry.value, "`loop`", "a list");
            let problem = problem.help("a variable is looped over with `loop: \"{{ name }}\"`");
            problems.push(Diagnostic { severity: Severity::Warning, ..problem });
        }
        let mut repeat = Loop {
            kind,
            span: entry.key,
            over: Arc::new(entry.value),
            var: "item".to_owned(),
            index_var: None,
            label: None,
            pause: None,
            extended: false,
            extended_allitems: true,
            break_when: Vec::new(),
        };
        if let Some(control) = control {
            loop_control(control, &mut repeat, problems);
        }
        Some(repeat)
    }
}

fn loop_control(node: Node, repeat: &mut Loop, problems: &mut Problems) {
    const KEYS: &[&str] = &["break_when", "extended", "extended_allitems", "index_var", "label", "loop_var", "pause"];
    let Some(entries) = fields::entries(node, "`loop_control`", problems) else { return };
    let mut flag = |key: &str, node: &Node, default: bool| {
        fields::literal_bool(node).unwrap_or_else(|| {
            problems.push(expected(node, &format!("`{key}`"), "a boolean (yes or no)"));
            default
        })
    };
    let mut unknown = Vec::new();
    let mut names = Vec::new();
    for (key, entry) in entries {
        match key.as_str() {
            "break_when" => repeat.break_when = fields::many(entry.value),
            "extended" => repeat.extended = flag("extended", &entry.value, false),
            "extended_allitems" => repeat.extended_allitems = flag("extended_allitems", &entry.value, true),
            "label" => repeat.label = Some(entry.value.into()),
            "pause" => repeat.pause = Some(entry.value.into()),
            "index_var" | "loop_var" => names.push((key, entry.value)),
            _ => unknown.push((key, entry)),
        }
    }
    for (key, node) in names {
        match (key.as_str(), fields::variable(&node, problems)) {
            ("loop_var", Some(name)) => repeat.var = name,
            (_, name) => repeat.index_var = name,
        }
    }
    for (key, entry) in unknown {
        problems.push(
            Diagnostic::error(entry.key, format!("`loop_control` has no key `{key}`"))
                .suggest(&key, KEYS.iter().copied()),
        );
    }
}

/// `action: module a=b`, `action: {module: …, args: …}`: the module's name and what it takes.
fn old_style(entry: Entry, key: &str, problems: &mut Problems) -> Option<(String, Entry)> {
    if let NodeKind::Map(mut entries) = entry.value.kind {
        let Some(module) = entries.shift_remove("module") else {
            problems.push(Diagnostic::error(entry.key, format!("`{key}` needs `module: NAME`")));
            return None;
        };
        let Some(text) = module.value.as_str() else {
            problems.push(expected(&module.value, "`module`", "the name of a module"));
            return None;
        };
        let (name, rest) = split_name(text);
        let (name, rest) = (name.to_owned(), rest.to_owned());
        if let Some(args) = entries.shift_remove("args") {
            entries.extend(args.value.as_map().cloned().unwrap_or_default());
        }
        if !rest.is_empty() {
            let line = Node::scalar(module.value.span, rest);
            entries.extend(self::line(&line, None, false, problems)?);
        }
        let value = Node { span: entry.value.span, kind: NodeKind::Map(entries), tag: None };
        return Some((name, Entry { key: module.value.span, value }));
    }
    let Some(text) = entry.value.as_str() else {
        problems.push(expected(&entry.value, &format!("`{key}`"), "the name of a module with its arguments"));
        return None;
    };
    let (name, rest) = split_name(text);
    let name_span = locate(entry.value.span, name);
    let value = match rest {
        "" => Node::scalar(name_span, crate::value::Value::Null),
        rest => Node::scalar(locate(entry.value.span, rest), rest),
    };
    Some((name.to_owned(), Entry { key: name_span, value }))
}

/// The first word, and the rest. Spaces inside a template do not end a word.
fn split_name(text: &str) -> (&str, &str) {
    let text = text.trim();
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            c if c.is_whitespace() && depth == 0 => return (&text[..at], text[at..].trim_start()),
            _ => {}
        }
    }
    (text, "")
}

/// The entries of one line of arguments.
fn line(node: &Node, raw: Option<&str>, command: bool, problems: &mut Problems) -> Option<Vec<(String, Entry)>> {
    let text = node.as_str().unwrap_or_default();
    let Ok(found) = free_form::parse(text, command) else {
        problems.push(
            Diagnostic::error(node.span, "a quote or a brace is not closed in these arguments")
                .help("quote the whole value, or write the arguments as a mapping"),
        );
        return None;
    };
    let mut entries: Vec<_> = found.pairs.into_iter().map(|(key, value)| pair(node.span, key, value)).collect();
    if !found.raw.is_empty() {
        let value =
            if entries.is_empty() { node.clone() } else { Node::scalar(locate(node.span, &found.raw), found.raw) };
        entries.push((raw.unwrap_or("_raw_params").to_owned(), Entry { key: value.span, value }));
    }
    Some(entries)
}

fn pair(whole: Span, key: String, value: String) -> (String, Entry) {
    let key_span = locate(whole, &format!("{key}="));
    let key_span = if key_span == whole { whole } else { key_span.part(0, key.len()) };
    let value = Node::scalar(locate(whole, &value), value);
    (key, Entry { key: key_span, value })
}

/// Where `part` stands inside the text at `whole`; `whole` itself where the text was written otherwise (escapes, folds).
fn locate(whole: Span, part: &str) -> Span {
    let text = source::text(whole).unwrap_or_default();
    match text.find(part) {
        Some(at) if !part.is_empty() => whole.part(at, at + part.len()),
        _ => whole,
    }
}

fn first_line(span: Span) -> Span {
    let text = source::text(span).unwrap_or_default();
    span.part(0, text.find('\n').unwrap_or(text.len()))
}

fn statement(name: &str) -> Option<&'static str> {
    let short = name.strip_prefix("ansible.builtin.").or_else(|| name.strip_prefix("ansible.legacy.")).unwrap_or(name);
    STATEMENTS.iter().copied().find(|statement| *statement == short)
}

/// `include_tasks` and its kin: which file or role.
fn statement_action(statement: &'static str, args: Node, key: Span, problems: &mut Problems) -> Action {
    let span = args.span;
    let NodeKind::Map(mut entries) = args.kind else { return Action::Unknown };
    if statement.ends_with("_role") {
        return role_action(statement, Node { span, kind: NodeKind::Map(entries), tag: None }, key, problems);
    }
    let file = entries.shift_remove("_raw_params").or_else(|| entries.shift_remove("file"));
    entries.shift_remove("file");
    let apply = entries.shift_remove("apply");
    for (name, entry) in &entries {
        problems.push(
            Diagnostic::error(entry.key, format!("`{statement}` has no argument `{name}`"))
                .suggest(name, ["file", "apply"])
                .or_help("variables for the file go under `vars:` of the task"),
        );
    }
    let Some(file) = file.filter(|entry| entry.value.as_str().is_some_and(|text| !text.is_empty())) else {
        problems.push(Diagnostic::error(key, format!("`{statement}` needs the name of a file")));
        return Action::Unknown;
    };
    let apply = applied(apply, statement, problems);
    let file = TasksFile { file: Arc::new(file.value), apply };
    if statement == "include_tasks" { Action::IncludeTasks(file) } else { Action::ImportTasks(file) }
}

fn role_action(statement: &'static str, args: Node, key: Span, problems: &mut Problems) -> Action {
    const KEYS: &[&str] = &[
        "name",
        "role",
        "tasks_from",
        "vars_from",
        "defaults_from",
        "handlers_from",
        "apply",
        "public",
        "allow_duplicates",
        "rolespec_validate",
    ];
    let Some(entries) = args.as_map() else { return Action::Unknown };
    for (name, entry) in entries {
        if !KEYS.contains(&name.as_str()) {
            let problem = match name.as_str() {
                "_raw_params" => Diagnostic::error(entry.value.span, format!("`{statement}` takes `name=ROLE`")),
                _ => Diagnostic::error(entry.key, format!("`{statement}` has no argument `{name}`"))
                    .suggest(name, KEYS.iter().copied())
                    .or_help("variables for the role go under `vars:` of the task"),
            };
            problems.push(problem);
        }
        if name.ends_with("_from") && entry.value.as_str().is_none() {
            problems.push(expected(&entry.value, &format!("`{name}`"), "the name of a file in the role"));
        }
        if matches!(name.as_str(), "public" | "allow_duplicates" | "rolespec_validate") {
            check(name, keywords::Takes::Bool, &entry.value, problems);
        }
    }
    let name = entries.get("name").or_else(|| entries.get("role"));
    if name.is_none_or(|entry| entry.value.as_str().is_none_or(str::is_empty)) {
        problems.push(Diagnostic::error(key, format!("`{statement}` needs the `name` of a role")));
        return Action::Unknown;
    }
    applied(entries.get("apply").cloned(), statement, problems);
    if statement == "include_role" { Action::IncludeRole(Arc::new(args)) } else { Action::ImportRole(Arc::new(args)) }
}

fn applied(apply: Option<Entry>, statement: &str, problems: &mut Problems) -> Option<Arc<Node>> {
    let apply = apply?;
    if statement.starts_with("import") {
        problems.push(
            Diagnostic::error(apply.key, format!("`{statement}` has no argument `apply`"))
                .help("an import passes its own keywords on: write them beside it"),
        );
        return None;
    }
    if apply.value.as_map().is_none() {
        problems.push(expected(&apply.value, "`apply`", "a mapping of keywords"));
        return None;
    }
    Some(Arc::new(apply.value))
}

/// The keywords under `apply`, as if they stood on a block.
pub(crate) fn apply_base(apply: &Node, problems: &mut Problems) -> Base {
    let entries = apply.as_map().cloned().unwrap_or_default();
    fields::walk(
        entries,
        BLOCK,
        problems,
        |key, entry, problems| {
            problems.push(Diagnostic::error(entry.key, format!("`{key}` cannot stand under `apply`")));
        },
        |key, entry, problems| keywords::unknown(&key, &entry, BLOCK, problems),
    )
}

fn unknown_module(name: &str, span: Span, place: u8) -> Diagnostic {
    let short = name.rsplit('.').next().unwrap_or(name);
    match short {
        "include" => {
            return Diagnostic::error(span, "`include` is no longer part of Ansible's language")
                .of(&kinds::UNKNOWN_MODULE)
                .help("use `import_tasks` (before the run) or `include_tasks` (when the run comes there)");
        }
        "import_playbook" => {
            return Diagnostic::error(
                span,
                "`import_playbook` stands at the top of a playbook, not in a list of tasks",
            )
            .of(&kinds::STRUCTURE);
        }
        _ => {}
    }
    let problem = Diagnostic::error(span, format!("there is no module `{name}`"))
        .of(&kinds::UNKNOWN_MODULE)
        .label("unknown module");
    if let Some(near) = nearest_module(name) {
        return problem.help(format!("did you mean `{near}`?"));
    }
    if let Some(near) = nearest(name, keywords::names(place)) {
        return problem.help(format!("did you mean the keyword `{near}`?"));
    }
    if let Some(keyword) =
        [keywords::PLAY, BLOCK, HANDLER].into_iter().find(|place| keywords::find(name, *place).is_some())
    {
        return problem.help(format!("`{name}` is a keyword of {}", keywords::place_name(keyword)));
    }
    problem.help("`wodctl doc` lists the modules that there are")
}

fn templated_arguments(span: Span, name: &str) -> Diagnostic {
    Diagnostic::error(span, format!("`{name}` has arguments already, so `args` cannot be one template"))
        .help("write a mapping; each argument in it may be a template")
}

/// Whether a text is one template and nothing else, which may give a whole mapping of arguments.
fn is_whole(node: &Node) -> bool {
    let text = node.as_str().unwrap_or_default().trim();
    is_template(node) && text.starts_with("{{") && text.ends_with("}}") && text.matches("{{").count() == 1
}

fn free_form_refused(spec: &ModuleSpec, span: Span) -> Diagnostic {
    Diagnostic::error(span, format!("`{}` takes a mapping of arguments, not text", spec.name))
        .help(format!("`wodctl doc {}` lists its arguments", spec.name))
}

/// The name that is most likely meant by one that no module has: compared without collections, so that a long prefix
/// does not make all names alike.
pub(crate) fn nearest_module(name: &str) -> Option<String> {
    let short = name.rsplit('.').next().unwrap_or(name);
    let known = || modules::ALL.iter().flat_map(|spec| std::iter::once(&spec.name).chain(spec.aliases)).copied();
    let near = known().find(|known| *known == short).or_else(|| nearest(short, known()))?;
    let collection = modules::find(near)?.collection;
    // As it was written: in short, or in full.
    Some(if name.contains('.') { format!("{collection}.{near}") } else { near.to_owned() })
}
