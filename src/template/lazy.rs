//! Variables that hold templates: each part is rendered when it is looked at.

use std::sync::Arc;

use minijinja::Value as Jinja;
use minijinja::value::{Enumerator, Object, ObjectRepr};

use super::RenderError;
use super::run::Run;
use crate::value::Value;
use crate::yaml::{Node, NodeKind};

/// A list or mapping of a variable, which may hold templates.
#[derive(Clone, Debug)]
pub struct Lazy {
    whole: Arc<Node>,
    way: Vec<u32>,
    run: Arc<Run>,
}

impl Lazy {
    /// The whole of a variable.
    pub fn new(node: Arc<Node>, run: &Arc<Run>) -> Self {
        Lazy { whole: node, way: Vec::new(), run: run.clone() }
    }

    /// The part as it is written.
    pub fn node(&self) -> &Node {
        self.way.iter().fold(&self.whole, |node, &step| match &node.kind {
            NodeKind::List(items) => &items[step as usize],
            NodeKind::Map(map) => &map[step as usize].value,
            NodeKind::Scalar(_) => node,
        })
    }

    /// All of it, rendered.
    pub fn render(&self) -> Result<Value, RenderError> {
        self.run.value(self.node())
    }

    fn part(&self, index: usize) -> Lazy {
        let mut way = Vec::with_capacity(self.way.len() + 1);
        way.extend_from_slice(&self.way);
        way.push(index as u32);
        Lazy { whole: self.whole.clone(), way, run: self.run.clone() }
    }

    /// As a value of the template language: text is rendered now, collections when they are looked at.
    pub fn to_jinja(&self) -> Jinja {
        match self.run.scalar(self.node()) {
            Some(value) => value,
            None => Jinja::from_object(self.clone()),
        }
    }

    fn keys(&self) -> Vec<Jinja> {
        self.node().as_map().into_iter().flatten().map(|(key, _)| Jinja::from(key.as_str())).collect()
    }
}

impl Object for Lazy {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        match self.node().kind {
            NodeKind::List(_) => ObjectRepr::Seq,
            _ => ObjectRepr::Map,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        match &self.node().kind {
            NodeKind::List(items) => {
                let index = key.as_usize().filter(|index| *index < items.len())?;
                Some(self.part(index).to_jinja())
            }
            NodeKind::Map(_) => match key.as_str() {
                Some(name) => self.get_value_by_str(name),
                None => self.get_value_by_str(&key.to_string()),
            },
            NodeKind::Scalar(_) => None,
        }
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Jinja> {
        let index = self.node().as_map()?.get_index_of(key)?;
        Some(self.part(index).to_jinja())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match &self.node().kind {
            NodeKind::List(items) => Enumerator::Seq(items.len()),
            _ => Enumerator::Values(self.keys()),
        }
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        match &self.node().kind {
            NodeKind::List(items) => Some(items.len()),
            NodeKind::Map(map) => Some(map.len()),
            NodeKind::Scalar(_) => None,
        }
    }
}
