//! All that a program has started, also what has turned away from it: new sessions, new groups, orphans.

#![expect(clippy::disallowed_methods, reason = "part of the real machine: looks at processes")]

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal};
use rustix::time::{ClockId, clock_gettime};

/// From now on orphans of what this process starts become its own children, so that they can be found.
pub fn adopt_orphans() {
    // Kernels before 3.4 cannot; there only what keeps its parents is found.
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

/// A program and what comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    program: u32,
    /// Orphans of earlier programs, which stay.
    earlier: Arc<[u32]>,
    /// When it was started, in the ticks that `/proc` counts in.
    since: u64,
}

/// `/proc` counts in hundredths of a second, whatever the kernel's own clock is.
const TICKS: u64 = 100;

impl Tree {
    /// Of a program that was started just now. `earlier`: the [`orphans`] just before.
    pub fn of(program: u32, earlier: Vec<u32>) -> Tree {
        let now = clock_gettime(ClockId::Boottime);
        let ticks = now.tv_sec as u64 * TICKS + now.tv_nsec as u64 * TICKS / 1_000_000_000;
        is_started(program);
        // The program was there a moment before this.
        Tree { program, earlier: earlier.into(), since: ticks.saturating_sub(TICKS / 10) }
    }

    /// The program itself has ended, and was waited for.
    pub fn ended(&self) {
        started().remove(&self.program);
        bury();
    }

    /// Signals all of it; whether there is anything left.
    pub fn signal(&self, signal: Signal) -> bool {
        let members = self.members();
        for pid in &members {
            let _ = rustix::process::kill_process(*pid, signal);
        }
        !members.is_empty()
    }

    /// The program, its descendants, and orphans that were adopted since it was started, with theirs.
    fn members(&self) -> Vec<Pid> {
        let processes = processes();
        let (own, started) = (std::process::id(), started());
        let is_first = |(pid, process): (&u32, &Process)| {
            let is_new = process.since >= self.since && !self.earlier.contains(pid);
            let is_orphan = process.parent == own && is_new && !started.contains(pid);
            (*pid == self.program || is_orphan).then_some(*pid)
        };
        let mut found: HashSet<u32> = processes.iter().filter_map(is_first).collect();
        loop {
            let child = |(pid, process): (&u32, &Process)| found.contains(&process.parent).then_some(*pid);
            let more: Vec<u32> = processes.iter().filter_map(child).filter(|pid| !found.contains(pid)).collect();
            if more.is_empty() {
                break;
            }
            found.extend(more);
        }
        let alive = |pid: &u32| processes.get(pid).is_some_and(|process| !process.is_dead);
        found.into_iter().filter(alive).filter_map(|pid| Pid::from_raw(pid as i32)).collect()
    }
}

/// Takes leave of adopted orphans that have ended.
pub fn bury() {
    for pid in orphans() {
        if let Some(pid) = Pid::from_raw(pid as i32) {
            let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::NOHANG);
        }
    }
}

/// Adopted orphans.
pub fn orphans() -> Vec<u32> {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let children: Vec<u32> = lists.flat_map(|list| numbers(&list)).collect();
    let started = started();
    children.into_iter().filter(|pid| !started.contains(pid)).collect()
}

fn numbers(text: &str) -> Vec<u32> {
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// What this process has started itself: it is no orphan, and somebody waits for it.
static STARTED: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

fn started() -> MutexGuard<'static, BTreeSet<u32>> {
    STARTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says that this process has started a child that ends by itself.
pub fn is_started(pid: u32) {
    started().insert(pid);
}

struct Process {
    parent: u32,
    since: u64,
    is_dead: bool,
}

/// All processes that can be seen.
fn processes() -> HashMap<u32, Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| Some((pid, Process::read(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?))).collect()
}

impl Process {
    /// A line of `/proc/PID/stat`; the name in parentheses may hold anything.
    fn read(line: &str) -> Option<Process> {
        let fields: Vec<&str> = line.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse().ok();
        Some(Process { parent: number(1)? as u32, since: number(19)?, is_dead: matches!(*fields.first()?, "Z" | "X") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernel() {
        let line = "42 (a) b) S 7 8 9 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 1 2";
        let process = Process::read(line).unwrap();
        assert_eq!((process.parent, process.since, process.is_dead), (7, 12345, false));
        assert!(processes().contains_key(&std::process::id()));
    }

    #[test]
    fn descendants_are_found() {
        let mut child = std::process::Command::new("sh").args(["-c", "sleep 60 & wait"]).spawn().unwrap();
        let tree = Tree::of(child.id(), Vec::new());
        let found = || tree.members().len();
        assert!((0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            found() == 2
        }));
        assert!(tree.signal(Signal::KILL));
        child.wait().unwrap();
        tree.ended();
    }
}
