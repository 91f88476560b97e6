//! A play as the runner takes it: what it says of itself is rendered, and its hosts are selected.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::machines::Shared;
use crate::diagnostic::Diagnostic;
use crate::playbook;
use crate::runner::{PlayContext, Run, batches, connection::text_of};
use crate::source::Span;
use crate::steps::{self, PlaySteps};
use crate::system::random;
use crate::template::{RenderError, Scope, Templar, is_omit};
use crate::value::Value;
use crate::yaml::Node;

/// Settles what a play says of itself, and on which hosts it is run.
pub fn play(
    run: &Run,
    templar: &Templar,
    machines: &Shared,
    steps: PlaySteps,
    limit: Option<&str>,
) -> Result<(PlayContext, Vec<usize>), Box<Diagnostic>> {
    let play = steps.play.clone();
    let layers = steps.layers.clone();
    let scope = run.host_scope("localhost", &layers);
    let settle = Settle { templar, scope: &scope };
    let pattern = match settle.value(&play.hosts)? {
        Value::List(parts) => parts.iter().map(text_of).collect::<Vec<_>>().join(","),
        value => text_of(&value),
    };
    let mut hosts = machines.select(&pattern, play.hosts.span, limit)?;
    let listed = hosts.clone();
    match settle.word(play.order.as_ref(), "order", playbook::ORDERS)?.as_deref() {
        Some("sorted") => hosts.sort(),
        Some("reverse_sorted") => hosts.sort_by(|a, b| b.cmp(a)),
        Some("reverse_inventory") => hosts.reverse(),
        Some("shuffle") => shuffle(&mut hosts, play.hosts.span)?,
        _ => {}
    }
    let mut sizes = Vec::new();
    for node in &play.serial {
        match settle.keyword("serial", node)? {
            Value::List(items) => sizes.extend(items),
            value => sizes.push(value),
        }
    }
    let serial = batches(&sizes, hosts.len());
    let strategy = settle.word(play.strategy.as_ref(), "strategy", playbook::STRATEGIES)?;
    let mut host_layers = HashMap::new();
    if !play.vars_files.is_empty() {
        for host in &hosts {
            let scope = run.host_scope(host, &layers);
            host_layers.insert(host.clone(), machines.vars_files(&play, templar, &scope)?);
        }
    }
    let gather = match &play.gather_facts {
        Some(node) => settle.keyword("gather_facts", node)? != Value::Bool(false),
        None => true,
    };
    let gather = if gather { gather_step(&steps) } else { None };
    let percentage = match &play.max_fail_percentage {
        Some(node) => match settle.keyword("max_fail_percentage", node)? {
            Value::Float(percentage) => Some(percentage),
            _ => None,
        },
        None => None,
    };
    let name = match settle.text(play.base.name.as_ref())? {
        Some(name) => name,
        None => pattern,
    };
    let context = PlayContext {
        name,
        items: Arc::new(steps.items.clone()),
        hosts,
        listed,
        keywords: play.base.keywords.clone(),
        needs_hosts: PlayContext::reaches_hosts(&steps.items) || gather.is_some(),
        layers,
        host_layers,
        free: strategy.is_some_and(|strategy| strategy != "linear"),
        max_fail_percentage: percentage,
        gather,
        handlers: RefCell::new(steps.handlers.clone()),
        published: RefCell::default(),
        steps,
    };
    Ok((context, serial))
}

fn shuffle(hosts: &mut [String], span: Span) -> Result<(), Box<Diagnostic>> {
    let mut keys = Vec::with_capacity(hosts.len());
    for _ in 0..hosts.len() {
        let failed = |error| Diagnostic::error(span, format!("the hosts cannot be shuffled: {error}"));
        keys.push(random::name().map_err(failed)?);
    }
    let mut keys = keys.into_iter();
    hosts.sort_by_cached_key(|_| keys.next());
    Ok(())
}

/// The step that gathers facts, as the play asks for it.
fn gather_step(steps: &PlaySteps) -> Option<Arc<steps::Step>> {
    let spec = crate::modules::find("setup")?;
    let found = steps.items.iter().find_map(|item| match item {
        steps::Item::Step(step) if matches!(step.work, steps::Work::Gather) => Some(step),
        _ => None,
    })?;
    let play = &steps.play;
    let span = play.span;
    let mut entries = indexmap::IndexMap::new();
    for (name, node) in [
        ("gather_subset", &play.gather_subset),
        ("gather_timeout", &play.gather_timeout),
        ("fact_path", &play.fact_path),
    ] {
        if let Some(node) = node {
            entries.insert(name.to_owned(), crate::yaml::Entry { key: span, value: (**node).clone() });
        }
    }
    let args = Node { span, kind: crate::yaml::NodeKind::Map(entries), tag: None };
    let work = steps::Work::Call { spec, name: span, args: Arc::new(args) };
    let effects = steps::effects_of(&work, &found.keywords);
    Some(Arc::new(steps::Step { work, effects, ..(**found).clone() }))
}

/// Renders what a play says of itself.
struct Settle<'a> {
    templar: &'a Templar,
    scope: &'a Arc<dyn Scope>,
}

impl Settle<'_> {
    fn value(&self, node: &Node) -> Result<Value, Box<Diagnostic>> {
        self.templar.render(node, self.scope).map_err(|error| match error {
            RenderError::Undefined(problem) | RenderError::Wrong(problem) => problem,
            RenderError::Pending | RenderError::Unknown(_) => {
                Box::new(Diagnostic::error(node.span, "this must be known before the play starts"))
            }
        })
    }

    fn text(&self, node: Option<&Arc<Node>>) -> Result<Option<String>, Box<Diagnostic>> {
        node.map(|node| Ok(text_of(&self.value(node)?))).transpose()
    }

    /// A keyword of the play, converted to its type; null where it is absent.
    fn keyword(&self, name: &str, node: &Node) -> Result<Value, Box<Diagnostic>> {
        let value = self.value(node)?;
        if value == Value::Null || is_omit(&value) {
            return Ok(Value::Null);
        }
        let wrong = |what| Box::new(Diagnostic::error(node.span, format!("`{name}`: {what}")));
        playbook::convert_keyword(name, value).map_err(wrong)
    }

    /// A keyword that is one of a few words, with or without Ansible's own collection before it.
    fn word(&self, node: Option<&Arc<Node>>, name: &str, words: &[&str]) -> Result<Option<String>, Box<Diagnostic>> {
        let Some(node) = node else { return Ok(None) };
        let text = text_of(&self.keyword(name, node)?);
        let word = text.strip_prefix("ansible.builtin.").unwrap_or(&text);
        match word.is_empty() || words.contains(&word) {
            true => Ok(Some(word.to_owned()).filter(|word| !word.is_empty())),
            false => Err(Box::new(
                Diagnostic::error(node.span, format!("there is no {name} `{word}`"))
                    .help(format!("it can be {}", words.join(", "))),
            )),
        }
    }
}
