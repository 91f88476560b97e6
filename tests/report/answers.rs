//! What hosts answer to `ping`, `facts` and `exec`.

use insta::assert_snapshot;
use wodctl::map;
use wodctl::report::Options;
use wodctl::report::answers::{Answers, Question};
use wodctl::report::style::Palette;

use super::*;

fn answers(question: Question, results: Vec<TaskResult>, recap: &[(&str, Counters)]) -> String {
    let mut events = vec![start(Mode::Apply), play("all", &["a", "b"])];
    events.extend(results.into_iter().map(|result| Event::Result(Box::new(result))));
    events.push(end(recap));
    shown(&mut Answers::new(question, Options::default(), Palette { on: false }), events)
}

#[test]
fn ping() {
    let one = task(1, "ping");
    let lost = map! { "msg" => "connect to host b port 22: No route to host\nsecond line" };
    let text = answers(
        Question::Ping,
        vec![
            TaskResult { values: map! { "ping" => "pong" }, ..result(&one, "a", Status::Ok) },
            TaskResult { values: lost, ..result(&one, "b", Status::Unreachable) },
        ],
        &[("a", Counters { ok: 1, ..Counters::default() }), ("b", Counters { unreachable: 1, ..Counters::default() })],
    );
    assert_snapshot!(text, @"
    a: pong
    b: unreachable: connect to host b port 22: No route to host
        second line

    1 of 2 hosts could not be reached.
    ");
}

#[test]
fn facts() {
    let one = task(1, "setup");
    let facts =
        map! { "ansible_facts" => map! { "ansible_distribution" => "Debian", "ansible_mounts" => vec!["/", "/boot"] } };
    let none = map! { "ansible_facts" => map! {} };
    let text = answers(
        Question::Facts,
        vec![
            TaskResult { values: facts, ..result(&one, "a", Status::Ok) },
            TaskResult { values: none, ..result(&one, "b", Status::Ok) },
        ],
        &[],
    );
    assert_snapshot!(text, @"
    a:
      ansible_distribution: Debian
      ansible_mounts:
      - /
      - /boot
    b:
    ");
}

#[test]
fn exec() {
    let one = task(1, "command");
    let fine = map! {
        "changed" => true, "rc" => 0i64, "cmd" => vec!["df"], "stdout" => "one\n\ntwo", "stderr" => "careful\u{1b}[0m",
        "stdout_lines" => vec!["one", "", "two"],
    };
    let failed = map! { "rc" => 1i64, "cmd" => vec!["df", "a b"], "stderr" => "no", "msg" => "non-zero return code" };
    let other = map! { "changed" => false, "path" => "/etc", "mode" => "0755" };
    let text = answers(
        Question::Exec,
        vec![
            TaskResult { values: fine, ..result(&one, "a", Status::Changed) },
            TaskResult { values: failed, ..result(&one, "b", Status::Failed) },
            TaskResult { values: other, warnings: vec!["hm".into()], ..result(&one, "c", Status::Ok) },
        ],
        &[("a", Counters { changed: 1, ..Counters::default() }), ("b", Counters { failed: 1, ..Counters::default() })],
    );
    assert_snapshot!(text, @"
    a: changed, exit status 0
        one

        two
        careful
    b: failed: non-zero return code
        command: df 'a b'
        exit status: 1
        stderr:
            no
    c: ok
        path: /etc
        mode: '0755'
        warning: hm

    1 of 2 hosts failed.
    ");
}
