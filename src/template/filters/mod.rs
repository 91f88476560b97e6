//! The filters of Jinja2 and of Ansible.
//!
//! Jinja2's own are here too where minijinja's differ in arguments or results, which is nearly always.

mod casing;
mod combining;
mod converting;
mod grouping;
mod hashes;
mod json;
mod lists;
mod mappings;
mod numbers;
mod ordering;
mod paths;
mod picking;
mod regex;
mod sets;
mod text;

use minijinja::Environment;

use super::arguments::Entry;

const THEMES: &[&[Entry]] = &[
    casing::FILTERS,
    combining::FILTERS,
    converting::FILTERS,
    grouping::FILTERS,
    hashes::FILTERS,
    json::FILTERS,
    lists::FILTERS,
    mappings::FILTERS,
    numbers::FILTERS,
    ordering::FILTERS,
    paths::FILTERS,
    picking::FILTERS,
    regex::FILTERS,
    sets::FILTERS,
    text::FILTERS,
];

/// Adds all filters to an environment, each also under its full name (`ansible.builtin.NAME`).
pub fn register(env: &mut Environment<'static>) {
    for filter in THEMES.iter().copied().flatten() {
        for name in filter.names {
            let call = |state: &mut minijinja::State, given| filter.run(state, given);
            env.add_filter(*name, call);
            if !name.contains('.') {
                env.add_filter(format!("ansible.builtin.{name}"), call);
            }
        }
    }
}

/// The names of all filters, without `ansible.builtin.`.
pub fn names() -> impl Iterator<Item = &'static str> {
    THEMES.iter().copied().flatten().flat_map(|filter| filter.names).copied()
}
