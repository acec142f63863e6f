//! `symbolon doctor`: what is wrong, and what to change (design §9).
//!
//! Without a URL it looks at the own deployment; with one it walks an MCP server as a client would.
//! It changes nothing anywhere.

mod deployment;
mod finding;
mod probe;
mod reach;
mod walk;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use self::finding::Findings;
use super::output::Output;
use crate::config::Environment;

/// Examines, reports, and answers failure where there is a problem.
pub(super) async fn run(
    url: Option<&str>,
    path: &Path,
    environment: &Environment,
    output: &Output,
) -> Result<ExitCode> {
    let findings: Findings = match url {
        Some(url) => walk::server(url, path, environment).await?,
        None => deployment::examine(path, environment).await,
    };
    output.print(&findings, || findings.to_string())?;
    Ok(if findings.has_problem() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
