//! Machines of their own in the lab, the repositories that they are set up from, and an inventory.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value as Json;

use crate::fixtures;
use crate::lab::{self, Lab};

/// The machines, in the order of the roles.
pub const API_DB: &str = "wod-api-db";
pub const BACKEND: &str = "wod-backend";
pub const FRONTEND: &str = "wod-frontend";
pub const ALL: [&str; 3] = [API_DB, BACKEND, FRONTEND];

/// What the inventory's variables are at first, and what some are changed to.
pub const BEFORE: &str =
    "wod_postfix_port: 10025\nwod_branding: Brand\nwod_backend_ext_fqdn: hub-before\nwod_user_max: 5\n";
pub const AFTER: &str =
    "wod_postfix_port: 10026\nwod_branding: Other\nwod_backend_ext_fqdn: hub-after\nwod_user_max: 6\n";

pub struct Site {
    pub lab: Lab,
    folder: tempfile::TempDir,
    daemon: Child,
    /// Where the machines find the repositories.
    pub repositories: String,
    addresses: BTreeMap<&'static str, Ipv4Addr>,
}

/// How a run ended.
pub struct Run {
    pub succeeded: bool,
    /// All that it printed.
    pub text: String,
    recap: Json,
}

impl Run {
    fn new(output: &Output) -> Run {
        let said = String::from_utf8_lossy(&output.stdout);
        let last = said.lines().last().and_then(|line| serde_json::from_str::<Json>(line).ok()).unwrap_or_default();
        let text = format!("{said}{}", String::from_utf8_lossy(&output.stderr));
        Run { succeeded: output.status.success(), text, recap: last["recap"].clone() }
    }

    /// How much it changed, on all machines.
    pub fn changed(&self) -> u64 {
        let hosts = self.recap.as_object().expect("a recap");
        hosts.values().map(|counters| counters["changed"].as_u64().expect("a counter")).sum()
    }

    /// Which steps changed something, and what was said of those that failed.
    pub fn changes(&self) -> String {
        let mut said = String::new();
        for event in self.text.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok()) {
            let (host, task) =
                (event["host"].as_str().unwrap_or_default(), event["task"]["name"].as_str().unwrap_or_default());
            match event["status"].as_str() {
                Some("changed") => said += &format!("{host}: {task}: changed {}\n", event["item"]),
                Some("failed" | "unreachable") => said += &format!("{host}: {task}: {}\n", event["values"]),
                _ => {}
            }
        }
        let lines = self.text.lines().filter(|line| !line.starts_with('{'));
        said + &lines.collect::<Vec<_>>().join("\n")
    }
}

impl Site {
    /// Fresh machines, some of `ALL`, and fresh repositories.
    pub fn new(names: &[&'static str]) -> Option<Site> {
        let lab = Lab::find()?;
        let addresses = machines(&lab.program()?, names);
        let folder = tempfile::tempdir().unwrap();
        for name in ["install", "backend", "api-db", "frontend", "notebooks", "private"] {
            repository(folder.path(), &format!("wod-{name}"));
        }
        let gateway = std::env::var("LAB_GATEWAY").expect("lab.env names it");
        let port = TcpListener::bind((gateway.as_str(), 0)).unwrap().local_addr().unwrap().port();
        let daemon = serve(&folder.path().join("git"), &gateway, port);
        let site = Site { lab, folder, daemon, repositories: format!("git://lab-host:{port}"), addresses };
        site.write_inventory();
        site.set(BEFORE);
        Some(site)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn address(&self, machine: &str) -> Ipv4Addr {
        self.addresses[machine]
    }

    /// Runs a shell script as root.
    pub fn root(&self, machine: &str, script: &str) -> String {
        self.lab.root(machine, script)
    }

    /// Gives the inventory's variables other values.
    pub fn set(&self, vars: &str) {
        let group = self.path("inventory/group_vars/wod");
        std::fs::create_dir_all(&group).unwrap();
        std::fs::write(group.join("settings.yml"), vars).unwrap();
        // Names that every machine gets into /etc/hosts.
        let name = vars.lines().find_map(|line| line.strip_prefix("wod_backend_ext_fqdn: ")).unwrap();
        let hosts = format!("wod_hosts: [{{address: {}, names: [{name}]}}]\n", self.address(BACKEND));
        std::fs::write(group.join("hosts.yml"), hosts).unwrap();
    }

    fn write_inventory(&self) {
        let requirements = self.folder.path().join("hub");
        write_requirements(&requirements);
        let machine = |group: &str, name: &str| {
            format!("    wod_{group}: {{hosts: {{{name}: {{ansible_host: {}}}}}}}\n", self.address(name))
        };
        let mut text = String::from("wod:\n  children:\n");
        for (group, name) in [("api_db", API_DB), ("backend", BACKEND), ("frontend", FRONTEND)] {
            if self.addresses.contains_key(name) {
                text += &machine(group, name);
            }
        }
        text += "  vars:\n";
        for (name, value) in [
            ("ansible_user", "wod".to_owned()),
            ("ansible_ssh_common_args", format!("-F {}", std::env::var("LAB_SSH_CONFIG").unwrap())),
            ("wod_git_base", self.repositories.clone()),
            ("wod_private_repo", "\"{{ wod_git_base }}/wod-private.git\"".to_owned()),
            ("wod_backend_extras", "[]".to_owned()),
            (
                "wod_jupyterhub_requirements",
                format!("\"{}/{{{{ distribution_python_version }}}}.txt\"", requirements.display()),
            ),
            ("wod_frontend_lock", fixtures::dir("wod/package-lock.json").display().to_string()),
            ("settings_cache", self.path("cache").display().to_string()),
        ] {
            text += &format!("    {name}: {value}\n");
        }
        std::fs::create_dir_all(self.path("inventory")).unwrap();
        std::fs::write(self.path("inventory/inventory.yml"), text).unwrap();
    }

    /// Another commit in a repository: a file with another content.
    pub fn commit(&self, repository: &str, file: &str, content: &str) {
        let tree = self.path(repository);
        std::fs::write(tree.join(file), content).unwrap();
        git(&tree, &["commit", "--quiet", "--all", "--message", "Change"]);
        git(&tree, &["push", "--quiet", "origin", "main"]);
    }

    fn command(&self, verb: &str, playbook: &str) -> Command {
        let mut command = Command::new(lab::wodctl());
        command.arg(verb).arg(self.path("inventory"));
        command.arg(fixtures::dir("../playbooks").join(playbook));
        command.arg("-e").arg(format!("@{}", fixtures::dir("wod/packages.yml").display()));
        command.args(["--output", "json"]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn apply(&self, playbook: &str) -> Run {
        Run::new(&self.command("apply", playbook).output().unwrap())
    }

    pub fn plan(&self, playbook: &str) -> Run {
        Run::new(&self.command("plan", playbook).output().unwrap())
    }

    /// Starts an apply and kills it after so many results that changed something.
    pub fn apply_and_kill(&self, changes: usize) {
        let mut run = self.command("apply", "site.yml").stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(run.stdout.take().unwrap()).lines().map_while(Result::ok);
        let changed =
            lines.filter(|line| line.starts_with("{\"event\":\"result\"") && line.contains("\"status\":\"changed\""));
        assert_eq!(changed.take(changes).count(), changes, "the run ended before it could be killed");
        run.kill().unwrap();
        run.wait().unwrap();
    }

    /// The secrets that were generated.
    pub fn secrets(&self) -> Vec<String> {
        let files =
            std::fs::read_dir(self.path("inventory.secrets")).expect("secrets").map(|entry| entry.unwrap().path());
        files.map(|file| std::fs::read_to_string(file).unwrap().trim().to_owned()).collect()
    }

    /// Runs a shell script as root, with a text as its standard input; what it printed.
    pub fn root_with(&self, machine: &str, script: &str, input: &str) -> String {
        let config = std::env::var("LAB_SSH_CONFIG").unwrap();
        let mut ssh = Command::new("ssh");
        ssh.args(["-F", &config, &format!("root@{machine}"), script]);
        let mut ssh = ssh.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        ssh.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        String::from_utf8(ssh.wait_with_output().unwrap().stdout).unwrap()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// Boots fresh machines beside those that all tests share, like them; their addresses.
fn machines(program: &Path, names: &[&'static str]) -> BTreeMap<&'static str, Ipv4Addr> {
    let folder = PathBuf::from(std::env::var_os("WODCTL_LAB_DIR").expect("lab.env names it"));
    let meta = std::fs::read(folder.join("machines/backend/meta.json")).expect("the lab has a backend");
    let meta: Json = serde_json::from_slice(&meta).unwrap();
    let like =
        ["release", "mirror"].map(|name| meta[name].as_str().map(|value| [format!("--{name}"), value.to_owned()]));
    let (known, new): (Vec<&str>, Vec<&str>) =
        names.iter().partition(|name| folder.join("machines").join(name).exists());
    for (verb, names) in [("reset", known), ("up", new)].into_iter().filter(|(_, names)| !names.is_empty()) {
        let mut command = Command::new(program);
        command.arg(verb).args(names).args(like.iter().flatten().flatten());
        let output = command.output().unwrap();
        assert!(output.status.success(), "lab {verb}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let inventory = std::fs::read_to_string(folder.join("inventory.yml")).unwrap();
    let address = |name: &&'static str| {
        let after =
            inventory.split(&format!("    {name}:\n      ansible_host: ")).nth(1).expect("the machine's address");
        (*name, after.lines().next().unwrap().parse().expect("an address"))
    };
    names.iter().map(address).collect()
}

/// A tree of `repos/` as a repository with one commit, and a bare one to serve.
fn repository(folder: &Path, name: &str) {
    let tree = folder.join(name);
    copy(&fixtures::dir("wod/repos").join(name), &tree);
    git(&tree, &["init", "--quiet", "--initial-branch", "main"]);
    git(&tree, &["add", "--all"]);
    git(&tree, &["commit", "--quiet", "--message", "First"]);
    let bare = folder.join("git").join(format!("{name}.git"));
    std::fs::create_dir_all(bare.parent().unwrap()).unwrap();
    git(folder, &["clone", "--quiet", "--bare", &tree.to_string_lossy(), &bare.to_string_lossy()]);
    git(&tree, &["remote", "add", "origin", &bare.to_string_lossy()]);
}

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        match entry.file_type().is_dir() {
            true => std::fs::create_dir_all(target).unwrap(),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

fn git(folder: &Path, args: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=test", "-c", "user.email=test@example.org"]).args(args).current_dir(folder);
    let output = command.output().expect("git can be run");
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Serves the bare repositories to the lab. The program itself, as git would leave it behind when it is killed.
fn serve(folder: &Path, address: &str, port: u16) -> Child {
    let path = Command::new("git").arg("--exec-path").output().expect("git can be run").stdout;
    let program = Path::new(String::from_utf8(path).unwrap().trim()).join("git-daemon");
    let mut command = Command::new(program);
    command.args(["--export-all", "--reuseaddr", &format!("--listen={address}"), &format!("--port={port}")]);
    command.arg(format!("--base-path={}", folder.display())).arg(folder);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("git has git-daemon")
}

/// For each Python, the packages that `hub.txt` names in the versions that the role has.
fn write_requirements(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let wanted = std::fs::read_to_string(fixtures::dir("wod/hub.txt")).unwrap();
    for entry in std::fs::read_dir(fixtures::dir("../roles/backend/files/python")).unwrap() {
        let path = entry.unwrap().path();
        let Some(python) = path.file_stem().and_then(|stem| stem.to_str()?.strip_prefix("python-")) else { continue };
        let all = std::fs::read_to_string(&path).unwrap();
        let lines = all.lines().filter(|line| wanted.lines().any(|name| line.starts_with(&format!("{name}=="))));
        let text: String = lines.map(|line| format!("{line}\n")).collect();
        std::fs::write(folder.join(format!("{python}.txt")), text).unwrap();
    }
}
