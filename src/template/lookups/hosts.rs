//! Hosts of the inventory by pattern.

use minijinja::{Error, Value};

use super::{Asked, Lookup, lookup};
use crate::inventory::Inventory;
use crate::source;
use crate::template::Asks;
use crate::template::arguments::wrong;
use crate::template::python;
use crate::value::Map;
use crate::yaml::Node;

pub const LOOKUPS: &[Lookup] = &[lookup("inventory_hostnames", "", inventory_hostnames).asking(Asks::HOSTS)];

fn inventory_hostnames(asked: &Asked) -> Result<Vec<Value>, Error> {
    let Some(groups) = asked.context.variable("groups")? else { return Ok(Vec::new()) };
    let mut inventory = Inventory::default();
    for (group, hosts) in python::pairs(&groups)? {
        for host in python::items(&hosts)? {
            let group = python::text(&group).into_owned();
            inventory.add_host(&python::text(&host), &[group], &Map::new());
        }
    }
    let mut found = Vec::new();
    for pattern in asked.texts()? {
        let span = source::add("<inventory_hostnames>", pattern.as_str());
        let chosen = inventory.select(&Node::scalar(span, pattern)).map_err(|problem| wrong(problem.message))?;
        found.extend(chosen.hosts.into_iter().map(Value::from));
    }
    Ok(found)
}
