//! The documents say what is true: links lead somewhere, commands are understood, the reference is the code's.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use wodctl::commands::doc::USAGE;

use crate::fixtures;

/// All documents, with their texts.
fn documents() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let visible = |entry: &walkdir::DirEntry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0 || !(name.starts_with('.') || name == "target" || name == "node_modules")
    };
    let files = walkdir::WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(visible);
    let files = files.map(|entry| entry.unwrap().into_path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    files.map(|path| (path.clone(), std::fs::read_to_string(&path).unwrap())).collect()
}

#[test]
fn links_lead_somewhere() {
    for (path, text) in documents() {
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("http") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.with_file_name("").join(file) };
            assert!(target.exists(), "{}: {link} leads nowhere", path.display());
            if !anchor.is_empty() {
                let text = std::fs::read_to_string(&target).unwrap();
                let headings = text.lines().filter(|line| line.starts_with('#')).map(anchor_of);
                assert!(
                    headings.into_iter().any(|known| known == anchor),
                    "{}: {link}: no such heading",
                    path.display()
                );
            }
        }
    }
}

/// `### The agent` is `#the-agent`.
fn anchor_of(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c)).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Lines of code that call wodctl must be ones that it takes.
#[test]
fn commands_are_understood() {
    let mut count = 0;
    for (path, text) in documents() {
        let calls =
            text.lines().filter_map(|line| line.strip_prefix("    ")).filter(|line| line.starts_with("wodctl "));
        for call in calls {
            let call = call.split(" #").next().unwrap().split(['|', '>']).next().unwrap();
            let words = wodctl::words::split(call).unwrap();
            let parsed = wodctl::cli::command().try_get_matches_from(&words);
            assert!(parsed.is_ok(), "{}: {call}: {}", path.display(), parsed.unwrap_err());
            count += 1;
        }
    }
    assert!(count > 20, "only {count} commands were found");
}

/// Variables of Workshops-on-Demand are named as roles and playbooks name them, and none of a role is without a word about it.
#[test]
fn variables_are_those_of_the_roles() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut declared = BTreeSet::new();
    let mut known = BTreeSet::new();
    for role in std::fs::read_dir(root.join("roles")).unwrap() {
        for file in ["defaults/main.yml", "meta/argument_specs.yml"] {
            let text = std::fs::read_to_string(role.as_ref().unwrap().path().join(file)).unwrap_or_default();
            known.extend(variables(&text));
            declared.extend(
                text.lines()
                    .filter_map(|line| line.trim_start().split_once(':'))
                    .flat_map(|(name, _)| variables(name).filter(move |variable| variable == name)),
            );
        }
    }
    for file in
        walkdir::WalkDir::new(root.join("playbooks")).into_iter().filter(|file| file.as_ref().unwrap().path().is_file())
    {
        known.extend(variables(&std::fs::read_to_string(file.unwrap().path()).unwrap()));
    }
    let mut told = BTreeSet::new();
    for (path, text) in documents() {
        let unknown: Vec<String> = variables(&text).filter(|name| !known.contains(name)).collect();
        assert!(unknown.is_empty(), "{}: no role and no playbook knows {unknown:?}", path.display());
        told.extend(variables(&text));
    }
    let untold: Vec<&String> = declared.difference(&told).collect();
    assert!(!declared.is_empty() && untold.is_empty(), "no document says what these are for: {untold:?}");
}

/// Names that begin with `wod_`; not those cut short, as `wod_*_port` is.
fn variables(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "_*<".contains(c)));
    words
        .filter(|word| word.starts_with("wod_") && !word.contains(['*', '<']) && !word.ends_with('_'))
        .map(str::to_owned)
}

/// What `wodctl doc` shows of each module's use is what `wodctl check` takes.
#[test]
fn examples_of_modules_are_right() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    // What the examples name.
    ["motd", "setup.sh", "app.conf.j2", "app.tar.gz", "site/index.html"].iter().for_each(|name| write(name, ""));
    ["roles/base/tasks/main.yml", "roles/base/tasks/users.yml"].iter().for_each(|name| write(name, "- ping:\n"));
    write("web.yml", "- ping:\n");
    write("vars/web.yml", "app_port: 8080\n");
    write("database.yml", "- hosts: all\n");
    write("inventory.yml", "all:\n  hosts:\n    web1:\n");
    let mut playbooks = Vec::new();
    for (name, usage) in USAGE.iter() {
        let examples: Vec<serde_yaml::Value> = serde_yaml::from_str(&usage.examples).unwrap();
        assert_eq!(examples.len(), 2, "{name} has two examples");
        let tasks = || usage.examples.lines().map(|line| format!("    {line}\n")).collect::<String>();
        let is_play = name == "import_playbook";
        let text = if is_play { usage.examples.clone() } else { format!("- hosts: all\n  tasks:\n{}", tasks()) };
        playbooks.push(format!("example-{name}.yml"));
        write(playbooks.last().unwrap(), &text);
    }
    let wodctl = env!("CARGO_BIN_EXE_wodctl");
    let output =
        Command::new(wodctl).args(["check", "inventory.yml"]).args(&playbooks).current_dir(&folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_reference_of_modules_is_up_to_date() {
    let output = Command::new(env!("CARGO_BIN_EXE_wodctl")).args(["doc", "--markdown"]).output().unwrap();
    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/modules.md");
    fixtures::compare(&reference, &String::from_utf8(output.stdout).unwrap());
}
