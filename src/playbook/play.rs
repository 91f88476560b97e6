//! Plays and the file they stand in.

use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;

use super::fields::{self, expected};
use super::keywords::{self, IMPORT, PLAY};
use super::{Entry as PlaybookEntry, Import, Play, Problems, prompt, role, task};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::value::Value;
use crate::yaml::{Entry, Node, NodeKind};

/// Reads a whole playbook.
pub(super) fn playbook(node: Node, path: &Path, problems: &mut Problems) -> Vec<PlaybookEntry> {
    let span = node.span;
    let plays = match node.kind {
        NodeKind::List(plays) => plays,
        NodeKind::Scalar(Value::Null) => Vec::new(),
        _ => {
            problems
                .push(expected(&node, "a playbook", "a list of plays").help("begin each play with `- hosts: PATTERN`"));
            return Vec::new();
        }
    };
    if plays.is_empty() {
        problems.push(Diagnostic::error(span, format!("{} holds no play", path.display())));
    }
    plays.into_iter().filter_map(|node| entry(node, path, problems)).collect()
}

fn entry(node: Node, path: &Path, problems: &mut Problems) -> Option<PlaybookEntry> {
    let span = node.span;
    let mut entries = fields::entries(node, "a play", problems)?;
    let names = ["import_playbook", "ansible.builtin.import_playbook", "ansible.legacy.import_playbook"];
    for name in names {
        if let Some(entry) = entries.shift_remove(name) {
            return import(span, entry, entries, problems).map(|import| PlaybookEntry::Import(Box::new(import)));
        }
    }
    play(span, entries, path, problems).map(|play| PlaybookEntry::Play(Arc::new(play)))
}

fn import(span: Span, file: Entry, rest: IndexMap<String, Entry>, problems: &mut Problems) -> Option<Import> {
    let base = fields::walk(
        rest,
        IMPORT,
        problems,
        |_, _, _| {},
        |key, entry, problems| keywords::unknown(&key, &entry, IMPORT, problems),
    );
    if file.value.as_str().is_none_or(str::is_empty) {
        problems.push(Diagnostic::error(file.key, "`import_playbook` needs the name of a file"));
        return None;
    }
    Some(Import { span, file: Arc::new(file.value), base })
}

fn play(span: Span, entries: IndexMap<String, Entry>, path: &Path, problems: &mut Problems) -> Option<Play> {
    let mut play = Play {
        span,
        path: path.to_owned(),
        base: Default::default(),
        hosts: Arc::new(Node::scalar(span, Value::Null)),
        gather_facts: None,
        gather_subset: None,
        gather_timeout: None,
        fact_path: None,
        strategy: None,
        serial: Vec::new(),
        order: None,
        max_fail_percentage: None,
        force_handlers: None,
        vars_files: Vec::new(),
        vars_prompt: Vec::new(),
        pre_tasks: Vec::new(),
        roles: Vec::new(),
        tasks: Vec::new(),
        post_tasks: Vec::new(),
        handlers: Vec::new(),
    };
    let first_key = entries.values().next().map_or(span, |entry| entry.key);
    let mut has_hosts = false;
    if let (Some(user), Some(remote)) = (entries.get("user"), entries.get("remote_user")) {
        let problem = Diagnostic::error(user.key, "`user` and `remote_user` are the same keyword");
        problems.push(problem.note(remote.key, "given here").help("keep `remote_user`"));
    }
    play.base = fields::walk(
        entries,
        PLAY,
        problems,
        |key, entry, problems| {
            has_hosts |= key == "hosts";
            play.set(key, entry, problems);
        },
        |key, entry, problems| keywords::unknown(&key, &entry, PLAY, problems),
    );
    if !has_hosts {
        problems.push(Diagnostic::error(first_key, "this play has no `hosts`").help("add `hosts: PATTERN`"));
        return None;
    }
    Some(play)
}

impl Play {
    fn set(&mut self, key: &str, entry: Entry, problems: &mut Problems) {
        let value = entry.value;
        let section =
            |value, problems: &mut Problems| task::tasks(value, &format!("`{key}`"), key == "handlers", problems);
        match key {
            "pre_tasks" => self.pre_tasks = section(value, problems),
            "tasks" => self.tasks = section(value, problems),
            "post_tasks" => self.post_tasks = section(value, problems),
            "handlers" => self.handlers = section(value, problems),
            "roles" => {
                let items = fields::items(value, "`roles`", problems);
                self.roles = items.into_iter().filter_map(|node| role::role_use(node, false, problems)).collect();
            }
            "hosts" => self.set_hosts(value, problems),
            "serial" => self.serial = fields::many(value),
            "vars_files" => self.vars_files = fields::many(value),
            "vars_prompt" => self.vars_prompt = prompt::prompts(value, problems),
            "strategy" => self.strategy = choice(value, key, STRATEGIES, problems),
            "order" => self.order = choice(value, key, ORDERS, problems),
            "gather_facts" => self.gather_facts = Some(value.into()),
            "gather_subset" => self.gather_subset = Some(value.into()),
            "gather_timeout" => self.gather_timeout = Some(value.into()),
            "fact_path" => self.fact_path = Some(value.into()),
            "max_fail_percentage" => self.max_fail_percentage = Some(value.into()),
            "force_handlers" => self.force_handlers = Some(value.into()),
            _ => {}
        }
    }

    fn set_hosts(&mut self, hosts: Node, problems: &mut Problems) {
        let is_empty = match &hosts.kind {
            NodeKind::List(items) => items.is_empty(),
            _ => hosts.as_str().is_none_or(str::is_empty),
        };
        if is_empty {
            problems.push(Diagnostic::error(hosts.span, "`hosts` names no host").help("`hosts: all` means every host"));
        }
        self.hosts = hosts.into();
    }

    /// The play's name, or its hosts where it has none, as they stand in the file.
    pub fn title(&self) -> String {
        let text = |node: &Node| node.as_str().unwrap_or_default().to_owned();
        match (&self.base.name, self.hosts.as_list()) {
            (Some(name), _) => text(name),
            (None, Some(hosts)) => hosts.iter().map(text).collect::<Vec<_>>().join(","),
            (None, None) => text(&self.hosts),
        }
    }
}

/// What `strategy` can be.
pub const STRATEGIES: &[&str] = &["linear", "free", "host_pinned"];

/// What `order` can be.
pub const ORDERS: &[&str] = &["inventory", "sorted", "reverse_sorted", "reverse_inventory", "shuffle"];

/// One of a few words, with or without Ansible's own collection before it.
fn choice(node: Node, key: &str, choices: &[&str], problems: &mut Problems) -> Option<Arc<Node>> {
    let text = node.as_str().unwrap_or_default();
    let word = text.strip_prefix("ansible.builtin.").unwrap_or(text).to_owned();
    if fields::is_template(&node) || choices.contains(&word.as_str()) {
        let value = Node { kind: NodeKind::Scalar(Value::Str(word)), ..node };
        return Some(Arc::new(value));
    }
    let problem = Diagnostic::error(node.span, format!("there is no {key} `{text}`"));
    problems.push(match crate::diagnostic::nearest(&word, choices.iter().copied()) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help(format!("it can be {}", choices.join(", "))),
    });
    None
}
