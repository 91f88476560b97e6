//! Questions to the operator.
#![expect(clippy::disallowed_methods, reason = "the terminal is a file")]

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};

use rustix::termios::{self, LocalModes, OptionalActions, Termios};

use super::Error;
use crate::failure::plain;

/// Whether what is typed is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// It is.
    On,
    /// It is not.
    Off,
}

/// Asks on the terminal for a line; `None` if there is no terminal.
pub fn ask(prompt: &str, echo: Echo) -> Result<Option<String>, Error> {
    let Ok(mut terminal) = OpenOptions::new().read(true).write(true).open("/dev/tty") else { return Ok(None) };
    let failed = |error: io::Error| Error::from(format!("cannot ask on the terminal: {}", plain(&error)));
    if echo == Echo::On {
        terminal.write_all(prompt.as_bytes()).map_err(failed)?;
        let mut line = String::new();
        let count = io::BufRead::read_line(&mut io::BufReader::new(&terminal), &mut line).map_err(failed)?;
        // Ctrl-D: nobody wants to answer.
        if count == 0 {
            return Err(Error::Interrupted);
        }
        return Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()));
    }
    let typed = {
        let _hidden = Hidden::on(&terminal).map_err(|error| failed(error.into()))?;
        // Only now: what is typed before is thrown away, so that nobody sees it.
        (&terminal).write_all(prompt.as_bytes()).map_err(failed)?;
        read_line(&terminal)
    };
    terminal.write_all(b"\n").map_err(failed)?;
    typed.map_err(failed)?.ok_or(Error::Interrupted).map(Some)
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
    String::from_utf8(line).map(Some).map_err(|_| io::Error::other("what was typed is no UTF-8"))
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
}
