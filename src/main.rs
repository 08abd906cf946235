//! The binary: a quick allocator and the command line, nothing else, so that everything can be tested as a library.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    unleak::cli::main()
}
