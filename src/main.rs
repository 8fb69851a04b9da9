//! The program: the library does the work.

use std::process::ExitCode;

/// Rows are made by one thread and given back by another, which the system's own allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    keepwatch::command::main()
}
