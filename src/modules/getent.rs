use crate::change::Change;
use crate::failure::{During, Failure};
use crate::module::{Effects, Given, Module, ModuleSpec, Things};
use crate::system::{Command, Output, System};
use crate::value::{Map, Value};
use crate::{args, map};

args! {
    /// Looks something up in a name service's database, and returns it as the fact `getent_DATABASE`.
    pub struct Args {
        /// The database: `passwd`, `group`, `hosts`, …
        database: String;
        /// What to look up; by default all entries.
        key: Option<String>;
        /// The source to ask, as in `files`; by default all that `nsswitch.conf` names.
        service: Option<String>;
        /// What separates an entry's fields; by default the colon where the database has it, else blanks.
        split: Option<String>;
        /// Whether it is a failure that the key is not there.
        fail_key: bool = true;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("ansible.builtin", "getent");

impl Module for Args {
    fn plan(&self, system: &dyn System, _: &[Output]) -> Result<Change, Failure> {
        let mut words = vec!["getent"];
        if let Some(service) = &self.service {
            words.extend(["-s", service]);
        }
        words.push(&self.database);
        words.extend(self.key.as_deref());
        let output = system.query(&Command::new(words)).during(|| "start getent")?;
        let name = format!("getent_{}", self.database);
        const MISSING: &str = "One or more supplied key could not be found in the database.";
        let entries = match (output.rc, &self.key) {
            (0, _) => self.entries(&output.text()),
            (1, _) => {
                return Err(Failure::new(format!("getent knows no database `{}`", self.database)).argument("database"));
            }
            (2, Some(key)) if !self.fail_key => map! { key.as_str() => Value::Null },
            (2, _) => return Err(Failure::new(MISSING).argument("key")),
            (3, _) => {
                let message = format!("all entries of `{}` cannot be listed; give a `key`", self.database);
                return Err(Failure::new(message).argument("database"));
            }
            (rc, _) => return Err(Failure::new(format!("getent: {}", output.errors().trim())).with("rc", rc)),
        };
        let mut values = map! { "ansible_facts" => map! { name => entries } };
        if output.rc != 0 {
            values.insert("msg".into(), MISSING.into());
        }
        Ok(Change::none(values))
    }

    fn effects(given: &Given) -> Effects {
        let facts = Effects::looks().reading(Things::WORLD);
        match given.text("database") {
            // A name service may be asked that others change.
            Some(database) => facts.returning([format!("getent_{database}")]),
            None => facts.setting_any(),
        }
    }
}

impl Args {
    fn entries(&self, text: &str) -> Map {
        let colons = matches!(self.database.as_str(), "passwd" | "shadow" | "group" | "gshadow");
        let separator = self.split.as_deref().or(colons.then_some(":"));
        let mut entries = Map::new();
        for line in text.lines() {
            let mut fields: Vec<&str> = match separator {
                Some(separator) => line.split(separator).collect(),
                None => line.split_whitespace().collect(),
            };
            if !fields.is_empty() {
                let key = fields.remove(0);
                entries.insert(key.to_owned(), fields.into());
            }
        }
        entries
    }
}
