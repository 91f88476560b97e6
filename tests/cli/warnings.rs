//! Warnings of a run: each once, with the place.

use super::Test;

#[test]
fn a_condition_that_is_no_boolean_is_said_once() {
    let playbook = "\
- hosts: all
  gather_facts: false
  tasks:
    - debug: {msg: runs}
      when: word
";
    let said = Test::new()
        .file("hosts", "[all:vars]\nansible_connection=local\nword=yes\n[all]\none\ntwo\n")
        .file("play.yml", playbook)
        .args(["apply", "hosts", "play.yml"])
        .status(0);
    assert_eq!(said.matches("warning: ").count(), 1, "{said}");
    assert!(
        said.contains("warning: a condition should be a boolean, this is the text 'yes': it counts as true"),
        "{said}"
    );
    assert!(said.contains("play.yml:5:13"), "{said}");
}
