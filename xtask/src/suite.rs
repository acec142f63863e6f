//! `cargo xtask test`: everything, and the totals last.

use std::process::Command;

use anyhow::Result;

use crate::postgres::Cluster;
use crate::{check, judges, process};

/// Passed and failed, with the names of what failed.
#[derive(Default)]
pub(crate) struct Totals {
    passed: usize,
    failed: Vec<String>,
}

impl Totals {
    /// Counts one outcome and prints it.
    pub(crate) fn record(&mut self, name: &str, outcome: Result<()>) {
        match outcome {
            Ok(()) => {
                println!("{name}: ok");
                self.passed += 1;
            }
            Err(error) => {
                println!("{name}: FAILED: {error:#}");
                self.failed.push(name.to_owned());
            }
        }
    }

    /// Adds the counts of another run.
    pub(crate) fn add(&mut self, other: Totals) {
        self.passed += other.passed;
        self.failed.extend(other.failed);
    }

    /// Prints what failed and, last, the totals; `true` when nothing failed and something passed.
    pub(crate) fn report(&self) -> bool {
        for name in &self.failed {
            println!("failed: {name}");
        }
        println!("{} passed, {} failed", self.passed, self.failed.len());
        self.failed.is_empty() && self.passed > 0
    }
}

/// Runs the checks, the tests on both databases and the outside judges.
pub(crate) fn test(without_judges: bool) -> Result<bool> {
    let mut totals = check::all()?;
    totals.add(cargo_test()?);
    if !without_judges {
        totals.add(judges::run(&[])?);
    }
    Ok(totals.report())
}

/// Every test of the workspace, with a private PostgreSQL beside SQLite.
fn cargo_test() -> Result<Totals> {
    let cluster = Cluster::start()?;
    let mut command = Command::new("cargo");
    command
        .args(["test", "--workspace", "--locked", "--no-fail-fast"])
        .env("SYMBOLON_TEST_POSTGRES", cluster.url())
        .current_dir(process::root());
    let (succeeded, text) = process::output(&mut command)?;
    print!("{text}");
    let mut totals = count(&text);
    if !succeeded && totals.failed.is_empty() {
        totals
            .failed
            .push("cargo test did not run to its end".to_owned());
    }
    Ok(totals)
}

/// Reads `test NAME ... ok` and `test NAME ... FAILED` lines.
fn count(text: &str) -> Totals {
    let mut totals = Totals::default();
    for line in text.lines() {
        let Some((name, outcome)) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.rsplit_once(" ... "))
        else {
            continue;
        };
        match outcome {
            "ok" => totals.passed += 1,
            "FAILED" => totals.failed.push(name.to_owned()),
            _ => {}
        }
    }
    totals
}
