use crate::change::Change;
use crate::failure::Failure;
use crate::module::{Effects, Given, Module, ModuleSpec};
use crate::probe::dpkg::{self, Database};
use crate::probe::rpm;
use crate::system::{Output, System};
use crate::value::{Map, Value};
use crate::{args, choices, map};

choices! {
    /// Who knows what is installed.
    pub enum Manager {
        /// Whoever is there.
        Auto = "auto",
        /// dpkg.
        Apt = "apt",
        /// rpm.
        Rpm = "rpm" | "dnf" | "dnf5" | "yum" | "zypper",
    }
}

choices! {
    /// How many are asked.
    pub enum Strategy {
        /// The first that knows something.
        First = "first",
        /// All.
        All = "all",
    }
}

args! {
    /// Returns the installed packages as the fact `packages`: for each name a list of what is installed under it.
    ///
    /// dpkg's are read from its own files.
    pub struct Args {
        /// Who is asked, in this order.
        manager: Vec<Manager> = vec![Manager::Auto];
        /// How many are asked.
        strategy: Strategy = Strategy::First;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "package_facts");

impl Module for Args {
    fn plan(&self, system: &dyn System, _: &[Output]) -> Result<Change, Failure> {
        if dpkg::has_planned(system) {
            let packages = Value::Unknown(String::new());
            return Ok(Change::none(map! { "ansible_facts" => map! { "packages" => packages } }));
        }
        let mut packages = Map::new();
        let auto = [Manager::Apt, Manager::Rpm];
        let all = self.manager.iter().flat_map(|one| match one {
            Manager::Auto => auto.to_vec(),
            one => vec![*one],
        });
        for manager in all {
            let found = match manager {
                Manager::Apt if system.which("dpkg").is_some() => from_dpkg(system)?,
                Manager::Rpm if system.which("rpm").is_some() => from_rpm(system)?,
                _ => continue,
            };
            for (name, items) in found {
                let entry = packages.entry(name).or_insert_with(|| Value::List(Vec::new()));
                if let (Value::List(known), Value::List(new)) = (entry, items) {
                    known.extend(new);
                }
            }
            if self.strategy == Strategy::First && !packages.is_empty() {
                break;
            }
        }
        match packages.is_empty() {
            true => {
                Err(Failure::new("this machine has neither dpkg nor rpm, or they know no package").argument("manager"))
            }
            false => Ok(Change::none(map! { "ansible_facts" => map! { "packages" => packages } })),
        }
    }

    fn effects(_: &Given) -> Effects {
        Effects::looks().returning(["packages"])
    }
}

fn add(packages: &mut Map, name: &str, item: Map) {
    let entry = packages.entry(name.to_owned()).or_insert_with(|| Value::List(Vec::new()));
    if let Value::List(items) = entry {
        items.push(item.into());
    }
}

fn from_dpkg(system: &dyn System) -> Result<Map, Failure> {
    let mut packages = Map::new();
    let database = Database::read(system)?;
    for (package, category) in database.installed() {
        let item = map! {
            "name" => package.name.as_str(),
            "version" => package.version,
            "arch" => package.architecture,
            "category" => category,
            "source" => "apt",
        };
        add(&mut packages, &package.name, item);
    }
    Ok(packages)
}

fn from_rpm(system: &dyn System) -> Result<Map, Failure> {
    let mut packages = Map::new();
    for package in rpm::all(system, None)? {
        let item = map! {
            "name" => package.name.as_str(),
            "version" => package.version,
            "release" => package.release,
            "epoch" => package.epoch.parse::<i64>().ok().filter(|epoch| *epoch > 0),
            "arch" => package.arch,
            "source" => "rpm",
        };
        add(&mut packages, &package.name, item);
    }
    Ok(packages)
}
