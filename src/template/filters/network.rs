//! IP addresses: `ansible.utils.ipaddr` and its kin.

use minijinja::{Error, State, Value};

use super::query::answer;
use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::network::Network;
use crate::template::python::{self, Number};

pub const FILTERS: &[Entry] = &[
    entry(&["ansible.utils.ipaddr", "ipaddr", "ansible.netcommon.ipaddr"], "value query version alias", ipaddr),
    entry(&["ansible.utils.ipmath", "ipmath", "ansible.netcommon.ipmath"], "value amount", ipmath),
    entry(&["ansible.utils.ipsubnet", "ipsubnet", "ansible.netcommon.ipsubnet"], "value query index", ipsubnet),
    entry(&["ansible.utils.ipv4", "ipv4", "ansible.netcommon.ipv4"], "value query", ipv4),
    entry(&["ansible.utils.ipv6", "ipv6", "ansible.netcommon.ipv6"], "value query", ipv6),
    entry(&["ansible.utils.ipwrap", "ipwrap", "ansible.netcommon.ipwrap"], "value query", ipwrap),
    entry(&["ansible.utils.network_in_network", "network_in_network"], "value test", network_in_network),
    entry(&["ansible.utils.nthhost", "nthhost", "ansible.netcommon.nthhost"], "value query", nthhost),
];

/// An address as it was given.
pub struct Subject {
    /// The address with its network.
    pub net: Network,
    /// Whether it was written with a prefix.
    pub prefixed: bool,
    /// The text, in its usual form where it was a number.
    pub text: String,
}

/// Reads text (`10.0.0.1/8`), a number, or a number with a prefix.
pub fn subject(value: &Value, version: Option<i64>) -> Option<Subject> {
    let text = python::text(value).into_owned();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let bits: u128 = text.parse().ok()?;
        let four = Network::from_number(bits, false).filter(|_| version != Some(6));
        let net = four.or_else(|| Network::from_number(bits, true))?;
        return Some(Subject { net, prefixed: false, text: net.with_prefix() });
    }
    if let Some(net) = Network::parse(&text) {
        return Some(Subject { net, prefixed: text.contains('/'), text });
    }
    let (number, prefix) = text.split_once('/')?;
    let bits: u128 = number.parse().ok()?;
    let prefix: u32 = prefix.parse().ok()?;
    let four = Network::from_number(bits, false).filter(|_| prefix <= 32);
    let net = four.or_else(|| Network::from_number(bits, true).filter(|_| prefix <= 128))?;
    let net = Network { prefix, ..net };
    Some(Subject { net, prefixed: true, text: net.with_prefix() })
}

fn no() -> Value {
    Value::from(false)
}

fn ipaddr(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let version =
        given.some("version").filter(|version| version.is_true()).map(|_| given.int("version")).transpose()?;
    filtered(given.value()?, &query(given), version.flatten())
}

fn ipv4(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    filtered(given.value()?, &query(given), Some(4))
}

fn ipv6(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    filtered(given.value()?, &query(given), Some(6))
}

fn query(given: &Arguments) -> String {
    given.some("query").map(|query| python::text(query).into_owned()).unwrap_or_default()
}

/// The answer for a value, or for each of a list that has one.
fn filtered(value: &Value, query: &str, version: Option<i64>) -> Result<Value, Error> {
    if python::is_list(value) {
        let answers =
            python::items(value)?.iter().map(|item| filtered(item, query, version)).collect::<Result<Vec<_>, _>>()?;
        return Ok(python::new_list(answers.into_iter().filter(Value::is_true)));
    }
    let boolean = python::type_name(value) == "bool";
    let Some(subject) = subject(value, version).filter(|_| value.is_true() && !boolean) else { return Ok(no()) };
    if version.is_some_and(|version| (version == 6) != subject.net.six) {
        return Ok(no());
    }
    answer(&subject, query)
}

fn ipwrap(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let query = query(given);
    let wrapped = |value: &Value| -> Result<Value, Error> {
        let answer = filtered(value, &query, None)?;
        if answer.is_true() { filtered(&answer, "wrap", None) } else { Ok(value.clone()) }
    };
    let value = given.value()?;
    if python::is_list(value) {
        return Ok(python::new_list(python::items(value)?.iter().map(wrapped).collect::<Result<Vec<_>, _>>()?));
    }
    wrapped(value)
}

/// The network to work on: an address of its own, or the network that it stands in.
fn network(value: &Value) -> Option<(Network, bool)> {
    let net = subject(value, None)?.net;
    let is_address = net.prefix == net.width() || net.bits != net.first().bits;
    Some((net.cidr(), is_address && net.prefix == net.width()))
}

fn ipsubnet(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let Some((net, single)) = network(given.value()?) else { return Ok(no()) };
    let query = query(given);
    if query.is_empty() {
        return Ok(net.with_prefix().into());
    }
    let Ok(length) = query.parse::<u32>() else { return place(net, &query) };
    if length > net.width() {
        return Ok(no());
    }
    let index = given.int("index")?;
    if single {
        return Ok(match index {
            // The networks that hold it, the largest first.
            None => Network { prefix: length, ..net }.cidr().with_prefix().into(),
            Some(index) => {
                let count = i64::from(net.width() - length);
                let at = if index < 0 { index + count } else { index };
                if (0..count).contains(&at) {
                    Network { prefix: length + at as u32, ..net }.cidr().with_prefix().into()
                } else {
                    no()
                }
            }
        });
    }
    let Some(more) = length.checked_sub(net.prefix) else {
        return Err(wrong(format!("a network of /{} has no part of /{length}", net.prefix)));
    };
    let count = 1u128.checked_shl(more).unwrap_or(u128::MAX);
    let Some(index) = index else { return Ok(count.to_string().into()) };
    let at = if index < 0 { count.checked_sub(index.unsigned_abs().into()) } else { Some(index as u128) };
    Ok(match at.filter(|at| *at < count) {
        Some(at) => {
            let bits = net.bits + at.checked_shl(net.width() - length).unwrap_or_default();
            Network { bits, prefix: length, ..net }.with_prefix().into()
        }
        None => no(),
    })
}

/// Which part of the other network it is, counted from 1.
fn place(net: Network, other: &str) -> Result<Value, Error> {
    let Some((outer, _)) = network(&other.into()) else {
        return Err(wrong(format!("`query` must be the length of a prefix or a network, it is `{other}`")));
    };
    if !outer.holds(&net) {
        return Err(wrong(format!("{} is not in the network {}", net.with_prefix(), outer.with_prefix())));
    }
    let below = (net.bits - outer.bits).checked_shr(net.width() - net.prefix).unwrap_or_default();
    Ok((below + 1).to_string().into())
}

fn nthhost(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let Some((net, _)) = network(given.value()?) else { return Ok(no()) };
    let Ok(nth) = query(given).parse::<i128>() else { return Ok(no()) };
    let at = if nth < 0 { net.size().checked_sub(nth.unsigned_abs()) } else { Some(nth as u128) };
    Ok(at.filter(|at| nth != 0 && *at < net.size()).map_or_else(no, |at| net.at(net.bits + at).to_string().into()))
}

fn ipmath(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let text = given.value_str()?;
    let net = Network::parse(text).ok_or_else(|| wrong(format!("`{text}` is no IP address")))?;
    let amount = match python::number(given.need("amount")?) {
        Some(Number::Int(amount)) => amount,
        _ => return Err(wrong("`amount` must be a whole number")),
    };
    let sum =
        if amount < 0 { net.bits.checked_sub(amount.unsigned_abs()) } else { net.bits.checked_add(amount as u128) };
    let result = sum.and_then(|bits| Network::from_number(bits, net.six));
    let result = result.filter(|result| result.six == net.six);
    result
        .map(|result| result.to_string().into())
        .ok_or_else(|| wrong(format!("{text} + {amount} is no address any more")))
}

fn network_in_network(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let (Some((outer, _)), Some((inner, _))) = (network(given.value()?), network(given.need("test")?)) else {
        return Ok(no());
    };
    Ok(outer.holds(&inner).into())
}
