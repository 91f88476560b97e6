//! What the host has.

use std::path::{Path, PathBuf};

use super::Args;
use crate::failure::Failure;
use crate::probe::paths;
use crate::system::System;

/// A repository on the host.
#[derive(Clone, Debug)]
pub struct Local {
    /// Where it is.
    pub path: PathBuf,
    /// The commit that is checked out; empty if there is none yet.
    pub head: String,
    /// The branch that is checked out.
    pub branch: Option<String>,
    /// The server's address in it.
    pub url: Option<String>,
    /// Files that differ from what is checked out.
    pub modified: Vec<String>,
}

impl Local {
    /// Looks at the repository; `None` if there is none.
    pub fn find(args: &Args, system: &dyn System, git: &str, dest: &Path) -> Result<Option<Local>, Failure> {
        let mark = if args.bare { dest.join("HEAD") } else { dest.join(".git") };
        if paths::stat(system, &mark, true)?.is_none() {
            return Ok(None);
        }
        let line = |words: &[&str]| -> Result<Option<String>, Failure> {
            let output = args.ask(system, git, dest, words)?;
            if output.errors().contains("dubious ownership") {
                let message = format!(
                    "git does not trust {}, which belongs to another user: run the step as that user (`become_user`)",
                    dest.display()
                );
                return Err(Failure::new(message).argument("dest"));
            }
            Ok(output.ok().then(|| output.text().trim().to_owned()))
        };
        let head = line(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])?.unwrap_or_default();
        let branch = line(&["symbolic-ref", "--short", "--quiet", "HEAD"])?;
        let url = line(&["config", "--get", &format!("remote.{}.url", args.remote)])?;
        let modified = if args.bare || head.is_empty() { Vec::new() } else { modified(args, system, git, dest)? };
        Ok(Some(Local { path: dest.to_owned(), head, branch, url, modified }))
    }
}

/// Files that git knows and that have been changed.
fn modified(args: &Args, system: &dyn System, git: &str, dest: &Path) -> Result<Vec<String>, Failure> {
    let words = ["status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all"];
    let output = args.ask(system, git, dest, &words)?;
    if !output.ok() {
        return Err(Failure::new(format!("git cannot tell what was changed: {}", output.errors().trim())));
    }
    Ok(output.text().lines().filter_map(|line| Some(line.get(3..)?.to_owned())).collect())
}
