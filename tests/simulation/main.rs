//! The real runner against fake machines, in simulated time and from one seed: random plays, in which frames are late and
//! out of step, connections break, and the controller is interrupted or dies. What happens is compared with a plain model
//! of Ansible's rules (`model`), which is itself compared with ansible-core (`recorded`).
//!
//! - `cargo test --test simulation` plays 10,000 seeds; `SEEDS=1000000` plays more, `FROM=…` others.
//! - `SEED=17 cargo test --test simulation one_seed` plays one, and shows what is wrong with it.

#![allow(clippy::disallowed_methods, reason = "tests make the files that they need")]

mod agent;
mod book;
mod dice;
mod generate;
mod history;
#[expect(dead_code, reason = "threads of the real agent use what tasks of the simulated one do not")]
#[path = "../../src/agent/lanes.rs"]
mod lanes;
mod machine;
mod mistakes;
mod model;
mod network;
mod recorded;
mod scenario;
mod seen;
mod shrink;
mod time;
mod yaml;

/// The lanes name it so.
use wodctl::protocol;

use mistakes::Mistake;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number from the environment.
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// What is wrong with a seed.
fn wrong(seed: u64) -> Option<String> {
    let (book, fate) = scenario::of_seed(seed);
    std::panic::catch_unwind(|| scenario::wrong(&book, &fate)).unwrap_or_else(|_| Some("it panics".to_owned()))
}

/// The first seeds of a range that fail, at most so many.
fn failures(from: u64, count: u64, most: usize, mistake: Option<Mistake>) -> Vec<(u64, String)> {
    let (next, found) = (AtomicU64::new(from), Mutex::new(Vec::new()));
    let work = || {
        mistakes::plant(mistake);
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= from + count || found.lock().expect("a list").len() >= most {
                return;
            }
            if let Some(why) = wrong(seed) {
                found.lock().expect("a list").push((seed, why));
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let mut found = found.into_inner().expect("a list");
    found.sort();
    found
}

/// A seed that fails, made small, with the command that repeats it.
fn report(seed: u64, why: String) -> String {
    let (book, fate) = scenario::of_seed(seed);
    let (book, fate, why) = shrink::smallest(book, fate, why);
    let shown = yaml::shown(&book);
    format!("seed {seed}: SEED={seed} cargo test --test simulation one_seed\n{fate:?}\n{shown}\n{why}")
}

#[test]
fn everything_happens_as_the_model_says() {
    let found = failures(number("FROM", 0), number("SEEDS", 10_000), 3, None);
    let reports: Vec<String> = found.into_iter().map(|(seed, why)| report(seed, why)).collect();
    assert!(reports.is_empty(), "\n{}", reports.join("\n\n"));
}

#[test]
fn one_seed() {
    let seed = number("SEED", 0);
    if let Some(why) = wrong(seed) {
        panic!("\n{}", report(seed, why));
    }
}

#[test]
#[ignore = "plants mistakes, which takes its time"]
fn planted_mistakes_are_found() {
    std::panic::set_hook(Box::new(|_| ()));
    let mut missed = Vec::new();
    for mistake in mistakes::ALL {
        match failures(0, 10_000, 1, Some(mistake)).first() {
            Some((seed, why)) => println!("{mistake:?}: seed {seed}: {}", why.lines().next().unwrap_or_default()),
            None => missed.push(mistake),
        }
    }
    assert!(missed.is_empty(), "nothing found {missed:?}");
}
