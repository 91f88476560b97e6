//! Package files: on the host already, or to be fetched.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use super::Args;
use super::run::{self, Job};
use crate::change::{Act, Action, Request};
use crate::failure::{During, Failure};
use crate::map;
use crate::probe::dpkg::{self, Database, compare_versions};
use crate::probe::{apt, expand};
use crate::system::{Command, Output, Subject, System};
use crate::value::Value;

/// Where a package file comes from and where it lies then.
struct File {
    url: Option<String>,
    path: PathBuf,
}

fn files(args: &Args, system: &dyn System) -> Result<Vec<File>, Failure> {
    let names = args.deb.iter().flat_map(|deb| deb.split(',')).map(str::trim).filter(|name| !name.is_empty());
    let place = |(number, name): (usize, &str)| match name.contains("://") {
        true => {
            // A folder that only root can write to, and that apt's own user can read.
            let path = format!("/var/cache/apt/archives/wodctl-{}-{number}.deb", system.pid());
            Ok(File { url: Some(name.to_owned()), path: path.into() })
        }
        false => Ok(File { url: None, path: expand::path(system, Path::new(name))? }),
    };
    names.enumerate().map(place).collect()
}

/// Fetches the package files that have an address.
pub fn fetch(args: &Args, system: &dyn System, done: &[Output]) -> Result<Option<Vec<Action>>, Failure> {
    let mut actions = Vec::new();
    for file in files(args, system)? {
        let Some(url) = file.url.filter(|_| !done.iter().any(run::is_job)) else { continue };
        if exists(system, &file.path)? {
            continue;
        }
        if let Some(answer) = done.iter().find(|output| output.argv.is_empty() && !output.stdout.is_empty()) {
            let head = answer.text().lines().next().unwrap_or_default().to_owned();
            return Err(Failure::new(format!("cannot fetch {url}: {head}")).argument("deb"));
        }
        let request = Request {
            url,
            method: "GET".into(),
            follow: "all".into(),
            validate_certs: true,
            use_proxy: true,
            to: Some(file.path.clone()),
            ..Request::default()
        };
        let there = Value::Map(map! { "kind" => "file" });
        let fetch = Action::housekeeping(Act::Download(Box::new(request)));
        actions.push(fetch.settles(Subject::Path(file.path), there));
    }
    Ok((!actions.is_empty()).then_some(actions))
}

/// Removes the files that were fetched.
pub fn forget(args: &Args, system: &dyn System) -> Result<Vec<Action>, Failure> {
    let mut actions = Vec::new();
    for file in files(args, system)? {
        if file.url.is_some() && exists(system, &file.path)? {
            actions.push(super::aside(Act::Remove { path: file.path }));
        }
    }
    Ok(actions)
}

fn exists(system: &dyn System, path: &Path) -> Result<bool, Failure> {
    Ok(system.stat(path, true).during(|| format!("look at {}", path.display()))?.is_some())
}

/// The run that installs the package files that are not installed in that version.
pub fn install(args: &Args, system: &dyn System) -> Result<Option<Job>, Failure> {
    let database = Database::read(system)?;
    let mut words = args.common();
    words.push("install".into());
    let (mut wanted, mut planned) = (false, false);
    for file in files(args, system)? {
        let name = file.path.display().to_string();
        if !exists(system, &file.path)? {
            return Err(Failure::new(format!("there is no package file {name}")).argument("deb"));
        }
        let Some(package) = inspect(system, &name)? else {
            (wanted, planned) = (true, true);
            words.push(name);
            continue;
        };
        match compare(&database, &package) {
            Some(Ordering::Equal) => continue,
            Some(Ordering::Less) if !args.allow_downgrade && !args.force => {
                let message = format!("a later version of {} than {} is installed", package.name, package.version);
                return Err(Failure::new(format!("{message}: `allow_downgrade: true` replaces it")).argument("deb"));
            }
            _ => wanted = true,
        }
        words.push(if file.path.is_absolute() { name } else { format!("./{name}") });
    }
    match (wanted, planned) {
        (false, _) => Ok(None),
        (true, true) => Ok(Some(Job::plain(words))),
        (true, false) if apt::refresh_is_planned(system) && !apt::has_lists(system)? => Ok(Some(Job::plain(words))),
        (true, false) => args.simulated(system, words),
    }
}

/// What a package file says of itself; `None` if it is only planned, so that nobody can look into it.
fn inspect(system: &dyn System, path: &str) -> Result<Option<dpkg::Package>, Failure> {
    let output = system.query(&Command::new(["dpkg-deb", "-f", path, "Package", "Version", "Architecture"]));
    let output = output.during(|| "ask dpkg-deb")?;
    if output.errors().contains("No such file") {
        return Ok(None);
    }
    let text = output.text();
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned());
    match (field("Package:"), field("Version:"), field("Architecture:")) {
        (Some(name), Some(version), Some(architecture)) if output.ok() => {
            Ok(Some(dpkg::Package { name, version, architecture, state: dpkg::State::Installed }))
        }
        _ => Err(Failure::new(format!("{path} is no package: {}", output.errors().trim())).argument("deb")),
    }
}

/// How the version of a package file compares to the installed one; `None` if it is not installed.
fn compare(database: &Database, package: &dpkg::Package) -> Option<Ordering> {
    let name = match package.architecture.as_str() {
        "all" => package.name.clone(),
        architecture => format!("{}:{architecture}", package.name),
    };
    let installed = database.package(&name).filter(|installed| installed.state == dpkg::State::Installed)?;
    Some(compare_versions(&package.version, &installed.version))
}
