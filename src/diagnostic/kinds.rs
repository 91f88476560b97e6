//! The kinds of problems: each has a stable name, which is shown with it, silences it, and is explained by `wodctl explain`.

use super::Diagnostic;

/// A kind of problem.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its name, `unknown-module`.
    pub name: &'static str,
    /// The page about it; the first line is the summary.
    pub page: &'static str,
    /// Whether it can be silenced: what cannot be loaded at all cannot be run either.
    pub can_be_silenced: bool,
    /// Whether an include that brings it ends the run, as in Ansible, where no `rescue` sees it.
    pub ends_run: bool,
}

macro_rules! kinds {
    ($($(#[doc = $page:literal])* $ident:ident $name:literal $silence:ident;)*) => {
        $(
            $(#[doc = $page])*
            pub static $ident: Kind = Kind {
                name: $name,
                page: concat!($($page, "\n",)*),
                can_be_silenced: kinds!(@ $silence).0,
                ends_run: kinds!(@ $silence).1,
            };
        )*
        /// All kinds, in alphabetical order.
        pub static ALL: &[&Kind] = &[$(&$ident),*];
    };
    (@ may) => { (true, false) };
    (@ never) => { (false, false) };
    (@ ends) => { (false, true) };
}

kinds! {
    /// A key stands twice in one mapping.
    ///
    /// The last one counts, as in Ansible. Remove one of them.
    DUPLICATE_KEY "duplicate-key" may;

    /// A role or a file includes itself without end.
    ///
    /// An import that leads back to itself can never be resolved. An `include_tasks` or `include_role` may include its own
    /// file, but only under a `when` that becomes false at some time; a run ends it after 100 rounds.
    ENDLESS_INCLUDE "endless-include" never;

    /// The arguments of a module lack one that it needs.
    ///
    /// `wodctl doc MODULE` lists the arguments and says which of them are required.
    MISSING_ARGUMENT "missing-argument" may;

    /// A file on the controller that a task names is not there.
    ///
    /// Files are looked for as in Ansible: in `files/`, `templates/`, `vars/` or `tasks/` of the role, beside the file of
    /// tasks, and beside the playbook. It is only possible, not certain, where an earlier step may make the file.
    MISSING_FILE "missing-file" may;

    /// There is no role of this name.
    ///
    /// Roles are looked for in `roles/` beside the playbook, in the project's `roles/`, beside the role that asks, and beside
    /// the playbook.
    MISSING_ROLE "missing-role" never;

    /// A role has no such file of tasks, handlers, defaults or variables.
    MISSING_ROLE_FILE "missing-role-file" ends;

    /// No play has a host.
    ///
    /// Nothing would be done. `wodctl inventory INVENTORY --graph` shows the hosts and groups.
    NO_HOSTS "no-hosts" may;

    /// The file is YAML, but not what a playbook, a role or a list of tasks looks like.
    ///
    /// Ansible refuses it, too.
    STRUCTURE "structure" ends;

    /// A text is no template that can be read.
    ///
    /// A brace or a quote is not closed, or an expression is not one. It fails the task that evaluates it.
    TEMPLATE_SYNTAX "template-syntax" may;

    /// Nothing defines a variable that a task uses.
    ///
    /// Neither the inventory, nor the playbook, nor a role, nor a step before defines it. It is an error where the task is
    /// certain to evaluate it, and a warning where it may not come to that. Define it, give it with `-e`, or write
    /// `| default(…)` where it may be missing.
    UNDEFINED_VARIABLE "undefined-variable" may;

    /// Includes whose names are only known in the run, so that nothing is said about what they bring.
    ///
    /// Names may use `role_path`, `playbook_dir`, extra variables, variables of the play and of roles, and a loop over a
    /// list that is written out. What uses facts or results is only known in the run.
    UNFOLLOWED_INCLUDE "unfollowed-include" may;

    /// A module has no argument of this name.
    ///
    /// `wodctl doc MODULE` lists the arguments that it has.
    UNKNOWN_ARGUMENT "unknown-argument" may;

    /// Nobody has a filter of this name: neither wodctl nor the `ansible` package.
    UNKNOWN_FILTER "unknown-filter" may;

    /// No handler of the play is named so or listens to it.
    ///
    /// The run stops when a task that notifies it has changed something, as in Ansible.
    UNKNOWN_HANDLER "unknown-handler" may;

    /// The inventory has no such host or group.
    UNKNOWN_HOST "unknown-host" may;

    /// A key is no keyword of the place where it stands.
    ///
    /// A play, a block, a task and a handler have different keywords. A name is often only misspelt.
    UNKNOWN_KEYWORD "unknown-keyword" ends;

    /// Nobody has a lookup of this name: neither wodctl nor the `ansible` package.
    UNKNOWN_LOOKUP "unknown-lookup" may;

    /// Nobody has a module of this name: neither wodctl nor the `ansible` package nor this project.
    ///
    /// As in Ansible, a playbook that names it in a file that is loaded before the run is not run at all.
    UNKNOWN_MODULE "unknown-module" ends;

    /// Nothing has the tag, or no task has the name, that the command line asks for.
    UNKNOWN_TAG "unknown-tag" may;

    /// Nobody has a test of this name: neither wodctl nor the `ansible` package.
    UNKNOWN_TEST "unknown-test" may;

    /// A file of variables cannot be read: it is not there, it is no YAML, or its vault does not open.
    UNREADABLE_VARS "unreadable-vars" ends;

    /// A filter that exists in Ansible and that wodctl lacks.
    ///
    /// A task that evaluates it fails. `rescue` and `ignore_errors` see that failure.
    UNSUPPORTED_FILTER "unsupported-filter" may;

    /// A keyword of Ansible's, or a value of one, that wodctl lacks.
    ///
    /// A task that has it fails when a host comes to it. `rescue` and `ignore_errors` see that failure.
    UNSUPPORTED_KEYWORD "unsupported-keyword" may;

    /// A lookup that exists in Ansible and that wodctl lacks.
    ///
    /// A task that evaluates it fails. `rescue` and `ignore_errors` see that failure.
    UNSUPPORTED_LOOKUP "unsupported-lookup" may;

    /// A module that exists and that wodctl lacks: one of the `ansible` package, or one of the project's own.
    ///
    /// A task that calls it fails when a host comes to it. `rescue` and `ignore_errors` see that failure. Where it is certain
    /// that a host comes to it, nothing is run at all.
    UNSUPPORTED_MODULE "unsupported-module" may;

    /// A test that exists in Ansible and that wodctl lacks.
    ///
    /// A task that evaluates it fails. `rescue` and `ignore_errors` see that failure.
    UNSUPPORTED_TEST "unsupported-test" may;

    /// A keyword that has no effect where it stands.
    USELESS_KEYWORD "useless-keyword" may;

    /// A secret stands where every user of the target can read it.
    ///
    /// The arguments of a command are shown by `ps`. Hand a secret over by `stdin`, or by a file.
    VISIBLE_SECRET "visible-secret" may;

    /// An argument of a module is not what the module takes.
    ///
    /// `wodctl doc MODULE` says what each argument takes.
    WRONG_ARGUMENT "wrong-argument" may;

    /// A file is no YAML.
    ///
    /// The caret stands where reading ended; the mistake is often on the line before: a quote that is not closed, a tab, a
    /// value that begins with `{{` and is not quoted.
    YAML "yaml" ends;
}

/// Problems of files that were read: what has no name of its own is one of structure.
pub fn all_known(mut problems: Vec<Diagnostic>) -> Vec<Diagnostic> {
    problems.iter_mut().for_each(|problem| {
        problem.kind.get_or_insert(&STRUCTURE);
    });
    problems
}

/// The kind of this name.
pub fn find(name: &str) -> Option<&'static Kind> {
    ALL.iter().copied().find(|kind| kind.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_are_sorted_and_each_has_a_page() {
        assert!(ALL.is_sorted_by_key(|kind| kind.name));
        assert!(
            ALL.iter().all(|kind| kind
                .page
                .trim()
                .lines()
                .next()
                .is_some_and(|line| line.trim().ends_with(['.', ':'])))
        );
    }
}
