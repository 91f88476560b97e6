//! An inventory while it is being read.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Inventory, names};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::template::Binding;
use crate::value::Value;
use crate::yaml::Node;

/// An inventory that is being read.
pub(super) struct Reading {
    pub inventory: Inventory,
    pub warnings: Vec<Diagnostic>,
    /// The file that is being read.
    pub file: PathBuf,
}

type Read<T = ()> = Result<T, Box<Diagnostic>>;

impl Reading {
    /// Makes a group; whether it is new.
    pub fn group(&mut self, name: &str, span: Span) -> bool {
        self.inventory.add_group(name, span)
    }

    pub fn has_group(&self, name: &str) -> bool {
        self.inventory.groups.contains_key(name)
    }

    pub fn group_names(&self) -> Vec<&str> {
        self.inventory.groups.keys().map(String::as_str).collect()
    }

    pub fn child(&mut self, parent: &str, child: &str, span: Span) -> Read {
        if self.inventory.add_child(parent, child) {
            return Ok(());
        }
        let problem = Diagnostic::error(span, format!("the group `{child}` would lie below itself"));
        Err(Box::new(problem.help(format!("`{parent}` is `{child}` itself or lies below it already"))))
    }

    /// Makes the hosts that a pattern with ranges and port stands for, in a group.
    pub fn hosts(&mut self, pattern: &str, group: &str, span: Span) -> Read<Vec<String>> {
        let (names, port) = names::expand(pattern).map_err(|why| Box::new(Diagnostic::error(span, why)))?;
        for name in &names {
            if name.is_empty() {
                return Err(Box::new(Diagnostic::error(span, "a host needs a name")));
            }
            self.host(name, group, port, span);
        }
        Ok(names)
    }

    /// Makes one host, or puts a known one into a group.
    pub fn host(&mut self, name: &str, group: &str, port: Option<u16>, span: Span) {
        let new = !self.inventory.hosts.contains_key(name);
        self.inventory.put_host(name, group, Some(self.file.clone()), span);
        if let Some(port) = port.filter(|_| new) {
            let value = Node::scalar(span, Value::Int(port.into()));
            self.host_var(name, "ansible_port", Binding::Template(Arc::new(value)));
        }
    }

    /// `ansible_group_priority` is no variable but settles which of two groups wins.
    pub fn group_var(&mut self, group: &str, name: &str, value: Binding, span: Span) -> Read {
        if name != "ansible_group_priority" {
            self.inventory.set_group_var(group, name, value);
            return Ok(());
        }
        let number = match &value {
            Binding::Template(node) => match node.to_value() {
                Value::Int(number) => Some(number),
                Value::Str(text) => text.trim().parse().ok(),
                _ => None,
            },
            _ => None,
        };
        match (number, self.inventory.groups.get_mut(group)) {
            (Some(number), Some(group)) => group.priority = number,
            _ => return Err(Box::new(Diagnostic::error(span, "`ansible_group_priority` is a whole number"))),
        }
        Ok(())
    }

    pub fn host_var(&mut self, host: &str, name: &str, value: Binding) {
        self.inventory.set_host_var(host, name, value);
    }

    pub fn warn(&mut self, problem: Diagnostic) {
        self.warnings.push(problem);
    }
}
