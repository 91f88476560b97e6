mod json;
mod tree;

use std::path::{Path, PathBuf};

use crate::change::{Attributes, Change, Mode};
use crate::failure::{During, Failure};
use crate::file_args;
use crate::module::{Arg, ArgError, Effects, Given, Module, ModuleSpec, Source};
use crate::modules::file_args::Common;
use crate::modules::placing::Placing;
use crate::modules::put::{Put, check_validate};
use crate::probe::paths;
use crate::system::{Content, Digest, FileKind, Output, System};
use crate::value::Value;

file_args! {
    /// Copies files and directories of the controller to the host, or from one place on the host to another.
    ///
    /// What the host has already does not travel. A file is replaced as a whole: nobody ever sees half of it.
    pub struct Args {
        /// A file or directory, looked for in `files` of the role and beside the playbook; on the host with `remote_src`.
        /// If it is a directory that ends in a slash, its content is copied, else the directory itself.
        src: Option<Source>;
        /// The text of the file, instead of `src`. A list or mapping is written as JSON.
        content: Option<Value>;
        /// Where it goes. If it is a directory, or ends in a slash, the file keeps its name in it. Directories must be
        /// there, unless `dest` ends in a slash or `src` is a directory.
        dest: PathBuf;
        /// Keep the file that was there, with the time in its name.
        backup: bool = false;
        /// Replace a file with another content. With `false` a file is only written where there is none.
        force: bool = true;
        /// A program that must approve of the new file before it takes its place, with `%s` for the file:
        /// `visudo -cf %s`. It is not run through a shell.
        validate: Option<String>;
        /// Permissions of the directories that are made.
        directory_mode: Option<Mode>;
        /// `src` lies on the host.
        remote_src: bool = false, elsewhere("where the source is read");
        /// Where a link stands at `dest`, replace what it points at and not the link.
        follow: bool = false;
        /// Copy what links in a directory point at. By default for directories of the controller; links of the host are
        /// copied as links.
        local_follow: Option<bool>;
        /// The SHA-1 that the file must have.
        checksum: Option<String>;
        /// Decrypt a file that is encrypted with ansible-vault.
        decrypt: bool = true, elsewhere("where the source is read");
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "copy");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        if let Some(content) = &self.content {
            let bytes = written(content)?.into_bytes();
            let sha1 = Digest::Sha1.of(&bytes);
            let mode = self.mode_from(0o600);
            return self.placing(Content::Bytes(bytes), None, sha1, mode.as_ref()).plan(system, done);
        }
        match &self.src {
            Some(Source::File { name, mode, blob }) => {
                let mode = self.mode_from(*mode);
                let content = Content::Blob(blob.clone());
                self.placing(content, Some(name), blob.sha1.clone(), mode.as_ref()).plan(system, done)
            }
            Some(Source::Tree { name, entries }) => tree::of_controller(self, system, name, entries, done),
            Some(Source::Remote(path)) => self.remote(system, path, done),
            None => Err(Failure::new("`src` or `content` is needed")),
        }
    }

    fn check(&self) -> Result<(), ArgError> {
        let ends_in_slash = paths::ends_in_slash(&self.dest);
        match (&self.src, &self.content) {
            (None, None) => Err(ArgError::whole("`src` or `content` is needed: what is to be copied")),
            (Some(_), Some(_)) => Err(ArgError::new("content", "give either `src` or `content`, not both")),
            (None, Some(_)) if ends_in_slash => Err(ArgError::new(
                "dest",
                "`content` has no name that it could take in a directory: let `dest` name the file",
            )),
            _ => check_validate(&self.validate),
        }
    }

    fn effects(_: &Given) -> Effects {
        Effects::host()
    }
}

impl Args {
    /// The wanted permissions, where `preserve` means those of the source.
    fn mode_from(&self, source: u32) -> Option<Mode> {
        match &self.mode {
            Some(Mode::Preserve) => Some(Mode::Bits(source)),
            other => other.clone(),
        }
    }

    fn put<'a>(&'a self, mode: Option<&'a Mode>) -> Put<'a> {
        Put {
            common: Common { mode, ..self.common() },
            backup: self.backup,
            validate: self.validate.as_deref(),
            unsafe_writes: self.unsafe_writes,
        }
    }

    fn placing<'a>(
        &'a self,
        content: Content,
        name: Option<&'a str>,
        sha1: String,
        mode: Option<&'a Mode>,
    ) -> Placing<'a> {
        Placing {
            content,
            name,
            sha1,
            dest: &self.dest,
            put: self.put(mode),
            force: self.force,
            follow: self.follow,
            directory_mode: self.directory_mode.as_ref(),
            checksum: self.checksum.as_deref(),
            replaced: Attributes::default(),
        }
    }

    /// From one place on the host to another.
    fn remote(&self, system: &dyn System, src: &Path, done: &[Output]) -> Result<Change, Failure> {
        let path = paths::absolute(system, src)?;
        let Some(stat) = paths::stat(system, &path, true)? else {
            return Err(Failure::new(format!("Source {} not found", path.display())).argument("src"));
        };
        match stat.kind {
            FileKind::Dir => return tree::of_host(self, system, &path, &stat, done),
            FileKind::File => {}
            _ => return Err(Failure::new(format!("{} is no file", path.display())).argument("src")),
        }
        let sha1 = system.digest(&path, Digest::Sha1).during(|| format!("read {}", path.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mode = self.mode_from(stat.mode);
        let who = system.identity();
        // As in Ansible, a file that takes another's place brings its own permissions and owner.
        let replaced = Attributes { uid: Some(who.uid), gid: Some(who.gid), mode: Some(stat.mode) };
        let content = Content::File(path.clone());
        let placing =
            Placing { replaced, ..self.placing(content, Some(&name), sha1.unwrap_or_default(), mode.as_ref()) };
        let mut change = placing.plan(system, done)?;
        // As in Ansible, which has a program of its own for a file that is on the host already.
        change.values.shift_remove("path");
        if !change.values.contains_key("checksum") {
            change.values.insert("msg".to_owned(), "file already exists".into());
        }
        if let Some(src) = change.values.get_mut("src") {
            *src = super::placing::text(&path);
        }
        Ok(change)
    }
}

/// What `content` comes to in the file.
fn written(content: &Value) -> Result<String, Failure> {
    match content {
        Value::List(_) | Value::Map(_) => Ok(json::dumps(content)),
        other => String::read(other).map_err(|message| Failure::new(message).argument("content")),
    }
}
