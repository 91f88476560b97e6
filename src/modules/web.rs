//! What modules that fetch something have in common: who we are to the server, and the headers that say so.

pub mod exchange;

use std::path::Path;

use base64::Engine as _;

use crate::probe::os::text;
use crate::system::System;
use crate::value::{Map, Value};

/// Name and password for a server.
#[derive(Clone, Debug, PartialEq)]
pub struct Login {
    name: String,
    password: String,
}

impl Login {
    /// From the arguments; without them from `~/.netrc`, if that may be read.
    pub fn find(
        system: &dyn System,
        name: &Option<String>,
        password: &Option<String>,
        url: &str,
        use_netrc: bool,
    ) -> Option<Found> {
        match name {
            Some(name) => {
                let password = password.clone().unwrap_or_default();
                Some(Found { login: Login { name: name.clone(), password }, at_once: false })
            }
            None if use_netrc => {
                let login = netrc(system, host(url)?)?;
                Some(Found { login, at_once: true })
            }
            None => None,
        }
    }

    /// The header that carries it.
    pub fn header(&self) -> (String, String) {
        let text = format!("{}:{}", self.name, self.password);
        ("Authorization".to_owned(), format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text)))
    }
}

/// A login, and whether it is sent before the server asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Who.
    pub login: Login,
    /// Without being asked.
    pub at_once: bool,
}

/// The host in an address, without login and port.
fn host(url: &str) -> Option<&str> {
    let authority = url.split_once("://")?.1.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next(),
        None => host.split(':').next(),
    }
}

/// What `~/.netrc` has for a host, or for all others (`default`).
fn netrc(system: &dyn System, host: &str) -> Option<Login> {
    let file = system.env("NETRC").unwrap_or_else(|| system.identity().home.join(".netrc").to_string_lossy().into());
    let text = text(system, Path::new(&file))?;
    let mut words = text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(str::split_whitespace);
    let (mut applies, mut name, mut password) = (false, None, None);
    while let Some(word) = words.next() {
        match word {
            "machine" | "default" => {
                if applies && name.is_some() {
                    break;
                }
                applies = word == "default" || words.next() == Some(host);
            }
            "login" => name = words.next().filter(|_| applies).or(name),
            "password" => password = words.next().filter(|_| applies).or(password),
            _ => {}
        }
    }
    Some(Login { name: name?.to_owned(), password: password.unwrap_or_default().to_owned() })
}

/// The argument `headers`, each value as text.
pub fn headers(given: &Option<Map>, agent: &Option<String>) -> Vec<(String, String)> {
    let text = |value: &Value| match value {
        Value::Str(text) => text.clone(),
        other => other.to_json().to_string(),
    };
    let given = given.iter().flatten().map(|(name, value)| (name.clone(), text(value)));
    let agent = agent.iter().map(|agent| ("User-Agent".to_owned(), agent.clone()));
    agent.chain(given).collect()
}

/// Whether a header is among these.
pub fn has_header(headers: &[(String, String)], name: &str) -> bool {
    headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name))
}

/// The header that asks only for what is newer than `time` (seconds since 1970).
pub fn if_newer(time: f64) -> Option<(String, String)> {
    let time = jiff::Timestamp::from_second(time as i64).ok()?.to_zoned_datetime(jiff::tz::TimeZone::UTC);
    Some(("If-Modified-Since".to_owned(), time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()))
}

/// An address without its password, for people.
pub fn shown(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rsplit_once('@') {
        Some((login, host)) => {
            let name = login.split(':').next().unwrap_or_default();
            format!("{scheme}://{name}:********@{host}{}", &rest[end..])
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::fake::Fake;

    #[test]
    fn netrc_has_hosts_and_a_default() {
        let file =
            "machine a.org login me password p1\n# no\nmachine b.org\n  login you\n  password p2\ndefault login any\n";
        let fake = Fake::new().file("/root/.netrc", file);
        let found = |url: &str| Login::find(&fake, &None, &None, url, true).map(|found| found.login.name);
        assert_eq!(found("https://b.org:8443/x").as_deref(), Some("you"));
        assert_eq!(found("https://a.org").as_deref(), Some("me"));
        assert_eq!(found("https://c.org").as_deref(), Some("any"));
        assert_eq!(Login::find(&fake, &None, &None, "https://a.org", false), None);
    }

    #[test]
    fn times_and_addresses() {
        assert_eq!(if_newer(1_700_000_000.5).unwrap().1, "Tue, 14 Nov 2023 22:13:20 GMT");
        assert_eq!(shown("http://me:secret@h/x@y"), "http://me:********@h/x@y");
        assert_eq!(shown("http://h/x@y"), "http://h/x@y");
    }
}
