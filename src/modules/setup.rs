use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::args;
use crate::change::Change;
use crate::failure::Failure;
use crate::map;
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::probe::os::{Ask, GROUPS, Group};
use crate::probe::{expand, glob};
use crate::system::{Output, System};
use crate::value::Map;

args! {
    /// Gathers facts about the host.
    ///
    /// A play does this by itself before its first task, unless it says `gather_facts: false`. Facts are variables in
    /// names that begin with `ansible_`, and entries of `ansible_facts`. Nothing is needed on the host, and it takes
    /// milliseconds; a fact that is not known (`ansible_python` where there is no Python) is not there.
    pub struct Args {
        /// Which facts: `all`, `min`, `network`, `hardware`, `virtual`, and many more; `!network` leaves some out.
        /// `all` when left out. The facts of `min` always come, unless `!min` is said.
        gather_subset: Vec<String>;
        /// How long a file system may take to say how full it is, in seconds.
        gather_timeout: i64 = 10;
        /// Only facts whose names match one of these patterns, such as `ansible_eth*`.
        filter: Vec<String>;
        /// The folder of the host's own facts: `*.fact` files that hold JSON or INI, or programs that print it.
        fact_path: PathBuf = "/etc/ansible/facts.d";
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec =
    ModuleSpec { aliases: &["gather_facts"], ..ModuleSpec::of::<Args>("ansible.builtin", "setup") };

impl Module for Args {
    fn plan(&self, system: &dyn System, _: &[Output]) -> Result<Change, Failure> {
        let fact_path = expand::path(system, &self.fact_path)?;
        let patience = Duration::from_secs(self.gather_timeout.try_into().unwrap_or(10));
        let mut warnings = Vec::new();
        let mut facts = gather(system, &self.groups()?, &fact_path, patience, &mut warnings);
        facts.insert("gather_subset".into(), self.subsets().into());
        facts.insert("module_setup".into(), true.into());
        let facts: Map = facts
            .into_iter()
            .map(|(name, value)| (prefixed(&name), value))
            .filter(|(name, _)| self.wants(name))
            .collect();
        Ok(Change { warnings, ..Change::none(map! { "ansible_facts" => facts }) })
    }

    fn check(&self) -> Result<(), ArgError> {
        self.groups().map(drop)
    }

    fn effects(_: &Given) -> Effects {
        Effects::looks().gathering()
    }
}

/// `gather_subset` and `module_setup` tell about the gathering itself and have no prefix.
fn prefixed(name: &str) -> String {
    match name {
        "gather_subset" | "module_setup" => name.to_owned(),
        name => format!("ansible_{}", name.replace('-', "_")),
    }
}

fn gather(
    system: &dyn System,
    groups: &[&Group],
    fact_path: &Path,
    patience: Duration,
    warnings: &mut Vec<String>,
) -> Map {
    let mut known = Map::new();
    for group in groups {
        let facts = (group.gather)(&Ask { system, known: &known, patience, fact_path }, warnings);
        known.extend(facts);
    }
    known
}

impl Args {
    fn subsets(&self) -> Vec<String> {
        match self.gather_subset.is_empty() {
            true => vec!["all".to_owned()],
            false => self.gather_subset.clone(),
        }
    }

    /// The groups that `gather_subset` means, with those that they need, in the order of [`GROUPS`].
    fn groups(&self) -> Result<Vec<&'static Group>, ArgError> {
        let subsets = self.subsets();
        let minimal = || GROUPS.iter().filter(|group| group.minimal).map(|group| group.name);
        let all = known;
        let mut added: Vec<&'static str> = minimal().collect();
        let mut removed: Vec<&str> = Vec::new();
        let mut named: Vec<&str> = Vec::new();
        for subset in &subsets {
            match subset.as_str() {
                "min" => added.extend(minimal()),
                "all" => added.extend(all()),
                "!min" => removed.extend(minimal()),
                "!all" => removed.extend(all().filter(|id| !minimal().any(|name| name == *id))),
                other => match other.strip_prefix('!') {
                    Some(without) => {
                        removed.extend(GROUPS.iter().filter(|group| group.name == without).flat_map(ids));
                        removed.extend(known().filter(|id| *id == without));
                    }
                    None => {
                        let id = known().find(|id| *id == other).ok_or_else(|| no_such_subset(other))?;
                        named.push(id);
                        added.push(id);
                    }
                },
            }
        }
        added.retain(|id| named.contains(id) || !removed.contains(id));
        let mut chosen: Vec<&str> =
            GROUPS.iter().filter(|group| ids(group).any(|id| added.contains(&id))).map(|group| group.name).collect();
        let needed: Vec<&str> =
            GROUPS.iter().filter(|group| chosen.contains(&group.name)).flat_map(|group| group.needs).copied().collect();
        chosen.extend(needed);
        Ok(GROUPS.iter().filter(|group| chosen.contains(&group.name)).collect())
    }

    fn wants(&self, name: &str) -> bool {
        let patterns = self.filter.iter().filter(|pattern| !pattern.is_empty());
        let fits =
            |pattern: &String| glob::matches(pattern, name) || glob::matches(&format!("ansible_{pattern}"), name);
        let mut patterns = patterns.peekable();
        patterns.peek().is_none() || patterns.any(fits)
    }
}

fn ids(group: &'static Group) -> impl Iterator<Item = &'static str> {
    std::iter::once(group.name).chain(group.ids.iter().copied())
}

/// All subsets that can be named. Facts of two other tools are among them, and empty here.
fn known() -> impl Iterator<Item = &'static str> {
    GROUPS.iter().flat_map(ids).chain(["facter", "ohai"])
}

fn no_such_subset(name: &str) -> ArgError {
    let mut names: Vec<&str> = GROUPS.iter().map(|group| group.name).collect();
    names.sort_unstable();
    ArgError::new("gather_subset", format!("there is no subset `{name}`: expected all, min, {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::Arguments;
    use crate::system::fake::Fake;
    use crate::value::Value;

    fn groups(subsets: &[&str]) -> Vec<&'static str> {
        let args = Args::read(&map! { "gather_subset" => subsets.to_vec() }).unwrap();
        args.groups().unwrap().iter().map(|group| group.name).collect()
    }

    #[test]
    fn subsets_add_and_remove() {
        assert_eq!(groups(&[]).len(), GROUPS.len());
        let minimal = groups(&["!all"]);
        assert!(minimal.contains(&"distribution") && !minimal.contains(&"network"));
        assert_eq!(groups(&["!all", "!min"]), Vec::<&str>::new());
        assert_eq!(groups(&["!all", "!min", "network"]), ["platform", "distribution", "network"]);
        assert!(!groups(&["all", "!hardware"]).contains(&"hardware"));
        assert!(groups(&["min", "hardware"]).contains(&"hardware"));
        assert_eq!(groups(&["!all", "!min", "mounts"]), ["platform", "hardware"]);
    }

    #[test]
    fn an_unknown_subset_is_refused() {
        let error = Args::read(&map! { "gather_subset" => vec!["netwrok"] }).unwrap().check().unwrap_err();
        assert_eq!(error.argument.as_deref(), Some("gather_subset"));
        assert!(error.message.contains("netwrok"));
    }

    #[test]
    fn filters_are_patterns() {
        let args = Args::read(&map! { "filter" => vec!["ansible_os*", "distribution"] }).unwrap();
        let fake = Fake::new().file("/etc/os-release", "ID=debian\nVERSION_ID=12\n");
        let change = args.plan(&fake, &[]).unwrap();
        let Some(Value::Map(facts)) = change.values.get("ansible_facts") else { panic!("no facts") };
        assert_eq!(facts.keys().collect::<Vec<_>>(), ["ansible_distribution", "ansible_os_family"]);
    }

    /// `cargo test --lib this_machine -- --ignored --nocapture` prints the facts of the machine that it runs on, to hold
    /// them against those of others, and how long gathering took.
    #[test]
    #[ignore = "prints"]
    fn of_this_machine() {
        use crate::system::{local, process::Running};
        use std::sync::Arc;
        let local = local::Local::new(Arc::new(local::Nothing), Arc::new(Running::default()));
        let args = Args::read(&Map::new()).unwrap();
        let started = std::time::Instant::now();
        let change = args.plan(&local, &[]).unwrap();
        eprintln!("{:?}", started.elapsed());
        println!("{}", Value::Map(change.values).to_json());
    }
}
