//! What the modules `postgresql_…` have in common: how to log in, and what was done.

use std::path::PathBuf;

use crate::change::Action;
use crate::probe::postgres::{Login, Server};
use crate::system::{Output, System};

/// Declares an argument struct as [`args!`](crate::args) does, with the arguments to log in with behind its own.
#[macro_export]
macro_rules! postgres_args {
    ( $(#[doc = $doc:expr])* pub struct $name:ident { $($fields:tt)* } ) => {
        $crate::args! {
            $(#[doc = $doc])*
            pub struct $name {
                $($fields)*
                /// The role to log in as.
                login_user: Option<String>, alias("login");
                /// Its password. It reaches `psql` by its environment, never by its arguments.
                login_password: Option<String>;
                /// The server; by default the one on the target, over its socket.
                login_host: Option<String>, alias("host");
                /// The folder of the server's socket, where it is no usual one.
                login_unix_socket: Option<std::path::PathBuf>, alias("unix_socket");
                /// The server's port.
                login_port: Option<u32>, alias("port");
                /// Whether the connection is encrypted, and whom it trusts.
                ssl_mode: $crate::modules::postgresql::SslMode = $crate::modules::postgresql::SslMode::Prefer;
                /// A file with the certificates of authorities that may vouch for the server.
                ca_cert: Option<std::path::PathBuf>, alias("ssl_rootcert");
                /// A file with our own certificate.
                ssl_cert: Option<std::path::PathBuf>;
                /// A file with its key.
                ssl_key: Option<std::path::PathBuf>;
                /// The role to become after logging in.
                session_role: Option<String>;
            }
        }

        impl $name {
            fn access(&self) -> $crate::modules::postgresql::Access<'_> {
                $crate::modules::postgresql::Access {
                    user: self.login_user.as_deref(),
                    password: self.login_password.as_deref(),
                    host: self.login_host.as_deref(),
                    socket: self.login_unix_socket.as_ref(),
                    port: self.login_port,
                    ssl_mode: self.ssl_mode,
                    files: [self.ca_cert.as_ref(), self.ssl_cert.as_ref(), self.ssl_key.as_ref()],
                    session_role: self.session_role.as_deref(),
                }
            }
        }
    };
}

crate::choices! {
    /// Whether a connection is encrypted, and whom it trusts.
    pub enum SslMode {
        Disable = "disable",
        Allow = "allow",
        Prefer = "prefer",
        Require = "require",
        VerifyCa = "verify-ca",
        VerifyFull = "verify-full",
    }
}

/// The values of the arguments to log in with.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    /// The role.
    pub user: Option<&'a str>,
    /// Its password.
    pub password: Option<&'a str>,
    /// The server.
    pub host: Option<&'a str>,
    /// The folder of its socket.
    pub socket: Option<&'a PathBuf>,
    /// Its port.
    pub port: Option<u32>,
    /// Encryption.
    pub ssl_mode: SslMode,
    /// Authorities, certificate, key.
    pub files: [Option<&'a PathBuf>; 3],
    /// The role to become.
    pub session_role: Option<&'a str>,
}

impl Access<'_> {
    /// The server's database of this name.
    pub fn server<'s>(&self, system: &'s dyn System, database: &'s str) -> Server<'s> {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let local = matches!(self.host, None | Some("" | "localhost"));
        let socket = self.socket.filter(|_| local).map(|socket| socket.to_string_lossy().into_owned());
        let user = self.user.and_then(given).or_else(|| system.env("PGUSER")).unwrap_or_else(|| "postgres".into());
        let login = Login {
            user,
            password: self.password.and_then(given),
            host: socket.filter(|socket| !socket.is_empty()).or(self.host.and_then(given)),
            port: self.port,
            settings: self.settings(),
        };
        Server { system, login, database }
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        let mut settings = Vec::new();
        if self.ssl_mode != SslMode::Prefer {
            settings.push(("PGSSLMODE", self.ssl_mode.as_str().to_owned()));
        }
        for (name, file) in ["PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY"].into_iter().zip(self.files) {
            settings.extend(file.map(|file| (name, file.to_string_lossy().into_owned())));
        }
        if let Some(role) = self.session_role {
            // libpq splits the options at blanks; a backslash keeps the next letter.
            let escaped = role.replace('\\', "\\\\").replace(' ', "\\ ");
            settings.push(("PGOPTIONS", format!("-c role={escaped}")));
        }
        settings
    }
}

/// The action that carries out a statement that everybody may see.
pub fn run(server: &Server, sql: &str, else_say: &str) -> Action {
    Action::run(server.statement(sql), else_say).expect(Output::default())
}
