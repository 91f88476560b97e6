use crate::module::{Effects, ModuleSpec, Place, Things};
use crate::{args, choices};

choices! {
    /// What to tell the run.
    pub enum Action {
        /// Run the handlers that were notified so far.
        FlushHandlers = "flush_handlers",
        /// Read the inventory again.
        RefreshInventory = "refresh_inventory",
        /// Nothing.
        Noop = "noop",
        /// Forget the gathered facts of the hosts.
        ClearFacts = "clear_facts",
        /// Take hosts back in that failed or were unreachable.
        ClearHostErrors = "clear_host_errors",
        /// End the play for this host.
        EndHost = "end_host",
        /// End the play for all hosts.
        EndPlay = "end_play",
        /// End this batch of `serial`.
        EndBatch = "end_batch",
        /// End the role for this host.
        EndRole = "end_role",
        /// Close the connection; the next task opens another.
        ResetConnection = "reset_connection",
    }
}

impl Action {
    /// Whether the first host decides for all, as in Ansible.
    pub fn is_for_all(self) -> bool {
        use Action::*;
        matches!(self, RefreshInventory | ClearFacts | ClearHostErrors | EndBatch | EndPlay)
    }

    /// Whether a condition keeps it from being done. As in Ansible not every action looks at one.
    pub fn has_condition(self) -> bool {
        !matches!(self, Action::Noop | Action::RefreshInventory | Action::ResetConnection)
    }

    /// What is returned as `msg` where its condition does not hold.
    pub fn message(self, host: &str) -> String {
        match self {
            Action::EndHost => format!("end_host conditional evaluated to false, continuing execution for {host}"),
            _ => self.as_str().to_owned(),
        }
    }

    /// Why it was not done, in Ansible's words.
    pub fn skip_reason(self, host: &str, role: &str) -> String {
        let rest = match self {
            Action::Noop => String::new(),
            Action::FlushHandlers => format!(", not running handlers for {host}"),
            Action::RefreshInventory => ", not refreshing inventory".to_owned(),
            Action::ClearFacts => format!(", not clearing facts and fact cache for {host}"),
            Action::ClearHostErrors => format!(", not clearing host error state for {host}"),
            Action::EndBatch => ", continuing current batch".to_owned(),
            Action::EndPlay => ", continuing play".to_owned(),
            Action::EndHost => format!(", continuing execution for {host}"),
            Action::EndRole => format!(", continuing role {role} for {host}"),
            Action::ResetConnection => format!(", not resetting connection for {host}"),
        };
        format!("{} conditional evaluated to False{rest}", self.as_str())
    }
}

args! {
    /// Tells the run itself something: `meta: flush_handlers`.
    pub struct Args {
        /// What.
        action as "free_form": Action;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec {
    free_form: Some("free_form"),
    place: Place::Course,
    effects: |_| Effects::none().writing(Things::COURSE),
    ..ModuleSpec::controller::<Args>("ansible.builtin", "meta")
};
