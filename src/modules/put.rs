//! A file with a given content and attributes: what `copy`, `template`, `assemble` and the modules that edit text have
//! in common.

use std::path::{Path, PathBuf};

use super::file_args::Common;
use crate::change::perform::backup_name;
use crate::change::{Act, Action, Attributes, WriteFile};
use crate::failure::{During, Failure};
use crate::module::ArgError;
use crate::probe::attributes;
use crate::system::{Content, FileKind, Stat, System};
use crate::words;

/// How a file is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Put<'a> {
    /// Owner, group, permissions and the rest.
    pub common: Common<'a>,
    /// Keep the file that was there.
    pub backup: bool,
    /// The program that must approve of the new content, with `%s` for the file.
    pub validate: Option<&'a str>,
    /// Write in place where a file cannot be replaced.
    pub unsafe_writes: bool,
}

impl Put<'_> {
    /// Makes `path`, which is not followed if it is a link, a file with this content. `stat` is what stands there.
    pub fn actions(
        &self,
        system: &dyn System,
        path: &Path,
        stat: Option<&Stat>,
        content: Content,
    ) -> Result<Vec<Action>, Failure> {
        match stat {
            Some(stat) if holds(system, path, stat, &content)? => self.common.settle(system, path, stat),
            _ => self.write(system, path, stat, content, &Attributes::default()),
        }
    }

    /// Writes it in any case. `fallback` says what the file gets where the arguments say nothing.
    pub fn write(
        &self,
        system: &dyn System,
        path: &Path,
        stat: Option<&Stat>,
        content: Content,
        fallback: &Attributes,
    ) -> Result<Vec<Action>, Failure> {
        let old = stat.filter(|stat| stat.kind == FileKind::File);
        let wanted = self.common.attributes(system, old, false)?;
        let attributes = Attributes {
            uid: wanted.uid.or(fallback.uid),
            gid: wanted.gid.or(fallback.gid),
            mode: wanted.mode.or(fallback.mode),
        };
        let validate = self.validate.map(validation).transpose()?;
        let write = WriteFile {
            path: path.to_owned(),
            content,
            attributes,
            backup: self.backup_of(system, path, stat),
            validate,
            unsafe_writes: self.unsafe_writes,
            diff: true,
        };
        let mut actions = vec![Action::change(Act::WriteFile(Box::new(write)))];
        actions.extend(self.common.label(system, path, old.is_some())?);
        Ok(actions)
    }

    /// Where the file that is there now is kept.
    pub fn backup_of(&self, system: &dyn System, path: &Path, stat: Option<&Stat>) -> Option<PathBuf> {
        (self.backup && stat.is_some()).then(|| backup_name(system, path))
    }
}

/// Whether `path` is a file with this content.
pub fn holds(system: &dyn System, path: &Path, stat: &Stat, content: &Content) -> Result<bool, Failure> {
    let what = |path: &Path| format!("read {}", path.display());
    if stat.kind != FileKind::File {
        return Ok(false);
    }
    let wanted = match content {
        Content::Bytes(bytes) if bytes.len() as u64 != stat.size => return Ok(false),
        Content::Bytes(bytes) => return Ok(system.read(path).during(|| what(path))?.as_ref() == Some(bytes)),
        Content::Blob(blob) if blob.size != stat.size => return Ok(false),
        Content::Blob(blob) => Some(blob.hash),
        Content::File(from) => match system.stat(from, true).during(|| what(from))? {
            Some(source) if source.size != stat.size => return Ok(false),
            _ => system.hash(from).during(|| what(from))?,
        },
    };
    Ok(wanted.is_some() && system.hash(path).during(|| what(path))? == wanted)
}

/// The words of `validate`.
pub fn validation(line: &str) -> Result<Vec<String>, ArgError> {
    if !line.contains("%s") {
        return Err(ArgError::new("validate", "`validate` needs %s, which stands for the new file"));
    }
    words::split(line).map_err(|why| ArgError::new("validate", why))
}

/// For `Module::check`: whether `validate`, if it is given, can be read.
pub fn check_validate(line: &Option<String>) -> Result<(), ArgError> {
    line.as_deref().map_or(Ok(()), |line| validation(line).map(|_| ()))
}

/// Attributes of a link itself: it has no permissions.
pub fn of_link(system: &dyn System, common: &Common) -> Result<Attributes, Failure> {
    common.with_mode(None).attributes(system, None, false)
}

/// A symbolic link at `path`, whatever file or link stands there now.
pub fn link(
    system: &dyn System,
    path: &Path,
    stat: Option<&Stat>,
    target: &Path,
    wanted: &Attributes,
) -> Result<Vec<Action>, Failure> {
    let mut actions = Vec::new();
    match stat {
        Some(stat) if stat.kind == FileKind::Link => {
            let now = system.read_link(path).during(|| format!("read the link {}", path.display()))?;
            if now == target {
                return Ok(attributes::settle(path, wanted, stat).into_iter().collect());
            }
        }
        Some(stat) if stat.kind == FileKind::Dir => {
            let names = system.list(path).during(|| format!("list {}", path.display()))?.unwrap_or_default();
            if !names.is_empty() {
                return Err(Failure::new(format!(
                    "{} is a directory that is not empty: it is not made a link",
                    path.display()
                )));
            }
            actions.push(Action::change(Act::Remove { path: path.to_owned() }));
        }
        _ => {}
    }
    actions.push(Action::change(Act::Symlink { path: path.to_owned(), target: target.to_owned() }));
    if *wanted != Attributes::default() {
        let set = Act::SetAttributes { path: path.to_owned(), attributes: wanted.clone(), follow: false };
        actions.push(Action::change(set));
    }
    Ok(actions)
}
