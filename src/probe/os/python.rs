//! The Python that modules of other tools would run with.

use crate::map;
use crate::system::{Command, System};
use crate::value::{Map, Value};

/// `python` and `python_version`; neither where there is no Python.
pub fn facts(system: &dyn System) -> Map {
    let Some(path) = ["python3", "python"].iter().find_map(|name| system.which(name)) else { return Map::new() };
    let path = path.to_string_lossy().into_owned();
    let Ok(output) = system.query(&Command::new([path.as_str(), "--version"])) else { return Map::new() };
    version(&output.text()).map_or_else(Map::new, |version| facts_of(&path, &version))
}

fn facts_of(executable: &str, version: &Version) -> Map {
    let Version { numbers: [major, minor, micro], level, serial } = version;
    let info: Vec<Value> = vec![(*major).into(), (*minor).into(), (*micro).into(), (*level).into(), (*serial).into()];
    map! {
        "python" => map! {
            "version" => map! {
                "major" => *major, "minor" => *minor, "micro" => *micro, "releaselevel" => *level, "serial" => *serial,
            },
            "version_info" => info,
            "executable" => executable,
            "has_sslcontext" => true,
            "type" => "cpython",
        },
        "python_version" => match *level {
            "final" => format!("{major}.{minor}.{micro}"),
            level => format!("{major}.{minor}.{micro}{}{serial}", &level[..level.len().min(1)]),
        },
    }
}

struct Version {
    numbers: [i64; 3],
    level: &'static str,
    serial: i64,
}

/// `Python 3.11.2`, `Python 3.14.0rc2`.
fn version(text: &str) -> Option<Version> {
    let text = text.trim().strip_prefix("Python ")?.trim_end_matches('+');
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let mut numbers = text[..end].split('.').map(|part| part.parse::<i64>().ok());
    let mut next = || numbers.next().flatten();
    let numbers = [next()?, next()?, next().unwrap_or(0)];
    let suffix = &text[end..];
    let letters = suffix.trim_end_matches(|c: char| c.is_ascii_digit());
    let level = match letters {
        "a" => "alpha",
        "b" => "beta",
        "rc" => "candidate",
        _ => "final",
    };
    Some(Version { numbers, level, serial: suffix[letters.len()..].parse().unwrap_or(0) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::fake::Fake;

    #[test]
    fn versions() {
        let fake = Fake::new().program("python3").answers(&["/usr/bin/python3", "--version"], 0, "Python 3.11.2\n");
        let facts = facts(&fake);
        assert_eq!(facts["python_version"], "3.11.2".into());
        assert_eq!(facts["python"].get("version_info").unwrap().to_json(), serde_json::json!([3, 11, 2, "final", 0]));
        let early = version("Python 3.14.0rc2").unwrap();
        assert_eq!((early.numbers, early.level, early.serial), ([3, 14, 0], "candidate", 2));
        assert!(super::facts(&Fake::new()).is_empty());
    }
}
