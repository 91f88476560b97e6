//! The machines, and the variables that say where their services answer.

use std::net::IpAddr;

use indexmap::IndexMap;

use super::args::Args;
use super::endpoint::Endpoint;
use crate::commands::Error;

/// A variable of the roles: its name, its value, and whether that is what it is anyway.
#[derive(Clone, Debug)]
pub struct Variable {
    pub name: String,
    pub value: String,
    pub is_default: bool,
}

/// A machine that has a service.
#[derive(Clone, Debug)]
pub struct Machine {
    pub name: String,
    pub variables: Vec<Variable>,
}

/// All machines.
#[derive(Debug)]
pub struct Machines {
    pub backends: Vec<Machine>,
    pub frontend: Machine,
    pub api: Machine,
    /// The addresses of machines, and of names by which browsers know them.
    pub addresses: IndexMap<String, IpAddr>,
}

const HUB: u16 = 8000;
const SITE: u16 = 8000;
const API: u16 = 8021;
/// The site's where the hub has [`SITE`]: 8001 and 8081 are the hub's too, on the loopback interface.
const SITE_BESIDE_HUB: u16 = 8080;

impl Machines {
    /// What the arguments, which are complete, say; or all that does not fit.
    pub fn of(args: &Args) -> Result<Machines, Error> {
        let mut wrong = Vec::new();
        let (Some(frontend), Some(api)) = (&args.frontend, &args.api) else {
            return Err("the machines of the site and of the API have to be named".into());
        };
        let mut frontend = frontend.clone();
        // On one machine the hub keeps its port.
        let is_taken = args.backends.iter().any(|hub| hub.name == frontend.name && hub.port.unwrap_or(HUB) == SITE);
        frontend.port.get_or_insert(if is_taken { SITE_BESIDE_HUB } else { SITE });
        ports(args, &frontend, api, &mut wrong);
        let outside = &args.backends_external;
        if !outside.is_empty() && outside.len() != args.backends.len() {
            wrong.push(format!("-j names {} backends, and -b names {}", outside.len(), args.backends.len()));
        }
        if args.number.is_some() && args.backends.len() > 1 {
            wrong.push("-n: the ranks of several backends follow from their order in -b".to_owned());
        }
        let backends = args.backends.iter().enumerate().map(|(index, hub)| {
            let mut machine = machine("backend", hub, outside.get(index), HUB);
            if args.number.is_some() || args.backends.len() > 1 {
                let number = args.number.unwrap_or(index as u16 + 1);
                machine
                    .variables
                    .insert(0, variable("wod_backend_number", number, number == 1 && args.backends.len() == 1));
            }
            machine
        });
        let mut machines = Machines {
            backends: backends.collect(),
            frontend: machine("frontend", &frontend, args.frontend_external.as_ref(), SITE),
            api: machine("api", api, args.api_external.as_ref(), API),
            addresses: IndexMap::new(),
        };
        machines.addresses(args, &mut wrong);
        if wrong.is_empty() { Ok(machines) } else { Err(wrong.join("\n").into()) }
    }

    /// All machines, each once.
    fn names(&self) -> Vec<&str> {
        let all = self.backends.iter().chain([&self.frontend, &self.api]);
        all.map(|machine| machine.name.as_str()).collect()
    }

    fn addresses(&mut self, args: &Args, wrong: &mut Vec<String>) {
        let outside = args.backends_external.iter().chain(&args.frontend_external).chain(&args.api_external);
        let outside: Vec<&str> = outside.map(|endpoint| endpoint.name.as_str()).collect();
        let first = args.backends_external.first().or(args.backends.first());
        let external = args.backend_external_address.and_then(|address| Some((first?.name.clone(), address)));
        for (name, address) in args.addresses.iter().cloned().chain(external) {
            if !self.names().contains(&name.as_str()) && !outside.contains(&name.as_str()) {
                wrong.push(format!("--address: no machine is called `{name}`"));
            }
            if self.addresses.insert(name.clone(), address).is_some_and(|before| before != address) {
                wrong.push(format!("`{name}` has two addresses"));
            }
        }
    }
}

/// Services of one machine need ports of their own, and a backend is named once.
fn ports(args: &Args, frontend: &Endpoint, api: &Endpoint, wrong: &mut Vec<String>) {
    let mut seen: Vec<(&str, u16)> = Vec::new();
    let hubs = args.backends.iter().map(|hub| (hub.name.as_str(), hub.port.unwrap_or(HUB)));
    let others =
        [(frontend, SITE), (api, API)].map(|(service, port)| (service.name.as_str(), service.port.unwrap_or(port)));
    for service in hubs.chain(others) {
        if seen.contains(&service) {
            wrong.push(format!("two services on {} have the port {}", service.0, service.1));
        }
        seen.push(service);
    }
    for (index, hub) in args.backends.iter().enumerate() {
        if args.backends[..index].iter().any(|other| other.name == hub.name && other.port != hub.port) {
            wrong.push(format!("the backend {} is named twice", hub.name));
        }
    }
}

fn variable(name: impl Into<String>, value: impl ToString, is_default: bool) -> Variable {
    Variable { name: name.into(), value: value.to_string(), is_default }
}

/// A machine with the variables of its service. As for install.sh, an external name without a port has the usual one.
fn machine(service: &str, inside: &Endpoint, outside: Option<&Endpoint>, usual: u16) -> Machine {
    let port = inside.port.unwrap_or(usual);
    let proto = inside.proto.as_deref().unwrap_or("http");
    let mut variables = vec![
        variable(format!("wod_{service}_port"), port, port == usual),
        variable(format!("wod_{service}_proto"), proto, proto == "http"),
    ];
    let (name, ext_port, ext_proto) = match outside {
        None => (&inside.name, port, proto),
        Some(outside) => (&outside.name, outside.port.unwrap_or(usual), outside.proto.as_deref().unwrap_or("http")),
    };
    variables.extend([
        variable(format!("wod_{service}_ext_fqdn"), name, *name == inside.name),
        variable(format!("wod_{service}_ext_port"), ext_port, ext_port == port),
        variable(format!("wod_{service}_ext_proto"), ext_proto, ext_proto == proto),
    ]);
    Machine { name: inside.name.clone(), variables }
}
