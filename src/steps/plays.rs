//! The plays of a playbook, `import_playbook` resolved.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::context::layer;
use super::early;
use super::options::Options;
use crate::diagnostic::{Diagnostic, kinds};
use crate::playbook::{Entry, Import, Play, Problems, Project};
use crate::source::Span;
use crate::template::SearchPath;
use crate::vars::Level;

/// The plays of a playbook and of those that it imports, in order, and all that is wrong with the files. An import hands
/// its conditions, tags and variables to each play.
pub fn plays(path: &Path, project: &Project, options: &Options) -> (Vec<Arc<Play>>, Vec<Diagnostic>) {
    let mut reader = Reader { project, options, problems: Problems::new(), open: Vec::new() };
    let plays = reader.read(path, Span::default());
    (plays, kinds::all_known(reader.problems))
}

struct Reader<'a> {
    project: &'a Project,
    options: &'a Options,
    problems: Problems,
    /// The playbooks that are being read, outermost first.
    open: Vec<PathBuf>,
}

impl Reader<'_> {
    fn read(&mut self, path: &Path, asked: Span) -> Vec<Arc<Play>> {
        let parsed = self.project.playbook(path, asked);
        self.problems.extend(parsed.problems.iter().cloned());
        self.open.push(path.to_owned());
        let mut plays = Vec::new();
        for entry in &parsed.value {
            match entry {
                Entry::Play(play) => plays.push(play.clone()),
                Entry::Import(import) => plays.extend(self.import(import, path)),
            }
        }
        self.open.pop();
        plays
    }

    fn import(&mut self, import: &Import, from: &Path) -> Vec<Arc<Play>> {
        let vars = layer(Level::PlayVars, "vars of the import", import.span, &import.base.vars);
        let layers = vars.into_iter().chain(self.options.early.iter().cloned());
        let folder = from.parent().map(Path::to_owned).unwrap_or_default();
        let files = SearchPath { roles: Vec::new(), task: folder.clone(), playbook: folder.clone() };
        let name = match early::text(&import.file, layers, files) {
            Ok(name) => name,
            Err(problem) => {
                self.problems.push(problem);
                return Vec::new();
            }
        };
        let path = folder.join(name);
        if self.open.contains(&path) {
            let message = format!("{} imports itself", path.display());
            self.problems.push(Diagnostic::error(import.file.span, message));
            return Vec::new();
        }
        let plays = self.read(&path, import.file.span);
        plays.into_iter().map(|play| Arc::new(with_import(&play, import))).collect()
    }
}

fn with_import(play: &Play, import: &Import) -> Play {
    let mut play = play.clone();
    let base = &mut play.base;
    base.when = import.base.when.iter().chain(&base.when).cloned().collect();
    base.unsupported.extend(import.base.unsupported.iter().cloned());
    base.tags.extend(import.base.tags.iter().cloned());
    base.vars.extend(import.base.vars.iter().map(|(name, node)| (name.clone(), node.clone())));
    play
}
