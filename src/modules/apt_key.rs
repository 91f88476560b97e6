use std::path::{Path, PathBuf};

use super::web::exchange;
use crate::change::{Act, Action, Attributes, Change, WriteFile};
use crate::failure::{During, Failure};
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::probe::pgp::{self, Key};
use crate::probe::{expand, paths};
use crate::system::{Content, Output, System};
use crate::value::{Map, Value};
use crate::{args, choices, map};

const TRUSTED: &str = "/etc/apt/trusted.gpg";
const PARTS: &str = "/etc/apt/trusted.gpg.d";

choices! {
    /// What may be wanted of a key.
    pub enum State {
        /// apt trusts it.
        Present = "present",
        /// apt does not trust it.
        Absent = "absent",
    }
}

args! {
    /// Gives apt keys to trust, and takes them away.
    ///
    /// Neither `apt-key` (which newer releases do not have) nor gpg is needed: a key comes into a file of its own in
    /// `/etc/apt/trusted.gpg.d`, or into `keyring`. A key that is trusted for all repositories is trusted too much:
    /// `deb822_repository` with `signed_by` is better. With `id` nothing is fetched when the key is there.
    pub struct Args {
        /// The key: the last 8, the last 16 or all digits of its fingerprint.
        id: Option<String>;
        /// The address of the key.
        url: Option<String>;
        /// The key itself.
        data: Option<String>;
        /// A file of the host that holds the key.
        file: Option<PathBuf>;
        /// A server to ask for the key `id`.
        keyserver: Option<String>;
        /// The file that holds the trusted keys.
        keyring: Option<PathBuf>;
        /// What is wanted.
        state: State = State::Present;
        /// Check the server's certificate.
        validate_certs: bool = true;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "apt_key");

/// A file of trusted keys.
struct File {
    path: PathBuf,
    keys: Vec<Key>,
    is_armored: bool,
}

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        let trusted = self.trusted(system)?;
        if let Some(id) = &self.id {
            let there = trusted.iter().any(|file| file.keys.iter().any(|key| key.is_called(id)));
            match (self.state, there) {
                (State::Present, true) | (State::Absent, false) => return Ok(Change::none(values(id))),
                (State::Absent, true) => return self.distrust(&trusted, id),
                (State::Present, false) => {}
            }
        }
        let keys = match self.given(system, done)? {
            Ok(keys) => keys,
            Err(action) => {
                let unknown = Value::Unknown(String::new());
                let id = self.id.clone().map_or(unknown, Value::Str);
                return Ok(Change::again(vec![*action], map! { "id" => id }));
            }
        };
        let wanted = match &self.id {
            None => keys.first(),
            Some(id) => keys.iter().find(|key| key.is_called(id)),
        };
        let Some(wanted) = wanted else {
            let id = self.id.as_deref().unwrap_or_default();
            return Err(Failure::new(format!("what was given holds no key {id}")).argument("id"));
        };
        let fingerprint = wanted.fingerprints[0].clone();
        let there = trusted.iter().any(|file| file.keys.iter().any(|key| key.is_called(&fingerprint)));
        match (self.state, there) {
            (State::Present, true) | (State::Absent, false) => Ok(Change::none(values(&fingerprint))),
            (State::Absent, true) => self.distrust(&trusted, &fingerprint),
            (State::Present, false) => self.trust(system, &trusted, &keys, &fingerprint),
        }
    }

    fn check(&self) -> Result<(), ArgError> {
        let sources = [self.url.is_some(), self.data.is_some(), self.file.is_some(), self.keyserver.is_some()];
        let given = sources.iter().filter(|given| **given).count();
        if given > 1 {
            return Err(ArgError::whole("`url`, `data`, `file` and `keyserver` exclude each other"));
        }
        if self.keyserver.is_some() && self.id.is_none() {
            return Err(ArgError::new("id", "`keyserver` needs `id`"));
        }
        if given == 0 && (self.id.is_none() || self.state == State::Present) {
            return Err(ArgError::whole("give the key with `url`, `data`, `file` or `keyserver`"));
        }
        let Some(id) = &self.id else { return Ok(()) };
        let digits = id.trim_start_matches("0x").trim_start_matches("0X").replace(' ', "");
        let good = digits.chars().all(|c| c.is_ascii_hexdigit()) && (digits.len() == 8 || digits.len() >= 16);
        match good {
            true => Ok(()),
            false => Err(ArgError::new("id", format!("expected 8, 16 or more digits of a fingerprint, found `{id}`"))),
        }
    }

    fn effects(given: &Given) -> Effects {
        Effects::world_if(given.has("url") || given.has("keyserver"))
    }
}

impl Args {
    fn trusted(&self, system: &dyn System) -> Result<Vec<File>, Failure> {
        let paths = match &self.keyring {
            Some(path) => vec![expand::path(system, path)?],
            None => {
                let names = system.list(Path::new(PARTS)).during(|| format!("read {PARTS}"))?.unwrap_or_default();
                let parts = names.iter().filter(|name| {
                    let name = name.to_string_lossy();
                    name.ends_with(".gpg") || name.ends_with(".asc")
                });
                std::iter::once(PathBuf::from(TRUSTED)).chain(parts.map(|name| Path::new(PARTS).join(name))).collect()
            }
        };
        let mut files = Vec::new();
        for path in paths {
            let Some(bytes) = system.read(&path).during(|| format!("read {}", path.display()))? else { continue };
            let keys = pgp::plain(&bytes).and_then(|bytes| pgp::keys(&bytes)).unwrap_or_default();
            files.push(File { path, keys, is_armored: pgp::is_armored(&bytes) });
        }
        Ok(files)
    }

    /// The keys that the arguments give, or what must be asked for them.
    fn given(&self, system: &dyn System, done: &[Output]) -> Result<Result<Vec<Key>, Box<Action>>, Failure> {
        let (argument, bytes) = match (&self.data, &self.file) {
            (Some(data), _) => ("data", data.clone().into_bytes()),
            (None, Some(file)) => {
                let file = expand::path(system, file)?;
                let bytes = system.read(&file).during(|| format!("read {}", file.display()))?;
                let none = || Failure::new(format!("there is no file {}", file.display())).argument("file");
                ("file", bytes.ok_or_else(none)?)
            }
            (None, None) => {
                let (argument, url) = self.address();
                let request = exchange::get(&url, self.validate_certs);
                let asked = exchange::body(system, request, true, &mut exchange::downloads(done));
                match asked.map_err(|failure| failure.argument(argument))? {
                    Ok(body) => (argument, body),
                    Err(ask) => return Ok(Err(ask)),
                }
            }
        };
        match pgp::plain(&bytes).and_then(|bytes| pgp::keys(&bytes)) {
            Some(keys) if !keys.is_empty() => Ok(Ok(keys)),
            _ => Err(Failure::new("this is no public key of OpenPGP").argument(argument)),
        }
    }

    /// The address of the key, also on a server of keys, and the argument that names it.
    fn address(&self) -> (&'static str, String) {
        let Some(server) = &self.keyserver else { return ("url", self.url.clone().unwrap_or_default()) };
        let id = self.id.as_deref().unwrap_or_default().trim_start_matches("0x").replace(' ', "");
        let base = match server.split_once("://") {
            Some(("hkp", host)) if host.contains(':') => format!("http://{host}"),
            Some(("hkp", host)) => format!("http://{host}:11371"),
            Some(("hkps", host)) => format!("https://{host}"),
            Some(_) => server.clone(),
            None => format!("https://{server}"),
        };
        ("keyserver", format!("{}/pks/lookup?op=get&options=mr&search=0x{id}", base.trim_end_matches('/')))
    }

    fn trust(&self, system: &dyn System, trusted: &[File], keys: &[Key], fingerprint: &str) -> Result<Change, Failure> {
        let new: Vec<u8> = keys.iter().flat_map(|key| key.bytes.clone()).collect();
        let (path, bytes) = match &self.keyring {
            None => (Path::new(PARTS).join(format!("{fingerprint}.gpg")), new),
            Some(path) => {
                let held = trusted.iter().flat_map(|file| &file.keys).flat_map(|key| key.bytes.clone());
                (expand::path(system, path)?, held.chain(new).collect())
            }
        };
        let mut actions = Vec::new();
        for dir in paths::missing_dirs(system, path.parent().unwrap_or(Path::new("/")))? {
            actions.push(Action::change(Act::MakeDir { path: dir, attributes: mode(0o755) }));
        }
        actions.push(write(path, bytes));
        Ok(Change::of(actions, values(fingerprint)))
    }

    fn distrust(&self, trusted: &[File], id: &str) -> Result<Change, Failure> {
        let mut actions = Vec::new();
        for file in trusted {
            let (gone, kept): (Vec<&Key>, Vec<&Key>) = file.keys.iter().partition(|key| key.is_called(id));
            if gone.is_empty() {
                continue;
            }
            if kept.is_empty() {
                actions.push(Action::change(Act::Remove { path: file.path.clone() }));
            } else if file.is_armored {
                let message = format!("{} holds other keys too, as text: split it first", file.path.display());
                return Err(Failure::new(message).argument("id"));
            } else {
                actions.push(write(file.path.clone(), kept.iter().flat_map(|key| key.bytes.clone()).collect()));
            }
        }
        Ok(Change::of(actions, values(id)))
    }
}

fn mode(mode: u32) -> Attributes {
    Attributes { mode: Some(mode), ..Attributes::default() }
}

fn write(path: PathBuf, bytes: Vec<u8>) -> Action {
    Action::change(Act::WriteFile(Box::new(WriteFile {
        path,
        content: Content::Bytes(bytes),
        attributes: mode(0o644),
        backup: None,
        validate: None,
        unsafe_writes: false,
        diff: false,
    })))
}

fn values(id: &str) -> Map {
    let id = id.trim_start_matches("0x").trim_start_matches("0X").replace(' ', "").to_uppercase();
    let last = |count: usize| id[id.len().saturating_sub(count)..].to_owned();
    map! { "id" => id.as_str(), "key_id" => id.as_str(), "fp" => last(16), "short_id" => last(8) }
}
