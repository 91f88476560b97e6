mod checksum;
mod place;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::web::exchange::{self, Identification, Stage};
use super::web::{headers, if_newer, shown};
use crate::change::answer::Answer;
use crate::change::{Act, Action, Change};
use crate::failure::{During, Failure};
use crate::module::{ArgError, Module, ModuleSpec};
use crate::probe::{expand, paths};
use crate::system::{Digest, FileKind, Output, Request, Stat, Subject, System};
use crate::value::{Map, Value};
use crate::{file_args, map};

use checksum::Checksum;

file_args! {
    /// Fetches a file from the network.
    ///
    /// A file that is there already is fetched again only if the server says that it has changed since, with `force`, or
    /// if it does not have the given `checksum`. With a `checksum` that it has nothing is asked of the network.
    pub struct Args {
        /// The address: `http`, `https` or `file`.
        url: String;
        /// Where the file goes; into a directory under the name that the server or the address gives it.
        dest: PathBuf;
        /// What the file must have: `sha256:HEX`, or `sha256:ADDRESS` of a list that holds the file's name.
        checksum: String = "";
        /// Fetch it although it is there; without this only if it is newer.
        force: bool = false;
        /// Keep what was there before under another name.
        backup: bool = false;
        /// A folder for the file on its way; by default the one where it goes.
        tmp_dest: Option<PathBuf>;
        /// Headers to send.
        headers: Option<Map>;
        /// Headers that are not sent on after a redirection.
        unredirected_headers: Vec<String>;
        /// What we call ourselves.
        http_agent: Option<String>;
        /// Give up after so many seconds without an answer.
        timeout: i64 = 10;
        /// A name for the server.
        url_username: Option<String>, alias("username");
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
        /// Our own certificate; may hold the key too.
        client_cert: Option<PathBuf>;
        /// The key that belongs to it.
        client_key: Option<PathBuf>;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "get_url");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        let dest = paths::absolute(system, &self.dest)?;
        let mut downloads = exchange::downloads(done);
        let sum = match self.wanted_sum(system, &mut downloads)? {
            Ok(sum) => sum,
            Err(action) => return Ok(Change::again(vec![action], self.unknown())),
        };
        let old = paths::stat(system, &dest, true)?;
        let is_dir = old.as_ref().is_some_and(|stat| stat.kind == FileKind::Dir);
        let old = old.filter(|stat| stat.kind == FileKind::File);
        let there = old.is_some() && !done.iter().any(is_answer_for_file);
        let fits = match &sum {
            Some((digest, sum)) if there && !self.force => {
                match system.digest(&dest, *digest) {
                    // What an earlier step of a plan puts there is not known.
                    Err(_) if system.asked_unknown() => false,
                    found => found.during(|| format!("read {}", dest.display()))?.as_ref() == Some(sum),
                }
            }
            _ => false,
        };
        if fits {
            return self.as_it_is(system, &dest, "file already exists");
        }
        let temporary = self.temporary(system, &dest, is_dir)?;
        let mut request = self.request(system, temporary.clone())?;
        match &old {
            Some(stat) if !self.force && sum.is_none() => request.headers.extend(if_newer(stat.mtime)),
            _ => request.headers.push(("Cache-Control".into(), "no-cache".into())),
        }
        let certain = !is_dir && old.is_none();
        match exchange::stage(system, request, self.who(), &mut downloads)? {
            Stage::Ask(request) => Ok(Change::again(vec![fetch(*request, certain, &temporary)], self.unknown())),
            Stage::Answer(answer) => {
                let dest = if is_dir { dest.join(self.file_name(&answer)) } else { dest };
                self.judge(system, &dest, &temporary, &answer, sum)
            }
        }
    }

    fn check(&self) -> Result<(), ArgError> {
        if self.checksum.is_empty() {
            return Ok(());
        }
        Checksum::parse(&self.checksum).map(|_| ()).map_err(|message| ArgError::new("checksum", message))
    }
}

/// Whether this is the answer that holds the file (the head names it so in a plan, too).
fn is_answer_for_file(output: &Output) -> bool {
    output.argv.is_empty() && Answer::read(output).is_some_and(|answer| answer.body.is_empty() && answer.ok())
}

/// Fetches the file. `certain`: it will be new, so a plan can go on as if it were there.
fn fetch(request: Request, certain: bool, temporary: &Path) -> Action {
    let action = exchange::ask(request);
    if !certain {
        return action;
    }
    let there = Value::Map(map! { "kind" => "file" });
    action.expect(exchange::planned_answer()).settles(Subject::Path(temporary.to_owned()), there)
}

impl Args {
    /// The checksum that the file must have, or what must be asked for it.
    fn wanted_sum<'a>(
        &self,
        system: &dyn System,
        downloads: &mut impl Iterator<Item = &'a Output>,
    ) -> Result<Result<Option<(Digest, String)>, Action>, Failure> {
        if self.checksum.is_empty() {
            return Ok(Ok(None));
        }
        match Checksum::parse(&self.checksum).map_err(|message| Failure::new(message).argument("checksum"))? {
            Checksum::Known(digest, sum) => Ok(Ok(Some((digest, sum)))),
            Checksum::At(digest, url) => {
                let request = Request { url: url.clone(), to: None, ..self.request(system, PathBuf::new())? };
                match exchange::stage(system, request, self.who(), downloads)? {
                    Stage::Ask(request) => Ok(Err(exchange::ask(*request))),
                    Stage::Answer(answer) if answer.ok() => {
                        let list = String::from_utf8_lossy(&answer.body);
                        Ok(Ok(Some((digest, checksum::look_up(&list, &self.url, digest)?))))
                    }
                    Stage::Answer(answer) => Err(exchange::refusal(&url, &answer).argument("checksum")),
                }
            }
        }
    }

    fn who(&self) -> Identification<'_> {
        Identification {
            name: &self.url_username,
            password: &self.url_password,
            at_once: self.force_basic_auth,
            use_netrc: self.use_netrc,
        }
    }

    fn request(&self, system: &dyn System, to: PathBuf) -> Result<Request, Failure> {
        let path = |path: &Option<PathBuf>| path.as_deref().map(|path| expand::path(system, path)).transpose();
        let client_key = path(&self.client_key)?;
        Ok(Request {
            headers: headers(&self.headers, &self.http_agent),
            first_only: self.unredirected_headers.clone(),
            timeout: u64::try_from(self.timeout).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs),
            client_cert: path(&self.client_cert)?.map(|cert| (cert, client_key)),
            use_proxy: self.use_proxy,
            to: Some(to),
            ..exchange::get(&self.url, self.validate_certs)
        })
    }

    fn file_name(&self, answer: &Answer) -> String {
        answer.file_name().unwrap_or_else(|| "index.html".to_owned())
    }

    /// Where the file lies until it is known to be right.
    fn temporary(&self, system: &dyn System, dest: &Path, is_dir: bool) -> Result<PathBuf, Failure> {
        if let Some(folder) = &self.tmp_dest {
            let folder = paths::absolute(system, folder)?;
            if !paths::is_dir(system, &folder)? {
                return Err(Failure::new(format!("{} is no directory", folder.display())).argument("tmp_dest"));
            }
            return Ok(system.temporary(&folder.join("download")));
        }
        if is_dir {
            return Ok(system.temporary(&dest.join("download")));
        }
        let folder = dest.parent().unwrap_or(Path::new("/"));
        match paths::is_dir(system, folder)? {
            true => Ok(system.temporary(dest)),
            false => Err(Failure::new(format!("the directory {} does not exist", folder.display())).argument("dest")),
        }
    }

    /// What is there stays; it gets the attributes that it lacks.
    fn as_it_is(&self, system: &dyn System, dest: &Path, message: &str) -> Result<Change, Failure> {
        let stat = paths::stat(system, dest, false)?;
        let actions = stat.as_ref().map(|stat| self.common().settle(system, dest, stat)).transpose()?;
        let actions = actions.unwrap_or_default();
        let mut values = self.place_values(system, dest)?;
        values.insert("msg".into(), message.into());
        match actions.is_empty() {
            true => Ok(Change::none(values)),
            false => Ok(Change::again(actions, values)),
        }
    }

    /// What is known before anything was asked.
    fn unknown(&self) -> Map {
        let keys = ["dest", "checksum_src", "checksum_dest", "status_code", "msg", "elapsed", "size", "state"];
        let mut values: Map = keys.map(|key| (key.to_owned(), Value::Unknown(String::new()))).into_iter().collect();
        values.insert("url".into(), shown(&self.url).into());
        values
    }
}

fn is_file(stat: &Option<Stat>) -> bool {
    stat.as_ref().is_some_and(|stat| stat.kind == FileKind::File)
}

fn remove(path: &Path) -> Action {
    Action::housekeeping(Act::Remove { path: path.to_owned() })
}
