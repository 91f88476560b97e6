//! Repositories inside the repository.

use std::path::Path;

use super::{Args, is_run};
use crate::change::{Act, Action, Change};
use crate::failure::Failure;
use crate::probe::paths;
use crate::system::{Output, System};
use crate::value::Map;

/// For each repository inside: its commit, and the newest one of its branch.
const COMPARE: &str = r#"b=$(git config -f "$toplevel/.gitmodules" "submodule.$name.branch" || echo HEAD); echo "$(git rev-parse HEAD) $(git rev-parse "refs/remotes/origin/$b")""#;

/// Brings them to what the repository says, or to the newest commit of their branches.
pub fn bring(
    args: &Args,
    system: &dyn System,
    git: &str,
    path: &Path,
    done: &[Output],
    values: Map,
) -> Result<Change, Failure> {
    if paths::stat(system, &path.join(".gitmodules"), true)?.is_none() {
        return Ok(Change::none(values));
    }
    let updates = done.iter().filter(|output| is_run(output, "submodule") && is_run(output, "update")).count();
    let fetched = done.iter().any(|output| is_run(output, "foreach"));
    if updates == 0 && !are_as_said(args, system, git, path)? {
        return update(args, system, git, path, values, false);
    }
    if !args.track_submodules || updates > 1 || done.iter().any(|output| is_run(output, "--remote")) {
        return Ok(Change::none(values));
    }
    if !fetched {
        let words = ["submodule", "--quiet", "foreach", "git fetch --quiet"];
        let command = args.command(system, git, Some(path), &words)?;
        let fetch = Action::housekeeping(Act::Run(command)).expect(Output::default());
        let message = Some("cannot fetch the repositories inside it".to_owned());
        return Ok(Change::again(vec![Action { must_succeed: message, ..fetch }], values));
    }
    let output = args.ask(system, git, path, &["submodule", "--quiet", "foreach", COMPARE])?;
    if !output.ok() {
        return Err(Failure::new(format!("git cannot compare the repositories inside: {}", output.errors().trim())));
    }
    let is_newest = |line: &str| line.split_once(' ').is_some_and(|(now, newest)| now == newest);
    match output.text().lines().all(is_newest) {
        true => Ok(Change::none(values)),
        false => update(args, system, git, path, values, true),
    }
}

fn are_as_said(args: &Args, system: &dyn System, git: &str, path: &Path) -> Result<bool, Failure> {
    let output = args.ask(system, git, path, &["submodule", "status", "--recursive"])?;
    if !output.ok() {
        return Err(Failure::new(format!("git cannot look into the repositories inside: {}", output.errors().trim())));
    }
    // With `track_submodules` they are ahead of what the repository says.
    let is_wrong = |line: &str| line.starts_with('-') || (!args.track_submodules && line.starts_with(['+', 'U']));
    Ok(!output.text().lines().any(is_wrong))
}

fn update(
    args: &Args,
    system: &dyn System,
    git: &str,
    path: &Path,
    values: Map,
    newest: bool,
) -> Result<Change, Failure> {
    let mut words = vec!["submodule", "update", "--init", "--recursive"];
    words.extend(args.force.then_some("--force"));
    words.extend(newest.then_some("--remote"));
    let command = args.command(system, git, Some(path), &words)?;
    let action = Action::run(command, "cannot update the repositories inside it").expect(Output::default());
    Ok(Change::again(vec![action], values))
}
