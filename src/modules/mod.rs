//! The registry of modules, one file each. Adding a module is one new file and two lines here.
#![allow(missing_docs, reason = "what a module is for is said by the documentation of its arguments")]

use crate::catalog;
use crate::module::ModuleSpec;

pub mod acl;
pub mod add_host;
pub mod apt;
pub mod apt_key;
pub mod apt_repository;
pub mod assemble;
pub mod assert;
pub mod authorized_key;
pub mod blockinfile;
pub mod command;
pub mod copy;
pub mod cron;
pub mod deb822_repository;
pub mod debconf;
pub mod debug;
pub mod dnf;
pub mod dpkg_selections;
pub mod edit;
pub mod fail;
pub mod fetch;
pub mod file;
pub mod file_args;
pub mod find;
pub mod firewalld;
pub mod get_url;
pub mod getent;
pub mod git;
pub mod group;
pub mod group_by;
pub mod hostname;
pub mod import_playbook;
pub mod import_role;
pub mod import_tasks;
pub mod include_role;
pub mod include_tasks;
pub mod include_vars;
pub mod known_hosts;
pub mod lineinfile;
pub mod meta;
pub mod npm;
pub mod package;
pub mod package_facts;
pub mod pam_limits;
pub mod pause;
pub mod ping;
pub mod pip;
pub mod placing;
pub mod postgresql;
pub mod postgresql_db;
pub mod postgresql_ext;
pub mod postgresql_user;
pub mod printed;
pub mod put;
pub mod raw;
pub mod replace;
pub mod rpm_key;
pub mod script;
pub mod selinux;
pub mod service;
pub mod service_facts;
pub mod set_fact;
pub mod set_stats;
pub mod setup;
pub mod shell;
pub mod slurp;
pub mod stat;
pub mod synchronize;
pub mod sysctl;
pub mod systemd;
pub mod tempfile;
pub mod template;
pub mod text_file;
pub mod timezone;
pub mod ufw;
pub mod unarchive;
pub mod uri;
pub mod user;
pub mod validate_argument_spec;
pub mod wait_for;
pub mod web;
pub mod yum_repository;

/// Lists the modules by the names of their files.
macro_rules! registry {
    ($($module:ident),* $(,)?) => {
        /// All modules, in alphabetical order.
        pub static ALL: &[&ModuleSpec] = &[$(&$module::SPEC),*];
    };
}

registry! {
    acl,
    add_host,
    apt,
    apt_key,
    apt_repository,
    assemble,
    assert,
    authorized_key,
    blockinfile,
    command,
    copy,
    cron,
    deb822_repository,
    debconf,
    debug,
    dnf,
    dpkg_selections,
    fail,
    fetch,
    file,
    find,
    firewalld,
    get_url,
    getent,
    git,
    group,
    group_by,
    hostname,
    import_playbook,
    import_role,
    import_tasks,
    include_role,
    include_tasks,
    include_vars,
    known_hosts,
    lineinfile,
    meta,
    npm,
    package,
    package_facts,
    pam_limits,
    pause,
    ping,
    pip,
    postgresql_db,
    postgresql_ext,
    postgresql_user,
    raw,
    replace,
    rpm_key,
    script,
    selinux,
    service,
    service_facts,
    set_fact,
    set_stats,
    setup,
    shell,
    slurp,
    stat,
    synchronize,
    sysctl,
    systemd,
    tempfile,
    template,
    timezone,
    ufw,
    unarchive,
    uri,
    user,
    validate_argument_spec,
    wait_for,
    yum_repository,
}

/// Collections whose modules were Ansible's own once, and which it still finds by their old names (`ansible.builtin.sysctl`).
const HAVE_LEFT: [&str; 3] = ["ansible.posix", "community.general", "community.postgresql"];

/// Finds a module by its short name, its full name, an alias, or a name that it had (`copy`, `ansible.builtin.copy`,
/// `ansible.legacy.copy`, `ansible.builtin.sysctl`).
pub fn find(name: &str) -> Option<&'static ModuleSpec> {
    named(name).or_else(|| named(&catalog::find(catalog::Kind::Module, name)?))
}

fn named(name: &str) -> Option<&'static ModuleSpec> {
    let (collection, short) = name.rsplit_once('.').map_or((None, name), |(before, last)| (Some(before), last));
    let holds = |spec: &ModuleSpec| match collection {
        None => true,
        Some("ansible.builtin" | "ansible.legacy") => {
            spec.collection == "ansible.builtin" || HAVE_LEFT.contains(&spec.collection)
        }
        Some(collection) => spec.collection == collection,
    };
    ALL.iter().copied().find(|spec| holds(spec) && (spec.name == short || spec.aliases.contains(&short)))
}

/// All the names that a module goes by.
pub fn names(spec: &'static ModuleSpec) -> impl Iterator<Item = String> {
    std::iter::once(spec.name).chain(spec.aliases.iter().copied()).flat_map(move |short| {
        let legacy = (spec.collection == "ansible.builtin").then(|| format!("ansible.legacy.{short}"));
        [Some(short.to_owned()), Some(format!("{}.{short}", spec.collection)), legacy].into_iter().flatten()
    })
}
