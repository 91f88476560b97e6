//! Workshops-on-Demand as the roles set it up, from repositories of our own (`repos/`), on three machines of the lab:
//! what can be seen from outside, that a second run changes nothing, and that none of the hazards of install.sh is left.
//! They are numbered as in README.md.

mod adoption;
mod constants;
mod distributions;
mod hazards;
mod outside;
mod site;

use std::time::Instant;

use hazards::{Findings, kept, services};
use site::{API_DB, BACKEND, Run, Site};

#[test]
fn workshops_on_demand() {
    let Some(site) = Site::new(&site::ALL) else { return };
    let mut findings = Findings::default();
    first_apply(&site, &mut findings);
    outside::offer(&site, 5, &mut findings);
    outside::closed(&site, &mut findings);
    outside::booking(&site, "hub-before", "WKSHP-Ports101", "Our own brand\n", &mut findings);
    let cookie = life(&site);
    outside::session(&site, &cookie, &mut findings);
    nothing_to_do(&site, &mut findings);
    changes(&site, &mut findings);
    outside::session(&site, &cookie, &mut findings);
    outside::offer(&site, 6, &mut findings);
    outside::booking(&site, "hub-after", "WKSHP-Own101", "variable of the environment\n", &mut findings);
    hazards::secrets(&site, &mut findings);
    findings.end();
}

/// Applies, and says how long that took.
fn apply(site: &Site, playbook: &str) -> Run {
    let begun = Instant::now();
    let run = site.apply(playbook);
    eprintln!("{playbook}: {:.1} s, {} changed", begun.elapsed().as_secs_f64(), run.changed());
    assert!(run.succeeded, "{}", run.changes());
    assert!(!site.secrets().iter().any(|secret| run.text.contains(secret)), "hazard 7: {playbook} prints a secret");
    run
}

/// Fresh machines, on which others have left their things.
fn first_apply(site: &Site, findings: &mut Findings) {
    for machine in site::ALL {
        site.root(machine, hazards::BEFORE_FIRST);
    }
    hazards::watch(site);
    apply(site, "site.yml");
    hazards::watched(site, findings);
    apply(site, "health.yml");
}

/// What administrator, students and customers do then. A student's session at the hub.
fn life(site: &Site) -> String {
    for machine in site::ALL {
        site.root(machine, hazards::AFTER_FIRST);
    }
    site.root(API_DB, hazards::ROWS);
    site.root(BACKEND, hazards::WORK);
    site.root(BACKEND, hazards::EDITS);
    outside::log_in(site)
}

/// A second run: no change, no restart.
fn nothing_to_do(site: &Site, findings: &mut Findings) {
    let (state, started) = (kept(site), services(site));
    let run = apply(site, "site.yml");
    assert_eq!(run.changed(), 0, "{}", run.changes());
    findings.same("after a second run", &state, &kept(site));
    findings.same("services after a second run", &[started], &[services(site)]);
    hazards::clean_clones(site, findings);
    hazards::nothing_at_night(site, findings);
    let reported = ["wod-notebooks", "wod-private"].iter().all(|name| run.text.contains(&format!("{name} has local")));
    findings.hold(6, reported, || format!("local edits are not reported: {}", run.text));
}

/// Other variables, another commit; a run that is killed half-way, one that is not, and one with nothing to do.
fn changes(site: &Site, findings: &mut Findings) {
    let state = kept(site);
    site.set(site::AFTER);
    site.commit("wod-frontend", "README.md", "Another commit\n");
    hazards::watch(site);
    site.apply_and_kill(6);
    apply(site, "site.yml");
    hazards::watched(site, findings);
    findings.same("after a change", &state, &kept(site));
    hazards::nothing_stale(site, findings);
    hazards::nothing_grows(site, findings);
    hazards::clean_clones(site, findings);
    let run = apply(site, "site.yml");
    assert_eq!(run.changed(), 0, "{}", run.changes());
    apply(site, "health.yml");
}
