//! The `symbolon` program: reads its arguments, runs one command, says how it ended.

use std::process::ExitCode;

use clap::Parser;
use symbolon::cli::{Arguments, run};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit codes: 0 done, 1 refused or failed (the reason on standard error), 2 wrong usage (clap).
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
