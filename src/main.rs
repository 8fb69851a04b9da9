//! The program: the library does the work.

use std::process::ExitCode;

fn main() -> ExitCode {
    keepwatch::command::main()
}
