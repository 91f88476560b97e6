//! The modules that the runner carries out itself because they only move data: `debug`, `assert`, `fail`, `set_fact`,
//! `include_vars`. They are settled as soon as everything that they use is known, and take effect in their turn.

use std::sync::Arc;

use super::connection::text_of;
use super::prepare::{Bench, Settled, Wait, written};
use super::task_run::Ended;
use crate::failure::Failure;
use crate::map;
use crate::module::{Arguments, ModuleSpec};
use crate::modules;
use crate::playbook::is_variable_name;
use crate::protocol::{Mode, Outcome};
use crate::template::{Binding, RenderError, Scope, is_template};
use crate::value::{Map, Value};
use crate::yaml::{Node, NodeKind};

/// An outcome that changed nothing.
pub fn outcome(values: Map) -> Ended {
    Ended::Outcome(Box::new(Outcome {
        changed: false,
        failure: None,
        values,
        diffs: Vec::new(),
        warnings: Vec::new(),
        opaque: false,
        micros: 0,
    }))
}

fn failed(failure: Failure) -> Ended {
    Ended::Failed(Box::new(failure))
}

/// Carries out one of them.
pub fn settle(bench: &Bench, spec: &ModuleSpec, args: &Node, scope: &Arc<dyn Scope>) -> Result<Settled, RenderError> {
    let ended = match spec.name {
        "pause" => return pause(bench, args, scope),
        "add_host" => add_host(bench, args, scope),
        "group_by" => group_by(bench, args, scope),
        "debug" => debug(bench, args, scope),
        "assert" => assert(bench, args, scope),
        "fail" => fail(bench, args, scope),
        "set_fact" => set_fact(bench, args, scope),
        "validate_argument_spec" => validate(bench, args, scope),
        "include_vars" => super::include_vars::settle(bench, args, scope),
        _ => Ok(outcome(Map::new())),
    };
    ended.map(Settled::Ended)
}

/// Reads rendered arguments; the error is how the item ends.
fn read<A: Arguments>(bench: &Bench, args: &Node, scope: &Arc<dyn Scope>) -> Result<Result<A, Ended>, RenderError> {
    let rendered = bench.arguments(args, scope)?;
    Ok(A::read(&rendered).map_err(|error| failed(error.into())))
}

fn pause(bench: &Bench, args: &Node, scope: &Arc<dyn Scope>) -> Result<Settled, RenderError> {
    let args: modules::pause::Args = match read(bench, args, scope)? {
        Ok(args) => args,
        Err(ended) => return Ok(Settled::Ended(ended)),
    };
    let asked = args.minutes.map(|minutes| minutes * 60.0).or(args.seconds);
    let seconds = if bench.options.mode == Mode::Plan { Some(0.0) } else { asked };
    let waited = seconds.unwrap_or(0.0);
    let result = map! {
        "changed" => false, "rc" => 0, "stderr" => "", "echo" => args.echo, "user_input" => "",
        "delta" => waited as i64, "stdout" => format!("Paused for {waited} seconds"),
    };
    Ok(Settled::Wait(Wait { prompt: args.prompt, seconds, echo: args.echo, timed: true, result: outcome(result) }))
}

fn add_host(bench: &Bench, args: &Node, scope: &Arc<dyn Scope>) -> Result<Ended, RenderError> {
    let args: modules::add_host::Args = match read(bench, args, scope)? {
        Ok(args) => args,
        Err(ended) => return Ok(ended),
    };
    let changed = bench.run.add_host(&args.name, &args.groups, &args.vars);
    let values = map! { "add_host" => map! {
        "host_name" => args.name, "groups" => args.groups, "host_vars" => args.vars,
    } };
    Ok(with_change(outcome(values), changed))
}

fn group_by(bench: &Bench, args: &Node, scope: &Arc<dyn Scope>) -> Result<Ended, RenderError> {
    let args: modules::group_by::Args = match read(bench, args, scope)? {
        Ok(args) => args,
        Err(ended) => return Ok(ended),
    };
    let clean = |name: &str| name.replace(' ', "-");
    let parents: Vec<String> = match args.parents.is_empty() {
        true => vec!["all".to_owned()],
        false => args.parents.iter().map(|name| clean(name)).collect(),
    };
    let host = match scope.lookup("inventory_hostname") {
        Some(Binding::Data(name)) => text_of(&name),
        _ => String::new(),
    };
    let changed = bench.run.group_by(&host, &clean(&args.key), &parents);
    let values = map! { "add_group" => clean(&args.key), "parent_groups" => parents };
    Ok(with_change(outcome(values), changed))
}

fn with_change(mut ended: Ended, changed: bool) -> Ended {
    if let Ended::Outcome(outcome) = &mut ended {
        outcome.changed = changed;
    }
    ended
}

fn debug(bench: &Bench, args: &Node, scope: &Arc<dyn Scope>) -> Result<Ended, RenderError> {
    if let Some(node) = args.get("verbosity") {
        let wanted = text_of(&bench.templar.render(node, scope)?);
        if wanted.trim().parse::<u8>().is_ok_and(|wanted| wanted > bench.options.verbosity) {
            return Ok(outcome(map! { "skipped" => true, "skipped_reason" => "Verbosity threshold not met." }));
        }
    }
    if let Some(node) = args.get("var") {
        let value = match node.as_str() {
            Some(text) if !is_template(text) => bench.templar.expression(text, node.span, scope),
            _ => bench.templar.render(node, scope),
        };
        let value = match value {
            // As in Ansible, an undefined variable is something to say, not a failure.
            Err(RenderError::Undefined(_)) => Value::from("VARIABLE IS NOT DEFINED!"),
            other => other?,
        };
        return Ok(outcome(map! { written(node) => value }));
    }
    let rendered = bench.arguments(args, scope)?;
    Ok(match modules::debug::Args::read(&rendered) {
        // As in Ansible: what comes to nothing is shown as that, and only without the argument there is a greeting.
        Ok(args) => {
            let greeting = || if rendered.contains_key("msg") { Value::Null } else { "Hello world!".into() };
            outcome(map! { "msg" => args.msg.unwrap_or_else(greeting) })
        }
        Err(error) => failed(error.into()),
    })
}

fn fail(bench: &Bench, args: &Node, scope: &Arc<dyn Scope>) -> Result<Ended, RenderError> {
    let rendered = bench.arguments(args, scope)?;
    Ok(match modules::fail::Args::read(&rendered) {
        Ok(args) => failed(said(args.msg)),
        Err(error) => failed(error.into()),
    })
}

fn assert(bench: &Bench, args: &Node, scope: &Arc<dyn Scope>) -> Result<Ended, RenderError> {
    // The expressions are evaluated one by one, so they must not be rendered with the other arguments.
    let mut others = args.clone();
    if let NodeKind::Map(entries) = &mut others.kind {
        for entry in entries.iter_mut().filter(|(key, _)| *key == "that") {
            entry.1.value = Node::scalar(entry.1.value.span, "");
        }
    }
    let rendered = match modules::assert::Args::read(&bench.arguments(&others, scope)?) {
        Ok(rendered) => rendered,
        Err(error) => return Ok(failed(error.into())),
    };
    let Some(that) = args.get("that") else { return Ok(failed(Failure::new("`that` is required"))) };
    let single;
    let expressions = match that.as_list() {
        Some(items) => items,
        None => {
            single = [that.clone()];
            &single
        }
    };
    for expression in expressions {
        let holds = bench.templar.condition(expression, scope)?;
        if !holds {
            let message = rendered.fail_msg.unwrap_or_else(|| "Assertion failed".into());
            return Ok(failed(
                said(message).argument("that").with("assertion", expression.to_value()).with("evaluated_to", false),
            ));
        }
    }
    let message = rendered.success_msg.unwrap_or_else(|| "All assertions passed".into());
    Ok(outcome(map! { "msg" => message }))
}

/// A failure whose message keeps its type.
fn said(message: Value) -> Failure {
    Failure::new(lines(&message)).with("msg", message)
}

/// Text, or a list of lines.
fn lines(value: &Value) -> String {
    match value {
        Value::List(items) => items.iter().map(text_of).collect::<Vec<_>>().join("\n"),
        value => text_of(value),
    }
}

fn set_fact(bench: &Bench, args: &Node, scope: &Arc<dyn Scope>) -> Result<Ended, RenderError> {
    // Values may be unknown here: whoever uses the variable will meet the unknown.
    let rendered = match bench.templar.render(args, scope)? {
        Value::Map(map) => map,
        _ => Map::new(),
    };
    let rendered = match named(bench, rendered, args, scope)? {
        Ok(rendered) => rendered,
        Err(name) => return Ok(failed(Failure::new(format!("`{name}` cannot be the name of a variable")))),
    };
    Ok(match modules::set_fact::Args::read(&rendered) {
        Ok(args) if args.facts.is_empty() => failed(Failure::new("`set_fact` needs at least one name with a value")),
        Ok(args) => outcome(map! { "ansible_facts" => args.facts, "_ansible_facts_cacheable" => args.cacheable }),
        Err(error) => failed(error.into()),
    })
}

/// The facts by their names, which may be templates; otherwise what cannot be a name.
fn named(bench: &Bench, facts: Map, args: &Node, scope: &Arc<dyn Scope>) -> Result<Result<Map, String>, RenderError> {
    let mut named = Map::with_capacity(facts.len());
    for (key, value) in facts {
        let name = super::connection::text_of(&bench.templar.render_text(&key, args.span, scope)?);
        if !is_variable_name(&name) {
            return Ok(Err(name));
        }
        named.insert(name, value);
    }
    Ok(Ok(named))
}

/// The parameters of a role, looked up by their names, against its `meta/argument_specs.yml`.
fn validate(bench: &Bench, args: &Node, scope: &Arc<dyn Scope>) -> Result<Ended, RenderError> {
    use modules::validate_argument_spec as validate;
    let args = match validate::Args::read(&bench.arguments(args, scope)?) {
        Ok(args) => args,
        Err(error) => return Ok(failed(error.into())),
    };
    let mut values = Map::new();
    for name in validate::names(&args.argument_spec) {
        let value = match scope.lookup(name) {
            Some(Binding::Template(node)) => bench.templar.render(&node, scope)?,
            Some(Binding::Data(value)) => (*value).clone(),
            Some(Binding::Pending) => return Err(RenderError::Pending),
            Some(Binding::HostVars(_)) | None => continue,
        };
        values.insert(name.to_owned(), value);
    }
    values.extend(args.provided_arguments);
    let problems = validate::problems(&args.argument_spec, &values);
    let context = args.validate_args_context;
    Ok(match problems.is_empty() {
        true => outcome(map! { "msg" => "The arg spec validation passed", "validate_args_context" => context }),
        false => failed(
            Failure::new(problems.join("\n"))
                .with("argument_errors", problems)
                .with("argument_spec_data", args.argument_spec)
                .with("validate_args_context", context),
        ),
    })
}
