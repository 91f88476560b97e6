use crate::change::Change;
use crate::failure::Failure;
use crate::module::{Effects, Given, Module, ModuleSpec};
use crate::system::{Output, System};
use crate::value::Map;
use crate::{args, map};

args! {
    /// Returns values for whoever reads the results of the run, as `ansible_stats`.
    pub struct Args {
        /// The values.
        data: Map;
        /// Whether they are the host's own, or the run's.
        per_host: bool = false;
        /// Whether values of one name are to be added up.
        aggregate: bool = true;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "set_stats");

impl Module for Args {
    fn plan(&self, _: &dyn System, _: &[Output]) -> Result<Change, Failure> {
        let stats = map! { "data" => self.data.clone(), "per_host" => self.per_host, "aggregate" => self.aggregate };
        Ok(Change::none(map! { "ansible_stats" => stats }))
    }

    fn effects(_: &Given) -> Effects {
        Effects::looks()
    }
}
