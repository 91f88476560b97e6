//! A PostgreSQL server, asked through `psql` on the target.
//!
//! Questions and statements without secrets are `psql`'s `-c`; a statement with a password goes to its standard input,
//! and the password to log in with to its environment.

pub mod password;

use crate::failure::{During, Failure};
use crate::probe::dpkg;
use crate::system::{Command, Output, Subject, System};
use crate::value::{Map, Value};

/// How to log in.
#[derive(Clone, Debug, Default)]
pub struct Login {
    /// The role.
    pub user: String,
    /// Its password; none where the server knows the system's user (`peer`).
    pub password: Option<String>,
    /// The host, or the folder of the server's socket; by default where `psql` looks.
    pub host: Option<String>,
    /// The port; by default `psql`'s.
    pub port: Option<u32>,
    /// Further settings of libpq by their environment variables.
    pub settings: Vec<(&'static str, String)>,
}

/// One database of a server.
pub struct Server<'a> {
    /// The machine on which `psql` runs.
    pub system: &'a dyn System,
    /// How to log in.
    pub login: Login,
    /// Which database.
    pub database: &'a str,
}

impl Server<'_> {
    /// A program of PostgreSQL with these words, and with those to log in with behind them.
    pub fn tool(&self, program: &str, words: impl IntoIterator<Item = String>) -> Command {
        let mut argv: Vec<String> = std::iter::once(program.to_owned()).chain(words).collect();
        let mut option = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                argv.extend([name.to_owned(), value]);
            }
        };
        option("-h", self.login.host.clone());
        option("-p", self.login.port.map(|port| port.to_string()));
        option("-U", Some(self.login.user.clone()));
        option("-d", Some(self.database.to_owned()));
        // The C locale would make it the client's encoding too.
        let mut command = Command::new(argv).env("PGCLIENTENCODING", "UTF8");
        for (name, value) in &self.login.settings {
            command = command.env(name, value.as_str());
        }
        match &self.login.password {
            Some(password) => command.env("PGPASSWORD", password.as_str()),
            None => command,
        }
    }

    fn psql(&self) -> Command {
        self.tool("psql", ["-XqAtw", "-v", "ON_ERROR_STOP=1"].map(str::to_owned))
    }

    /// The program that carries out a statement that holds no secret.
    pub fn statement(&self, sql: &str) -> Command {
        let mut command = self.psql();
        command.argv.extend(["-c".to_owned(), sql.to_owned()]);
        command
    }

    /// The program that carries out a statement that nobody may see.
    pub fn secret_statement(&self, sql: &str) -> Command {
        let mut command = self.psql();
        command.argv.extend(["-f".to_owned(), "-".to_owned()]);
        command.stdin(sql)
    }

    /// The rows that a `SELECT` gives, each a mapping. A server that is only planned has none.
    pub fn rows(&self, select: &str) -> Result<Vec<Map>, Failure> {
        let output = self.answer(&format!("SELECT row_to_json(r) FROM ({select}) r"))?;
        let Some(output) = output else { return Ok(Vec::new()) };
        let read = |line: &str| match serde_json::from_str(line).map(|json: serde_json::Value| Value::from(json)) {
            Ok(Value::Map(row)) => Ok(row),
            _ => Err(Failure::new(format!("psql's answer cannot be read: {line}"))),
        };
        output.text().lines().filter(|line| !line.is_empty()).map(read).collect()
    }

    /// What `psql` says to a statement that only reads; `None`: the server, or the database, is only planned.
    fn answer(&self, sql: &str) -> Result<Option<Output>, Failure> {
        let planned = dpkg::has_planned(self.system);
        if self.system.which("psql").is_none() {
            return match planned {
                true => Ok(None),
                false => Err(Failure::new("there is no program `psql` here; install the package postgresql-client")),
            };
        }
        let output = self.system.query(&self.statement(sql)).during(|| "start psql")?;
        let cannot_connect = output.rc == 2;
        match output.ok() {
            true => Ok(Some(output)),
            false if cannot_connect && (planned || self.database_is_planned()) => Ok(None),
            false => Err(self.failure(&output)),
        }
    }

    fn database_is_planned(&self) -> bool {
        matches!(self.system.predicted(&subject("db", self.database)), Some(Value::Map(_)))
    }

    fn failure(&self, output: &Output) -> Failure {
        let said = output.errors();
        let said = said.trim();
        let advice = match said.contains("Peer authentication failed") {
            true => format!(
                "\nthe server lets only the system's user `{0}` be the role `{0}`: use `become_user: {0}`, or \
                 `login_host` with `login_password`",
                self.login.user
            ),
            false => String::new(),
        };
        let what = if output.rc == 2 { "unable to connect to database" } else { "Database query failed" };
        let argument = if output.rc == 2 { "login_user" } else { "name" };
        Failure::new(format!("{what}: {said}{advice}")).argument(argument).with("rc", output.rc)
    }
}

/// The subject under which a planned step settles a database (`db`), a role (`user`), …
pub fn subject(kind: &str, name: &str) -> Subject {
    Subject::Other(format!("postgresql_{kind}"), name.to_owned())
}

/// A name as SQL writes it.
pub fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL writes it.
pub fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    // Means the same whatever `standard_conforming_strings` says.
    if text.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::fake::Fake;

    #[test]
    fn sql_is_quoted() {
        assert_eq!(identifier("a\"b"), "\"a\"\"b\"");
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\\b'"), "E'a\\\\b'''");
    }

    #[test]
    fn the_password_is_in_the_environment_only() {
        let fake = Fake::new();
        let login =
            Login { user: "me".into(), password: Some("secret".into()), host: Some("h".into()), ..Login::default() };
        let server = Server { system: &fake, login, database: "d" };
        let command = server.statement("SELECT 1");
        assert_eq!(command.argv.join(" "), "psql -XqAtw -v ON_ERROR_STOP=1 -h h -U me -d d -c SELECT 1");
        assert!(command.env.contains(&("PGPASSWORD".into(), "secret".into())));
        assert_eq!(server.secret_statement("ALTER").stdin, b"ALTER");
    }
}
