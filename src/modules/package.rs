use crate::change::Change;
use crate::failure::Failure;
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec, Param};
use crate::system::{Output, System};
use crate::value::{Map, Value};
use crate::{args, choices};

choices! {
    /// What manages the packages of a machine.
    pub enum Manager {
        /// Whatever the machine has.
        Auto = "auto",
        /// Debian and its kin.
        Apt = "apt" | "ansible.builtin.apt" | "ansible.legacy.apt",
        /// Fedora, Red Hat and their kin.
        Dnf = "dnf" | "dnf4" | "dnf5" | "yum" | "ansible.builtin.dnf" | "ansible.builtin.yum" | "ansible.legacy.dnf",
    }
}

args! {
    /// Installs, upgrades and removes packages with what the machine has for it: apt or dnf.
    ///
    /// All further arguments go to the module of that name. Names of packages are not translated.
    pub struct Args {
        /// The packages.
        name: Vec<String>, alias("pkg");
        /// `present`, `absent`, `latest`, or what else the machine's own module knows.
        state: String = "present";
        /// The module that does it.
        r#use: Manager = Manager::Auto;
        .. others;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec { aliases: &["pkg"], ..ModuleSpec::of::<Args>("ansible.builtin", "package") };

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        self.of(self.manager(system)?)?.plan(system, done)
    }

    fn check(&self) -> Result<(), ArgError> {
        match self.candidates() {
            [manager] => self.of(*manager).map(|_| ()),
            managers => {
                // Which one it will be is the machine's matter, but one of them must know the arguments.
                let known = |name: &str| managers.iter().any(|manager| params(*manager).iter().any(|it| is(it, name)));
                match self.others.keys().find(|name| !known(name)) {
                    Some(name) => Err(ArgError::new(name, format!("neither apt nor dnf has an argument `{name}`"))),
                    None => Ok(()),
                }
            }
        }
    }

    fn effects(given: &Given) -> Effects {
        Effects::world_if(given.may("name", |name| name.contains("://")))
    }
}

impl Args {
    fn candidates(&self) -> &[Manager] {
        match &self.r#use {
            Manager::Auto => &[Manager::Apt, Manager::Dnf],
            chosen => std::slice::from_ref(chosen),
        }
    }

    fn manager(&self, system: &dyn System) -> Result<Manager, Failure> {
        match self.r#use {
            Manager::Auto if system.which("apt-get").is_some() => Ok(Manager::Apt),
            Manager::Auto if system.which("dnf").is_some() || system.which("dnf5").is_some() => Ok(Manager::Dnf),
            Manager::Auto => Err(Failure::new("this machine has neither apt-get nor dnf").argument("use")),
            chosen => Ok(chosen),
        }
    }

    /// The machine's own module with our arguments.
    fn of(&self, manager: Manager) -> Result<Box<dyn Module>, ArgError> {
        let mut arguments: Map = self.others.clone();
        arguments.insert("name".into(), self.name.clone().into());
        arguments.insert("state".into(), Value::Str(self.state.clone()));
        let spec = spec(manager);
        (spec.build.ok_or_else(|| ArgError::whole("the module is the controller's own"))?)(&arguments)
    }
}

fn spec(manager: Manager) -> &'static ModuleSpec {
    match manager {
        Manager::Dnf => &super::dnf::SPEC,
        Manager::Apt | Manager::Auto => &super::apt::SPEC,
    }
}

fn params(manager: Manager) -> &'static [Param] {
    (spec(manager).params)()
}

fn is(param: &Param, name: &str) -> bool {
    param.name == name || param.aliases.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map;

    #[test]
    fn only_packages_from_elsewhere_reach_out() {
        assert_eq!(SPEC.effects_of(&map! { "name" => "tree" }), Effects::host());
        assert_eq!(SPEC.effects_of(&map! { "name" => "https://host/tree.rpm" }), Effects::world());
    }
}
