//! The registry of modules, one file each. Adding a module is one new file and one line here.

use crate::module::ModuleSpec;

/// Declares the registry: the file's name is the module's.
macro_rules! registry {
    ($($module:ident),* $(,)?) => {
        $(#[allow(missing_docs)] pub mod $module;)*
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
    set_fact,
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

pub mod edit;
pub mod file_args;
pub mod placing;
pub mod postgresql;
pub mod printed;
pub mod put;
pub mod text_file;
pub mod web;

/// Finds a module by its short name, its full name or an alias (`copy`, `ansible.builtin.copy`, `ansible.legacy.copy`).
pub fn find(name: &str) -> Option<&'static ModuleSpec> {
    let (collection, short) = name.rsplit_once('.').map_or((None, name), |(before, last)| (Some(before), last));
    let holds = |spec: &ModuleSpec| match collection {
        None => true,
        Some("ansible.legacy") => spec.collection == "ansible.builtin",
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
