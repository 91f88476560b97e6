//! The names of imported files and roles, rendered before the run.

use std::sync::Arc;

use super::context::{Context, layer};
use super::early::{prompts, text};
use super::expand::Builder;
use crate::value::{Map, Value};
use crate::vars::{Layer, Level, magic};
use crate::yaml::Node;

impl Builder<'_> {
    fn early_layers(&self, context: &Context) -> Vec<Arc<Layer>> {
        let play = &self.expander.play;
        let vars = layer(Level::PlayVars, "vars of the play", play.span, &play.base.vars);
        let vars = vars.into_iter().chain(prompts(play));
        let role = context.role.iter().flat_map(|role| role.layers.iter().cloned());
        let early = self.expander.options.early.iter().cloned();
        let shared = self.layers.iter().cloned();
        let magic = Arc::new(magic::layer(magic::of_place(&context.files)));
        let layers = context.layers.iter().cloned();
        vars.chain(shared).chain(role).chain(layers).chain([magic]).chain(early).collect()
    }

    /// The text of a name; `None` if it cannot be rendered, which is a problem.
    pub fn early_text(&mut self, node: &Node, context: &Context) -> Option<String> {
        match text(node, self.early_layers(context), (*context.files).clone()) {
            Ok(text) => Some(text),
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    /// The arguments of an import.
    pub fn early_args(&mut self, args: &Node, context: &Context) -> Option<Map> {
        let mut rendered = Map::new();
        for (key, entry) in args.as_map()? {
            let value = match entry.value.as_str() {
                Some(_) => Value::Str(self.early_text(&entry.value, context)?),
                None => entry.value.to_value(),
            };
            rendered.insert(key.clone(), value);
        }
        Some(rendered)
    }
}
