//! Usage, help, completions, manual.

use super::Test;

#[test]
fn wrong_usage_ends_with_1() {
    Test::new()
        .args(["aply"])
        .stdout("")
        .stderr(
            "error: unrecognized subcommand 'aply'\n\n  tip: a similar subcommand exists: 'apply'\n\nUsage: wodctl <COMMAND>\n\nFor more information, try '--help'.\n",
        )
        .status(1);
}

#[test]
fn the_version() {
    let version = format!("wodctl {}\n", env!("CARGO_PKG_VERSION"));
    Test::new().args(["--version"]).stdout(&version).success();
}

#[test]
fn help_lists_the_exit_codes() {
    let help = Test::new().args(["--help"]).success();
    for line in ["  2  at least one host failed", "  4  at least one host was unreachable", "130  interrupted"] {
        assert!(help.contains(line), "{help}");
    }
}

#[test]
fn completions_for_each_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = Test::new().args(["completions", shell]).success();
        assert!(script.contains("wodctl"), "{shell}");
    }
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    assert!(Test::new().args(["man"]).success().contains(".TH wodctl 1"));
    assert!(Test::new().args(["man", "completions"]).success().contains(".TH wodctl-completions 1"));
    let unknown = Test::new().args(["man", "aply"]).stdout("");
    unknown.status(1);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::{Command, Stdio};
    let mut child = Command::new(env!("CARGO_BIN_EXE_wodctl"))
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}
