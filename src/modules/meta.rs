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
