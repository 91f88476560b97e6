//! The user's own facts: `*.fact` files that hold JSON or INI, or are programs that print it.

use std::path::Path;

use super::{Ask, names};
use crate::map;
use crate::system::{Command, System};
use crate::value::{Map, Value};

/// `local`. A file that cannot be read is its own error message, with a warning.
pub fn facts(ask: &Ask, warnings: &mut Vec<String>) -> Map {
    let mut local = Map::new();
    for name in names(ask.system, ask.fact_path) {
        let Some(base) = name.strip_suffix(".fact").filter(|base| !base.starts_with('.')) else { continue };
        let value = content(ask.system, &ask.fact_path.join(&name)).and_then(|text| parse(&text));
        let value = value.unwrap_or_else(|why| {
            let message = format!("{}: {why}", ask.fact_path.join(&name).display());
            warnings.push(message.clone());
            message.into()
        });
        local.insert(base.to_owned(), value);
    }
    map! { "local" => local }
}

fn content(system: &dyn System, path: &Path) -> Result<String, String> {
    let stat = system.stat(path, true).map_err(|error| error.to_string())?.ok_or("the link leads nowhere")?;
    if stat.mode & 0o100 == 0 {
        let bytes = system.read(path).map_err(|error| error.to_string())?.unwrap_or_default();
        return String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned());
    }
    let command = Command { argv: vec![path.to_string_lossy().into_owned()], ..Command::default() };
    let output = system.query(&command).map_err(|error| format!("it cannot be run: {error}"))?;
    match output.rc {
        0 => String::from_utf8(output.stdout).map_err(|_| "what it prints is not UTF-8".to_owned()),
        rc => Err(format!("it failed with exit status {rc}: {}", output.errors().trim())),
    }
}

fn parse(text: &str) -> Result<Value, String> {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(json) => Ok(Value::from(json)),
        Err(_) => ini(text).map(Value::Map).ok_or_else(|| "it is neither JSON nor INI".to_owned()),
    }
}

/// Sections of `key = value` (or `key: value`) lines, as Python's `configparser` reads them; keys in lower case. A line
/// that is indented continues the value before it. `[DEFAULT]` goes into every section.
fn ini(text: &str) -> Option<Map> {
    let mut sections: indexmap::IndexMap<String, Map> = indexmap::IndexMap::new();
    let mut section: Option<String> = None;
    let mut last: Option<String> = None;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name) {
            sections.entry(name.to_owned()).or_default();
            section = Some(name.to_owned());
            last = None;
            continue;
        }
        let entries = sections.get_mut(section.as_ref()?)?;
        if line.starts_with([' ', '\t'])
            && let Some(Value::Str(value)) = last.as_ref().and_then(|key| entries.get_mut(key))
        {
            value.push('\n');
            value.push_str(trimmed);
            continue;
        }
        let (key, value) = trimmed.split_once(['=', ':'])?;
        let key = key.trim().to_lowercase();
        entries.insert(key.clone(), value.trim().into());
        last = Some(key);
    }
    let defaults = sections.shift_remove("DEFAULT").unwrap_or_default();
    let with_defaults = |(name, mut entries): (String, Map)| {
        for (key, value) in &defaults {
            entries.entry(key.clone()).or_insert_with(|| value.clone());
        }
        (name, Value::Map(entries))
    };
    Some(sections.into_iter().map(with_defaults).collect())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::system::fake::{Fake, Thing};

    #[test]
    fn json_ini_and_programs() {
        let mut fake = Fake::new()
            .file("/f/a.fact", "{\"x\": [1, true]}")
            .file("/f/b.fact", "[DEFAULT]\nall=1\n[main]\nPort = 80 \n; no\nText: one\n two\n")
            .file("/f/c.fact", "nonsense")
            .file("/f/README", "")
            .answers(&["/f/d.fact"], 0, "{\"ok\": null}");
        fake.put("/f/d.fact", Thing { mode: Some(0o755), ..Thing::default() });
        let mut warnings = Vec::new();
        let ask = Ask { system: &fake, known: &Map::new(), patience: Duration::ZERO, fact_path: Path::new("/f") };
        let expected = serde_json::json!({
            "a": {"x": [1, true]},
            "b": {"main": {"port": "80", "text": "one\ntwo", "all": "1"}},
            "c": "/f/c.fact: it is neither JSON nor INI",
            "d": {"ok": null},
        });
        assert_eq!(facts(&ask, &mut warnings)["local"].to_json(), expected);
        assert_eq!(warnings.len(), 1);
    }
}
