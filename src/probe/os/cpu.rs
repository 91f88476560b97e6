//! Processors, from `/proc/cpuinfo`.

use super::{Ask, exists, text};
use crate::map;
use crate::value::{Map, Value};

/// `processor`, `processor_cores`, `processor_vcpus`, `flags` and their kin.
pub fn facts(ask: &Ask) -> Map {
    let Some(info) = text(ask.system, "/proc/cpuinfo") else { return Map::new() };
    let xen = exists(ask.system, "/proc/xen") || text(ask.system, "/sys/hypervisor/type").as_deref() == Some("xen");
    let mut facts = read(&info, ask.known("architecture"), xen);
    if let Some(usable) = usable(&text(ask.system, "/proc/self/status").unwrap_or_default()) {
        facts.insert("processor_nproc".into(), usable.into());
    }
    facts
}

/// What is counted while the file is read.
#[derive(Default)]
struct Count {
    /// Every line that goes into `processor`.
    named: i64,
    processors: i64,
    vendors: i64,
    models: i64,
    /// Physical id → number of its cores.
    sockets: indexmap::IndexMap<String, i64>,
    /// Core id → number of its threads.
    siblings: indexmap::IndexMap<String, i64>,
}

fn read(info: &str, architecture: &str, xen: bool) -> Map {
    let mut count = Count::default();
    let (mut socket, mut core) = (String::new(), String::new());
    let mut processor = Vec::<Value>::new();
    let mut facts = Map::new();
    let mut paravirtual = false;
    for line in info.lines() {
        let (key, value) = line.split_once(':').map_or((line.trim(), ""), |(key, value)| (key.trim(), value.trim()));
        let number = || value.parse::<i64>().unwrap_or(0);
        match key {
            "flags" => {
                // A paravirtual Xen guest has no `vme`, and shows each processor as one with a single core.
                paravirtual = xen && !value.contains("vme");
                facts.insert("flags".into(), value.split_whitespace().collect::<Vec<_>>().into());
            }
            "model name" | "Processor" | "vendor_id" | "cpu" | "Vendor" | "processor" => {
                processor.push(value.into());
                count.named += 1;
                count.vendors += i64::from(key == "vendor_id");
                count.models += i64::from(key == "model name");
                count.processors += i64::from(key == "processor");
            }
            "physical id" => {
                socket = value.to_owned();
                count.sockets.entry(socket.clone()).or_insert(1);
            }
            "core id" => {
                core = value.to_owned();
                count.siblings.entry(core.clone()).or_insert(1);
            }
            "cpu cores" => drop(count.sockets.insert(socket.clone(), number())),
            "siblings" => drop(count.siblings.insert(core.clone(), number())),
            _ => {}
        }
    }
    facts.insert("processor".into(), processor.into());
    facts.extend(count.facts(architecture, paravirtual));
    facts
}

impl Count {
    fn facts(&self, architecture: &str, paravirtual: bool) -> Map {
        let by_number = ["armv", "aarch", "ppc"].iter().any(|kind| architecture.starts_with(kind));
        let processors = match self {
            _ if by_number => self.processors,
            count if count.vendors > 0 && count.vendors == count.models => count.vendors,
            count => count.named,
        };
        if paravirtual {
            return map! {
                "processor_count" => processors,
                "processor_cores" => processors,
                "processor_threads_per_core" => 1,
                "processor_vcpus" => processors,
                "processor_nproc" => processors,
            };
        }
        let sockets = if self.sockets.is_empty() { processors } else { self.sockets.len() as i64 };
        let cores = self.sockets.values().next().copied().filter(|cores| *cores > 0).unwrap_or(1);
        let siblings = self.siblings.values().next().copied().unwrap_or(1);
        // Halves go to the even number, as Python rounds.
        let threads = (siblings as f64 / cores as f64).round_ties_even() as i64;
        map! {
            "processor_count" => sockets,
            "processor_cores" => cores,
            "processor_threads_per_core" => threads,
            "processor_vcpus" => threads * sockets * cores,
            "processor_nproc" => self.processors,
        }
    }
}

/// How many processors this process may run on: the ranges of `Cpus_allowed_list`.
fn usable(status: &str) -> Option<i64> {
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    list.trim().split(',').try_fold(0, |sum, range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(sum + last.parse::<i64>().ok()? - first.parse::<i64>().ok()? + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(info: &str, architecture: &str, expected: [i64; 4]) {
        let facts = read(info, architecture, false);
        let keys = ["count", "cores", "threads_per_core", "vcpus"].map(|key| format!("processor_{key}"));
        let got = keys.map(|key| facts[key.as_str()].clone());
        assert_eq!(got, expected.map(Value::Int));
    }

    #[test]
    fn one_socket_with_two_cores_of_two_threads() {
        let one = |number: u8, core: u8| {
            format!(
                "processor\t: {number}\nvendor_id\t: GenuineIntel\nmodel name\t: X\nphysical id\t: 0\nsiblings\t: 4\n\
                 core id\t\t: {core}\ncpu cores\t: 2\nflags\t\t: fpu vme\n\n"
            )
        };
        let info: String = [(0, 0), (1, 1), (2, 0), (3, 1)].map(|(number, core)| one(number, core)).concat();
        case(&info, "x86_64", [1, 2, 2, 4]);
        assert_eq!(read(&info, "x86_64", false)["processor"].as_list().map(<[_]>::len), Some(12));
    }

    #[test]
    fn arm_counts_processors() {
        let info = "processor\t: 0\nBogoMIPS\t: 50\nprocessor\t: 1\n";
        case(info, "aarch64", [2, 1, 1, 2]);
    }

    #[test]
    fn allowed_processors() {
        assert_eq!(usable("Name:\tx\nCpus_allowed_list:\t0-2,4,8-9\n"), Some(6));
    }
}
