//! Which playbooks a run is about, and where their roles lie.
#![expect(clippy::disallowed_methods, reason = "finds the content shipped beside the program and in the data folders")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::options::Playbooks;
use super::{Error, say};
use crate::playbook::{Project, root_of};

/// The playbook that a project runs when none is named.
const SITE: &str = "playbooks/site.yml";

/// Playbooks and the project around them.
#[derive(Debug)]
pub struct Content {
    /// In order.
    pub playbooks: Vec<PathBuf>,
    /// Where roles are found beside those beside a playbook: in the projects of the inventory and of the playbooks.
    pub project: Arc<Project>,
    /// The folder whose `group_vars` and `host_vars` count beside those of the inventory.
    pub beside: PathBuf,
    /// The folder of the content shipped with the program, if it is that.
    pub shipped: Option<PathBuf>,
}

impl Content {
    /// What the command line asks for; says so if it is the content shipped with the program, because nobody named it.
    pub fn open(wanted: &Playbooks) -> Result<Content, Error> {
        let content = Content::find(&wanted.inventory, &wanted.playbooks)?;
        if let Some(root) = &content.shipped {
            let root = root.display();
            say(&format!("no project around the inventory: using the content shipped with wodctl in {root}\n"));
        }
        Ok(content)
    }

    /// The playbooks that were named; without any, `playbooks/site.yml` of the project that the inventory lies in; where
    /// it lies in none, the content shipped with the program.
    pub fn find(inventory: &Path, named: &[PathBuf]) -> Result<Content, Error> {
        if let Some(missing) = named.iter().find(|path| !path.is_file()) {
            return Err(format!("there is no playbook {}", missing.display()).into());
        }
        if !named.is_empty() {
            return Ok(Content::of(inventory, named.to_vec(), None));
        }
        match root_of(inventory) {
            Some(root) => {
                let site = near(&root.join(SITE));
                if !site.is_file() {
                    let message = format!("there is no {}: name the playbooks to run", site.display());
                    return Err(message.into());
                }
                Ok(Content::of(inventory, vec![site], None))
            }
            None => {
                let places = shipped_places();
                let root = places.iter().find(|root| root.join(SITE).is_file());
                let root = root.ok_or_else(|| nothing_found(inventory, &places))?;
                Ok(Content::of(inventory, vec![root.join(SITE)], Some(root.clone())))
            }
        }
    }

    fn of(inventory: &Path, playbooks: Vec<PathBuf>, shipped: Option<PathBuf>) -> Content {
        let mut roles: Vec<PathBuf> = Vec::new();
        let around = playbooks.iter().map(PathBuf::as_path).chain([inventory]);
        for folder in around.filter_map(root_of).map(|root| near(&root.join("roles"))) {
            if !roles.contains(&folder) {
                roles.push(folder);
            }
        }
        let beside = playbooks.first().and_then(|path| path.parent()).unwrap_or(Path::new("")).to_owned();
        Content { playbooks, project: Arc::new(Project::new(roles)), beside, shipped }
    }

    /// A playbook that no file holds, called `name`. Its relative paths begin in the working directory; roles and variables
    /// are those of the project around the inventory.
    pub fn lent(inventory: &Path, name: &str, text: &str) -> Content {
        let content = Content { playbooks: vec![PathBuf::from(name)], ..Content::none(inventory) };
        content.project.lend(Path::new(name), text);
        content
    }

    /// No playbook, only what lies around an inventory.
    pub fn none(inventory: &Path) -> Content {
        let beside = root_of(inventory).map(|root| near(&root.join("playbooks")));
        Content { beside: beside.unwrap_or_default(), ..Content::of(inventory, Vec::new(), None) }
    }
}

/// The path relative to the working directory where it lies below it: shorter in messages.
fn near(path: &Path) -> PathBuf {
    let relative = std::env::current_dir().ok().and_then(|here| path.strip_prefix(here).ok());
    relative.unwrap_or(path).to_owned()
}

/// Where content shipped with the program may lie: beside it, then where XDG says.
fn shipped_places() -> Vec<PathBuf> {
    let program = std::env::current_exe().ok();
    let beside = program.as_deref().and_then(Path::parent).and_then(Path::parent).map(|prefix| prefix.join("share"));
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let home = set("XDG_DATA_HOME")
        .map(PathBuf::from)
        .or_else(|| set("HOME").map(|home| PathBuf::from(home).join(".local/share")));
    let system = set("XDG_DATA_DIRS").unwrap_or_else(|| "/usr/local/share:/usr/share".into());
    let all = beside.into_iter().chain(home).chain(std::env::split_paths(&system));
    all.filter(|folder| folder.is_absolute()).map(|folder| folder.join("wodctl")).collect()
}

fn nothing_found(inventory: &Path, places: &[PathBuf]) -> Error {
    let places: Vec<String> = places.iter().map(|place| format!("\n  {}", place.join(SITE).display())).collect();
    let message = format!(
        "no folder above {} holds `playbooks/`, and no content is shipped with wodctl. Name the playbooks to run.\n\
         Looked for:{}",
        inventory.display(),
        places.concat()
    );
    message.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        folder
    }

    #[test]
    fn the_nearest_folder_that_holds_playbooks_is_the_project() {
        let folder = folder(&["playbooks/site.yml", "p/playbooks/site.yml", "p/inventories/lab/hosts.yml"]);
        let find = |inventory: &str| Content::find(&folder.path().join(inventory), &[]).unwrap().playbooks;
        assert_eq!(find("p/inventories/lab/hosts.yml"), [folder.path().join("p/playbooks/site.yml")]);
        assert_eq!(find("p/inventories/lab"), [folder.path().join("p/playbooks/site.yml")]);
        assert_eq!(find("elsewhere/hosts.yml"), [folder.path().join("playbooks/site.yml")]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let folder = folder(&["playbooks/other.yml"]);
        let find = |named: &[PathBuf]| match Content::find(&folder.path().join("hosts.yml"), named) {
            Err(Error::Other(why)) => why.replace(&*folder.path().to_string_lossy(), "FOLDER"),
            other => panic!("{other:?}"),
        };
        assert_eq!(find(&[]), "there is no FOLDER/playbooks/site.yml: name the playbooks to run");
        assert_eq!(find(&[folder.path().join("x.yml")]), "there is no playbook FOLDER/x.yml");
    }
}
