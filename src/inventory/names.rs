//! Names of hosts as inventories write them: ports and ranges (`web[01:20:2].example.org:2222`).

use std::net::Ipv6Addr;

/// A pattern may stand for at most so many hosts; more is a slip of the pen.
const MOST_HOSTS: u64 = 100_000;

/// The hosts that `text` stands for, and their port. The error says what is wrong with a range.
pub(super) fn expand(text: &str) -> Result<(Vec<String>, Option<u16>), String> {
    let (pattern, port) = match address(text) {
        Some(found) => found,
        // Not the form of an address: a name all the same.
        None => (text, None),
    };
    let mut hosts = Vec::new();
    ranges(pattern, &mut hosts)?;
    Ok((hosts, port))
}

/// Takes the port off an address; `None` if this has not the form of a host name (with ranges) or an IP address.
pub(super) fn address(text: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, digits)) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            let bracketed = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
            match bracketed.filter(|inner| !inner.is_empty()) {
                Some(inner) => (inner, digits.parse().ok()),
                None if !outside_brackets(host).contains(':') => (host, digits.parse().ok()),
                None => (text, None),
            }
        }
        _ => (text, None),
    };
    let fits = host.parse::<Ipv6Addr>().is_ok() || outside_brackets(host).split('.').all(is_label);
    fits.then_some((host, port))
}

/// The text with each `[…]` replaced by one letter.
fn outside_brackets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('[') {
        let Some((_, after)) = behind.split_once(']') else { break };
        out.push_str(before);
        out.push('x');
        rest = after;
    }
    out + rest
}

fn is_label(label: &str) -> bool {
    let word = |letter: char| letter.is_alphanumeric() || letter == '_';
    label.starts_with(word) && label.chars().all(|letter| word(letter) || letter == '-') && !label.ends_with(['-', '_'])
}

fn ranges(pattern: &str, hosts: &mut Vec<String>) -> Result<(), String> {
    let Some((head, rest)) = pattern.split_once('[') else {
        hosts.push(pattern.to_owned());
        return Ok(());
    };
    let Some((range, tail)) = rest.split_once(']') else {
        return Err(format!("the `[` in `{pattern}` is never closed"));
    };
    for item in items(range)? {
        ranges(&format!("{head}{item}{tail}"), hosts)?;
        if hosts.len() as u64 > MOST_HOSTS {
            return Err(format!("`[{range}]` stands for more than {MOST_HOSTS} hosts"));
        }
    }
    Ok(())
}

/// What a range runs through: `1:3`, `01:10:2`, `a:f`.
fn items(range: &str) -> Result<Vec<String>, String> {
    let wrong = |why: &str| format!("the range `[{range}]` {why}");
    let parts: Vec<&str> = range.split(':').collect();
    let (begin, end, step) = match parts[..] {
        [begin, end] => (begin, end, "1"),
        [begin, end, step] => (begin, end, step),
        _ => return Err(wrong("is not of the form begin:end or begin:end:step")),
    };
    let step =
        step.parse::<usize>().ok().filter(|&step| step > 0).ok_or_else(|| wrong("has a step that is no number"))?;
    let begin = if begin.is_empty() { "0" } else { begin };
    if end.is_empty() {
        return Err(wrong("has no end"));
    }
    if let (Some(first), Some(last)) = (letter(begin), letter(end)) {
        if first > last {
            return Err(wrong("ends before it begins"));
        }
        return Ok((first..=last).step_by(step).map(|index| String::from(char::from(LETTERS[index]))).collect());
    }
    let width = if begin.len() > 1 && begin.starts_with('0') { begin.len() } else { 0 };
    if width > 0 && width != end.len() {
        return Err(wrong("begins with a zero, so begin and end need the same number of digits"));
    }
    let number = |text: &str| text.parse::<u64>().map_err(|_| wrong("is neither of numbers nor of single letters"));
    let (first, last) = (number(begin)?, number(end)?);
    if first > last {
        return Err(wrong("ends before it begins"));
    }
    if (last - first) / step as u64 >= MOST_HOSTS {
        return Err(wrong(&format!("stands for more than {MOST_HOSTS} hosts")));
    }
    Ok((first..=last).step_by(step).map(|number| format!("{number:0width$}")).collect())
}

const LETTERS: &[u8; 52] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn letter(text: &str) -> Option<usize> {
    match text.as_bytes() {
        [byte] => LETTERS.iter().position(|letter| letter == byte),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(text: &str) -> String {
        match expand(text) {
            Ok((hosts, port)) => hosts.join(" ") + &port.map_or(String::new(), |port| format!(" port {port}")),
            Err(why) => why,
        }
    }

    #[test]
    fn ranges_and_ports() {
        assert_eq!(hosts("web"), "web");
        assert_eq!(hosts("web:2222"), "web port 2222");
        assert_eq!(hosts("web[1:3]"), "web1 web2 web3");
        assert_eq!(hosts("web[08:10].example.org"), "web08.example.org web09.example.org web10.example.org");
        assert_eq!(hosts("w[01:05:2]-[a:c:2]:22"), "w01-a w01-c w03-a w03-c w05-a w05-c port 22");
        assert_eq!(hosts("db[:2]"), "db0 db1 db2");
        assert_eq!(hosts("[::1]:22"), "::1 port 22");
        assert_eq!(hosts("fe80::1"), "fe80::1");
        assert_eq!(hosts("10.0.0.[1:2]:5"), "10.0.0.1 10.0.0.2 port 5");
        assert_eq!(hosts("/srv/chroot"), "/srv/chroot");
        assert_eq!(hosts("web_:22"), "web_:22");
    }

    #[test]
    fn wrong_ranges() {
        assert_eq!(hosts("w[1]"), "the range `[1]` is not of the form begin:end or begin:end:step");
        assert_eq!(hosts("w[1:]"), "the range `[1:]` has no end");
        assert_eq!(hosts("w[c:a]"), "the range `[c:a]` ends before it begins");
        assert_eq!(hosts("w[3:1]"), "the range `[3:1]` ends before it begins");
        assert_eq!(hosts("w[a:3]"), "the range `[a:3]` is neither of numbers nor of single letters");
        assert_eq!(
            hosts("w[01:100]"),
            "the range `[01:100]` begins with a zero, so begin and end need the same number of digits"
        );
        assert_eq!(hosts("w[1:9999999999]"), "the range `[1:9999999999]` stands for more than 100000 hosts");
        assert_eq!(hosts("w[1:1000][1:1000]"), "`[1:1000]` stands for more than 100000 hosts");
        assert_eq!(hosts("w[1:3"), "the `[` in `w[1:3` is never closed");
    }
}
