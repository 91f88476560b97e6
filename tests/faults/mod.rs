//! What remains of a first run that died: nothing half-written, nothing running, and one more run ends as if nothing had
//! happened. wodctl is killed, or a machine's network is cut, after so many results.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::fixtures;
use crate::lab::{self, Lab};

/// As many results are waited for; a run has about forty.
const POINTS: [usize; 6] = [0, 3, 9, 16, 25, 33];

/// What the playbook makes is gone.
const UNDO: &str = "systemctl disable --now -q fault 2>/dev/null; crontab -r -u fault 2>/dev/null; userdel fault \
    2>/dev/null; groupdel fault 2>/dev/null; rm -rf /srv/fault /etc/systemd/system/fault.service; sed -i /fault/d \
    /etc/hosts; dpkg --purge tree >/dev/null 2>&1; systemctl daemon-reload; true";

/// All that the playbook is about, as it stands now.
const STATE: &str = "getent passwd fault; getent group fault; find /srv/fault /etc/systemd/system/fault.service \
    -printf '%p %y %m %U %G\\n' | sort; find /srv/fault -type f ! -name page.copy | sort | xargs sha256sum; grep fault \
    /etc/hosts; crontab -l -u fault; systemctl is-active fault; systemctl is-enabled fault; dpkg-query -W tree; true";

/// Nothing of ours runs, and no temporary file lies about.
const LEFT: &str = "for i in $(seq 50); do pgrep -f 'agent-[0-9a-z_-]* agent' >/dev/null || break; sleep 0.2; done; \
    pgrep -af 'agent-[0-9a-z_-]* agent'; find /etc /srv /home /root /var/tmp /tmp -xdev -name '.*.wodctl-*' 2>/dev/null";

#[test]
fn killed_runs_converge() {
    let Some(lab) = Lab::find() else { return };
    let site = Site::new(&lab);
    let undisturbed = site.undisturbed();
    for point in POINTS {
        site.undo();
        let mut run = site.start();
        read_results(&mut run, point);
        run.kill().unwrap();
        run.wait().unwrap();
        site.converges(&undisturbed, &format!("killed after {point} results"));
    }
}

#[test]
fn cut_off_machines_converge() {
    let Some(lab) = Lab::find() else { return };
    let Some(program) = lab.program() else { return };
    let site = Site::new(&lab);
    let undisturbed = site.undisturbed();
    let of_lab = |verb: &str| {
        let status = Command::new(&program).args([verb, "api-db"]).stdout(Stdio::null()).status().unwrap();
        assert!(status.success(), "lab {verb}");
    };
    for point in [1, 12, 27] {
        site.undo();
        let mut run = site.start();
        read_results(&mut run, point);
        of_lab("cut");
        std::thread::sleep(Duration::from_secs(1));
        run.kill().unwrap();
        run.wait().unwrap();
        of_lab("heal");
        site.converges(&undisturbed, &format!("cut off after {point} results"));
    }
}

/// The playbook in a folder of its own, with a large file.
struct Site<'a> {
    lab: &'a Lab,
    folder: tempfile::TempDir,
}

impl<'a> Site<'a> {
    fn new(lab: &'a Lab) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        };
        for name in ["site.yml", "templates/page.j2"] {
            put(name, &std::fs::read(fixtures::dir("faults").join(name)).unwrap());
        }
        let big: Vec<u8> = (0..24_000_000_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        put("files/big.bin", &big);
        put("inventory/lab.yml", &std::fs::read(&lab.inventory).unwrap());
        put("inventory/group.yml", b"lab: {hosts: {backend: {}, api-db: {}, frontend: {}}}\n");
        Site { lab, folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn start(&self) -> Child {
        let mut command = Command::new(lab::wodctl());
        command.arg("apply").arg(self.path().join("inventory")).arg(self.path().join("site.yml"));
        command.args(["--output", "json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs it to its end; how much it changed, on all machines.
    fn run(&self) -> u64 {
        let output = self.start().wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        let recap = last["recap"].as_object().unwrap();
        recap.values().map(|counters| counters["changed"].as_u64().unwrap()).sum()
    }

    fn undo(&self) {
        for name in self.lab.names() {
            self.lab.root(name, UNDO);
        }
    }

    fn state(&self) -> Vec<String> {
        self.lab.names().map(|name| self.lab.root(name, STATE)).into()
    }

    fn undisturbed(&self) -> Vec<String> {
        self.undo();
        assert!(self.run() > 0);
        self.state()
    }

    /// Nothing is left over, one more run ends in the very state that an undisturbed one does, and a further one has
    /// nothing to do.
    fn converges(&self, undisturbed: &[String], what: &str) {
        for name in self.lab.names() {
            assert_eq!(self.lab.root(name, LEFT), "", "{what}: left on {name}");
        }
        self.run();
        let state = self.state();
        for (found, expected) in state.iter().zip(undisturbed) {
            assert_eq!(found, expected, "{what}");
        }
        assert_eq!(self.run(), 0, "{what}: the third run changes something");
    }
}

/// Reads events until so many results have come.
fn read_results(run: &mut Child, wanted: usize) {
    let mut lines = BufReader::new(run.stdout.as_mut().unwrap()).lines();
    let begun = Instant::now();
    let mut found = 0;
    while found < wanted && begun.elapsed() < Duration::from_secs(120) {
        let Some(Ok(line)) = lines.next() else { return };
        found += usize::from(line.starts_with("{\"event\":\"result\""));
    }
}
