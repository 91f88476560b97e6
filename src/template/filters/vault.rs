//! Texts as ansible-vault encrypts them, with a password that is a variable.

use minijinja::{Error, State, Value};

use crate::template::Asks;
use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::vault::{self, Secret};

pub const FILTERS: &[Entry] = &[
    entry(&["unvault"], "vault secret vault_id", unvault), //
    entry(&["vault"], "data secret salt vault_id wrap_object", encrypt).asking_unless("salt", Asks::CHANCE),
];

fn secret(given: &Arguments) -> Result<Secret, Error> {
    let id = given.str("vault_id")?.unwrap_or("filter_default");
    Ok(Secret { id: id.to_owned(), password: given.need_str("secret")?.as_bytes().to_vec() })
}

fn encrypt(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    if given.flag("wrap_object", false) {
        return Err(wrong("`wrap_object` is not supported: the result is text"));
    }
    let salt = given.str("salt")?.filter(|salt| !salt.is_empty()).map(str::as_bytes);
    vault::encrypt(given.value_str()?.as_bytes(), &secret(given)?, salt).map(Value::from).map_err(wrong)
}

fn unvault(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let text = given.value_str()?;
    if !vault::is_encrypted(text.as_bytes()) {
        return Ok(text.into());
    }
    let content = vault::decrypt_with(text, &[secret(given)?]).map_err(|problem| wrong(problem.to_string()))?;
    let content = String::from_utf8(content).map_err(|_| wrong("what is in the vault is no UTF-8"))?;
    vault::learn(&content);
    Ok(content.into())
}
