//! The program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    wodctl::cli::run(std::env::args_os())
}
