mod keys;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::change::answer::Answer;
use crate::change::{Act, Action, Attributes, Change, Request};
use crate::failure::{During, Failure};
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::modules::text_file::TextFile;
use crate::probe::passwd::{self, User};
use crate::probe::{attributes, expand, paths};
use crate::system::{Output, System};
use crate::value::{Map, Value};
use crate::{args, choices, map};

use keys::{Key, Line};

choices! {
    /// What may be wanted of keys.
    pub enum State { Present = "present", Absent = "absent" }
}

args! {
    /// Adds and removes the public keys with which a user may log in over SSH.
    ///
    /// Other keys stay as they are, unless `exclusive` is set.
    pub struct Args {
        /// The user whose keys they are.
        user: String;
        /// The keys, one a line; or an address (`https://…`) or a file of the target (`file:///…`) that holds them.
        key: String;
        /// Whether the keys shall be there.
        state: State = State::Present;
        /// Remove all other keys (and comments) from the file. Give all keys at once: a loop would leave the last one.
        exclusive: bool = false;
        /// Make the file's folder if it is missing, and see to it that only the user gets in.
        manage_dir: bool = true;
        /// The file, instead of `~/.ssh/authorized_keys` of the user.
        path: Option<PathBuf>;
        /// Options for the keys, as `from="10.0.0.*",no-pty`, instead of those that stand before them.
        key_options: Option<String>;
        /// A comment for the keys, instead of the one that stands behind them.
        comment: Option<String>;
        /// Where the file is a link, write what it points at; by default the link is replaced.
        follow: bool = false;
        /// Check the certificate of an `https` address.
        validate_certs: bool = true;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.posix", "authorized_key");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        let text = match self.key.as_str() {
            url if is_url(url) => match done.first() {
                None => return Ok(Change::again(vec![self.fetch()], self.values(None))),
                Some(output) => self.fetched(output)?,
            },
            url if url.starts_with("file:") => self.read_file(system, url)?,
            text => text.to_owned(),
        };
        let keys = self.keys(&text)?;
        let user = passwd::user(system, &self.user)?
            .ok_or_else(|| Failure::new(format!("there is no user `{}`", self.user)).argument("user"))?;
        let path = self.file(system, &user)?;
        let file = TextFile::read(system, &path)?;
        let wanted = self.settle(file.text(), &keys);
        let mut actions = Vec::new();
        if wanted != file.text() {
            actions.extend(self.folder(system, &path, &user)?);
            actions.extend(file.write_with(&wanted, owned(&user, 0o600)));
        }
        Ok(Change::of(actions, self.values(Some(&path))))
    }

    fn check(&self) -> Result<(), ArgError> {
        if is_url(&self.key) || self.key.starts_with("file:") {
            return Ok(());
        }
        self.keys(&self.key).map(|_| ()).map_err(|failure| ArgError::new("key", failure.message))
    }

    fn effects(given: &Given) -> Effects {
        Effects::world_if(given.may("key", is_url))
    }
}

impl Args {
    fn fetch(&self) -> Action {
        let request = Request {
            url: self.key.clone(),
            method: "GET".into(),
            follow: "urllib2".into(),
            timeout: Some(Duration::from_secs(10)),
            validate_certs: self.validate_certs,
            use_proxy: true,
            ..Request::default()
        };
        Action::housekeeping(Act::Download(Box::new(request)))
    }

    fn fetched(&self, output: &Output) -> Result<String, Failure> {
        let why = match (Answer::read(output), &output.refused) {
            (Some(answer), _) if answer.status == 200 => return Ok(String::from_utf8_lossy(&answer.body).into_owned()),
            (Some(answer), _) => answer.message(),
            (None, Some(why)) => why.clone(),
            (None, None) => "there is no answer".to_owned(),
        };
        Err(Failure::new(format!("Error getting key from: {}: {why}", self.key)).argument("key"))
    }

    fn read_file(&self, system: &dyn System, url: &str) -> Result<String, Failure> {
        let path = url.trim_start_matches("file:");
        let path = if let Some(rest) = path.strip_prefix("//") { &rest[rest.find('/').unwrap_or(0)..] } else { path };
        let bytes = system.read(Path::new(path)).during(|| format!("read {path}"))?;
        let bytes =
            bytes.ok_or_else(|| Failure::new(format!("Path to a key file not found: {path}")).argument("key"))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The keys in `text`, with the options and the comment that the arguments give them.
    fn keys(&self, text: &str) -> Result<Vec<Key>, Failure> {
        let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        lines
            .map(|line| {
                let Line::Key(key) = Line::parse(line) else {
                    return Err(Failure::new(format!("invalid key specified: {line}")).argument("key"));
                };
                let mut key = key.anew();
                if let Some(options) = &self.key_options {
                    key.options = keys::options(options);
                }
                if let Some(comment) = &self.comment {
                    key.comment.clone_from(comment);
                }
                Ok(key)
            })
            .collect()
    }

    fn file(&self, system: &dyn System, user: &User) -> Result<PathBuf, Failure> {
        let path = match &self.path {
            Some(path) => expand::path(system, path)?,
            None => user.home.join(".ssh/authorized_keys"),
        };
        if self.follow { paths::real(system, &path) } else { Ok(path) }
    }

    /// The file's text as it shall be.
    fn settle(&self, text: &str, keys: &[Key]) -> String {
        let mut lines: Vec<Line> = text.lines().map(Line::parse).collect();
        for key in keys {
            let last = lines.iter().rev().find(|line| line.has(&key.data));
            match self.state {
                State::Present if matches!(last, Some(Line::Key(found)) if found.same(key)) => {}
                State::Present => {
                    lines.retain(|line| !line.has(&key.data));
                    lines.push(Line::Key(key.clone()));
                }
                State::Absent => lines.retain(|line| !line.has(&key.data)),
            }
        }
        if self.exclusive && self.state == State::Present {
            lines.retain(|line| keys.iter().any(|key| line.has(&key.data)));
        }
        match lines == text.lines().map(Line::parse).collect::<Vec<_>>() {
            true => text.to_owned(),
            false => lines.iter().map(|line| format!("{line}\n")).collect(),
        }
    }

    /// What the file's folder lacks.
    fn folder(&self, system: &dyn System, path: &Path, user: &User) -> Result<Vec<Action>, Failure> {
        let Some(folder) = path.parent() else { return Ok(Vec::new()) };
        let wanted = owned(user, 0o700);
        match paths::stat(system, folder, true)? {
            Some(stat) if self.manage_dir => Ok(attributes::settle(folder, &wanted, &stat).into_iter().collect()),
            Some(_) => Ok(Vec::new()),
            None => {
                let missing = paths::missing_dirs(system, folder)?;
                let last = missing.len().saturating_sub(1);
                let make = |(index, path): (usize, PathBuf)| {
                    let own = self.manage_dir && index == last;
                    let attributes = if own { wanted.clone() } else { Attributes::default() };
                    Action::change(Act::MakeDir { path, attributes })
                };
                Ok(missing.into_iter().enumerate().map(make).collect())
            }
        }
    }

    fn values(&self, path: Option<&Path>) -> Map {
        let mut values = map! {
            "user" => self.user.as_str(),
            "key" => self.key.as_str(),
            "state" => self.state.as_str(),
            "exclusive" => self.exclusive,
            "manage_dir" => self.manage_dir,
            "path" => self.path.as_ref().map(|path| path.to_string_lossy().into_owned()),
            "key_options" => self.key_options.clone(),
            "comment" => self.comment.clone(),
            "follow" => self.follow,
            "validate_certs" => self.validate_certs,
        };
        let file = path.map_or(Value::Unknown(String::new()), |path| path.to_string_lossy().into_owned().into());
        values.insert("keyfile".into(), file);
        values
    }
}

fn is_url(key: &str) -> bool {
    key.starts_with("http://") || key.starts_with("https://")
}

fn owned(user: &User, mode: u32) -> Attributes {
    Attributes { uid: Some(user.uid), gid: Some(user.gid), mode: Some(mode) }
}
