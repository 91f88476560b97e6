//! `wodctl.yml` of a project: what the project says about how it is worked with.
//!
//! ```yaml
//! check:
//!   skip: [visible-secret]    # kinds of problems that are not shown, see `wodctl explain`
//! ```

use std::path::{Path, PathBuf};

use super::Error;
use super::content::Content;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::kinds::{self, Kind};
use crate::playbook::root_of;
use crate::yaml::{self, Node};

/// The name of the file, in the folder that holds `playbooks/`, or beside the playbook where there is none.
const FILE: &str = "wodctl.yml";

/// What a project says.
#[derive(Debug, Default)]
pub struct Settings {
    /// Kinds of problems that are not shown.
    pub skip: Vec<&'static Kind>,
}

impl Settings {
    /// The settings of the project of the first playbook; none if it has no such file.
    pub fn read(content: &Content) -> Result<Settings, Error> {
        let path = content.playbooks.first().map(|path| file(path));
        match path.filter(|path| path.is_file()) {
            Some(path) => match yaml::read_file(&path)?.root {
                Some(root) if !root.is_null() => Ok(Settings::of(&root)?),
                _ => Ok(Settings::default()),
            },
            None => Ok(Settings::default()),
        }
    }

    fn of(root: &Node) -> Result<Settings, Diagnostic> {
        let check = only(root, "check")?;
        let skip = check.map(|check| only(check, "skip")).transpose()?.flatten();
        let names = skip.map(|skip| skip.as_list().ok_or_else(|| wrong(skip, "a list of kinds"))).transpose()?;
        let skip = names.unwrap_or_default().iter().map(kind).collect::<Result<_, _>>()?;
        Ok(Settings { skip })
    }
}

fn file(playbook: &Path) -> PathBuf {
    let folder = root_of(playbook).or_else(|| playbook.parent().map(Path::to_owned));
    folder.unwrap_or_default().join(FILE)
}

/// The value of the one key that a mapping may have.
fn only<'a>(node: &'a Node, key: &str) -> Result<Option<&'a Node>, Diagnostic> {
    let entries = node.as_map().ok_or_else(|| wrong(node, &format!("a mapping with `{key}`")))?;
    match entries.iter().find(|(name, _)| *name != key) {
        Some((name, entry)) => {
            Err(Diagnostic::error(entry.key, format!("there is no setting `{name}`")).help(format!("there is `{key}`")))
        }
        None => Ok(node.get(key)),
    }
}

fn kind(node: &Node) -> Result<&'static Kind, Diagnostic> {
    let name = node.as_str().unwrap_or_default();
    let unknown = || {
        Diagnostic::error(node.span, format!("there is no kind of problem `{name}`"))
            .suggest(name, kinds::ALL.iter().map(|kind| kind.name))
            .or_help("`wodctl explain` lists them")
    };
    let kind = kinds::find(name).ok_or_else(unknown)?;
    match kind.can_be_silenced {
        true => Ok(kind),
        false => Err(Diagnostic::error(node.span, format!("`{name}` cannot be skipped: such a file cannot be run"))),
    }
}

fn wrong(node: &Node, what: &str) -> Diagnostic {
    Diagnostic::error(node.span, format!("expected {what}"))
}
