//! Runs the fixtures of all modules; `README.md` beside this file describes them.

mod attacks;
mod fixture;

use std::path::{Path, PathBuf};

use wodctl::agent::carry::carry_out;
use wodctl::change::Action;
use wodctl::change::diff::Diff;
use wodctl::change::perform::{Unwatched, Watch};
use wodctl::module::Module;
use wodctl::modules;
use wodctl::protocol::Outcome;
use wodctl::system::{FileKind, Machine, System};
use wodctl::value::Value;

use fixture::{Case, Expect, Thing};

#[test]
fn fixtures() {
    let root = root();
    let only = std::env::var("FIXTURE").unwrap_or_default();
    let mut cases = Vec::new();
    for dir in folders(&root) {
        cases.extend(files(&dir).into_iter().filter(|file| file.to_string_lossy().contains(&only)));
    }
    cases.sort();
    assert!(!cases.is_empty(), "no fixture matches `{only}`");
    let mut problems = Vec::new();
    for path in &cases {
        let name = path.strip_prefix(&root).unwrap_or(path).display().to_string();
        let found = std::panic::catch_unwind(|| run(path)).unwrap_or_else(|_| vec!["it panicked".to_owned()]);
        problems.extend(found.into_iter().map(|problem| format!("{name}: {problem}")));
    }
    assert!(
        problems.is_empty(),
        "{} problems in {} fixtures\n\n{}",
        problems.len(),
        cases.len(),
        problems.join("\n\n")
    );
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/modules")
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root).expect("the folder of fixtures");
    entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()).collect()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).expect("a folder of fixtures");
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "yml")).collect()
}

/// Notes which actions are carried out.
#[derive(Default)]
struct Notes(Vec<String>);

impl Watch for Notes {
    fn about_to(&mut self, action: &Action) {
        self.0.push(action.to_string());
    }
}

fn run(path: &Path) -> Vec<String> {
    let case = match Case::load(path) {
        Ok(case) => case,
        Err(problem) => return vec![problem],
    };
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    let Some(spec) = modules::find(&folder) else { return vec![format!("there is no module `{folder}`")] };
    let Some(build) = spec.build else { return vec!["is the controller's own".to_owned()] };
    let (mut fake, args) = case.machine();
    let module = match build(&args) {
        Ok(module) => module,
        Err(error) => return refused(&case.expect, &error),
    };
    let mut problems = Vec::new();
    let mut say = |when: &str, found: Vec<String>| problems.extend(found.into_iter().map(|it| format!("{when}: {it}")));

    let plan = case.plan.clone().unwrap_or_else(|| Expect { files: Default::default(), ..case.expect.clone() });
    let mut notes = Notes::default();
    let (outcome, machine) = carry(&*module, fake.plan(), &mut notes);
    let same_values = case.plan.is_some() || !outcome.opaque;
    say("planned", compare(&plan, &outcome, &notes.0, &machine, same_values));

    let mut notes = Notes::default();
    let outcome = carry_out(&*module, &mut fake, true, &mut notes).expect("nobody cancels");
    if std::env::var_os("FIXTURE_SHOW").is_some() {
        show(path, &outcome, &notes.0);
    }
    say("applied", compare(&case.expect, &outcome, &notes.0, &fake, true));

    if outcome.failure.is_none() && !case.repeats {
        let (again, _) = carry(&*module, fake.plan(), &mut Unwatched);
        if again.changed && !again.opaque {
            say("planned afterwards", vec![format!("there is still something to do: {:?}", again.diffs)]);
        }
        let again = carry_out(&*module, &mut fake, true, &mut Unwatched).expect("nobody cancels");
        match &again.failure {
            Some(failure) => say("applied again", vec![format!("failed: {}", failure.message)]),
            None if again.changed => say("applied again", vec![format!("changed something: {:?}", again.diffs)]),
            None => {}
        }
    }
    problems
}

fn carry<M: Machine>(module: &dyn Module, mut machine: M, watch: &mut dyn Watch) -> (Outcome, M) {
    let outcome = carry_out(module, &mut machine, true, watch).expect("nobody cancels");
    (outcome, machine)
}

fn refused(expect: &Expect, error: &wodctl::module::ArgError) -> Vec<String> {
    match &expect.failure {
        Some(text) if error.message.contains(text.as_str()) => match &expect.argument {
            Some(argument) if error.argument.as_ref() != Some(argument) => {
                vec![format!("the refused argument is {:?}, expected `{argument}`", error.argument)]
            }
            _ => Vec::new(),
        },
        _ => {
            vec![format!("the arguments are refused: {}: {}", error.argument.as_deref().unwrap_or("-"), error.message)]
        }
    }
}

fn compare(
    expect: &Expect,
    outcome: &Outcome,
    actions: &[String],
    machine: &dyn System,
    same_values: bool,
) -> Vec<String> {
    let mut problems = Vec::new();
    match (&expect.failure, &outcome.failure) {
        (None, None) => {}
        (Some(text), Some(failure)) if failure.message.contains(text.as_str()) => {
            if expect.argument.is_some() && expect.argument != failure.argument {
                problems.push(format!("the failure names {:?}, expected {:?}", failure.argument, expect.argument));
            }
        }
        (None, Some(failure)) => problems.push(format!("failed: {} {:?}", failure.message, failure.values)),
        (Some(text), Some(failure)) => {
            problems.push(format!("failed with `{}`, expected `{text}`", failure.message));
        }
        (Some(text), None) => problems.push(format!("succeeded, expected the failure `{text}`")),
    }
    if same_values && expect.changed != outcome.changed {
        problems.push(format!("changed is {}, actions: {actions:#?}", outcome.changed));
    }
    if expect.opaque.is_some_and(|opaque| opaque != outcome.opaque) {
        problems.push(format!("opaque is {}", outcome.opaque));
    }
    if let Some(wanted) = expect.actions.as_ref().filter(|_| same_values)
        && wanted != actions
    {
        problems.push(format!("actions are {actions:#?}\nexpected {wanted:#?}"));
    }
    for (key, wanted) in expect.values.iter().filter(|_| same_values) {
        let given = outcome.failure.as_ref().map_or(&outcome.values, |failure| &failure.values).get(key);
        match (given, wanted) {
            (None, Value::Null) => {}
            (Some(given), wanted) if given == wanted => {}
            (given, wanted) => problems.push(format!("`{key}` is {}, expected {}", shown(given), shown(Some(wanted)))),
        }
    }
    if let Some(wanted) = &expect.warnings {
        let all = wanted.len() == outcome.warnings.len()
            && wanted.iter().zip(&outcome.warnings).all(|(wanted, warning)| warning.contains(wanted.as_str()));
        if !all {
            problems.push(format!("warnings are {:#?}", outcome.warnings));
        }
    }
    if let Some(wanted) = expect.diff.as_ref().filter(|_| same_values) {
        let given = diff_text(&outcome.diffs);
        if given.trim_end() != wanted.trim_end() {
            problems.push(format!("the diff is\n{given}\nexpected\n{wanted}"));
        }
    }
    for (path, wanted) in &expect.files {
        problems.extend(compare_file(machine, Path::new(path), wanted.as_ref()));
    }
    problems
}

fn shown(value: Option<&Value>) -> String {
    value.map_or("missing".to_owned(), |value| value.to_json().to_string())
}

fn compare_file(machine: &dyn System, path: &Path, wanted: Option<&Thing>) -> Option<String> {
    let name = path.display();
    let stat = machine.stat(path, false).ok().flatten();
    let (stat, wanted) = match (stat, wanted) {
        (None, None) => return None,
        (Some(_), None) => return Some(format!("{name} is still there")),
        (None, Some(_)) => return Some(format!("{name} is not there")),
        (Some(stat), Some(wanted)) => (stat, wanted),
    };
    if let Some(link) = &wanted.link {
        let target = machine.read_link(path).ok()?;
        return (target != *link)
            .then(|| format!("{name} points at {}, expected {}", target.display(), link.display()));
    }
    if wanted.dir != (stat.kind == FileKind::Dir) {
        return Some(format!("{name} is a {:?}", stat.kind));
    }
    if let Some(content) = wanted.bytes() {
        let given = machine.read(path).ok().flatten().unwrap_or_default();
        if given != content {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            return Some(format!("{name} holds\n{}\nexpected\n{}", text(&given), text(&content)));
        }
    }
    let differs = |what, given: u32, wanted: Option<u32>| {
        wanted.filter(|wanted| *wanted != given).map(|wanted| format!("{name}: {what} {given:o}, expected {wanted:o}"))
    };
    differs("mode", stat.mode, wanted.bits())
        .or_else(|| differs("uid (octal)", stat.uid, wanted.uid))
        .or_else(|| differs("gid (octal)", stat.gid, wanted.gid))
        .or_else(|| wanted.mtime.filter(|time| *time != stat.mtime).map(|_| format!("{name}: mtime {}", stat.mtime)))
}

fn diff_text(diffs: &[Diff]) -> String {
    let mut text = String::new();
    for diff in diffs {
        match diff {
            Diff::Text { path, before, after } => {
                text += &format!("{}\n", path.display());
                let (before, after) = (before.as_deref().unwrap_or(""), after.as_deref().unwrap_or(""));
                for change in similar::TextDiff::from_lines(before, after).iter_all_changes() {
                    let line = change.to_string();
                    text += &format!("{}{}\n", change.tag(), line.trim_end_matches('\n'));
                }
            }
            Diff::Attribute { subject, name, before, after } => {
                text += format!("{subject} {name}: {before} -> {after}").replace(":  ->", ": ->").trim_end();
                text.push('\n');
            }
            Diff::Run { argv } => text += &format!("run {}\n", argv.join(" ")),
        }
    }
    text
}

fn show(path: &Path, outcome: &Outcome, actions: &[String]) {
    println!("=== {}\nchanged: {}", path.display(), outcome.changed);
    println!("actions: {actions:#?}");
    println!("values: {}", serde_json::to_string_pretty(&Value::Map(outcome.values.clone()).to_json()).unwrap());
    println!("failure: {:?}\nwarnings: {:?}\n{}", outcome.failure, outcome.warnings, diff_text(&outcome.diffs));
}
