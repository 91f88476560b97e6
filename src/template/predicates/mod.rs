//! The tests of Jinja2 and of Ansible: what stands behind `is`.

mod files;
mod kinds;
mod lists;
mod network;
mod results;
mod text;
mod version;

use minijinja::Environment;

use super::arguments::Entry;
pub(super) use version::loosely;

const THEMES: &[&[Entry]] =
    &[files::TESTS, kinds::TESTS, lists::TESTS, network::TESTS, results::TESTS, text::TESTS, version::TESTS];

/// Adds all tests to an environment, each also under its full name (`ansible.builtin.NAME`).
pub fn register(env: &mut Environment<'static>) {
    for test in THEMES.iter().copied().flatten() {
        for name in test.names {
            let call = |state: &mut minijinja::State, given| test.run(state, given).map(|answer| answer.is_true());
            env.add_test(*name, call);
            if !name.contains('.') {
                env.add_test(format!("ansible.builtin.{name}"), call);
            }
        }
    }
}

/// The test of a name, which may have `ansible.builtin.` in front.
pub(super) fn find(name: &str) -> Option<&'static Entry> {
    let short = name.strip_prefix("ansible.builtin.").unwrap_or(name);
    THEMES.iter().copied().flatten().find(|entry| entry.names.contains(&short))
}

/// The names of all tests, without `ansible.builtin.`.
pub fn names() -> impl Iterator<Item = &'static str> {
    THEMES.iter().copied().flatten().flat_map(|test| test.names).copied()
}
