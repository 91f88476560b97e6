//! What npm has to do, if anything: read from `node_modules`, or asked of npm where that cannot tell.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::{Args, State};
use crate::failure::{During, Failure};
use crate::probe::node::lock::Project;
use crate::probe::node::{range, tree};
use crate::system::System;

/// Stands for all that `package.json` asks for.
pub const ALL: &str = "*";

/// `install`, `ci`, `update` or `uninstall`; nothing if there is nothing to do. `root` is what [`root`] says.
pub fn verb(
    args: &Args,
    system: &dyn System,
    npm: &str,
    folder: Option<&Path>,
    root: Option<&Path>,
) -> Result<Option<&'static str>, Failure> {
    if args.state == State::Absent {
        let (Some(name), Some(root)) = (&args.name, root) else { return Ok(None) };
        return Ok(tree::find(system, root, name)?.map(|_| "uninstall"));
    }
    let verb = if args.ci { "ci" } else { "install" };
    let Some(root) = root else { return Ok(Some(verb)) };
    if system.predicted(&tree::subject(root, args.name.as_deref().unwrap_or(ALL))).is_some() {
        return Ok(None);
    }
    let there = match &args.name {
        Some(name) => is_there(args, system, root, name)?,
        None => {
            let project = Project::read(system, root)?;
            if !project.is_described() {
                return Err(Failure::new(format!("there is no package.json in {}", root.display())).argument("path"));
            }
            if args.ci && !project.has_lock() {
                let message = format!("{} holds no package-lock.json of a new enough npm", root.display());
                return Err(Failure::new(message).argument("ci"));
            }
            if args.ci { project.is_as_locked(args.without()) } else { project.is_as_described(args.without()) }
        }
    };
    let there = there.map_or_else(|| listed(args, system, npm, folder), Ok)?;
    match (there, args.state) {
        (false, _) => Ok(Some(verb)),
        (true, State::Latest) if is_outdated(args, system, npm, folder)? => {
            Ok(Some(if args.name.is_some() { "install" } else { "update" }))
        }
        (true, _) => Ok(None),
    }
}

/// The folder that holds `node_modules`; `None` if nobody knows yet, for want of an npm.
pub fn root(args: &Args, system: &dyn System, npm: &str, folder: Option<&Path>) -> Result<Option<PathBuf>, Failure> {
    if let Some(folder) = folder {
        return Ok(Some(folder.to_owned()));
    }
    if system.which(npm).is_none() {
        return Ok(None);
    }
    if let Some(name) = &args.name
        && let Some(root) = debian_root(args, system, npm)?
        && tree::find(system, &root, name)?.is_some()
    {
        return Ok(Some(root));
    }
    let output = system.query(&args.command(npm, vec!["root".into()], None)).during(|| "ask npm")?;
    match output.text().trim().strip_suffix("/node_modules") {
        Some(root) if output.ok() => Ok(Some(root.into())),
        _ => Err(Failure::new(format!("npm does not say where it installs to: {}", output.errors().trim()))),
    }
}

/// Debian's npm installs below `/usr/local`, unless somebody has told it otherwise.
fn debian_root(args: &Args, system: &dyn System, npm: &str) -> Result<Option<PathBuf>, Failure> {
    let is_debian = system.which(npm).is_some_and(|path| path == Path::new("/usr/bin/npm"))
        && system.stat(Path::new("/usr/share/nodejs/npm"), true).is_ok_and(|stat| stat.is_some());
    let told = ["npm_config_prefix", "NPM_CONFIG_PREFIX", "PREFIX"].iter().any(|name| system.env(name).is_some());
    let files = [system.identity().home.join(".npmrc"), "/etc/npmrc".into(), "/usr/local/etc/npmrc".into()];
    for file in files {
        let bytes = system.read(&file).during(|| format!("read {}", file.display()))?.unwrap_or_default();
        if String::from_utf8_lossy(&bytes).lines().any(|line| line.trim_start().starts_with("prefix")) {
            return Ok(None);
        }
    }
    Ok((is_debian && !told && args.global).then(|| "/usr/local/lib".into()))
}

/// Whether a package is there with all that it needs; `None`: only npm can tell.
fn is_there(args: &Args, system: &dyn System, root: &Path, name: &str) -> Result<Option<bool>, Failure> {
    let Some(found) = tree::find(system, root, name)? else { return Ok(Some(false)) };
    if let Some(wanted) = args.version.as_deref().filter(|version| !version.is_empty()) {
        match range::holds(wanted, &found.version) {
            Some(true) => {}
            Some(false) => return Ok(Some(false)),
            None => return Ok(None),
        }
    }
    if !args.global {
        // npm's note tells whether it has finished.
        return Ok(Project::read(system, root)?.version(name).map(|version| version == Some(&found.version)));
    }
    // Programs are linked last.
    let programs = root.parent().unwrap_or(root).join("bin");
    for program in found.programs(name).iter().filter(|_| !args.no_bin_links) {
        let path = programs.join(program);
        if system.stat(&path, true).during(|| format!("look at {}", path.display()))?.is_none() {
            return Ok(Some(false));
        }
    }
    found.is_complete(system).map(Some)
}

/// Whether npm itself finds nothing missing.
fn listed(args: &Args, system: &dyn System, npm: &str, folder: Option<&Path>) -> Result<bool, Failure> {
    let words = ["list", "--json", "--depth=0"].map(str::to_owned).to_vec();
    let output = system.query(&args.command(npm, words, folder)).during(|| "ask npm")?;
    let list: Json = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let is_good = |package: &Json| package.get("missing").is_none() && package.get("invalid").is_none();
    let all = list["dependencies"].as_object();
    match &args.name {
        // A tag (`latest`) is whatever was installed for it.
        Some(name) => Ok(all.and_then(|all| all.get(name)).is_some_and(is_good)),
        None => Ok(all.is_some_and(|all| all.values().all(is_good))),
    }
}

/// Whether the registry has something newer.
fn is_outdated(args: &Args, system: &dyn System, npm: &str, folder: Option<&Path>) -> Result<bool, Failure> {
    let words = ["outdated", "--json"].map(str::to_owned).into_iter().chain(args.name.clone()).collect();
    let output = system.query(&args.command(npm, words, folder)).during(|| "ask npm")?;
    let list: Json = serde_json::from_slice(&output.stdout).unwrap_or_default();
    if list.get("error").is_some() {
        let message = list["error"]["summary"].as_str().unwrap_or("the registry does not answer").trim().to_owned();
        return Err(Failure::new(format!("npm cannot tell what is outdated: {message}")).with("rc", output.rc));
    }
    let against = |package: &Json| match args.name.is_some() {
        true => package["current"] != package["latest"],
        false => package["current"] != package["wanted"],
    };
    let mut all = list.as_object().into_iter().flatten();
    Ok(all.any(|(name, package)| args.name.as_ref().is_none_or(|wanted| wanted == name) && against(package)))
}
