//! Filters of the collections `community.general` and `ansible.utils` that playbooks use.

mod compare;
mod keys;
mod lists;
mod mappings;
mod times;

use crate::template::arguments::Entry;

pub const THEMES: &[&[Entry]] = &[compare::FILTERS, keys::FILTERS, lists::FILTERS, mappings::FILTERS, times::FILTERS];
