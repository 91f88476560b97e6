use std::path::{Path, PathBuf};
use std::time::Duration;

use super::command::Guard;
use super::web::{Login, has_header, headers, if_newer, shown};
use crate::change::answer::Answer;
use crate::change::{Act, Action, Change, WriteFile};
use crate::failure::{During, Failure};
use crate::map;
use crate::module::{ArgError, Effects, Given, Mode, Module, ModuleSpec, Source};
use crate::probe::attributes::{self, Wanted};
use crate::probe::expand;
use crate::system::{Content, FileKind, Output, Request, System};
use crate::value::{Map, Value};
use crate::{args, choices};

mod body;

choices! {
    /// How a body is written.
    pub enum BodyFormat {
        /// As it is.
        Raw = "raw",
        /// As JSON, unless it is text already.
        Json = "json",
        /// As the fields of a form in one line.
        Form = "form-urlencoded",
        /// As the fields and files of a form.
        Multipart = "form-multipart",
    }
}

choices! {
    /// Which redirections are followed.
    pub enum Follow {
        /// All.
        All = "all",
        /// The same, as it was once called.
        Yes = "yes",
        /// Those of GET and HEAD.
        Safe = "safe",
        /// None.
        None = "none",
        /// The same, as it was once called.
        No = "no",
        /// Those of GET, HEAD and POST, as Python's library does.
        Urllib2 = "urllib2",
    }
}

args! {
    /// Talks to a web service.
    ///
    /// The step is changed only when it writes `dest`. The answer's headers are returned in lower case with `_` for `-`;
    /// a body of JSON is returned as `json`.
    ///
    /// In plan mode nothing is sent, and what the answer would be is known only after apply.
    pub struct Args {
        /// The address: `http`, `https` or `file`.
        url: String;
        /// The method.
        method: String = "GET";
        /// What to send. Excludes `src`.
        body: Option<Value>;
        /// How `body` is written; sets `Content-Type` too.
        body_format: BodyFormat = BodyFormat::Raw;
        /// A file to send, of the controller unless `remote_src`.
        src: Option<Source>;
        /// `src`, and files named in a form, lie on the host.
        remote_src: bool = false;
        /// Headers to send.
        headers: Option<Map>;
        /// Headers that are not sent on after a redirection.
        unredirected_headers: Vec<String>;
        /// What we call ourselves.
        http_agent: Option<String>;
        /// Codes that mean success; 200 when left out.
        status_code: Vec<i64>;
        /// Return the body as `content`.
        return_content: bool = false;
        /// Write the body to this file, or into this directory.
        dest: Option<PathBuf>;
        /// Write it although the server says that the file has not changed since.
        force: bool = false;
        /// Do nothing if this path exists.
        creates: Option<PathBuf>;
        /// Do nothing unless this path exists.
        removes: Option<PathBuf>;
        /// Which redirections are followed.
        follow_redirects: Follow = Follow::Safe;
        /// Give up after so many seconds without an answer.
        timeout: i64 = 30;
        /// A name for the server.
        url_username: Option<String>, alias("user");
        /// The password that belongs to it.
        url_password: Option<String>, alias("password");
        /// Send name and password before the server asks for them.
        force_basic_auth: bool = false;
        /// Take name and password from `~/.netrc` where none are given.
        use_netrc: bool = true;
        /// Use the proxy that the host's environment names.
        use_proxy: bool = true;
        /// Check the server's certificate.
        validate_certs: bool = true;
        /// A file of certificates to trust besides those of the system.
        ca_path: Option<PathBuf>;
        /// Our own certificate; may hold the key too.
        client_cert: Option<PathBuf>;
        /// The key that belongs to it.
        client_key: Option<PathBuf>;
        /// Talk over this socket; the host in `url` is then only a name.
        unix_socket: Option<PathBuf>;
        /// The owner of `dest`.
        owner: Option<String>;
        /// The group of `dest`.
        group: Option<String>;
        /// The permissions of `dest`.
        mode: Option<Mode>;
        /// Write `dest` in place where it cannot be replaced.
        unsafe_writes: bool = false;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "uri");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        let mut downloads = done.iter().filter(|output| !output.stdout.is_empty() || output.refused.is_some());
        let tries = downloads.clone().count();
        let Some(last) = downloads.next_back() else {
            return self.first(system);
        };
        let Some(answer) = Answer::read(last) else {
            return Err(self.no_answer(last));
        };
        let login = Login::find(system, &self.url_username, &self.url_password, &self.url, self.use_netrc);
        if let Some(found) = login.filter(|found| answer.status == 401 && tries == 1 && !self.at_once(found.at_once)) {
            let mut request = self.request(system)?;
            request.headers.push(found.login.header());
            return Ok(Change::again(vec![Action::housekeeping(Act::Download(Box::new(request)))], self.unknown()));
        }
        self.judge(system, &answer)
    }

    fn check(&self) -> Result<(), ArgError> {
        if self.body.is_some() && self.src.is_some() {
            return Err(ArgError::new("src", "give either `body` or `src`, not both"));
        }
        if !self.method.chars().all(|c| c.is_ascii_alphabetic()) || self.method.is_empty() {
            return Err(ArgError::new("method", format!("expected a method such as GET, found `{}`", self.method)));
        }
        Ok(())
    }

    fn effects(_: &Given) -> Effects {
        Effects::world()
    }
}

impl Args {
    fn first(&self, system: &dyn System) -> Result<Change, Failure> {
        let guard = Guard { creates: self.creates.as_deref(), removes: self.removes.as_deref() };
        if let Some((path, is)) = guard.holds_back(system, None)? {
            return Ok(Change::none(map! { "stdout" => format!("skipped, since '{}' {is}", path.display()) }));
        }
        let mut request = self.request(system)?;
        let login = Login::find(system, &self.url_username, &self.url_password, &self.url, self.use_netrc);
        if let Some(found) = login.filter(|found| self.at_once(found.at_once)) {
            request.headers.push(found.login.header());
        }
        Ok(Change::again(vec![Action::housekeeping(Act::Download(Box::new(request)))], self.unknown()))
    }

    fn at_once(&self, found: bool) -> bool {
        self.force_basic_auth || found
    }

    fn request(&self, system: &dyn System) -> Result<Request, Failure> {
        let path = |path: &Option<PathBuf>| path.as_deref().map(|path| expand::path(system, path)).transpose();
        let mut headers = headers(&self.headers, &self.http_agent);
        let (kind, body) = self.encoded_body(system)?;
        if let Some(kind) =
            kind.filter(|_| self.body_format == BodyFormat::Multipart || !has_header(&headers, "content-type"))
        {
            headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
            headers.push(("Content-Type".to_owned(), kind));
        }
        let dest = self.dest(system)?;
        if let Some(dest) = &dest {
            let stat = system.stat(dest, true).during(|| format!("look at {}", dest.display()))?;
            match stat.filter(|stat| stat.kind == FileKind::File) {
                _ if self.force => headers.push(("Cache-Control".to_owned(), "no-cache".to_owned())),
                Some(stat) => headers.extend(if_newer(stat.mtime)),
                None => {}
            }
        }
        Ok(Request {
            url: self.url.clone(),
            method: self.method.to_uppercase(),
            headers,
            first_only: self.unredirected_headers.clone(),
            body,
            follow: self.follow_redirects.as_str().to_owned(),
            timeout: u64::try_from(self.timeout).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs),
            validate_certs: self.validate_certs,
            ca_path: path(&self.ca_path)?,
            client_cert: path(&self.client_cert)?
                .map(|cert| Ok::<_, Failure>((cert, path(&self.client_key)?)))
                .transpose()?,
            unix_socket: path(&self.unix_socket)?,
            use_proxy: self.use_proxy,
            to: dest.map(|dest| self.temporary(system, &dest)),
        })
    }

    /// The body, and its type where the format decides that.
    fn encoded_body(&self, system: &dyn System) -> Result<(Option<String>, Vec<u8>), Failure> {
        match (&self.src, &self.body) {
            (Some(src), _) => Ok((None, body::file(system, src)?)),
            (None, Some(body)) => body::encode(system, body, self.body_format, self.remote_src),
            (None, None) if self.body_format == BodyFormat::Multipart => {
                Err(Failure::new("`form-multipart` needs a mapping as `body`").argument("body"))
            }
            // Without a body, `json` sends `null`, as Ansible does.
            (None, None) if self.body_format == BodyFormat::Json && self.method.to_uppercase() != "GET" => {
                body::encode(system, &Value::Null, self.body_format, self.remote_src)
            }
            (None, None) => Ok((None, Vec::new())),
        }
    }

    fn dest(&self, system: &dyn System) -> Result<Option<PathBuf>, Failure> {
        self.dest.as_deref().map(|dest| expand::path(system, dest)).transpose()
    }

    /// Where the body lies until it is known to be wanted: beside its place.
    fn temporary(&self, system: &dyn System, dest: &Path) -> PathBuf {
        match is_dir(system, dest) {
            true => system.temporary(&dest.join("download")),
            false => system.temporary(dest),
        }
    }

    fn codes(&self) -> Vec<i64> {
        if self.status_code.is_empty() { vec![200] } else { self.status_code.clone() }
    }

    /// What is known before anything was sent.
    fn unknown(&self) -> Map {
        let keys = ["status", "msg", "elapsed", "redirected", "content", "json", "cookies", "cookies_string"];
        let unknown = keys.into_iter().filter(|key| *key != "content" || self.return_content);
        let mut values: Map = unknown.map(|key| (key.to_owned(), Value::Unknown(String::new()))).collect();
        values.insert("url".into(), shown(&self.url).into());
        values
    }

    fn no_answer(&self, output: &Output) -> Failure {
        let why = output.refused.as_deref().unwrap_or("the answer is not HTTP");
        Failure::new(format!("Status code was -1 and not {:?}: Request failed: {why}", self.codes()))
            .argument("url")
            .with("status", -1)
            .with("url", shown(&self.url))
            .with("redirected", false)
            .with("elapsed", i64::try_from(output.elapsed / 1_000_000_000).unwrap_or(0))
    }

    fn judge(&self, system: &dyn System, answer: &Answer) -> Result<Change, Failure> {
        let dest = self.dest(system)?;
        let temporary = dest.as_deref().map(|dest| self.temporary(system, dest));
        let written = temporary.filter(|path| matches!(system.stat(path, false), Ok(Some(_))));
        let body = match &written {
            Some(path) if self.needs_body(answer) => {
                system.read(path).during(|| format!("read {}", path.display()))?.unwrap_or_default()
            }
            _ => answer.body.clone(),
        };
        let mut values = self.values(answer, &body);
        if !self.codes().contains(&answer.status) {
            // What was downloaded for `dest` goes before the step fails.
            if let Some(path) = written {
                return Ok(Change::again(vec![Action::housekeeping(Act::Remove { path })], values));
            }
            let message = format!("Status code was {} and not {:?}: {}", answer.status, self.codes(), answer.message());
            values.shift_remove("msg");
            return Err(Failure { values, ..Failure::new(message).argument("url") });
        }
        let Some(dest) = dest else { return Ok(Change::none(values)) };
        let dest = match is_dir(system, &dest) {
            true => dest.join(answer.file_name().unwrap_or_else(|| "index.html".to_owned())),
            false => dest,
        };
        values.insert("path".into(), dest.to_string_lossy().into_owned().into());
        let mut actions = self.put(system, &dest, written.as_deref(), answer)?;
        actions.extend(written.map(|path| Action::housekeeping(Act::Remove { path })));
        Ok(Change::of(actions, values))
    }

    /// Puts the body at its place, if it is not there already.
    fn put(
        &self,
        system: &dyn System,
        dest: &Path,
        body: Option<&Path>,
        answer: &Answer,
    ) -> Result<Vec<Action>, Failure> {
        let old = system.stat(dest, true).during(|| format!("look at {}", dest.display()))?;
        let wanted = Wanted { owner: self.owner.as_deref(), group: self.group.as_deref(), mode: self.mode.as_ref() };
        let attributes = attributes::resolve(system, wanted, old.as_ref(), false)?;
        let same = match body {
            _ if answer.status == 304 => true,
            Some(body) => system.hash(body)? == system.hash(dest)?,
            None => system.hash(dest)? == Some(*blake3::hash(&answer.body).as_bytes()),
        };
        let Some(stat) = old.filter(|_| same) else {
            let content =
                body.map_or_else(|| Content::Bytes(answer.body.clone()), |body| Content::File(body.to_owned()));
            return Ok(vec![Action::change(Act::WriteFile(Box::new(WriteFile {
                path: dest.to_owned(),
                content,
                attributes,
                backup: None,
                validate: None,
                unsafe_writes: self.unsafe_writes,
                diff: true,
            })))]);
        };
        Ok(attributes::settle(dest, &attributes, &stat).into_iter().collect())
    }

    fn needs_body(&self, answer: &Answer) -> bool {
        self.return_content || is_json(answer) || !self.codes().contains(&answer.status)
    }

    fn values(&self, answer: &Answer, body: &[u8]) -> Map {
        let mut values = Map::new();
        for (name, value) in &answer.headers {
            values.insert(name.replace('-', "_"), value.as_str().into());
        }
        let cookies: Map = answer.cookies.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        let cookie_line: Vec<String> = answer.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        values.extend(map! {
            "url" => shown(&answer.url),
            "status" => answer.status,
            "msg" => answer.message(),
            "elapsed" => answer.seconds,
            "redirected" => answer.url.trim_end_matches('/') != self.url.trim_end_matches('/'),
            "cookies" => cookies,
            "cookies_string" => cookie_line.join("; "),
        });
        if is_json(answer)
            && let Ok(json) = serde_json::from_slice::<serde_json::Value>(body)
        {
            values.insert("json".into(), json.into());
        }
        if self.return_content {
            values.insert("content".into(), String::from_utf8_lossy(body).into_owned().into());
        }
        values
    }
}

fn is_dir(system: &dyn System, path: &Path) -> bool {
    matches!(system.stat(path, true), Ok(Some(stat)) if stat.kind == FileKind::Dir)
}

/// Whether the server calls the body JSON.
fn is_json(answer: &Answer) -> bool {
    let kind = answer.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
    let kind = kind.trim().rsplit(['/', '+']).next().unwrap_or_default().to_lowercase();
    matches!(kind.as_str(), "json" | "javascript")
}
