//! What a template may know about itself: `ansible_managed` and `template_*`, as Ansible's `template` provides them.
#![expect(clippy::disallowed_methods, reason = "asks about a template of the controller")]

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::system::users::User;
use crate::template::{Binding, Scope, SearchPath};
use crate::value::Value;
use crate::vars::magic;

/// A scope in which a template of the controller is rendered.
#[derive(Debug)]
pub struct AboutTemplate {
    /// The task's.
    pub scope: Arc<dyn Scope>,
    /// The template.
    pub path: PathBuf,
    /// Where the result goes.
    pub destination: Option<String>,
}

const NAMES: &[&str] = magic::OF_TEMPLATES;

impl AboutTemplate {
    fn value(&self, name: &str) -> Option<Value> {
        Some(match name {
            "ansible_managed" => "Ansible managed".into(),
            "template_path" => text(&self.path),
            "template_fullpath" => text(&std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone())),
            "template_destpath" => self.destination.clone().map_or(Value::Null, Value::Str),
            "template_host" => rustix::system::uname().nodename().to_string_lossy().into_owned().into(),
            "template_uid" => owner(&self.path),
            "template_mtime" => {
                let modified = std::fs::metadata(&self.path).and_then(|about| about.modified()).ok()?;
                date(Timestamp::try_from(modified).ok()?)
            }
            "template_run_date" => date(Timestamp::now()),
            _ => return None,
        })
    }
}

impl Scope for AboutTemplate {
    fn lookup(&self, name: &str) -> Option<Binding> {
        if !NAMES.contains(&name) {
            return self.scope.lookup(name);
        }
        let own = || self.value(name).map(|value| Binding::Data(Arc::new(value)));
        // Only this one may be a variable of the user's.
        match name {
            "ansible_managed" => self.scope.lookup(name).or_else(own),
            _ => own(),
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.scope.names();
        names.extend(NAMES.iter().map(|name| (*name).to_owned()));
        names.sort();
        names.dedup();
        names
    }

    fn files(&self) -> &SearchPath {
        self.scope.files()
    }
}

fn text(path: &Path) -> Value {
    path.to_string_lossy().into_owned().into()
}

/// As Python writes a date.
fn date(time: Timestamp) -> Value {
    time.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S.%6f").to_string().into()
}

/// The name of the file's owner, its number where nobody has one.
fn owner(path: &Path) -> Value {
    let Ok(about) = std::fs::metadata(path) else { return Value::Null };
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = accounts.lines().filter_map(User::parse).find(|user| user.uid == about.uid());
    user.map_or_else(|| about.uid().to_string(), |user| user.name).into()
}
