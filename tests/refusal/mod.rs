//! Which small playbooks may be run: none is refused that ansible-core carries out, and none ends well that it does not.
//!
//! `cases.txt` holds the playbooks with what ansible-core ended with; `record` asks it anew.

use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn runs_end_well_where_they_do_under_ansible() {
    let cases = include_str!("cases.txt").split("=== ").filter(|case| !case.trim().is_empty());
    let wrong: Vec<String> = cases.filter_map(difference).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What differs from ansible-core in one case.
fn difference(case: &str) -> Option<String> {
    let (head, files) = case.split_once("\n>>> ").expect("a case has files");
    let (name, ends) = head.split_once('\n').expect("a case has a name and an end");
    let folder = tempfile::tempdir().unwrap();
    for file in files.split("\n>>> ") {
        let (path, text) = file.split_once('\n').expect("a file has a text");
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("{}\n", text.trim_end())).unwrap();
    }
    std::fs::write(folder.path().join("hosts"), "h ansible_connection=local\n").unwrap();
    let (ends_well, said) = apply(folder.path());
    let expected = ends.trim() == "ansible ends with 0";
    (ends_well != expected).then(|| format!("{name}: {ends}\n{said}"))
}

fn apply(folder: &Path) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_wodctl"))
        .args(["apply", "hosts", "site.yml"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}
