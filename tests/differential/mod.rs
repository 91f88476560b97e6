//! The same tasks under Ansible and under wodctl; `README.md` beside this file describes the cases.

mod case;
mod engine;
mod tree;

use std::path::{Path, PathBuf};

use case::Case;
use engine::{Engine, TaskEnd};

#[test]
fn same_as_ansible() {
    let Some(ansible) = ansible() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let cases = Case::all();
    let engines = [Engine::ansible(&ansible, folder.path()), Engine::wodctl(folder.path())];
    for engine in &engines {
        cases.iter().for_each(|case| engine.prepare(case));
    }
    let [theirs, ours] = engines.map(|engine| {
        let runs = [engine.run(&cases), engine.run(&cases)];
        let trees: Vec<_> = cases.iter().map(|case| tree::list(&engine.root(case))).collect();
        (runs, trees)
    });
    let mut problems = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        for (run, when) in ["first run", "second run"].iter().enumerate() {
            let found = compare(case, &theirs.0[run][index], &ours.0[run][index]);
            problems.extend(found.into_iter().map(|problem| format!("{}, {when}, {problem}", case.name)));
        }
        let found = tree::differences(&theirs.1[index], &ours.1[index]);
        problems.extend(found.into_iter().map(|problem| format!("{}, afterwards, {problem}", case.name)));
    }
    assert!(
        problems.is_empty(),
        "{} differences in {} cases (Ansible's first):\n\n{}",
        problems.len(),
        cases.len(),
        problems.join("\n")
    );
}

/// Where Ansible is. It may be missing, unless the run requires it.
pub fn ansible() -> Option<PathBuf> {
    let folder = std::env::var_os("WODCTL_TEST_ANSIBLE").map(PathBuf::from);
    let found = folder.filter(|folder| folder.join("ansible-playbook").exists());
    let required = std::env::var("WODCTL_REQUIRE").unwrap_or_default();
    if found.is_none() {
        assert!(
            !required.split(',').any(|name| name == "ansible"),
            "Ansible is required, but WODCTL_TEST_ANSIBLE does not name a folder that has ansible-playbook"
        );
        println!("skipped: there is no Ansible to compare with (WODCTL_TEST_ANSIBLE)");
    }
    found
}

fn compare(case: &Case, theirs: &[TaskEnd], ours: &[TaskEnd]) -> Vec<String> {
    let mut problems = Vec::new();
    if theirs.is_empty() || theirs.len() != ours.len() {
        problems.push(format!("there are {} results and {} results", theirs.len(), ours.len()));
    }
    for (number, (theirs, ours)) in theirs.iter().zip(ours).enumerate() {
        let say = |what: &str, one: &dyn std::fmt::Debug, other: &dyn std::fmt::Debug| {
            format!("task {}: {what} {one:?} and {other:?}", number + 1)
        };
        if theirs.word != ours.word {
            problems.push(say("is", &(theirs.word, &theirs.message), &(ours.word, &ours.message)));
            continue;
        }
        for (key, value) in &theirs.values {
            let other = ours.values.get(key);
            if other != Some(value) && !case.differs.contains(key) && theirs.word != "failed" {
                problems.push(say(&format!("`{key}`"), &value.to_string(), &other.map(ToString::to_string)));
            }
        }
    }
    problems
}

/// What a folder holds, by relative path.
fn relative<'a>(path: &'a Path, root: &Path) -> &'a Path {
    path.strip_prefix(root).unwrap_or(path)
}
