//! `wodctl vars`: values and origins.

use super::Test;

fn project() -> Test {
    Test::new()
        .file("inventory.yml", "web:\n  hosts:\n    web1: {port: 81}\n    web2:\n  vars:\n    port: 80\n")
        .file("group_vars/all.yml", "name: shop\nhosts:\n- web1\n- web2\n")
        .file("playbooks/site.yml", "- hosts: web1\n  vars: {name: store}\n  roles: [base]\n")
        .file("roles/base/defaults/main.yml", "port: 8080\nuser: base\n")
        .file("roles/base/tasks/main.yml", "- ping:\n")
}

#[test]
fn all_variables_of_a_host() {
    project()
        .args(["vars", "inventory.yml", "web2"])
        .stdout(
            "\
hosts:
- web1
- web2
    # from group_vars/all.yml:3:1
name: shop
    # from group_vars/all.yml:1:7
port: 80
    # from group web of the inventory, inventory.yml:6:11
",
        )
        .success();
}

#[test]
fn one_variable_and_all_that_it_hides() {
    project()
        .args(["vars", "inventory.yml", "web1", "port", "-e", "port=9"])
        .stdout(
            "\
port: '9'
    # from extra variables (-e), <--extra-vars>:1:6
    # hides host web1 of the inventory, inventory.yml:3:18: 81
    # hides group web of the inventory, inventory.yml:6:11: 80
    # hides defaults of role base, roles/base/defaults/main.yml:1:7: 8080
",
        )
        .success();
}

#[test]
fn the_plays_of_the_host_count() {
    let name = "\
name: store
    # from vars of the play, playbooks/site.yml:2:16
    # hides group_vars/all.yml:1:7: shop
";
    project().args(["vars", "inventory.yml", "web1", "name"]).stdout(name).success();
    let user = "user: base\n    # from defaults of role base, roles/base/defaults/main.yml:2:7\n";
    project().args(["vars", "inventory.yml", "web1", "user"]).stdout(user).success();
}

#[test]
fn a_wrong_name_gets_a_suggestion() {
    let wrong = |args: &[&str], stderr: &str| {
        let args = ["vars", "inventory.yml"].iter().chain(args).copied();
        project().args(args).stdout("").stderr(stderr).status(1);
    };
    wrong(&["web1", "prt"], "error: web1 has no variable `prt`; did you mean `port`?\n");
    wrong(&["web"], "error: `web` is not one host but 2\n");
    wrong(
        &["wbe1"],
        "\
error: the inventory has no host or group `wbe1`
 --> <HOST>:1:1
  |
1 | wbe1
  | ^^^^
  |
  = help: did you mean `web1`?
",
    );
}

#[test]
fn wrong_tasks_are_no_reason_not_to_answer() {
    project()
        .file("roles/base/tasks/main.yml", "- pnig:\n")
        .args(["vars", "inventory.yml", "web1", "port"])
        .stdout(
            "\
port: 81
    # from host web1 of the inventory, inventory.yml:3:18
    # hides group web of the inventory, inventory.yml:6:11: 80
    # hides defaults of role base, roles/base/defaults/main.yml:1:7: 8080
",
        )
        .stderr("warning: the playbooks have 1 error (`wodctl check`): what they set may be missing here\n")
        .success();
}
