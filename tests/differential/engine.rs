//! The two engines, and what they say of each task.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value};

use super::case::{Case, put_all};

/// One of the two, with a folder of its own.
pub struct Engine {
    folder: PathBuf,
    /// The folder of `ansible-playbook`; without it this is wodctl.
    ansible: Option<PathBuf>,
}

/// How a task ended.
#[derive(Debug)]
pub struct TaskEnd {
    /// `changed`, `ok`, `failed` or `skipped`.
    pub word: &'static str,
    /// What was said.
    pub message: String,
    /// What is compared of what it returned.
    pub values: Map<String, Value>,
}

/// The values that are compared, where Ansible returns them.
const COMPARED: &[&str] = &[
    "checksum",
    "content",
    "dest",
    "encoding",
    "examined",
    "files",
    "found",
    "gid",
    "group",
    "matched",
    "md5sum",
    "mode",
    "msg",
    "owner",
    "path",
    "rc",
    "results",
    "size",
    "skipped_paths",
    "source",
    "stat",
    "state",
    "stderr",
    "stdout",
    "stdout_lines",
    "uid",
    "backup",
    "backup_file",
    "remote_checksum",
];

/// What no two files have in common.
const OWN: &[&str] = &[
    "inode",
    "atime",
    "mtime",
    "ctime",
    "dev",
    "version",
    "invocation",
    "diff",
    "src",
    "blocks",
    "start",
    "end",
    "delta",
];

impl Engine {
    /// Ansible, from the folder of its programs.
    pub fn ansible(programs: &Path, folder: &Path) -> Engine {
        Engine { folder: folder.join("a"), ansible: Some(programs.to_owned()) }
    }

    /// wodctl.
    pub fn wodctl(folder: &Path) -> Engine {
        Engine { folder: folder.join("w"), ansible: None }
    }

    /// Where the tree of a case lies.
    pub fn root(&self, case: &Case) -> PathBuf {
        self.folder.join("trees").join(&case.name)
    }

    fn playbook(&self, case: &Case) -> PathBuf {
        self.folder.join("playbooks").join(&case.name).join("playbook.yml")
    }

    /// Puts the tree and the playbook of a case there.
    pub fn prepare(&self, case: &Case) {
        put_all(&self.root(case), &case.before);
        let playbook = self.playbook(case);
        put_all(playbook.parent().expect("a folder"), &case.files);
        let text = case.playbook(&self.root(case));
        std::fs::write(&playbook, text).expect("a playbook");
        let python = self
            .ansible
            .iter()
            .map(|folder| format!(", ansible_python_interpreter: {}", folder.join("python3").display()));
        let inventory =
            format!("all: {{hosts: {{here: {{ansible_connection: local{}}}}}}}\n", python.collect::<String>());
        std::fs::write(self.folder.join("inventory.yml"), inventory).expect("an inventory");
    }

    /// Carries out all cases; what each task came to.
    pub fn run(&self, cases: &[Case]) -> Vec<Vec<TaskEnd>> {
        match &self.ansible {
            // Its start takes longer than all cases: once for all of them.
            Some(programs) => self.run_ansible(programs, cases),
            None => cases.iter().map(|case| self.run_wodctl(case)).collect(),
        }
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.folder)
            .env("LC_ALL", "C.UTF-8");
        command
    }

    fn run_ansible(&self, programs: &Path, cases: &[Case]) -> Vec<Vec<TaskEnd>> {
        let output = self
            .command(&programs.join("ansible-playbook"))
            .env("ANSIBLE_STDOUT_CALLBACK", "ansible.posix.json")
            .env("ANSIBLE_PIPELINING", "1")
            .env("ANSIBLE_HOME", self.folder.join("ansible"))
            .args(["-i", "inventory.yml"])
            .args(cases.iter().map(|case| self.playbook(case)))
            .output()
            .expect("ansible-playbook");
        let text = String::from_utf8_lossy(&output.stdout);
        let reports = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
        // Each report repeats those before it.
        let last = reports.map_while(Result::ok).last();
        let report = last.unwrap_or_else(|| panic!("{text}\n{}", String::from_utf8_lossy(&output.stderr)));
        let plays = report["plays"].as_array().cloned().unwrap_or_default();
        let of_case = |case: &Case| {
            let play = plays.iter().find(|play| play["play"]["name"] == *case.name);
            let tasks = play.and_then(|play| play["tasks"].as_array()).cloned().unwrap_or_default();
            tasks.iter().map(|task| TaskEnd::new(&task["hosts"]["here"], &self.root(case))).collect()
        };
        cases.iter().map(of_case).collect()
    }

    fn run_wodctl(&self, case: &Case) -> Vec<TaskEnd> {
        let program = std::env::var_os("WODCTL_TEST_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_wodctl").into());
        let output = self
            .command(Path::new(&program))
            .args(["apply", "inventory.yml"])
            .arg(self.playbook(case))
            .args(["--output", "json"])
            .output()
            .expect("wodctl");
        let text = String::from_utf8_lossy(&output.stdout);
        let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let ends: Vec<TaskEnd> = events
            .filter(|event| event["event"] == "result" && event.get("item").is_none())
            .map(|event| {
                let mut end = TaskEnd::new(&event["values"], &self.root(case));
                if event["status"] == "skipped" {
                    end.word = "skipped";
                }
                end
            })
            .collect();
        if ends.is_empty() {
            println!("{}: {text}{}", case.name, String::from_utf8_lossy(&output.stderr));
        }
        ends
    }
}

impl TaskEnd {
    fn new(values: &Value, root: &Path) -> TaskEnd {
        let is = |key: &str| values[key] == true;
        let word = match () {
            () if is("failed") => "failed",
            () if is("skipped") => "skipped",
            () if is("changed") => "changed",
            () => "ok",
        };
        let message = values["msg"].as_str().unwrap_or_default().to_owned();
        let mut kept = Map::new();
        for key in COMPARED {
            if let Some(value) = values.get(*key) {
                kept.insert((*key).to_owned(), clean(value, root));
            }
        }
        TaskEnd { word, message, values: kept }
    }
}

/// The value without what no two machines have in common.
fn clean(value: &Value, root: &Path) -> Value {
    match value {
        Value::String(text) => neutral(text, root).into(),
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| clean(item, root)).collect();
            // `find` tells of files in the order of the disk.
            if items.iter().all(|item| item.get("path").is_some()) {
                items.sort_by_key(|item| item["path"].to_string());
            }
            items.into()
        }
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(key, _)| !OWN.contains(&key.as_str()) && !key.starts_with("_ansible"));
            Value::Object(kept.map(|(key, value)| (key.clone(), clean(value, root))).collect())
        }
        other => other.clone(),
    }
}

/// A text in which the tree is called ROOT and the moment of a backup NOW.
pub fn neutral(text: &str, root: &Path) -> String {
    let text = text.replace(&*root.to_string_lossy(), "ROOT");
    let moment = fancy_regex::Regex::new(r"\.\d+\.\d{4}-\d\d-\d\d@\d\d:\d\d:\d\d~").expect("a regular expression");
    moment.replace_all(&text, ".NOW~").into_owned()
}
