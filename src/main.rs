//! The program: everything is in the library.

use std::process::ExitCode;

#[expect(clippy::disallowed_methods, reason = "the arguments of the program")]
fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    // On a target. Not a command for people, and it must start at once.
    if args.get(1).is_some_and(|command| command == "agent") {
        let args: Vec<String> = args[2..].iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
        return wodctl::agent::main(&args);
    }
    wodctl::cli::run(args)
}
