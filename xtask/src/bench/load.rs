//! One run of the load generator.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::program;
use super::target::{CLIENT_CORE, Target};
use crate::process;

/// What the load generator found.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Measured {
    /// Right answers a second.
    pub(super) rate: f64,
    pub(super) right: u64,
    bad: u64,
    lost: u64,
    /// Times of answers, in microseconds.
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    /// The server's CPU time a request.
    pub(super) cpu_us: f64,
    /// Cores that the server was given: near 1 if it was the limit.
    pub(super) cores: f64,
    /// The most memory that the server held.
    pub(super) memory_mib: f64,
    first_bad: Option<String>,
}

/// What is sent to a target.
pub(super) struct Load {
    arguments: Vec<String>,
}

impl Load {
    /// Requests whose right answers contain a text.
    pub(super) fn new(contains: &str) -> Self {
        Self {
            arguments: Vec::new(),
        }
        .with("--contains", contains)
    }

    /// One more argument of the load generator.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.arguments.extend([name.to_owned(), value.to_owned()]);
        self
    }

    /// The lines of a file, round and round.
    pub(super) fn with_file(self, name: &str, file: &Path) -> Self {
        self.with(name, &file.display().to_string())
    }

    /// Sends to a path of the target; `more` says how many connections and how long.
    ///
    /// # Errors
    /// Any answer that was not right.
    pub(super) fn run(
        &self,
        target: &Target,
        path: &str,
        more: &[(&str, f64)],
    ) -> Result<Measured> {
        let mut command = Command::new("taskset");
        command
            .args(["--cpu-list", CLIENT_CORE])
            .arg(program("loadgen"));
        command.args([
            "--url",
            &target.url(path),
            "--pid",
            &target.pid().to_string(),
        ]);
        command.args(&self.arguments);
        for (name, value) in more {
            command.args([*name, &value.to_string()]);
        }
        let (succeeded, text) = process::output(&mut command)?;
        ensure!(succeeded, "the load generator failed");
        let measured: Measured = serde_json::from_str(&text).context("no JSON")?;
        let first_bad = measured.first_bad.as_deref().unwrap_or_default();
        ensure!(
            measured.bad + measured.lost == 0 && measured.right > 0,
            "{} right answers, {} wrong ones, {} lost: {first_bad}",
            measured.right,
            measured.bad,
            measured.lost,
        );
        Ok(measured)
    }
}

/// Prints one line of what was measured.
pub(super) fn show(name: &str, measured: &Measured) {
    println!(
        "{name:<34} {:>8.0}/s {:>8.1} us CPU, {:.2} cores, p50 {:>7.0} us, p99 {:>8.0} us, {:>6.1} MiB",
        measured.rate,
        measured.cpu_us,
        measured.cores,
        measured.p50_us,
        measured.p99_us,
        measured.memory_mib,
    );
}
