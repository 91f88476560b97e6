//! IP addresses and networks: the tests of `ansible.utils`.

use minijinja::{Error, State, Value};

use crate::template::arguments::{Arguments, Entry, entry};
use crate::template::network::Network;
use crate::template::python;

pub const TESTS: &[Entry] = &[
    entry(&["ansible.utils.in_any_network"], "ip networks", in_any),
    entry(&["ansible.utils.in_network", "ansible.utils.subnet_of"], "ip network", is_inside),
    entry(&["ansible.utils.in_one_network"], "ip networks", in_one),
    entry(&["ansible.utils.ip"], "ip", |_, given| network_is(given, |_| true)),
    entry(&["ansible.utils.ip_address"], "ip", |_, given| address_is(given, |_| true)),
    entry(&["ansible.utils.ipv4"], "ip", |_, given| network_is(given, |net| !net.six)),
    entry(&["ansible.utils.ipv4_address"], "ip", |_, given| address_is(given, |net| !net.six)),
    entry(&["ansible.utils.ipv4_hostmask"], "ip", |_, given| mask_is(given, |net| net.hostmask())),
    entry(&["ansible.utils.ipv4_netmask"], "mask", |_, given| mask_is(given, |net| net.netmask())),
    entry(&["ansible.utils.ipv6"], "ip", |_, given| network_is(given, |net| net.six)),
    entry(&["ansible.utils.ipv6_address"], "ip", |_, given| address_is(given, |net| net.six)),
    entry(&["ansible.utils.ipv6_ipv4_mapped"], "ip", |_, given| {
        address_is(given, |net| net.in_any(&["::ffff:0:0/96"]))
    }),
    entry(&["ansible.utils.ipv6_sixtofour"], "ip", |_, given| address_is(given, |net| net.in_any(&["2002::/16"]))),
    entry(&["ansible.utils.ipv6_teredo"], "ip", |_, given| address_is(given, |net| net.in_any(&["2001::/32"]))),
    entry(&["ansible.utils.loopback"], "ip", |_, given| address_is(given, |net| net.in_any(&["127.0.0.0/8", "::1"]))),
    entry(&["ansible.utils.mac"], "mac", mac),
    entry(&["ansible.utils.multicast"], "ip", |_, given| {
        address_is(given, |net| net.in_any(&["224.0.0.0/4", "ff00::/8"]))
    }),
    entry(&["ansible.utils.private"], "ip", |_, given| address_is(given, is_private)),
    entry(&["ansible.utils.public"], "ip", |_, given| {
        address_is(given, |net| !is_private(net) && !net.in_any(&["100.64.0.0/10"]))
    }),
    entry(&["ansible.utils.reserved"], "ip", |_, given| address_is(given, |net| net.in_any(RESERVED))),
    entry(&["ansible.utils.supernet_of"], "network_a network_b", holds),
    entry(&["ansible.utils.unspecified"], "ip", |_, given| address_is(given, |net| net.in_any(&["0.0.0.0", "::"]))),
];

/// What IANA set aside for private networks and special uses.
const PRIVATE: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/29",
    "192.0.0.170/31",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "::1",
    "::",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "fc00::/7",
    "fe80::/10",
];

/// What IANA keeps for the future.
const RESERVED: &[&str] = &[
    "240.0.0.0/4",
    "::/8",
    "100::/8",
    "200::/7",
    "400::/6",
    "800::/5",
    "1000::/4",
    "4000::/3",
    "6000::/3",
    "8000::/3",
    "a000::/3",
    "c000::/3",
    "e000::/4",
    "f000::/5",
    "f800::/6",
    "fe00::/9",
];

/// A network, written without bits of a host; an address is one of its own.
fn network(text: &str) -> Option<Network> {
    Network::parse(text).filter(|net| net.bits == net.first().bits)
}

fn address(text: &str) -> Option<Network> {
    Network::parse(text).filter(|_| !text.contains('/'))
}

fn network_is(given: &Arguments, holds: fn(Network) -> bool) -> Result<Value, Error> {
    Ok(network(&given.value_text()?).is_some_and(holds).into())
}

fn address_is(given: &Arguments, holds: fn(Network) -> bool) -> Result<Value, Error> {
    Ok(address(&given.value_text()?).is_some_and(holds).into())
}

/// One of version 4 in the clothes of version 6 counts as what it is.
fn is_private(net: Network) -> bool {
    let inner = net.bits & u128::from(u32::MAX);
    let mapped = net.in_any(&["::ffff:0:0/96"]).then(|| Network::from_number(inner, false)).flatten();
    mapped.unwrap_or(net).in_any(PRIVATE)
}

fn mask_is(given: &Arguments, mask: fn(&Network) -> Network) -> Result<Value, Error> {
    let text = given.value_text()?;
    let net = Network::parse(&format!("10.0.0.0/{text}"));
    Ok(net.is_some_and(|net| mask(&net).to_string() == *text).into())
}

fn inside(inner: &Value, outer: &Value) -> bool {
    let (inner, outer) = (network(&python::text(inner)), network(&python::text(outer)));
    inner.zip(outer).is_some_and(|(inner, outer)| inner.six == outer.six && outer.holds(&inner))
}

fn is_inside(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(inside(given.value()?, given.need("network")?).into())
}

fn holds(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(inside(given.need("network_b")?, given.value()?).into())
}

fn count(given: &Arguments) -> Result<usize, Error> {
    let value = given.value()?;
    Ok(python::list(given.need("networks")?)?.iter().filter(|network| inside(value, network)).count())
}

fn in_any(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok((count(given)? > 0).into())
}

fn in_one(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok((count(given)? == 1).into())
}

/// `aa:bb:cc:dd:ee:ff`, the same with `-`, `aabb.ccdd.eeff` or `aabbccddeeff`.
fn mac(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let text = given.value_text()?;
    let is_hex = |part: &str, length: usize| part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let split = |marks: &[char], count: usize, length: usize| {
        text.split(marks).count() == count && text.split(marks).all(|part| is_hex(part, length))
    };
    Ok((split(&[':', '-'], 6, 2) || split(&['.'], 3, 4) || is_hex(&text, 12)).into())
}
