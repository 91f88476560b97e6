//! `synchronize`: where its source lies, by `delegate_to`.

use std::path::Path;
use std::process::Command;

use super::Test;

fn test(task: &str) -> Test {
    let site = format!(
        "- hosts: here\n  gather_facts: false\n  tasks:\n    - synchronize: {{src: tree/, dest: '{{{{ folder }}}}/out', \
         rsync_opts: ['--exclude=*.py --exclude=/sub/x']}}\n{task}"
    );
    let test = Test::new()
        .file("hosts", "here ansible_connection=local\nother ansible_connection=local\n")
        .file("site.yml", &site)
        .file("files/tree/a", "1")
        .file("files/tree/b.py", "2")
        .file("files/tree/sub/x", "3")
        .file("files/tree/sub/deep/x", "4");
    let folder = test.path("files/tree");
    assert!(Command::new("chmod").args(["-R", "go-w"]).arg(folder).status().unwrap().success());
    test
}

fn run(test: &Test, verb: &str) -> (String, Option<i32>) {
    let folder = format!("folder={}", test.path("").display());
    test.with(&[verb, "hosts", "site.yml", "-e", &folder]).output()
}

fn names(folder: &Path) -> Vec<String> {
    let files = walkdir::WalkDir::new(folder).min_depth(1).sort_by_file_name().into_iter();
    files.map(|file| file.unwrap().path().strip_prefix(folder).unwrap().display().to_string()).collect()
}

#[test]
fn the_controllers_by_itself_and_by_its_name() {
    for task in ["", "      delegate_to: localhost\n"] {
        let test = test(task);
        let (said, status) = run(&test, "plan");
        assert_eq!(status, Some(0), "{said}");
        assert!(said.contains("changed=1"), "{said}");
        assert!(!test.path("out").exists());
        let (said, status) = run(&test, "apply");
        assert_eq!(status, Some(0), "{said}");
        assert_eq!(names(&test.path("out")), ["a", "sub", "sub/deep", "sub/deep/x"]);
        let time = |path: &str| std::fs::metadata(test.path(path)).unwrap().modified().unwrap();
        let apart = |one: &str, other: &str| match time(one).duration_since(time(other)) {
            Ok(time) => time,
            Err(error) => error.duration(),
        };
        for path in ["", "/a", "/sub", "/sub/deep/x"] {
            let apart = apart(&format!("out{path}"), &format!("files/tree{path}"));
            assert!(apart.as_millis() < 1, "{path}: {apart:?}");
        }
        let (said, _) = run(&test, "apply");
        assert!(said.contains("changed=0"), "{said}");
    }
}

#[test]
fn the_hosts_own_is_not_looked_for_here() {
    let task = "    - synchronize: {src: /no/such/, dest: /tmp}\n      delegate_to: '{{ inventory_hostname }}'\n";
    let (said, status) = run(&test(task), "check");
    assert_eq!((said.as_str(), status), ("1 play, 2 tasks, 1 host: nothing wrong\n", Some(0)));
}

#[test]
fn from_another_host_it_does_not_come() {
    let (said, status) = run(&test("      delegate_to: other\n"), "apply");
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("from other to here they go by `fetch` and `copy`"), "{said}");
}
