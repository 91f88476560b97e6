//! Which pip is meant, and where it installs to.

use std::path::{Path, PathBuf};

use super::Args;
use crate::failure::Failure;
use crate::probe::python::site::Site;
use crate::probe::{dpkg, paths};
use crate::system::System;

/// A pip and its site.
pub struct Place {
    /// The words that start pip.
    pub pip: Vec<String>,
    /// What is installed there; `None` if that cannot be known.
    pub site: Option<Site>,
    /// It is a virtual environment that has to be made.
    pub is_new: bool,
    name: String,
}

/// The folder of the virtual environment, if one is wanted.
pub fn environment(args: &Args, system: &dyn System) -> Result<Option<PathBuf>, Failure> {
    let Some(path) = &args.virtualenv else { return Ok(None) };
    let path = crate::probe::expand::path(system, path)?;
    let path: PathBuf = args.folder(system)?.join(path).components().collect();
    paths::for_program(system, &path).map(Some)
}

impl Place {
    /// Finds the one that the arguments mean.
    pub fn find(args: &Args, system: &dyn System) -> Result<Place, Failure> {
        if let Some(root) = environment(args, system)? {
            return Place::in_environment(system, &root);
        }
        if let Some(executable) = &args.executable {
            return Place::of_program(args, system, executable);
        }
        let site = Site::of_system(system, None)?;
        let found = ["pip3", "pip"].into_iter().find(|name| system.which(name).is_some());
        let has_module = site.as_ref().is_some_and(|site| site.find(system, "pip").is_some());
        let pip = match found {
            Some(name) => vec![name.to_owned()],
            None if has_module => ["python3", "-m", "pip"].map(str::to_owned).to_vec(),
            None if dpkg::has_planned(system) => vec!["pip3".to_owned()],
            None => {
                let message = "this machine has no pip: install a package such as python3-pip, or name a `virtualenv`";
                return Err(Failure::new(message));
            }
        };
        Ok(Place { pip, site, is_new: false, name: "system".into() })
    }

    fn in_environment(system: &dyn System, root: &Path) -> Result<Place, Failure> {
        let site = Site::of_environment(system, root)?;
        let python = root.join("bin/python").display().to_string();
        let pip = vec![python, "-m".into(), "pip".into()];
        Ok(Place { pip, is_new: site.is_none(), site, name: root.display().to_string() })
    }

    fn of_program(args: &Args, system: &dyn System, executable: &Path) -> Result<Place, Failure> {
        let text = executable.to_string_lossy().into_owned();
        if !text.contains('/') {
            let found = system.which(&text);
            if found.is_none() && !dpkg::has_planned(system) {
                return Err(Failure::new(format!("there is no program {text}")).argument("executable"));
            }
            let version = text.strip_prefix("pip").filter(|version| version.contains('.'));
            let is_system = found.is_some_and(|path| path.starts_with("/usr/bin") || path.starts_with("/bin"));
            let site = if is_system { Site::of_system(system, version)? } else { None };
            return Ok(Place { pip: vec![text], site, is_new: false, name: "system".into() });
        }
        let path = args.folder(system)?.join(crate::probe::expand::path(system, executable)?);
        if paths::stat(system, &path, true)?.is_none() {
            return Err(Failure::new(format!("there is no program {}", path.display())).argument("executable"));
        }
        let root = path.parent().and_then(Path::parent).unwrap_or(Path::new("/")).to_owned();
        let is_environment = paths::stat(system, &root.join("pyvenv.cfg"), true)?.is_some();
        let site = if is_environment { Site::of_environment(system, &root)? } else { None };
        Ok(Place { pip: vec![path.display().to_string()], site, is_new: false, name: root.display().to_string() })
    }

    /// The word under which a plan settles what is installed here.
    pub fn site_name(&self) -> String {
        self.site.as_ref().map_or_else(|| self.name.clone(), |site| site.name.clone())
    }

    /// The metadata of distributions that a killed pip has left; another pip would take them for installed.
    pub fn broken(&self) -> impl Iterator<Item = &Path> {
        let all = self.site.iter().flat_map(|site| &site.distributions);
        all.filter(|found| found.is_broken).map(|found| found.metadata.as_path())
    }
}
