//! SSH by the user's own OpenSSH: a master that we start, and channels over it without a process each.
#![expect(clippy::disallowed_methods, reason = "starts ssh and keeps its control socket")]

use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use openssh::Session;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::sync::Semaphore;

use super::bootstrap::{self, Agents, Binary, Packing};
use super::session::{Outbox, await_marker, pump};
use super::{Blobs, Inbox, SessionId, Target};
use crate::protocol::{self, ToAgent};
use crate::system::random;

/// Connects, brings the agent there if it is not there yet, and moves frames until either end closes.
pub async fn run(
    id: SessionId,
    target: &Target,
    outbox: &mut Outbox,
    inbox: &Inbox,
    blobs: Blobs,
    agents: Agents,
    opening: &Semaphore,
) -> Result<(), String> {
    let own = agents.own()?;
    let permit = opening.acquire().await.map_err(|error| error.to_string())?;
    let master = Master::start(target).await?;
    drop(permit);
    let marker = marker()?;
    let mut channel = Channel::open(&master.session, &bootstrap::start(&marker, &own)).await?;
    // Frames do not wait for the answer: where the agent is there already, that saves a round trip.
    let mut early = Vec::new();
    let mut answer = channel.marker(&marker, outbox, &mut early).await?;
    if let Some(need) = answer.strip_prefix("need ") {
        let (machine, packing) = match need.strip_suffix(" gzip") {
            Some(machine) => (machine, Packing::Gzip),
            None => (need, Packing::None),
        };
        let binary = agent_for(agents, machine.to_owned(), packing).await?;
        if binary.name() != own.name() {
            // One for another machine type may have been pushed by an earlier run.
            channel = Channel::open(&master.session, &bootstrap::start(&marker, &binary)).await?;
            answer = await_marker(&mut channel.output, &marker).await?;
        }
        if answer != "run" {
            channel = Channel::open(&master.session, &bootstrap::push(&marker, &binary, packing)).await?;
            answer = channel.push(binary.bytes(packing), &marker).await?;
        }
        if answer == "run" {
            channel.say(&early).await?;
        }
    }
    drop(early);
    let ended = match answer.as_str() {
        "run" => pump(id, outbox, inbox, blobs, &mut channel.output, channel.input).await,
        "nowhere" => Err("no folder of the login user can hold and execute the agent: tried ~/.cache/wodctl, \
                          /var/tmp, the run-time folder and /tmp; make one of them writable and not noexec"
            .to_owned()),
        "full" => Err("the agent could not be stored: the disk is full".to_owned()),
        other => Err(format!("the agent arrived damaged ({other})")),
    };
    drop(channel.child);
    master.close().await;
    ended
}

/// The agent for a machine type, packed. Other hosts go on meanwhile.
async fn agent_for(agents: Agents, machine: String, packing: Packing) -> Result<Binary, String> {
    let work = move || {
        let binary = agents.for_machine(&machine)?;
        binary.bytes(packing);
        Ok(binary)
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())?
}

/// A login shell takes no longer until it starts what it was asked to.
const LOGIN: Duration = Duration::from_secs(60);

/// A text that no login shell prints by itself.
fn marker() -> Result<String, String> {
    Ok(format!("wodctl-{}", random::name().map_err(|error| error.to_string())?))
}

/// A command that runs on the host.
struct Channel {
    child: openssh::Child<Arc<Session>>,
    input: openssh::ChildStdin,
    output: BufReader<openssh::ChildStdout>,
}

impl Channel {
    async fn open(session: &Arc<Session>, command: &str) -> Result<Channel, String> {
        let mut command = session.clone().arc_raw_command(command);
        command.stdin(openssh::Stdio::piped()).stdout(openssh::Stdio::piped()).stderr(openssh::Stdio::null());
        let mut child = command.spawn().await.map_err(|error| format!("cannot start a command: {error}"))?;
        match (child.stdin().take(), child.stdout().take()) {
            (Some(input), Some(output)) => Ok(Channel { child, input, output: BufReader::new(output) }),
            _ => Err("cannot talk to the host".to_owned()),
        }
    }

    /// Waits for the marker, and sends meanwhile what is ready. `early` receives it, should it have to be said again.
    async fn marker(&mut self, marker: &str, outbox: &mut Outbox, early: &mut Vec<ToAgent>) -> Result<String, String> {
        let (input, output) = (&mut self.input, &mut self.output);
        let answer = await_marker(output, marker);
        let over = tokio::time::sleep(LOGIN);
        tokio::pin!(answer, over);
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => return answer.map_err(|printed| match printed.as_str() {
                    "" => "the login shell started nothing: is the account allowed to run commands?".to_owned(),
                    printed => format!("the login shell started nothing, it printed: {printed}"),
                }),
                () = &mut over => {
                    let limit = LOGIN.as_secs();
                    return Err(format!("the login shell has not started anything for {limit} seconds"));
                }
                Some(message) = outbox.recv() => {
                    let begun = early.len();
                    early.push(message);
                    while let Ok(next) = outbox.try_recv() {
                        early.push(next);
                    }
                    write_all(input, &early[begun..]).await?;
                }
            }
        }
    }

    /// Says again what went to the shell that had no agent.
    async fn say(&mut self, early: &[ToAgent]) -> Result<(), String> {
        write_all(&mut self.input, early).await
    }

    /// Sends the agent's bytes, then waits for the verdict. An early verdict (a full disk) ends the sending.
    async fn push(&mut self, bytes: &[u8], marker: &str) -> Result<String, String> {
        let (input, output) = (&mut self.input, &mut self.output);
        let send = async {
            // An error here is the far end having closed: the verdict says why.
            let _ = input.write_all(bytes).await;
            let _ = input.flush().await;
            std::future::pending::<()>().await
        };
        tokio::select! {
            answer = await_marker(output, marker) => answer,
            () = send => unreachable!("it never ends"),
        }
    }
}

/// Writes messages. A far end that has gone is noticed by whoever reads from it; what cannot be sent at all is an error, as
/// nobody would answer it.
async fn write_all(input: &mut openssh::ChildStdin, messages: &[ToAgent]) -> Result<(), String> {
    let mut bytes = Vec::new();
    for message in messages {
        bytes.extend(protocol::encode(message).map_err(|error| error.to_string())?);
    }
    let _ = input.write_all(&bytes).await;
    let _ = input.flush().await;
    Ok(())
}

/// A master connection.
struct Master {
    session: Arc<Session>,
    folder: PathBuf,
}

impl Master {
    async fn start(target: &Target) -> Result<Master, String> {
        let folder = control_folder()?;
        let (socket, log) = (folder.join("s"), folder.join("log"));
        let askpass = match &target.password {
            Some(password) => Some(Askpass::new(&folder, password)?),
            None => None,
        };
        let mut ssh = tokio::process::Command::new("ssh");
        ssh.args(words(target, &socket, &log)).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(askpass) = &askpass {
            askpass.equip(&mut ssh);
        }
        // It goes into the background once the login has succeeded, so waiting for it is waiting for that.
        let status = ssh.status().await.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "there is no `ssh` on this machine: install the OpenSSH client".to_owned(),
            _ => format!("cannot run ssh: {error}"),
        });
        let failed = match status {
            Ok(status) if status.success() => None,
            Ok(_) => Some(explain(&std::fs::read_to_string(&log).unwrap_or_default(), target)),
            Err(why) => Some(why),
        };
        if let Some(why) = failed {
            let _ = std::fs::remove_dir_all(&folder);
            return Err(why);
        }
        let session = Arc::new(Session::resume_mux(socket.into(), Some(log.into())));
        Ok(Master { session, folder })
    }

    async fn close(self) {
        // Other holders (a channel that is still closing) would keep it; then ControlPersist ends it.
        if let Ok(session) = Arc::try_unwrap(self.session) {
            let _ = session.close().await;
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The arguments for the master.
fn words(target: &Target, socket: &Path, log: &Path) -> Vec<std::ffi::OsString> {
    let mut words: Vec<std::ffi::OsString> = ["-f", "-N", "-M", "-S"].map(Into::into).into();
    words.push(socket.into());
    words.extend(["-E".into(), log.into()]);
    let mut option = |text: String| words.extend(["-o".into(), text.into()]);
    // Should we be killed, the master goes by itself.
    option("ControlPersist=15".into());
    option(format!("ConnectTimeout={}", target.timeout));
    option("ServerAliveInterval=15".into());
    option("ServerAliveCountMax=4".into());
    if !target.check_host_key {
        option("StrictHostKeyChecking=no".into());
        option("UserKnownHostsFile=/dev/null".into());
    }
    match target.password {
        Some(_) => option("NumberOfPasswordPrompts=1".into()),
        // With it, a key that is not known is refused and not asked about, unless the user's own settings accept it.
        None => option("BatchMode=yes".into()),
    }
    if let Some(key) = &target.key {
        option("IdentitiesOnly=yes".into());
        words.extend(["-i".into(), key.into()]);
    }
    if let Some(port) = target.port {
        words.extend(["-p".into(), port.to_string().into()]);
    }
    if let Some(user) = &target.user {
        words.extend(["-l".into(), user.into()]);
    }
    words.extend(target.arguments.iter().map(Into::into));
    if target.check_host_key && target.password.is_some() {
        // Behind the user's arguments, which win. Where nobody is to be asked for a password, BatchMode refuses.
        words.extend(["-o".into(), "StrictHostKeyChecking=yes".into()]);
    }
    words.extend(["--".into(), target.address.clone().into()]);
    words
}

/// A folder of our own for one master's socket. Short: a socket's path has 108 bytes at most.
fn control_folder() -> Result<PathBuf, String> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let uid = rustix::process::getuid().as_raw();
    let base = match std::env::var_os("XDG_RUNTIME_DIR") {
        Some(folder) if folder.len() < 60 && Path::new(&folder).is_dir() => PathBuf::from(folder).join("wodctl"),
        _ => PathBuf::from(format!("/tmp/wodctl-{uid}")),
    };
    let make = |path: &Path| std::fs::DirBuilder::new().mode(0o700).create(path);
    let trouble = |path: &Path, error: std::io::Error| format!("cannot make the folder {}: {error}", path.display());
    match make(&base) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(trouble(&base, error)),
        _ => {}
    }
    let meta = base.symlink_metadata().map_err(|error| trouble(&base, error))?;
    if !meta.is_dir() || meta.uid() != uid || meta.mode() & 0o077 != 0 {
        return Err(format!("{} is not a folder of yours alone: remove it", base.display()));
    }
    let folder = base.join(format!("{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed)));
    let _ = std::fs::remove_dir_all(&folder);
    make(&folder).map_err(|error| trouble(&folder, error))?;
    Ok(folder)
}

/// A password for ssh, which asks this program for it (`SSH_ASKPASS`); the password itself is in the environment of that
/// one ssh process only, because ssh offers no other way.
struct Askpass<'a> {
    helper: PathBuf,
    password: &'a str,
}

impl<'a> Askpass<'a> {
    fn new(folder: &Path, password: &'a str) -> Result<Self, String> {
        use std::os::unix::fs::OpenOptionsExt;
        let helper = folder.join("askpass");
        let write = || {
            use std::io::Write;
            let mut options = std::fs::OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(0o700).open(&helper)?;
            file.write_all(b"#!/bin/sh\nprintf '%s\\n' \"$WODCTL_ASKPASS\"\n")
        };
        write().map_err(|error| format!("cannot write {}: {error}", helper.display()))?;
        Ok(Askpass { helper, password })
    }

    fn equip(&self, ssh: &mut tokio::process::Command) {
        ssh.env("SSH_ASKPASS", &self.helper)
            .env("SSH_ASKPASS_REQUIRE", "force")
            .env("DISPLAY", std::env::var("DISPLAY").unwrap_or_else(|_| ":0".into()))
            .env("WODCTL_ASKPASS", self.password);
    }
}

/// What ssh's complaint means and what to do about it.
fn explain(log: &str, target: &Target) -> String {
    let lines: Vec<&str> = log.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines.last().copied().unwrap_or("ssh ended without a word");
    let address = &target.address;
    let has = |text: &str| log.contains(text);
    if has("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        return format!(
            "the host key of {address} is not the one that is known: somebody may be listening in, or the machine was \
             reinstalled; if so, remove the old key with `ssh-keygen -R {address}`"
        );
    }
    if has("Host key verification failed") {
        return format!(
            "the host key of {address} is not known: connect once by `ssh {address}` and compare it, or add it to \
             known_hosts"
        );
    }
    if has("Permission denied") {
        let user = target.user.as_deref().map_or_else(String::new, |user| format!(" as {user}"));
        let hint = match target.password {
            Some(_) => "the password is wrong or passwords are not allowed",
            None => "no key was accepted: give --private-key, or -k for a password",
        };
        return format!("login{user} was refused by {address} ({hint}); ssh says: {last}");
    }
    format!("cannot connect to {address}: {last}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target { address: "db1".into(), check_host_key: true, timeout: 10, ..Target::default() }
    }

    #[test]
    fn complaints_are_explained() {
        let said = explain("deploy@db1: Permission denied (publickey,password).\n", &target());
        assert!(said.contains("login was refused by db1 (no key was accepted"), "{said}");
        let said = explain("ssh: connect to host db1 port 22: Connection refused\r\n", &target());
        assert_eq!(said, "cannot connect to db1: ssh: connect to host db1 port 22: Connection refused");
        assert!(explain("Host key verification failed.\n", &target()).contains("is not known"));
    }

    #[test]
    fn further_arguments_stand_before_the_address() {
        let target = Target { arguments: vec!["-F".into(), "conf".into()], port: Some(2222), ..target() };
        let words = words(&target, Path::new("/s"), Path::new("/l"));
        let tail: Vec<_> = words.iter().rev().take(6).rev().map(|word| word.to_string_lossy()).collect();
        assert_eq!(tail, ["-p", "2222", "-F", "conf", "--", "db1"]);
    }
}
