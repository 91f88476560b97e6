//! Starts programs of the real machine and sees them to their end.
#![expect(clippy::disallowed_methods, reason = "part of the real machine: runs programs")]

mod tree;

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal};

use self::tree::Tree;
pub use self::tree::{adopt_orphans, is_started};
use super::local::Credentials;
use super::{Command, IN_MEMORY, Output, Stream};

/// The programs that run at the moment, so that they can be ended when the connection ends.
#[derive(Default)]
pub struct Running(Mutex<Groups>);

#[derive(Default)]
struct Groups {
    stopped: bool,
    /// The programs, and whether each is left to finish.
    programs: Vec<(Tree, bool)>,
}

impl Running {
    /// Ends all programs but those that must not be ended half-way; no other will start.
    pub fn stop(&self) {
        let mut groups = self.lock();
        groups.stopped = true;
        for (tree, _) in groups.programs.iter().filter(|(_, drain)| !drain) {
            tree.signal(Signal::TERM);
        }
    }

    /// Whether it was stopped.
    pub fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    /// Whether something runs that must not be ended half-way.
    pub fn drains(&self) -> bool {
        self.lock().programs.iter().any(|(_, drain)| *drain)
    }

    fn start(&self, command: &mut std::process::Command, drain: bool) -> io::Result<(Child, Tree)> {
        let mut groups = self.lock();
        if groups.stopped {
            return Err(io::Error::new(ErrorKind::Interrupted, "stopped: the connection to the controller has ended"));
        }
        let earlier = tree::orphans();
        let child = command.spawn()?;
        let tree = Tree::of(child.id(), earlier);
        groups.programs.push((tree.clone(), drain));
        Ok((child, tree))
    }

    fn ended(&self, tree: &Tree) {
        let mut groups = self.lock();
        groups.programs.retain(|(known, _)| known != tree);
        tree.ended();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Groups> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A program that is about to be started.
pub struct Launch<'a> {
    /// As it was asked for.
    pub command: &'a Command,
    /// Its file.
    pub program: PathBuf,
    /// Variables to set, or to remove.
    pub environment: Vec<(String, Option<String>)>,
    /// Its working directory, if not the process's own.
    pub cwd: Option<PathBuf>,
    /// Keeps that directory.
    pub held: Option<OwnedFd>,
    /// Its ids, if not the thread's own.
    pub credentials: Option<Credentials>,
    /// When its time is over at the latest.
    pub deadline: Option<Instant>,
}

/// After its time is over, a program has this long to end by itself.
const GRACE: Duration = Duration::from_secs(2);
/// A program that has ended may have left others that hold its output: what they say is waited for this long.
const ECHO: Duration = Duration::from_millis(100);

impl Launch<'_> {
    /// Runs it to its end. When its time is over it is ended with all that it has started.
    pub fn run(self, running: &Running, live: &mut dyn FnMut(Stream, &[u8])) -> io::Result<Output> {
        let started = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let clock = Instant::now();
        let begun = running.start(&mut self.prepare(), self.command.drain)?;
        let mut watched = Watched::new(begun, self.command, self.deadline, running)?;
        let status = watched.see_to_the_end(live)?;
        let (stdout, cut) = watched.stdout.take();
        let (mut stderr, cut_too) = watched.stderr.take();
        stderr.extend([cut, cut_too].concat().into_bytes());
        Ok(Output {
            argv: Vec::new(),
            rc: status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1),
            stdout,
            stderr,
            started: started as i128,
            elapsed: clock.elapsed().as_nanos() as u64,
            timed_out: watched.timed_out,
            planned: false,
            refused: None,
        })
    }

    fn prepare(&self) -> std::process::Command {
        let mut command = std::process::Command::new(&self.program);
        command.arg0(&self.command.argv[0]).args(&self.command.argv[1..]).process_group(0);
        for (name, value) in &self.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(cwd) = &self.cwd {
            command.current_dir(cwd);
        }
        command.stdin(if self.command.stdin.is_empty() { Stdio::null() } else { Stdio::piped() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let umask = self.command.umask;
        let become_it = self.credentials.as_ref().map(Credentials::ready);
        if umask.is_some() || become_it.is_some() {
            let prepare = move || {
                if let Some(mask) = umask {
                    rustix::process::umask(rustix::fs::Mode::from_raw_mode(mask));
                }
                become_it.as_ref().map_or(Ok(()), |become_it| become_it().map_err(io::Error::from))
            };
            // SAFETY: it only makes system calls and allocates nothing.
            unsafe { command.pre_exec(prepare) };
        }
        command
    }
}

/// One of a program's outputs.
struct Pipe {
    source: Option<OwnedFd>,
    bytes: Vec<u8>,
    /// So much more was printed than is kept.
    dropped: u64,
    stream: Stream,
}

struct Watched<'a> {
    child: Child,
    tree: Tree,
    running: &'a Running,
    pidfd: Option<OwnedFd>,
    stdin: Option<(OwnedFd, &'a [u8])>,
    stdout: Pipe,
    stderr: Pipe,
    deadline: Option<Instant>,
    /// It was told to end: from now on it is killed.
    kill_at: Option<Instant>,
    timed_out: bool,
    drain: bool,
    reaped: bool,
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        if !self.reaped {
            self.tree.signal(Signal::KILL);
            let _ = self.child.wait();
        }
        self.running.ended(&self.tree);
    }
}

impl<'a> Watched<'a> {
    fn new(
        (mut child, tree): (Child, Tree),
        command: &'a Command,
        deadline: Option<Instant>,
        running: &'a Running,
    ) -> io::Result<Self> {
        let pipe = |source: Option<OwnedFd>, stream| Pipe { source, bytes: Vec::new(), dropped: 0, stream };
        let stdin = child.stdin.take().map(|pipe| (OwnedFd::from(pipe), &command.stdin[..]));
        let stdout = pipe(child.stdout.take().map(OwnedFd::from), Stream::Stdout);
        let stderr = pipe(child.stderr.take().map(OwnedFd::from), Stream::Stderr);
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let pidfd = pid.and_then(|pid| rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok());
        let own = command.timeout.map(|timeout| Instant::now() + timeout);
        let deadline = own.into_iter().chain(deadline).min();
        let watched = Watched {
            child,
            tree,
            running,
            pidfd,
            stdin,
            stdout,
            stderr,
            deadline,
            kill_at: None,
            timed_out: false,
            drain: command.drain,
            reaped: false,
        };
        let stdin = watched.stdin.as_ref().map(|(fd, _)| fd);
        for fd in [stdin, watched.stdout.source.as_ref(), watched.stderr.source.as_ref()].into_iter().flatten() {
            rustix::io::ioctl_fionbio(fd, true)?;
        }
        Ok(watched)
    }

    fn see_to_the_end(&mut self, live: &mut dyn FnMut(Stream, &[u8])) -> io::Result<ExitStatus> {
        let mut ended: Option<(ExitStatus, Instant)> = None;
        loop {
            self.wait(ended.is_some())?;
            self.feed();
            let read = self.stdout.read(live) | self.stderr.read(live);
            if ended.is_none() {
                ended = self.child.try_wait()?.map(|status| (status, Instant::now()));
                self.reaped = ended.is_some();
            }
            let closed = self.stdout.source.is_none() && self.stderr.source.is_none();
            match ended {
                Some((status, _)) if self.kill_at.is_some() || self.is_to_end() => {
                    self.finish_off();
                    return Ok(status);
                }
                Some((status, since)) if closed || (!read && since.elapsed() >= ECHO) => return Ok(status),
                Some((status, since)) if since.elapsed() >= 10 * ECHO => return Ok(status),
                Some(_) => {}
                None => self.end_in_time(),
            }
        }
    }

    /// Until something happens.
    fn wait(&self, ended: bool) -> io::Result<()> {
        let mut fds = Vec::with_capacity(4);
        for pipe in [&self.stdout, &self.stderr] {
            fds.extend(pipe.source.as_ref().map(|fd| PollFd::new(fd, PollFlags::IN)));
        }
        fds.extend(self.stdin.as_ref().map(|(fd, _)| PollFd::new(fd, PollFlags::OUT)));
        if !ended {
            fds.extend(self.pidfd.as_ref().map(|fd| PollFd::new(fd, PollFlags::IN)));
        }
        // Without a pidfd (old kernels) the end of a program is seen by looking often.
        let tick = if self.pidfd.is_none() || ended { ECHO / 5 } else { Duration::from_millis(500) };
        let until = [self.deadline, self.kill_at].into_iter().flatten().min();
        let left = until.map_or(tick, |until| until.saturating_duration_since(Instant::now()).min(tick));
        let left = rustix::time::Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos() as _ };
        match poll(&mut fds, Some(&left)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn feed(&mut self) {
        let Some((fd, left)) = &mut self.stdin else { return };
        match rustix::io::write(fd.as_fd(), left) {
            Ok(written) => *left = &left[written..],
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return,
            // It does not want to read all of it.
            Err(_) => *left = &[],
        }
        if left.is_empty() {
            self.stdin = None;
        }
    }

    /// It was told to end, and has: what it has started ends too.
    fn finish_off(&self) {
        let until = self.kill_at.unwrap_or_else(|| Instant::now() + GRACE);
        while Instant::now() < until {
            if !self.tree.signal(Signal::TERM) {
                return;
            }
            std::thread::sleep(ECHO);
        }
        self.tree.signal(Signal::KILL);
    }

    /// Whether everything is stopped, and this is not left to finish.
    fn is_to_end(&self) -> bool {
        !self.drain && self.running.is_stopped()
    }

    /// Ends the program when its time is over or when everything is stopped: first it is told, then it is killed.
    fn end_in_time(&mut self) {
        let now = Instant::now();
        let overdue = self.deadline.is_some_and(|deadline| deadline <= now);
        match self.kill_at {
            None if overdue || self.is_to_end() => {
                self.timed_out |= overdue;
                self.deadline = None;
                self.kill_at = Some(now + GRACE);
                self.tree.signal(Signal::TERM);
            }
            Some(at) if at <= now => {
                self.tree.signal(Signal::KILL);
                self.kill_at = Some(now + GRACE);
            }
            _ => {}
        }
    }
}

impl Pipe {
    fn keep(&mut self, printed: &[u8]) {
        let room = usize::try_from(IN_MEMORY).unwrap_or(usize::MAX).saturating_sub(self.bytes.len());
        let (kept, dropped) = printed.split_at(printed.len().min(room));
        self.bytes.extend_from_slice(kept);
        self.dropped += dropped.len() as u64;
    }

    /// What was printed, as far as it was kept, and a word about the rest.
    fn take(&mut self) -> (Vec<u8>, String) {
        let word = match self.dropped {
            0 => String::new(),
            more => {
                format!("\nwodctl: {more} bytes more were printed than the {} MiB that are kept\n", IN_MEMORY >> 20)
            }
        };
        (std::mem::take(&mut self.bytes), word)
    }

    /// Reads what is there; whether there was anything.
    fn read(&mut self, live: &mut dyn FnMut(Stream, &[u8])) -> bool {
        let mut any = false;
        let mut buffer = [0; 16 << 10];
        while let Some(fd) = &self.source {
            match rustix::io::read(fd, &mut buffer) {
                Ok(0) => self.source = None,
                Ok(got) => {
                    any = true;
                    self.keep(&buffer[..got]);
                    live(self.stream, &buffer[..got]);
                }
                Err(rustix::io::Errno::AGAIN) => break,
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => self.source = None,
            }
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::system::Machine;
    use crate::system::local::{Local, Nothing};

    fn shell(script: &str) -> Command {
        Command::new(["sh", "-c", script])
    }

    fn run(command: &Command) -> Output {
        Local::new(Arc::new(Nothing), Arc::default()).run(command, &mut |_, _| {}).unwrap()
    }

    #[test]
    fn both_outputs_and_the_status() {
        let output = run(&shell("echo out; echo err >&2; exit 3"));
        assert_eq!((output.rc, &*output.text(), &*output.errors()), (3, "out\n", "err\n"));
        assert_eq!(run(&shell("kill -9 $$")).rc, 137);
        assert!(output.started > 0 && output.elapsed > 0);
    }

    #[test]
    fn much_is_written_and_read_at_the_same_time() {
        let input = vec![b'x'; 1 << 20];
        let output = run(&Command::new(["tee", "/dev/stderr"]).stdin(input.clone()));
        assert!(output.stdout == input && output.stderr == input);
        assert_eq!(run(&Command::new(["true"]).stdin(input)).rc, 0, "who does not read it is not waited for");
    }

    #[test]
    fn what_it_prints_is_passed_on_while_it_runs() {
        let mut local = Local::new(Arc::new(Nothing), Arc::default());
        let (began, mut first) = (Instant::now(), None);
        let mut live = |stream, bytes: &[u8]| {
            first.get_or_insert((stream, bytes.to_vec(), began.elapsed()));
        };
        local.run(&shell("echo a; sleep 0.5; echo b"), &mut live).unwrap();
        let (stream, bytes, after) = first.unwrap();
        assert!(stream == Stream::Stdout && bytes == b"a\n" && after < Duration::from_millis(450));
    }

    #[test]
    fn when_time_is_over_the_whole_group_ends() {
        let mut command = shell("sleep 60 & echo $!; wait");
        command.timeout = Some(Duration::from_millis(200));
        let began = Instant::now();
        let output = run(&command);
        assert!(output.timed_out && output.rc == 143 && began.elapsed() < Duration::from_secs(2));
        let pid = output.text().trim().parse().unwrap();
        let gone = || rustix::process::test_kill_process(Pid::from_raw(pid).unwrap()).is_err();
        assert!((0..100).any(|_| gone() || {
            std::thread::sleep(Duration::from_millis(20));
            false
        }));
    }

    #[test]
    fn what_is_printed_without_end_is_cut_with_a_word() {
        let output = run(&shell("head -c 70000000 /dev/zero; echo said >&2"));
        assert_eq!(output.stdout.len() as u64, IN_MEMORY);
        assert_eq!(output.errors(), "said\n\nwodctl: 2891136 bytes more were printed than the 64 MiB that are kept\n");
    }

    #[test]
    fn who_leaves_a_daemon_behind_is_not_waited_for() {
        let began = Instant::now();
        let output = run(&shell("sleep 30 & echo $!"));
        assert!(began.elapsed() < Duration::from_secs(5) && output.ok());
        let _ =
            rustix::process::kill_process(Pid::from_raw(output.text().trim().parse().unwrap()).unwrap(), Signal::KILL);
    }

    #[test]
    fn stopping_ends_programs_but_not_those_that_must_finish() {
        let running = Arc::new(Running::default());
        let spawn = |command: Command| {
            let mut local = Local::new(Arc::new(Nothing), running.clone());
            std::thread::spawn(move || local.run(&command, &mut |_, _| {}).unwrap())
        };
        let ended = spawn(shell("sleep 30"));
        let drained = spawn(Command { drain: true, ..shell("sleep 0.5; echo done") });
        std::thread::sleep(Duration::from_millis(250));
        running.stop();
        assert_eq!(ended.join().unwrap().rc, 143);
        assert_eq!(drained.join().unwrap().text(), "done\n");
        let mut local = Local::new(Arc::new(Nothing), running);
        assert_eq!(local.run(&shell("true"), &mut |_, _| {}).unwrap_err().kind(), ErrorKind::Interrupted);
    }

    #[test]
    fn environment_mask_and_folder() {
        let dir = tempfile::tempdir().unwrap();
        let mut command = shell("umask; pwd; echo $LC_ALL $A").env("A", "b").cwd(dir.path().canonicalize().unwrap());
        command.umask = Some(0o027);
        assert_eq!(run(&command).text(), format!("0027\n{}\nC b\n", dir.path().canonicalize().unwrap().display()));
    }

    #[test]
    fn who_cannot_be_started_says_why() {
        let error = |argv: &[&str]| {
            let mut local = Local::new(Arc::new(Nothing), Arc::default());
            local.run(&Command::new(argv.iter().copied()), &mut |_, _| {}).unwrap_err()
        };
        assert_eq!(error(&["no-such-program"]).raw_os_error(), Some(2));
        assert_eq!(error(&["/etc/passwd"]).raw_os_error(), Some(13));
    }
}
