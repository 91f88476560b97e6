use std::path::PathBuf;

use base64::Engine as _;

use crate::change::Change;
use crate::failure::{During, Failure};
use crate::module::{Effects, Given, Module, ModuleSpec};
use crate::probe::{expand, paths};
use crate::system::{FileKind, Output, System};
use crate::{args, map};

args! {
    /// Reads a file of the host.
    ///
    /// `content` of the result is in base64: `{{ result.content | b64decode }}`.
    pub struct Args {
        /// The file.
        src: PathBuf, alias("path");
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "slurp");

impl Module for Args {
    fn plan(&self, system: &dyn System, _: &[Output]) -> Result<Change, Failure> {
        let shown = expand::path(system, &self.src)?;
        let path = system.cwd().join(&shown);
        let bytes = match paths::stat(system, &path, true)? {
            Some(stat) if stat.kind == FileKind::Dir => {
                let message = format!("source is a directory and must be a file: {}", shown.display());
                return Err(Failure::new(message).argument("src"));
            }
            Some(_) => system.read(&path).during(|| format!("read {}", shown.display()))?,
            None => None,
        };
        let bytes =
            bytes.ok_or_else(|| Failure::new(format!("file not found: {}", shown.display())).argument("src"))?;
        Ok(Change::none(map! {
            "content" => base64::engine::general_purpose::STANDARD.encode(bytes),
            "source" => shown.to_string_lossy().into_owned(),
            "encoding" => "base64",
        }))
    }

    fn effects(_: &Given) -> Effects {
        Effects::looks()
    }
}
