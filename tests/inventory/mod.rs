//! Inventories against what Ansible makes of them (see `record.py`), and what broken ones are told.

use std::path::{Path, PathBuf};

use clap::Parser;
use wodctl::commands::{self, Error};
use wodctl::inventory::{self, Limit};
use wodctl::source;
use wodctl::yaml::Node;

use crate::fixtures;

#[derive(clap::Parser)]
struct Cli {
    #[command(flatten)]
    args: commands::inventory::Args,
}

/// `wodctl inventory` on a case.
fn wodctl(case: &Path, arguments: &[&str]) -> Result<String, Error> {
    let listed = std::fs::read_to_string(case.join("sources")).unwrap_or_default();
    let mut sources: Vec<String> = listed.lines().map(str::to_owned).collect();
    if sources.is_empty() {
        let names = std::fs::read_dir(case).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        sources.extend(names.filter(|name| name.starts_with("inventory")));
    }
    let located = sources.into_iter().map(|source| match source.contains(',') {
        true => source,
        false => case.join(source).to_str().unwrap().to_owned(),
    });
    let playbooks = case.join("playbooks").to_str().unwrap().to_owned();
    let fixed = ["wodctl".to_owned(), format!("--playbook-dir={playbooks}")];
    let line = fixed.into_iter().chain(located).chain(arguments.iter().map(|&argument| argument.to_owned()));
    commands::inventory::text(&Cli::try_parse_from(line).unwrap().args)
}

fn cases() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(fixtures::dir("inventory")).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| path.join("list.json").exists()).collect();
    cases.sort();
    assert!(cases.len() > 5);
    cases
}

#[test]
fn lists_are_ansibles() {
    for case in cases() {
        let found = wodctl(&case, &["--list"]).unwrap();
        let found: serde_json::Value = serde_json::from_str(&found).unwrap();
        let expected = std::fs::read_to_string(case.join("list.json")).unwrap();
        // As text, so that the order of keys counts.
        let found = serde_json::to_string_pretty(&found).unwrap();
        assert_eq!(found, expected.trim_end(), "{}", case.display());
    }
}

#[test]
fn graphs_are_ansibles() {
    for case in cases() {
        let expected = std::fs::read_to_string(case.join("graph.txt")).unwrap();
        assert_eq!(wodctl(&case, &["--graph"]).unwrap(), expected, "{}", case.display());
    }
}

#[test]
fn patterns_choose_what_ansible_chooses() {
    let folder = fixtures::dir("inventory");
    let inventory = inventory::load(&[folder.join("patterns.yml").to_str().unwrap()]).unwrap().inventory;
    for line in std::fs::read_to_string(folder.join("patterns.tsv")).unwrap().lines() {
        let (pattern, expected) = line.split_once('\t').unwrap();
        let node = Node::scalar(source::add("<test>", pattern), pattern);
        let found = inventory.select(&node).map_or("error".to_owned(), |selected| selected.hosts.join(" "));
        assert_eq!(found, expected, "{pattern}");
    }
}

#[test]
fn a_limit_leaves_what_both_choose() {
    let folder = fixtures::dir("inventory");
    let inventory = inventory::load(&[folder.join("patterns.yml").to_str().unwrap()]).unwrap().inventory;
    let hosts = ["web3", "web1", "db1.example.org"].map(String::from);
    let limited = |limit: &str| inventory.limit(&hosts, &Limit::parse(limit).unwrap()).unwrap();
    assert_eq!(limited("web").hosts, ["web3", "web1"]);
    assert_eq!(limited("!web3").hosts, ["web1", "db1.example.org"]);
    assert_eq!(limited("web1,db").hosts, ["web1", "db1.example.org"]);
    let unknown = limited("wbe").unknown;
    assert!(unknown[0].render(false).contains("did you mean `web`?"), "{}", unknown[0].render(false));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "web1\n\n  !web2\n").unwrap();
    assert_eq!(limited(&format!("@{}", file.path().display())).hosts, ["web1"]);
    assert!(Limit::parse("@/no/such").is_err());
}

#[test]
fn one_host() {
    let case = fixtures::dir("inventory").join("priority");
    let text = wodctl(&case, &["--host", "h", "-e", "v=extra"]).unwrap();
    assert_eq!(text, "{\n    \"v\": \"extra\",\n    \"w\": \"c\",\n    \"x\": \"a\",\n    \"y\": \"z\"\n}\n");
}

#[test]
fn broken_inventories_get_a_clear_message() {
    for (ending, recorded) in [("yml", "txt"), ("ini", "txt")] {
        fixtures::each("inventory/broken", ending, |path| {
            let text = match inventory::load(&[path.to_str().unwrap()]) {
                Ok(loaded) => loaded.warnings.iter().map(|problem| problem.render(false)).collect::<String>(),
                Err(problem) => problem.render(false),
            };
            let folder = format!("{}/", fixtures::dir("inventory/broken").display());
            fixtures::compare(&path.with_extension(format!("{ending}.{recorded}")), &text.replace(&folder, ""));
        });
    }
}
