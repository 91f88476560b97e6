//! Units of systemd, asked for with one `systemctl show` each.

use std::path::{Path, PathBuf};

use crate::failure::{During, Failure};
use crate::probe::dpkg;
use crate::system::{Command, Output, Subject, System};
use crate::value::{Map, Value};

/// Whose units: the machine's, the calling user's, or those that all users have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The machine's own manager.
    System,
    /// The manager of the user who asks.
    User,
    /// Settings for the managers of all users; nothing runs here.
    Global,
}

/// One unit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unit {
    /// Whether there is such a unit.
    pub exists: bool,
    /// `active`, `inactive`, `activating`, `deactivating`, `failed`, …; `None` where no manager runs (a chroot).
    pub active: Option<String>,
    /// `enabled`, `disabled`, `static`, `masked`, …; empty if there is no unit file.
    pub file_state: String,
    /// Why its file cannot be used.
    pub load_error: Option<String>,
    /// Whether a planned step settled any of this.
    pub planned: bool,
    /// All that `systemctl show` says.
    pub status: Map,
}

impl Unit {
    /// Whether it runs, or is about to.
    pub fn is_running(&self) -> bool {
        matches!(self.active.as_deref(), Some("active" | "activating"))
    }

    /// Whether it is on its way down.
    pub fn is_stopping(&self) -> bool {
        self.active.as_deref() == Some("deactivating")
    }

    /// Whether it may not be started at all.
    pub fn is_masked(&self) -> bool {
        self.file_state == "masked"
    }
}

/// `systemctl` for this scope, with these words.
pub fn systemctl(system: &dyn System, scope: Scope, words: &[&str]) -> Command {
    let mut command = Command::new(["systemctl"]);
    match scope {
        Scope::System => {}
        Scope::User => command.argv.push("--user".into()),
        Scope::Global => command.argv.push("--global".into()),
    }
    command.argv.extend(words.iter().map(|word| (*word).to_owned()));
    if scope == Scope::User && system.env("XDG_RUNTIME_DIR").is_none() {
        // Where a login shell would have it; without it the user's manager is not found.
        return command.env("XDG_RUNTIME_DIR", format!("/run/user/{}", system.identity().uid));
    }
    command
}

/// Whether systemd is what runs this machine.
pub fn is_running(system: &dyn System) -> Result<bool, Failure> {
    let canary = system.stat(Path::new("/run/systemd/system"), true).during(|| "look for systemd")?;
    Ok(canary.is_some() && system.which("systemctl").is_some())
}

/// The name with `.service` if it has no type.
pub fn full_name(name: &str) -> String {
    const TYPES: [&str; 11] = [
        ".service",
        ".socket",
        ".device",
        ".mount",
        ".automount",
        ".swap",
        ".target",
        ".path",
        ".timer",
        ".slice",
        ".scope",
    ];
    match TYPES.iter().any(|suffix| name.ends_with(suffix)) {
        true => name.to_owned(),
        false => format!("{name}.service"),
    }
}

/// The unit of this name.
pub fn unit(system: &dyn System, scope: Scope, name: &str) -> Result<Unit, Failure> {
    let mut unit = match scope {
        Scope::Global => by_file(system, scope, name)?,
        _ => by_manager(system, scope, name)?,
    };
    if !unit.exists {
        unit.exists = has_file(system, scope, name)? || scope == Scope::System && comes_with_a_package(system);
    }
    if scope == Scope::System {
        unit.apply_settled(system, name);
    }
    Ok(unit)
}

fn by_manager(system: &dyn System, scope: Scope, name: &str) -> Result<Unit, Failure> {
    let shown = query(system, &systemctl(system, scope, &["show", name]))?;
    let said = shown.text() + &shown.errors();
    let ignored = said.contains("ignoring request") || said.contains("ignoring command");
    if !shown.ok() || ignored && !said.contains('=') {
        // No manager runs, or this is a template (`getty@`), of which nothing can run.
        return by_file(system, scope, name);
    }
    let status = parse_show(&shown.text());
    let text = |key: &str| status.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let load_state = text("LoadState");
    let known = !matches!(load_state.as_str(), "" | "not-found");
    Ok(Unit {
        exists: known,
        active: Some(text("ActiveState")),
        file_state: if load_state == "masked" { "masked".into() } else { text("UnitFileState") },
        load_error: Some(text("LoadError")).filter(|error| known && load_state != "masked" && !error.is_empty()),
        planned: false,
        status,
    })
}

fn by_file(system: &dyn System, scope: Scope, name: &str) -> Result<Unit, Failure> {
    let output = query(system, &systemctl(system, scope, &["is-enabled", name]))?;
    let file_state = output.text().trim().to_owned();
    let known = !matches!(file_state.as_str(), "" | "not-found");
    Ok(Unit { exists: known, file_state: if known { file_state } else { String::new() }, ..Unit::default() })
}

/// Whether a unit that systemd has not read yet has a file: written by this run, or an init script.
fn has_file(system: &dyn System, scope: Scope, name: &str) -> Result<bool, Failure> {
    let full = full_name(name);
    // An instance's file is its template's.
    let file = match full.split_once('@') {
        Some((base, rest)) => format!("{base}@{}", rest.rfind('.').map_or(".service", |dot| &rest[dot..])),
        None => full,
    };
    let folders: Vec<PathBuf> = match scope {
        Scope::System => ["/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib"]
            .iter()
            .map(|root| Path::new(root).join("systemd/system"))
            .collect(),
        Scope::Global => ["/etc", "/usr/lib"].iter().map(|root| Path::new(root).join("systemd/user")).collect(),
        Scope::User => std::iter::once(system.identity().home.join(".config/systemd/user"))
            .chain(["/etc", "/usr/lib"].iter().map(|root| Path::new(root).join("systemd/user")))
            .collect(),
    };
    let mut candidates: Vec<PathBuf> = folders.into_iter().map(|folder| folder.join(&file)).collect();
    if scope == Scope::System {
        candidates.push(Path::new("/etc/init.d").join(name.trim_end_matches(".service")));
    }
    for path in candidates {
        if system.stat(&path, true).during(|| format!("look at {}", path.display()))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A package that is only planned may well bring the unit.
fn comes_with_a_package(system: &dyn System) -> bool {
    dpkg::has_planned(system)
}

impl Unit {
    fn apply_settled(&mut self, system: &dyn System, name: &str) {
        let name = full_name(name);
        if let Some(Value::Bool(active)) = system.predicted(&Subject::UnitActive(name.clone())) {
            self.active = Some(if active { "active" } else { "inactive" }.into());
            self.planned = true;
        }
        if let Some(Value::Bool(masked)) = system.predicted(&masked_subject(&name)) {
            self.file_state = if masked { "masked" } else { "disabled" }.into();
            self.planned = true;
        }
        if let Some(Value::Bool(enabled)) = system.predicted(&Subject::UnitEnabled(name))
            && !self.is_masked()
        {
            self.file_state = if enabled { "enabled" } else { "disabled" }.into();
            self.planned = true;
        }
    }
}

/// What a planned `mask` or `unmask` settles.
pub fn masked_subject(name: &str) -> Subject {
    Subject::Other("unit_masked".into(), full_name(name))
}

/// Whether the init script of `name` is linked into a runlevel in which a machine serves.
pub fn init_script_is_enabled(system: &dyn System, name: &str) -> Result<bool, Failure> {
    let name = name.trim_end_matches(".service");
    for level in ["2", "3", "4", "5"] {
        let folder = format!("/etc/rc{level}.d");
        let links = system.list(Path::new(&folder)).during(|| format!("read {folder}"))?.unwrap_or_default();
        let starts =
            |link: &str| link.strip_prefix('S').is_some_and(|rest| rest.trim_start_matches(char::is_numeric) == name);
        if links.iter().any(|link| starts(&link.to_string_lossy())) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The last lines that a unit logged, for a failure; empty where the journal says nothing.
pub fn last_words(system: &dyn System, scope: Scope, name: &str) -> String {
    let unit = if scope == Scope::User { "--user-unit" } else { "--unit" };
    let words = ["journalctl", "--no-pager", "--quiet", "--lines=10", "--output=cat", unit, name];
    system.query(&Command::new(words)).map(|output| output.text().trim_end().to_owned()).unwrap_or_default()
}

fn query(system: &dyn System, command: &Command) -> Result<Output, Failure> {
    system.query(command).during(|| "ask systemd")
}

/// The lines `KEY=VALUE` of `systemctl show`. Only values of `Exec…` that begin with a brace go over several lines.
pub fn parse_show(text: &str) -> Map {
    let mut status = Map::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some((key, value)) = line.split_once('=') else { continue };
        let mut value = value.trim().to_owned();
        if key.starts_with("Exec") && value.starts_with('{') && !value.ends_with('}') {
            for more in lines.by_ref() {
                value = format!("{value}\n{more}");
                if more.trim_end().ends_with('}') {
                    break;
                }
            }
        }
        status.insert(key.to_owned(), value.into());
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn show_is_read_line_by_line() {
        let text = "Id=a.service\nDescription={ odd\nExecStart={ path=/bin/sh ; argv[]=sh -c a\nb ; }\nNames=a=b\n";
        let status = parse_show(text);
        assert_eq!(status["Description"], "{ odd".into());
        assert_eq!(status["ExecStart"], "{ path=/bin/sh ; argv[]=sh -c a\nb ; }".into());
        assert_eq!(status["Names"], "a=b".into());
    }

    #[test]
    fn names_without_a_type_are_services() {
        assert_eq!(full_name("ssh"), "ssh.service");
        assert_eq!(full_name("a.b"), "a.b.service");
        assert_eq!(full_name("x.timer"), "x.timer");
    }
}
