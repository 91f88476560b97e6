//! Starts this same program as another user, through `sudo`, `su` or `doas`.
#![expect(clippy::disallowed_methods, reason = "starts the agent as another user, before there is a machine to ask")]

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};

use crate::protocol::Become;
use crate::system::random;

/// Becoming another user takes no longer (a directory server may be slow).
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts an agent as another user; what it says behind its marker. The error says why it cannot be, for the user.
pub fn start(identity: &Become) -> Result<(Started, impl Read + Send + use<>), String> {
    if !matches!(identity.method.as_str(), "sudo" | "su" | "doas") {
        return Err(format!("become method `{}` is not supported: use sudo, su or doas", identity.method));
    }
    let needs_terminal = identity.method == "doas" && identity.password.is_some();
    match Attempt::new(identity, needs_terminal)?.finish() {
        Err(Refusal { wants_terminal: true, .. }) if !needs_terminal => Attempt::new(identity, true)?.finish(),
        done => done,
    }
    .map_err(|refusal| refusal.why)
}

/// A child that has said its marker.
pub struct Started {
    /// The program that became the user.
    pub process: Child,
    /// Its standard input.
    pub input: ChildStdin,
    /// Its standard error.
    pub errors: OwnedFd,
    /// Its terminal, where it needed one: it lives as long as this end is open.
    pub terminal: Option<OwnedFd>,
}

/// Why a user could not be become.
struct Refusal {
    why: String,
    wants_terminal: bool,
}

impl From<String> for Refusal {
    fn from(why: String) -> Self {
        Refusal { why, wants_terminal: false }
    }
}

/// A program that is asking for a password, or about to become the child.
struct Attempt<'a> {
    identity: &'a Become,
    started: Started,
    output: OwnedFd,
    marker: String,
    prompt: String,
    /// What was printed on standard output, on standard error, and on the terminal.
    heard: [Vec<u8>; 3],
    given: bool,
    closed: [bool; 3],
    /// A copy of the program, not needed any more once it runs or will not.
    _copy: Option<tempfile::TempDir>,
}

impl<'a> Attempt<'a> {
    fn new(identity: &'a Become, with_terminal: bool) -> Result<Self, String> {
        let marker = marker().map_err(|error| format!("cannot become {}: {error}", identity.user))?;
        let prompt = if identity.method == "sudo" { format!("[{marker}] password: ") } else { "assword:".to_owned() };
        let (program, copy) = own_program(&identity.user)
            .map_err(|error| format!("cannot start an agent as {}: {error}", identity.user))?;
        let argv = argv(identity, &prompt, &marker, &program.to_string_lossy());
        let mut command = Command::new(&argv[0]);
        command.args(&argv[1..]).env("LC_ALL", "C").env_remove("LANGUAGE");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let terminal = match with_terminal {
            true => Some(give_terminal(&mut command).map_err(|error| format!("cannot open a terminal: {error}"))?),
            false => {
                command.process_group(0);
                None
            }
        };
        let mut process = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => format!(
                "there is no `{}` on this host to become {}: install it, log in as root, or set become_method",
                argv[0], identity.user
            ),
            _ => format!("cannot start {}: {error}", argv[0]),
        })?;
        crate::system::process::is_started(process.id());
        // The command holds the other end of the terminal.
        drop(command);
        let (Some(input), Some(output), Some(errors)) =
            (process.stdin.take(), process.stdout.take(), process.stderr.take())
        else {
            return Err(format!("cannot talk to {}", argv[0]));
        };
        let started = Started { process, input, errors: errors.into(), terminal };
        let (heard, closed) = Default::default();
        Ok(Attempt {
            identity,
            started,
            output: output.into(),
            marker,
            prompt,
            heard,
            given: false,
            closed,
            _copy: copy,
        })
    }

    /// Waits for the marker, and gives the password when it is asked for; what the child says behind the marker.
    fn finish(mut self) -> Result<(Started, impl Read + Send + use<>), Refusal> {
        let until = Instant::now() + PATIENCE;
        let line = format!("{}\n", self.marker);
        loop {
            let open = self.listen(until);
            if let Some(at) = find(&self.heard[0], line.as_bytes()) {
                let rest = self.heard[0].split_off(at + line.len());
                for fd in [&self.output, &self.started.errors] {
                    rustix::io::ioctl_fionbio(fd, false).map_err(|error| error.to_string())?;
                }
                return Ok((self.started, io::Cursor::new(rest).chain(File::from(self.output))));
            }
            if let Err(refusal) = self.answer_prompts() {
                self.kill();
                return Err(refusal);
            }
            if !open {
                let _ = self.started.process.wait();
                return Err(self.refusal());
            }
            if Instant::now() >= until {
                self.kill();
                let Become { method, .. } = self.identity;
                return Err(
                    format!("{method} on this host did not answer within {} seconds", PATIENCE.as_secs()).into()
                );
            }
        }
    }

    /// Reads what is there; whether the program can still say its marker.
    fn listen(&mut self, until: Instant) -> bool {
        let left = until.saturating_duration_since(Instant::now());
        let left = rustix::time::Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos() as _ };
        let sources = [Some(&self.output), Some(&self.started.errors), self.started.terminal.as_ref()];
        let sources: Vec<(usize, &OwnedFd)> = (0..).zip(sources).filter_map(|(at, fd)| Some((at, fd?))).collect();
        let open = sources.iter().filter(|(at, _)| !self.closed[*at]);
        let mut fds: Vec<PollFd> = open.map(|(_, fd)| PollFd::new(*fd, PollFlags::IN)).collect();
        let _ = poll(&mut fds, Some(&left));
        for (at, fd) in sources {
            let mut buffer = [0; 4096];
            while !self.closed[at] {
                match rustix::io::ioctl_fionbio(fd, true).and_then(|()| rustix::io::read(fd, &mut buffer)) {
                    Ok(got @ 1..) => self.heard[at].extend_from_slice(&buffer[..got]),
                    Err(rustix::io::Errno::INTR) => {}
                    Err(rustix::io::Errno::AGAIN) => break,
                    // The end; a terminal that nobody holds any more answers with an error.
                    Ok(0) | Err(_) => self.closed[at] = true,
                }
            }
        }
        !self.closed[0]
    }

    /// Gives the password at the first prompt. A second prompt says that it was wrong.
    fn answer_prompts(&mut self) -> Result<(), Refusal> {
        let prompts = self.heard[1..].iter().map(|heard| count(heard, self.prompt.as_bytes())).sum::<usize>();
        match (prompts, self.given, &self.identity.password) {
            (0, ..) | (1, true, _) => Ok(()),
            (_, _, None) => Err(self.asks().into()),
            (_, true, _) => Err(self.wrong().into()),
            (_, false, Some(password)) => {
                self.given = true;
                let line = format!("{password}\n");
                let written = match &self.started.terminal {
                    Some(terminal) if self.identity.method == "doas" => {
                        rustix::io::write(terminal, line.as_bytes()).map(drop).map_err(io::Error::from)
                    }
                    _ => self.started.input.write_all(line.as_bytes()),
                };
                written.map_err(|error| format!("cannot give the password: {error}").into())
            }
        }
    }

    fn kill(&mut self) {
        let _ = self.started.process.kill();
        let _ = self.started.process.wait();
    }

    fn asks(&self) -> String {
        format!(
            "{} on this host asks for a password: give -K/--ask-become-pass or ansible_become_password",
            self.identity.method
        )
    }

    fn wrong(&self) -> String {
        let Become { method, user, .. } = self.identity;
        format!("{method} on this host refuses the password to become {user}: it is wrong")
    }

    /// What the program's last words mean.
    fn refusal(&self) -> Refusal {
        let all: Vec<u8> = self.heard.concat();
        let text = String::from_utf8_lossy(&all).replace(&self.prompt, "");
        let says = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
        let Become { method, user, .. } = self.identity;
        let why = match () {
            () if says(&["password is required", "Authentication required", "Authorization required"]) => self.asks(),
            () if self.given
                && says(&["incorrect password", "try again", "Authentication fail", "Authorization fail"]) =>
            {
                self.wrong()
            }
            () => format!("{method} on this host does not let us become {user}: {}", text.trim()),
        };
        Refusal { why, wants_terminal: says(&["have a tty", "no tty present", "a terminal is required"]) }
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

fn count(text: &[u8], part: &[u8]) -> usize {
    text.windows(part.len()).filter(|window| *window == part).count()
}

fn marker() -> io::Result<String> {
    Ok(format!("wodctl-{}", random::name()?))
}

/// The words that start the child.
fn argv(identity: &Become, prompt: &str, marker: &str, program: &str) -> Vec<String> {
    let locale = std::env::var("LC_ALL").unwrap_or_default();
    let agent = [program, "agent", "--child", marker, "--locale", &locale];
    let own = |text: &str| text.to_owned();
    let has_password = identity.password.is_some();
    let flags = match (&identity.flags, identity.method.as_str()) {
        (Some(flags), _) => flags.clone(),
        (None, "sudo") => own("-H -S -n"),
        (None, "doas") => own("-n"),
        (None, _) => String::new(),
    };
    // Who may be asked for a password must not be told that nobody answers.
    let flags = flags.split_whitespace().filter(|flag| !(has_password && matches!(*flag, "-n" | "--non-interactive")));
    let mut argv = vec![identity.exe.clone().unwrap_or_else(|| identity.method.clone())];
    argv.extend(flags.map(own));
    match identity.method.as_str() {
        "sudo" => {
            if has_password && !argv.iter().any(|flag| flag == "-S" || flag == "--stdin") {
                argv.push(own("-S"));
            }
            argv.extend(["-p", prompt, "-u", &identity.user].map(own));
            argv.extend(agent.map(own));
        }
        "su" => {
            let quoted = agent.map(|word| format!("'{}'", word.replace('\'', r"'\''")));
            argv.extend([identity.user.clone(), own("-c"), format!("exec {}", quoted.join(" "))]);
        }
        _ => {
            argv.extend(["-u", &identity.user].map(own));
            argv.extend(agent.map(own));
        }
    }
    argv
}

/// This program's file, where `user` can execute it. Where only we can, a copy is made, which lasts until the child runs.
fn own_program(user: &str) -> io::Result<(PathBuf, Option<tempfile::TempDir>)> {
    let own = fs::read_link("/proc/self/exe")?;
    if matches!(user, "root" | "0") {
        // A home that root cannot read (on a network) still lets root execute what a process runs.
        let id = std::process::id();
        return Ok(if own.exists() { (own, None) } else { (format!("/proc/{id}/exe").into(), None) });
    }
    let for_all = |path: &Path| fs::metadata(path).is_ok_and(|meta| meta.mode() & 0o001 != 0);
    if own.ancestors().all(for_all) {
        return Ok((own, None));
    }
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for place in ["/var/tmp", "/tmp", "/dev/shm"] {
        let copy = || {
            let dir = tempfile::Builder::new().prefix(".wodctl-").tempdir_in(place)?;
            let path = dir.path().join("agent");
            fs::copy("/proc/self/exe", &path)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
            fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711))?;
            // Not on a file system without execution.
            let mut trial = Command::new(&path);
            trial.args(["agent", "--locale", ""]).stdin(Stdio::null()).stdout(Stdio::null());
            if trial.status()?.success() { Ok((path, Some(dir))) } else { Err(io::Error::other("it does not run")) }
        };
        match copy() {
            Ok(copied) => return Ok(copied),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Gives a program a terminal of its own, beside the pipes that it reads and writes; our end of it.
fn give_terminal(command: &mut Command) -> io::Result<OwnedFd> {
    use rustix::fs::{Mode, OFlags};
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let name = ptsname(&ours, Vec::new())?;
    let theirs = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
    let prepare = move || {
        rustix::process::setsid()?;
        Ok(rustix::process::ioctl_tiocsctty(&theirs)?)
    };
    // SAFETY: it only makes system calls.
    unsafe { command.pre_exec(prepare) };
    Ok(ours)
}

/// A child is started under `LC_ALL=C`, so that the messages of `sudo` can be read. What it then starts is spoken to as
/// the parent would.
pub fn restore_locale(value: &str) {
    // SAFETY: the first thing that the program does; there are no other threads yet.
    match value {
        "" => unsafe { std::env::remove_var("LC_ALL") },
        value => unsafe { std::env::set_var("LC_ALL", value) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(method: &str, password: Option<&str>) -> Become {
        let password = password.map(str::to_owned);
        Become { method: method.into(), user: "root".into(), exe: None, flags: None, password }
    }

    #[test]
    fn words_of_each_method() {
        let line = |identity: &Become| {
            argv(identity, "P:", "M", "/a").join(" ").replace(&std::env::var("LC_ALL").unwrap_or_default(), "")
        };
        assert_eq!(line(&identity("sudo", None)), "sudo -H -S -n -p P: -u root /a agent --child M --locale ");
        assert_eq!(line(&identity("sudo", Some("x"))), "sudo -H -S -p P: -u root /a agent --child M --locale ");
        let own = Become { flags: Some("-i".into()), ..identity("sudo", Some("x")) };
        assert!(line(&own).starts_with("sudo -i -S -p"));
        assert!(line(&identity("su", None)).starts_with("su root -c exec '/a' 'agent' '--child' 'M'"));
        assert!(line(&identity("doas", None)).starts_with("doas -n -u root /a agent"));
    }

    /// Runs a script in the place of sudo; it gets the prompt as `$1` and the marker as `$2`.
    fn attempt(script: &str, password: Option<&str>) -> Result<String, String> {
        let dir = tempfile::tempdir().unwrap();
        let exe = dir.path().join("sudo");
        let head =
            "#!/bin/sh\nfor word; do case $last in -p) prompt=$word;; --child) marker=$word;; esac; last=$word; done\n";
        fs::write(&exe, format!("{head}{script}\n")).unwrap();
        fs::set_permissions(&exe, fs::Permissions::from_mode(0o755)).unwrap();
        let identity = Become { exe: Some(exe.display().to_string()), ..identity("sudo", password) };
        let (mut started, mut output) = Attempt::new(&identity, false)?.finish().map_err(|refusal| refusal.why)?;
        drop(started.input);
        let mut text = String::new();
        output.read_to_string(&mut text).unwrap();
        started.process.wait().unwrap();
        Ok(text)
    }

    const ASK: &str = "printf '%s' \"$prompt\" >&2; read given; ";

    #[test]
    fn passwords_are_given_only_when_they_are_asked_for() {
        let rest = "echo noise; echo $marker; cat; echo behind";
        assert_eq!(attempt(rest, Some("secret")).unwrap(), "behind\n", "nothing read it");
        assert_eq!(attempt(&format!("{ASK} [ \"$given\" = secret ] && {rest}"), Some("secret")).unwrap(), "behind\n");
    }

    #[test]
    fn refusals_say_what_to_do() {
        let twice = format!("{ASK} echo Sorry, try again. >&2; {ASK}");
        assert!(attempt(&twice, Some("bad")).unwrap_err().contains("it is wrong"));
        assert!(attempt(ASK, None).unwrap_err().contains("give -K/--ask-become-pass or ansible_become_password"));
        let strict = "echo 'sudo: a password is required' >&2; exit 1";
        assert!(attempt(strict, None).unwrap_err().contains("give -K"));
        let refused = "echo 'ops is not in the sudoers file.' >&2; exit 1";
        assert!(attempt(refused, Some("x")).unwrap_err().ends_with("become root: ops is not in the sudoers file."));
        let missing = Become { exe: Some("no-such-sudo".into()), ..identity("sudo", None) };
        assert!(Attempt::new(&missing, false).err().unwrap().contains("there is no `no-such-sudo` on this host"));
    }
}
