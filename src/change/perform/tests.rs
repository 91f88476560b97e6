use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::*;
use crate::change::{Attributes, WriteFile};
use crate::system::local::{Local, Nothing};

fn write(path: PathBuf, text: &str) -> WriteFile {
    WriteFile {
        path,
        content: Content::Bytes(text.into()),
        attributes: Attributes::default(),
        backup: None,
        validate: None,
        unsafe_writes: false,
        diff: true,
    }
}

fn act(actions: Vec<Act>) -> Result<Performed, Failure> {
    let mut machine = Local::new(Arc::new(Nothing), Arc::default());
    let mut done = Performed::default();
    let actions: Vec<Action> = actions.into_iter().map(Action::change).collect();
    perform(&mut machine, &actions, true, &mut Unwatched, &mut done).map(|()| done)
}

fn put(write: WriteFile) -> Act {
    Act::WriteFile(Box::new(write))
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_is_replaced_as_a_whole_and_keeps_what_it_had() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let before = fs::metadata(&path).unwrap();
    let backup = dir.path().join("a.bak");
    let done = act(vec![put(WriteFile { backup: Some(backup.clone()), ..write(path.clone(), "new") })]).unwrap();
    let after = fs::metadata(&path).unwrap();
    assert_eq!((fs::read_to_string(&path).unwrap(), after.mode() & 0o777), ("new".into(), 0o640));
    assert_ne!(before.ino(), after.ino());
    assert_eq!((fs::read_to_string(&backup).unwrap(), names(dir.path()).len()), ("old".into(), 2));
    assert!(done.changed && done.diffs.len() == 1);
}

#[test]
fn what_validate_refuses_never_takes_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    fs::write(&path, "old").unwrap();
    let validate = |argv: &[&str]| Some(argv.iter().map(|word| (*word).to_owned()).collect());
    let refused =
        WriteFile { validate: validate(&["sh", "-c", "echo bad >&2; false", "%s"]), ..write(path.clone(), "x") };
    let failure = act(vec![put(refused)]).unwrap_err();
    assert_eq!(failure.argument.as_deref(), Some("validate"));
    assert!(failure.message.ends_with("bad") && failure.values["exit_status"] == 1.into());
    assert_eq!((fs::read_to_string(&path).unwrap(), names(dir.path())), ("old".into(), vec!["a".to_owned()]));
    let taken = WriteFile { validate: validate(&["grep", "-q", "new", "%s"]), ..write(path.clone(), "new") };
    act(vec![put(taken)]).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
}

#[test]
fn files_of_one_list_are_in_place_before_a_program_looks() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let run = Command::new(["cat", "sub/a", "b"]).cwd(dir.path());
    let sub = Act::MakeDir { path: at("sub"), attributes: Attributes { mode: Some(0o2775), ..Default::default() } };
    let actions = vec![sub, put(write(at("sub/a"), "1")), put(write(at("b"), "2")), Act::Run(run)];
    let done = act(actions).unwrap();
    assert_eq!((done.outputs[3].text(), done.outputs.len()), ("12".into(), 4));
    assert_eq!(fs::metadata(at("sub")).unwrap().mode() & 0o7777, 0o2775);
}

#[test]
fn what_killed_runs_have_left_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::write(at(".a.wodctl-4194303-0"), "half").unwrap();
    fs::write(at(&format!(".b.wodctl-{}-0", std::process::id())), "ours").unwrap();
    act(vec![put(write(at("a"), "new"))]).unwrap();
    assert_eq!(names(dir.path()), [format!(".b.wodctl-{}-0", std::process::id()), "a".to_owned()]);
}

#[test]
fn links_replace_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::write(at("a"), "1").unwrap();
    fs::write(at("b"), "2").unwrap();
    let links = vec![
        Act::Symlink { path: at("b"), target: "a".into() },
        Act::HardLink { path: at("c"), target: at("a") },
        Act::HardLink { path: at("c"), target: at("a") },
    ];
    act(links).unwrap();
    assert_eq!((fs::read_link(at("b")).unwrap(), fs::metadata(at("a")).unwrap().nlink()), ("a".into(), 2));
    assert_eq!(names(dir.path()), ["a", "b", "c"]);
}

#[test]
fn a_failing_program_ends_the_list() {
    let dir = tempfile::tempdir().unwrap();
    let mut machine = Local::new(Arc::new(Nothing), Arc::default());
    let mut done = Performed::default();
    let actions = [
        Action::run(Command::new(["sh", "-c", "echo no >&2; exit 4"]), "cannot do it"),
        Action::change(put(write(dir.path().join("a"), "x"))),
    ];
    let failure = perform(&mut machine, &actions, false, &mut Unwatched, &mut done).unwrap_err();
    assert_eq!((&*failure.message, &failure.values["rc"]), ("cannot do it: no", &4.into()));
    assert!(names(dir.path()).is_empty());
    let missing = [Action::run(Command::new(["no-such-program"]), "cannot do it")];
    let failure = perform(&mut machine, &missing, false, &mut Unwatched, &mut done).unwrap_err();
    assert_eq!(failure.message, "cannot do it: no-such-program: no such file or directory");
}

#[test]
fn backups_are_named_after_the_moment() {
    let fake = crate::system::fake::Fake::new();
    let first = backup_name(&fake, Path::new("/etc/a"));
    assert_eq!(first, Path::new("/etc/a.1.2027-01-15@08:00:00~"));
    let fake = fake.file(first, "");
    assert_eq!(backup_name(&fake, Path::new("/etc/a")), Path::new("/etc/a.2.2027-01-15@08:00:00~"));
}
