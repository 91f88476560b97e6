//! The model against ansible-core: recorded plays, and the command that records them:
//! `WODCTL_TEST_ANSIBLE=/venv/bin cargo test --test simulation anew -- --ignored`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::book::{Book, host_name};
use super::history::{History, in_order};
use super::model::{self, World};
use super::yaml;

/// A book, and what ansible-core made of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recorded {
    /// The book.
    pub book: Book,
    /// What happened.
    pub ansible: History,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/simulation")
}

/// Plays a book under ansible-core: three names of this machine.
pub fn under_ansible(book: &Book) -> History {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    std::fs::create_dir(folder.join("machine")).expect("a folder");
    let base = folder.join("machine").display().to_string();
    let inventory: String = (0..book.hosts).map(|host| inventory_line(book, host)).collect();
    let extra = [("trace", String::new()), ("hosts", inventory)];
    let extra = extra.map(|(name, text)| (name.to_owned(), text));
    for (name, content) in yaml::files(book, &base).into_iter().chain(extra) {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, content).expect("a file");
    }
    let output = ansible(folder, book.forks);
    let read = |name: &str| std::fs::read_to_string(folder.join(name));
    let Ok(notes) = read("notes") else { panic!("{output}\n{}", yaml::shown(book)) };
    let mut history: History = serde_json::from_str(&notes).expect("notes");
    history.effects = read("trace").expect("a trace").lines().map(str::to_owned).collect();
    history
}

fn inventory_line(book: &Book, host: usize) -> String {
    let how = match book.down.contains(&host) {
        true => "ansible_connection=ssh ansible_host=127.0.0.1 ansible_port=1",
        false => "ansible_connection=local ansible_python_interpreter=/usr/bin/python3",
    };
    format!("{} {how}\n", host_name(host))
}

fn ansible(folder: &Path, forks: usize) -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    let programs =
        std::env::var("WODCTL_TEST_ANSIBLE").expect("WODCTL_TEST_ANSIBLE names the folder of ansible-playbook");
    let output = Command::new(Path::new(&programs).join("ansible-playbook"))
        .args(["-i", "hosts", "-f", &forks.to_string(), yaml::PLAYBOOK])
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", self::folder().display()))
        .env("SIMULATION_FOLDER", folder)
        .env("SIMULATION_NOTES", folder.join("notes"))
        .env("ANSIBLE_CALLBACK_PLUGINS", self::folder())
        .env("ANSIBLE_STDOUT_CALLBACK", "recorder")
        .env("ANSIBLE_PIPELINING", "true")
        .output()
        .expect("ansible-playbook can be started");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What differs between the model and what was seen.
pub fn difference(book: &Book, model: &History, seen: &History) -> Option<String> {
    let free = book.plays.iter().any(|play| play.free);
    let ordered = |history: &History| History {
        effects: in_order(&history.effects, free),
        results: in_order(&history.results, free),
        ..history.clone()
    };
    let (mut model, seen) = (ordered(model), ordered(seen));
    // Only commands leave a trace, and it does not say where they ran: there is one machine.
    model.effects.retain(|effect| !effect.contains(" file"));
    for effect in &mut model.effects {
        *effect = effect.split(" @").next().unwrap_or_default().to_owned();
    }
    let mut text = String::new();
    for (name, one, other) in [
        ("effects", format!("{:?}", model.effects), format!("{:?}", seen.effects)),
        ("results", format!("{:?}", model.results), format!("{:?}", seen.results)),
        ("recap", format!("{:?}", model.recap), format!("{:?}", seen.recap)),
        ("values", format!("{:?}", model.values), format!("{:?}", seen.values)),
    ] {
        if one != other {
            text += &format!("{name}:\n  model {one}\n  seen  {other}\n");
        }
    }
    (!text.is_empty()).then_some(text)
}

/// How many plays are recorded.
const PLAYS: usize = 100;

fn file() -> PathBuf {
    folder().join("recorded.jsonl")
}

/// What the model makes of a book on one machine.
fn modelled(book: &Book) -> History {
    model::play(book, World { shared: true, ..World::default() }).0
}

#[test]
fn the_model_does_as_ansible_does() {
    let recorded = std::fs::read_to_string(file()).expect("recorded plays");
    let mut differences = Vec::new();
    for line in recorded.lines() {
        let Recorded { book, ansible } = serde_json::from_str(line).expect("a recorded play");
        let difference = difference(&book, &modelled(&book), &ansible);
        differences.extend(difference.map(|text| format!("{}\n{text}", yaml::shown(&book))));
    }
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

#[test]
#[ignore = "records what is missing, with ansible-core"]
fn anew() {
    // Neither nothing nor too much happens in a play that is recorded.
    let is_fit = |book: &Book| (4..15).contains(&modelled(book).results.len());
    let books = (0..).map(super::generate::book).filter(is_fit).take(PLAYS);
    // What is recorded stays so: take a line away to record its play anew.
    let recorded = std::fs::read_to_string(file()).expect("recorded plays");
    let parsed = |line: &str| serde_json::from_str(line).expect("a recorded play");
    let mut known: Vec<Recorded> = recorded.lines().map(parsed).collect();
    let record = |book: Book| match known.iter().position(|known| yaml::shown(&known.book) == yaml::shown(&book)) {
        Some(place) => known.swap_remove(place),
        None => Recorded { ansible: under_ansible(&book), book },
    };
    let lines = books.map(record).map(|recorded| serde_json::to_string(&recorded).expect("JSON") + "\n");
    std::fs::write(file(), lines.collect::<String>()).expect("recorded plays");
}
