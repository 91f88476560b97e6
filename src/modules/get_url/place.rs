//! The file has been fetched: is it right, and does it go to its place?

use std::path::Path;

use super::{Args, is_file, remove};
use crate::change::answer::Answer;
use crate::change::perform::backup_name;
use crate::change::{Act, Action, Change, WriteFile};
use crate::failure::{During, Failure};
use crate::map;
use crate::modules::web::exchange::refusal;
use crate::modules::web::shown;
use crate::probe::{attributes, paths};
use crate::system::{Content, Digest, System};
use crate::value::{Map, Value};

impl Args {
    /// Looks at what came, and puts it to its place if it is not there already.
    pub(super) fn judge(
        &self,
        system: &dyn System,
        dest: &Path,
        fetched: &Path,
        answer: &Answer,
        sum: Option<(Digest, String)>,
    ) -> Result<Change, Failure> {
        if answer.status == 304 {
            return self.as_it_is(system, dest, "HTTP Error 304: Not Modified");
        }
        if !answer.ok() {
            return Err(refusal(&self.url, answer));
        }
        let mut values = map! {
            "url" => shown(&answer.url),
            "status_code" => answer.status,
            "msg" => answer.message(),
            "elapsed" => answer.seconds,
        };
        if paths::stat(system, fetched, false)?.is_none() {
            return self.placed(system, dest, sum, values);
        }
        if !has_sum(system, fetched, &sum)? {
            // It goes; with the next look the step fails.
            return Ok(Change::again(vec![remove(fetched)], values));
        }
        let old = paths::stat(system, dest, false)?;
        let same = is_file(&old) && system.hash(fetched)? == system.hash(dest)?;
        let mut actions = match (same, &old) {
            (true, Some(stat)) => self.common().settle(system, dest, stat)?,
            _ => {
                let backup = (self.backup && is_file(&old)).then(|| backup_name(system, dest));
                if let Some(backup) = &backup {
                    values.insert("backup_file".into(), backup.to_string_lossy().into_owned().into());
                }
                let write = WriteFile {
                    path: dest.to_owned(),
                    content: Content::File(fetched.to_owned()),
                    attributes: self.common().attributes(system, old.as_ref(), false)?,
                    backup,
                    validate: None,
                    unsafe_writes: self.unsafe_writes,
                    diff: false,
                };
                let mut actions = vec![Action::change(Act::WriteFile(Box::new(write)))];
                actions.extend(self.common().label(system, dest, old.is_some())?);
                actions
            }
        };
        actions.push(remove(fetched));
        Ok(Change::again(actions, values))
    }

    /// What was fetched has been dealt with: it is in its place, or it was not what it should be.
    fn placed(
        &self,
        system: &dyn System,
        dest: &Path,
        sum: Option<(Digest, String)>,
        mut values: Map,
    ) -> Result<Change, Failure> {
        let there = is_file(&paths::stat(system, dest, true)?);
        if let Some((_, wanted)) = sum.as_ref().filter(|_| !there || !matches!(has_sum(system, dest, &sum), Ok(true))) {
            let message = format!("The checksum of what {} sent did not match {wanted}", shown(&self.url));
            return Err(Failure { values, ..Failure::new(message).argument("checksum") });
        }
        values.extend(self.place_values(system, dest)?);
        let sha1 = values.get("checksum_dest").cloned().unwrap_or_default();
        values.insert("checksum_src".into(), sha1);
        Ok(Change::none(values))
    }

    /// What is returned of the file in its place.
    pub(super) fn place_values(&self, system: &dyn System, dest: &Path) -> Result<Map, Failure> {
        let mut values = map! { "url" => shown(&self.url), "dest" => dest.to_string_lossy().into_owned() };
        for (name, digest) in [("checksum_dest", Digest::Sha1), ("md5sum", Digest::Md5)] {
            let sum = match system.digest(dest, digest) {
                // A plan knows no content.
                Err(_) if system.asked_unknown() => Value::Unknown(String::new()),
                sum => sum.during(|| format!("read {}", dest.display()))?.into(),
            };
            values.insert(name.into(), sum);
        }
        values.extend(attributes::values(system, dest)?);
        Ok(values)
    }
}

/// Whether the file has the checksum that it must have. A plan knows no content and takes it for right.
fn has_sum(system: &dyn System, path: &Path, sum: &Option<(Digest, String)>) -> Result<bool, Failure> {
    let Some((digest, wanted)) = sum else { return Ok(true) };
    match system.digest(path, *digest) {
        Err(_) if system.asked_unknown() => Ok(true),
        found => Ok(found.during(|| format!("read {}", path.display()))?.as_ref() == Some(wanted)),
    }
}
