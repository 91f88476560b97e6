//! The controller's half of `fetch`: what a host has sent becomes a file here.
#![expect(clippy::disallowed_methods, reason = "writes files that were fetched to the controller")]

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;

use super::connection::text_of;
use super::flight::Ended;
use super::prepare::Bench;
use crate::failure::{During, Failure};
use crate::map;
use crate::module::Arguments;
use crate::modules::fetch::{Args, CONTENT};
use crate::protocol::Outcome;
use crate::system::Digest;
use crate::template::{Binding, Scope};
use crate::value::{Map, Value};
use crate::yaml::Node;

/// Writes what has arrived, unless this is a plan, and completes the result.
pub fn keep(bench: &Bench, args: &Node, scope: &Arc<dyn Scope>, ended: Ended, planning: bool) -> Ended {
    let Ended::Outcome(mut outcome) = ended else { return ended };
    let Some(Value::Str(content)) = outcome.values.shift_remove(CONTENT) else { return Ended::Outcome(outcome) };
    let args = bench.arguments(args, scope).ok().and_then(|rendered| Args::read(&rendered).ok());
    let Some(args) = args else { return Ended::Outcome(outcome) };
    if let Err(failure) = complete(&args, scope, &content, &mut outcome, planning) {
        outcome.failure = Some(failure);
    }
    Ended::Outcome(outcome)
}

fn complete(
    args: &Args,
    scope: &Arc<dyn Scope>,
    content: &str,
    outcome: &mut Outcome,
    planning: bool,
) -> Result<(), Failure> {
    let decoded = base64::engine::general_purpose::STANDARD.decode(content);
    let content = decoded.map_err(|error| Failure::new(format!("what arrived is damaged: {error}")))?;
    let text = |values: &Map, name: &str| values.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (file, remote) = (text(&outcome.values, "file"), text(&outcome.values, "remote_checksum"));
    let host = match scope.lookup("inventory_hostname") {
        Some(Binding::Data(name)) => text_of(&name),
        _ => String::new(),
    };
    let dest = destination(args, &scope.files().playbook, &host, &file)?;
    let checksum = Digest::Sha1.of(&content);
    let shown = dest.to_string_lossy().into_owned();
    let mut values = map! { "dest" => shown, "checksum" => checksum.as_str(), "md5sum" => Digest::Md5.of(&content) };
    if args.validate_checksum && checksum != remote {
        return Err(Failure { values, ..Failure::new("checksum mismatch") });
    }
    outcome.changed = std::fs::read(&dest).ok().as_ref() != Some(&content);
    match outcome.changed {
        true => values.extend(map! { "remote_checksum" => remote, "remote_md5sum" => Value::Null }),
        false => drop(values.insert("file".to_owned(), file.into())),
    }
    if outcome.changed && !planning {
        write(&dest, &content).during(|| format!("write {}", dest.display()))?;
    }
    outcome.values = values;
    Ok(())
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
        return Ok(tidy(&dest.join(host).join(file.trim_start_matches('/'))));
    }
    if !args.dest.ends_with('/') {
        return match dest.is_dir() {
            true => refuse(format!("{} is a directory: end it with a slash to put the file into it", dest.display())),
            false => Ok(tidy(&dest)),
        };
    }
    let dest = tidy(&dest.join(Path::new(file).file_name().unwrap_or_default()));
    match dest.is_dir() {
        true => refuse(format!("{} is a directory: a file does not take its place", dest.display())),
        false => Ok(dest),
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

/// Replaces a file as a whole. It gets the permissions that a new file has here.
fn write(dest: &Path, content: &[u8]) -> std::io::Result<()> {
    let dir = dest.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(dir)?;
    let mode = std::fs::Permissions::from_mode(0o666);
    let mut file = tempfile::Builder::new().permissions(mode).tempfile_in(dir)?;
    file.write_all(content)?;
    file.persist(dest).map_err(|error| error.error)?;
    Ok(())
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
}
