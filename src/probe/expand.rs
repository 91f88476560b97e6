//! `~` and `$VARIABLE` in arguments, expanded with the target's users and environment as Ansible does.

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::probe::passwd;
use crate::system::System;

/// A path argument: variables, then `~` and `~user`. A relative path is left relative.
pub fn path(system: &dyn System, path: &Path) -> Result<PathBuf, Failure> {
    match path.to_str() {
        Some(text) => Ok(PathBuf::from(user(system, &vars(system, text))?)),
        None => Ok(path.to_owned()),
    }
}

/// Replaces `$NAME` and `${NAME}`; an unknown variable is left as it is written.
pub fn vars(system: &dyn System, text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        let (before, after) = rest.split_at(dollar);
        out.push_str(before);
        let (name, length) = reference(after);
        match name.and_then(|name| system.env(name)) {
            Some(value) => out.push_str(&value),
            None => out.push_str(&after[..length]),
        }
        rest = &after[length..];
    }
    out + rest
}

/// The variable's name at the start of `text`, which starts with `$`, and the length of the whole reference.
fn reference(text: &str) -> (Option<&str>, usize) {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if let Some(inner) = text.strip_prefix("${") {
        return inner.find('}').map_or((None, 2), |end| (Some(&inner[..end]), end + 3));
    }
    let name = &text[1..];
    let end = name.find(|c| !is_name(c)).unwrap_or(name.len());
    ((end > 0).then(|| &name[..end]), end + 1)
}

/// Replaces a leading `~` or `~user` by the home directory; an unknown user's is left as it is written.
pub fn user(system: &dyn System, text: &str) -> Result<String, Failure> {
    let Some(tail) = text.strip_prefix('~') else { return Ok(text.to_owned()) };
    let (name, rest) = tail.split_at(tail.find('/').unwrap_or(tail.len()));
    let home = match name {
        "" => Some(system.env("HOME").map_or_else(|| system.identity().home, PathBuf::from)),
        name => passwd::user(system, name)?.map(|user| user.home),
    };
    Ok(match home {
        Some(home) => {
            let whole = format!("{}{rest}", home.to_string_lossy().trim_end_matches('/'));
            if whole.is_empty() { "/".to_owned() } else { whole }
        }
        None => text.to_owned(),
    })
}
