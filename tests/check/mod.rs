//! Wrong playbooks and what is said about them: each case is a playbook, `NAME.yml` or `NAME/playbook.yml`, and the whole
//! rendered output, `NAME.txt`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wodctl::check::{self, Input};
use wodctl::inventory;
use wodctl::playbook::Project;
use wodctl::steps::Options;

use crate::fixtures;

#[test]
fn wrong_playbooks_get_their_messages() {
    // Relative paths, so that the messages do not depend on where the project lies.
    let folder = Path::new("tests/check");
    let mut playbooks: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    playbooks.retain(|path| path.is_dir() || path.extension().is_some_and(|extension| extension == "yml"));
    playbooks.sort();
    for path in playbooks {
        let playbook = if path.is_dir() { path.join("playbook.yml") } else { path.clone() };
        fixtures::compare(&path.with_extension("txt"), &messages(playbook));
    }
}

fn messages(playbook: PathBuf) -> String {
    let beside = playbook.with_file_name("inventory.yml");
    let inventory = beside.is_file().then(|| inventory::load(&[beside.to_string_lossy()]).unwrap().inventory);
    let input = Input {
        playbooks: &[playbook],
        project: &Arc::new(Project::default()),
        options: &Options::default(),
        inventory: inventory.as_ref(),
        limit: None,
        becomes: false,
    };
    let found = check::check(&input);
    found.problems.iter().map(|problem| problem.render(false)).collect::<Vec<_>>().join("\n")
}
