//! What the roles would do on each distribution, planned without a machine: its facts are recorded (`NAME/facts.yml`), and so
//! are the names of packages that its repositories have, each with its source (`NAME/packages.yml`). A role that asks for
//! another name fails here. The sources make a page of the documentation.

mod machine;
mod plan;
mod sources;

use crate::fixtures;

use std::collections::BTreeMap;
use std::path::PathBuf;

use wodctl::agent::carry::carry_out;
use wodctl::change::perform::Unwatched;
use wodctl::modules;
use wodctl::system::predicted::Predicted;
use wodctl::transport::Blobs;
use wodctl::value::{Map, Value};

use machine::Recorded;
use plan::Entry;
use sources::Recording;

/// Its whole plan is recorded (`plan.txt`); of the others, what is different (`plan.diff`).
const BASE: &str = "Debian-12";

fn folder(name: &str) -> PathBuf {
    fixtures::dir("wod/distributions").join(name)
}

/// Those that the roles know, or the one that `FIXTURE` names.
fn distributions() -> Vec<String> {
    let only = std::env::var("FIXTURE").unwrap_or_default();
    sources::distributions().into_iter().filter(|name| name.contains(&only)).collect()
}

fn entries(name: &str) -> Vec<Entry> {
    plan::entries(&folder(name), &Recording::of(&folder(name)).vars)
}

#[test]
fn plans_are_as_recorded() {
    let base = entries(BASE);
    fixtures::compare(&folder(BASE).join("plan.txt"), &plan::text(&base));
    for name in distributions() {
        let entries = entries(&name);
        let failed: Vec<&Entry> = entries.iter().filter(|entry| entry.has_failed()).collect();
        assert!(failed.is_empty(), "{name}: {failed:?}");
        if name != BASE {
            fixtures::compare(&folder(&name).join("plan.diff"), &plan::difference(&base, &entries));
        }
    }
}

#[test]
fn facts_are_what_setup_says_of_the_recorded_files() {
    for name in distributions() {
        let recording = Recording::of(&folder(&name));
        let mut machine = Predicted::new(Recorded::new(&recording, Default::default(), Blobs::default()));
        let args = Map::from_iter([("gather_subset".to_owned(), Value::from("min"))]);
        let setup = modules::find("setup").unwrap().build.unwrap()(&args).unwrap();
        let outcome = carry_out(&*setup, &mut machine, false, &mut Unwatched).unwrap();
        let found = &outcome.values["ansible_facts"];
        let told = |name: &&String| name.starts_with("ansible_distribution") || *name == "ansible_os_family";
        for fact in recording.facts.keys().filter(told) {
            assert_eq!(found.get(fact), recording.facts().get(fact), "{name}: {fact}");
        }
    }
}

#[test]
fn an_unknown_distribution_ends_the_run_before_anything_is_changed() {
    let found = plan::entries(&folder("unknown"), &BTreeMap::new());
    fixtures::compare(&folder("unknown/plan.txt"), &plan::text(&found));
    assert!(!found.is_empty() && found.iter().all(Entry::has_failed), "{found:?}");
}

#[test]
fn a_node_js_that_is_too_old_ends_the_run_before_anything_is_changed() {
    let found = plan::entries(&folder("Ubuntu-22"), &BTreeMap::new());
    assert!(!found.is_empty() && found.iter().all(Entry::has_failed), "{found:?}");
    assert!(plan::text(&found).contains("set wod_node_source to nodesource or npm"), "{found:?}");
}

#[test]
fn the_documentation_lists_where_each_name_was_looked_up() {
    fixtures::compare(&fixtures::dir("../docs/wod/distributions-names.md"), &sources::page());
}
