use std::path::PathBuf;

use base64::Engine as _;

use crate::change::Change;
use crate::failure::{During, Failure};
use crate::module::{Effects, Given, Module, ModuleSpec, Things};
use crate::probe::{expand, paths};
use crate::system::{Digest, FileKind, Output, System};
use crate::value::Value;
use crate::{args, map};

/// A file travels in answers, at most so many bytes in each.
const PART: u64 = 8 << 20;

args! {
    /// Brings a file of the host to the controller.
    ///
    /// It becomes `DEST/HOST/PATH` there, or `DEST` with `flat`. A file that is the same already is left alone.
    pub struct Args {
        /// The file. A link is followed.
        src: PathBuf;
        /// Where it goes on the controller; a relative path starts at the playbook.
        dest: String;
        /// `dest` is the file itself, or a directory for it if it ends in a slash.
        flat: bool = false;
        /// Fail where there is no such file.
        fail_on_missing: bool = true;
        /// See that it has arrived as it was.
        validate_checksum: bool = true;
        /// Where a part of a large file begins: wodctl asks for one after the other.
        offset as "_offset": i64 = 0;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "fetch");

/// The value in which the content travels to the controller, in base64.
pub const CONTENT: &str = "_content";

/// The value that says where the next part begins, if this was not the last one.
pub const NEXT: &str = "_next";

/// The argument with which the next part is asked for.
pub const OFFSET: &str = "_offset";

impl Module for Args {
    /// The host's half: the runner then writes what arrives.
    fn plan(&self, system: &dyn System, _: &[Output]) -> Result<Change, Failure> {
        let shown = expand::path(system, &self.src)?;
        let path = system.cwd().join(&shown);
        let file = shown.to_string_lossy().into_owned();
        let stat = match paths::stat(system, &path, true)? {
            None => return self.missing(file, "the remote file does not exist"),
            Some(stat) if stat.kind == FileKind::Dir => {
                return self.missing(file, "remote file is a directory, fetch cannot work on directories");
            }
            Some(stat) => stat,
        };
        let offset = self.offset.max(0) as u64;
        let part = system.read_part(&path, offset, PART).during(|| format!("read {file}"))?.unwrap_or_default();
        let next = offset + part.len() as u64;
        let mut values = map! {
            "file" => file.as_str(),
            CONTENT => base64::engine::general_purpose::STANDARD.encode(&part),
        };
        if next < stat.size && !part.is_empty() {
            values.insert(NEXT.to_owned(), Value::Int(next as i64));
        } else {
            let checksum = system.digest(&path, Digest::Sha1).during(|| format!("read {file}"))?;
            values.insert("remote_checksum".to_owned(), checksum.map_or(Value::Null, Value::Str));
        }
        Ok(Change::none(values))
    }

    fn effects(_: &Given) -> Effects {
        Effects::looks().writing(Things::FILES)
    }
}

impl Args {
    fn missing(&self, file: String, why: &str) -> Result<Change, Failure> {
        match self.fail_on_missing {
            true => Err(Failure::new(why).argument("src")),
            false => {
                let message = format!("{why}, not transferring, ignored");
                Ok(Change::none(map! { "file" => file, "msg" => message }))
            }
        }
    }
}
