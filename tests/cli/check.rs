//! `wodctl check` and the lists.

use super::Test;

const SITE: &str = "\
- name: Web servers
  hosts: web
  tags: [site]
  roles: [{role: base, tags: base}]
  tasks:
    - name: Hello
      debug: {msg: hello}
      tags: [greet]
    - ping:
";

fn project() -> Test {
    Test::new()
        .file("inventory.yml", "all: {children: {web: {hosts: {web1: , web2: }}, db: {hosts: {db1: }}}}\n")
        .file("playbooks/site.yml", SITE)
        .file("roles/base/tasks/main.yml", "- name: Base\n  ping:\n")
}

#[test]
fn a_project_that_is_right() {
    project().args(["check", "inventory.yml"]).stdout("1 play, 3 tasks, 2 hosts: nothing wrong\n").success();
}

#[test]
fn lists_have_ansibles_form() {
    project()
        .args(["check", "inventory.yml", "--list-hosts", "--list-tasks", "--list-tags", "--limit", "web2"])
        .stdout(
            "
playbook: playbooks/site.yml

  play #1 (web): Web servers\tTAGS: [site]
    pattern: ['web']
    hosts (1):
      web2
    tasks:
      base : Base\tTAGS: [base, site]
      Hello\tTAGS: [greet, site]
      ping\tTAGS: [site]
      TASK TAGS: [base, greet, site]
",
        )
        .success();
}

#[test]
fn apply_and_plan_list_without_touching_a_host() {
    let list = "\nplaybook: playbooks/site.yml\n\n  play #1 (web): Web servers\tTAGS: [site]\n    tasks:\n      ping\tTAGS: [site]\n      TASK TAGS: [site]\n";
    for verb in ["apply", "plan"] {
        let list_from = ["inventory.yml", "--list-tasks", "--list-tags", "--start-at-task", "ping"];
        project().args([verb]).args(list_from).stdout(list).success();
    }
}

#[test]
fn tags_select_what_is_listed() {
    project()
        .args(["check", "inventory.yml", "--list-tasks", "--tags", "greet"])
        .stdout("\nplaybook: playbooks/site.yml\n\n  play #1 (web): Web servers\tTAGS: [site]\n    tasks:\n      Hello\tTAGS: [greet, site]\n")
        .success();
}

#[test]
fn a_tag_and_a_task_that_nothing_has() {
    project()
        .args(["check", "inventory.yml", "--tags", "greeet", "--start-at-task", "Helo"])
        .stdout("1 play, 0 tasks, 2 hosts: 1 certain, 1 possible\n")
        .stderr(
            "\
error[unknown-tag]: --start-at-task: no task is named `Helo`
 |
 = help: did you mean `Hello`?

warning[unknown-tag]: --tags: nothing has the tag `greeet`
 |
 = help: did you mean `greet`?
",
        )
        .status(1);
}

#[test]
fn all_that_is_wrong_is_said_and_counted() {
    project()
        .file("playbooks/site.yml", "- hosts: wbe\n  tasks:\n    - comand: uptime\n    - ping: {dta: x}\n")
        .args(["check", "inventory.yml"])
        .stdout("1 play, 2 tasks, 0 hosts: 2 certain, 1 possible\n")
        .stderr(
            "\
error[unknown-module]: there is no module `comand`
 --> playbooks/site.yml:3:7
  |
3 |     - comand: uptime
  |       ^^^^^^ unknown module
  |
  = help: did you mean `command`?

warning[unknown-argument]: `ping` has no argument `dta`
 --> playbooks/site.yml:4:14
  |
4 |     - ping: {dta: x}
  |              ^^^ unknown argument
  |
  = help: did you mean `data`?

error[unknown-host]: the inventory has no host or group `wbe`
 --> playbooks/site.yml:1:10
  |
1 | - hosts: wbe
  |          ^^^
  |
  = help: did you mean `web`?

error: 2 errors
",
        )
        .status(1);
}

#[test]
fn a_limit_that_leaves_no_host() {
    project()
        .args(["check", "inventory.yml", "--limit", "db"])
        .stderr(
            "\
error[no-hosts]: no play has a host within the limit
 --> playbooks/site.yml:2:10
  |
2 |   hosts: web
  |          ^^^
  |
  = help: `wodctl inventory … --graph` shows the hosts
",
        )
        .status(1);
}

#[test]
fn a_play_for_hosts_that_this_inventory_has_not() {
    let (said, status) = Test::new()
        .file("inventory", "here ansible_connection=local\n")
        .file("site.yml", "- hosts: here\n  gather_facts: false\n  tasks: [ping: ]\n- hosts: db\n  tasks: [ping: ]\n")
        .args(["apply", "inventory", "site.yml"])
        .output();
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("PLAY [db] no host matches: left out\n"), "{said}");
    assert!(said.contains("warning[unknown-host]: the inventory has no host or group `db`\n"), "{said}");
}
