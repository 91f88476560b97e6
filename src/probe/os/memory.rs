//! Memory, load and uptime.

use super::text;
use crate::map;
use crate::system::System;
use crate::value::{Map, Value};

/// `memtotal_mb`, `memory_mb` and their kin, from `/proc/meminfo`.
pub fn facts(system: &dyn System) -> Map {
    let Some(info) = text(system, "/proc/meminfo") else { return Map::new() };
    let megabytes = |name: &str| -> Option<i64> {
        let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        Some(line.split_whitespace().next()?.parse::<i64>().ok()? / 1024)
    };
    let (total, free) = (megabytes("MemTotal"), megabytes("MemFree"));
    let (swap, swap_free) = (megabytes("SwapTotal"), megabytes("SwapFree"));
    let (cached, buffers) = (megabytes("Cached"), megabytes("Buffers"));
    let less = |a: Option<i64>, b: Option<i64>| Some(a? - b?);
    let without_cache = cached.zip(free).zip(buffers).map(|((cached, free), buffers)| cached + free + buffers);
    let mut facts = Map::new();
    let named = [("memtotal_mb", total), ("memfree_mb", free), ("swaptotal_mb", swap), ("swapfree_mb", swap_free)];
    for (name, value) in named {
        if let Some(value) = value {
            facts.insert(name.to_owned(), value.into());
        }
    }
    let memory = map! {
        "real" => map! { "total" => total, "used" => less(total, free), "free" => free },
        "nocache" => map! { "free" => without_cache, "used" => less(total, without_cache) },
        "swap" => map! {
            "total" => swap,
            "free" => swap_free,
            "used" => less(swap, swap_free),
            "cached" => megabytes("SwapCached"),
        },
    };
    facts.insert("memory_mb".into(), memory.into());
    facts
}

/// `loadavg`.
pub fn load(system: &dyn System) -> Map {
    let text = text(system, "/proc/loadavg").unwrap_or_default();
    let mut numbers = text.split_whitespace().map_while(|word| word.parse::<f64>().ok());
    let mut next = || numbers.next().map_or(Value::Null, Value::Float);
    let (one, five, fifteen) = (next(), next(), next());
    match one {
        Value::Null => Map::new(),
        one => map! { "loadavg" => map! { "1m" => one, "5m" => five, "15m" => fifteen } },
    }
}

/// `uptime_seconds`.
pub fn uptime(system: &dyn System) -> Map {
    let text = text(system, "/proc/uptime").unwrap_or_default();
    let seconds = text.split(['.', ' ']).next().and_then(|whole| whole.parse::<i64>().ok());
    seconds.map_or_else(Map::new, |seconds| map! { "uptime_seconds" => seconds })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::fake::Fake;

    #[test]
    fn memory_is_in_megabytes() {
        let info = "MemTotal: 2048000 kB\nMemFree: 1024000 kB\nBuffers: 1024 kB\nCached: 10240 kB\nSwapCached: 0 kB\n\
                    SwapTotal: 0 kB\nSwapFree: 0 kB\n";
        let facts = facts(&Fake::new().file("/proc/meminfo", info));
        assert_eq!(facts["memtotal_mb"], Value::Int(2000));
        let expected = serde_json::json!({
            "real": {"total": 2000, "used": 1000, "free": 1000},
            "nocache": {"free": 1011, "used": 989},
            "swap": {"total": 0, "free": 0, "used": 0, "cached": 0},
        });
        assert_eq!(facts["memory_mb"].to_json(), expected);
    }

    #[test]
    fn load_and_uptime() {
        let fake = Fake::new().file("/proc/loadavg", "0.50 1.25 2.00 1/100 7\n").file("/proc/uptime", "2825.31 99.0\n");
        assert_eq!(load(&fake)["loadavg"].to_json(), serde_json::json!({"1m": 0.5, "5m": 1.25, "15m": 2.0}));
        assert_eq!(uptime(&fake)["uptime_seconds"], Value::Int(2825));
        assert!(load(&Fake::new()).is_empty());
    }
}
