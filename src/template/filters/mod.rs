//! The filters of Jinja2 and of Ansible.
//!
//! Jinja2's own are here too where minijinja's differ in arguments or results, which is nearly always.

mod casing;
mod combining;
mod converting;
mod general;
mod grouping;
mod hashes;
mod html;
mod json;
mod json_query;
mod lists;
mod mappings;
mod network;
mod numbers;
mod ordering;
mod passwords;
mod paths;
mod picking;
mod query;
mod random;
mod regex;
mod sets;
mod sizes;
mod text;
mod time;
mod urls;
mod vault;
mod windows;
mod wrapping;
mod yaml;

use minijinja::Environment;

use super::arguments::Entry;
pub(super) use combining::products;
pub(super) use converting::whole;
pub(super) use lists::{below, flattened};
pub(super) use ordering::Seen;
pub(super) use passwords::{Hash, crypt, crypt_salt};
pub use passwords::{encrypted, is_hash};
pub(super) use paths::{controller, glob, home_expanded};
pub(super) use random::seeded;
pub(super) use regex::with_pattern;
pub use time::DateTime;

const THEMES: &[&[Entry]] = &[
    casing::FILTERS,
    combining::FILTERS,
    converting::FILTERS,
    grouping::FILTERS,
    hashes::FILTERS,
    html::FILTERS,
    json::FILTERS,
    json_query::FILTERS,
    lists::FILTERS,
    mappings::FILTERS,
    network::FILTERS,
    numbers::FILTERS,
    ordering::FILTERS,
    passwords::FILTERS,
    paths::FILTERS,
    picking::FILTERS,
    random::FILTERS,
    regex::FILTERS,
    sets::FILTERS,
    sizes::FILTERS,
    text::FILTERS,
    time::FILTERS,
    urls::FILTERS,
    vault::FILTERS,
    windows::FILTERS,
    wrapping::FILTERS,
    yaml::FILTERS,
];

fn all() -> impl Iterator<Item = &'static Entry> {
    THEMES.iter().chain(general::THEMES).copied().flatten()
}

/// Adds all filters to an environment, each also under its full name (`ansible.builtin.NAME`).
pub fn register(env: &mut Environment<'static>) {
    for filter in all() {
        for name in filter.names {
            let call = |state: &mut minijinja::State, given| filter.run(state, given);
            env.add_filter(*name, call);
            if !name.contains('.') {
                env.add_filter(format!("ansible.builtin.{name}"), call);
            }
        }
    }
}

/// The filter of a name, which may have `ansible.builtin.` in front.
pub(super) fn find(name: &str) -> Option<&'static Entry> {
    let short = name.strip_prefix("ansible.builtin.").unwrap_or(name);
    all().find(|entry| entry.names.contains(&short))
}

/// The names of all filters, without `ansible.builtin.`.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().flat_map(|filter| filter.names).copied()
}
