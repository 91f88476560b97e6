//! IP addresses with the network that they stand in.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address and how much of it names the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Network {
    /// Version 6 rather than 4.
    pub six: bool,
    /// The address as a number.
    pub bits: u128,
    /// So many leading bits are the network's.
    pub prefix: u32,
}

impl Network {
    /// Reads `10.0.0.1`, `10.0.0.1/8` or `10.0.0.1/255.0.0.0`, and the same of version 6.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let (six, bits) = match address.parse().ok()? {
            IpAddr::V4(address) => (false, u128::from(u32::from(address))),
            IpAddr::V6(address) => (true, u128::from(address)),
        };
        let whole = Network { six, bits, prefix: if six { 128 } else { 32 } };
        match prefix {
            None => Some(whole),
            Some(prefix) => Some(Network { prefix: whole.read_prefix(prefix)?, ..whole }),
        }
    }

    /// A number as an address of a version.
    pub fn from_number(bits: u128, six: bool) -> Option<Self> {
        (six || bits <= u128::from(u32::MAX)).then_some(Network { six, bits, prefix: if six { 128 } else { 32 } })
    }

    /// A length, a netmask, or a mask of the hosts.
    fn read_prefix(&self, text: &str) -> Option<u32> {
        if let Ok(length) = text.parse::<u32>() {
            return (length <= self.width()).then_some(length);
        }
        let mask = Network::parse(text).filter(|mask| mask.six == self.six && mask.prefix == self.width())?;
        (0..=self.width()).find(|&prefix| {
            let net = Network { prefix, ..*self };
            net.netmask().bits == mask.bits || net.hostmask().bits == mask.bits
        })
    }

    /// 32 or 128.
    pub fn width(&self) -> u32 {
        if self.six { 128 } else { 32 }
    }

    /// How many addresses the network has; all of version 6 are counted as one less, which no number holds.
    pub fn size(&self) -> u128 {
        1u128.checked_shl(self.width() - self.prefix).unwrap_or(u128::MAX)
    }

    fn host_bits(&self) -> u128 {
        match self.width() - self.prefix {
            128 => u128::MAX,
            bits => (1 << bits) - 1,
        }
    }

    /// Another address of the same version, alone.
    pub fn at(&self, bits: u128) -> Self {
        Network { bits, prefix: self.width(), ..*self }
    }

    /// The address alone.
    pub fn ip(&self) -> Self {
        self.at(self.bits)
    }

    /// The first address of the network.
    pub fn first(&self) -> Self {
        self.at(self.bits & !self.host_bits())
    }

    /// The last one.
    pub fn last(&self) -> Self {
        self.at(self.bits | self.host_bits())
    }

    /// The last address, where the network is large enough to have one for that.
    pub fn broadcast(&self) -> Option<Self> {
        (self.six || self.prefix < 31).then(|| self.last())
    }

    /// The network without the address.
    pub fn cidr(&self) -> Self {
        Network { bits: self.first().bits, ..*self }
    }

    /// `255.255.255.0`
    pub fn netmask(&self) -> Self {
        let all = if self.six { u128::MAX } else { u128::from(u32::MAX) };
        self.at(all & !self.host_bits())
    }

    /// `0.0.0.255`
    pub fn hostmask(&self) -> Self {
        self.at(self.host_bits())
    }

    /// The first and last address that a host may have.
    pub fn usable(&self) -> Option<(u128, u128)> {
        match self.size() {
            1 => None,
            2 => Some((self.first().bits, self.last().bits)),
            _ => Some((self.first().bits + 1, self.last().bits - 1)),
        }
    }

    /// Whether all of the other lies in this.
    pub fn holds(&self, other: &Network) -> bool {
        self.six == other.six
            && other.prefix >= self.prefix
            && self.first().bits == Network { prefix: self.prefix, ..*other }.first().bits
    }

    /// Whether the address lies in one of these networks.
    pub fn in_any(&self, networks: &[&str]) -> bool {
        networks.iter().filter_map(|text| Network::parse(text)).any(|network| network.holds(&self.ip()))
    }

    /// Whether its addresses are one host's each.
    pub fn is_unicast(&self) -> bool {
        !self.is_multicast()
    }

    /// Whether it is for groups.
    pub fn is_multicast(&self) -> bool {
        self.in_any(&["224.0.0.0/4", "ff00::/8"])
    }

    /// Whether it can be reached from everywhere, as IANA's registry of special addresses says.
    pub fn is_global(&self) -> bool {
        const EXCEPT: [&str; 8] = [
            "192.0.0.9/32",
            "192.0.0.10/32",
            "2001:1::1/128",
            "2001:1::2/128",
            "2001:3::/32",
            "2001:4:112::/48",
            "2001:20::/28",
            "2001:30::/28",
        ];
        const SPECIAL: [&str; 25] = [
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "240.0.0.0/4",
            "255.255.255.255/32",
            "::1/128",
            "::/128",
            "::ffff:0:0/96",
            "64:ff9b:1::/48",
            "100::/64",
            "2001::/23",
            "2001:db8::/32",
            "2002::/16",
            "fc00::/7",
            "fe80::/10",
            "5f00::/16",
        ];
        self.in_any(&EXCEPT) || !self.in_any(&SPECIAL)
    }

    /// The name under which its host's name is looked up.
    pub fn reverse(&self) -> String {
        match self.address() {
            IpAddr::V4(address) => {
                let parts: Vec<String> = address.octets().iter().rev().map(u8::to_string).collect();
                format!("{}.in-addr.arpa.", parts.join("."))
            }
            IpAddr::V6(_) => {
                let digits = format!("{:032x}", self.bits);
                digits.chars().rev().map(|digit| format!("{digit}.")).collect::<String>() + "ip6.arpa."
            }
        }
    }

    /// The address.
    pub fn address(&self) -> IpAddr {
        match self.six {
            true => IpAddr::V6(Ipv6Addr::from(self.bits)),
            false => IpAddr::V4(Ipv4Addr::from(self.bits as u32)),
        }
    }

    /// `address/prefix`
    pub fn with_prefix(&self) -> String {
        format!("{self}/{}", self.prefix)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.address().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::Network;

    #[test]
    fn parts() {
        let net = Network::parse("192.168.10.7/255.255.255.0").unwrap();
        assert_eq!(net.with_prefix(), "192.168.10.7/24");
        assert_eq!(net.cidr().with_prefix(), "192.168.10.0/24");
        assert_eq!(net.broadcast().unwrap().to_string(), "192.168.10.255");
        assert_eq!(net.hostmask().to_string(), "0.0.0.255");
        assert!(net.holds(&Network::parse("192.168.10.99").unwrap()));
        assert!(!net.holds(&Network::parse("192.168.11.1").unwrap()));
        assert_eq!(Network::parse("10.0.0.1/33"), None);
        assert_eq!(Network::parse("::/0").unwrap().size(), u128::MAX);
    }
}
