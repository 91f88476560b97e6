//! The user's own SSH key.

use std::path::PathBuf;

use base64::prelude::*;
use sha2::{Digest, Sha256};

use super::Args;
use super::account::{make_dir, owned};
use crate::change::{Act, Action};
use crate::failure::{During, Failure};
use crate::map;
use crate::probe::passwd::User;
use crate::probe::paths;
use crate::system::{Command, Subject, System};
use crate::value::{Map, Value};

/// `ssh-keygen` asks a helper for the passphrase where there is no terminal. Ours passes on a line of the standard input
/// that it inherits, so that the passphrase is in no list of processes and in no file.
const WITH_PASSPHRASE: &str = r#"helper=$(mktemp) || exit
trap 'rm -f "$helper"' EXIT
printf '%s\n' '#!/bin/sh' 'IFS= read -r line' 'printf "%s\n" "$line"' >"$helper" && chmod 700 "$helper" || exit
export SSH_ASKPASS="$helper" SSH_ASKPASS_REQUIRE=force DISPLAY=none
ssh-keygen "$@""#;

/// Where the key is or will be.
pub struct SshKey<'a> {
    args: &'a Args,
    path: PathBuf,
    user: &'a User,
    comment: String,
}

impl<'a> SshKey<'a> {
    /// The key of `user`.
    pub fn of(args: &'a Args, system: &dyn System, user: &'a User) -> Self {
        let default = || PathBuf::from(format!(".ssh/id_{}", args.ssh_key_type));
        let path = user.home.join(args.ssh_key_file.clone().unwrap_or_else(default));
        let host = || system.read("/proc/sys/kernel/hostname".as_ref()).ok().flatten().unwrap_or_default();
        let comment = args
            .ssh_key_comment
            .clone()
            .unwrap_or_else(|| format!("ansible-generated on {}", String::from_utf8_lossy(&host()).trim_end()));
        SshKey { args, path, user, comment }
    }

    fn public(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".pub");
        name.into()
    }

    /// What makes the key; nothing if one of its two files is there and `force` is not given.
    pub fn generate(&self, system: &dyn System) -> Result<Vec<Action>, Failure> {
        // `ssh-keygen` follows links, which the user may have laid.
        paths::real(system, self.path.parent().unwrap_or(&self.user.home))?;
        let mut actions = Vec::new();
        for path in [self.path.clone(), self.public()] {
            if system.stat(&path, false)?.is_some() {
                if !self.args.force {
                    return Ok(Vec::new());
                }
                actions.push(Action::change(Act::Remove { path }));
            }
        }
        let (uid, gid) = (self.user.uid, self.user.gid);
        if let Some(dir) = self.path.parent()
            && system.stat(dir, true)?.is_none()
        {
            actions.push(make_dir(dir.to_owned(), owned(uid, gid, Some(0o700))));
        }
        actions.push(self.keygen());
        for (path, mode) in [(self.path.clone(), 0o600), (self.public(), 0o644)] {
            let attributes = owned(uid, gid, Some(mode));
            actions.push(Action::housekeeping(Act::SetAttributes { path, attributes, follow: false }));
        }
        Ok(actions)
    }

    fn keygen(&self) -> Action {
        let args = self.args;
        let mut words = vec!["-q".into(), "-t".into(), args.ssh_key_type.clone()];
        if let Some(bits) = args.ssh_key_bits.filter(|bits| *bits > 0) {
            words.extend(["-b".into(), bits.to_string()]);
        }
        words.extend(["-C".into(), self.comment.clone(), "-f".into(), self.path.to_string_lossy().into_owned()]);
        let command = match &args.ssh_key_passphrase {
            None => {
                words.extend(["-N".into(), String::new()]);
                Command::new(std::iter::once("ssh-keygen".to_owned()).chain(words))
            }
            Some(passphrase) => {
                let shell = ["sh", "-c", WITH_PASSPHRASE, "ssh-keygen"].map(str::to_owned);
                Command::new(shell.into_iter().chain(words)).stdin(format!("{passphrase}\n{passphrase}\n"))
            }
        };
        let file = |mode: u32| {
            Value::Map(map! { "kind" => "file", "mode" => mode, "uid" => self.user.uid, "gid" => self.user.gid })
        };
        Action::run(command, format!("cannot make an SSH key for {}", self.user.name))
            .settles(Subject::Path(self.path.clone()), file(0o600))
            .settles(Subject::Path(self.public()), file(0o644))
    }

    /// What Ansible returns of a key; `planned`: of one that is not there yet.
    pub fn values(&self, system: &dyn System, planned: bool) -> Result<Map, Failure> {
        let mut values = map! { "ssh_key_file" => self.path.to_string_lossy().into_owned() };
        let public = self.public();
        if planned || system.predicted(&Subject::Path(public.clone())).is_some() {
            let unknown = || Value::Unknown(String::new());
            values.extend(map! { "ssh_fingerprint" => unknown(), "ssh_public_key" => unknown() });
            return Ok(values);
        }
        let bytes = system.read(&public).during(|| format!("read {}", public.display()))?;
        let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
        let missing = || format!("SSH Key file {} does not exist", self.path.display());
        let print = text.as_deref().and_then(fingerprint).unwrap_or_else(missing);
        values.extend(map! { "ssh_fingerprint" => print, "ssh_public_key" => text });
        Ok(values)
    }
}

/// A public key's fingerprint, as `ssh-keygen -l` prints it: `256 SHA256:… comment (ED25519)`.
fn fingerprint(line: &str) -> Option<String> {
    let mut words = line.splitn(3, ' ');
    let (kind, data, comment) = (words.next()?, words.next()?, words.next().unwrap_or_default().trim());
    let blob = BASE64_STANDARD.decode(data).ok()?;
    let print = BASE64_STANDARD_NO_PAD.encode(Sha256::digest(&blob));
    let comment = if comment.is_empty() { "no comment" } else { comment };
    let short = kind.strip_prefix("ssh-").or(kind.strip_prefix("ecdsa-sha2-nistp").map(|_| "ecdsa"))?;
    Some(format!("{} SHA256:{print} {comment} ({})", bits(kind, &blob)?, short.to_uppercase()))
}

/// The size of a key, from its wire form: fields of bytes, each behind its length.
fn bits(kind: &str, blob: &[u8]) -> Option<usize> {
    if let Some(curve) = kind.strip_prefix("ecdsa-sha2-nistp") {
        return curve.parse().ok();
    }
    if kind == "ssh-ed25519" {
        return Some(256);
    }
    let mut rest = blob;
    let mut fields = std::iter::from_fn(|| {
        let (length, tail) = rest.split_at_checked(4)?;
        let (field, tail) = tail.split_at_checked(u32::from_be_bytes(length.try_into().ok()?) as usize)?;
        rest = tail;
        Some(field)
    });
    // RSA: kind, exponent, modulus. DSA: kind, p.
    let number = fields.nth(if kind == "ssh-rsa" { 2 } else { 1 })?;
    let start = number.iter().position(|byte| *byte != 0)?;
    Some((number.len() - start) * 8 - number[start].leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_those_of_ssh_keygen() {
        let ed = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP33W2ny07sCRa6hEqX/yXPbjwEKG0mlIQj6+CPx6tNP me@host";
        let print = "256 SHA256:GBYKdcOI24TXdYfegKU9HKLFhXNHg7dNaBd/vM8w8dg me@host (ED25519)";
        assert_eq!(fingerprint(ed).as_deref(), Some(print));
        let rsa = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQCcYvVTUIEjcFpNqf7/JpcnEtjWJwJ+TIRxm2FF4CfQu/YQPqCqq0MXWPAb3E\
                   jqJitb3t+fbHTrg4Fl8w6kC1qJIKZsYORwQfHmoIuXwIxS6IkO2qw8yS6knQZKNPJZbUz1fO92Ch4lkEnsBBlQFmVCsq7VAgavc\
                   +0ixTyGzgDDZw== a b";
        let print = "1024 SHA256:h2X1heUrmjiBUZkuqT5aoBfk8wcheUf87TbUtIZ7dwE a b (RSA)";
        assert_eq!(fingerprint(rsa).as_deref(), Some(print));
        let ecdsa = "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBNHrVZkiSPT+yAhWzfE7euXVLp\
                     SiHGfc6G5BeBCDmuYlSZc6zCyVsztUSMLWWurZyKyH1jwir9F4Hs4RFJzOc1rNGq/eM9z3Upn9ipLB0Jz/Ex+xflA/OjhVXBn8\
                     ZZxVXA== ";
        let print = "384 SHA256:uOzmJXjjWhfKosz4k5IGEfGylledrBn8FpJPeAUQJdA no comment (ECDSA)";
        assert_eq!(fingerprint(ecdsa).as_deref(), Some(print));
        assert_eq!(fingerprint("ssh-rsa !!!"), None);
    }
}
