//! The reporter for people.

use insta::assert_snapshot;
use wodctl::change::diff::Diff;
use wodctl::map;
use wodctl::report::Options;
use wodctl::report::human::Human;
use wodctl::report::style::Palette;
use wodctl::source;
use wodctl::system::Stream;

use super::*;

fn with(options: Options, events: Vec<Event>) -> String {
    shown(&mut Human::new(options, Palette { on: false }), events)
}

fn plain(events: Vec<Event>) -> String {
    with(Options::default(), events)
}

#[test]
fn what_has_nothing_to_say_is_folded() {
    let (one, two, three) = (task(1, "Install"), task(2, "Configure"), task(3, "Start"));
    let text = plain(vec![
        start(Mode::Apply),
        play("Servers", &["a", "b"]),
        ended(&one, "a", Status::Ok),
        ended(&one, "b", Status::Ok),
        ended(&two, "a", Status::Ok),
        ended(&two, "b", Status::Changed),
        ended(&three, "a", Status::Skipped),
        ended(&three, "b", Status::Ok),
        end(&[
            ("a", Counters { ok: 2, skipped: 1, ..Counters::default() }),
            ("b", Counters { ok: 13, changed: 1, ..Counters::default() }),
        ]),
    ]);
    assert_snapshot!(text, @"
    PLAY [Servers] 2 hosts
    TASK [Install] ok: [a, b]
    TASK [Configure]
      ok: [a]
      changed: [b]
    TASK [Start] ok: [b] skipping: [a]

    RECAP 1.5 s
    a : ok=2  changed=0 unreachable=0 failed=0 skipped=1 rescued=0 ignored=0
    b : ok=13 changed=1 unreachable=0 failed=0 skipped=0 rescued=0 ignored=0
    ");
}

#[test]
fn quiet_shows_what_changed_or_failed() {
    let (one, two) = (task(1, "Install"), task(2, "Configure"));
    let events = vec![
        start(Mode::Apply),
        play("Databases", &["c"]),
        ended(&one, "c", Status::Ok),
        play("Servers", &["a", "b"]),
        ended(&one, "a", Status::Skipped),
        ended(&two, "a", Status::Ok),
        ended(&two, "b", Status::Changed),
        end(&[("b", Counters { ok: 1, changed: 1, ..Counters::default() })]),
    ];
    assert_snapshot!(with(Options { quiet: true, ..Options::default() }, events), @"
    PLAY [Servers] 2 hosts
    TASK [Configure]
      changed: [b]

    RECAP 1.5 s
    b : ok=1 changed=1 unreachable=0 failed=0 skipped=0 rescued=0 ignored=0
    ");
}

#[test]
fn many_hosts_with_nothing_to_say_are_counted() {
    let one = task(1, "Install");
    let hosts: Vec<String> = (1..=9).map(|number| format!("web{number}")).collect();
    let mut events = vec![play("Servers", &[])];
    events.extend(hosts.iter().map(|host| ended(&one, host, Status::Ok)));
    events.push(end(&[]));
    assert_snapshot!(plain(events), @"
    PLAY [Servers] 0 hosts
    TASK [Install] ok: [9 hosts]

    RECAP 1.5 s
    ");
}

#[test]
fn a_loop_shows_the_items_that_changed() {
    let one = task(1, "Users");
    let item = |label: &str, status| {
        Event::Result(Box::new(TaskResult { item: Some(label.into()), ..result(&one, "a", status) }))
    };
    let whole = Event::Result(Box::new(TaskResult { is_summary: true, ..result(&one, "a", Status::Changed) }));
    let text = plain(vec![
        play("Servers", &["a", "b"]),
        item("ann", Status::Ok),
        item("bob", Status::Changed),
        whole,
        ended(&one, "b", Status::Ok),
        end(&[]),
    ]);
    assert_snapshot!(text, @"
    PLAY [Servers] 2 hosts
    TASK [Users]
      changed: [a] => (item=bob)
      ok: [b]

    RECAP 1.5 s
    ");
}

#[test]
fn a_failure_is_repeated_with_its_place_and_its_output() {
    let text = "- name: Start\n  command:\n    cmd: start app\n    chdir: /srv\n";
    let whole = source::add("roles/app/tasks/main.yml", text);
    let at = |needle: &str| {
        let start = text.find(needle).unwrap();
        whole.part(start, start + needle.len())
    };
    let info = Arc::new(TaskInfo { role: Some("app".into()), span: at("name: Start"), ..(*task(1, "Start")).clone() });
    let stdout: String = (1..=25).map(|line| format!("line {line}\n")).collect();
    let failed = TaskResult {
        cause: Some(at("start app")),
        values: map! {
            "msg" => "non-zero return code", "rc" => 3i64, "cmd" => vec!["start", "my app"],
            "stdout" => stdout, "stderr" => "\u{1b}[31mno such app\u{1b}[0m\n",
        },
        elapsed: Duration::from_millis(2100),
        ..result(&info, "a", Status::Failed)
    };
    let lost = TaskResult { values: map! { "msg" => "no route to host" }, ..result(&info, "b", Status::Unreachable) };
    let ignored = TaskResult { ignored: true, ..result(&info, "c", Status::Failed) };
    let text = plain(vec![
        play("Servers", &["a", "b", "c"]),
        Event::Result(Box::new(failed)),
        Event::Result(Box::new(lost)),
        Event::Result(Box::new(ignored)),
        end(&[("a", Counters { failed: 1, ..Counters::default() })]),
    ]);
    assert_snapshot!(text, @"
    PLAY [Servers] 3 hosts
    TASK [app : Start]
      failed: [a]: non-zero return code (2.1 s)
      unreachable: [b]: no route to host
      failed: [c]: failed (ignored)

    FAILURES (2)

    failed: [a] app : Start
    error: non-zero return code
     --> roles/app/tasks/main.yml:3:10
      |
    3 |     cmd: start app
      |          ^^^^^^^^^
    command: start 'my app'
    exit status: 3
    stdout:
        … 5 lines above …
        line 6
        line 7
        line 8
        line 9
        line 10
        line 11
        line 12
        line 13
        line 14
        line 15
        line 16
        line 17
        line 18
        line 19
        line 20
        line 21
        line 22
        line 23
        line 24
        line 25
    stderr:
        no such app

    unreachable: [b] app : Start
    error: no route to host
     --> roles/app/tasks/main.yml:1:3
      |
    1 | - name: Start
      |   ^^^^^^^^^^^

    RECAP 1.5 s
    a : ok=0 changed=0 unreachable=0 failed=1 skipped=0 rescued=0 ignored=0
    ");
}

#[test]
fn items_of_a_rescued_loop_are_not_repeated() {
    let one = task(1, "Users");
    let item = TaskResult { item: Some("ann".into()), ..result(&one, "a", Status::Failed) };
    let whole = TaskResult { is_summary: true, rescued: true, ..result(&one, "a", Status::Failed) };
    let events = vec![Event::Result(Box::new(item)), Event::Result(Box::new(whole)), end(&[])];
    assert_snapshot!(plain(events), @"
    TASK [Users]
      failed: [a] => (item=ann): failed

    RECAP 1.5 s
    ");
}

#[test]
fn a_plan_lists_what_would_change_and_what_is_unknown() {
    let (one, two, three) = (task(1, "Install"), task(2, "Migrate"), task(3, "Start"));
    let diff =
        Diff::Attribute { subject: "x".into(), name: "mode".into(), before: "0644".into(), after: "0600".into() };
    let unknown = TaskResult { warnings: vec!["known after: Install".into()], ..result(&two, "a", Status::Unknown) };
    let text = plain(vec![
        start(Mode::Plan),
        play("Servers", &["a", "b"]),
        Event::Result(Box::new(TaskResult { diffs: vec![diff], ..result(&one, "a", Status::Changed) })),
        ended(&one, "b", Status::Changed),
        Event::Result(Box::new(unknown)),
        ended(&two, "b", Status::Ok),
        ended(&three, "a", Status::Ok),
        end(&[("a", Counters { ok: 2, changed: 1, ..Counters::default() })]),
    ]);
    assert_snapshot!(text, @"
    PLAY [Servers] 2 hosts
    TASK [Install]
      would change: [a]
        x: mode: 0644 → 0600
      would change: [b]
    TASK [Migrate]
      unknown: [a]
        known after: Install

    PLAN
      would change: Install: a, b
      unknown: Migrate: a (known after: Install)
    1 step would change something, 1 step can be known only when applied, 1 step has nothing to do.

    RECAP 1.5 s
    a : ok=2 changed=1 unreachable=0 failed=0 skipped=0 rescued=0 ignored=0
    ");
}

#[test]
fn a_plan_without_changes_says_so() {
    let one = task(1, "Install");
    let text = plain(vec![start(Mode::Plan), play("Servers", &["a"]), ended(&one, "a", Status::Ok), end(&[])]);
    assert_snapshot!(text, @"
    PLAY [Servers] 1 host

    PLAN
    No step would change anything, 1 step has nothing to do.

    RECAP 1.5 s
    ");
}

#[test]
fn debug_always_speaks() {
    let debug = |step, values| {
        let info = Arc::new(TaskInfo { module: "debug".into(), ..(*task(step, "Say")).clone() });
        Event::Result(Box::new(TaskResult { values, ..result(&info, "a", Status::Ok) }))
    };
    let text = plain(vec![
        play("Servers", &["a"]),
        debug(1, map! { "msg" => "hello\nworld\u{7}", "changed" => false }),
        debug(2, map! { "x.y" => vec![1i64, 2], "changed" => false }),
        end(&[]),
    ]);
    assert_snapshot!(text, @"
    PLAY [Servers] 1 host
    TASK [Say]
      ok: [a]
        hello
        world␇
    TASK [Say]
      ok: [a]
        x.y:
        - 1
        - 2

    RECAP 1.5 s
    ");
}

#[test]
fn more_is_shown_on_demand() {
    let one = task(1, "Install");
    let span = source::add("play.yml", "- command: ls\n");
    let one = Arc::new(TaskInfo { span, ..(*one).clone() });
    let live = |stream, text: &str| Event::Live { host: "a".into(), stream, text: text.into() };
    let done = |values| Event::Result(Box::new(TaskResult { values, ..result(&one, "a", Status::Changed) }));
    let events = vec![
        play("Servers", &["a"]),
        Event::Connected { host: "a".into(), elapsed: Duration::from_millis(210) },
        Event::Working { host: "a".into(), task: one.clone() },
        live(Stream::Stdout, "first\nsec"),
        live(Stream::Stderr, "oops\n"),
        live(Stream::Stdout, "ond\nlast"),
        done(map! { "changed" => true, "rc" => 0i64, "stdout" => "first", "stdout_lines" => vec!["first"] }),
        end(&[]),
    ];
    assert_snapshot!(with(Options { verbosity: 3, ..Options::default() }, events), @"
    PLAY [Servers] 1 host
    connected: [a] (210 ms)
    TASK [Install] play.yml:1:1
    a | first
    a | oops
    a | second
    a | last
      changed: [a]
        rc: 0

    RECAP 1.5 s
    ");
}

#[test]
fn warnings_handlers_delegates_and_empty_plays() {
    let restart = Arc::new(TaskInfo { is_handler: true, role: Some("app".into()), ..(*task(1, "restart")).clone() });
    let delegated = TaskResult {
        delegate: Some("lb".into()),
        warnings: vec!["the unit has no reload".into()],
        ..result(&restart, "a", Status::Changed)
    };
    let text = plain(vec![
        Event::PlayEmpty { name: "Nobody".into() },
        play("Servers", &["a"]),
        Event::Warning("`x` is deprecated".into()),
        Event::Result(Box::new(delegated)),
        end(&[]),
    ]);
    assert_snapshot!(text, @"
    PLAY [Nobody] no host matches: left out

    PLAY [Servers] 1 host
    warning: `x` is deprecated
    HANDLER [app : restart]
      changed: [a -> lb]
        warning: the unit has no reload

    RECAP 1.5 s
    ");
}

#[test]
fn the_profile_names_phases_and_slow_tasks() {
    let (one, two) = (task(1, "Install"), task(2, "Configure"));
    let took = |task: &Arc<TaskInfo>, host: &str, millis| {
        let elapsed = Duration::from_millis(millis);
        Event::Result(Box::new(TaskResult { elapsed, ..result(task, host, Status::Ok) }))
    };
    let events = vec![took(&one, "a", 400), took(&one, "b", 900), took(&two, "a", 1200), end(&[])];
    assert_snapshot!(with(Options { profile: true, ..Options::default() }, events), @"
    TASK [Install] ok: [a, b]
    TASK [Configure] ok: [a]

    PROFILE
       210 ms  connect
        1.3 s  run
    slowest tasks (2 tasks took time):
        1.2 s  Configure [a]
       900 ms  Install [b, slowest of 2 hosts]

    RECAP 1.5 s
    ");
}

#[test]
fn colours_name_the_status() {
    let one = task(1, "Install");
    let mut reporter = Human::new(Options::default(), Palette { on: true });
    let text = shown(&mut reporter, vec![ended(&one, "a", Status::Changed), end(&[])]);
    assert!(text.contains("\u{1b}[33mchanged\u{1b}[0m: [a]"), "{text:?}");
}
