//! The plays of a job, one after the other: what `apply`, `plan`, `ping`, `facts` and `exec` end in.
#![expect(clippy::disallowed_methods, reason = "finds the folders of agents, and who runs this")]

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::job::Job;
use super::options::{Selection, Work};
use super::{Error, Exit, prompts, settle};
use crate::event::Event;
use crate::protocol::Mode;
use crate::report::{Question, Report};
use crate::runner::{self, Run};
use crate::steps;
use crate::system::random;
use crate::template::Templar;
use crate::transport::{Blobs, Connector, Lock, bootstrap::Agents};

/// How a job is carried out.
#[derive(Clone, Copy, Debug)]
pub struct How<'a> {
    /// On which hosts, and by which ways.
    pub work: &'a Work,
    /// Which tasks.
    pub selection: &'a Selection,
    /// Whether anything is changed.
    pub mode: Mode,
    /// A condition that is no boolean is an error.
    pub strict: bool,
    /// The question that the job is, if it is no run of playbooks.
    pub question: Option<Question>,
}

/// Runs a job that was accepted. The operator is asked for everything before a host is touched.
pub fn walk(mut job: Job, how: How) -> Result<Exit, Error> {
    let options = how.work.runner(how.mode, how.selection)?;
    prompts::ask_all(&mut job)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    tokio::task::LocalSet::new().block_on(&runtime, plays(job, how, options))
}

/// Only who may change something holds hosts.
fn lock(how: &How<'_>) -> std::io::Result<Option<Lock>> {
    /// As long another run is waited for.
    const PATIENCE: u64 = 60;
    let changes = how.mode == Mode::Apply && matches!(how.question, None | Some(Question::Exec));
    let given = how.work.connection.lock_timeout;
    if !changes {
        return Ok(None);
    }
    Ok(Some(Lock { patience: given.unwrap_or(PATIENCE), run: random::name()?, who: who(), here: given.is_some() }))
}

/// Who runs this, and where.
fn who() -> String {
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy().into_owned();
    let uid = rustix::process::getuid().as_raw();
    let user = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    format!("{} from {host}", user.unwrap_or_else(|| format!("user {uid}")))
}

async fn plays(job: Job, how: How<'_>, options: runner::Options) -> Result<Exit, Error> {
    let Job { machines, content, checked, .. } = job;
    let report = crate::report::Options { question: how.question, ..how.work.report() };
    let report = Rc::new(RefCell::new(Report::new(report)));
    let show = {
        let report = report.clone();
        move |event: Event| report.borrow_mut().event(&event)
    };
    let blobs = Blobs::default();
    let folders = how.work.connection.agents.iter().cloned().chain(agent_folders()).collect();
    let mut connector =
        Connector::new(blobs.clone(), Agents { folders }, 10).map_err(|error| format!("cannot start: {error}"))?;
    connector.lock = lock(&how).map_err(|error| format!("cannot start: {error}"))?;
    let templar = match how.mode {
        Mode::Plan => Templar::new().planning(),
        Mode::Apply => Templar::new(),
    };
    let templar = if how.strict { templar.strict() } else { templar };
    let shared = machines.share();
    let mut run = Run::new(options, templar.clone(), blobs, Box::new(connector), Box::new(machines), Box::new(show));
    let interrupt = run.interrupt.clone();
    tokio::task::spawn_local(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupt.notify_one();
        }
    });
    let playbooks = content.playbooks.iter().map(|path| path.display().to_string()).collect();
    report.borrow_mut().event(&Event::RunStart { mode: how.mode, playbooks });
    let mut ended = Ok(());
    for (number, play) in checked.plays.into_iter().enumerate() {
        let (play, serial) = match settle::play(&run, &templar, &shared, play.steps, how.work.limit.as_deref()) {
            Ok(settled) => settled,
            Err(problem) => {
                ended = Err(Error::from(*problem));
                break;
            }
        };
        if play.hosts.is_empty() {
            report.borrow_mut().event(&Event::PlayEmpty { name: play.name.clone() });
            continue;
        }
        let hosts = play.hosts.iter().filter(|host| !run.out.contains_key(*host)).cloned().collect();
        let steps = count(&play.items);
        report.borrow_mut().event(&Event::PlayStart { name: play.name.clone(), hosts, steps });
        if run.play(&play, &serial, number as u32).await.is_err() {
            run.finish().await;
            return Ok(if run.refused { Exit::CouldNotStart } else { Exit::Interrupted });
        }
        if !run.go_on() {
            break;
        }
    }
    run.finish().await;
    ended?;
    Ok(Exit::of(&run.out))
}

/// How many steps a list has.
fn count(items: &[steps::Item]) -> usize {
    items
        .iter()
        .map(|item| match item {
            steps::Item::Step(step) => usize::from(!matches!(step.work, steps::Work::Flush | steps::Work::RoleEnd)),
            steps::Item::Block(block) => count(&block.main) + count(&block.always),
        })
        .sum()
}

/// Where agents for other machine types may lie, besides the folder that was named: in the data folder of the user, and
/// beside this program.
fn agent_folders() -> Vec<PathBuf> {
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let data = data.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")));
    let beside = std::env::current_exe().ok();
    let beside = beside.as_deref().and_then(Path::parent).and_then(Path::parent);
    let data = data.map(|folder| folder.join("wodctl/agents"));
    data.into_iter().chain(beside.map(|prefix| prefix.join("lib/wodctl/agents"))).collect()
}
