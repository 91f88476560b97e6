//! Every dependency has a licence that fits ours, comes from the public registry, and builds with the Rust that `Cargo.toml` names.

use std::process::Command;

use serde_json::Value;

/// What cargo knows of the packages that a build for this machine takes, ours among them.
fn packages() -> Vec<Value> {
    let cargo = std::env::var_os("CARGO").expect("cargo runs the tests");
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--locked", "--offline"])
        .args(["--filter-platform", &target()])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    serde_json::from_value(metadata["packages"].take()).expect("a list of packages")
}

/// The machine's own target, `x86_64-unknown-linux-gnu`.
fn target() -> String {
    let output = Command::new("rustc").arg("-vV").output().expect("rustc starts");
    let text = String::from_utf8(output.stdout).expect("rustc prints text");
    text.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host").to_owned()
}

#[test]
fn licences_fit() {
    let allowed = allowed(include_str!("../deny.toml"));
    for package in packages() {
        let licence = package["license"].as_str().unwrap_or("none");
        assert!(fits(licence, &allowed), "{}: licence {licence} is not among those of deny.toml", package["name"]);
    }
}

#[test]
fn they_come_from_the_registry() {
    for package in packages() {
        let source = package["source"].as_str().unwrap_or_default();
        let ours = package["name"] == env!("CARGO_PKG_NAME");
        assert!(ours || source.starts_with("registry+"), "{}: from {source}", package["name"]);
    }
}

#[test]
fn rust_version_is_enough_for_all() {
    let ours = version(env!("CARGO_PKG_RUST_VERSION"));
    for package in packages() {
        let theirs = package["rust_version"].as_str().unwrap_or("1.0");
        assert!(version(theirs) <= ours, "{} needs Rust {theirs}, more than Cargo.toml says", package["name"]);
    }
}

fn version(text: &str) -> Vec<u32> {
    text.split('.').map(|part| part.parse().expect("a version is of numbers")).collect()
}

/// The quoted texts of the list `allow`.
fn allowed(deny: &str) -> Vec<&str> {
    let list =
        deny.split_once("allow = [").and_then(|(_, rest)| rest.split_once(']')).expect("deny.toml allows licences");
    list.0.lines().filter_map(|line| line.trim().strip_prefix('"')?.split_once('"')).map(|(name, _)| name).collect()
}

/// Whether an SPDX expression can be met: one side of `OR`, both of `AND`, which binds tighter.
fn fits(expression: &str, allowed: &[&str]) -> bool {
    // Old manifests say `MIT/Apache-2.0`.
    let expression = expression.replace('/', " OR ");
    if let Some((open, close)) = parentheses(&expression) {
        let inner = if fits(&expression[open + 1..close], allowed) { allowed[0] } else { "none" };
        return fits(&format!("{}{inner}{}", &expression[..open], &expression[close + 1..]), allowed);
    }
    expression.split(" OR ").any(|side| side.split(" AND ").all(|name| allowed.contains(&name.trim())))
}

/// The innermost first pair.
fn parentheses(expression: &str) -> Option<(usize, usize)> {
    let close = expression.find(')')?;
    Some((expression[..close].rfind('(')?, close))
}

#[test]
fn expressions_are_understood() {
    let allowed = ["MIT", "ISC"];
    for good in
        ["MIT", "GPL-3.0 OR MIT", "GPL-3.0/MIT", "(MIT OR GPL-3.0) AND ISC", "MIT AND (GPL-3.0 OR (ISC AND MIT))"]
    {
        assert!(fits(good, &allowed), "{good}");
    }
    for bad in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND GPL-3.0", "MIT-0"] {
        assert!(!fits(bad, &allowed), "{bad}");
    }
}
