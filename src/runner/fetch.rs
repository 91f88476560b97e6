//! The controller's half of `fetch`: what a host has sent becomes a file here.
#![expect(clippy::disallowed_methods, reason = "writes files that were fetched to the controller")]

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;

use super::batch::Batch;
use super::connection::text_of;
use super::prepare::{Bench, trouble};
use super::scheduler::RunningId;
use super::task_run::Ended;
use crate::failure::{During, Failure};
use crate::map;
use crate::module::Arguments;
use crate::modules::fetch::{Args, CONTENT, NEXT, OFFSET};
use crate::protocol::Outcome;
use crate::system::Digest;
use crate::template::{Binding, Scope};
use crate::value::{Map, Value};
use crate::yaml::Node;

/// Writes what has arrived, unless this is a plan, and completes the result. `spool` holds all parts before the last.
pub fn keep(
    bench: &Bench,
    args: &Node,
    scope: &Arc<dyn Scope>,
    ended: Ended,
    spool: Option<&File>,
    planning: bool,
) -> Ended {
    let Ended::Outcome(mut outcome) = ended else { return ended };
    let Some(Value::Str(content)) = outcome.values.shift_remove(CONTENT) else { return Ended::Outcome(outcome) };
    let args = match bench.arguments(args, scope).map(|rendered| Args::read(&rendered)) {
        Ok(Ok(args)) => args,
        Ok(Err(error)) => return Ended::Failed(Box::new(error.into())),
        Err(error) => return trouble(error).unwrap_or(Ended::Outcome(outcome)),
    };
    let kept = decoded(&content).and_then(|last| {
        let arrived = Arrived { spool, last };
        complete(&args, scope, &arrived, &mut outcome, planning)
    });
    if let Err(failure) = kept {
        outcome.failure = Some(failure);
    }
    Ended::Outcome(outcome)
}

fn decoded(content: &str) -> Result<Vec<u8>, Failure> {
    let decoded = base64::engine::general_purpose::STANDARD.decode(content);
    decoded.map_err(|error| Failure::new(format!("what arrived is damaged: {error}")))
}

/// A file that has arrived: a large one lies on the disk, all but its last part.
struct Arrived<'a> {
    spool: Option<&'a File>,
    last: Vec<u8>,
}

impl Arrived<'_> {
    fn reader(&self) -> io::Result<Box<dyn Read + '_>> {
        let Some(mut spool) = self.spool else { return Ok(Box::new(&self.last[..])) };
        spool.rewind()?;
        Ok(Box::new(BufReader::new(spool).chain(&self.last[..])))
    }

    fn digest(&self, algorithm: Digest) -> io::Result<String> {
        let (mut reader, mut digester) = (self.reader()?, algorithm.start());
        let mut piece = vec![0; 64 << 10];
        loop {
            match reader.read(&mut piece)? {
                0 => return Ok(digester.finish()),
                got => digester.update(&piece[..got]),
            }
        }
    }

    /// Replaces a file as a whole. It gets the permissions that a new file has here.
    fn write(&self, dest: &Path) -> io::Result<()> {
        let dir = dest.parent().unwrap_or(Path::new("/"));
        std::fs::create_dir_all(dir)?;
        let mode = std::fs::Permissions::from_mode(0o666);
        let mut file = tempfile::Builder::new().permissions(mode).tempfile_in(dir)?;
        io::copy(&mut self.reader()?, &mut file)?;
        file.persist(dest).map_err(|error| error.error)?;
        Ok(())
    }
}

impl Batch<'_> {
    /// Keeps a part of a large file, and asks for the next. False: there is none, or this was the last.
    pub fn keep_part(&mut self, id: RunningId, current: usize) -> bool {
        let Some(running) = self.scheduler.get_mut(id) else { return false };
        let item = &mut running.items[current];
        let Some((call, _)) = &mut item.call else { return false };
        let from = call.args.shift_remove(OFFSET);
        if from.is_none() {
            item.spool = None;
        }
        let Some(Ended::Outcome(outcome)) = &mut item.ended else { return false };
        let Some(next) = outcome.values.shift_remove(NEXT) else { return false };
        let content = outcome.values.get(CONTENT).and_then(Value::as_str).unwrap_or_default();
        let from = from.as_ref().and_then(as_int).unwrap_or(0);
        let kept = decoded(content).and_then(|part| {
            match as_int(&next) == Some(from + part.len() as i64) && !part.is_empty() {
                true => append(&mut item.spool, &part).during(|| "keep a part of the file".to_owned()),
                false => Err(Failure::new("what arrived is not the part that was asked for")),
            }
        });
        if let Err(failure) = kept {
            item.ended = Some(Ended::Failed(Box::new(failure)));
            return false;
        }
        call.args.insert(OFFSET.to_owned(), next);
        item.ended = None;
        self.resend(id);
        true
    }
}

fn as_int(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        _ => None,
    }
}

/// Adds a part to a file without a name, which is gone however this ends.
fn append(spool: &mut Option<File>, part: &[u8]) -> io::Result<()> {
    let file = match spool {
        Some(file) => file,
        None => spool.insert(tempfile::tempfile()?),
    };
    file.write_all(part)
}

fn complete(
    args: &Args,
    scope: &Arc<dyn Scope>,
    arrived: &Arrived,
    outcome: &mut Outcome,
    planning: bool,
) -> Result<(), Failure> {
    let text = |values: &Map, name: &str| values.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (file, remote) = (text(&outcome.values, "file"), text(&outcome.values, "remote_checksum"));
    let host = match scope.lookup("inventory_hostname") {
        Some(Binding::Data(name)) => text_of(&name),
        _ => String::new(),
    };
    let dest = destination(args, &scope.files().playbook, &host, &file)?;
    let digest = |algorithm| arrived.digest(algorithm).during(|| "read what has arrived".to_owned());
    let checksum = digest(Digest::Sha1)?;
    let shown = dest.to_string_lossy().into_owned();
    let mut values = map! { "dest" => shown, "checksum" => checksum.as_str(), "md5sum" => digest(Digest::Md5)? };
    if args.validate_checksum && checksum != remote {
        return Err(Failure { values, ..Failure::new("checksum mismatch") });
    }
    outcome.changed = of_file(&dest).ok().as_ref() != Some(&checksum);
    match outcome.changed {
        true => values.extend(map! { "remote_checksum" => remote, "remote_md5sum" => Value::Null }),
        false => drop(values.insert("file".to_owned(), file.into())),
    }
    if outcome.changed && !planning {
        arrived.write(&dest).during(|| format!("write {}", dest.display()))?;
    }
    outcome.values = values;
    Ok(())
}

/// The checksum of a file that is here already.
fn of_file(path: &Path) -> io::Result<String> {
    Arrived { spool: Some(&File::open(path)?), last: Vec::new() }.digest(Digest::Sha1)
}

/// Where the file goes on the controller.
fn destination(args: &Args, playbook: &Path, host: &str, file: &str) -> Result<PathBuf, Failure> {
    let refuse = |message: String| Err(Failure::new(message).argument("dest"));
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let dest = match (args.dest.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => playbook.join(&args.dest),
    };
    if !args.flat {
        return Ok(Sent::new(file).inside(&tidy(&dest.join(host))));
    }
    if !args.dest.ends_with('/') {
        return match dest.is_dir() {
            true => refuse(format!("{} is a directory: end it with a slash to put the file into it", dest.display())),
            false => Ok(tidy(&dest)),
        };
    }
    let dest = tidy(&dest).join(Sent::new(file).0.file_name().unwrap_or_default());
    match dest.is_dir() {
        true => refuse(format!("{} is a directory: a file does not take its place", dest.display())),
        false => Ok(dest),
    }
}

/// A path that a host has sent: whatever it says, it stays in the folder that it is for.
struct Sent(PathBuf);

impl Sent {
    fn new(path: &str) -> Sent {
        Sent(tidy(Path::new(path)).components().filter(|part| matches!(part, Component::Normal(_))).collect())
    }

    fn inside(&self, folder: &Path) -> PathBuf {
        folder.join(&self.0)
    }
}

/// The path without `.` and `..`.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(tidy.pop()),
            Component::CurDir => {}
            part => tidy.push(part),
        }
    }
    tidy
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(dest: &str, flat: bool) -> String {
        let given = map! { "src" => "/etc/a", "dest" => dest, "flat" => flat };
        let args = Args::read(&given).unwrap();
        destination(&args, Path::new("/play"), "web1", "/etc/../etc/a").unwrap().display().to_string()
    }

    #[test]
    fn destinations() {
        assert_eq!(place("got", false), "/play/got/web1/etc/a");
        assert_eq!(place("/srv/no-such/", false), "/srv/no-such/web1/etc/a");
        assert_eq!(place("/srv/no-such/", true), "/srv/no-such/a");
        assert_eq!(place("x/b", true), "/play/x/b");
    }

    #[test]
    fn what_a_host_sends_stays_in_its_folder() {
        let inside = |path: &str| Sent::new(path).inside(Path::new("/got")).display().to_string();
        for path in ["/etc/a", "etc/a", "../../etc/a", "/../etc/./a", "x/../../etc/a", "//etc//a"] {
            assert_eq!(inside(path), "/got/etc/a", "{path}");
        }
        assert_eq!(Sent::new("/..").inside(Path::new("/got")), Path::new("/got"));
    }
}
