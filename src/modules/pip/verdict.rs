//! Whether pip has anything to do: read from what is installed, or asked of pip where that cannot tell.

use super::place::Place;
use super::{Args, State};
use crate::failure::{During, Failure};
use crate::probe::expand;
use crate::probe::python::files::{Wanted, placed};
use crate::probe::python::requirement::{Named, Requirement};
use crate::probe::python::site::Site;
use crate::system::System;

/// Whether pip has anything to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All is as it should be.
    Nothing,
    /// There is something to install.
    Something,
}

/// All distributions that are named, also in files.
pub fn all_named(args: &Args, system: &dyn System) -> Result<Vec<Named>, Failure> {
    let required = wanted(args, system)?.required;
    let named = |required| if let Requirement::Named(named) = required { Some(named) } else { None };
    Ok(required.into_iter().filter_map(named).collect())
}

fn wanted(args: &Args, system: &dyn System) -> Result<Wanted, Failure> {
    let folder = args.folder(system)?;
    let mut wanted = Wanted { required: args.wanted()?, ..Wanted::default() };
    if let Some(file) = &args.requirements {
        let file = placed(&folder, &expand::user(system, file)?);
        wanted.add_file(system, &file, false).map_err(|failure| failure.argument("requirements"))?;
    }
    for (file, is_constraints) in wanted.options(&args.extra_words()?) {
        let file = placed(&folder, &file);
        wanted.add_file(system, &file, is_constraints).map_err(|failure| failure.argument("extra_args"))?;
    }
    Ok(wanted)
}

/// Whether there is anything to install.
pub fn of(args: &Args, system: &dyn System, place: &Place) -> Result<Verdict, Failure> {
    let wanted = wanted(args, system)?;
    if wanted.required.is_empty() && !wanted.odd {
        return Ok(Verdict::Nothing);
    }
    if place.is_new || args.state == State::ForceReinstall {
        return Ok(Verdict::Something);
    }
    let read = match &place.site {
        Some(site) => read(args, system, site, &wanted)?,
        None => None,
    };
    match read {
        Some(true) if args.state == State::Present => Ok(Verdict::Nothing),
        Some(false) => Ok(Verdict::Something),
        // Editable installations write into the folder that they are made from, also when they are only tried.
        _ if args.editable => Ok(Verdict::Something),
        _ => ask(args, system, place),
    }
}

/// Whether all is there, as far as what is installed tells; `None`: it does not.
fn read(args: &Args, system: &dyn System, site: &Site, wanted: &Wanted) -> Result<Option<bool>, Failure> {
    let mut sure = !wanted.odd;
    for required in &wanted.required {
        let answer = match required {
            Requirement::Named(named) => is_there(system, site, named)?,
            Requirement::Other(place) if args.editable => is_linked(args, system, site, place)?,
            Requirement::Other(_) => None,
        };
        match answer {
            Some(true) => {}
            Some(false) => return Ok(Some(false)),
            None => sure = false,
        }
    }
    for constraint in &wanted.constraints {
        let applies = constraint.marker.as_ref().is_none_or(|marker| site.holds(marker) != Some(false));
        let found = site.find(system, &constraint.name).filter(|found| !found.version.is_empty());
        // It may be there for something else, which pip leaves alone.
        sure &= !applies || found.is_none_or(|found| constraint.versions.accept(&found.version));
    }
    Ok(sure.then_some(true))
}

fn is_there(system: &dyn System, site: &Site, wanted: &Named) -> Result<Option<bool>, Failure> {
    match wanted.marker.as_ref().map(|marker| site.holds(marker)) {
        Some(Some(false)) => return Ok(Some(true)),
        Some(None) => return Ok(None),
        Some(Some(true)) | None => {}
    }
    match site.find(system, &wanted.name) {
        None => Ok(Some(false)),
        Some(found) if found.version.is_empty() => Ok(Some(true)),
        Some(found) if !wanted.versions.accept(&found.version) => Ok(Some(false)),
        Some(_) => site.is_complete(system, wanted),
    }
}

/// Whether a folder is installed so that changes there count at once.
fn is_linked(args: &Args, system: &dyn System, site: &Site, place: &str) -> Result<Option<bool>, Failure> {
    if place.contains("://") {
        return Ok(None);
    }
    let folder = args.folder(system)?.join(place.split('[').next().unwrap_or(place));
    let folder: std::path::PathBuf = folder.components().collect();
    let url = format!("file://{}", folder.display());
    for found in &site.distributions {
        let record = found.metadata.join("direct_url.json");
        let bytes = system.read(&record).during(|| format!("read {}", record.display()))?.unwrap_or_default();
        let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if json["url"] == url.as_str() && json["dir_info"]["editable"] == true {
            return Ok(Some(true));
        }
    }
    Ok(Some(false))
}

/// Asks pip itself, which then asks the index.
fn ask(args: &Args, system: &dyn System, place: &Place) -> Result<Verdict, Failure> {
    let options = ["--dry-run", "--quiet", "--report", "-"].map(str::to_owned);
    let argv = place.pip.iter().cloned().chain(args.install_words()?).chain(options).collect();
    let output = system.query(&args.command(system, argv)?).during(|| "ask pip")?;
    if !output.ok() && output.errors().contains("no such option: --dry-run") {
        // Before 22.2 pip could not be asked.
        return Ok(Verdict::Something);
    }
    if !output.ok() {
        return Err(Failure::new(format!("pip cannot tell what is to be installed: {}", output.errors().trim()))
            .with("rc", output.rc)
            .with("stdout", output.text())
            .with("stderr", output.errors()));
    }
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| Failure::new(format!("pip's report is not what was expected: {error}")))?;
    let nothing = report["install"].as_array().is_some_and(Vec::is_empty);
    Ok(if nothing { Verdict::Nothing } else { Verdict::Something })
}
