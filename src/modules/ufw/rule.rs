//! A rule in UFW's long form, and whether it is there.

use std::path::Path;

use super::{Args, Verdict, subject};
use crate::failure::{During, Failure};
use crate::module::ArgError;
use crate::system::{Command, Subject, System};
use crate::value::Value;

const PROTOCOLS: [&str; 9] = ["any", "tcp", "udp", "ipv6", "esp", "ah", "igmp", "gre", "vrrp"];

impl Args {
    pub(super) fn check_rule(&self) -> Result<(), ArgError> {
        if self.interface.is_some() && self.direction.is_none() {
            return Err(ArgError::new("interface", "`interface` needs `direction`"));
        }
        if self.direction.is_some() && (self.interface_in.is_some() || self.interface_out.is_some()) {
            return Err(ArgError::new("direction", "`interface_in` and `interface_out` say the direction themselves"));
        }
        if !self.route && self.interface_in.is_some() && self.interface_out.is_some() {
            return Err(ArgError::new("interface_out", "only a rule with `route` has two interfaces"));
        }
        if self.name.is_some() && self.proto.is_some() {
            return Err(ArgError::new("proto", "a profile (`name`) has its own protocols"));
        }
        match self.proto.as_deref().filter(|proto| !PROTOCOLS.contains(proto)) {
            Some(proto) => Err(ArgError::new("proto", crate::module::no_such_choice(proto, &PROTOCOLS))),
            None => Ok(()),
        }
    }

    /// The rule's words behind `ufw`.
    pub(super) fn rule_words(&self, verdict: Verdict) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        let mut add = |parts: &[&str]| words.extend(parts.iter().map(|part| (*part).to_owned()));
        if self.route {
            add(&["route"]);
        }
        match (self.delete, self.insert) {
            (true, _) => add(&["delete"]),
            (false, Some(place)) => add(&["insert", &place.to_string()]),
            (false, None) => {}
        }
        add(&[verdict.as_str()]);
        if let Some(direction) = self.direction {
            add(&[direction.as_str()]);
        }
        let interfaces = [("on", &self.interface), ("in on", &self.interface_in), ("out on", &self.interface_out)];
        for (before, interface) in interfaces {
            if let Some(interface) = interface {
                before.split(' ').for_each(|word| add(&[word]));
                add(&[interface]);
            }
        }
        if self.log {
            add(&["log"]);
        }
        add(&["from", &self.from_ip]);
        self.from_port.iter().for_each(|port| add(&["port", port]));
        add(&["to", &self.to_ip]);
        self.to_port.iter().for_each(|port| add(&["port", port]));
        self.proto.iter().for_each(|proto| add(&["proto", proto]));
        self.name.iter().for_each(|name| add(&["app", name]));
        self.comment.iter().for_each(|comment| add(&["comment", comment]));
        words
    }

    /// What a plan settles by the rule: it has no place and no `delete`.
    pub(super) fn rule_subject(&self, verdict: Verdict) -> Subject {
        let bare = Args { delete: false, insert: None, ..self.clone() };
        subject(&bare.rule_words(verdict).join(" "))
    }

    /// Whether `ufw` would change anything, asked with `--dry-run`.
    pub(super) fn rule_differs(&self, system: &dyn System, verdict: Verdict) -> Result<bool, Failure> {
        if let Some(Value::Bool(there)) = system.predicted(&self.rule_subject(verdict)) {
            return Ok(there == self.delete);
        }
        if system.which("ufw").is_none() {
            return Ok(!self.delete);
        }
        let words = ["ufw".to_owned(), "--dry-run".to_owned()].into_iter().chain(self.rule_words(verdict));
        let output = system.query(&Command::new(words)).during(|| "start ufw")?;
        if !output.ok() {
            return Err(Failure::new(format!("ufw: {}", (output.errors() + &output.text()).trim())).argument("rule"));
        }
        Ok(differs(system, &output.text()))
    }
}

/// Whether the rules that a dry run shows are other than those that are kept. It shows the tables that it would write (for
/// IPv4, IPv6 or both), also where they stay the same; where it skips a rule it shows nothing.
fn differs(system: &dyn System, shown: &str) -> bool {
    let tables = shown.split("*filter").skip(1);
    tables.into_iter().any(|table| {
        let name = if table.trim_start().starts_with(":ufw6") { "user6.rules" } else { "user.rules" };
        tuples(table) != kept(system, name)
    })
}

fn tuples(table: &str) -> Vec<String> {
    table.lines().filter(|line| line.starts_with("### tuple")).map(str::to_owned).collect()
}

/// The rules that are kept in a file of UFW.
fn kept(system: &dyn System, name: &str) -> Vec<String> {
    let folders = ["/etc/ufw", "/lib/ufw", "/var/lib/ufw"].map(Path::new);
    let found = folders.iter().find_map(|folder| system.read(&folder.join(name)).ok().flatten());
    tuples(&String::from_utf8_lossy(&found.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map;
    use crate::module::Arguments;

    #[test]
    fn the_long_form() {
        let args = map! {
            "rule" => "allow", "direction" => "in", "interface" => "eth0", "src" => "10.0.0.0/8", "port" => 80,
            "proto" => "tcp", "comment" => "the web", "insert" => 2,
        };
        let args = Args::read(&args).unwrap();
        let words = args.rule_words(Verdict::Allow).join(" ");
        assert_eq!(words, "insert 2 allow in on eth0 from 10.0.0.0/8 to any port 80 proto tcp comment the web");
    }
}
