use crate::change::{Action, Change};
use crate::failure::Failure;
use crate::module::{Effects, Given, Module, ModuleSpec};
use crate::probe::dpkg::Database;
use crate::system::{Command, Output, Subject, System};
use crate::value::Value;
use crate::{args, choices, map};

choices! {
    /// What is wanted of a package by dpkg.
    pub enum Selection {
        /// It is installed and upgraded.
        Install = "install",
        /// It stays as it is.
        Hold = "hold",
        /// It is removed.
        Deinstall = "deinstall",
        /// It is removed with its configuration.
        Purge = "purge",
    }
}

args! {
    /// Sets what dpkg is to do with a package, above all to hold it back.
    ///
    /// Nothing is installed or removed by it.
    pub struct Args {
        /// The package.
        name: String;
        /// What is wanted.
        selection: Selection;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "dpkg_selections");

impl Module for Args {
    fn plan(&self, system: &dyn System, _: &[Output]) -> Result<Change, Failure> {
        let subject = Subject::Other("dpkg selection".into(), self.name.clone());
        let now = match system.predicted(&subject) {
            Some(Value::Str(planned)) => Some(planned),
            _ => Database::read(system)?.selection(&self.name),
        };
        let Some(now) = now else {
            let message =
                format!("Failed to find package '{}' to perform selection '{}'.", self.name, self.selection.as_str());
            return Err(Failure::new(message).argument("name"));
        };
        let wanted = self.selection.as_str();
        let values = map! { "before" => now.as_str(), "after" => wanted };
        if now == wanted {
            return Ok(Change::none(values));
        }
        let command = Command::new(["dpkg", "--set-selections"]).stdin(format!("{} {wanted}\n", self.name));
        let action =
            Action::run(command, format!("cannot set what is wanted of {}", self.name)).expect(Output::default());
        Ok(Change::of(vec![action.settles(subject, wanted)], values))
    }

    fn effects(_: &Given) -> Effects {
        Effects::host()
    }
}
