//! `wodctl init`: whole output, and the files that it writes.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::Test;
use crate::fixtures;

const FILES: [&str; 2] = ["inventory.yml", "group_vars/wod/main.yml"];
const HERE: &str = env!("CARGO_MANIFEST_DIR");

/// What `init` with these options says and writes, compared with the record; then it is checked with the roles of this
/// project.
fn written(name: &str, options: &[&str]) -> Test {
    let test = Test::new();
    let args: Vec<&str> = ["init", "mine"].iter().chain(options).copied().collect();
    let (said, status) = test.with(&args).output();
    assert_eq!(status, Some(0), "{said}");
    let mut all = format!("$ wodctl {}\n{said}", args.join(" "));
    for file in FILES {
        let text = std::fs::read_to_string(test.path("mine").join(file)).unwrap();
        // The reference of all settings is the example's.
        let own = text.split("# Everything below shows the default").next().unwrap();
        all.push_str(&format!("\n--- {file}\n{own}"));
    }
    let vault = test.path("mine/group_vars/wod/vault.yml");
    let encrypted = std::fs::read_to_string(&vault).unwrap();
    assert!(encrypted.starts_with("$ANSIBLE_VAULT;1.1;AES256\n"), "{encrypted}");
    let passwords = if test.path("pw").exists() { "pw" } else { "mine.vault-password" };
    let view = ["vault", "view", "--vault-password-file", passwords, "mine/group_vars/wod/vault.yml"];
    let (secrets, status) = test.with(&view).output();
    assert_eq!(status, Some(0), "{secrets}");
    all.push_str("\n--- group_vars/wod/vault.yml\n");
    for line in secrets.lines() {
        match line.split_once(": ") {
            Some((name, value)) => all.push_str(&format!("{name}: {} letters\n", value.trim_matches('"').len())),
            None => all.push_str(&format!("{line}\n")),
        }
    }
    fixtures::compare(&fixtures::dir("cli/init").join(format!("{name}.txt")), &all);
    for (file, mode) in [("mine.vault-password", 0o600), ("mine/group_vars/wod/vault.yml", 0o600)] {
        let about = std::fs::metadata(test.path(file)).unwrap();
        assert_eq!(about.permissions().mode() & 0o777, mode, "{file}");
    }
    let site = Path::new(HERE).join("playbooks/site.yml");
    let (said, status) = test.with(&["check", "mine", site.to_str().unwrap()]).output();
    assert!(said.ends_with(": nothing wrong\n"), "{said}");
    assert_eq!(status, Some(0));
    test
}

#[test]
fn three_machines() {
    let test = written("three-machines", &["-b", "hub.example.org", "-f", "www.example.org", "-a", "api.example.org"]);
    let main = std::fs::read_to_string(test.path("mine/group_vars/wod/main.yml")).unwrap();
    for word in ["# wod_user_max: 100", "# wod_git_base:"] {
        assert!(main.contains(word), "the example lacks `{word}`, or what is taken of it has moved:\n{main}");
    }
    assert!(!main.contains("Secrets are generated into a folder"), "{main}");
    // Another one has other secrets, and nothing is written over.
    let (said, status) = test.with(&["init", "mine/", "-b", "x", "-f", "x", "-a", "x"]).output();
    assert_eq!((said.as_str(), status), ("error: mine is there already; init writes new ones only\n", Some(1)));
}

/// Whatever a role would generate is in the vault, as long as there, so that nothing secret is made beside it.
#[test]
fn the_vault_holds_all_that_roles_generate() {
    let mut generated = Vec::new();
    for role in std::fs::read_dir(Path::new(HERE).join("roles")).unwrap() {
        let defaults = std::fs::read_to_string(role.unwrap().path().join("defaults/main.yml")).unwrap_or_default();
        for line in defaults.lines().filter(|line| line.contains("lookup('ansible.builtin.password'")) {
            let (name, lookup) = line.split_once(": ").unwrap();
            let (_, length) = lookup.split_once("length=").unwrap();
            generated.push(format!("{name}: {} letters", length.split(',').next().unwrap()));
        }
    }
    let record = std::fs::read_to_string(fixtures::dir("cli/init").join("three-machines.txt")).unwrap();
    let (_, vault) = record.split_once("--- group_vars/wod/vault.yml\n").unwrap();
    let mut held: Vec<&str> = vault.lines().filter(|line| !line.starts_with('#')).collect();
    generated.sort();
    held.sort();
    assert_eq!(held, generated);
}

#[test]
fn all_letters_of_install_sh() {
    written(
        "letters",
        &[
            "-b",
            "hub.lan:8010:https",
            "-j",
            "hub.example.org:443:https",
            "-n",
            "2",
            "-f",
            "www.lan:8080",
            "-w",
            "wod.example.org:443:https",
            "-a",
            "api.lan:8022",
            "-e",
            "api.example.org",
            "-g",
            "staging",
            "-i",
            "203.0.113.7",
            "-u",
            "wod",
            "-s",
            "wod@example.org",
            "-p",
            "10026",
            "-c",
            "--address",
            "hub.lan=192.0.2.1",
            "--address",
            "api.lan=fd00::2",
            "--login",
            "admin",
            "--students",
            "3000",
        ],
    );
}

#[test]
fn all_in_one() {
    written("all-in-one", &["--all-in-one", "-b", "wod.example.org", "--address", "wod.example.org=192.0.2.1"]);
}

#[test]
fn several_backends() {
    let list = "hub1.lan:8010,hub2.lan:8020:https";
    let outside = "hub1.example.org:8010,hub2.example.org";
    written("several-backends", &["-b", list, "-j", outside, "-f", "www.lan", "-a", "www.lan"]);
}

#[test]
fn all_that_is_missing_is_named() {
    let expected = "\
error: there is no terminal to ask on; give these options as well:
  -b, --backend NAME    the machine of the hub; several with commas between
  -f, --frontend NAME   the machine of the site
  -a, --api NAME        the machine of the API and its database
";
    Test::new().args(["init"]).stdout("").stderr(expected).status(1);
    let expected = "\
error: there is no terminal to ask on; give these options as well:
  -b, --backend NAME    the machine of the hub; several with commas between
";
    Test::new().args(["init", "--all-in-one"]).stdout("").stderr(expected).status(1);
}

#[test]
fn what_does_not_fit_is_named_at_once() {
    let expected = "\
error: two services on hub have the port 8000
-j names 1 backends, and -b names 2
-n: the ranks of several backends follow from their order in -b
--address: no machine is called `other`
";
    let names = ["-b", "hub,hub2", "-j", "outside", "-f", "hub:8000", "-a", "api", "-n", "2"];
    Test::new()
        .args(["init"].iter().chain(&names).copied())
        .args(["--address", "other=192.0.2.1"])
        .stdout("")
        .stderr(expected)
        .status(1);
}

#[test]
fn letters_without_a_meaning_say_what_to_do() {
    let expected = "\
error: -t backend: an inventory names the machines of all types: leave it out, and name them by -b, -f and -a. \
`wodctl apply --limit wod_backend` applies one type only
-k: new keys are made by `wodctl apply FOLDER playbooks/rotate.yml -e wod_rotate=ssh-keys`
";
    Test::new().args(["init", "-t", "backend", "-k", "-b", "hub"]).stdout("").stderr(expected).status(1);
}

#[test]
fn questions() {
    let answers = [
        ("The machine of the hub (several with commas between): ", "two words\n"),
        ("The machine of the hub (several with commas between): ", "hub.lan\n"),
        ("The machine of the site [hub.lan]: ", "www.lan\n"),
        ("The machine of the API and its database [hub.lan]: ", "\n"),
        ("The address of hub.lan [its name is in DNS]: ", "192.0.2.1\n"),
        ("The address of www.lan [its name is in DNS]: ", "\n"),
        ("Who logs in to the machines [as ssh has it]: ", "root\n"),
        ("Students on each backend [100]: ", "20\n"),
    ];
    let test = Test::new().file("pw", "given\n");
    let typed = test.typed(&["init", "--vault-password-file", "pw"], &answers);
    assert_eq!(typed.status, Some(0), "{}", typed.output);
    assert!(
        typed.output.contains("wodctl check inventories/production --vault-password-file pw\n"),
        "{}",
        typed.output
    );
    assert!(!test.path("inventories/production.vault-password").exists());
    let main = std::fs::read_to_string(test.path("inventories/production/group_vars/wod/main.yml")).unwrap();
    for line in ["ansible_user: root", "  - address: 192.0.2.1\n    names: [hub.lan]", "wod_user_max: 20"] {
        assert!(main.contains(line), "{main}");
    }
}
