use std::path::PathBuf;

use base64::Engine as _;

use crate::change::Change;
use crate::failure::{During, Failure};
use crate::module::{Module, ModuleSpec};
use crate::probe::{expand, paths};
use crate::system::{Digest, FileKind, Output, System};
use crate::value::Map;
use crate::{args, map};

/// A file travels in the answer, so it must fit into a frame.
const LONGEST: u64 = 40 << 20;

args! {
    /// Brings a file of the host to the controller.
    ///
    /// It becomes `DEST/HOST/PATH` there, or `DEST` with `flat`. A file that is the same already is left alone. Files of
    /// up to 40 MiB.
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
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "fetch");

/// The value in which the content travels to the controller, in base64.
pub const CONTENT: &str = "_content";

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
        if stat.size > LONGEST {
            let message = format!("{file} has {} bytes; files of up to {LONGEST} bytes can be fetched", stat.size);
            return Err(Failure::new(message).argument("src"));
        }
        let content = system.read(&path).during(|| format!("read {file}"))?.unwrap_or_default();
        Ok(Change::none(map! {
            "file" => file,
            "remote_checksum" => Digest::Sha1.of(&content),
            CONTENT => base64::engine::general_purpose::STANDARD.encode(&content),
        }))
    }
}

impl Args {
    fn missing(&self, file: String, why: &str) -> Result<Change, Failure> {
        let values: Map = map! { "file" => file, "msg" => format!("{why}, not transferring, ignored") };
        match self.fail_on_missing {
            true => Err(Failure { values, ..Failure::new(why).argument("src") }),
            false => Ok(Change::none(values)),
        }
    }
}
