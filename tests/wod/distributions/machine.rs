//! A machine as its distribution installs it, in memory: it has facts and repositories, and nothing of ours.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use wodctl::system::fake::Fake;
use wodctl::system::{Blob, Command, Digest, Identity, Output, Stat, System};
use wodctl::transport::Blobs;
use wodctl::transport::blobs::Place;

use super::sources::Recording;

/// What every one of them has.
const FOLDERS: [&str; 11] = [
    "/etc/cron.d",
    "/etc/security",
    "/etc/sudoers.d",
    "/etc/sysctl.d",
    "/etc/systemd/system",
    "/home",
    "/opt",
    "/usr/local/bin",
    "/usr/local/lib",
    "/usr/local/share",
    "/var/lib",
];

/// A machine that only answers.
#[derive(Clone)]
pub struct Recorded {
    fake: Fake,
    /// Names in its repositories.
    offers: BTreeSet<String>,
    blobs: Blobs,
    /// Whom a step is for.
    pub identity: Identity,
}

impl Recorded {
    /// A machine of this distribution, with these names in its repositories.
    pub fn new(recording: &Recording, offers: BTreeSet<String>, blobs: Blobs) -> Self {
        let is_debian = recording.facts.get("ansible_os_family").is_some_and(|family| family == "Debian");
        let files = recording.files.iter();
        let fake = files.fold(Fake::new(), |fake, (path, content)| fake.file(path, content));
        let identity = fake.identity();
        let tools: &[&str] = match is_debian {
            true => &["apt-get", "apt-cache", "dpkg", "dpkg-query"],
            false => &["dnf", "rpm"],
        };
        let common = ["sh", "systemctl", "useradd", "usermod", "groupadd", "getent"];
        let mut fake = common.iter().chain(tools).fold(fake, |fake, tool| fake.program(tool));
        for folder in FOLDERS {
            fake = fake.dir(folder);
        }
        fake = fake.file("/etc/hosts", "127.0.0.1 localhost\n").file("/etc/security/limits.conf", "").file(
            "/etc/nsswitch.conf",
            "passwd:         files systemd\nshadow:         files systemd\ngroup:          files systemd\n",
        );
        fake = match is_debian {
            true => fake.file("/var/lib/dpkg/status", "").dir("/etc/apt/apt.conf.d"),
            false => fake.dir("/etc/yum.repos.d"),
        };
        Recorded { fake, offers, blobs, identity }
    }

    fn missing<'a>(&self, names: &[&'a String]) -> Vec<&'a str> {
        names.iter().map(|name| name.as_str()).filter(|name| !self.offers.contains(*name)).collect()
    }

    fn apt_get(&self, words: &[String]) -> Output {
        let names: Vec<&String> =
            words.iter().skip_while(|word| *word != "install").skip(1).filter(|word| !word.starts_with('-')).collect();
        if let Some(name) = self.missing(&names).first() {
            return answer(100, "", &format!("E: Unable to locate package {name}\n"));
        }
        let lines: String = names.iter().map(|name| format!("Inst {name} (1 recorded [all])\n")).collect();
        answer(0, &lines, "")
    }

    fn dnf(&self, words: &[String]) -> Output {
        let names: Vec<&String> =
            words.iter().skip_while(|word| *word != "install").skip(1).filter(|word| !word.starts_with('-')).collect();
        let missing = self.missing(&names);
        if !missing.is_empty() {
            return answer(1, "", &format!("Error: Unable to find a match: {}\n", missing.join(" ")));
        }
        let rows: String = names.iter().map(|name| format!(" {name} noarch 1 recorded 1 k\n")).collect();
        answer(1, &format!("Installing:\n{rows}\nTransaction Summary\n"), "Operation aborted.\n")
    }
}

fn answer(rc: i32, stdout: &str, stderr: &str) -> Output {
    Output { rc, stdout: stdout.into(), stderr: stderr.into(), ..Output::default() }
}

impl System for Recorded {
    fn stat(&self, path: &Path, follow: bool) -> io::Result<Option<Stat>> {
        self.fake.stat(path, follow)
    }

    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        self.fake.read(path)
    }

    fn list(&self, path: &Path) -> io::Result<Option<Vec<std::ffi::OsString>>> {
        self.fake.list(path)
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        self.fake.read_link(path)
    }

    fn hash(&self, path: &Path) -> io::Result<Option<[u8; 32]>> {
        self.fake.hash(path)
    }

    fn digest(&self, path: &Path, algorithm: Digest) -> io::Result<Option<String>> {
        self.fake.digest(path, algorithm)
    }

    fn which(&self, program: &str) -> Option<PathBuf> {
        self.fake.which(program)
    }

    /// The package manager knows its repositories; there are no units of ours yet.
    fn query(&self, command: &Command) -> io::Result<Output> {
        let words: Vec<&str> = command.argv.iter().map(String::as_str).collect();
        Ok(match words.as_slice() {
            ["apt-get", "-s", ..] => self.apt_get(&command.argv),
            ["apt-cache", "pkgnames"] => {
                answer(0, &self.offers.iter().map(|name| format!("{name}\n")).collect::<String>(), "")
            }
            ["apt-cache", .., name] if self.offers.contains(*name) => answer(0, &format!("Package: {name}\n"), ""),
            ["apt-cache", ..] => answer(100, "", "E: No packages found\n"),
            ["dnf", ..] => self.dnf(&command.argv),
            ["rpm", "-qa", ..] => answer(0, "rpm\t0\t4\t1\tx86_64\n", ""),
            ["rpm", ..] => answer(1, "", ""),
            ["systemctl", "show", ..] => answer(0, "LoadState=not-found\nActiveState=inactive\n", ""),
            ["systemctl", ..] => answer(1, "not-found\n", ""),
            ["getent", ..] => answer(2, "", ""),
            _ => {
                return Err(io::Error::new(
                    io::ErrorKind::NotFound,
                    format!("nobody recorded what `{}` answers", words.join(" ")),
                ));
            }
        })
    }

    fn content(&self, blob: &Blob) -> io::Result<Vec<u8>> {
        match self.blobs.place(&blob.hash) {
            Some(Place::Memory(bytes)) => Ok(bytes.to_vec()),
            Some(Place::File(path)) => std::fs::read(path),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn identity(&self) -> Identity {
        self.identity.clone()
    }

    fn env(&self, name: &str) -> Option<String> {
        self.fake.env(name)
    }

    fn environment(&self) -> Vec<(String, String)> {
        self.fake.environment()
    }

    fn now(&self) -> f64 {
        self.fake.now()
    }
}
