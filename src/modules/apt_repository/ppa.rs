//! Personal package archives, `ppa:OWNER/NAME`: where they are, and their keys.

use std::path::{Path, PathBuf};

use crate::change::{Act, Action, Attributes, WriteFile};
use crate::failure::{During, Failure};
use crate::modules::web::exchange;
use crate::probe::pgp;
use crate::system::{Content, Output, System};

const KEYS: &str = "/etc/apt/trusted.gpg.d";

/// One archive.
pub struct Ppa {
    owner: String,
    name: String,
}

/// How far its key is.
pub enum Key {
    /// apt knows it.
    There,
    /// This must be asked for it.
    Ask(Box<Action>),
    /// It comes to its place.
    Write(Vec<Action>),
}

impl Ppa {
    /// Reads `ppa:OWNER/NAME`; the name may be left out.
    pub fn parse(text: &str) -> Option<Ppa> {
        let rest = text.strip_prefix("ppa:")?;
        let (owner, name) = rest.split_once('/').unwrap_or((rest, "ppa"));
        let good =
            |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "+-.~_".contains(c));
        (good(owner) && good(name))
            .then(|| Ppa { owner: owner.trim_start_matches('~').to_owned(), name: name.to_owned() })
    }

    /// The line for apt.
    pub fn source(&self, system: &dyn System, codename: Option<&str>) -> Result<String, Failure> {
        let Ppa { owner, name } = self;
        let codename = codename.map_or_else(|| own_codename(system), |name| Ok(name.to_owned()))?;
        Ok(format!("deb https://ppa.launchpadcontent.net/{owner}/{name}/ubuntu {codename} main"))
    }

    /// Its key: asked of Launchpad, then of Ubuntu's key server, if apt does not have it.
    pub fn key(&self, system: &dyn System, validate_certs: bool, done: &[Output]) -> Result<Key, Failure> {
        let path = self.path();
        if system.stat(&path, true).during(|| format!("look at {}", path.display()))?.is_some() {
            return Ok(Key::There);
        }
        let Ppa { owner, name } = self;
        let mut answers = exchange::downloads(done);
        let mut ask = |url: String| {
            let request = exchange::get(&url, validate_certs);
            exchange::body(system, request, false, &mut answers).map_err(|failure| failure.argument("repo"))
        };
        let about = match ask(format!("https://api.launchpad.net/1.0/~{owner}/+archive/{name}"))? {
            Ok(body) => body,
            Err(ask) => return Ok(Key::Ask(ask)),
        };
        let about: serde_json::Value = serde_json::from_slice(&about).unwrap_or_default();
        let Some(id) = about["signing_key_fingerprint"].as_str() else {
            return Err(Failure::new(format!("Launchpad names no key for ppa:{owner}/{name}")).argument("repo"));
        };
        let key = match ask(format!("https://keyserver.ubuntu.com/pks/lookup?op=get&options=mr&search=0x{id}"))? {
            Ok(body) => body,
            Err(ask) => return Ok(Key::Ask(ask)),
        };
        let plain =
            pgp::plain(&key).filter(|key| pgp::keys(key).is_some_and(|keys| keys.iter().any(|key| key.is_called(id))));
        let plain = plain.ok_or_else(|| Failure::new(format!("the key server sent no key {id}")).argument("repo"))?;
        Ok(Key::Write(vec![Action::change(Act::WriteFile(Box::new(WriteFile {
            path,
            content: Content::Bytes(plain),
            attributes: Attributes { mode: Some(0o644), ..Attributes::default() },
            backup: None,
            validate: None,
            unsafe_writes: false,
            diff: false,
        })))]))
    }

    fn path(&self) -> PathBuf {
        Path::new(KEYS).join(format!("{}-{}.gpg", self.owner, self.name))
    }
}

fn own_codename(system: &dyn System) -> Result<String, Failure> {
    let bytes = system.read(Path::new("/etc/os-release")).during(|| "read /etc/os-release")?.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    line.map(|name| name.trim_matches('"').to_owned())
        .ok_or_else(|| Failure::new("/etc/os-release names no release: give `codename`").argument("codename"))
}
