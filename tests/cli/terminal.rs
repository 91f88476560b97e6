//! The program on a terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::process::Command;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::Test;

/// What a run on a terminal came to.
pub struct Typed {
    /// What stood on the terminal: the questions, and what was typed where it is shown.
    pub terminal: String,
    /// Standard output, then standard error; neither is the terminal.
    pub output: String,
    pub status: Option<i32>,
}

impl Test {
    /// Runs the program on a terminal, where each answer is typed once its question stands there.
    pub fn typed(&self, args: &[&str], answers: &[(&str, &str)]) -> Typed {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        // In one statement: a command that lives on keeps its end of the terminal open.
        let child = self
            .at_home(Command::new("setsid").args(["--ctty", "--wait"]).arg(&self.program).args(args))
            .stdin(slave)
            .spawn()
            .unwrap();
        let mut screen = Screen { master: File::from(master), shown: String::new() };
        let mut from = 0;
        for (question, answer) in answers {
            from = screen.wait(question, from);
            screen.master.write_all(answer.as_bytes()).unwrap();
        }
        screen.rest();
        let output = child.wait_with_output().unwrap();
        Typed {
            terminal: screen.shown.replace('\r', ""),
            output: self.text(&output.stdout) + &self.text(&output.stderr),
            status: output.status.code(),
        }
    }
}

struct Screen {
    master: File,
    shown: String,
}

impl Screen {
    /// Waits until `text` stands behind `from`; where it ends.
    fn wait(&mut self, text: &str, from: usize) -> usize {
        loop {
            if let Some(at) = self.shown[from..].find(text) {
                return from + at + text.len();
            }
            assert!(self.read(), "`{text}` is not asked, only: {}", &self.shown[from..]);
        }
    }

    /// Reads until the program is gone.
    fn rest(&mut self) {
        while self.read() {}
    }

    /// Reads what has come; false if nothing will.
    fn read(&mut self) -> bool {
        let mut ready = [PollFd::new(&self.master, PollFlags::IN)];
        let patience = Timespec { tv_sec: 60, tv_nsec: 0 };
        assert_eq!(poll(&mut ready, Some(&patience)), Ok(1), "the program waits for more: {}", self.shown);
        let mut bytes = [0; 1024];
        match self.master.read(&mut bytes) {
            // EIO: nobody has the terminal open any more.
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.shown.push_str(&String::from_utf8_lossy(&bytes[..count]));
                true
            }
        }
    }
}
