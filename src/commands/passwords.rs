//! Passwords that the operator types, or that a file or program gives.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use rustix::termios::{self, LocalModes, OptionalActions, Termios};

use super::Error;
use super::options::{Become, Connection};
use crate::failure::plain;

/// The passwords of a run.
#[derive(Clone, Default)]
pub struct Passwords {
    /// For the login.
    pub login: Option<String>,
    /// For becoming another user.
    pub become_: Option<String>,
}

impl Passwords {
    /// Asks for what the options say is to be asked for. An empty answer for becoming another user means the same
    /// password as for the login, as in Ansible.
    pub fn gather(connection: &Connection, become_: &Become) -> Result<Passwords, Error> {
        let login = match &connection.connection_password_file {
            Some(path) => Some(from_file(path)?),
            None if connection.ask_pass => Some(ask("SSH password: ")?),
            None => None,
        };
        let become_ = match (&become_.become_password_file, &login) {
            (Some(path), _) => Some(from_file(path)?),
            (None, _) if !become_.ask_become_pass => None,
            (None, None) => Some(ask("BECOME password: ")?),
            (None, Some(login)) => {
                let typed = ask("BECOME password [the SSH password]: ")?;
                Some(if typed.is_empty() { login.clone() } else { typed })
            }
        };
        Ok(Passwords { login, become_ })
    }
}

/// The first line of a file; of what it prints if it is a program; of standard input for `-`.
fn from_file(path: &Path) -> Result<String, Error> {
    let cannot = |error: io::Error| format!("cannot read the password from {}: {}", path.display(), plain(&error));
    if path == Path::new("-") {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map_err(cannot)?;
        return first_line(&line, path);
    }
    let about = path.metadata().map_err(cannot)?;
    if about.is_file() && about.permissions().mode() & 0o111 != 0 {
        let output = Command::new(std::path::absolute(path).map_err(cannot)?).output().map_err(cannot)?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(format!("the password program {} failed ({}): {why}", path.display(), output.status).into());
        }
        return first_line(&String::from_utf8_lossy(&output.stdout), path);
    }
    first_line(&std::fs::read_to_string(path).map_err(cannot)?, path)
}

fn first_line(text: &str, path: &Path) -> Result<String, Error> {
    let line = text.lines().next().unwrap_or_default();
    match line.is_empty() {
        true => Err(format!("{} holds no password in its first line", path.display()).into()),
        false => Ok(line.to_owned()),
    }
}

/// Asks on the terminal, without showing what is typed.
fn ask(prompt: &str) -> Result<String, Error> {
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty");
    let mut terminal = terminal.map_err(
        |_| "there is no terminal to ask for a password on: use --become-password-file or --connection-password-file",
    )?;
    let failed = |error: io::Error| Error::from(format!("cannot ask for a password: {}", plain(&error)));
    terminal.write_all(prompt.as_bytes()).map_err(failed)?;
    let typed = {
        let _hidden = Hidden::on(&terminal).map_err(|error| failed(error.into()))?;
        read_line(&terminal)
    };
    terminal.write_all(b"\n").map_err(failed)?;
    typed.map_err(failed)?.ok_or(Error::Interrupted)
}

/// A terminal that shows nothing and leaves keys as they are; it is put back in the end.
struct Hidden<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Hidden<'a> {
    fn on(terminal: &'a File) -> rustix::io::Result<Self> {
        let before = termios::tcgetattr(terminal)?;
        let mut hidden = before.clone();
        // Without ISIG an interrupt arrives as a key, so that the terminal is always put back.
        hidden.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        termios::tcsetattr(terminal, OptionalActions::Flush, &hidden)?;
        Ok(Hidden { terminal, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        let _ = termios::tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

/// What is typed up to the end of the line; `None` if it was interrupted.
fn read_line(mut keys: impl Read) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let mut key = [0];
    loop {
        match keys.read(&mut key) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
            Ok(0) => break,
            Ok(_) => {}
        }
        match key[0] {
            b'\n' | b'\r' => break,
            // Ctrl-C, Ctrl-\; Ctrl-D on an empty line.
            3 | 0x1c => return Ok(None),
            4 if line.is_empty() => return Ok(None),
            4 => break,
            // Backspace takes a whole character.
            8 | 0x7f => while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            // Ctrl-U
            0x15 => line.clear(),
            byte => line.push(byte),
        }
    }
    String::from_utf8(line).map(Some).map_err(|_| io::Error::other("the password is no UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_edit_the_line() {
        let typed = |keys: &str| read_line(keys.as_bytes()).unwrap();
        assert_eq!(typed("secret\nrest").as_deref(), Some("secret"));
        assert_eq!(typed("seé\u{7f}cre\u{8}\u{8}\u{8}x\r").as_deref(), Some("sex"));
        assert_eq!(typed("wrong\u{15}right\n").as_deref(), Some("right"));
        assert_eq!(typed("sec\u{3}"), None);
        assert_eq!(typed("\u{4}"), None);
        assert_eq!(typed("\n").as_deref(), Some(""));
    }

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
