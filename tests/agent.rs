//! The agent as a program, spoken to over its pipes.

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use wodctl::map;
use wodctl::protocol::{Become, Call, FromAgent, Mode, Outcome, Position, Step, ToAgent, read_frame, write_frame};
use wodctl::value::{Map, Value};

struct Agent {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

fn at(position: u32) -> Position {
    Position(vec![position])
}

fn call(module: &str, args: Map) -> Call {
    Call { module: module.to_owned(), args, environment: Vec::new(), diff: true, mode: None, live: false, timeout: 0 }
}

fn shell(script: &str) -> Call {
    call("shell", map! { "cmd" => script })
}

fn step(position: u32, calls: Vec<Call>) -> Step {
    Step { position: at(position), lane: 0, identity: None, calls, go_on: false }
}

impl Agent {
    fn start(mode: Mode, watermark: Position) -> Agent {
        let mut process = std::process::Command::new(env!("CARGO_BIN_EXE_wodctl"))
            .arg("agent")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the agent starts");
        let (input, output) = (process.stdin.take(), BufReader::new(process.stdout.take().expect("a pipe")));
        let mut agent = Agent { process, input, output };
        agent.say(ToAgent::Start { mode, watermark });
        assert!(matches!(agent.hear(), FromAgent::Hello(hello) if !hello.boot_id.is_empty() && !hello.user.is_empty()));
        agent
    }

    fn say(&mut self, message: ToAgent) {
        write_frame(self.input.as_mut().expect("open"), &message).expect("the agent reads");
    }

    fn step(&mut self, step: Step) {
        self.say(ToAgent::Step(step));
    }

    fn hear(&mut self) -> FromAgent {
        loop {
            match read_frame(&mut self.output).expect("a frame").expect("the agent still speaks") {
                // It only says that it is still there.
                FromAgent::Pong(0) => {}
                message => return message,
            }
        }
    }

    fn outcome(&mut self) -> Outcome {
        match self.hear() {
            FromAgent::Outcome { outcome, .. } => *outcome,
            other => panic!("expected an outcome, heard {other:?}"),
        }
    }

    fn done(&mut self, at: &Position) -> bool {
        match self.hear() {
            FromAgent::Done { position, dropped, .. } if position == *at => dropped,
            other => panic!("expected the end of {at}, heard {other:?}"),
        }
    }

    fn end(mut self) {
        self.input.take();
        let until = Instant::now() + Duration::from_secs(20);
        while self.process.try_wait().expect("its status").is_none() {
            assert!(Instant::now() < until, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn text<'a>(outcome: &'a Outcome, key: &str) -> &'a str {
    outcome.values.get(key).and_then(Value::as_str).unwrap_or_else(|| panic!("no {key}: {outcome:?}"))
}

#[test]
fn steps_without_changes_are_answered_at_once_and_in_order() {
    let mut agent = Agent::start(Mode::Apply, Position::default());
    agent.say(ToAgent::Ping(7));
    for position in 1..=100 {
        agent.step(step(position, vec![call("ping", map! { "data" => i64::from(position) })]));
    }
    assert_eq!(agent.hear(), FromAgent::Pong(7));
    for position in 1..=100 {
        assert_eq!(text(&agent.outcome(), "ping"), position.to_string());
        assert!(!agent.done(&at(position)));
    }
    agent.end();
}

#[test]
fn a_change_waits_for_the_watermark() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("made");
    let mut agent = Agent::start(Mode::Apply, at(4));
    agent.step(step(5, vec![shell(&format!("touch {}", path.display()))]));
    agent.step(step(6, vec![call("ping", Map::new())]));
    assert_eq!(agent.hear(), FromAgent::Waiting { position: at(5), lane: 0 });
    std::thread::sleep(Duration::from_millis(100));
    assert!(!path.exists());
    agent.say(ToAgent::Watermark(at(5)));
    assert!(agent.outcome().changed && path.exists());
    agent.done(&at(5));
    assert_eq!(text(&agent.outcome(), "ping"), "pong");
    agent.end();
}

#[test]
fn a_failed_step_finishes_its_items_and_drops_what_follows() {
    let mut agent = Agent::start(Mode::Apply, Position::end());
    agent.step(step(1, vec![shell("exit 3"), shell("echo second")]));
    agent.step(step(2, vec![shell("echo never")]));
    assert_eq!(agent.outcome().failure.unwrap().values["rc"], 3.into());
    assert_eq!(text(&agent.outcome(), "stdout"), "second");
    assert!(agent.done(&at(1)), "dropped");
    agent.step(step(3, vec![shell("echo on its way")]));
    agent.say(ToAgent::Cancel { lane: 0, from: at(1) });
    agent.step(Step { go_on: true, ..step(4, vec![shell("exit 1")]) });
    agent.step(step(5, vec![shell("echo again")]));
    assert!(agent.outcome().failure.is_some() && !agent.done(&at(4)));
    assert_eq!(text(&agent.outcome(), "stdout"), "again");
    agent.end();
}

#[test]
fn a_waiting_step_can_be_taken_back() {
    let mut agent = Agent::start(Mode::Apply, Position::default());
    agent.step(step(5, vec![shell("echo old")]));
    assert!(matches!(agent.hear(), FromAgent::Waiting { .. }));
    agent.say(ToAgent::Cancel { lane: 0, from: at(5) });
    agent.step(step(5, vec![shell("echo new")]));
    assert!(matches!(agent.hear(), FromAgent::Waiting { .. }));
    agent.say(ToAgent::Watermark(at(5)));
    assert_eq!(text(&agent.outcome(), "stdout"), "new");
    agent.end();
}

#[test]
fn at_the_end_of_the_stream_the_running_program_is_ended() {
    let dir = tempfile::tempdir().unwrap();
    let pid = dir.path().join("pid");
    let mut agent = Agent::start(Mode::Apply, Position::end());
    agent.step(step(1, vec![shell(&format!("echo $$ > {}; sleep 60", pid.display()))]));
    agent.step(step(2, vec![shell(&format!("touch {}/second", dir.path().display()))]));
    let read = |path: &Path| std::fs::read_to_string(path).ok().filter(|text| text.ends_with('\n'));
    while read(&pid).is_none() {
        std::thread::sleep(Duration::from_millis(10));
    }
    agent.end();
    let process = PathBuf::from("/proc").join(read(&pid).unwrap().trim());
    assert!(!process.exists() && !dir.path().join("second").exists());
}

#[test]
fn a_plan_changes_nothing_and_later_steps_see_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut agent = Agent::start(Mode::Plan, Position::default());
    agent.step(step(1, vec![shell(&format!("touch {}/a", dir.path().display()))]));
    let outcome = agent.outcome();
    assert!(outcome.opaque && outcome.changed);
    agent.done(&at(1));
    agent.end();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn what_programs_print_is_passed_on_and_environments_are_set() {
    let mut agent = Agent::start(Mode::Apply, Position::end());
    let environment = vec![("GREETING".to_owned(), "hello".to_owned())];
    agent.step(step(1, vec![Call { live: true, environment, ..shell("echo $GREETING") }]));
    assert!(matches!(agent.hear(), FromAgent::Live { data, .. } if data == b"hello\n"));
    assert_eq!(text(&agent.outcome(), "stdout"), "hello");
    agent.done(&at(1));
    agent.step(step(2, vec![Call { timeout: 1, ..shell("sleep 30") }]));
    let failure = agent.outcome().failure.unwrap();
    assert!(failure.message.contains("its time was over after 1 seconds"), "{}", failure.message);
    agent.end();
}

#[test]
fn wrong_calls_fail_with_a_message() {
    let mut agent = Agent::start(Mode::Apply, Position::end());
    let say = |agent: &mut Agent, position, call| {
        agent.step(Step { go_on: true, ..step(position, vec![call]) });
        let failure = agent.outcome().failure.unwrap();
        agent.done(&at(position));
        (failure.message, failure.argument)
    };
    assert!(say(&mut agent, 1, call("no_such", Map::new())).0.contains("no module `no_such`"));
    assert_eq!(say(&mut agent, 2, call("ping", map! { "x" => 1 })).1.as_deref(), Some("x"));
    agent.end();
}

fn become_user(user: &str) -> Option<Become> {
    let (exe, flags, password) = Default::default();
    Some(Become { method: "sudo".into(), user: user.into(), exe, flags, password })
}

/// Root needs no `sudo` to be somebody else.
#[test]
fn root_becomes_other_users() {
    if !is_root() {
        return;
    }
    let mut agent = Agent::start(Mode::Apply, Position::end());
    agent.step(Step { identity: become_user("nobody"), ..step(1, vec![shell("id -un; echo $HOME"), shell("id -un")]) });
    agent.step(Step { identity: become_user("root"), ..step(2, vec![shell("id -un")]) });
    agent.step(Step { identity: become_user("no-such-user"), ..step(3, vec![shell("id -un")]) });
    assert!(text(&agent.outcome(), "stdout").starts_with("nobody\n/"));
    assert_eq!(text(&agent.outcome(), "stdout"), "nobody");
    agent.done(&at(1));
    assert_eq!(text(&agent.outcome(), "stdout"), "root");
    agent.done(&at(2));
    assert!(matches!(agent.hear(), FromAgent::NoIdentity { why, .. } if why.contains("`no-such-user`")));
    assert!(agent.done(&at(3)));
    agent.end();
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
}

/// The processes that have this text in their words.
fn running(text: &str) -> Vec<(i32, String)> {
    let entries = std::fs::read_dir("/proc").expect("processes").flatten();
    let lines = entries.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        Some((pid, std::fs::read(entry.path().join("cmdline")).ok()?))
    });
    let lines = lines.map(|(pid, line)| (pid, String::from_utf8_lossy(&line).replace('\0', " ")));
    lines.filter(|(_, line)| line.contains(text)).collect()
}

#[test]
fn nothing_of_a_step_is_left_when_the_connection_ends() {
    let mark = format!("wodctl-left-{}", std::process::id());
    let stays = format!("61.{}", std::process::id());
    let deaf = format!("trap \"\" TERM HUP; : {mark}; while :; do sleep 1; done");
    let script = format!(
        "sh -c '{deaf}' & setsid sh -c '{deaf}' & nohup sh -c '{deaf}' >/dev/null 2>&1 & (setsid sh -c '{deaf}' & exit) & wait"
    );
    let mut agent = Agent::start(Mode::Apply, Position::end());
    agent.step(step(1, vec![shell(&format!("sleep {stays} >/dev/null 2>&1 & exit 0"))]));
    agent.outcome();
    agent.done(&at(1));
    agent.step(step(2, vec![shell(&script)]));
    let until = Instant::now() + Duration::from_secs(20);
    while running(&mark).len() < 5 {
        assert!(Instant::now() < until, "they do not start: {:#?}", running(&mark));
        std::thread::sleep(Duration::from_millis(20));
    }
    agent.end();
    assert_eq!(running(&mark), Vec::new());
    let stayed = running(&format!("sleep {stays}"));
    assert_eq!(stayed.len(), 1, "what a step left when it ended well");
    rustix::process::kill_process(rustix::process::Pid::from_raw(stayed[0].0).unwrap(), rustix::process::Signal::KILL)
        .unwrap();
}

#[test]
fn one_run_holds_the_host_and_others_hear_who() {
    let lock = |agent: &mut Agent, run: &str| {
        agent.say(ToAgent::Lock { patience: 0, run: run.to_owned(), who: format!("{run} from here") });
        agent.step(step(1, vec![call("ping", Map::new())]));
    };
    let run = format!("run-{}", std::process::id());
    let mut first = Agent::start(Mode::Apply, Position::end());
    lock(&mut first, &run);
    match first.hear() {
        FromAgent::Outcome { outcome, .. } => assert!(outcome.failure.is_none()),
        FromAgent::NoIdentity { why, .. } => {
            eprintln!("skipped: somebody else holds this machine: {why}");
            return;
        }
        other => panic!("{other:?}"),
    }
    let mut second = Agent::start(Mode::Apply, Position::end());
    lock(&mut second, "another");
    let FromAgent::NoIdentity { why, .. } = second.hear() else { panic!("it is not refused") };
    assert!(why.contains(&format!("{run} from here, since 20")), "{why}");
    let mut same = Agent::start(Mode::Apply, Position::end());
    lock(&mut same, &run);
    assert!(same.outcome().failure.is_none(), "the same machine under another name");
    first.end();
    let mut third = Agent::start(Mode::Apply, Position::end());
    same.end();
    lock(&mut third, "third");
    assert!(third.outcome().failure.is_none(), "it is gone with the agent");
}
