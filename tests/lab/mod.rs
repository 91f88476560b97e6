//! Real machines: those of `tests/lab`, as its `lab.env` names them.
//!
//! A test that lacks them skips, saying so; where `WODCTL_REQUIRE` lists `lab` that is a failure.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The machines that are up.
pub struct Lab {
    ssh_config: PathBuf,
    /// The inventory that the lab has written.
    pub inventory: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

/// One test at a time works on the machines.
static MACHINES: Mutex<()> = Mutex::new(());

/// Whether a test may go on without `what` (`lab`, `net`, `ansible`): prints that it skips, or fails.
pub fn skip(what: &str, why: &str) {
    let required = std::env::var("WODCTL_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|name| name == what), "{why}, and WODCTL_REQUIRE names {what}");
    eprintln!("skipped: {why}");
}

impl Lab {
    /// The lab, if it is up.
    pub fn find() -> Option<Lab> {
        let var = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.exists());
        match (var("LAB_SSH_CONFIG"), var("LAB_INVENTORY")) {
            (Some(ssh_config), Some(inventory)) => {
                let alone = MACHINES.lock().unwrap_or_else(PoisonError::into_inner);
                Some(Lab { ssh_config, inventory, _alone: alone })
            }
            _ => {
                skip("lab", "no lab machines are up (tests/lab/lab up, then load its lab.env)");
                None
            }
        }
    }

    /// The names of the machines.
    pub fn names(&self) -> [&'static str; 3] {
        ["backend", "api-db", "frontend"]
    }

    /// The program that made the machines, for what it alone can do (to cut one off the network). Needs root.
    pub fn program(&self) -> Option<PathBuf> {
        let is_root = rustix::process::geteuid().is_root();
        if !is_root || std::env::var_os("WODCTL_LAB_DIR").is_none() {
            skip("lab", "the lab's machines are not this user's to cut off");
            return None;
        }
        Some(crate::fixtures::dir("lab").join("lab"))
    }

    /// Runs a shell script on a machine as root, by plain ssh; what it printed.
    pub fn root(&self, name: &str, script: &str) -> String {
        let mut ssh = Command::new("ssh");
        let output = ssh.arg("-F").arg(&self.ssh_config).arg(format!("root@{name}")).arg(script).output();
        text(&output.expect("ssh can be run"), name)
    }
}

fn text(output: &Output, whose: &str) -> String {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{whose}: {complaint}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The binary that is tested on machines: a static one where `tests/run` has built it.
pub fn wodctl() -> PathBuf {
    std::env::var_os("WODCTL_TEST_BIN").map_or_else(|| env!("CARGO_BIN_EXE_wodctl").into(), PathBuf::from)
}

/// A program of Ansible's, if it is to be had.
pub fn ansible(program: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("WODCTL_TEST_ANSIBLE").map(PathBuf::from);
    let found = folder.map(|folder| folder.join(program)).filter(|path| path.exists());
    if found.is_none() {
        skip("ansible", "WODCTL_TEST_ANSIBLE names no folder with Ansible's programs");
    }
    found
}
