//! Where a service answers: `NAME[:PORT[:PROTO]]`, as install.sh writes it.

use std::str::FromStr;

/// A name, and where given a port and a protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The name of the machine.
    pub name: String,
    /// The port.
    pub port: Option<u16>,
    /// `http` or `https`.
    pub proto: Option<String>,
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(':');
        let name = parts.next().unwrap_or_default();
        let (port, proto) = (parts.next(), parts.next());
        if parts.next().is_some() {
            return Err("expected NAME[:PORT[:PROTO]]".to_owned());
        }
        let fits = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || !name.chars().all(fits) {
            return Err(format!("`{name}` is no name of a machine"));
        }
        let port = port
            .filter(|port| !port.is_empty())
            .map(|port| port.parse().ok().filter(|port| *port > 0).ok_or_else(|| format!("`{port}` is no port")));
        if let Some(proto) = proto.filter(|proto| !matches!(*proto, "http" | "https")) {
            return Err(format!("the protocol is http or https, not `{proto}`"));
        }
        Ok(Endpoint { name: name.to_lowercase(), port: port.transpose()?, proto: proto.map(str::to_owned) })
    }
}

impl Endpoint {
    /// A name alone.
    pub fn named(name: &str) -> Self {
        Endpoint { name: name.to_owned(), port: None, proto: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let read = |text: &str| match text.parse::<Endpoint>() {
            Ok(Endpoint { name, port, proto }) => format!("{name} {port:?} {proto:?}"),
            Err(why) => why,
        };
        assert_eq!(read("be.example.org"), "be.example.org None None");
        assert_eq!(read("BE:8010:https"), r#"be Some(8010) Some("https")"#);
        assert_eq!(read("be::https"), r#"be None Some("https")"#);
        assert_eq!(read("be:0"), "`0` is no port");
        assert_eq!(read("be:8000:ftp"), "the protocol is http or https, not `ftp`");
        assert_eq!(read("be:1:http:x"), "expected NAME[:PORT[:PROTO]]");
        assert_eq!(read("two words"), "`two words` is no name of a machine");
        assert_eq!(read(""), "`` is no name of a machine");
    }
}
