//! Development commands: `cargo xtask test`, `check`, `judge`, `bench`.
//!
//! `test` is what continuous integration runs: it installs what it needs below `target/tools`, runs
//! the checks, every test on SQLite and PostgreSQL, then the outside judges, and prints the totals
//! last as `N passed, N failed`.

#![allow(clippy::print_stdout, reason = "it talks to whoever runs it")]

mod bench;
mod check;
mod direction;
mod judges;
mod postgres;
mod process;
mod suite;
mod tools;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Development commands of Symbolon.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks, tests on both databases and outside judges; the totals come last.
    Test {
        /// Leave the outside judges out.
        #[arg(long)]
        without_judges: bool,
    },
    /// Format, lints and the direction of dependencies.
    Check,
    /// Runs outside judges by name, or all of them.
    Judge {
        /// Names as `cargo xtask judge --list` prints them.
        names: Vec<String>,
        /// Only prints the names.
        #[arg(long)]
        list: bool,
    },
    /// Measures the product beside the least that its work can cost; writes docs/performance.md.
    Bench(bench::Options),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<bool> {
    match command {
        Command::Test { without_judges } => suite::test(without_judges),
        Command::Check => check::all().map(|totals| totals.report()),
        Command::Judge { list: true, .. } => {
            judges::print_names();
            Ok(true)
        }
        Command::Bench(options) => bench::run(&options),
        Command::Judge { names, .. } => judges::run(&names).map(|totals| totals.report()),
    }
}
