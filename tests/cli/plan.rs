//! Plans: the keywords that say how a task takes part (`diff`, `check_mode`), and plays that depend on earlier ones.

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

#[test]
fn a_task_may_keep_its_differences_to_itself() {
    let site = "- hosts: here\n  gather_facts: false\n  tasks:\n    \
        - copy: {content: 'open words\\n', dest: '{{ folder }}/open'}\n    \
        - copy: {content: 'secret words\\n', dest: '{{ folder }}/closed'}\n      diff: false\n    \
        - copy: {content: 'other words\\n', dest: '{{ folder }}/asked'}\n      diff: '{{ ansible_diff_mode }}'\n";
    let test = Test::new().file("hosts", "here ansible_connection=local\n").file("site.yml", site);
    let folder = format!("folder={}", test.path("").display());
    for (verb, shown) in [("plan", true), ("apply", false)] {
        let (said, status) = test.with(&[verb, "hosts", "site.yml", "-e", &folder]).output();
        assert_eq!(status, Some(0), "{said}");
        assert!(said.contains("changed=3"), "{said}");
        assert_eq!((said.contains("+open words"), said.contains("+other words")), (shown, shown), "{said}");
        assert!(!said.contains("secret words"), "{said}");
    }
}

#[test]
fn a_task_may_take_place_in_a_plan() {
    let site = "- hosts: here\n  gather_facts: false\n  tasks:\n    \
        - command: echo 41\n      check_mode: false\n      changed_when: false\n      register: asked\n    \
        - copy: {content: '{{ asked.stdout }}', dest: '{{ folder }}/answer'}\n      check_mode: false\n    \
        - copy: {content: '{{ asked.stdout }}', dest: '{{ folder }}/planned'}\n    \
        - command: cat {{ folder }}/answer\n      check_mode: false\n      failed_when: seen.stdout != '41'\n      register: seen\n";
    let test = Test::new()
        .file("hosts", "here ansible_connection=local\nthere ansible_connection=local\n")
        .file("site.yml", &site.replace("hosts: here", "hosts: all").replace("/answer", "/{{ inventory_hostname }}"));
    let folder = format!("folder={}", test.path("").display());
    let (said, status) = test.with(&["plan", "hosts", "site.yml", "-e", &folder]).output();
    assert_eq!(status, Some(0), "{said}");
    let exists = |name: &str| test.path(name).exists();
    assert_eq!((exists("here"), exists("there"), exists("planned")), (true, true, false), "{said}");
}
