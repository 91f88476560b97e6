//! Hazard 15: what upstream has as a default for a secret, anybody can read. None of these is in the content here, and
//! two inventories have no secret in common.

use std::collections::HashSet;
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::fixtures;
use crate::lab;

/// The SHA-256 sums of upstream's defaults: of the database, the API's accounts, the hub, the vaults, the directory, and
/// of what sessions are signed with.
const PUBLIC: [&str; 10] = [
    "0caf286bebe6f19037e2e272046a7ef85616c1348db1e9bb55eb1c91d33f5deb",
    "157dcca5fe115376bd18ec0d1525fed2b0cfcb38ff530bedcc7d43c412ce6ecd",
    "1f5e34ddfa43bb6dbd9256d5980d12ab31a73c3ae8143c2f50a4e3e13fbc4ccc",
    "4031aa73e580a398ad5227b9f252c341547b7135108cf9f07f4886bbca7ee146",
    "48b46597a0456581474debee39a669819f4bf3a27e3d91009e0add51295ea211",
    "8626e285fc59273d5760170ac30f1fc5522a78b5b99c9e6046b0ea9e5ea49ad9",
    "ae7ec2de64fb8e46721064ad0270cd3c350ef504107af6633943519e2ba07ac1",
    "b3fb5354f6d6370ed455b43ad36b0b03c3aa0834e279a97a29a75dffed4eccb0",
    "ce57ca9c291876147d4746c8ba918732a71b9db01c67efd66117a7ad39d69f31",
    "f666a161c2cfe436e2671cc4e1ff892743f9637da9f42ea3efa3cad1f04a9fed",
];

#[test]
fn no_public_constant() {
    let mut seen: HashSet<String> = HashSet::new();
    for folder in ["roles", "playbooks", "inventories"] {
        for entry in walkdir::WalkDir::new(fixtures::dir("..").join(folder)) {
            let entry = entry.unwrap();
            let Ok(text) = std::fs::read_to_string(entry.path()) else { continue };
            for word in text.split(|letter: char| letter.is_whitespace() || "\"'`".contains(letter)) {
                if word.len() < 12 || !seen.insert(word.to_owned()) {
                    continue;
                }
                let sum: String = Sha256::digest(word).iter().map(|byte| format!("{byte:02x}")).collect();
                assert!(!PUBLIC.contains(&sum.as_str()), "{}: `{word}` is public", entry.path().display());
            }
        }
    }
    assert!(seen.len() > 1000, "only {} words were looked at", seen.len());
}

#[test]
fn secrets_of_two_inventories_differ() {
    let folder = tempfile::tempdir().unwrap();
    let mut seen = HashSet::new();
    for name in ["one", "two"] {
        let inventory = folder.path().join(name);
        std::fs::create_dir(&inventory).unwrap();
        std::fs::write(inventory.join("inventory.yml"), "wod: {children: {wod_api_db: {hosts: {api: }}}}\n").unwrap();
        for secret in
            ["db_password", "api_moderator_password", "api_admin_password", "jwt_secret", "hub_token", "vault_password"]
        {
            let mut command = Command::new(lab::wodctl());
            command.arg("vars").arg(&inventory).args(["api", &format!("wod_{secret}"), "--playbook"]);
            let output = command.arg(fixtures::dir("../playbooks/site.yml")).output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            let (_, value) = text.lines().next().and_then(|line| line.split_once(": ")).unwrap_or_default();
            assert!(value.len() >= 32, "{text}{}", String::from_utf8_lossy(&output.stderr));
            assert!(seen.insert(value.to_owned()), "{secret} is the same twice: {value}");
        }
    }
}
