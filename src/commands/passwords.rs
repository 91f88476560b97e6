//! Passwords that the operator types, or that a file or program gives.
#![expect(clippy::disallowed_methods, reason = "reads passwords from files and programs that the operator names")]

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::Error;
use super::terminal::{Echo, ask};
use crate::failure::plain;

/// Asks for a secret.
pub fn asked(prompt: &str, otherwise: &str) -> Result<String, Error> {
    let typed = ask(prompt, Echo::Off)?;
    typed.ok_or_else(|| format!("there is no terminal to ask for a password on: {otherwise}").into())
}

/// The first line of a file; of what it prints if it is a program; of standard input for `-`.
pub fn from_file(path: &Path) -> Result<String, Error> {
    if path != Path::new("-") {
        return first_line(&content(path, &[])?, path);
    }
    let mut line = String::new();
    io::stdin().read_line(&mut line).map_err(|error| cannot_read(path, &error))?;
    first_line(&line, path)
}

fn cannot_read(path: &Path, error: &io::Error) -> String {
    format!("cannot read the password from {}: {}", path.display(), plain(error))
}

/// All of a file, or of what it prints if it is a program.
pub fn content(path: &Path, args: &[&str]) -> Result<String, Error> {
    let cannot = |error: io::Error| cannot_read(path, &error);
    let about = path.metadata().map_err(cannot)?;
    if about.is_file() && about.permissions().mode() & 0o111 != 0 {
        let output = Command::new(std::path::absolute(path).map_err(cannot)?).args(args).output().map_err(cannot)?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(format!("the password program {} failed ({}): {why}", path.display(), output.status).into());
        }
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Ok(std::fs::read_to_string(path).map_err(cannot)?)
}

fn first_line(text: &str, path: &Path) -> Result<String, Error> {
    let line = text.lines().next().unwrap_or_default();
    match line.is_empty() {
        true => Err(format!("{} holds no password in its first line", path.display()).into()),
        false => Ok(line.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_programs_give_passwords() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "secret\nmore\n").unwrap();
        assert_eq!(from_file(&file).unwrap(), "secret");
        std::fs::write(&file, "#!/bin/sh\necho made\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(from_file(&file).unwrap(), "made");
        let missing = from_file(&folder.path().join("missing"));
        assert!(matches!(missing, Err(Error::Other(why)) if why.contains("no such file")));
    }
}
