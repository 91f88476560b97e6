//! Playbooks that look at what they get themselves; `README.md` beside this file describes them.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::fixtures;

const HOSTS: &str =
    "[some]\none\ntwo\nthree\n[all:vars]\nansible_connection=local\nansible_python_interpreter=/usr/bin/python3\n";

#[test]
fn is_what_playbooks_say_of_it() {
    let only = std::env::var("FIXTURE").unwrap_or_default();
    let ansible = std::env::var_os("WODCTL_TEST_ANSIBLE").map(|folder| PathBuf::from(folder).join("ansible-playbook"));
    let mut wrong = String::new();
    fixtures::each("language", "yml", |playbook| {
        if !playbook.to_string_lossy().contains(&only) {
            return;
        }
        let mut ours = Command::new(env!("CARGO_BIN_EXE_wodctl"));
        compare("wodctl", ours.arg("apply"), playbook, &mut wrong);
        if let Some(ansible) = &ansible {
            let mut theirs = Command::new(ansible);
            theirs.env("ANSIBLE_LOCALHOST_WARNING", "0").arg("-i");
            compare("ansible", &mut theirs, playbook, &mut wrong);
        }
    });
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Runs a playbook by its bare name, beside which its files lie.
fn compare(engine: &str, command: &mut Command, playbook: &Path, wrong: &mut String) {
    let (folder, name) = (playbook.parent().unwrap(), playbook.file_name().unwrap());
    let scratch = tempfile::tempdir().unwrap();
    let hosts = scratch.path().join("hosts");
    std::fs::write(&hosts, HOSTS).unwrap();
    command.arg(&hosts);
    command.arg("-e").arg(format!("scratch={}", scratch.path().display())).arg(name).current_dir(folder);
    let Output { status, stdout, stderr } = command.stdin(Stdio::null()).output().unwrap();
    let expected = expected(playbook);
    if status.code() != Some(expected) {
        let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        writeln!(wrong, "{}: {engine} ended with {status}, not {expected}\n{stdout}{stderr}", name.display()).unwrap();
    }
}

fn expected(playbook: &Path) -> i32 {
    let text = std::fs::read_to_string(playbook).unwrap();
    text.strip_prefix("# exits ").and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Keywords without an effect of their own, and why.
const WITHOUT: &[(&str, &str)] = &[
    ("async", "refused"),
    ("collections", "every module is found by its short name"),
    ("debugger", "nothing but `never` is taken"),
    ("poll", "refused"),
    ("throttle", "typed; hosts are not held back yet"),
];

#[test]
fn every_keyword_is_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let table = std::fs::read_to_string(root.join("playbook/keywords.rs")).unwrap();
    let names: Vec<&str> =
        table.lines().filter_map(|line| line.trim().strip_prefix("keyword(\"")?.split('"').next()).collect();
    assert!(names.len() > 50, "only {} keywords", names.len());
    // Where a keyword has its effect: the language's own folder only takes it in.
    let code: String = ["runner", "steps", "commands"].iter().map(|folder| code(&root.join(folder))).collect();
    let inner = std::fs::read_to_string(root.join("playbook/task.rs")).unwrap();
    let is_read = |name: &str| {
        let field = match name {
            "become" => "become_",
            "loop" | "loop_control" => "repeat",
            "role" | "import_playbook" => "file",
            "block" => "main",
            "user" => "remote_user",
            name => name,
        };
        let read = |text: &str| {
            text.match_indices(&format!(".{field}")).any(|(at, found)| {
                !text[at + found.len()..].starts_with(|next: char| next.is_alphanumeric() || next == '_')
            })
        };
        read(&code) || matches!(name, "action" | "args" | "local_action") && inner.contains(&format!("\"{name}\""))
    };
    let unread: Vec<&str> =
        names.into_iter().filter(|name| !WITHOUT.iter().any(|(known, _)| known == name) && !is_read(name)).collect();
    assert!(unread.is_empty(), "nobody reads these keywords: {}", unread.join(", "));
}

/// All code below a folder.
fn code(folder: &Path) -> String {
    let files = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
    files
        .filter(|file| file.path().extension().is_some_and(|ending| ending == "rs"))
        .map(|file| std::fs::read_to_string(file.path()).unwrap())
        .collect()
}
