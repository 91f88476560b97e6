//! The reporter for programs.

use insta::assert_snapshot;
use wodctl::change::diff::Diff;
use wodctl::map;
use wodctl::report::json::Lines;
use wodctl::source;
use wodctl::system::Stream;

use super::*;

#[test]
fn one_event_a_line_and_the_recap_last() {
    let span = source::add("play.yml", "- command: ls\n");
    let one = Arc::new(TaskInfo { span, ..(*task(1, "Install")).clone() });
    let failed = TaskResult {
        item: Some("x".into()),
        values: map! { "msg" => "bad\u{1b}\n" },
        diffs: vec![Diff::Run { argv: vec!["ls".into()] }],
        warnings: vec!["careful".into()],
        cause: Some(span.part(2, 9)),
        elapsed: Duration::from_micros(1500),
        ignored: true,
        ..result(&one, "a", Status::Failed)
    };
    let events = vec![
        start(Mode::Apply),
        play("Servers", &["a"]),
        Event::PlayEmpty { name: "Nobody".into() },
        Event::Connected { host: "a".into(), elapsed: Duration::from_millis(210) },
        Event::Working { host: "a".into(), task: one.clone() },
        Event::Live { host: "a".into(), stream: Stream::Stderr, text: "x\n".into() },
        Event::Result(Box::new(failed)),
        Event::Warning("hm".into()),
        end(&[("a", Counters { ok: 1, ignored: 1, ..Counters::default() })]),
    ];
    assert_snapshot!(shown(&mut Lines::default(), events), @r#"
    {"event":"run_start","mode":"apply","playbooks":["site.yml"]}
    {"event":"play_start","name":"Servers","hosts":["a"],"steps":3}
    {"event":"play_empty","name":"Nobody"}
    {"event":"connected","host":"a","elapsed":0.21}
    {"event":"working","host":"a","task":{"position":"0.1","name":"Install","role":null,"module":"command","handler":false,"at":{"file":"play.yml","line":1,"column":1}}}
    {"event":"live","host":"a","stream":"stderr","text":"x\n"}
    {"event":"result","host":"a","task":{"position":"0.1","name":"Install","role":null,"module":"command","handler":false,"at":{"file":"play.yml","line":1,"column":1}},"item":"x","status":"failed","ignored":true,"values":{"msg":"bad\u001b\n"},"diffs":[{"kind":"run","argv":["ls"]}],"warnings":["careful"],"cause":{"file":"play.yml","line":1,"column":3},"elapsed":0.0015}
    {"event":"warning","message":"hm"}
    {"event":"run_end","elapsed":1.5,"phases":{"connect":0.21,"run":1.29},"recap":{"a":{"ok":1,"changed":0,"unreachable":0,"failed":0,"skipped":0,"rescued":0,"ignored":1}}}
    "#);
}

#[test]
fn the_profile_is_part_of_the_last_line() {
    let one = task(1, "Install");
    let took = TaskResult { elapsed: Duration::from_millis(900), ..result(&one, "a", Status::Ok) };
    let mut reporter = Lines { profile: Some(Default::default()) };
    let text = shown(&mut reporter, vec![Event::Result(Box::new(took)), end(&[])]);
    assert_snapshot!(text.lines().last().unwrap(), @r#"{"event":"run_end","elapsed":1.5,"phases":{"connect":0.21,"run":1.29},"recap":{},"tasks":[{"task":"Install","slowest_host":"a","elapsed":0.9,"hosts":1}]}"#);
}
