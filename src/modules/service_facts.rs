use crate::change::Change;
use crate::failure::Failure;
use crate::module::{Effects, Given, Module, ModuleSpec};
use crate::probe::systemd;
use crate::system::{Command, Output, System};
use crate::value::{Map, Value};
use crate::{args, map};

args! {
    /// Returns the services as the fact `services`: for each name its state, its status and who knows of it.
    ///
    /// Systemd's units have their type in their names (`cron.service`), init scripts do not.
    pub struct Args {}
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "service_facts");

/// What a unit's status is whatever else is said of it.
const BAD: [&str; 3] = ["not-found", "masked", "failed"];

impl Module for Args {
    fn plan(&self, system: &dyn System, _: &[Output]) -> Result<Change, Failure> {
        let mut services = Map::new();
        let mut warnings = Vec::new();
        if system.which("service").is_some() && system.which("chkconfig").is_none() {
            init_scripts(system, &mut services);
        }
        if systemd::is_running(system)? {
            for list in [units, unit_files] {
                warnings.extend(list(system, &mut services).err());
            }
        }
        let values = map! { "ansible_facts" => map! { "services" => services } };
        Ok(Change { warnings, ..Change::none(values) })
    }

    fn effects(_: &Given) -> Effects {
        Effects::looks().returning(["services"])
    }
}

/// What a program prints; what it says where it fails.
fn ask(system: &dyn System, words: &[&str]) -> Result<String, String> {
    match system.query(&Command::new(words.iter().copied())) {
        Ok(output) if output.ok() => Ok(output.text()),
        Ok(output) => Err(format!("`{}` failed: {}", words.join(" "), output.errors().trim())),
        Err(error) => Err(format!("cannot run {}: {error}", words[0])),
    }
}

fn init_scripts(system: &dyn System, services: &mut Map) {
    // Its exit status tells nothing of the list.
    let output = system.query(&Command::new(["service", "--status-all"]));
    for line in output.map(|output| output.text()).unwrap_or_default().lines() {
        let Some((sign, name)) = line.trim_start().strip_prefix("[ ").and_then(|line| line.split_once(" ]")) else {
            continue;
        };
        let state = match sign {
            "+" => "running",
            "-" => "stopped",
            _ => continue,
        };
        let name = name.trim();
        services.insert(name.to_owned(), map! { "name" => name, "state" => state, "source" => "sysv" }.into());
    }
}

fn unit(name: &str, state: &str, status: &str) -> Value {
    map! { "name" => name, "state" => state, "status" => status, "source" => "systemd" }.into()
}

/// What systemd has loaded.
fn units(system: &dyn System, services: &mut Map) -> Result<(), String> {
    let text = ask(system, &["systemctl", "list-units", "--no-pager", "--type", "service", "--all", "--plain"])?;
    for line in text.lines().filter(|line| line.contains(".service")) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [name, load, active, sub, ..] = fields[..] else { continue };
        let bad = BAD.iter().copied().find(|bad| [name, load, active, sub].contains(bad));
        let state = if sub == "running" { "running" } else { "stopped" };
        services.insert(name.to_owned(), unit(name, state, bad.unwrap_or(active)));
    }
    Ok(())
}

/// What there are files for.
fn unit_files(system: &dyn System, services: &mut Map) -> Result<(), String> {
    let text = ask(system, &["systemctl", "list-unit-files", "--no-pager", "--type", "service", "--all"])?;
    let mut others = Vec::new();
    for line in text.lines().filter(|line| line.contains(".service")) {
        let mut fields = line.split_whitespace();
        let (Some(name), Some(status)) = (fields.next(), fields.next()) else { continue };
        match services.get_mut(name) {
            None => others.push((name, status)),
            Some(Value::Map(known)) if !known["status"].as_str().is_some_and(|status| BAD.contains(&status)) => {
                known.insert("status".into(), status.into());
            }
            Some(_) => {}
        }
    }
    let states = active_states(system, &others);
    for (index, (name, status)) in others.iter().enumerate() {
        let state = states.get(index).map_or("unknown", String::as_str);
        services.insert((*name).to_owned(), unit(name, state, status));
    }
    Ok(())
}

/// Asked for all at once. A template (`getty@.service`) has no state.
fn active_states(system: &dyn System, units: &[(&str, &str)]) -> Vec<String> {
    let (templates, names): (Vec<&str>, Vec<&str>) =
        units.iter().map(|(name, _)| *name).partition(|name| name.contains("@."));
    let mut words = vec!["systemctl", "show", "--property=ActiveState"];
    words.extend(&names);
    let text = if names.is_empty() { String::new() } else { ask(system, &words).unwrap_or_default() };
    let mut found = text.lines().filter_map(|line| line.strip_prefix("ActiveState="));
    let of = |(name, _): &(&str, &str)| match templates.contains(name) {
        true => "unknown".to_owned(),
        false => found.next().unwrap_or("unknown").to_owned(),
    };
    units.iter().map(of).collect()
}
