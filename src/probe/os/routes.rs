//! Addresses and routes, asked of the kernel over netlink: messages made and read.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::system::System;

const RTM_NEWADDR: u16 = 20;
const RTM_GETADDR: u16 = 22;
const RTM_NEWROUTE: u16 = 24;
const RTM_GETROUTE: u16 = 26;
const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_DUMP: u16 = 0x300;
/// Of a message's header.
const HEADER: usize = 16;
/// Of the fixed part of a message about an address.
const ADDRESS_PART: usize = 8;
/// Of the fixed part of a message about a route.
const ROUTE_PART: usize = 12;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const RTN_UNICAST: u8 = 1;
const RTN_LOCAL: u8 = 2;

/// An address of an interface.
#[derive(Clone, Debug, PartialEq)]
pub struct Address {
    /// The interface's number.
    pub interface: u32,
    /// The address.
    pub address: IpAddr,
    /// Bits of its network; of the other end's, where there is one.
    pub prefix: u8,
    /// The other end of a point-to-point link.
    pub peer: Option<IpAddr>,
    /// The broadcast address.
    pub broadcast: Option<Ipv4Addr>,
    /// The interface's name, or an alias such as `eth0:1`.
    pub label: Option<String>,
    /// Another address of the same network comes first.
    pub secondary: bool,
    /// How far it is valid: `global`, `site`, `link`, `host`.
    pub scope: &'static str,
}

/// The way that packets to an address take.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// Over which interface.
    pub interface: u32,
    /// The router, unless the address is reached directly.
    pub gateway: Option<IpAddr>,
    /// The address that they are sent from.
    pub source: Option<IpAddr>,
}

/// All addresses, in the kernel's order.
pub fn addresses(system: &dyn System) -> Vec<Address> {
    let mut request = message(RTM_GETADDR, NLM_F_DUMP, &[0; ADDRESS_PART]);
    close(&mut request);
    let answer = system.netlink(&request).unwrap_or_default();
    messages(&answer).filter(|(kind, _)| *kind == RTM_NEWADDR).filter_map(|(_, body)| address(body)).collect()
}

/// The way to `target`, if there is one.
pub fn route_to(system: &dyn System, target: IpAddr) -> Option<Route> {
    let (family, bytes) = match target {
        IpAddr::V4(address) => (AF_INET, address.octets().to_vec()),
        IpAddr::V6(address) => (AF_INET6, address.octets().to_vec()),
    };
    let mut part = [0; ROUTE_PART];
    part[0] = family;
    part[1] = bytes.len() as u8 * 8;
    let mut request = message(RTM_GETROUTE, 0, &part);
    request.extend((4 + bytes.len() as u16).to_ne_bytes());
    request.extend(RTA_DST.to_ne_bytes());
    request.extend(bytes);
    close(&mut request);
    let answer = system.netlink(&request).ok()?;
    messages(&answer).find(|(kind, _)| *kind == RTM_NEWROUTE).and_then(|(_, body)| route(body))
}

/// Networks that the machine itself answers for, as `ip route show table local` names them.
pub fn local_networks(system: &dyn System, v6: bool) -> Vec<String> {
    let mut part = [0; ROUTE_PART];
    part[0] = if v6 { AF_INET6 } else { AF_INET };
    let mut request = message(RTM_GETROUTE, NLM_F_DUMP, &part);
    close(&mut request);
    let answer = system.netlink(&request).unwrap_or_default();
    let mut found = Vec::new();
    for (_, body) in messages(&answer).filter(|(kind, _)| *kind == RTM_NEWROUTE) {
        if let Some(network) = local_network(body).filter(|network| !found.contains(network)) {
            found.push(network);
        }
    }
    found
}

const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PREFSRC: u16 = 7;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_LABEL: u16 = 3;
const IFA_BROADCAST: u16 = 4;

/// A message without its attributes. [`close`] fills its length in.
fn message(kind: u16, flags: u16, part: &[u8]) -> Vec<u8> {
    let mut message = vec![0; HEADER];
    message[4..6].copy_from_slice(&kind.to_ne_bytes());
    message[6..8].copy_from_slice(&(flags | NLM_F_REQUEST).to_ne_bytes());
    message.extend(part);
    message
}

fn close(message: &mut [u8]) {
    let length = message.len() as u32;
    message[..4].copy_from_slice(&length.to_ne_bytes());
}

/// Kind and body of each message.
fn messages(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = u32::from_ne_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
        let kind = u16::from_ne_bytes(bytes.get(4..6)?.try_into().ok()?);
        let body = bytes.get(HEADER..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, body))
    })
}

/// The attributes behind the fixed part of a message.
fn attributes(mut bytes: &[u8]) -> HashMap<u16, &[u8]> {
    let mut found = HashMap::new();
    while let Some(header) = bytes.get(..4) {
        let length = u16::from_ne_bytes([header[0], header[1]]) as usize;
        let Some(value) = bytes.get(4..length) else { break };
        found.insert(u16::from_ne_bytes([header[2], header[3]]), value);
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    found
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(|octets| Ipv4Addr::from(octets).into()),
        16 => <[u8; 16]>::try_from(bytes).ok().map(|octets| Ipv6Addr::from(octets).into()),
        _ => None,
    }
}

fn number(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.try_into().ok()?))
}

fn address(body: &[u8]) -> Option<Address> {
    let (part, rest) = body.split_at_checked(ADDRESS_PART)?;
    let attributes = attributes(rest);
    let get = |kind: u16| attributes.get(&kind).copied().and_then(ip);
    let far = get(IFA_ADDRESS);
    let near = get(IFA_LOCAL);
    Some(Address {
        interface: number(&part[4..8])?,
        address: near.or(far)?,
        prefix: part[1],
        peer: far.filter(|far| near.is_some_and(|near| near != *far)),
        broadcast: match get(IFA_BROADCAST) {
            Some(IpAddr::V4(address)) => Some(address),
            _ => None,
        },
        label: attributes.get(&IFA_LABEL).map(|name| String::from_utf8_lossy(name).trim_end_matches('\0').to_owned()),
        secondary: part[2] & 1 != 0,
        scope: match part[3] {
            0 => "global",
            200 => "site",
            253 => "link",
            254 => "host",
            _ => "nowhere",
        },
    })
}

fn route(body: &[u8]) -> Option<Route> {
    let (part, rest) = body.split_at_checked(ROUTE_PART)?;
    let attributes = attributes(rest);
    let get = |kind: u16| attributes.get(&kind).copied().and_then(ip);
    let interface = number(attributes.get(&RTA_OIF)?)?;
    (part[7] == RTN_UNICAST).then(|| Route { interface, gateway: get(RTA_GATEWAY), source: get(RTA_PREFSRC) })
}

fn local_network(body: &[u8]) -> Option<String> {
    let (part, rest) = body.split_at_checked(ROUTE_PART)?;
    let target = ip(attributes(rest).get(&RTA_DST)?)?;
    let whole = if target.is_ipv4() { 32 } else { 128 };
    let text = if part[1] == whole { target.to_string() } else { format!("{target}/{}", part[1]) };
    (part[7] == RTN_LOCAL).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = (4 + value.len() as u16).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn an_address_is_read() {
        let mut body = vec![AF_INET, 24, 0x80, 0];
        body.extend(2_u32.to_ne_bytes());
        body.extend(attribute(IFA_ADDRESS, &[10, 0, 0, 5]));
        body.extend(attribute(IFA_LOCAL, &[10, 0, 0, 5]));
        body.extend(attribute(IFA_BROADCAST, &[10, 0, 0, 255]));
        body.extend(attribute(IFA_LABEL, b"eth0\0"));
        let read = address(&body).unwrap();
        assert_eq!((read.interface, read.prefix, read.secondary, read.scope), (2, 24, false, "global"));
        assert_eq!((read.address, read.peer), ("10.0.0.5".parse().unwrap(), None));
        assert_eq!((read.broadcast, read.label.as_deref()), (Some([10, 0, 0, 255].into()), Some("eth0")));
    }

    #[test]
    fn broken_messages_end_the_list() {
        assert_eq!(messages(&[0; 16]).count(), 0, "no message is shorter than its header");
        assert_eq!(messages(&[40, 0, 0, 0, 20, 0]).count(), 0);
        assert!(address(&[2, 24]).is_none());
        assert!(attributes(&[200, 0, 1, 0, 1]).is_empty());
    }

    #[test]
    fn only_real_routes_count() {
        let mut body = vec![AF_INET, 32, 0, 0, 254, 0, 0, RTN_UNICAST, 0, 0, 0, 0];
        body.extend(attribute(RTA_OIF, &3_u32.to_ne_bytes()));
        body.extend(attribute(RTA_GATEWAY, &[10, 0, 0, 1]));
        assert_eq!(route(&body).unwrap().gateway, Some("10.0.0.1".parse().unwrap()));
        body[7] = 7;
        assert_eq!(route(&body), None);
    }
}
