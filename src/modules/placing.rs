//! One file brought to where `dest` says: a path, or a directory. What `copy`, `template` and `assemble` share.

use std::path::{Path, PathBuf};

use super::file_args::{Common, make_dirs};
use super::put::{Put, holds};
use crate::change::{Attributes, Change, Mode};
use crate::failure::{During, Failure};
use crate::map;
use crate::probe::{attributes, expand, paths};
use crate::system::{Content, Digest, FileKind, Output, Stat, System};
use crate::value::{Map, Value};

/// One file and where it is to stand.
pub struct Placing<'a> {
    /// What it holds.
    pub content: Content,
    /// Its name where `dest` is a directory; none for a content without a name.
    pub name: Option<&'a str>,
    /// Its SHA-1.
    pub sha1: String,
    /// As the user gave it.
    pub dest: &'a Path,
    /// How it is written.
    pub put: Put<'a>,
    /// Replace a file that is there.
    pub force: bool,
    /// Where a link stands at the path, replace what it points at.
    pub follow: bool,
    /// Permissions of directories that are made.
    pub directory_mode: Option<&'a Mode>,
    /// The checksum that the user expects.
    pub checksum: Option<&'a str>,
    /// What a file that is replaced gets where the arguments say nothing, instead of keeping what it had.
    pub replaced: Attributes,
}

/// Where the file is to stand.
struct Spot {
    /// As it is returned.
    shown: PathBuf,
    path: PathBuf,
    stat: Option<Stat>,
}

impl Placing<'_> {
    /// What must be done; the values are those of the machine as it is.
    pub fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        let spot = self.spot(system)?;
        if let (Some(_), false, true) = (&spot.stat, self.force, done.is_empty()) {
            let mut values = map! { "dest" => text(&spot.shown) };
            values.extend(self.name.map(|name| ("src".to_owned(), name.into())));
            return Ok(Change::none(values));
        }
        if !done.is_empty() {
            return Ok(Change::none(self.written(system, &spot, done)?));
        }
        if let Some(stat) = &spot.stat
            && holds(system, &spot.path, stat, &self.content)?
        {
            let actions = self.put.common.settle(system, &spot.path, stat)?;
            return Ok(Change::of(actions, self.there(system, &spot, stat)?));
        }
        Ok(Change::again(self.actions(system, &spot)?, self.written(system, &spot, &[])?))
    }

    fn spot(&self, system: &dyn System) -> Result<Spot, Failure> {
        let mut shown = expand::path(system, self.dest)?;
        let full = |shown: &Path| system.cwd().join(shown);
        if paths::ends_in_slash(self.dest) {
            shown.push(self.name.ok_or_else(no_name)?);
        }
        if paths::is_dir(system, &full(&shown))? {
            shown.push(self.name.ok_or_else(no_name)?);
        }
        let mut path = full(&shown);
        let mut stat = paths::stat(system, &path, false)?;
        let is_link = stat.as_ref().is_some_and(|stat| stat.kind == FileKind::Link);
        if is_link && self.follow && paths::stat(system, &path, true)?.is_some() {
            path = paths::real(system, &path)?;
            stat = paths::stat(system, &path, false)?;
            shown.clone_from(&path);
        }
        Ok(Spot { shown, path, stat })
    }

    fn actions(&self, system: &dyn System, spot: &Spot) -> Result<Vec<crate::change::Action>, Failure> {
        let Spot { path, stat, .. } = spot;
        if let Some(checksum) = self.checksum.filter(|checksum| *checksum != self.sha1) {
            return Err(wrong_checksum(&self.sha1, checksum));
        }
        if stat.as_ref().is_some_and(|stat| stat.kind == FileKind::Dir) {
            let message = format!("{} is a directory: a file does not take its place", path.display());
            return Err(Failure::new(message).argument("dest"));
        }
        let mut actions = self.parents(system, path)?;
        let fallback = match stat {
            Some(stat) if stat.kind == FileKind::File => &self.replaced,
            _ => &Attributes::default(),
        };
        actions.extend(self.put.write(system, path, stat.as_ref(), self.content.clone(), fallback)?);
        Ok(actions)
    }

    /// Makes the directories above, where the user said with a slash that they are directories.
    fn parents(&self, system: &dyn System, path: &Path) -> Result<Vec<crate::change::Action>, Failure> {
        let parent = path.parent().unwrap_or(Path::new("/"));
        let missing = paths::missing_dirs(system, parent)?;
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        if !paths::ends_in_slash(self.dest) {
            let message = format!("Destination directory {} does not exist", parent.display());
            return Err(Failure::new(message).argument("dest").with("checksum", self.sha1.as_str()));
        }
        make_dirs(system, &missing, &Common { flags: None, ..self.put.common.with_mode(self.directory_mode) })
    }

    /// The values of a content that is there already; owner, group and permissions as they will be.
    fn there(&self, system: &dyn System, spot: &Spot, stat: &Stat) -> Result<Map, Failure> {
        let wanted = self.put.common.attributes(system, Some(stat), false)?;
        let settled = Stat {
            uid: wanted.uid.unwrap_or(stat.uid),
            gid: wanted.gid.unwrap_or(stat.gid),
            mode: wanted.mode.unwrap_or(stat.mode),
            ..stat.clone()
        };
        let mut values =
            map! { "dest" => text(&spot.shown), "path" => text(&spot.shown), "checksum" => self.sha1.as_str() };
        values.extend(attributes::values_of(system, &settled)?);
        Ok(values)
    }

    fn written(&self, system: &dyn System, spot: &Spot, done: &[Output]) -> Result<Map, Failure> {
        let mut values = map! { "dest" => text(&spot.shown), "checksum" => self.sha1.as_str() };
        if !done.is_empty() {
            values.extend(self.name.map(|name| ("src".to_owned(), name.into())));
            let md5 = system.digest(&spot.path, Digest::Md5);
            values.insert("md5sum".to_owned(), md5.during(|| format!("read {}", spot.path.display()))?.into());
        }
        values.extend(backup_file(done));
        values.extend(attributes::values(system, &spot.path)?);
        Ok(values)
    }
}

/// `backup_file`, where a written file has left one.
pub fn backup_file(done: &[Output]) -> Option<(String, Value)> {
    let kept = done.iter().find(|output| output.argv.is_empty() && !output.stdout.is_empty())?;
    Some(("backup_file".to_owned(), kept.text().into()))
}

fn no_name() -> Failure {
    Failure::new("`content` has no name that it could take in a directory: let `dest` name the file").argument("dest")
}

/// The failure of a content that is not the expected one.
pub fn wrong_checksum(found: &str, expected: &str) -> Failure {
    Failure::new("Copied file does not match the expected checksum. Transfer failed.")
        .argument("checksum")
        .with("checksum", found)
        .with("expected_checksum", expected)
}

/// A path as a returned value.
pub fn text(path: &Path) -> Value {
    Value::Str(path.to_string_lossy().into_owned())
}
