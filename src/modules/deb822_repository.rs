mod source;

use std::path::{Path, PathBuf};

use super::web::exchange;
use crate::change::{Act, Action, Attributes, Change, Mode, WriteFile};
use crate::failure::{During, Failure};
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::probe::{attributes, paths, pgp};
use crate::system::{Content, Output, System};
use crate::value::Value;
use crate::{args, choices, map};

const KEYRINGS: &str = "/etc/apt/keyrings";

choices! {
    /// What may be wanted of a repository.
    pub enum State {
        /// apt uses it.
        Present = "present",
        /// Its file and its key are gone.
        Absent = "absent",
    }
}

choices! {
    /// What a repository holds.
    pub enum Type {
        /// Packages.
        Deb = "deb",
        /// Sources of packages.
        DebSrc = "deb-src",
    }
}

args! {
    /// Adds repositories to apt's sources, and removes them, in the form of `sources.list.d/NAME.sources`.
    ///
    /// The lists of packages are not refreshed: `apt` does that with `update_cache`. A key that `signed_by` gives by its
    /// address is fetched each time and kept in `/etc/apt/keyrings`.
    pub struct Args {
        /// The repository's name, after which its files are named.
        name: String;
        /// What is wanted.
        state: State = State::Present;
        /// Addresses of the archive.
        uris: Option<Vec<String>>;
        /// Releases, or paths that end in a slash.
        suites: Option<Vec<String>>;
        /// Parts of a release.
        components: Option<Vec<String>>;
        /// Packages, sources or both.
        types: Vec<Type> = vec![Type::Deb];
        /// The key: an address, a file of the host, fingerprints, or the key itself as text.
        signed_by: Option<String>;
        /// Architectures to use.
        architectures: Option<Vec<String>>;
        /// Whether apt uses it.
        enabled: Option<bool>;
        /// Languages of descriptions to fetch.
        languages: Option<Vec<String>>;
        /// Kinds of lists to fetch.
        targets: Option<Vec<String>>;
        /// Trust it without a signature.
        trusted: Option<bool>;
        /// Use a repository without a good signature.
        allow_insecure: Option<bool>;
        /// Accept a signature with a weak digest.
        allow_weak: Option<bool>;
        /// Go on where a repository has lost its signature.
        allow_downgrade_to_insecure: Option<bool>;
        /// Fetch lists by their checksums.
        by_hash: Option<bool>;
        /// Take the machine's clock for right.
        check_date: Option<bool>;
        /// Refuse lists that are too old.
        check_valid_until: Option<bool>;
        /// Seconds that a repository may be in the future.
        date_max_future: Option<i64>;
        /// Where the `InRelease` file lies.
        inrelease_path: Option<String>;
        /// Fetch differences instead of whole lists.
        pdiffs: Option<bool>;
        /// The permissions of the file; 0644 when left out.
        mode: Option<Mode>;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "deb822_repository");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        if self.state == State::Absent {
            return self.remove(system);
        }
        let mut actions = Vec::new();
        let mut key_file = Value::Null;
        let signed_by = match &self.signed_by {
            Some(url) if is_address(url) => match self.fetched(system, url, done)? {
                Err(action) => {
                    let unknown = || Value::Unknown(String::new());
                    // Where the source is not there yet, a change follows for sure: a plan says so.
                    let is_new = paths::stat(system, Path::new(&self.file()), true)?.is_none();
                    let values = map! {
                        "dest" => self.file(), "repo" => unknown(), "key_filename" => unknown(), "changed" => is_new,
                    };
                    return Ok(Change::again(vec![*action], values));
                }
                Ok(key) => {
                    let path = self.key_file(if pgp::is_armored(&key) { "asc" } else { "gpg" });
                    actions.extend(keep_key(system, &path, key)?);
                    key_file = path.display().to_string().into();
                    Some(path.display().to_string())
                }
            },
            Some(path) if path.starts_with('/') && paths::stat(system, Path::new(path), true)?.is_some() => {
                key_file = path.as_str().into();
                Some(path.clone())
            }
            other => other.clone(),
        };
        let text = source::text(self, signed_by.as_deref());
        actions.extend(self.keep(system, &text)?);
        Ok(Change::of(actions, map! { "repo" => text, "dest" => self.file(), "key_filename" => key_file }))
    }

    fn check(&self) -> Result<(), ArgError> {
        if self.slug().is_empty() {
            return Err(ArgError::new("name", format!("`{}` cannot name a file", self.name)));
        }
        Ok(())
    }

    fn effects(given: &Given) -> Effects {
        Effects::world_if(given.may("signed_by", is_address))
    }
}

fn is_address(text: &str) -> bool {
    ["http://", "https://", "file://"].iter().any(|scheme| text.starts_with(scheme))
}

impl Args {
    /// The name as files have it.
    fn slug(&self) -> String {
        let mut slug = String::new();
        for letter in self.name.to_lowercase().chars() {
            match letter {
                '_' => slug.push('\n'),
                letter if letter.is_whitespace() => slug.push('\n'),
                letter if letter.is_ascii_alphanumeric() || letter == '-' => slug.push(letter),
                _ => {}
            }
        }
        // Each run of blanks and `_` is one `-`.
        let mut parts = slug.split('\n').peekable();
        let mut out = String::from(parts.next().unwrap_or_default());
        while let Some(part) = parts.next() {
            if !part.is_empty() || parts.peek().is_none() {
                out.push('-');
            }
            out.push_str(part);
        }
        out
    }

    fn file(&self) -> String {
        format!("/etc/apt/sources.list.d/{}.sources", self.slug())
    }

    fn key_file(&self, extension: &str) -> PathBuf {
        Path::new(KEYRINGS).join(format!("{}.{extension}", self.slug()))
    }

    fn remove(&self, system: &dyn System) -> Result<Change, Failure> {
        let mut actions = Vec::new();
        for path in [PathBuf::from(self.file()), self.key_file("asc"), self.key_file("gpg")] {
            if paths::stat(system, &path, false)?.is_some() {
                actions.push(Action::change(Act::Remove { path }));
            }
        }
        let key_file = self.key_file("gpg").display().to_string();
        Ok(Change::of(actions, map! { "repo" => Value::Null, "dest" => self.file(), "key_filename" => key_file }))
    }

    /// The key that lies at an address, or what must be asked for it.
    fn fetched(
        &self,
        system: &dyn System,
        url: &str,
        done: &[Output],
    ) -> Result<Result<Vec<u8>, Box<Action>>, Failure> {
        let who = exchange::Identification { name: &None, password: &None, at_once: false, use_netrc: true };
        let mut answers = exchange::downloads(done);
        match exchange::stage(system, exchange::get(url, true), who, &mut answers)
            .map_err(|it| it.argument("signed_by"))?
        {
            exchange::Stage::Ask(request) => Ok(Err(Box::new(exchange::ask(*request)))),
            exchange::Stage::Answer(answer) if answer.ok() => {
                match pgp::plain(&answer.body).and_then(|it| pgp::keys(&it)) {
                    Some(keys) if !keys.is_empty() => Ok(Ok(answer.body)),
                    _ => Err(Failure::new(format!("{url} holds no key of OpenPGP")).argument("signed_by")),
                }
            }
            exchange::Stage::Answer(answer) => Err(exchange::refusal(url, &answer).argument("signed_by")),
        }
    }

    fn keep(&self, system: &dyn System, text: &str) -> Result<Option<Action>, Failure> {
        let path = PathBuf::from(self.file());
        let old = paths::stat(system, &path, false)?;
        let mode = self.mode.clone().unwrap_or(Mode::Bits(0o644));
        let wanted = attributes::Wanted { mode: Some(&mode), ..Default::default() };
        let attributes = attributes::resolve(system, wanted, old.as_ref(), false)?;
        put(system, path, text.as_bytes().to_vec(), attributes)
    }
}

/// The key lies in its file, in a folder that others can read.
fn keep_key(system: &dyn System, path: &Path, key: Vec<u8>) -> Result<Vec<Action>, Failure> {
    let mut actions = Vec::new();
    let attributes = |mode| Attributes { mode: Some(mode), ..Attributes::default() };
    for dir in paths::missing_dirs(system, Path::new(KEYRINGS))? {
        actions.push(Action::change(Act::MakeDir { path: dir, attributes: attributes(0o755) }));
    }
    actions.extend(put(system, path.to_owned(), key, attributes(0o644))?);
    Ok(actions)
}

fn put(system: &dyn System, path: PathBuf, bytes: Vec<u8>, attributes: Attributes) -> Result<Option<Action>, Failure> {
    let old = paths::stat(system, &path, false)?;
    let hash = system.hash(&path).during(|| format!("read {}", path.display()))?;
    match old {
        Some(stat) if hash == Some(*blake3::hash(&bytes).as_bytes()) => {
            Ok(attributes::settle(&path, &attributes, &stat))
        }
        _ => Ok(Some(Action::change(Act::WriteFile(Box::new(WriteFile {
            path,
            content: Content::Bytes(bytes),
            attributes,
            backup: None,
            validate: None,
            unsafe_writes: false,
            diff: true,
        }))))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::Arguments;

    #[test]
    fn names_of_files() {
        let slug = |name: &str| Args::read(&map! { "name" => name }).unwrap().slug();
        assert_eq!(slug("Node Source_ 20.x"), "node-source-20x");
        assert_eq!(slug("a-b"), "a-b");
    }
}
