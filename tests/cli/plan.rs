//! Plans whose later plays depend on what earlier ones would do.

use super::Test;

#[test]
fn a_step_whose_effect_nobody_can_know_reaches_into_later_plays() {
    let playbook = "\
- hosts: all
  gather_facts: false
  tasks:
    - name: Make the settings
      command: make settings
- hosts: all
  gather_facts: false
  tasks:
    - name: Edit the settings
      lineinfile: {path: /nonexistent/settings, line: a}
";
    let said = Test::new()
        .file("hosts", "one ansible_connection=local\n")
        .file("play.yml", playbook)
        .args(["plan", "hosts", "play.yml"])
        .status(0);
    assert!(said.contains("1 step can be known only when applied"), "{said}");
    assert!(said.contains("known after: Make the settings"), "{said}");
}
