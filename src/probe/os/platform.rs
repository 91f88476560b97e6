//! The kernel, the machine's type and its names.

use super::{Ask, text};
use crate::map;
use crate::system::{Command, System};
use crate::value::{Map, Value};

/// `system`, `kernel`, `machine`, `hostname`, `fqdn`, `machine_id` and their kin.
pub fn facts(ask: &Ask, _: &mut Vec<String>) -> Map {
    let system = ask.system;
    let kernel = |name: &str| text(system, format!("/proc/sys/kernel/{name}")).unwrap_or_default();
    let machine = machine(system);
    let bits = userspace_bits(system, &machine);
    let nodename = kernel("hostname");
    let fqdn = fqdn(ask, &nodename);
    let mut facts = map! {
        "system" => "Linux",
        "kernel" => kernel("osrelease"),
        "kernel_version" => kernel("version"),
        "hostname" => nodename.split('.').next().unwrap_or_default(),
        "nodename" => nodename.as_str(),
        "domain" => fqdn.split_once('.').map_or("", |(_, domain)| domain),
        "fqdn" => fqdn.as_str(),
        "userspace_bits" => bits,
    };
    let is_i386 = matches!(machine.as_str(), "i386" | "i486" | "i586" | "i686");
    if machine == "x86_64" || is_i386 {
        facts.insert("userspace_architecture".into(), if bits == "64" { "x86_64" } else { "i386" }.into());
    }
    facts.insert("architecture".into(), if is_i386 { "i386" } else { &machine }.into());
    facts.insert("machine".into(), machine.into());
    let id = text(system, "/var/lib/dbus/machine-id").or_else(|| text(system, "/etc/machine-id"));
    if let Some(id) = id.as_deref().and_then(|id| id.lines().next()) {
        facts.insert("machine_id".into(), id.into());
    }
    facts
}

/// The kernel's name for the machine's type, as `uname -m` prints it.
fn machine(system: &dyn System) -> String {
    // Since Linux 6.1; before that there is no file that says it.
    text(system, "/proc/sys/kernel/arch").unwrap_or_else(|| {
        let asked = system.query(&Command::new(["uname", "-m"]));
        asked.map(|output| output.text().trim().to_owned()).unwrap_or_default()
    })
}

/// Which kind of programs the system is made of: the class byte in the header of its shell says it.
fn userspace_bits(system: &dyn System, machine: &str) -> &'static str {
    let shell = system.read("/bin/sh".as_ref()).ok().flatten().unwrap_or_default();
    match shell.get(..5) {
        Some([0x7f, b'E', b'L', b'F', 1]) => "32",
        Some([0x7f, b'E', b'L', b'F', _]) => "64",
        _ if machine.contains("64") || machine == "s390x" => "64",
        _ => "32",
    }
}

/// The full name: the first one with a dot that the address of `nodename` leads back to.
fn fqdn(ask: &Ask, nodename: &str) -> String {
    let hosts = text(ask.system, "/etc/hosts").unwrap_or_default();
    let entry = named_by(&hosts, nodename).or_else(|| asked(ask, nodename));
    let Some(names) = entry else { return nodename.to_owned() };
    match names.iter().find(|name| name.contains('.')).or(names.first()) {
        Some(name) => name.clone(),
        None => nodename.to_owned(),
    }
}

/// The names in `/etc/hosts` of the address that `name` has there.
fn named_by(hosts: &str, name: &str) -> Option<Vec<String>> {
    let entries = || {
        hosts.lines().filter_map(|line| {
            let mut words = line.split('#').next()?.split_whitespace();
            Some((words.next()?, words.collect::<Vec<_>>()))
        })
    };
    let (address, _) = entries().find(|(_, names)| names.contains(&name))?;
    let (_, names) = entries().find(|(other, _)| *other == address)?;
    Some(names.into_iter().map(str::to_owned).collect())
}

/// What the resolver knows, where it may know more than `/etc/hosts`.
fn asked(ask: &Ask, name: &str) -> Option<Vec<String>> {
    let switch = text(ask.system, "/etc/nsswitch.conf")?;
    let sources = switch.lines().find_map(|line| line.trim().strip_prefix("hosts:"))?;
    let more = sources.split_whitespace().any(|source| matches!(source, "dns" | "resolve" | "myhostname" | "sss"));
    if name.is_empty() || !more || ask.system.which("getent").is_none() {
        return None;
    }
    let command = Command { timeout: Some(ask.patience), ..Command::new(["getent", "hosts", name]) };
    let output = ask.system.query(&command).ok().filter(|output| output.ok())?.text();
    Some(output.lines().next()?.split_whitespace().skip(1).map(str::to_owned).collect())
}

/// `cmdline` (the last of equal names wins) and `proc_cmdline` (they become a list).
pub fn cmdline(system: &dyn System) -> Map {
    let Some(line) = text(system, "/proc/cmdline") else { return Map::new() };
    let (mut last, mut all) = (Map::new(), Map::new());
    for word in quoted_words(&line) {
        let Some((name, value)) = word.split_once('=') else {
            last.insert(word.clone(), true.into());
            all.insert(word, true.into());
            continue;
        };
        last.insert(name.to_owned(), value.into());
        match all.get_mut(name) {
            Some(Value::List(values)) => values.push(value.into()),
            Some(before) => *before = Value::List(vec![before.clone(), value.into()]),
            None => drop(all.insert(name.to_owned(), value.into())),
        }
    }
    map! { "cmdline" => last, "proc_cmdline" => all }
}

/// Words apart from each other by blanks outside of double quotes, which are kept.
fn quoted_words(line: &str) -> Vec<String> {
    let mut quoted = false;
    let is_gap = |c: char| {
        quoted ^= c == '"';
        c.is_whitespace() && !quoted
    };
    line.split(is_gap).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::fake::Fake;

    #[test]
    fn the_full_name_is_the_one_with_a_dot() {
        let hosts = "127.0.0.1 localhost\n127.0.1.1\tdb.example.org db # here\n";
        assert_eq!(named_by(hosts, "db").unwrap(), ["db.example.org", "db"]);
        assert_eq!(named_by(hosts, "web"), None);
        assert_eq!(named_by("127.0.0.1 localhost\n127.0.0.1 db", "db").unwrap(), ["localhost"]);
    }

    #[test]
    fn the_command_line_is_a_dictionary() {
        let fake = Fake::new().file("/proc/cmdline", "ro console=tty0 console=ttyS0 a=\"b c\"\n");
        let facts = cmdline(&fake);
        assert_eq!(
            Value::Map(facts).to_json(),
            serde_json::json!({
                "cmdline": {"ro": true, "console": "ttyS0", "a": "\"b c\""},
                "proc_cmdline": {"ro": true, "console": ["tty0", "ttyS0"], "a": "\"b c\""},
            })
        );
    }
}
