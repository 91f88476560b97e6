use std::path::PathBuf;

use crate::change::{Attributes, Change};
use crate::failure::{During, Failure};
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec, Source, TreeKind};
use crate::modules::edit::gave_up;
use crate::modules::placing::Placing;
use crate::modules::put::{Put, check_validate};
use crate::probe::paths;
use crate::python_regex::{Flags, Pattern};
use crate::system::{Content, Digest, FileKind, Output, System};
use crate::{file_args, map};

file_args! {
    /// Puts a file together from the fragments in a directory, in the order of their names.
    pub struct Args {
        /// The directory of the fragments; its directories are left out. It lies on the host unless `remote_src` says no.
        src: Source;
        /// The file that is made.
        dest: PathBuf;
        /// The fragments lie on the host.
        remote_src: bool = true, elsewhere("where the source is read");
        /// Text between two fragments; `\n`, `\t` and the like stand for what they do in C.
        delimiter: Option<String>;
        /// Only fragments in whose names this regular expression is found.
        regexp: Option<String>;
        /// Leave fragments out whose names begin with a dot.
        ignore_hidden: bool = false;
        /// Keep the file that was there, with the time in its name.
        backup: bool = false;
        /// A program that must approve of the new file before it takes its place, with `%s` for the file. It is not run
        /// through a shell.
        validate: Option<String>;
        /// Decrypt fragments of the controller that are encrypted with ansible-vault.
        decrypt: bool = true, elsewhere("where the source is read");
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "assemble");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        let content = self.join(self.fragments(system)?)?;
        let md5 = Digest::Md5.of(&content);
        let placing = Placing {
            sha1: Digest::Sha1.of(&content),
            content: Content::Bytes(content),
            name: None,
            dest: &self.dest,
            put: Put {
                common: self.common(),
                backup: self.backup,
                validate: self.validate.as_deref(),
                unsafe_writes: self.unsafe_writes,
            },
            force: true,
            follow: false,
            directory_mode: None,
            checksum: None,
            replaced: Attributes::default(),
        };
        let mut change = placing.plan(system, done)?;
        change.values.shift_remove("path");
        if let Source::Remote(path) = &self.src {
            change.values.extend(map! { "msg" => "OK", "src" => path.to_string_lossy().into_owned() });
        }
        change.values.insert("md5sum".into(), md5.into());
        Ok(change)
    }

    fn check(&self) -> Result<(), ArgError> {
        check_validate(&self.validate)
    }

    fn effects(_: &Given) -> Effects {
        Effects::host()
    }
}

impl Args {
    /// The contents of all fragments, in order.
    fn fragments(&self, system: &dyn System) -> Result<Vec<Vec<u8>>, Failure> {
        let pattern = self.regexp.as_deref().map(|regexp| Pattern::new(regexp, Flags::default()));
        let pattern = pattern.transpose().map_err(gave_up("regexp"))?;
        let is_wanted = |name: &str| -> Result<bool, Failure> {
            let matches = pattern.as_ref().map_or(Ok(true), |pattern| pattern.is_match(name));
            Ok(matches.map_err(gave_up("regexp"))? && !(self.ignore_hidden && name.starts_with('.')))
        };
        let mut contents = Vec::new();
        match &self.src {
            Source::Tree { entries, .. } => {
                let mut files: Vec<_> = entries.iter().filter(|entry| entry.path.components().count() == 1).collect();
                files.sort_by(|one, other| one.path.cmp(&other.path));
                for entry in files {
                    let TreeKind::File(blob) = &entry.kind else { continue };
                    if is_wanted(&entry.path.to_string_lossy())? {
                        let what = || format!("read {}", entry.path.display());
                        contents.push(system.content(blob).during(what)?);
                    }
                }
            }
            Source::Remote(path) => {
                let dir = paths::absolute(system, path)?;
                let names = if paths::is_dir(system, &dir)? { system.list(&dir).during(|| "list it")? } else { None };
                let Some(names) = names else { return Err(no_directory(&dir.to_string_lossy())) };
                for name in names {
                    let path = dir.join(&name);
                    let is_file = paths::stat(system, &path, true)?.is_some_and(|stat| stat.kind == FileKind::File);
                    if is_file && is_wanted(&name.to_string_lossy())? {
                        contents.extend(system.read(&path).during(|| format!("read {}", path.display()))?);
                    }
                }
            }
            Source::File { name, .. } => return Err(no_directory(name)),
        }
        Ok(contents)
    }

    /// One after the other, each on lines of its own.
    fn join(&self, fragments: Vec<Vec<u8>>) -> Result<Vec<u8>, Failure> {
        let delimiter = self.delimiter.as_deref().filter(|text| !text.is_empty()).map(unescaped);
        let delimiter = delimiter.transpose().map_err(|why| Failure::new(why).argument("delimiter"))?;
        let mut out: Vec<u8> = Vec::new();
        for (index, fragment) in fragments.iter().enumerate() {
            if index > 0 {
                // An empty fragment counts as one without a last newline.
                if !fragments[index - 1].ends_with(b"\n") {
                    out.push(b'\n');
                }
                if let Some(delimiter) = &delimiter {
                    out.extend_from_slice(delimiter.as_bytes());
                    if !delimiter.ends_with('\n') {
                        out.push(b'\n');
                    }
                }
            }
            out.extend_from_slice(fragment);
        }
        Ok(out)
    }
}

fn no_directory(path: &str) -> Failure {
    Failure::new(format!("Source ({path}) is not a directory")).argument("src")
}

/// A text in which escapes are read as in C; what is no escape stays.
fn unescaped(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('\\') => out.push('\\'),
            Some(kind @ ('x' | 'u')) => {
                let digits: String = letters.by_ref().take(if kind == 'x' { 2 } else { 4 }).collect();
                let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                out.push(code.ok_or_else(|| format!("`\\{kind}{digits}` is no character"))?);
            }
            Some(other) => out.extend(['\\', other]),
            None => return Err("it ends in a single backslash".to_owned()),
        }
    }
    Ok(out)
}
