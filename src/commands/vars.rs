//! `wodctl vars INVENTORY HOST [NAME]`: what variables come to on a host, and where that was said.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::content::Content;
use super::job::{About, Job};
use super::options::{Playbooks, Selection, Variables};
use super::{Error, Exit, answer, print_diagnostics, say};
use crate::diagnostic::{Severity, nearest};
use crate::playbook::root_of;
use crate::report::text::{counted, indent, inline, yaml};
use crate::runner::{HostLayers, Hosts, Table, TaskScope, Unsettled};
use crate::template::{Binding, RenderError, Scope, SearchPath, Templar};
use crate::value::{Map, Value};
use crate::vars::{Layer, Level, Stack};

/// Arguments.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Inventory file or folder
    inventory: PathBuf,
    /// The host
    host: String,
    /// Show only this variable
    name: Option<String>,
    /// Include variables of the plays that target this host and of their roles
    /// [default: playbooks/site.yml of the inventory's project]
    #[arg(short = 'p', long = "playbook", value_name = "PLAYBOOK")]
    playbooks: Vec<PathBuf>,
    #[command(flatten)]
    variables: Variables,
}

/// Prints variables as YAML, with their origins as comments.
pub fn run(args: &Args) -> Result<Exit, Error> {
    let job = Job::open(About {
        inventory: &args.inventory,
        content: content(args)?,
        selection: &Selection::default(),
        variables: &args.variables,
        limit: None,
        becomes: false,
    })?;
    let host = job.machines.one(&args.host)?;
    remark(&job)?;
    let view = View::new(&job, &host);
    match &args.name {
        Some(name) => answer(&view.one(name)?),
        None => answer(&view.all()),
    }
}

/// The playbooks that were named, or those of the project, or none.
fn content(args: &Args) -> Result<Content, Error> {
    let site = root_of(&args.inventory).is_some_and(|root| root.join("playbooks/site.yml").is_file());
    if args.playbooks.is_empty() && !site {
        return Ok(Content::none(&args.inventory));
    }
    Content::open(&Playbooks { inventory: args.inventory.clone(), playbooks: args.playbooks.clone() })
}

/// Wrong variables are an error; other problems of the playbooks are no reason not to answer.
fn remark(job: &Job) -> Result<(), Error> {
    let problems = job.machines.problems();
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(Error::Text(problems));
    }
    print_diagnostics(&problems);
    if job.checked.certain() > 0 {
        let errors = counted(job.checked.certain(), "error");
        say(&format!("warning: the playbooks have {errors} (`wodctl check`): what they set may be missing here\n"));
    }
    Ok(())
}

/// The variables of one host.
struct View {
    host: String,
    stack: Stack,
    scope: Arc<dyn Scope>,
    templar: Templar,
}

impl View {
    fn new(job: &Job, host: &str) -> View {
        let mut layers = job.machines.layers(host);
        for play in job.checked.plays.iter().filter(|play| play.hosts.iter().any(|name| name == host)) {
            layers.extend(play.steps.layers.iter().cloned());
        }
        let table = Table::default();
        for name in job.machines.names() {
            table.write().insert(name.clone(), HostLayers::new(job.machines.layers(&name)));
        }
        let stack = Stack::new(layers);
        let scope = TaskScope {
            stack: stack.clone(),
            files: Arc::new(SearchPath { playbook: job.content.beside.clone(), ..SearchPath::default() }),
            unsettled: Unsettled::default(),
            table: Arc::new(table),
        };
        View { host: host.to_owned(), stack, scope: Arc::new(scope), templar: Templar::new() }
    }

    fn one(&self, name: &str) -> Result<String, Error> {
        if self.stack.lookup(name).is_some() {
            return Ok(self.shown(name));
        }
        let names = self.stack.names();
        let hint = nearest(name, names.iter().map(String::as_str));
        let hint = hint.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        Err(format!("{} has no variable `{name}`{hint}", self.host).into())
    }

    /// All that somebody has set.
    fn all(&self) -> String {
        let is_magic = |name: &str| self.stack.definitions(name).all(|(layer, _)| layer.level == Level::Magic);
        self.stack.names().iter().filter(|name| !is_magic(name)).map(|name| self.shown(name)).collect()
    }

    /// A variable, where it comes from, and what it hides.
    fn shown(&self, name: &str) -> String {
        let mut definitions = self.stack.definitions(name);
        let Some((layer, binding)) = definitions.next() else { return String::new() };
        let (value, remarks) = self.value(binding);
        let mut text = yaml(&Value::Map(Map::from_iter([(name.to_owned(), value)])));
        if !text.ends_with('\n') {
            text.push('\n');
        }
        let mut comments = format!("from {}\n{remarks}", origin(layer, binding));
        // The defaults of a role that several others depend on are there more than once.
        let mut seen = HashSet::from([origin(layer, binding)]);
        for (layer, binding) in definitions {
            let place = origin(layer, binding);
            let hidden = inline(&written(binding));
            if seen.insert(place.clone()) {
                let _ = writeln!(comments, "hides {place}: {hidden}");
            }
        }
        text + &indent(&comments, "    # ")
    }

    /// What a binding comes to; where that is not known before a run, what was written.
    fn value(&self, binding: &Binding) -> (Value, String) {
        let Binding::Template(node) = binding else { return (written(binding), String::new()) };
        match self.templar.render(node, &self.scope) {
            Ok(value) => {
                let source = node.as_str().filter(|source| value.as_str() != Some(source));
                let remark = source.map(|source| format!("made of {}\n", source.trim_end()));
                (value, remark.unwrap_or_default())
            }
            Err(RenderError::Undefined(problem) | RenderError::Wrong(problem)) => {
                (node.to_value(), format!("as written: {}\n", problem.message))
            }
            Err(RenderError::Pending | RenderError::Unknown(_)) => (node.to_value(), "as written\n".to_owned()),
        }
    }
}

fn written(binding: &Binding) -> Value {
    match binding {
        Binding::Template(node) => node.to_value(),
        Binding::Data(value) => (**value).clone(),
        Binding::Pending | Binding::HostVars(_) => Value::Null,
    }
}

/// `group_vars/wod, inventories/lab/group_vars/wod.yml:7:15`
fn origin(layer: &Layer, binding: &Binding) -> String {
    let place = match binding {
        Binding::Template(node) => node.span.location(),
        _ => None,
    };
    match place.or_else(|| layer.origin.span.location()) {
        Some(place) if place.path != Path::new(&layer.origin.text) => format!("{}, {place}", layer.origin.text),
        Some(place) => place.to_string(),
        None => layer.origin.text.clone(),
    }
}
