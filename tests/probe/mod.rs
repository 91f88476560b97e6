//! Small playbooks under both engines: every registered result, status, recap and exit status; `README.md` beside this file
//! says how.

mod answer;
mod case;
mod pairs;

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use self::answer::{Answer, json_lines};
use self::case::{Case, fnv};
use crate::differential::ansible;
use crate::fixtures;

/// So many are tried with the Ansible that is there, others each day.
const LIVE: usize = 30;

/// Cases whose results are the machine's own: they are compared with Ansible's on the same machine, and not recorded.
const UNRECORDED: &str = "machine";

/// What Ansible came to, by area and name, with the key of the case that it was asked about.
type Recorded = BTreeMap<String, BTreeMap<String, (String, Answer)>>;

#[test]
fn as_recorded() {
    let cases = chosen();
    if std::env::var_os("WODCTL_RECORD").is_some() {
        record(&cases);
    }
    let mut recorded = recorded();
    let mut problems = Vec::new();
    let (mut pairs, mut missing) = (Vec::new(), Vec::new());
    for case in cases.iter().filter(|case| case.area != UNRECORDED) {
        match recorded.get_mut(&case.area).and_then(|area| area.remove(&case.name)) {
            Some((key, answer)) if key == case.key() => pairs.push((case, answer)),
            Some(_) => problems.push(format!("{}: it was another when it was recorded", case.title())),
            None => missing.push(case.title()),
        }
    }
    problems.extend(compare(&pairs));
    if !missing.is_empty() {
        println!("{} are not recorded (WODCTL_RECORD=1 does it): {}", missing.len(), missing.join(", "));
    }
    assert!(problems.is_empty(), "{} of {} differ:\n\n{}", problems.len(), cases.len(), problems.join("\n"));
}

#[test]
fn as_ansible_is_now() {
    let Some(programs) = ansible() else { return };
    let seed = std::env::var("PROBE_SEED").unwrap_or_else(|_| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        (now.map_or(0, |since| since.as_secs()) / 86400).to_string()
    });
    let recorded = recorded();
    let is_recorded = |case: &Case| recorded.get(&case.area).is_some_and(|area| area.contains_key(&case.name));
    let mut cases = chosen();
    cases.retain(|case| case.area == UNRECORDED || is_recorded(case));
    cases.sort_by_key(|case| (case.area != UNRECORDED, fnv(&format!("{seed}{}", case.title()))));
    cases.truncate(LIVE + cases.iter().filter(|case| case.area == UNRECORDED).count());
    let answers = by_ansible(&programs, &cases.iter().collect::<Vec<_>>());
    let answered = |(case, answer): (_, Option<Answer>)| answer.map(|answer| (case, answer));
    let pairs: Vec<(&Case, Answer)> = cases.iter().zip(answers).filter_map(answered).collect();
    assert!(!pairs.is_empty(), "Ansible has no answers");
    let problems = compare(&pairs);
    assert!(problems.is_empty(), "PROBE_SEED={seed}, {} differ:\n\n{}", problems.len(), problems.join("\n"));
}

/// Those whose titles hold the word in `CASE`.
fn chosen() -> Vec<Case> {
    let only = std::env::var("CASE").unwrap_or_default();
    let mut cases = Case::all();
    cases.retain(|case| case.title().contains(&only));
    cases
}

/// Where wodctl's answers differ, but for those of the list.
fn compare(pairs: &[(&Case, Answer)]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let as_root = std::fs::metadata(folder.path()).expect("its owner").uid() == 0;
    let differs: BTreeMap<String, String> =
        serde_yaml::from_str(&std::fs::read_to_string(fixtures::dir("probe/differs.yml")).expect("the list"))
            .expect("titles and reasons");
    let (next, problems) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some((case, theirs)) = pairs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (ours, said) = by_wodctl(case, folder.path());
            let (theirs, ours) = (theirs.lines(as_root), ours.lines(as_root));
            match (theirs == ours, differs.get(&case.title())) {
                (false, None) => problems.lock().expect("no panic").push(difference(case, &theirs, &ours, &said)),
                (true, Some(reason)) => println!("{} is the same, but listed: {reason}", case.title()),
                _ => {}
            }
        }
    };
    std::thread::scope(|scope| {
        let workers = std::thread::available_parallelism().map_or(2, usize::from);
        (0..workers).for_each(|_| drop(scope.spawn(work)));
    });
    let mut problems = problems.into_inner().expect("no panic");
    problems.sort();
    problems
}

fn difference(case: &Case, theirs: &[String], ours: &[String], said: &str) -> String {
    let diff = similar::TextDiff::from_slices(
        &theirs.iter().map(String::as_str).collect::<Vec<_>>(),
        &ours.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let changes = diff.iter_all_changes().filter(|change| change.tag() != similar::ChangeTag::Equal);
    let lines: String = changes.map(|change| format!("  {} {}\n", change.tag(), change.value())).collect();
    format!("{}:\n{lines}{said}", case.title())
}

fn by_wodctl(case: &Case, root: &Path) -> (Answer, String) {
    let folder = folder_of(case, root);
    case.write(&folder);
    let program = std::env::var_os("WODCTL_TEST_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_wodctl").into());
    let is_plan = case.options.iter().any(|option| option == "--check");
    let output = Command::new(program)
        .args([if is_plan { "plan" } else { "apply" }, "inventory"])
        // By its whole name: what is written must stay in this folder, whatever is wrong.
        .arg(folder.join("site.yml"))
        .args(["--output", "json"])
        .args(case.options.iter().filter(|option| *option != "--check"))
        .current_dir(&folder)
        .stdin(Stdio::null())
        .output()
        .expect("wodctl");
    let events = json_lines(&String::from_utf8_lossy(&output.stdout), &folder);
    let answer = Answer::of_wodctl(output.status.code().unwrap_or(-1), &events);
    let said = String::from_utf8_lossy(&output.stderr).lines().take(12).map(|line| format!("    {line}\n")).collect();
    (answer, said)
}

/// A folder for each, whose name is short and has nothing that a shell would read.
fn folder_of(case: &Case, root: &Path) -> PathBuf {
    let root = root.canonicalize().expect("a folder");
    root.join(format!("{:016x}", fnv(&case.title())))
}

/// Nothing for those in which Ansible itself came to its end.
fn by_ansible(programs: &Path, cases: &[&Case]) -> Vec<Option<Answer>> {
    let root = tempfile::tempdir().expect("a temporary folder");
    cases.iter().for_each(|case| case.write(&folder_of(case, root.path())));
    let output = Command::new(programs.join("python3"))
        .arg(fixtures::dir("probe/record.py"))
        .arg(root.path())
        .stderr(Stdio::inherit())
        .output()
        .expect("Ansible's Python");
    let lines: Vec<Value> = json_lines(&String::from_utf8_lossy(&output.stdout), root.path());
    let of = |case: &&Case| {
        let name = folder_of(case, root.path()).file_name().expect("a name").to_string_lossy().into_owned();
        lines.iter().find(|line| line["name"] == *name).map(Answer::of_ansible)
    };
    cases.iter().map(of).collect()
}

fn recorded() -> Recorded {
    let mut recorded = Recorded::new();
    fixtures::each("probe/recorded", "json", |path| {
        let area = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).expect("recorded answers");
        recorded
            .insert(area, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
    });
    recorded
}

/// Asks Ansible about what is not recorded as it is now, and forgets what there is no case for.
fn record(cases: &[Case]) {
    let programs = ansible().expect("WODCTL_TEST_ANSIBLE names the folder of Ansible's programs");
    let mut recorded = recorded();
    let is_new = |case: &&Case| {
        let there = recorded.get(&case.area).and_then(|area| area.get(&case.name));
        case.area != UNRECORDED && there.is_none_or(|(key, _)| *key != case.key())
    };
    let new: Vec<&Case> = cases.iter().filter(is_new).collect();
    for (case, answer) in new.iter().zip(by_ansible(&programs, &new)) {
        let Some(answer) = answer else { continue };
        recorded.entry(case.area.clone()).or_default().insert(case.name.clone(), (case.key(), answer));
    }
    let all = Case::all();
    for (area, answers) in &mut recorded {
        answers.retain(|name, _| all.iter().any(|case| case.area == *area && case.name == *name));
        let lines = answers.iter().map(|entry| {
            let (name, answer) = (serde_json::to_string(entry.0), serde_json::to_string(entry.1));
            format!("{}: {}", name.expect("JSON"), answer.expect("JSON"))
        });
        let text = format!("{{\n{}\n}}\n", lines.collect::<Vec<_>>().join(",\n"));
        std::fs::write(fixtures::dir("probe/recorded").join(format!("{area}.json")), text).expect("a file");
    }
}
