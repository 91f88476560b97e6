//! `wodctl vault`, and what it encrypts used in playbooks.

use super::Test;

/// Made by ansible-vault with the password `pw`; it holds `from ansible`.
const SAMPLE: &str = include_str!("../../src/vault/sample.vault");

fn test() -> Test {
    Test::new().file("pw", "pw\n").file("other", "other\n")
}

/// A text indented as a value of YAML.
fn value(text: &str) -> String {
    text.lines().map(|line| format!("          {line}\n")).collect()
}

#[test]
fn files_there_and_back() {
    let test = test().file("a.yml", "secret: 1\n").file("b", "second\n");
    let run = |args: &[&str]| test.with(args).output();
    assert_eq!(
        run(&["vault", "encrypt", "--vault-password-file", "pw", "a.yml", "b"]),
        ("Encryption successful\n".to_owned(), Some(0))
    );
    let encrypted = std::fs::read_to_string(test.path("a.yml")).unwrap();
    assert!(encrypted.starts_with("$ANSIBLE_VAULT;1.1;AES256\n"), "{encrypted}");
    assert_eq!(
        run(&["vault", "view", "--vault-password-file", "pw", "a.yml", "b"]),
        ("secret: 1\nsecond\n".to_owned(), Some(0))
    );
    let (message, status) = run(&["vault", "view", "--vault-password-file", "other", "a.yml"]);
    assert!(message.contains("no vault password that was given fits"), "{message}");
    assert_eq!(status, Some(1));
    let (message, status) = run(&["vault", "encrypt", "--vault-password-file", "pw", "a.yml"]);
    assert!(message.contains("a.yml is encrypted already"), "{message}");
    assert_eq!(status, Some(1));
    let rekey = ["vault", "rekey", "--vault-password-file", "pw", "--new-vault-id", "prod@other", "a.yml"];
    assert_eq!(run(&rekey), ("Rekey successful\n".to_owned(), Some(0)));
    let encrypted = std::fs::read_to_string(test.path("a.yml")).unwrap();
    assert!(encrypted.starts_with("$ANSIBLE_VAULT;1.2;AES256;prod\n"), "{encrypted}");
    assert_eq!(
        run(&["vault", "decrypt", "--vault-id", "prod@other", "a.yml"]),
        ("Decryption successful\n".to_owned(), Some(0))
    );
    assert_eq!(std::fs::read_to_string(test.path("a.yml")).unwrap(), "secret: 1\n");
}

#[test]
fn an_editor_changes_a_file() {
    let test = test().file("a", SAMPLE).file("ed", "#!/bin/sh\necho more >> \"$1\"\n").env("EDITOR", "sh ed");
    let run = |args: &[&str]| test.with(args).output();
    assert_eq!(
        run(&["vault", "edit", "--vault-password-file", "pw", "a"]),
        ("Encryption successful\n".into(), Some(0))
    );
    assert_eq!(run(&["vault", "view", "--vault-password-file", "pw", "a"]), ("from ansible\nmore\n".into(), Some(0)));
    assert_eq!(run(&["vault", "create", "--vault-password-file", "pw", "new"]), (String::new(), Some(0)));
    assert_eq!(run(&["vault", "view", "--vault-password-file", "pw", "new"]), ("more\n".into(), Some(0)));
}

#[test]
fn texts_become_values() {
    let text =
        test().args(["vault", "encrypt-string", "--vault-password-file", "pw", "--name", "token", "abc"]).success();
    assert!(text.starts_with("token: !vault |\n          $ANSIBLE_VAULT;1.1;AES256\n          "), "{text}");
}

#[test]
fn the_environment_names_the_password() {
    test()
        .file("a", SAMPLE)
        .env("ANSIBLE_VAULT_PASSWORD_FILE", "pw")
        .args(["vault", "view", "a"])
        .stdout("from ansible\n")
        .success();
}

/// A local run that uses encrypted values, an encrypted file of variables and an encrypted file.
fn project() -> Test {
    let playbook = include_str!("vault.yml")
        .replace("DAMAGED\n", &value("$ANSIBLE_VAULT;1.1;AES256\n00\n"))
        .replace("SAMPLE\n", &value(SAMPLE));
    let test = test()
        .file("inventory.yml", "all:\n  hosts:\n    here: {ansible_connection: local}\n")
        .file("group_vars/all.yml", "who: hidden-name\n")
        .file("playbooks/files/encrypted", SAMPLE)
        .file("playbooks/site.yml", &playbook);
    let encrypt = ["vault", "encrypt", "--vault-password-file", "pw", "group_vars/all.yml"];
    assert_eq!(test.with(&encrypt).output(), ("Encryption successful\n".to_owned(), Some(0)));
    test
}

#[test]
fn playbooks_use_what_is_encrypted() {
    let test = project();
    let folder = format!("folder={}", test.path("").display());
    let (text, status) = test.with(&["apply", "inventory.yml", "-e", &folder, "--vault-password-file", "pw"]).output();
    assert_eq!(status, Some(0), "{text}");
    assert_eq!(std::fs::read_to_string(test.path("copied")).unwrap(), "from ansible\n");
    assert_eq!(std::fs::read_to_string(test.path("looked")).unwrap(), "from ansible!");
    assert!(text.contains("it is ********"), "{text}");
    assert!(!text.contains("hidden-name"), "{text}");
}

#[test]
fn playbooks_roles_and_task_files_are_opened_as_a_whole() {
    let site = "\
- hosts: all
  gather_facts: false
  vars_files: [vars.yml]
  roles: [hidden]
  tasks:
    - import_tasks: imported.yml
    - include_tasks: included.yml
";
    let files = [
        ("playbooks/site.yml", site),
        ("playbooks/vars.yml", "words: [one]\n"),
        ("playbooks/imported.yml", "- set_fact: {words: \"{{ words + ['three'] }}\"}\n"),
        ("playbooks/included.yml", "- copy: {content: \"{{ words | join(' ') }}\", dest: \"{{ folder }}/out\"}\n"),
        ("roles/hidden/tasks/main.yml", "- set_fact: {words: '{{ words + [two] }}'}\n"),
        ("roles/hidden/defaults/main.yml", "two: two\n"),
    ];
    let mut test = test().file("inventory.yml", "all: {hosts: {here: {ansible_connection: local}}}\n");
    for (path, text) in files {
        test = test.file(path, text);
        let encrypt = ["vault", "encrypt", "--vault-password-file", "pw", path];
        assert_eq!(test.with(&encrypt).output().1, Some(0));
    }
    let folder = format!("folder={}", test.path("").display());
    let options = ["inventory.yml", "-e", &folder, "--vault-password-file", "pw"];
    let (said, status) = test.with(&[&["check"], &options[..]].concat()).output();
    assert_eq!((said.as_str(), status), ("1 play, 3 tasks, 1 host: nothing wrong\n", Some(0)));
    let (said, status) = test.with(&[&["apply"], &options[..]].concat()).output();
    assert_eq!(status, Some(0), "{said}");
    assert_eq!(std::fs::read_to_string(test.path("out")).unwrap(), "one two three");
    let (said, status) = test.with(&["check", "inventory.yml"]).output();
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("no vault password was given") && said.contains("playbooks/site.yml:1:1"), "{said}");
}

#[test]
fn without_the_password_it_is_said() {
    let test = project();
    let (text, status) = test.with(&["check", "inventory.yml"]).output();
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("no vault password was given"), "{text}");
    assert!(text.contains("group_vars/all.yml:1:1"), "{text}");
    assert!(text.contains("--vault-password-file"), "{text}");
}

#[test]
fn what_is_wrong_inside_is_not_shown() {
    let test = test().file("inventory.yml", "all:\n  hosts: {here: }\n").file("group_vars/all.yml", "a: 1\nhush: [\n");
    test.with(&["vault", "encrypt", "--vault-password-file", "pw", "group_vars/all.yml"]).output();
    let (text, _) = test.with(&["inventory", "--list", "inventory.yml", "--vault-password-file", "pw"]).output();
    assert!(text.contains("group_vars/all.yml:") && !text.contains("hush"), "{text}");
}
