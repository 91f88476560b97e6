//! Which content a run uses.

use super::Test;

const PLAYBOOK: &str = "- hosts: all\n  gather_facts: false\n  roles: [greeting]\n";
const TASKS: &str = "- debug: {msg: hello}\n";

fn inventory() -> Test {
    Test::new().file("work/inventory.yml", "all: {hosts: {here: {ansible_connection: local}}}\n")
}

#[test]
fn outside_a_project_it_is_what_was_shipped_beside_the_program() {
    inventory()
        .installed("prefix/bin/wodctl")
        .file("prefix/share/wodctl/playbooks/site.yml", PLAYBOOK)
        .file("prefix/share/wodctl/roles/greeting/tasks/main.yml", TASKS)
        .args(["check", "work/inventory.yml"])
        .stdout("1 play, 1 task, 1 host: nothing wrong\n")
        .stderr(
            "no project around the inventory: using the content shipped with wodctl in FOLDER/prefix/share/wodctl\n",
        )
        .success();
}

#[test]
fn or_in_the_data_folder() {
    let test = inventory();
    let data = test.path("data").display().to_string();
    test.env("XDG_DATA_HOME", &data)
        .file("data/wodctl/playbooks/site.yml", PLAYBOOK)
        .file("data/wodctl/roles/greeting/tasks/main.yml", TASKS)
        .args(["check", "work/inventory.yml"])
        .stdout("1 play, 1 task, 1 host: nothing wrong\n")
        .stderr("no project around the inventory: using the content shipped with wodctl in FOLDER/data/wodctl\n")
        .success();
}

#[test]
fn with_none_at_all_the_places_are_named() {
    let (said, status) = inventory()
        .installed("prefix/bin/wodctl")
        .env("XDG_DATA_DIRS", "/nowhere")
        .args(["check", "work/inventory.yml"])
        .output();
    let expected = "\
error: no folder above work/inventory.yml holds `playbooks/`, and no content is shipped with wodctl. Name the playbooks to run.
Looked for:
  FOLDER/prefix/share/wodctl/playbooks/site.yml
  FOLDER/.local/share/wodctl/playbooks/site.yml
  /nowhere/wodctl/playbooks/site.yml
";
    assert_eq!((said.as_str(), status), (expected, Some(1)));
}
