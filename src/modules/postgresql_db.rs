mod dump;

use std::path::PathBuf;

use crate::change::{Action, Change};
use crate::failure::Failure;
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::modules::postgresql;
use crate::probe::postgres::{Server, identifier, literal, subject};
use crate::system::{Output, System};
use crate::value::{Map, Value};
use crate::{choices, map, postgres_args};

choices! {
    /// What may be wanted of a database.
    pub enum State {
        Present = "present",
        Absent = "absent",
        /// Write it into the file `target`.
        Dump = "dump",
        /// Read it from the file `target`.
        Restore = "restore",
    }
}

postgres_args! {
    /// Creates, changes and removes databases of PostgreSQL, dumps and restores them.
    ///
    /// Works through `psql` on the target, mostly with `become_user: postgres`. Dumping and restoring always act.
    pub struct Args {
        /// The database's name.
        name: String, alias("db");
        /// What is wanted.
        state: State = State::Present;
        /// The role that owns it.
        owner: Option<String>;
        /// The database that a new one is a copy of.
        template: Option<String>;
        /// The encoding. It cannot be changed later.
        encoding: Option<String>;
        /// The order of texts. It cannot be changed later.
        lc_collate: Option<String>;
        /// The kinds of letters. They cannot be changed later.
        lc_ctype: Option<String>;
        /// The ICU locale. It cannot be changed later.
        icu_locale: Option<String>;
        /// Where locales come from: `libc`, `icu` or `builtin`. It cannot be changed later.
        locale_provider: Option<String>;
        /// How many connections it allows; -1 for any number.
        conn_limit: Option<i64>;
        /// The tablespace in which it lies.
        tablespace: Option<String>;
        /// A comment; an empty one takes it away.
        comment: Option<String>;
        /// Remove it although others are connected.
        force: bool = false;
        /// The database to connect to meanwhile.
        maintenance_db: String = "postgres";
        /// The file for `dump` and `restore`. Its ending says the form: `.sql`, `.tar`, `.pgc` (custom), `.dir`, and for
        /// dumps `.sql.gz`. By default `NAME.sql` in the working directory.
        target: Option<PathBuf>;
        /// Further options for `pg_dump`, `pg_restore` or `psql`.
        target_opts: Option<String>;
        /// Further options for `pg_dump`.
        dump_extra_args: Option<String>;
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("community.postgresql", "postgresql_db");

impl Module for Args {
    fn plan(&self, system: &dyn System, done: &[Output]) -> Result<Change, Failure> {
        let server = self.access().server(system, &self.maintenance_db);
        if matches!(self.state, State::Dump | State::Restore) {
            return dump::plan(self, system, done);
        }
        let found = self.find(&server)?;
        let statements = match (self.state, &found) {
            (State::Absent, None) => Vec::new(),
            (State::Absent, Some(_)) => vec![self.drop()],
            (_, None) => self.create(),
            (_, Some(row)) => self.alter(row)?,
        };
        let settled = match self.state {
            State::Absent => Value::Null,
            _ => Value::Map(self.settled(found.unwrap_or_default())),
        };
        let action = |sql: &String| self.action(&server, sql).settles(subject("db", &self.name), settled.clone());
        let actions = statements.iter().map(action).collect();
        Ok(Change::of(actions, map! { "db" => self.name.as_str(), "executed_commands" => statements }))
    }

    fn check(&self) -> Result<(), ArgError> {
        if self.name.is_empty() {
            return Err(ArgError::new("name", "a database needs a name"));
        }
        dump::check(self)
    }

    fn effects(given: &Given) -> Effects {
        Effects::world_if(given.has("login_host"))
    }
}

impl Args {
    fn find(&self, server: &Server) -> Result<Option<Map>, Failure> {
        match server.system.predicted(&subject("db", &self.name)) {
            Some(Value::Map(settled)) => return Ok(Some(settled)),
            Some(Value::Null) => return Ok(None),
            _ => {}
        }
        let rows = server.rows(&format!(
            "SELECT pg_get_userbyid(datdba) AS owner, pg_encoding_to_char(encoding) AS encoding, \
             datcollate AS lc_collate, datctype AS lc_ctype, datconnlimit AS conn_limit, spcname AS tablespace, \
             coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale') AS icu_locale, \
             to_jsonb(d)->>'datlocprovider' AS locale_provider, \
             coalesce(shobj_description(d.oid, 'pg_database'), '') AS comment \
             FROM pg_database d JOIN pg_tablespace t ON t.oid = dattablespace WHERE datname = {}",
            literal(&self.name)
        ))?;
        Ok(rows.into_iter().next())
    }

    fn action(&self, server: &Server, sql: &str) -> Action {
        postgresql::run(server, sql, &format!("cannot bring the database {} to what is wanted", self.name))
    }

    fn drop(&self) -> String {
        let force = if self.force { " WITH (FORCE)" } else { "" };
        format!("DROP DATABASE {}{force}", identifier(&self.name))
    }

    fn create(&self) -> Vec<String> {
        let mut sql = format!("CREATE DATABASE {}", identifier(&self.name));
        let mut add = |word: &str, value: Option<String>| {
            if let Some(value) = value {
                sql.push_str(&format!(" {word} {value}"));
            }
        };
        let given = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
        add("OWNER", given(&self.owner).map(|name| identifier(&name)));
        add("TEMPLATE", given(&self.template).map(|name| identifier(&name)));
        add("ENCODING", given(&self.encoding).map(|text| literal(&text)));
        add("LC_COLLATE", given(&self.lc_collate).map(|text| literal(&text)));
        add("LC_CTYPE", given(&self.lc_ctype).map(|text| literal(&text)));
        add("ICU_LOCALE", given(&self.icu_locale).map(|text| literal(&text)));
        add("LOCALE_PROVIDER", given(&self.locale_provider));
        add("TABLESPACE", given(&self.tablespace).map(|name| identifier(&name)));
        add("CONNECTION LIMIT", self.conn_limit.map(|limit| limit.to_string()));
        std::iter::once(sql)
            .chain(self.comment.iter().filter(|text| !text.is_empty()).map(|text| self.describe(text)))
            .collect()
    }

    /// What differs. What cannot be changed is a failure.
    fn alter(&self, row: &Map) -> Result<Vec<String>, Failure> {
        self.refuse_fixed(row)?;
        let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default();
        let name = identifier(&self.name);
        let differs =
            |wanted: &Option<String>, key: &str| wanted.clone().filter(|new| !new.is_empty() && new != text(key));
        let limit = self.conn_limit.filter(|limit| row.get("conn_limit") != Some(&Value::Int(*limit)));
        let owner =
            differs(&self.owner, "owner").map(|owner| format!("ALTER DATABASE {name} OWNER TO {}", identifier(&owner)));
        let limit = limit.map(|limit| format!("ALTER DATABASE {name} CONNECTION LIMIT {limit}"));
        let space = differs(&self.tablespace, "tablespace");
        let space = space.map(|space| format!("ALTER DATABASE {name} SET TABLESPACE {}", identifier(&space)));
        let comment = self.comment.as_ref().filter(|comment| *comment != text("comment"));
        let comment = comment.map(|comment| self.describe(comment));
        Ok([owner, limit, space, comment].into_iter().flatten().collect())
    }

    fn refuse_fixed(&self, row: &Map) -> Result<(), Failure> {
        type Comparable<'a> = &'a dyn Fn(&str) -> String;
        let plain = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        // The catalogue knows it by one letter.
        let provider = |text: &str| text.strip_prefix("lib").unwrap_or(text).chars().take(1).collect::<String>();
        let fixed: [(&str, &Option<String>, Comparable); 5] = [
            ("encoding", &self.encoding, &plain),
            ("lc_collate", &self.lc_collate, &str::to_owned),
            ("lc_ctype", &self.lc_ctype, &str::to_owned),
            ("icu_locale", &self.icu_locale, &str::to_owned),
            ("locale_provider", &self.locale_provider, &provider),
        ];
        for (key, wanted, comparable) in fixed {
            let now = row.get(key).and_then(Value::as_str);
            let (Some(wanted), Some(now)) = (wanted.as_deref().filter(|wanted| !wanted.is_empty()), now) else {
                continue;
            };
            if comparable(wanted) != comparable(now) {
                let message = format!("the {key} of the database {} is {now}; it cannot be changed", self.name);
                return Err(Failure::new(message).argument(key));
            }
        }
        Ok(())
    }

    fn describe(&self, comment: &str) -> String {
        format!("COMMENT ON DATABASE {} IS {}", identifier(&self.name), literal(comment))
    }

    /// What a plan knows of the database afterwards.
    fn settled(&self, mut row: Map) -> Map {
        let texts = [
            ("owner", &self.owner),
            ("encoding", &self.encoding),
            ("lc_collate", &self.lc_collate),
            ("lc_ctype", &self.lc_ctype),
            ("icu_locale", &self.icu_locale),
            ("locale_provider", &self.locale_provider),
            ("tablespace", &self.tablespace),
            ("comment", &self.comment),
        ];
        for (key, text) in texts {
            row.extend(text.as_ref().map(|text| (key.to_owned(), text.as_str().into())));
        }
        row.extend(self.conn_limit.map(|limit| ("conn_limit".to_owned(), limit.into())));
        row
    }
}
