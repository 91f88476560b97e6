//! What can be asked of an address with `ipaddr('QUERY')`.

use minijinja::{Error, Value};

use super::network::Subject;
use crate::template::arguments::wrong;
use crate::template::network::Network;
use crate::template::python::Number;

/// The answer to a query: false or none where it has none.
pub fn answer(subject: &Subject, query: &str) -> Result<Value, Error> {
    let Subject { net, prefixed, text } = subject;
    let (net, prefixed) = (*net, *prefixed);
    let own = |is: bool| if is { Value::from(text.as_str()) } else { Value::from(()) };
    Ok(match query {
        "" if prefixed => net.with_prefix().into(),
        "" => net.to_string().into(),
        "bool" => true.into(),
        "address" | "ip" => some(is_host(&net) || net.six, || net.to_string()),
        "address/prefix" | "gateway" | "gw" | "host/prefix" | "hostnet" | "router" => {
            let reserved = net.size() > 2 && (net.bits == net.first().bits || Some(net.ip()) == net.broadcast());
            if reserved { false.into() } else { net.with_prefix().into() }
        }
        "broadcast" => some(net.size() > 2, || net.last().to_string()),
        "cidr" => net.with_prefix().into(),
        "host" => some(is_host(&net), || net.with_prefix()),
        "hostmask" | "wildcard" => net.hostmask().to_string().into(),
        "int" if prefixed => format!("{}/{}", net.bits, net.prefix).into(),
        "int" => number(net.bits),
        "ip/prefix" => some(net.size() > 1 && is_inside(&net), || net.with_prefix()),
        "ip_netmask" => some(net.size() > 1 && is_inside(&net), || format!("{net} {}", net.netmask())),
        "ipv4" | "v4" => four(&net, text),
        "ipv6" | "v6" => six(&net, text),
        "link-local" => own(net.in_any(&["169.254.0.0/16", "fe80::/10"])),
        "lo" | "loopback" => own(net.in_any(&["127.0.0.0/8", "::1/128"])),
        "multicast" => own(net.is_multicast()),
        "unicast" => own(net.is_unicast()),
        "private" => own(!net.is_global()),
        "public" => own(net.is_unicast() && net.is_global() && !net.in_any(&["127.0.0.0/8", "::1/128"])),
        "net" => some(net.size() > 1 && net.bits == net.first().bits, || net.with_prefix()),
        "netmask" => net.netmask().to_string().into(),
        "network" | "network_id" => net.first().to_string().into(),
        "network/prefix" | "subnet" => net.cidr().with_prefix().into(),
        "network_netmask" => format!("{} {}", net.first(), net.netmask()).into(),
        "network_wildcard" => format!("{} {}", net.first(), net.hostmask()).into(),
        "prefix" => net.prefix.into(),
        "revdns" => net.reverse().into(),
        "size" => number(net.size()),
        "size_usable" => match net.size() {
            1 => 0.into(),
            2 => 2.into(),
            size => number(size - 2),
        },
        "type" => if net.size() == 1 || net.bits != net.first().bits { "address" } else { "network" }.into(),
        "version" => if net.six { 6 } else { 4 }.into(),
        "wrap" if !net.six => text.as_str().into(),
        "wrap" if prefixed => format!("[{net}]/{}", net.prefix).into(),
        "wrap" => format!("[{net}]").into(),
        "first_usable" | "last_usable" | "next_usable" | "previous_usable" | "range_usable" | "peer" => {
            if !prefixed {
                return Err(wrong(format!("`{text}` is no network; write it with its prefix")));
            }
            if query == "peer" { peer(&net)? } else { usable(&net, query) }
        }
        other => inside(subject, other)?,
    })
}

fn some(is: bool, text: impl FnOnce() -> String) -> Value {
    if is { text().into() } else { Value::from(()) }
}

fn number(bits: u128) -> Value {
    i128::try_from(bits).map_or_else(|_| Value::from(bits), |bits| Number::Int(bits).into())
}

/// Not the name of a network.
fn is_host(net: &Network) -> bool {
    net.size() == 1 || net.bits != net.first().bits || net.broadcast().is_none()
}

fn is_inside(net: &Network) -> bool {
    net.size() == 2 || net.bits != net.first().bits
}

fn four(net: &Network, text: &str) -> Value {
    if !net.six {
        return text.into();
    }
    // Version 4 within version 6: `::ffff:10.0.0.1` and `::10.0.0.1`.
    let mapped = net.bits >> 32 == 0xffff || net.bits >> 32 == 0;
    match (mapped, net.prefix.checked_sub(96)) {
        (true, Some(prefix)) => Network { six: false, bits: net.bits & 0xffff_ffff, prefix }.with_prefix().into(),
        _ => false.into(),
    }
}

fn six(net: &Network, text: &str) -> Value {
    if net.six {
        return text.into();
    }
    Network { six: true, bits: 0xffff << 32 | net.bits, prefix: net.prefix + 96 }.with_prefix().into()
}

fn usable(net: &Network, query: &str) -> Value {
    let Some((first, last)) = net.usable() else { return Value::from(()) };
    let within = |bits: Option<u128>| {
        let bits = bits.filter(|bits| (first..=last).contains(bits));
        bits.map_or(Value::from(()), |bits| net.at(bits).to_string().into())
    };
    match query {
        "first_usable" => net.at(first).to_string().into(),
        "last_usable" => net.at(last).to_string().into(),
        "next_usable" => within(net.bits.checked_add(1)),
        "previous_usable" => within(net.bits.checked_sub(1)),
        _ => format!("{}-{}", net.at(first), net.at(last)).into(),
    }
}

fn peer(net: &Network) -> Result<Value, Error> {
    match (net.size(), net.bits % 4) {
        (2, _) => Ok(net.at(net.bits ^ 1).to_string().into()),
        (4, 1 | 2) => Ok(net.at(net.bits ^ 3).to_string().into()),
        (4, _) => Err(wrong(format!("{} is no host's address, so it has no peer", net.with_prefix()))),
        _ => Err(wrong(format!("{} is no point-to-point network", net.with_prefix()))),
    }
}

/// A number takes that address of the network; a network asks whether the address lies in it.
fn inside(subject: &Subject, query: &str) -> Result<Value, Error> {
    let net = subject.net;
    if let Ok(index) = query.parse::<i128>() {
        if net.size() == 1 {
            return Ok(if subject.prefixed { net.with_prefix() } else { net.to_string() }.into());
        }
        let at = if index < 0 { net.size().checked_sub(index.unsigned_abs()) } else { Some(index as u128) };
        let found = at.filter(|at| *at < net.size()).map(|at| net.first().bits + at);
        return Ok(found.map_or(false.into(), |bits| Network { bits, ..net }.with_prefix().into()));
    }
    match Network::parse(query) {
        Some(outer) if outer.holds(&net) => Ok(subject.text.as_str().into()),
        Some(_) => Ok(Value::from(())),
        None => Err(wrong(format!("`{query}` cannot be asked of an address"))),
    }
}
