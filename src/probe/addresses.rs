//! The addresses of a host, from `getent`, so that no name-service plug-in is loaded into this process.

use std::net::IpAddr;
use std::time::Duration;

use crate::failure::{During, Failure};
use crate::system::{Command, System};

/// The addresses of a host given by name or address; none if nobody knows it.
pub fn of(system: &dyn System, host: &str) -> Result<Vec<IpAddr>, Failure> {
    if let Ok(address) = host.trim_matches(['[', ']']).parse() {
        return Ok(vec![address]);
    }
    let mut ask = Command::new(["getent", "ahosts", host]);
    ask.timeout = Some(Duration::from_secs(30));
    let output = system.query(&ask).during(|| format!("look up {host} (getent)"))?;
    let mut found: Vec<IpAddr> = Vec::new();
    for address in output.text().lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()) {
        if !found.contains(&address) {
            found.push(address);
        }
    }
    Ok(found)
}
