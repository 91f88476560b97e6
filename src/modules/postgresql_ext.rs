use crate::change::Change;
use crate::failure::Failure;
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::modules::postgresql;
use crate::probe::postgres::{Server, identifier, literal, subject};
use crate::system::{Output, Subject, System};
use crate::value::{Map, Value};
use crate::{choices, map, postgres_args};

choices! {
    /// Whether the database shall have the extension.
    pub enum State { Present = "present", Absent = "absent" }
}

postgres_args! {
    /// Adds extensions to a database of PostgreSQL, updates and removes them.
    pub struct Args {
        /// The extension.
        name: String, alias("ext");
        /// The database.
        login_db: String, alias("db");
        /// Whether the database shall have it.
        state: State = State::Present;
        /// The schema for what it brings.
        schema: Option<String>;
        /// Its version, or `latest`. By default a new one gets the default version, and one that is there stays.
        version: Option<String>;
        /// Add what it needs, too; remove what needs it, too.
        cascade: bool = false;
        /// A comment; an empty one takes it away.
        comment: Option<String>;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("community.postgresql", "postgresql_ext");

impl Module for Args {
    fn plan(&self, system: &dyn System, _: &[Output]) -> Result<Change, Failure> {
        let server = self.access().server(system, &self.login_db);
        let found = self.find(&server)?;
        let before = found.get("version").cloned().unwrap_or_default();
        let queries = match self.state {
            State::Present => self.present(&found)?,
            State::Absent if before == Value::Null => Vec::new(),
            State::Absent => vec![format!("DROP EXTENSION {}{}", identifier(&self.name), self.cascaded())],
        };
        let settled = match self.state {
            State::Present => Value::Map(self.settled(&found)),
            State::Absent => Value::Null,
        };
        let say = format!("cannot bring the extension {} to what is wanted", self.name);
        let action = |sql: &String| postgresql::run(&server, sql, &say).settles(self.subject(), settled.clone());
        let actions = queries.iter().map(action).collect();
        let after = settled.get("version").cloned().unwrap_or_else(|| "".into());
        let values = map! {
            "db" => self.login_db.as_str(), "ext" => self.name.as_str(), "queries" => queries,
            "prev_version" => if before == Value::Null { "".into() } else { before }, "version" => after,
        };
        Ok(Change::of(actions, values))
    }

    fn check(&self) -> Result<(), ArgError> {
        if self.version.is_some() && self.state == State::Absent {
            return Err(ArgError::new("version", "`version` has no meaning with `state: absent`"));
        }
        Ok(())
    }

    fn effects(given: &Given) -> Effects {
        Effects::world_if(given.has("login_host"))
    }
}

impl Args {
    fn subject(&self) -> Subject {
        subject("ext", &format!("{} {}", self.login_db, self.name))
    }

    /// `version` (null if it is not there), `default_version`, `comment`; nothing if nobody knows the extension.
    fn find(&self, server: &Server) -> Result<Map, Failure> {
        match server.system.predicted(&self.subject()) {
            Some(Value::Map(settled)) => return Ok(settled),
            Some(Value::Null) => return Ok(Map::new()),
            _ => {}
        }
        let rows = server.rows(&format!(
            "SELECT a.installed_version AS version, a.default_version, \
             coalesce(obj_description(e.oid, 'pg_extension'), '') AS comment \
             FROM pg_available_extensions a LEFT JOIN pg_extension e ON e.extname = a.name WHERE a.name = {}",
            literal(&self.name)
        ))?;
        Ok(rows.into_iter().next().unwrap_or_default())
    }

    fn cascaded(&self) -> &'static str {
        if self.cascade { " CASCADE" } else { "" }
    }

    /// The version that is wanted, if one is.
    fn wanted<'a>(&'a self, found: &'a Map) -> Option<&'a str> {
        match self.version.as_deref() {
            Some("latest") => found.get("default_version").and_then(Value::as_str),
            version => version,
        }
    }

    fn present(&self, found: &Map) -> Result<Vec<String>, Failure> {
        let name = identifier(&self.name);
        let version = found.get("version").and_then(Value::as_str);
        let mut queries = Vec::new();
        match (version, self.wanted(found)) {
            (None, wanted) => {
                let schema = self.schema.as_ref().map(|schema| format!(" WITH SCHEMA {}", identifier(schema)));
                let wanted = wanted.map(|version| format!(" VERSION {}", literal(version)));
                let (schema, wanted) = (schema.unwrap_or_default(), wanted.unwrap_or_default());
                queries.push(format!("CREATE EXTENSION {name}{schema}{wanted}{}", self.cascaded()));
            }
            (Some(now), Some(wanted)) if now != wanted => {
                queries.push(format!("ALTER EXTENSION {name} UPDATE TO {}", literal(wanted)));
            }
            _ => {}
        }
        let comment = found.get("comment").and_then(Value::as_str).unwrap_or_default();
        if let Some(wanted) = self.comment.as_ref().filter(|wanted| *wanted != comment) {
            queries.push(format!("COMMENT ON EXTENSION {name} IS {}", literal(wanted)));
        }
        Ok(queries)
    }

    /// What a plan knows of it afterwards.
    fn settled(&self, found: &Map) -> Map {
        let mut after = found.clone();
        let version = self.wanted(found).or(found.get("version").and_then(Value::as_str));
        let version = version.or(found.get("default_version").and_then(Value::as_str));
        after.insert("version".into(), version.map_or(Value::Unknown(String::new()), Value::from));
        after.extend(self.comment.as_ref().map(|text| ("comment".to_owned(), text.as_str().into())));
        after
    }
}
