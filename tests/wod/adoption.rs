//! Machines that install.sh has set up (`adoption/` brings them there) are looked at, taken over, and lose nothing.

use std::collections::BTreeSet;

use super::apply;
use super::hazards::Findings;
use super::outside;
use super::site::{API_DB, BACKEND, Site};
use crate::fixtures;

const MACHINES: [(&str, &str); 2] = [(API_DB, "api-db"), (BACKEND, "backend")];

/// What a plan says of each kind of machine, among other things.
const PLANNED: [(&str, &str); 7] = [
    (API_DB, "Put aside what install.sh wrote, before it is replaced"),
    (API_DB, "Undo the edits that install.sh itself made in its clones"),
    (API_DB, "Copy the database out of its container"),
    (API_DB, "Remove what only machines with a hub need"),
    (BACKEND, "Take away what install.sh lets run at night"),
    (BACKEND, "Take over users, tokens and sessions"),
    (BACKEND, "Take them out of the hands of cron"),
];

#[test]
fn machines_of_install_sh_are_taken_over() {
    let Some(site) = Site::new(&MACHINES.map(|(name, _)| name)) else { return };
    let mut findings = Findings::default();
    on_all(|machine, kind| install(&site, machine, kind));
    let cookie = outside::log_in(&site);
    let before = kept(&site);

    let all = everything(&site);
    let plan = site.plan("site.yml");
    assert!(plan.succeeded, "{}", plan.changes());
    let said = plan.changes();
    for (machine, task) in PLANNED {
        assert!(said.contains(&format!("{machine}: {task}: changed")), "the plan does not say \"{task}\": {said}");
    }
    assert!(!site.secrets().iter().any(|secret| plan.text.contains(secret)), "hazard 7: the plan prints a secret");
    let after = everything(&site);
    let touched: Vec<_> = all.symmetric_difference(&after).collect();
    assert!(touched.is_empty(), "the plan touched {touched:#?}");

    apply(&site, "site.yml");
    findings.same("after the takeover", &before, &kept(&site));
    outside::session(&site, &cookie, &mut findings);
    let run = apply(&site, "site.yml");
    assert_eq!(run.changed(), 0, "{}", run.changes());
    apply(&site, "health.yml");
    findings.same("after a second run", &before, &kept(&site));
    gone(&site, &mut findings);
    findings.end();
}

/// On all machines side by side; what came of it.
fn on_all<T: Send>(work: impl Fn(&str, &str) -> T + Sync) -> Vec<T> {
    let work = &work;
    std::thread::scope(|scope| {
        let started = MACHINES.map(|(machine, kind)| scope.spawn(move || work(machine, kind)));
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Brings a bare machine into the state that install.sh leaves, and lets people work on it.
fn install(site: &Site, machine: &str, kind: &str) {
    site.root(machine, "mkdir /root/hub");
    for (folder, to) in [(fixtures::dir("wod/adoption"), "/root"), (site.path("hub"), "/root/hub")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let write = format!("cat > {to}/{}", path.file_name().unwrap().display());
            site.root_with(machine, &write, &std::fs::read_to_string(path).unwrap());
        }
    }
    let git = &site.repositories;
    site.root(machine, &format!("bash /root/install-sh.sh {kind} {git} && bash /root/life.sh {kind}"));
}

/// What has to survive, part by part.
fn kept(site: &Site) -> Vec<String> {
    let of_machine = |machine: &str, kind: &str| {
        let text = site.root(machine, &format!("bash /root/kept.sh {kind}"));
        text.split("%%").skip(1).map(|part| format!("{machine}: {part}")).collect::<Vec<_>>()
    };
    on_all(of_machine).concat()
}

/// All files of the machines, but for what changes by itself, and their services.
fn everything(site: &Site) -> BTreeSet<String> {
    let script = "cd /; find etc home/wodadmin opt root student usr var/backups var/lib/dpkg var/lib/jupyterhub \
        \\( -name __pycache__ -o -name .mail -o -name .npm -o -name 'jupyterhub.sqlite*' \\) -prune -o \
        -type f -printf '%p %m %u %T@ %s\\n'; systemctl list-units --plain --no-legend --type=service | grep -v '^user'";
    let of_machine = |machine: &str, _: &str| {
        let said = site.root(machine, &format!("({script}) 2>/dev/null; true"));
        said.lines().map(|line| format!("{machine}: {line}")).collect::<Vec<_>>()
    };
    on_all(of_machine).into_iter().flatten().collect()
}

/// Nothing of install.sh goes on, what it wrote can be read, and its database and units have ended.
fn gone(site: &Site, findings: &mut Findings) {
    for (machine, _) in MACHINES {
        let found = site.root(machine, "ls /etc/cron.d | grep wod; ls -d /usr/local/bin/wod-deliver /usr/local/bin/wod-upd* \
            /etc/fail2ban/jail.local /etc/systemd/system/wod-npm-app.service 2>/dev/null; systemctl is-failed 'wod*' | grep -x failed; \
            grep -l 'generated at install' /etc/wod.sh; tar -tzf /var/backups/wod/install-sh/files.tar.gz | grep -c '^etc/wod.sh$' | grep -vx 1; true");
        findings.hold(17, found.is_empty(), || format!("{machine}: {found}"));
        let clones = site.root(
            machine,
            "cd /home/wodadmin; for clone in wod-*/.git; do \
            runuser -u wodadmin -- git -C ${clone%/.git} status --porcelain --untracked-files=no; done",
        );
        findings.hold(13, clones == " M README.md\n", || format!("{machine}: {clones}"));
    }
    let jobs = "systemctl start wod-cleanup-processes wod-check-template; \
        journalctl -u wod-cleanup-processes -u wod-check-template -o cat --no-pager | grep -E '^(cleaned up|/home)'; \
        systemctl show wod-check-template -p ConditionResult";
    let jobs = site.root(BACKEND, jobs);
    findings.hold(17, jobs == "cleaned up for wodadmin\nConditionResult=no\n", || jobs.clone());
    let docker = site.root(API_DB, "tail -n 2 /root/docker.log; ls /root/docker.up 2>/dev/null; true");
    findings.hold(15, docker == "update --restart=no postgres adminer\nstop postgres adminer\n", || docker.clone());
}
