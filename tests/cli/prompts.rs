//! `vars_prompt`.

use super::Test;

const SITE: &str = "\
- hosts: here
  gather_facts: false
  vars:
    product: hub
  vars_prompt:
    - name: release
      prompt: Release of {{ product }}
      default: '{{ product }}-1'
      private: false
    - name: password
      confirm: true
    - {name: shadow, prompt: Hashed, encrypt: sha512_crypt, salt: salty}
    - {name: braces, prompt: Braces, private: no, unsafe: true}
  tasks:
    - debug:
        msg: '{{ release }} {{ braces }} {{ password | length }}'
    - command: 'true'
      environment:
        PASSWORD: '{{ password }}'
      register: done
    - debug:
        msg: '{{ password }} {{ shadow }}'
    - assert:
        that: shadow == 'hashed' | password_hash('sha512', 'salty')
";

fn test() -> Test {
    Test::new().file("hosts", "here ansible_connection=local\n").file("site.yml", SITE)
}

#[test]
fn everything_is_asked_for_first() {
    let answers = [
        ("Release of hub [hub-1]: ", "\n"),
        ("password: ", "correct horse\n"),
        ("confirm password: ", "wrong\n"),
        ("password: ", "correct horse\n"),
        ("confirm password: ", "correct horse\n"),
        ("Hashed: ", "hashed\n"),
        ("Braces: ", "{{ 1 }}\n"),
    ];
    let typed = test().typed(&["apply", "hosts", "site.yml"], &answers);
    let expected = "\
Release of hub [hub-1]: 
password: 
confirm password: 
password: 
confirm password: 
Hashed: 
Braces: {{ 1 }}
";
    assert_eq!(typed.terminal, expected);
    assert_eq!(typed.status, Some(0), "{}", typed.output);
    assert!(typed.output.contains("hub-1 {{ 1 }} 13"), "{}", typed.output);
    assert!(typed.output.contains("******** ********"), "{}", typed.output);
    assert!(typed.output.contains("the two answers differ: once more\n"), "{}", typed.output);
    assert!(!typed.output.contains("horse"), "{}", typed.output);
}

#[test]
fn what_is_given_is_not_asked_for() {
    let given = r#"{release: "2", password: secret word, shadow: none, braces: "{}"}"#;
    for verb in ["plan", "apply"] {
        let typed = test().typed(&[verb, "hosts", "site.yml", "-e", given], &[]);
        assert_eq!(typed.terminal, "", "{}", typed.output);
        assert!(typed.output.contains("2 {} 11"), "{}", typed.output);
        assert!(!typed.output.contains("secret word"), "{}", typed.output);
    }
}

#[test]
fn neither_check_nor_lists_ask() {
    let typed = test().typed(&["check", "hosts", "site.yml"], &[]);
    assert_eq!((typed.terminal.as_str(), typed.status), ("", Some(0)));
    assert_eq!(typed.output, "1 play, 4 tasks, 1 host: nothing wrong\n");
    let typed = test().typed(&["apply", "hosts", "site.yml", "--list-tasks"], &[]);
    assert_eq!((typed.terminal.as_str(), typed.status), ("", Some(0)));
}

#[test]
fn without_a_terminal_there_are_defaults_only() {
    let expected = "\
warning: there is no terminal to ask for `release` on: it has its default
 --> site.yml:6:13
  |
6 |     - name: release
  |             ^^^^^^^
error: there is no terminal to ask for `password` on, and it has no default
  --> site.yml:10:13
   |
10 |     - name: password
   |             ^^^^^^^^
   |
   = help: give it: -e password=VALUE

error: there is no terminal to ask for `shadow` on, and it has no default
  --> site.yml:12:14
   |
12 |     - {name: shadow, prompt: Hashed, encrypt: sha512_crypt, salt: salty}
   |              ^^^^^^
   |
   = help: give it: -e shadow=VALUE

error: 2 errors
";
    test().args(["apply", "hosts", "site.yml", "-e", "braces="]).stdout("").stderr(expected).status(1);
}

#[test]
fn the_answer_may_name_the_hosts() {
    let site = "\
- hosts: '{{ target }}'
  gather_facts: false
  vars_prompt: {name: target, private: false}
  tasks:
    - debug: {msg: 'this is {{ inventory_hostname }}'}
- hosts: nobody
  vars_prompt:
    - name: unasked
";
    let hosts = "[all]\nhere ansible_connection=local\nthere ansible_connection=local\n[nobody]\n";
    let test = test().file("hosts", hosts).file("site.yml", site);
    let typed = test.typed(&["check", "hosts", "site.yml"], &[]);
    assert_eq!(typed.output, "2 plays, 1 task, 0 hosts: nothing wrong\n");
    let typed = test.typed(&["apply", "hosts", "site.yml"], &[("target: ", "there\n")]);
    assert_eq!(typed.terminal, "target: there\n");
    assert!(typed.output.contains("this is there"), "{}", typed.output);
    assert!(!typed.output.contains("this is here"), "{}", typed.output);
    let given = test.typed(&["apply", "hosts", "site.yml", "-e", "target=here"], &[]);
    assert!(given.output.contains("this is here"), "{}", given.output);
}

#[test]
fn who_leaves_is_not_asked_again() {
    for key in ["\u{3}", "\u{4}"] {
        let answers = [("Release of hub [hub-1]: ", "\n"), ("password: ", key)];
        let typed = test().typed(&["apply", "hosts", "site.yml"], &answers);
        assert_eq!(typed.status, Some(130), "{}", typed.output);
        assert_eq!(typed.output, "");
    }
}
