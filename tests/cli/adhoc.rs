//! `ping`, `facts` and `exec`, on this machine.

use super::Test;

fn here() -> Test {
    Test::new().file("hosts", "here ansible_connection=local\n")
}

#[test]
fn a_host_that_answers() {
    here().args(["ping", "hosts"]).stdout("here: pong\n").success();
}

#[test]
fn a_host_that_cannot_be_reached() {
    let test = Test::new().file("hosts", "gone ansible_host=127.0.0.1 ansible_port=1\n");
    let said = test.args(["ping", "hosts"]).status(4);
    assert!(said.starts_with("gone: unreachable: "), "{said}");
    assert!(said.ends_with("\n1 of 1 host could not be reached.\n"), "{said}");
}

#[test]
fn a_command_and_what_it_prints() {
    here()
        .args(["exec", "hosts", "all", "-a", "echo 'two  words'"])
        .stdout("here: changed, exit status 0\n    two  words\n")
        .success();
}

#[test]
fn a_command_that_fails() {
    let expected = "\
here: failed: non-zero return code
    command: echo out; exit 3
    exit status: 3
    stdout:
        out

1 of 1 host failed.
";
    here().args(["exec", "hosts", "all", "-m", "shell", "-a", "echo out; exit 3"]).stdout(expected).status(2);
}

#[test]
fn arguments_in_json_and_variables_in_them() {
    here()
        .args(["exec", "hosts", "here", "-m", "debug", "-a", r#"{"msg": "plain"}"#])
        .stdout("here: ok\n    msg: plain\n")
        .success();
}

#[test]
fn a_wrong_module_argument_and_host_touch_nothing() {
    let wrong = |args: [&str; 5], stderr: &str| {
        here().args(["exec", "hosts"]).args(args).stdout("").stderr(stderr).status(1);
    };
    wrong(
        ["all", "-m", "pnig", "-a", ""],
        "\
error[unknown-module]: there is no module `pnig`
 --> <exec>:4:7
  |
4 |     - \"pnig\":
  |       ^^^^^^ unknown module
  |
  = help: did you mean `ping`?
",
    );
    wrong(
        ["all", "-m", "file", "-a", "{\"pth\": \"/x\", \"path\": \"/y\"}"],
        "\
error[unknown-argument]: `file` has no argument `pth`
 --> <exec>:4:16
  |
4 |     - \"file\": {\"pth\":\"/x\",\"path\":\"/y\"}
  |                ^^^^^ unknown argument
  |
  = help: did you mean `path`?
",
    );
    wrong(
        ["heer", "-m", "ping", "-a", ""],
        "\
error[unknown-host]: the inventory has no host or group `heer`
 --> <exec>:1:11
  |
1 | - hosts: \"heer\"
  |           ^^^^
  |
  = help: did you mean `here`?
",
    );
    wrong(
        ["all", "-m", "file", "-a", "{\"path\": }"],
        "error: the arguments are not valid JSON: expected value at line 1 column 10\n",
    );
}

#[test]
fn facts_that_were_asked_for() {
    let said = here().args(["facts", "hosts", "--filter", "ansible_kernel,ansible_system"]).success();
    assert!(said.starts_with("here:\n"), "{said}");
    assert!(said.contains("\n  ansible_system: Linux\n") && said.contains("\n  ansible_kernel: "), "{said}");
    assert_eq!(said.lines().count(), 3, "{said}");
}

#[test]
fn answers_for_programs() {
    let said = here().args(["exec", "hosts", "all", "-a", "echo hi", "--output", "json"]).success();
    let events: Vec<serde_json::Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let result = events.iter().find(|event| event["event"] == "result").unwrap();
    assert_eq!((&result["host"], &result["status"]), (&"here".into(), &"changed".into()));
    assert_eq!((&result["values"]["stdout"], &result["values"]["rc"]), (&"hi".into(), &0.into()));
    let counters = &events.last().unwrap()["recap"]["here"];
    assert_eq!((&counters["ok"], &counters["changed"], &counters["failed"]), (&1.into(), &1.into(), &0.into()));
}
