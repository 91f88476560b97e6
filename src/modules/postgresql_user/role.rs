//! What a server knows of a role.

use super::Args;
use crate::failure::Failure;
use crate::map;
use crate::probe::postgres::{Server, literal, password, subject};
use crate::value::{Map, Value};

/// The flags, and the columns that hold them.
const FLAGS: [(&str, &str); 7] = [
    ("SUPERUSER", "rolsuper"),
    ("CREATEROLE", "rolcreaterole"),
    ("CREATEDB", "rolcreatedb"),
    ("INHERIT", "rolinherit"),
    ("LOGIN", "rolcanlogin"),
    ("REPLICATION", "rolreplication"),
    ("BYPASSRLS", "rolbypassrls"),
];

/// Wanted flags: their places in the list above, and whether they are wanted set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flags(Vec<(usize, bool)>);

impl Flags {
    /// Reads `CREATEDB,NOLOGIN`.
    pub fn parse(text: &str) -> Result<Flags, String> {
        let words = text.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty());
        let flag = |word: &str| {
            let upper = word.to_uppercase();
            let at = |name: &str| FLAGS.iter().position(|(known, _)| *known == name);
            match (at(&upper), upper.strip_prefix("NO").and_then(at)) {
                (Some(at), _) => Ok((at, true)),
                (None, Some(at)) => Ok((at, false)),
                (None, None) => {
                    let known = FLAGS.map(|(name, _)| name).join(", ");
                    Err(format!("expected flags among {known}, each perhaps with NO before it; found `{word}`"))
                }
            }
        };
        words.map(flag).collect::<Result<_, _>>().map(Flags)
    }

    /// As SQL writes them.
    pub fn words(&self) -> Vec<String> {
        self.0.iter().map(|flag| word(*flag)).collect()
    }

    /// Those that the role does not have.
    pub fn lacking(&self, row: &Map) -> Vec<String> {
        let lacks = |(at, wanted): &&(usize, bool)| row.get(FLAGS[*at].1) != Some(&Value::Bool(*wanted));
        self.0.iter().filter(lacks).map(|flag| word(*flag)).collect()
    }
}

fn word((at, wanted): (usize, bool)) -> String {
    format!("{}{}", if wanted { "" } else { "NO" }, FLAGS[at].0)
}

/// The role's row; without `rolpassword` if the role that logged in may not see that.
pub fn find(server: &Server, args: &Args) -> Result<Option<Map>, Failure> {
    match server.system.predicted(&subject("user", &args.name)) {
        Some(Value::Map(settled)) => return Ok(Some(settled)),
        Some(Value::Null) => return Ok(None),
        _ => {}
    }
    let fits = match &args.expires {
        Some(time) => format!(", rolvaliduntil IS NOT DISTINCT FROM {}::timestamptz AS expires_fits", literal(time)),
        None => String::new(),
    };
    let flags = FLAGS.map(|(_, column)| column).join(", ");
    let select = |table: &str, more: &str| {
        format!(
            "SELECT {flags}, rolconnlimit{more}{fits}, (SELECT setconfig FROM pg_db_role_setting \
             WHERE setrole = t.oid AND setdatabase = 0) AS rolconfig, \
             coalesce(shobj_description(t.oid, 'pg_authid'), '') AS comment \
             FROM {table} t WHERE rolname = {}",
            literal(&args.name)
        )
    };
    // Only a password makes it worth while to ask for what only superusers may see.
    let rows = match args.password {
        Some(_) => match server.rows(&select("pg_authid", ", rolpassword")) {
            Err(failure) if failure.message.contains("permission denied") => server.rows(&select("pg_roles", "")),
            answer => answer,
        },
        None => server.rows(&select("pg_roles", "")),
    };
    Ok(rows?.into_iter().next())
}

/// Whether a given password is not the role's. One that may not be seen differs.
pub fn password_differs(row: &Map, user: &str, given: &str) -> bool {
    match row.get("rolpassword") {
        Some(Value::Str(stored)) => !password::matches(stored, user, given),
        Some(Value::Bool(fits)) => !fits,
        Some(Value::Null) => !given.is_empty(),
        _ => true,
    }
}

/// The settings of its sessions, from a list of `NAME=VALUE`.
pub fn settings(row: &Map) -> indexmap::IndexMap<String, String> {
    let list = row.get("rolconfig").and_then(Value::as_list).unwrap_or_default();
    let pairs = list.iter().filter_map(|item| item.as_str()?.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What a plan knows of the role afterwards. Of the password only that it is as wanted.
pub fn settled(args: &Args, row: &Map) -> Value {
    let mut after = map! {
        "rolsuper" => false, "rolcreaterole" => false, "rolcreatedb" => false, "rolinherit" => true,
        "rolcanlogin" => true, "rolreplication" => false, "rolbypassrls" => false, "rolconnlimit" => -1,
        "comment" => "", "rolconfig" => Vec::<Value>::new(),
    };
    after.extend(row.clone());
    for (at, wanted) in args.flags().unwrap_or_default().0 {
        after.insert(FLAGS[at].1.to_owned(), wanted.into());
    }
    after.extend(args.conn_limit.map(|limit| ("rolconnlimit".to_owned(), limit.into())));
    after.extend(args.comment.as_ref().map(|text| ("comment".to_owned(), text.as_str().into())));
    after.insert("expires_fits".into(), true.into());
    after.insert("rolpassword".into(), true.into());
    let mut config = if args.reset_unspecified_configuration { Default::default() } else { settings(row) };
    for (key, value) in &args.configuration {
        let text = value.as_str().map_or_else(|| value.to_json().to_string(), str::to_owned);
        config.insert(key.clone(), text);
    }
    let config: Vec<String> = config.iter().map(|(key, value)| format!("{key}={value}")).collect();
    after.insert("rolconfig".into(), config.into());
    Value::Map(after)
}

/// Whether something belongs to the role, or refers to it, so that it cannot be removed.
pub fn is_needed(server: &Server, name: &str) -> Result<bool, Failure> {
    let select = "SELECT 1 AS one FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid \
                  WHERE d.refclassid = 'pg_authid'::regclass AND r.rolname =";
    Ok(!server.rows(&format!("{select} {} LIMIT 1", literal(name)))?.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_compared_with_columns() {
        let flags = Flags::parse("createdb, NOINHERIT,nosuperuser").unwrap();
        assert_eq!(flags.words(), ["CREATEDB", "NOINHERIT", "NOSUPERUSER"]);
        let row = map! { "rolcreatedb" => true, "rolinherit" => true, "rolsuper" => false };
        assert_eq!(flags.lacking(&row), ["NOINHERIT"]);
        assert!(Flags::parse("FLY").unwrap_err().contains("found `FLY`"));
    }

    #[test]
    fn a_password_that_nobody_may_see_differs() {
        assert!(password_differs(&map! {}, "u", "p"));
        assert!(password_differs(&map! { "rolpassword" => Value::Null }, "u", "p"));
        assert!(!password_differs(&map! { "rolpassword" => Value::Null }, "u", ""));
        assert!(!password_differs(&map! { "rolpassword" => "SCRAM" }, "u", "SCRAM"));
    }
}
