//! Names of backups, and of files that are not in their places yet.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::Performer;
use crate::failure::Failure;
use crate::system::System;

/// The name for a copy of `path` as it is now: `path.PID.YYYY-MM-DD@HH:MM:SS~`, as Ansible names backups.
pub fn backup_name(system: &dyn System, path: &Path) -> PathBuf {
    let now = jiff::Timestamp::from_second(system.now() as i64).unwrap_or_default();
    let now = system.time_zone().to_datetime(now).strftime("%Y-%m-%d@%H:%M:%S").to_string();
    let named = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}.{now}~"));
        PathBuf::from(name)
    };
    // Ansible's process id differs for each task: one agent may keep a second copy within a second.
    let is_free = |name: &PathBuf| !matches!(system.stat(name, false), Ok(Some(_)));
    (system.pid()..).map(named).find(is_free).unwrap_or_else(|| named(0))
}

/// Between the name of a file and the process id, in the names of temporary files.
const MARK: &str = ".wodctl-";

impl Performer<'_> {
    /// A name beside `path` that no other run uses. What killed runs have left for `path` is removed.
    pub(super) fn temp_name(&mut self, path: &Path) -> Result<PathBuf, Failure> {
        let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Failure::new(format!("{} cannot be written: it has no name", path.display())));
        };
        if self.swept.insert(dir.to_owned()) {
            self.sweep(dir);
        }
        let mut temp = OsString::from(".");
        temp.push(shortened(name));
        // The letter tells it from names that modules have from `System::temporary`.
        temp.push(format!("{MARK}{}-w{}-{}", self.machine.pid(), next_number(), self.machine.lane()));
        Ok(dir.join(temp))
    }

    /// Removes temporary files whose agent does not run any more.
    fn sweep(&mut self, dir: &Path) {
        for name in self.machine.list(dir).ok().flatten().unwrap_or_default() {
            let text = name.to_string_lossy();
            let Some((_, rest)) = text.rsplit_once(MARK).filter(|_| text.starts_with('.')) else { continue };
            let Some(pid) = rest.split('-').next().and_then(|pid| pid.parse::<u32>().ok()) else { continue };
            let alive = pid == self.machine.pid()
                || self.machine.stat(Path::new(&format!("/proc/{pid}")), true).is_ok_and(|stat| stat.is_some());
            if !alive {
                let _ = self.machine.remove(&dir.join(&name));
            }
        }
    }
}

fn next_number() -> u64 {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

/// File names are at most 255 bytes long: leaves room for what is added.
fn shortened(name: &std::ffi::OsStr) -> OsString {
    match name.len() {
        0..=200 => name.to_owned(),
        _ => name.to_string_lossy().chars().take(50).collect::<String>().into(),
    }
}
