//! Bad input: a message with its place, exit status 1, and nothing touched.
//!
//! Each folder of `tests/cli/bad` is a project with a `playbook.yml`, whose first task would leave a file `touched`, and
//! what is said about it, `expected.txt`. Beside them may lie an `inventory` and the arguments to use, `args`. `FOLDER`
//! stands for the folder that it is copied to.

use std::path::Path;

use super::Test;
use crate::fixtures;

fn project(folder: &Path) -> Test {
    let mut test = Test::new().file("inventory", "here ansible_connection=local\n");
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.unwrap();
        let path = entry.path().strip_prefix(folder).unwrap();
        if entry.file_type().is_file() && path != Path::new("expected.txt") {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            let text = text.replace("FOLDER", test.path("").to_str().unwrap().trim_end_matches('/'));
            test = test.file(path.to_str().unwrap(), &text);
        }
    }
    test
}

#[test]
fn bad_input_touches_nothing() {
    let mut folders: Vec<_> =
        std::fs::read_dir(fixtures::dir("cli/bad")).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    for folder in folders {
        let test = project(&folder);
        let args = std::fs::read_to_string(folder.join("args")).unwrap_or("apply inventory playbook.yml".into());
        let touched = test.path("touched");
        let test = test.args(args.split_whitespace());
        let (said, status) = test.output();
        fixtures::compare(&folder.join("expected.txt"), &said);
        assert_eq!(status, Some(1), "{}: {said}", folder.display());
        assert!(!touched.exists(), "{} touched something", folder.display());
    }
}

#[test]
fn good_input_touches_something() {
    let test = Test::new().file("inventory", "here ansible_connection=local\n");
    let touch = format!("- hosts: all\n  tasks:\n    - command: touch {}\n", test.path("touched").display());
    let test = test.file("playbook.yml", &touch).args(["apply", "inventory", "playbook.yml"]);
    let (said, status) = test.output();
    assert_eq!(status, Some(0), "{said}");
    assert!(test.path("touched").exists(), "{said}");
}
