//! Values of INI and properties files.

use minijinja::{Error, Value};

use super::{Asked, Lookup, inline, lookup};
use crate::template::Asks;
use crate::template::arguments::wrong;
use crate::template::filters::with_pattern;

pub const LOOKUPS: &[Lookup] =
    &[lookup("ini", "type file section re encoding default case_sensitive allow_no_value interpolation", ini)
        .asking(Asks::FILES)];

/// What a file says: its sections, each with its entries.
struct Ini {
    sections: Vec<(String, Entries)>,
}

/// Keys with their values; a key may have none.
type Entries = Vec<(String, Option<String>)>;

fn ini(asked: &Asked) -> Result<Vec<Value>, Error> {
    let mut found = Vec::new();
    for term in asked.texts()? {
        let (mut key, given) = inline(&term)?;
        let option = |name: &str| {
            given.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).or_else(|| asked.text(name))
        };
        let flag = |name: &str, default: bool| match given.iter().find(|(known, _)| known == name) {
            Some((_, word)) => matches!(word.to_lowercase().as_str(), "yes" | "on" | "true" | "1"),
            None => asked.flag(name, default),
        };
        if let Some(encoding) =
            option("encoding").filter(|name| !matches!(name.to_lowercase().as_str(), "utf-8" | "utf8"))
        {
            return Err(wrong(format!("the encoding `{encoding}` is not supported; utf-8 is")));
        }
        let properties = match option("type").as_deref() {
            None | Some("ini") => false,
            Some("properties") => true,
            Some(other) => return Err(wrong(format!("`type` must be ini or properties, it is `{other}`"))),
        };
        let section = if properties { "java_properties".into() } else { option("section").unwrap_or("global".into()) };
        let path = asked.find("files", &option("file").unwrap_or("ansible.ini".into()))?;
        let mut text = asked.read_text(&path)?;
        if properties {
            text.insert_str(0, "[java_properties]\n");
        }
        let case_sensitive = flag("case_sensitive", false);
        let ini = Ini::read(&text, case_sensitive, flag("allow_no_value", false))
            .map_err(|why| wrong(format!("{}: {why}", path.display())))?;
        if !case_sensitive && !flag("re", false) {
            key = key.to_lowercase();
        }
        let interpolate = flag("interpolation", true);
        if flag("re", false) {
            for (name, value) in ini.entries(&section) {
                if with_pattern(&key, false, false, |pattern| pattern.matches_start(name))? {
                    found.push(ini.value(&section, value, interpolate)?);
                }
            }
            continue;
        }
        match ini.get(&section, &key) {
            Some(value) => found.push(ini.value(&section, value, interpolate)?),
            None => found.push(option("default").unwrap_or_default().into()),
        }
    }
    Ok(found)
}

impl Ini {
    /// Reads as Python's `configparser` does.
    fn read(text: &str, case_sensitive: bool, allow_no_value: bool) -> Result<Self, String> {
        let mut ini = Ini { sections: Vec::new() };
        let mut indent = 0;
        for (number, line) in text.lines().enumerate() {
            let content = line.trim();
            let depth = line.len() - line.trim_start().len();
            if content.is_empty() || content.starts_with(['#', ';']) {
                continue;
            }
            // A line that stands deeper than its key goes on with the value.
            let last = ini.sections.last_mut().and_then(|(_, entries)| entries.last_mut());
            if let Some((_, Some(value))) = last.filter(|_| depth > indent) {
                value.push('\n');
                value.push_str(content);
                continue;
            }
            indent = depth;
            if let Some(name) = content.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name) {
                if !ini.sections.iter().any(|(known, _)| known == name) {
                    ini.sections.push((name.to_owned(), Vec::new()));
                }
                continue;
            }
            let (key, value) = match content.split_once(['=', ':']) {
                Some((key, value)) => (key.trim(), Some(value.trim().to_owned())),
                None if allow_no_value => (content, None),
                None => return Err(format!("line {} has no `=`", number + 1)),
            };
            let key = if case_sensitive { key.to_owned() } else { key.to_lowercase() };
            let Some((_, entries)) = ini.sections.last_mut() else {
                return Err(format!("line {} stands before any section", number + 1));
            };
            entries.push((key, value));
        }
        Ok(ini)
    }

    fn entries(&self, section: &str) -> Vec<(&String, &Option<String>)> {
        let named = self.sections.iter().filter(|(name, _)| name == section || name == "DEFAULT");
        named.flat_map(|(_, entries)| entries.iter().map(|(key, value)| (key, value))).collect()
    }

    fn get(&self, section: &str, key: &str) -> Option<&Option<String>> {
        let own = self.sections.iter().filter(|(name, _)| name == section);
        let all = own.chain(self.sections.iter().filter(|(name, _)| name == "DEFAULT"));
        all.flat_map(|(_, entries)| entries).find(|(known, _)| known == key).map(|(_, value)| value)
    }

    fn value(&self, section: &str, value: &Option<String>, interpolate: bool) -> Result<Value, Error> {
        match value {
            None => Ok(Value::from(())),
            Some(text) if interpolate => Ok(self.interpolated(section, text, 0)?.into()),
            Some(text) => Ok(text.as_str().into()),
        }
    }

    /// With `%(name)s` replaced and `%%` halved.
    fn interpolated(&self, section: &str, text: &str, depth: usize) -> Result<String, Error> {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('%') {
            out.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(behind) = rest.strip_prefix('%') {
                out.push('%');
                rest = behind;
                continue;
            }
            let name = rest.strip_prefix('(').and_then(|inner| inner.split_once(")s"));
            let Some((name, behind)) = name.filter(|_| depth < 10) else {
                return Err(wrong(format!(
                    "`{text}`: a % must be followed by % or by (name)s; `interpolation=false` keeps it"
                )));
            };
            let found = self.get(section, &name.to_lowercase()).and_then(Option::as_ref);
            let found = found.ok_or_else(|| wrong(format!("`{text}`: there is no entry `{name}`")))?;
            out += &self.interpolated(section, found, depth + 1)?;
            rest = behind;
        }
        Ok(out + rest)
    }
}
