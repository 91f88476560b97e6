//! Names that are needed before the run: imported files and roles. They may use extra variables, variables of the play,
//! of blocks and of roles, but nothing of a host.

use std::path::Path;
use std::sync::Arc;

use super::context::layer;
use super::options::Options;
use crate::diagnostic::Diagnostic;
use crate::playbook::{self, Play, is_template, scalar_text};
use crate::template::{Binding, RenderError, Scope, SearchPath, Templar};
use crate::value::Value;
use crate::vars::{Layer, Level, Origin, Stack, magic};
use crate::yaml::{Node, NodeKind};

/// What such a name may use.
#[derive(Debug)]
struct Early {
    stack: Stack,
    files: SearchPath,
}

impl Scope for Early {
    fn lookup(&self, name: &str) -> Option<Binding> {
        self.stack.lookup(name).cloned()
    }

    fn names(&self) -> Vec<String> {
        self.stack.names()
    }

    fn files(&self) -> &SearchPath {
        &self.files
    }
}

/// Renders a name with what `layers` hold.
pub(super) fn text(
    node: &Node,
    layers: impl IntoIterator<Item = Arc<Layer>>,
    files: SearchPath,
) -> Result<String, Diagnostic> {
    if !is_template(node) {
        return Ok(scalar_text(node));
    }
    let scope: Arc<dyn Scope> = Arc::new(Early { stack: Stack::new(layers), files });
    match rendered(node, &scope)? {
        Some(node) => Ok(scalar_text(&node)),
        None => Err(unknown(node)),
    }
}

/// What is known of a play before the run: extra variables (`early`) and those of the play. What is to be asked for is
/// pending.
pub fn scope(play: &Play, early: &[Arc<Layer>]) -> Arc<dyn Scope> {
    let folder = play.path.parent().map(Path::to_owned).unwrap_or_default();
    let files = SearchPath { roles: Vec::new(), task: folder.clone(), playbook: folder };
    let vars = layer(Level::PlayVars, "vars of the play", play.span, &play.base.vars);
    let magic = Arc::new(magic::layer(magic::of_place(&files)));
    let stack = Stack::new(vars.into_iter().chain(prompts(play)).chain([magic]).chain(early.iter().cloned()));
    Arc::new(Early { stack, files })
}

/// The value of a keyword of the play, converted to its type.
pub(super) fn keyword(name: &str, node: &Node, play: &Play, options: &Options) -> Result<Value, Diagnostic> {
    let Some(rendered) = rendered(node, &scope(play, &options.early))? else { return Err(unknown(node)) };
    let wrong = |what| Diagnostic::error(node.span, format!("`{name}`: {what}"));
    playbook::convert_keyword(name, rendered.to_value()).map_err(wrong)
}

/// What the operator will be asked for.
pub(super) fn prompts(play: &Play) -> Option<Arc<Layer>> {
    let values = play.vars_prompt.iter().map(|prompt| (prompt.name.clone(), Binding::Pending)).collect();
    let origin = Origin { text: "vars_prompt".to_owned(), span: play.span };
    (!play.vars_prompt.is_empty()).then(|| Arc::new(Layer { level: Level::PlayPrompt, origin, values }))
}

/// The pattern of a play's hosts; `None` if it depends on what the operator will be asked for.
pub fn hosts(play: &Play, options: &Options) -> Result<Option<Node>, Diagnostic> {
    let scope = scope(play, &options.early);
    match &play.hosts.kind {
        NodeKind::List(items) => {
            let items: Option<_> = items.iter().map(|item| rendered(item, &scope)).collect::<Result<_, _>>()?;
            Ok(items.map(|items| Node { kind: NodeKind::List(items), ..(*play.hosts).clone() }))
        }
        _ => rendered(&play.hosts, &scope),
    }
}

/// `None` if it is not known yet.
fn rendered(node: &Node, scope: &Arc<dyn Scope>) -> Result<Option<Node>, Diagnostic> {
    if !is_template(node) {
        return Ok(Some(node.clone()));
    }
    match Templar::new().render(node, scope) {
        Ok(value) => Ok(Some(Node::of(&value, node.span))),
        Err(RenderError::Undefined(problem)) => Err(problem.or_help(
            "this is needed before the run: it may use extra variables and those of the play, but nothing of a host",
        )),
        Err(RenderError::Wrong(problem)) => Err(*problem),
        Err(RenderError::Pending) => Ok(None),
        Err(RenderError::Unknown(_)) => Err(unknown(node)),
    }
}

fn unknown(node: &Node) -> Diagnostic {
    Diagnostic::error(node.span, "this is needed before the run, and not known then")
}
