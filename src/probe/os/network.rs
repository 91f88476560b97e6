//! Interfaces and name servers.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::routes::{self, Address};
use super::{exists, link_name, names, text};
use crate::map;
use crate::system::System;
use crate::value::{Map, Value};

const INTERFACES: &str = "/sys/class/net";
/// Addresses on the Internet, on the way to which the default interface lies. Nothing is sent to them.
const FAR: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8)), IpAddr::V6(Ipv6Addr::new(0x2404, 0x6800, 0x400a, 0x800, 0, 0, 0, 0x1012))];

/// `interfaces`, a dictionary for each of them, `default_ipv4`, `default_ipv6` and the lists of all addresses.
pub fn facts(system: &dyn System) -> Map {
    let addresses = routes::addresses(system);
    let mut numbered: Vec<(u32, String)> = names(system, INTERFACES)
        .into_iter()
        .filter_map(|name| Some((text(system, format!("{INTERFACES}/{name}/ifindex"))?.parse().ok()?, name)))
        .collect();
    numbered.sort();
    let mut found = Found::default();
    for (number, name) in &numbered {
        found.interface(system, name, addresses.iter().filter(|address| address.interface == *number));
    }
    let device: HashMap<u32, &str> = numbered.iter().map(|(number, name)| (*number, name.as_str())).collect();
    let [v4, v6] = FAR.map(|far| {
        let route = routes::route_to(system, far)?;
        let name = device.get(&route.interface).copied()?;
        Some(found.default_facts(name, &route, addresses.iter().find(|address| Some(address.address) == route.source)))
    });
    let mut facts: Map =
        found.interfaces.into_iter().map(|(name, facts)| (name.replace(':', "_"), Value::Map(facts))).collect();
    let names: Vec<String> = facts.keys().cloned().collect();
    facts.extend(map! {
        "interfaces" => names,
        "default_ipv4" => v4.unwrap_or_default(),
        "default_ipv6" => v6.unwrap_or_default(),
        "all_ipv4_addresses" => found.v4,
        "all_ipv6_addresses" => found.v6,
        "locally_reachable_ips" => map! {
            "ipv4" => routes::local_networks(system, false),
            "ipv6" => routes::local_networks(system, true),
        },
    });
    facts
}

#[derive(Default)]
struct Found {
    interfaces: indexmap::IndexMap<String, Map>,
    v4: Vec<String>,
    v6: Vec<String>,
}

impl Found {
    fn interface<'a>(&mut self, system: &dyn System, name: &str, addresses: impl Iterator<Item = &'a Address> + Clone) {
        self.interfaces.insert(name.to_owned(), device(system, name));
        // The first address of a network, then those that share it.
        let primary = addresses.clone().filter(|address| !address.secondary);
        for address in primary.chain(addresses.filter(|address| address.secondary)) {
            match address.address {
                IpAddr::V4(v4) => self.v4(name, v4, address),
                IpAddr::V6(v6) => self.v6(name, v6, address),
            }
        }
    }

    fn v4(&mut self, device: &str, v4: Ipv4Addr, address: &Address) {
        let label = address.label.clone().unwrap_or_else(|| device.to_owned());
        let entry = Value::Map(ipv4(v4, address));
        let facts = self.interfaces.entry(label.clone()).or_default();
        match !address.secondary && !facts.contains_key("ipv4") {
            true => drop(facts.insert("ipv4".into(), entry.clone())),
            false => push(facts, "ipv4_secondaries", entry.clone()),
        }
        if address.secondary && label != device {
            push(self.interfaces.entry(device.to_owned()).or_default(), "ipv4_secondaries", entry);
        }
        if v4.octets()[0] != 127 {
            self.v4.push(v4.to_string());
        }
    }

    fn v6(&mut self, device: &str, v6: Ipv6Addr, address: &Address) {
        let entry = map! {
            "address" => v6.to_string(),
            "prefix" => address.prefix.to_string(),
            "scope" => address.scope,
        };
        push(self.interfaces.entry(device.to_owned()).or_default(), "ipv6", entry.into());
        if !v6.is_loopback() {
            self.v6.push(v6.to_string());
        }
    }

    /// `default_ipv4` or `default_ipv6`.
    fn default_facts(&self, name: &str, route: &routes::Route, address: Option<&Address>) -> Map {
        let mut facts = Map::new();
        if let Some(gateway) = route.gateway {
            facts.insert("gateway".into(), gateway.to_string().into());
        }
        facts.insert("interface".into(), name.into());
        let Some(address) = address else { return facts };
        facts.insert("address".into(), address.address.to_string().into());
        match address.address {
            IpAddr::V4(v4) => {
                let mut network = ipv4(v4, address);
                network.shift_remove("address");
                facts.extend(network);
                facts.insert("alias".into(), address.label.as_deref().unwrap_or(name).into());
            }
            IpAddr::V6(_) => {
                facts.insert("prefix".into(), address.prefix.to_string().into());
                facts.insert("scope".into(), address.scope.into());
            }
        }
        let device = self.interfaces.get(name);
        let of_device = |key: &str| device.and_then(|facts| facts.get(key)).cloned();
        facts.insert("macaddress".into(), of_device("macaddress").unwrap_or_else(|| "".into()));
        facts.insert("mtu".into(), of_device("mtu").unwrap_or_default());
        facts.insert("type".into(), of_device("type").unwrap_or_else(|| "unknown".into()));
        facts
    }
}

fn push(facts: &mut Map, key: &str, entry: Value) {
    match facts.entry(key.to_owned()).or_insert_with(|| Value::List(Vec::new())) {
        Value::List(list) => list.push(entry),
        other => *other = Value::List(vec![entry]),
    }
}

fn ipv4(v4: Ipv4Addr, address: &Address) -> Map {
    let prefix = if address.peer.is_some() { 32 } else { u32::from(address.prefix).min(32) };
    let mask = Ipv4Addr::from(u32::MAX.checked_shl(32 - prefix).unwrap_or(0));
    map! {
        "address" => v4.to_string(),
        "broadcast" => address.broadcast.map(|address| address.to_string()).unwrap_or_default(),
        "netmask" => mask.to_string(),
        "network" => (v4 & mask).to_string(),
        "prefix" => prefix.to_string(),
    }
}

/// What the kernel says of an interface apart from its addresses.
fn device(system: &dyn System, name: &str) -> Map {
    let folder = format!("{INTERFACES}/{name}");
    let read = |file: &str| text(system, format!("{folder}/{file}"));
    let whole = |file: &str| read(file).and_then(|number| number.parse::<i64>().ok());
    let mut facts = map! { "device" => name };
    let mut put = |key: &str, value: Option<Value>| value.map(|value| facts.insert(key.to_owned(), value));
    put("macaddress", read("address").filter(|mac| mac != "00:00:00:00:00:00").map(Value::from));
    put("mtu", whole("mtu").map(Value::from));
    put("active", read("operstate").map(|state| (state != "down").into()));
    put("module", link_name(system, format!("{folder}/device/driver/module")).map(Value::from));
    put("type", read("type").map(|number| kind(&number).into()));
    put("pciid", link_name(system, format!("{folder}/device")).map(Value::from));
    put("speed", whole("speed").map(Value::from));
    let flags = read("flags").and_then(|hex| u32::from_str_radix(hex.trim_start_matches("0x"), 16).ok());
    put("promisc", flags.map(|flags| (flags & 0x100 != 0).into()));
    put("perm_macaddress", read("bonding_slave/perm_hwaddr").map(Value::from));
    if exists(system, format!("{folder}/bridge")) {
        put("type", Some("bridge".into()));
        put("interfaces", Some(names(system, format!("{folder}/brif")).into()));
        put("id", read("bridge/bridge_id").map(Value::from));
        put("stp", read("bridge/stp_state").map(|state| (state == "1").into()));
    }
    if exists(system, format!("{folder}/bonding")) {
        let words = |file: &str| read(file).unwrap_or_default();
        let first = |file: &str| words(file).split_whitespace().next().map(Value::from);
        put("type", Some("bonding".into()));
        put("slaves", Some(words("bonding/slaves").split_whitespace().collect::<Vec<_>>().into()));
        put("mode", first("bonding/mode"));
        put("miimon", first("bonding/miimon"));
        put("lacp_rate", first("bonding/lacp_rate"));
        if let Some(primary) = read("bonding/primary") {
            put("primary", Some(primary.into()));
            put("all_slaves_active", read("bonding/all_slaves_active").map(|state| (state == "1").into()));
        }
    }
    facts
}

/// The kernel's hardware types, by number.
fn kind(number: &str) -> &'static str {
    match number {
        "1" => "ether",
        "32" => "infiniband",
        "512" => "ppp",
        "772" => "loopback",
        "65534" => "tunnel",
        _ => "unknown",
    }
}

/// `dns`, from `/etc/resolv.conf`.
pub fn dns(system: &dyn System) -> Map {
    let mut dns = Map::new();
    for line in text(system, "/etc/resolv.conf").unwrap_or_default().lines() {
        let mut words = line.split_whitespace();
        let Some(key) = words.next() else { continue };
        match key {
            "nameserver" => words.for_each(|server| push(&mut dns, "nameservers", server.into())),
            "domain" => drop(words.next().map(|domain| dns.insert("domain".into(), domain.into()))),
            "search" | "sortlist" => drop(dns.insert(key.into(), words.collect::<Vec<_>>().into())),
            "options" => {
                let option = |word: &str| match word.split_once(':') {
                    Some((name, value)) if !value.is_empty() => (name.to_owned(), value.into()),
                    Some((name, _)) => (name.to_owned(), true.into()),
                    None => (word.to_owned(), true.into()),
                };
                dns.insert("options".into(), words.map(option).collect::<Map>().into());
            }
            _ => {}
        }
    }
    map! { "dns" => dns }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::fake::Fake;

    fn address(text: &str, prefix: u8) -> Address {
        Address {
            interface: 2,
            address: text.parse().unwrap(),
            prefix,
            peer: None,
            broadcast: None,
            label: None,
            secondary: false,
            scope: "global",
        }
    }

    #[test]
    fn networks_follow_from_prefixes() {
        let facts = |text: &str, prefix| {
            let address = address(text, prefix);
            Value::Map(ipv4(text.parse().unwrap(), &address)).to_json()
        };
        let expected = serde_json::json!({
            "address": "10.1.2.3", "broadcast": "", "netmask": "255.255.252.0", "network": "10.1.0.0", "prefix": "22",
        });
        assert_eq!(facts("10.1.2.3", 22), expected);
        assert_eq!(facts("10.1.2.3", 0)["netmask"], "0.0.0.0");
    }

    #[test]
    fn aliases_and_second_addresses() {
        let fake = Fake::new().file("/sys/class/net/eth0/mtu", "1500\n");
        let second = Address { secondary: true, ..address("10.0.0.6", 24) };
        let alias = Address { label: Some("eth0:1".into()), ..address("10.1.0.5", 24) };
        let mut found = Found::default();
        found.interface(&fake, "eth0", [second, alias, address("10.0.0.5", 24)].iter());
        assert_eq!(found.v4, ["10.1.0.5", "10.0.0.5", "10.0.0.6"]);
        let eth0 = &found.interfaces["eth0"];
        assert_eq!(eth0["ipv4"].get("address"), Some(&"10.0.0.5".into()));
        assert_eq!(eth0["ipv4_secondaries"].as_list().unwrap().len(), 1);
        assert_eq!(found.interfaces["eth0:1"]["ipv4"].get("address"), Some(&"10.1.0.5".into()));
    }

    #[test]
    fn name_servers() {
        let conf = "# x\nnameserver 10.0.0.1\nnameserver 10.0.0.2\nsearch a.org b.org\noptions ndots:2 rotate\n";
        let facts = dns(&Fake::new().file("/etc/resolv.conf", conf));
        let expected = serde_json::json!({
            "nameservers": ["10.0.0.1", "10.0.0.2"], "search": ["a.org", "b.org"],
            "options": {"ndots": "2", "rotate": true},
        });
        assert_eq!(facts["dns"].to_json(), expected);
    }
}
