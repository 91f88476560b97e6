//! `wodctl doc`: the manual of modules.

use super::Test;

#[test]
fn the_list_has_a_line_for_each_module() {
    let list = Test::new().args(["doc"]).success();
    let line = list.lines().find(|line| line.starts_with("ping ")).unwrap();
    assert!(line.ends_with("  Answers `pong`: the host is reached and the agent runs."), "{line}");
    assert_eq!(list.lines().count(), wodctl::modules::ALL.len());
}

#[test]
fn the_manual_of_a_module() {
    let manual = Test::new().args(["doc", "ansible.builtin.ping"]).success();
    assert_eq!(manual, Test::new().args(["doc", "ping"]).success());
    assert!(manual.starts_with("ansible.builtin.ping\n\n"), "{manual}");
    assert!(manual.contains("\nArguments\n\n  data  text; default: pong\n"), "{manual}");
}

#[test]
fn a_module_that_there_is_not() {
    let stderr = "error: there is no module `pnig`; did you mean `ping`?\n";
    Test::new().args(["doc", "pnig"]).stdout("").stderr(stderr).status(1);
}
