//! `apply` and `plan`: the playbooks are checked as a whole, then run play by play.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::content::Content;
use super::machines::Machines;
use super::options::{Playbooks, Selection, Work};
use super::{Error, Exit, print_diagnostics, say};
use crate::check::{self, Checked};
use crate::diagnostic::Diagnostic;
use crate::event::Event;
use crate::inventory::Limit;
use crate::playbook::Project;
use crate::protocol::Mode;
use crate::report::Report;
use crate::runner::{self, PlayContext, Run, batches, connection::text_of};
use crate::steps::{self, PlaySteps};
use crate::template::{RenderError, Scope, Templar};
use crate::transport::{Blobs, Connector, bootstrap::Agents};
use crate::value::Value;
use crate::vars::Layer;
use crate::yaml::Node;

/// What `apply` and `plan` take.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    #[command(flatten)]
    what: Playbooks,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    work: Work,
}

/// Checks the playbooks, then runs them.
pub fn run(args: &Args, mode: Mode) -> Result<Exit, Error> {
    let content = Content::find(&args.what.inventory, &args.what.playbooks)?;
    if let Some(notice) = content.notice() {
        say(&format!("{notice}\n"));
    }
    Job {
        inventory: args.what.inventory.clone(),
        playbooks: content.playbooks,
        project: content.project,
        selection: args.selection.clone(),
        work: args.work.clone(),
        mode,
    }
    .run()
}

/// A run that is to be done; `ping`, `facts` and `exec` make one too.
pub struct Job {
    /// The inventory.
    pub inventory: PathBuf,
    /// The playbooks.
    pub playbooks: Vec<PathBuf>,
    /// Where roles are.
    pub project: Arc<Project>,
    /// Which tasks.
    pub selection: Selection,
    /// Which hosts, and how.
    pub work: Work,
    /// Whether it changes anything.
    pub mode: Mode,
}

impl Job {
    /// Checks and runs.
    pub fn run(self) -> Result<Exit, Error> {
        let folder = self.playbooks.first().and_then(|path| path.parent()).unwrap_or(Path::new("."));
        let machines = Machines::load(&self.inventory, folder, &self.work.variables.extra_vars)?;
        let options = steps::Options { early: machines.extra(), ..self.selection.steps() };
        let limit = self.work.limit.as_deref().map(Limit::parse).transpose()?;
        let checked = check::check(&check::Input {
            playbooks: &self.playbooks,
            project: &self.project,
            options: &options,
            inventory: Some(&*machines.inventory()),
            limit: limit.as_ref(),
            becomes: self.work.become_.become_ || machines.mentions("ansible_become"),
        });
        if checked.errors() > 0 {
            return Err(Error::Text(checked.problems));
        }
        print_diagnostics(&checked.problems);
        let options = self.work.runner(self.mode, &self.selection)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| format!("cannot start: {error}"))?;
        tokio::task::LocalSet::new().block_on(&runtime, self.walk(checked, machines, options))
    }

    async fn walk(self, checked: Checked, machines: Machines, options: runner::Options) -> Result<Exit, Error> {
        let report = Rc::new(RefCell::new(Report::new(self.work.report())));
        let show = {
            let report = report.clone();
            move |event: Event| report.borrow_mut().event(&event)
        };
        let blobs = Blobs::default();
        let folders = self.work.connection.agents.iter().cloned().chain(agent_folders()).collect();
        let connector = Connector::new(blobs.clone(), Agents { folders }, 10);
        let mode = self.mode;
        let mut templar = Templar::new();
        if mode == Mode::Plan {
            templar = templar.planning();
        }
        let shared = machines.share();
        let mut run =
            Run::new(options, templar.clone(), blobs, Box::new(connector), Box::new(machines), Box::new(show));
        let interrupt = run.interrupt.clone();
        tokio::task::spawn_local(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                interrupt.notify_one();
            }
        });
        let playbooks = self.playbooks.iter().map(|path| path.display().to_string()).collect();
        report.borrow_mut().event(&Event::RunStart { mode, playbooks });
        let mut ended = Ok(());
        for (number, steps) in checked.plays.into_iter().enumerate() {
            let play = match self::play(&run, &templar, &shared, steps.steps, self.work.limit.as_deref()) {
                Ok(play) => play,
                Err(problem) => {
                    ended = Err(Error::from(*problem));
                    break;
                }
            };
            let (play, serial) = play;
            if play.hosts.is_empty() {
                report.borrow_mut().event(&Event::PlayEmpty { name: play.name.clone() });
                continue;
            }
            let hosts: Vec<String> = play.hosts.iter().filter(|host| !run.out.contains_key(*host)).cloned().collect();
            let count = count(&play.items);
            report.borrow_mut().event(&Event::PlayStart { name: play.name.clone(), hosts, steps: count });
            if run.play(&play, &serial, number as u32).await.is_err() {
                run.finish().await;
                return Ok(Exit::Interrupted);
            }
            if !run.go_on() {
                break;
            }
        }
        run.finish().await;
        ended?;
        Ok(Exit::of(&run.counters))
    }
}

/// How many steps a list has.
fn count(items: &[steps::Item]) -> usize {
    items
        .iter()
        .map(|item| match item {
            steps::Item::Step(step) => usize::from(!matches!(step.work, steps::Work::Flush | steps::Work::RoleEnd)),
            steps::Item::Block(block) => count(&block.main) + count(&block.always),
        })
        .sum()
}

/// Settles what a play says of itself, and on which hosts it is run.
fn play(
    run: &Run,
    templar: &Templar,
    machines: &super::machines::Shared,
    steps: PlaySteps,
    limit: Option<&str>,
) -> Result<(PlayContext, Vec<usize>), Box<Diagnostic>> {
    let play = steps.play.clone();
    let layers: Vec<Arc<Layer>> = steps.layers.clone();
    let scope = run.host_scope("localhost", &layers);
    let settle = Settle { templar, scope: &scope };
    let pattern = match settle.value(&play.hosts)? {
        Value::List(parts) => parts.iter().map(text_of).collect::<Vec<_>>().join(","),
        value => text_of(&value),
    };
    let mut hosts = machines.select(&pattern, play.hosts.span, limit)?;
    match settle.text(play.order.as_ref())?.as_deref() {
        Some("sorted") => hosts.sort(),
        Some("reverse_sorted") => hosts.sort_by(|a, b| b.cmp(a)),
        Some("reverse_inventory") => hosts.reverse(),
        _ => {}
    }
    let mut sizes = Vec::new();
    for node in &play.serial {
        match settle.value(node)? {
            Value::List(items) => sizes.extend(items),
            value => sizes.push(value),
        }
    }
    let serial = batches(&sizes, hosts.len());
    let strategy = settle.text(play.strategy.as_ref())?.unwrap_or_else(|| "linear".to_owned());
    let strategy = strategy.rsplit('.').next().unwrap_or_default().to_owned();
    if !["linear", "free", "host_pinned"].contains(&strategy.as_str()) {
        let span = play.strategy.as_ref().map_or(play.span, |node| node.span);
        return Err(Box::new(
            Diagnostic::error(span, format!("there is no strategy `{strategy}`"))
                .help("there are linear, free and host_pinned"),
        ));
    }
    let mut host_layers = HashMap::new();
    if !play.vars_files.is_empty() {
        for host in &hosts {
            let scope = run.host_scope(host, &layers);
            host_layers.insert(host.clone(), machines.vars_files(&play, templar, &scope)?);
        }
    }
    let gather = settle.flag(play.gather_facts.as_ref())?.unwrap_or(true);
    let gather = if gather { gather_step(&steps) } else { None };
    let percentage = settle.text(play.max_fail_percentage.as_ref())?.and_then(|text| text.parse().ok());
    let name = match settle.text(play.base.name.as_ref())? {
        Some(name) => name,
        None => pattern,
    };
    let context = PlayContext {
        name,
        items: Arc::new(steps.items.clone()),
        hosts,
        keywords: play.base.keywords.clone(),
        needs_hosts: PlayContext::reaches_hosts(&steps.items) || gather.is_some(),
        layers,
        host_layers,
        free: strategy != "linear",
        max_fail_percentage: percentage,
        gather,
        handlers: RefCell::new(steps.handlers.clone()),
        published: RefCell::default(),
        steps,
    };
    Ok((context, serial))
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
    Some(Arc::new(steps::Step { work, ..(**found).clone() }))
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

    fn flag(&self, node: Option<&Arc<Node>>) -> Result<Option<bool>, Box<Diagnostic>> {
        node.map(|node| Ok(runner::connection::truth(&self.value(node)?))).transpose()
    }
}

/// Where agents for other machine types may lie, besides the folder that was named: in the data folder of the user, and
/// beside this program.
fn agent_folders() -> Vec<PathBuf> {
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let data = data.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")));
    let beside = std::env::current_exe().ok();
    let beside = beside.as_deref().and_then(Path::parent).and_then(Path::parent);
    let data = data.map(|folder| folder.join("wodctl/agents"));
    data.into_iter().chain(beside.map(|prefix| prefix.join("lib/wodctl/agents"))).collect()
}
