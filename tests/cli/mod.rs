//! The program from outside: whole output compared.

mod adhoc;
mod bad;
mod check;
mod content;
mod doc;
mod init;
mod inventory;
mod plan;
mod prompts;
mod synchronize;
mod terminal;
mod usage;
mod vars;
mod vault;
mod warnings;

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// One run of the program in a folder of its own, with an empty environment.
pub struct Test {
    folder: tempfile::TempDir,
    program: PathBuf,
    args: Vec<String>,
    env: Vec<(String, String)>,
    stdin: String,
    stdout: Option<String>,
    stderr: Option<String>,
}

impl Test {
    pub fn new() -> Self {
        Test {
            folder: tempfile::tempdir().unwrap(),
            program: env!("CARGO_BIN_EXE_wodctl").into(),
            args: Vec::new(),
            env: Vec::new(),
            stdin: String::new(),
            stdout: None,
            stderr: None,
        }
    }

    /// Installs the program into the folder and runs that.
    pub fn installed(mut self, path: &str) -> Self {
        let program = self.path(path);
        std::fs::create_dir_all(program.parent().unwrap()).unwrap();
        // By another process: what this one has open for writing, a child of another test inherits for a moment, and a
        // program that is open for writing cannot be started.
        assert!(Command::new("cp").args([&self.program, &program]).status().unwrap().success());
        self.program = program;
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Puts a file into the folder.
    pub fn file(self, path: &str, content: &str) -> Self {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    /// A path in the folder.
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub fn args<'a>(mut self, args: impl IntoIterator<Item = &'a str>) -> Self {
        self.args.extend(args.into_iter().map(str::to_owned));
        self
    }

    /// The whole standard output that is expected. `FOLDER` stands for the test's folder.
    pub fn stdout(mut self, text: &str) -> Self {
        self.stdout = Some(text.into());
        self
    }

    /// The whole standard error that is expected.
    pub fn stderr(mut self, text: &str) -> Self {
        self.stderr = Some(text.into());
        self
    }

    #[track_caller]
    pub fn success(self) -> String {
        self.status(0)
    }

    /// Runs it, compares everything, and returns what it printed.
    #[track_caller]
    pub fn status(self, expected: i32) -> String {
        let output = self.run(&self.args);
        let (stdout, stderr) = (self.text(&output.stdout), self.text(&output.stderr));
        if let Some(expected) = &self.stdout {
            assert_eq!(&stdout, expected, "standard output of {:?}; standard error:\n{stderr}", self.args);
        }
        // What is not expected must not be there.
        let expected_stderr = self.stderr.as_deref().unwrap_or(if expected == 0 { "" } else { &stderr });
        assert_eq!(stderr, expected_stderr, "standard error of {:?}", self.args);
        assert_eq!(output.status.code(), Some(expected), "exit status of {:?}:\n{stdout}{stderr}", self.args);
        stdout
    }

    /// The same folder and environment, with other arguments.
    pub fn with(&self, args: &[&str]) -> Again<'_> {
        Again { test: self, args: args.iter().map(|&arg| arg.to_owned()).collect() }
    }

    /// Runs it and returns all that it printed, standard output first, and its exit status.
    pub fn output(&self) -> (String, Option<i32>) {
        self.with_args(&self.args)
    }

    fn with_args(&self, args: &[String]) -> (String, Option<i32>) {
        let output = self.run(args);
        (self.text(&output.stdout) + &self.text(&output.stderr), output.status.code())
    }

    fn text(&self, bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).replace(&*self.folder.path().to_string_lossy(), "FOLDER")
    }

    /// In the test's folder and environment, its output to be read.
    fn at_home<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .envs(self.env.iter().cloned())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
    }

    fn run(&self, args: &[String]) -> std::process::Output {
        use std::io::Write;
        let mut command = Command::new(&self.program);
        let mut child = self.at_home(command.args(args)).stdin(Stdio::piped()).spawn().unwrap();
        // A program that does not read its input is no failure.
        let _ = child.stdin.take().unwrap().write_all(self.stdin.as_bytes());
        child.wait_with_output().unwrap()
    }
}

/// One of several runs in the same folder.
pub struct Again<'a> {
    test: &'a Test,
    args: Vec<String>,
}

impl Again<'_> {
    /// Runs it and returns all that it printed, standard output first, and its exit status.
    pub fn output(&self) -> (String, Option<i32>) {
        self.test.with_args(&self.args)
    }
}
