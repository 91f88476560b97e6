//! The agent on the target is this very binary: how it gets there and how it is started.
#![expect(clippy::disallowed_methods, reason = "this program is its own agent")]

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::Digest;

/// Agents that can be pushed.
#[derive(Clone, Debug, Default)]
pub struct Agents {
    /// Folders to look in besides this program itself: `--agents`, then the data folders.
    pub folders: Vec<PathBuf>,
}

/// A binary to push. Clones share what was read and packed.
#[derive(Clone, Debug)]
pub struct Binary(Arc<File>);

#[derive(Debug)]
struct File {
    bytes: Vec<u8>,
    packed: OnceLock<Vec<u8>>,
    elf: Option<Elf>,
    hash: String,
    sha256: String,
}

/// How the bytes of a binary travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// The target can unpack them.
    Gzip,
    /// As they are.
    None,
}

/// What an ELF header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Elf {
    machine: u16,
    is_static: bool,
}

/// ELF's numbers of machine types and what `uname -m` calls them.
const MACHINES: &[(u16, &[&str])] = &[
    (62, &["x86_64", "amd64"]),
    (183, &["aarch64", "arm64"]),
    (243, &["riscv64"]),
    (21, &["ppc64le"]),
    (22, &["s390x"]),
    (40, &["armv7l", "armv6l", "armv8l"]),
    (3, &["i686", "i586", "i386"]),
];

impl Agents {
    /// This program itself: the first candidate.
    pub fn own(&self) -> Result<Binary, String> {
        static OWN: OnceLock<Result<Binary, String>> = OnceLock::new();
        OWN.get_or_init(|| {
            let exe = std::env::current_exe().map_err(|error| format!("cannot find this program's file: {error}"))?;
            Binary::read(&exe)
        })
        .clone()
    }

    /// The binary for a machine type as `uname -m` names it: this one or one of the folders', static if there is one.
    pub fn for_machine(&self, machine: &str) -> Result<Binary, String> {
        let own = self.own()?;
        let wanted = MACHINES.iter().find(|(_, names)| names.contains(&machine)).map(|(number, _)| *number);
        let fits = |binary: &Binary| binary.0.elf.filter(|header| Some(header.machine) == wanted);
        if fits(&own).is_some_and(|header| header.is_static) {
            return Ok(own);
        }
        let mut dynamic = fits(&own).map(|_| own);
        for folder in &self.folders {
            for name in [format!("wodctl-{machine}"), "wodctl".to_owned()] {
                let Ok(binary) = Binary::read(&folder.join(name)) else { continue };
                match fits(&binary) {
                    Some(header) if header.is_static => return Ok(binary),
                    Some(_) => dynamic = dynamic.or(Some(binary)),
                    None => {}
                }
            }
        }
        dynamic.ok_or_else(|| {
            format!(
                "the host is of type {machine} and there is no agent for it: build one with `cargo build --release \
                 --target {machine}-unknown-linux-musl`, name it wodctl-{machine} and give its folder with --agents"
            )
        })
    }
}

impl Binary {
    /// Reads each file once, however many hosts it goes to.
    fn read(path: &Path) -> Result<Binary, String> {
        static READ: Mutex<Option<HashMap<PathBuf, Binary>>> = Mutex::new(None);
        let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
        let read = read.get_or_insert_default();
        if let Some(known) = read.get(path) {
            return Ok(known.clone());
        }
        let bytes = std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let binary = Binary::of(bytes);
        read.insert(path.to_owned(), binary.clone());
        Ok(binary)
    }

    fn of(bytes: Vec<u8>) -> Binary {
        let hash = blake3::hash(&bytes).to_hex()[..24].to_owned();
        let sha256 = sha2::Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Binary(Arc::new(File { elf: elf(&bytes), packed: OnceLock::new(), bytes, hash, sha256 }))
    }

    /// Its name on the target. Hosts of several machine types may share a home folder.
    pub fn name(&self) -> String {
        format!("agent-{}-{}", self.machine(), self.0.hash)
    }

    fn machine(&self) -> &'static str {
        let found = MACHINES.iter().find(|(number, _)| self.0.elf.is_some_and(|header| header.machine == *number));
        found.map_or("any", |(_, names)| names[0])
    }

    /// The bytes that travel. Packing takes a moment the first time.
    pub fn bytes(&self, packing: Packing) -> &[u8] {
        match packing {
            Packing::None => &self.0.bytes,
            Packing::Gzip => self.0.packed.get_or_init(|| {
                let mut packer = GzEncoder::new(Vec::new(), Compression::default());
                packer.write_all(&self.0.bytes).and_then(|()| packer.finish()).expect("memory takes what is written")
            }),
        }
    }
}

/// Reads an ELF header (64 or 32 bit, either byte order); `None` for anything else.
fn elf(bytes: &[u8]) -> Option<Elf> {
    if bytes.get(..4)? != b"\x7fELF" {
        return None;
    }
    let wide = *bytes.get(4)? == 2;
    let little = *bytes.get(5)? == 1;
    let number = |offset: usize, size: usize| -> Option<u64> {
        let raw = bytes.get(offset..offset.checked_add(size)?)?;
        let fold = |sum: u64, byte: &u8| (sum << 8) | u64::from(*byte);
        Some(if little { raw.iter().rev().fold(0, fold) } else { raw.iter().fold(0, fold) })
    };
    let machine = number(18, 2)? as u16;
    let (table, size, count) = if wide {
        (number(32, 8)?, number(54, 2)?, number(56, 2)?)
    } else {
        (number(28, 4)?, number(42, 2)?, number(44, 2)?)
    };
    // A program that names an interpreter needs the target's own loader and libraries.
    const INTERPRETER: u64 = 3;
    let at = |index: u64| table.checked_add(index * size).and_then(|offset| number(offset as usize, 4));
    Some(Elf { machine, is_static: !(0..count).any(|index| at(index) == Some(INTERPRETER)) })
}

/// The folders of the target that may hold the agent, best first, as words of a shell; `$u` is the user's id.
const FOLDERS: &str =
    r#""$HOME/.cache/wodctl" "/var/tmp/.wodctl-$u" "${XDG_RUNTIME_DIR:-/run/user/$u}/wodctl" "/tmp/.wodctl-$u""#;

// Both commands must mean the same to every login shell (csh and fish too): one line, one pair of single quotes, and no
// exclamation mark between them, which csh would take for its history.

/// The command that starts an agent that is there already, or says `MARKER need MACHINE`, and `gzip` if that is there.
pub fn start(marker: &str, binary: &Binary) -> String {
    let name = binary.name();
    // The home folder comes first without asking for the user's id, because each process costs a millisecond.
    format!(
        "exec sh -c '\
         t() {{ a=\"$1/{name}\"; if [ -h \"$1\" ]; then return; fi; \
         if [ -O \"$1\" ] && [ -O \"$a\" ] && [ -x \"$a\" ]; then echo {marker} run; exec \"$a\" agent; fi; }}; \
         t \"$HOME/.cache/wodctl\"; u=$(id -u); for d in {FOLDERS}; do t \"$d\"; done; \
         echo {marker} need $(uname -m) $(command -v gzip >/dev/null 2>&1 && echo gzip)'"
    )
}

/// The command that receives an agent on its standard input, checks it, and starts it. It prints `MARKER run`, or
/// `MARKER nowhere` (no folder can hold and execute a file), `MARKER full` (it did not fit) or `MARKER damaged`.
pub fn push(marker: &str, binary: &Binary, packing: Packing) -> String {
    let (name, machine, sha256) = (binary.name(), binary.machine(), &binary.0.sha256);
    let (size, blocks) = (binary.bytes(packing).len(), binary.0.bytes.len() / 1024 + 1);
    let unpack = if packing == Packing::Gzip { "| gzip -dc" } else { "" };
    // A folder is used if it is our own, closed to others, has room, and what lies in it may be executed. Older agents
    // go.
    format!(
        "exec sh -c '\
         m=$(umask); umask 077; u=$(id -u); f=; s=nowhere; for d in {FOLDERS}; do \
         if [ -h \"$d\" ]; then continue; fi; \
         mkdir -p \"$d\" 2>/dev/null && chmod 700 \"$d\" 2>/dev/null && [ -O \"$d\" ] || continue; \
         set -- $(df -Pk \"$d\" 2>/dev/null | tail -n 1); \
         if [ \"${{4:-{blocks}}}\" -lt {blocks} ]; then s=full; continue; fi; \
         p=\"$d/.try-$$\"; cp /bin/true \"$p\" 2>/dev/null && chmod 700 \"$p\" && \"$p\" 2>/dev/null && f=1; \
         rm -f \"$p\"; if [ -n \"$f\" ]; then break; fi; done; \
         if [ -z \"$f\" ]; then echo {marker} $s; exit 1; fi; \
         p=\"$d/.push-$$\"; trap \"rm -f $p\" HUP INT TERM; \
         head -c {size} {unpack} > \"$p\" 2>/dev/null || {{ rm -f \"$p\"; echo {marker} full; exit 1; }}; \
         case \"$(sha256sum \"$p\")\" in {sha256}*) ;; *) rm -f \"$p\"; echo {marker} damaged; exit 1;; esac; \
         rm -f \"$d\"/agent-{machine}-*; chmod 700 \"$p\"; mv \"$p\" \"$d/{name}\"; \
         umask $m; echo {marker} run; exec \"$d/{name}\" agent'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_mean_the_same_to_every_shell() {
        let binary = Binary::of(vec![0; 10]);
        for command in [start("m", &binary), push("m", &binary, Packing::Gzip), push("m", &binary, Packing::None)] {
            assert!(!command.contains(['!', '\n']), "{command}");
            assert_eq!(command.matches('\'').count(), 2, "{command}");
        }
    }

    /// What a command prints that gets some bytes; its home is `home`.
    fn run(command: &str, input: &[u8], home: &Path) -> String {
        use std::process::{Command, Stdio};
        let mut shell = Command::new("sh")
            .args(["-c", command])
            .env("HOME", home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that has found its agent reads nothing.
        let _ = shell.stdin.take().unwrap().write_all(input);
        String::from_utf8(shell.wait_with_output().unwrap().stdout).unwrap()
    }

    /// What the steps of a first run make must not be closed to others because the agent's folder is.
    #[test]
    fn the_agent_has_the_mask_of_the_login() {
        for packing in [Packing::None, Packing::Gzip] {
            let home = tempfile::tempdir().unwrap();
            let binary = Binary::of(b"#!/bin/sh\numask\n".to_vec());
            let command = format!("umask 027; {}", push("m", &binary, packing));
            assert_eq!(run(&command, binary.bytes(packing), home.path()), "m run\n0027\n");
        }
    }

    #[test]
    fn an_agent_is_pushed_once_and_older_ones_go() {
        let home = tempfile::tempdir().unwrap();
        let agents = || {
            let mut names: Vec<_> = std::fs::read_dir(home.path().join(".cache/wodctl")).unwrap().collect();
            names.pop().map(|name| name.unwrap().file_name().into_string().unwrap()).filter(|_| names.is_empty())
        };
        for version in ["1", "2"] {
            let binary = Binary::of(format!("#!/bin/sh\necho {version}\n").into_bytes());
            let asked = run(&start("m", &binary), b"", home.path());
            assert!(asked.starts_with("m need ") && asked.ends_with(" gzip\n"), "{asked}");
            let bytes = binary.bytes(Packing::Gzip);
            assert_eq!(run(&push("m", &binary, Packing::Gzip), bytes, home.path()), format!("m run\n{version}\n"));
            assert_eq!(run(&start("m", &binary), b"", home.path()), format!("m run\n{version}\n"));
            assert_eq!(agents(), Some(binary.name()));
        }
    }

    #[test]
    fn own_binary_is_recognised() {
        let own = std::fs::read(std::env::current_exe().expect("a test has a file")).expect("and can read it");
        assert!(elf(&own).is_some());
        assert_eq!(elf(b"#!/bin/sh"), None);
    }
}
