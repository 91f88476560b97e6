mod role;

use crate::change::{Action, Change};
use crate::failure::Failure;
use crate::module::{ArgError, Effects, Given, Module, ModuleSpec};
use crate::modules::postgresql;
use crate::probe::postgres::{Server, identifier, literal, subject};
use crate::system::{Output, System};
use crate::value::{Map, Value};
use crate::{choices, map, postgres_args};

use role::Flags;

choices! {
    /// Whether there shall be such a role.
    pub enum State { Present = "present", Absent = "absent" }
}

postgres_args! {
    /// Creates, changes and removes roles of PostgreSQL that can log in.
    ///
    /// Works through `psql` on the target, mostly with `become_user: postgres`. A password is compared with what the
    /// server keeps of it (SCRAM or MD5), so a second run changes nothing.
    pub struct Args {
        /// The role's name.
        name: String, alias("user");
        /// Whether there shall be such a role.
        state: State = State::Present;
        /// Its password, or the hash of it. An empty one takes it away. It reaches `psql` by its standard input.
        password: Option<String>;
        /// Passwords are always kept as a hash; `no` is refused.
        encrypted: bool = true;
        /// Change neither password, expiry nor connection limit of a role that exists.
        no_password_changes: bool = false;
        /// What it may do: `CREATEDB,NOSUPERUSER,LOGIN`, … Flags that are not named stay as they are.
        role_attr_flags: Option<String>;
        /// When its password ends, as PostgreSQL reads times; `infinity` for never.
        expires: Option<String>;
        /// How many connections it may have; -1 for any number.
        conn_limit: Option<i64>;
        /// A comment; an empty one takes it away.
        comment: Option<String>;
        /// Settings for its sessions: `{search_path: app}`.
        configuration: Map = Map::new();
        /// Take away settings that `configuration` does not name.
        reset_unspecified_configuration: bool = false;
        /// Whether values of `configuration` are texts; else they are written as they are given.
        quote_configuration_values: bool = true;
        /// With `state: absent`: whether it is a failure that other things still belong to the role.
        fail_on_user: bool = true, alias("fail_on_role");
        /// The database to connect to.
        login_db: String = "postgres", alias("db");
    }
}

/// The registry's entry.
pub static SPEC: ModuleSpec = ModuleSpec::of::<Args>("community.postgresql", "postgresql_user");

impl Module for Args {
    fn plan(&self, system: &dyn System, _: &[Output]) -> Result<Change, Failure> {
        let server = self.access().server(system, &self.login_db);
        let found = role::find(&server, self)?;
        let mut change = match (self.state, &found) {
            (State::Absent, None) => Change::none(self.values(&[])),
            (State::Absent, Some(_)) => self.drop(&server)?,
            (State::Present, None) => self.perform(&server, self.create(), &Map::new()),
            (State::Present, Some(row)) => self.perform(&server, self.alter(row), row),
        };
        let hidden = |row: &Map| !row.contains_key("rolpassword");
        if self.state == State::Present && self.password.is_some() && found.as_ref().is_some_and(hidden) {
            let message = "the role that logged in may not see passwords: the password is set in every run";
            change.warnings.push(message.into());
        }
        Ok(change)
    }

    fn check(&self) -> Result<(), ArgError> {
        if self.name.is_empty() || self.name == "PUBLIC" {
            return Err(ArgError::new("name", "expected the name of a role (PUBLIC is none)"));
        }
        if !self.encrypted {
            return Err(ArgError::new("encrypted", "no server since PostgreSQL 10 keeps passwords unencrypted"));
        }
        self.flags().map(|_| ()).map_err(|why| ArgError::new("role_attr_flags", why))
    }

    fn effects(given: &Given) -> Effects {
        Effects::world_if(given.has("login_host"))
    }
}

/// A statement, with a password or without.
struct Statement {
    /// As people may see it.
    shown: String,
    /// As the server gets it, if that is a secret.
    secret: Option<String>,
}

impl Statement {
    fn plain(sql: String) -> Statement {
        Statement { shown: sql, secret: None }
    }
}

impl Args {
    fn flags(&self) -> Result<Flags, String> {
        Flags::parse(self.role_attr_flags.as_deref().unwrap_or_default())
    }

    fn create(&self) -> Vec<Statement> {
        let flags = self.flags().unwrap_or_default();
        let password = self.password.as_deref().filter(|password| !password.is_empty());
        let login = self.clauses(&flags.words(), password, true);
        let mut all = vec![self.statement("CREATE USER", &login, password)];
        let comment = self.comment.as_ref().filter(|comment| !comment.is_empty());
        all.extend(comment.map(|comment| self.describe(comment)));
        all.extend(self.configure(&Map::new()));
        all
    }

    fn alter(&self, row: &Map) -> Vec<Statement> {
        let flags = self.flags().unwrap_or_default().lacking(row);
        let password = self.password.as_deref().filter(|_| !self.no_password_changes);
        let password = password.filter(|password| role::password_differs(row, &self.name, password));
        let clauses = self.clauses(&flags, password, !self.no_password_changes && self.limits_differ(row));
        let mut all = Vec::new();
        if !clauses.is_empty() {
            all.push(self.statement("ALTER USER", &clauses, password));
        }
        let now = row.get("comment").and_then(Value::as_str).unwrap_or_default();
        all.extend(self.comment.as_ref().filter(|comment| *comment != now).map(|comment| self.describe(comment)));
        all.extend(self.configure(row));
        all
    }

    fn limits_differ(&self, row: &Map) -> bool {
        let limit = self.conn_limit.is_some_and(|limit| row.get("rolconnlimit") != Some(&Value::Int(limit)));
        limit || self.expires.is_some() && row.get("expires_fits") == Some(&Value::Bool(false))
    }

    /// The clauses behind the role's name, with `%(password)s` for the password.
    fn clauses(&self, flags: &[String], password: Option<&str>, limits: bool) -> Vec<String> {
        let mut clauses = Vec::new();
        match password {
            Some("") => clauses.push("PASSWORD NULL".to_owned()),
            Some(_) => clauses.push("ENCRYPTED PASSWORD %(password)s".to_owned()),
            None => {}
        }
        clauses.extend(flags.iter().cloned());
        if limits {
            clauses.extend(self.expires.as_ref().map(|time| format!("VALID UNTIL {}", literal(time))));
            clauses.extend(self.conn_limit.map(|limit| format!("CONNECTION LIMIT {limit}")));
        }
        clauses
    }

    fn statement(&self, verb: &str, clauses: &[String], password: Option<&str>) -> Statement {
        let with = if clauses.is_empty() { "" } else { " WITH " };
        let head = format!("{verb} {}{with}", identifier(&self.name));
        let shown = format!("{head}{}", clauses.join(" "));
        let password = password.filter(|password| !password.is_empty());
        let secret = password.map(|password| {
            let clause = |clause: &String| match clause.as_str() {
                "ENCRYPTED PASSWORD %(password)s" => format!("ENCRYPTED PASSWORD {}", literal(password)),
                other => other.to_owned(),
            };
            format!("{head}{};\n", clauses.iter().map(clause).collect::<Vec<_>>().join(" "))
        });
        Statement { shown, secret }
    }

    fn describe(&self, comment: &str) -> Statement {
        Statement::plain(format!("COMMENT ON ROLE {} IS {}", identifier(&self.name), literal(comment)))
    }

    /// The settings of its sessions that differ.
    fn configure(&self, row: &Map) -> Vec<Statement> {
        let now = role::settings(row);
        let name = identifier(&self.name);
        let surplus =
            now.keys().filter(|key| self.reset_unspecified_configuration && !self.configuration.contains_key(*key));
        let resets = surplus.map(|key| format!("ALTER ROLE {name} RESET {}", identifier(key)));
        let text = |value: &Value| match value {
            Value::Str(text) => text.clone(),
            other => other.to_json().to_string(),
        };
        let wanted = self.configuration.iter().map(|(key, value)| (key, text(value)));
        let sets = wanted.filter(|(key, value)| now.get(*key) != Some(value)).map(|(key, value)| {
            let value = if self.quote_configuration_values { literal(&value) } else { value };
            format!("ALTER ROLE {name} SET {} TO {value}", identifier(key))
        });
        resets.chain(sets).map(Statement::plain).collect()
    }

    fn perform(&self, server: &Server, statements: Vec<Statement>, row: &Map) -> Change {
        let settled = role::settled(self, row);
        let action = |statement: &Statement| {
            let failure = format!("cannot bring the role {} to what is wanted", self.name);
            let action = match &statement.secret {
                Some(sql) => Action::run(server.secret_statement(sql), failure).expect(Output::default()),
                None => postgresql::run(server, &statement.shown, &failure),
            };
            action.settles(subject("user", &self.name), settled.clone())
        };
        let actions = statements.iter().map(action).collect();
        let shown: Vec<String> = statements.into_iter().map(|statement| statement.shown).collect();
        Change::of(actions, self.values(&shown))
    }

    fn drop(&self, server: &Server) -> Result<Change, Failure> {
        let sql = format!("DROP USER {}", identifier(&self.name));
        if !self.fail_on_user && role::is_needed(server, &self.name)? {
            let mut values = self.values(&[]);
            values.insert("user_removed".into(), false.into());
            return Ok(Change::none(values));
        }
        let action = postgresql::run(server, &sql, &format!("Unable to remove user {}", self.name));
        let mut values = self.values(&[sql]);
        values.insert("user_removed".into(), true.into());
        Ok(Change::of(vec![action.settles(subject("user", &self.name), Value::Null)], values))
    }

    fn values(&self, queries: &[String]) -> Map {
        map! { "user" => self.name.as_str(), "queries" => queries.to_vec() }
    }
}
