//! Differences: a plan shows them, an apply where it is asked to, and neither those of a task with `diff: false`.

use super::Test;

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
