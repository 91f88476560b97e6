//! The order of effects is Ansible's: each playbook here leaves files in `{{ dir }}` of three real machines and of the
//! controller; the times at which they came to be, and the recap, are compared with what Ansible did
//! (`NAME.txt`; `WODCTL_RECORD=1` has Ansible make those that are not there).

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::fixtures;
use crate::lab::{self, Lab};

/// The machines.
const HOSTS: [&str; 3] = ["api-db", "backend", "frontend"];
const DIR: &str = "/var/tmp/wodctl-order";

#[test]
fn of_effects() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let inventory = folder.path();
    std::fs::copy(&lab.inventory, inventory.join("lab.yml")).unwrap();
    std::fs::write(inventory.join("more.yml"), MORE).unwrap();
    let only = std::env::var("FIXTURE").unwrap_or_default();
    let mut wrong = String::new();
    fixtures::each("order", "yml", |playbook| {
        let recorded = playbook.with_extension("txt");
        if !playbook.to_string_lossy().contains(&only) || recording() && recorded.exists() {
            return;
        }
        let mut expected = std::fs::read_to_string(&recorded).unwrap_or_default();
        let found = scenario(&lab, inventory, playbook, &expected);
        if recording() {
            std::fs::write(&recorded, &found).unwrap();
            expected.clone_from(&found);
        }
        if found != expected {
            let name = playbook.file_name().unwrap().to_string_lossy();
            writeln!(wrong, "{name}: Ansible's order:\n{expected}\nfound:\n{found}").unwrap();
        }
    });
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Another name of the backend, and a machine that is not there.
const MORE: &str = "
lab:
  hosts: {backend: {}, api-db: {}, frontend: {}}
all:
  hosts:
    twin: {ansible_host: \"{{ lookup('env', 'LAB_IP_BACKEND') }}\"}
    nobody: {ansible_host: 192.0.2.1, ansible_ssh_extra_args: -o ConnectTimeout=1}
";

fn recording() -> bool {
    std::env::var_os("WODCTL_RECORD").is_some()
}

fn scenario(lab: &Lab, inventory: &Path, playbook: &Path, expected: &str) -> String {
    for name in lab.names() {
        lab.root(name, &format!("rm -rf {DIR}; mkdir -m 777 {DIR}"));
    }
    let _ = std::fs::remove_dir_all(DIR);
    std::fs::create_dir_all(DIR).unwrap();
    let recap = match recording() {
        true => by_ansible(inventory, playbook),
        false => by_wodctl(inventory, playbook),
    };
    let mut effects: Vec<Effect> = lab.names().iter().flat_map(|name| effects(name, &lab.root(name, LIST))).collect();
    let own = Command::new("sh").args(["-c", LIST]).output().unwrap();
    effects.extend(self::effects("localhost", &String::from_utf8_lossy(&own.stdout)));
    std::fs::remove_dir_all(DIR).unwrap();
    let free = std::fs::read_to_string(playbook).unwrap().contains("strategy: free");
    in_order(effects, free, expected) + &recap
}

const LIST: &str = "find /var/tmp/wodctl-order -type f -printf '%C@ %f\n'";

/// When, where, what.
type Effect = (f64, String, String);

fn effects(host: &str, list: &str) -> Vec<Effect> {
    let effect = |line: &str| {
        let (time, name) = line.split_once(' ').expect("a time and a name");
        (time.parse().expect("a time"), host.to_owned(), name.to_owned())
    };
    list.lines().map(effect).collect()
}

/// One line for each step (what stands before a colon in the name), with the hosts that it had an effect on and, for
/// each, what stands behind the colon. What happened side by side has no order; under `free` only that of each host
/// counts.
fn in_order(mut effects: Vec<Effect>, free: bool, expected: &str) -> String {
    // The times are the kernel's ticks of some milliseconds: within one tick the order is what it should be.
    let place = |effect: &Effect| {
        let step = format!("{}: ", name(effect));
        let fits = |line: &&str| line.starts_with(&step) && line.contains(&effect.1);
        let item = effect.2.strip_prefix(name(effect)).unwrap_or_default();
        expected.lines().enumerate().find_map(|(index, line)| Some((index, fits(&line).then(|| line.find(item))?)))
    };
    effects.sort_by(|one, other| one.0.total_cmp(&other.0).then_with(|| place(one).cmp(&place(other))));
    if free {
        effects.sort_by(|one, other| one.1.cmp(&other.1));
    }
    let mut text = String::new();
    for step in effects.chunk_by(|one, next| name(one) == name(next) && (!free || one.1 == next.1)) {
        let mut hosts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (_, host, effect) in step {
            hosts.entry(host).or_default().extend(effect.split_once(':').map(|(_, item)| item));
        }
        // What several hosts have done on this one at the same time has no order.
        for items in hosts.values_mut().filter(|items| items.iter().any(|item| HOSTS.contains(item))) {
            items.sort_unstable();
        }
        let hosts: Vec<String> = hosts.iter().map(|(host, items)| [&[*host], &items[..]].concat().join(":")).collect();
        writeln!(text, "{}: {}", name(&step[0]), hosts.join(" ")).unwrap();
    }
    text
}

/// The step that an effect is of.
fn name(effect: &Effect) -> &str {
    effect.2.split(':').next().unwrap_or_default()
}

fn by_wodctl(inventory: &Path, playbook: &Path) -> String {
    let mut command = Command::new(lab::wodctl());
    command.arg("apply").arg(inventory).arg(playbook);
    let output = command.args(["-e", &format!("dir={DIR}"), "--output", "json"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let last: serde_json::Value = serde_json::from_str(last).expect("JSON");
    recap(&last["recap"], |name| name.to_owned())
}

fn by_ansible(inventory: &Path, playbook: &Path) -> String {
    let program = lab::ansible("ansible-playbook").expect("Ansible");
    let mut command = Command::new(program);
    command.arg("-i").arg(inventory).arg(playbook).args(["-e", &format!("dir={DIR}")]);
    command.env("ANSIBLE_STDOUT_CALLBACK", "ansible.posix.json").env("ANSIBLE_FORKS", "10").stdin(Stdio::null());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let start = text.find('{').unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    let json: serde_json::Value = serde_json::from_str(&text[start..]).expect("JSON");
    recap(&json["stats"], |name| if name == "failed" { "failures".into() } else { name.to_owned() })
}

const COUNTERS: [&str; 7] = ["ok", "changed", "unreachable", "failed", "skipped", "rescued", "ignored"];

/// A line for each host, in order of name, with the counters that are not zero.
fn recap(hosts: &serde_json::Value, key: impl Fn(&str) -> String) -> String {
    let hosts: BTreeMap<_, _> = hosts.as_object().expect("hosts").iter().collect();
    let mut text = "\n".to_owned();
    for (host, counters) in hosts {
        write!(text, "{host}:").unwrap();
        for name in COUNTERS {
            match counters[key(name)].as_u64().expect("a counter") {
                0 => {}
                count => write!(text, " {name}={count}").unwrap(),
            }
        }
        text.push('\n');
    }
    text
}
