//! Running git: whom it logs in as, and what must not be seen.

use std::path::{Path, PathBuf};

use super::Args;
use crate::failure::{During, Failure};
use crate::probe::expand;
use crate::system::{Command, Output, System};

/// An address without its password, and the address itself if it has one.
pub fn split_password(address: &str) -> (String, Option<String>) {
    let Some((scheme, rest)) = address.split_once("://") else { return (address.to_owned(), None) };
    let end = rest.find('/').unwrap_or(rest.len());
    let Some((login, host)) = rest[..end].rsplit_once('@') else { return (address.to_owned(), None) };
    match login.split_once(':') {
        Some((name, _)) => (format!("{scheme}://{name}@{host}{}", &rest[end..]), Some(address.to_owned())),
        None => (address.to_owned(), None),
    }
}

impl Args {
    /// The address as everybody may see it.
    pub(super) fn shown_repo(&self, system: &dyn System) -> Result<String, Failure> {
        let is_path = self.repo.starts_with(['~', '/']);
        let repo = if is_path { expand::user(system, &self.repo)? } else { self.repo.clone() };
        Ok(split_password(&repo).0)
    }

    /// A run of git in a folder.
    pub(super) fn command(
        &self,
        system: &dyn System,
        git: &str,
        folder: Option<&Path>,
        words: &[&str],
    ) -> Result<Command, Failure> {
        let argv = std::iter::once(git).chain(words.iter().copied()).map(str::to_owned);
        let mut command = Command::new(argv).env("GIT_TERMINAL_PROMPT", "0").env("GIT_SSH_COMMAND", self.ssh(system)?);
        if let (shown, Some(whole)) = split_password(&self.repo) {
            // Which address stands for which: by the environment, which others cannot read.
            command = command
                .env("GIT_CONFIG_COUNT", "1")
                .env("GIT_CONFIG_KEY_0", format!("url.{whole}.insteadOf"))
                .env("GIT_CONFIG_VALUE_0", shown);
        }
        command.cwd = folder.map(Path::to_owned);
        command.umask = self.mask().map_err(|message| Failure::new(message).argument("umask"))?;
        Ok(command)
    }

    /// Asks git something.
    pub(super) fn ask(&self, system: &dyn System, git: &str, folder: &Path, words: &[&str]) -> Result<Output, Failure> {
        system.query(&self.command(system, git, Some(folder), words)?).during(|| "ask git")
    }

    fn ssh(&self, system: &dyn System) -> Result<String, Failure> {
        let mut line = "ssh -o BatchMode=yes".to_owned();
        if self.accept_hostkey {
            line.push_str(" -o StrictHostKeyChecking=no");
        }
        if self.accept_newhostkey {
            line.push_str(" -o StrictHostKeyChecking=accept-new");
        }
        if let Some(key) = &self.key_file {
            let key: PathBuf = expand::path(system, key)?;
            let quoted = key.display().to_string().replace('\'', r"'\''");
            line.push_str(&format!(" -i '{quoted}' -o IdentitiesOnly=yes"));
        }
        if let Some(options) = &self.ssh_opts {
            line.push(' ');
            line.push_str(options);
        }
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        let (shown, whole) = split_password("https://me:se@cret@h/x.git");
        assert_eq!((shown.as_str(), whole.as_deref()), ("https://me@h/x.git", Some("https://me:se@cret@h/x.git")));
        assert_eq!(split_password("git@h:x.git"), ("git@h:x.git".into(), None));
        assert_eq!(split_password("ssh://git@h:22/x"), ("ssh://git@h:22/x".into(), None));
    }
}
