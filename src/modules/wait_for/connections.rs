//! The kernel's TCP connections, from `/proc/net/tcp` and `/proc/net/tcp6`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use super::Args;
use crate::failure::{During, Failure};
use crate::probe::addresses;
use crate::system::System;

/// All connections.
pub struct Connections(Vec<Connection>);

#[derive(Debug, PartialEq)]
struct Connection {
    local: (IpAddr, u16),
    remote: (IpAddr, u16),
    state: u8,
}

/// The kernel's number for a state.
pub fn code(name: &str) -> Option<u8> {
    const NAMES: [&str; 11] = [
        "ESTABLISHED",
        "SYN_SENT",
        "SYN_RECV",
        "FIN_WAIT1",
        "FIN_WAIT2",
        "TIME_WAIT",
        "CLOSE",
        "CLOSE_WAIT",
        "LAST_ACK",
        "LISTEN",
        "CLOSING",
    ];
    NAMES.iter().position(|known| *known == name).map(|index| index as u8 + 1)
}

impl Connections {
    /// Reads them.
    pub fn read(system: &dyn System) -> Result<Connections, Failure> {
        let mut all = Vec::new();
        for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
            let bytes = system.read(Path::new(file)).during(|| format!("read {file}"))?.unwrap_or_default();
            all.extend(String::from_utf8_lossy(&bytes).lines().filter_map(parse));
        }
        Ok(Connections(all))
    }

    /// How many others are connected to the port.
    pub fn active(&self, args: &Args, system: &dyn System, port: u16) -> Result<usize, Failure> {
        let own = addresses::of(system, &args.host)?;
        let everywhere = own.iter().any(IpAddr::is_unspecified);
        let mut excluded = Vec::new();
        for host in &args.exclude_hosts {
            excluded.extend(addresses::of(system, host)?);
        }
        let counts: Vec<u8> = args.active_connection_states.iter().filter_map(|state| code(state)).collect();
        let is_active = |connection: &&Connection| {
            connection.local.1 == port
                && (everywhere || own.contains(&connection.local.0))
                && counts.contains(&connection.state)
                && !excluded.contains(&connection.remote.0)
        };
        Ok(self.0.iter().filter(is_active).count())
    }
}

/// Reads a line such as `0: 0100007F:1F90 0200007F:C350 01 …`.
fn parse(line: &str) -> Option<Connection> {
    let mut words = line.split_whitespace().skip(1);
    let local = end(words.next()?)?;
    let remote = end(words.next()?)?;
    Some(Connection { local, remote, state: u8::from_str_radix(words.next()?, 16).ok()? })
}

fn end(text: &str) -> Option<(IpAddr, u16)> {
    let (host, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    // Words of four bytes in the machine's own order.
    let words: Option<Vec<[u8; 4]>> = (0..host.len())
        .step_by(8)
        .map(|at| u32::from_str_radix(host.get(at..at + 8)?, 16).ok().map(u32::to_ne_bytes))
        .collect();
    let bytes = words?.concat();
    let host = match <[u8; 16]>::try_from(bytes.as_slice()) {
        Ok(bytes) => IpAddr::from(Ipv6Addr::from(bytes)).to_canonical(),
        Err(_) => IpAddr::from(Ipv4Addr::from(<[u8; 4]>::try_from(bytes.as_slice()).ok()?)),
    };
    Some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map;
    use crate::module::Arguments;
    use crate::system::fake::Fake;

    #[test]
    fn connections_of_others_are_counted() {
        let table = "  sl  local_address rem_address   st\n\
                     0: 0100007F:1F90 00000000:0000 0A\n\
                     1: 0100007F:1F90 0200000A:C350 01\n\
                     2: 0100007F:1F90 0300000A:C350 06\n";
        let table6 = "   0: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000400000A:C350 01\n";
        let fake = Fake::new().file("/proc/net/tcp", table).file("/proc/net/tcp6", table6);
        let count = |args: crate::value::Map| {
            let args = Args::read(&args).unwrap();
            Connections::read(&fake).unwrap().active(&args, &fake, 8080).unwrap()
        };
        assert_eq!(count(map! {}), 3);
        assert_eq!(count(map! { "exclude_hosts" => "10.0.0.2,10.0.0.4" }), 1);
        assert_eq!(count(map! { "active_connection_states" => "ESTABLISHED" }), 2);
        assert_eq!(count(map! { "host" => "10.9.9.9" }), 0);
        assert_eq!(count(map! { "host" => "0.0.0.0" }), 3);
    }
}
