//! `cargo xtask bench`: the product beside the least that the same work can cost, on one machine.
//!
//! Each target runs alone on the first core, client and backend on the second, in turn within each
//! round. Every figure that is judged is a ratio of two targets of the same round, so that a busy
//! machine disturbs both. Only answers that were checked count; one wrong answer ends the run.

mod deployment;
mod gateway;
mod goal;
mod load;
mod report;
mod target;
mod token_endpoint;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};
use clap::Args;

use self::deployment::Deployment;
use self::gateway::GatewayRound;
use self::token_endpoint::TokenRound;
use crate::process;

/// How long, and what is built before.
#[derive(Args)]
pub(crate) struct Options {
    /// How often all targets are measured.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// How long each target is measured.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Measures what lies in target/release.
    #[arg(long)]
    without_build: bool,
}

/// What one round found.
struct Round {
    tokens: TokenRound,
    gateway: GatewayRound,
}

/// Builds, measures, prints and writes `docs/performance.md`.
///
/// # Errors
/// A target that does not start, or answers wrongly.
pub(crate) fn run(options: &Options) -> Result<bool> {
    ensure!(options.rounds > 0, "--rounds must be at least 1");
    if !options.without_build {
        build()?;
    }
    let deployment = Deployment::prepare()?;
    let mut rounds = Vec::new();
    for number in 1..=options.rounds {
        println!("\nround {number} of {}", options.rounds);
        let tokens = token_endpoint::measure(&deployment, options.seconds)?;
        let gateway = gateway::measure(&deployment, options.seconds)?;
        rounds.push(Round { tokens, gateway });
    }
    let size = binary_size(&deployment)?;
    let text = report::text(options, &rounds, size)?;
    println!("\n{text}");
    report::write(&text)?;
    Ok(true)
}

fn build() -> Result<()> {
    let root = process::root();
    let mut product = Command::new("cargo");
    product.args(["build", "--locked", "--release", "--bin", "symbolon"]);
    process::run(product.current_dir(&root))?;
    let mut example = Command::new("cargo");
    example.args([
        "build",
        "--locked",
        "--package",
        "symbolon",
        "--example",
        "sign_in",
    ]);
    process::run(example.current_dir(&root))?;
    let mut programs = Command::new("cargo");
    programs.args([
        "build",
        "--locked",
        "--release",
        "--target-dir",
        "../target",
    ]);
    process::run(programs.current_dir(root.join("bench")))
}

/// A program of the release build: the product, or one of `bench/`.
fn program(name: &str) -> PathBuf {
    process::root().join("target/release").join(name)
}

/// Size of the stripped binary, in MiB.
fn binary_size(deployment: &Deployment) -> Result<f64> {
    let stripped = deployment.file("symbolon-stripped");
    let mut strip = Command::new("strip");
    process::run(strip.arg("-o").arg(&stripped).arg(program("symbolon")))?;
    #[expect(
        clippy::cast_precision_loss,
        reason = "a file has far less than 2^52 bytes"
    )]
    let bytes = std::fs::metadata(stripped)?.len() as f64;
    Ok(bytes / f64::from(1 << 20))
}
