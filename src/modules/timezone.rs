use std::path::{Path, PathBuf};

use crate::change::{Act, Action, Change};
use crate::failure::{During, Failure};
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::modules::text_file::TextFile;
use crate::probe::{paths, systemd};
use crate::system::{Command, Output, Subject, System};
use crate::value::{Map, Value};
use crate::{args, choices, map};

const ZONES: &str = "/usr/share/zoneinfo";
const LINK: &str = "/etc/localtime";

choices! {
    /// How the clock of the machine's board counts.
    pub enum Clock { Utc = "UTC", Local = "local" }
}

args! {
    /// Sets the machine's time zone.
    ///
    /// With `timedatectl` where systemd runs, else by the link `/etc/localtime`. Programs that run already keep the old
    /// zone until they start again (cron among them).
    pub struct Args {
        /// The zone, as in `Europe/Paris`.
        name: Option<String>;
        /// Whether the board's clock counts universal or local time. Needs systemd.
        hwclock: Option<Clock>, alias("rtc");
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("community.general", "timezone");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        if !done.is_empty() {
            return Ok(Change::none(self.values()));
        }
        let with_systemd = systemd::is_running(system)? && system.which("timedatectl").is_some();
        let mut actions = Vec::new();
        if let Some(name) = &self.name {
            let file = Path::new(ZONES).join(name);
            if paths::stat(system, &file, true)?.is_none() {
                let message = format!("there is no time zone `{name}` in {ZONES} (its package is tzdata)");
                return Err(Failure::new(message).argument("name"));
            }
            actions.extend(self.set_zone(system, name, &file, with_systemd)?);
        }
        if let Some(clock) = self.hwclock {
            actions.extend(set_clock(system, clock, with_systemd)?);
        }
        Ok(Change::of(actions, self.values()))
    }

    fn check(&self) -> Result<(), ArgError> {
        if self.name.is_none() && self.hwclock.is_none() {
            return Err(ArgError::whole("one of `name`, `hwclock` is needed"));
        }
        let outside = |name: &String| name.starts_with('/') || name.split('/').any(|part| part == "..");
        match self.name.as_ref().filter(|name| outside(name)) {
            Some(name) => Err(ArgError::new("name", format!("`{name}` is no time zone"))),
            None => Ok(()),
        }
    }

    fn effects(_: &Given) -> Effects {
        Effects::host()
    }
}

impl Args {
    fn set_zone(
        &self,
        system: &dyn System,
        name: &str,
        file: &Path,
        with_systemd: bool,
    ) -> Result<Vec<Action>, Failure> {
        let mut actions = Vec::new();
        if zone(system)?.as_deref() != Some(name) {
            actions.push(match with_systemd {
                true => Action::run(Command::new(["timedatectl", "set-timezone", name]), "cannot set the time zone")
                    .expect(Output::default())
                    .settles(subject("zone"), name),
                false => Action::change(Act::Symlink { path: LINK.into(), target: file.to_owned() }),
            });
        }
        if with_systemd {
            return Ok(actions);
        }
        // Debian's own record of it.
        let record = TextFile::read(system, Path::new("/etc/timezone"))?;
        if record.text.is_some() && record.text().trim() != name {
            actions.extend(record.write(&format!("{name}\n")));
        }
        Ok(actions)
    }

    fn values(&self) -> Map {
        map! { "name" => self.name.clone(), "hwclock" => self.hwclock.map(Clock::as_str) }
    }
}

fn subject(what: &str) -> Subject {
    Subject::Other("timezone".into(), what.into())
}

/// The zone now: where `/etc/localtime` points.
fn zone(system: &dyn System) -> Result<Option<String>, Failure> {
    if let Some(Value::Str(name)) = system.predicted(&subject("zone")) {
        return Ok(Some(name));
    }
    if paths::stat(system, Path::new(LINK), false)?.is_none() {
        return Ok(None);
    }
    let real: PathBuf = system.read_link(Path::new(LINK)).unwrap_or_default();
    let real = Path::new("/etc").join(real);
    // `..` in a relative link.
    let tidy = real.to_string_lossy().replace("/etc/../", "/");
    Ok(tidy.strip_prefix(ZONES).map(|name| name.trim_start_matches('/').to_owned()))
}

fn set_clock(system: &dyn System, clock: Clock, with_systemd: bool) -> Result<Option<Action>, Failure> {
    if !with_systemd {
        return Err(Failure::new("`hwclock` needs timedatectl of systemd").argument("hwclock"));
    }
    let local = match system.predicted(&subject("local")) {
        Some(Value::Bool(local)) => local,
        _ => {
            let adjtime = system.read(Path::new("/etc/adjtime")).during(|| "read /etc/adjtime")?.unwrap_or_default();
            String::from_utf8_lossy(&adjtime).lines().nth(2) == Some("LOCAL")
        }
    };
    let wanted = clock == Clock::Local;
    let word = if wanted { "yes" } else { "no" };
    let action = Action::run(Command::new(["timedatectl", "set-local-rtc", word]), "cannot set the board's clock");
    Ok((local != wanted).then(|| action.expect(Output::default()).settles(subject("local"), wanted)))
}
