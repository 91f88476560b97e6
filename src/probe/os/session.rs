//! Who we are on the machine, and the machine's SSH keys.

use super::text;
use crate::map;
use crate::probe::passwd;
use crate::system::System;
use crate::value::{Map, Value};

/// `env`.
pub fn environment(system: &dyn System) -> Map {
    let all: Map = system.environment().into_iter().map(|(name, value)| (name, value.into())).collect();
    map! { "env" => all }
}

/// `user_id`, `user_dir`, `real_user_id` and their kin.
pub fn user(system: &dyn System) -> Map {
    let identity = system.identity();
    let mut facts = map! {
        "user_id" => identity.name.as_str(),
        "real_user_id" => identity.uid,
        "effective_user_id" => identity.uid,
        "real_group_id" => identity.gid,
        "effective_group_id" => identity.gid,
    };
    if let Ok(Some(user)) = passwd::user(system, &identity.name) {
        facts.extend(map! {
            "user_uid" => user.uid,
            "user_gid" => user.gid,
            "user_gecos" => user.gecos,
            "user_dir" => user.home.to_string_lossy().into_owned(),
            "user_shell" => user.shell,
        });
    }
    facts
}

/// `ssh_host_key_ed25519_public` and its kin: of the first folder that holds any.
pub fn host_keys(system: &dyn System) -> Map {
    for folder in ["/etc/ssh", "/etc/openssh", "/etc"] {
        let mut facts = Map::new();
        for kind in ["dsa", "rsa", "ecdsa", "ed25519"] {
            let Some(line) = text(system, format!("{folder}/ssh_host_{kind}_key.pub")) else { continue };
            let mut words = line.split_whitespace();
            if let (Some(keytype), Some(key)) = (words.next(), words.next()) {
                facts.insert(format!("ssh_host_key_{kind}_public"), Value::from(key));
                facts.insert(format!("ssh_host_key_{kind}_public_keytype"), Value::from(keytype));
            }
        }
        if !facts.is_empty() {
            return facts;
        }
    }
    Map::new()
}
