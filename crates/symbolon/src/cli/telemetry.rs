//! The log: on standard error, `RUST_LOG` chooses what, never a secret (design §10).

use std::io::{IsTerminal, stderr};

use anyhow::{Result, anyhow};
use tracing_subscriber::EnvFilter;

use crate::config::Environment;

/// What is logged unless `RUST_LOG` says otherwise.
pub(super) const USUAL: &str = "warn,symbolon=info";
/// The same for the demonstration, which tells of its refusals itself.
pub(super) const QUIET: &str = "warn";

/// Starts logging: text for people, JSON lines for programs.
pub(super) fn start(environment: &Environment, json: bool, default: &str) -> Result<()> {
    let directives = environment.var("RUST_LOG").unwrap_or(default);
    let filter = EnvFilter::try_new(directives)
        .map_err(|error| anyhow!("RUST_LOG={directives:?} is not a filter: {error}"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(stderr().is_terminal())
        .with_writer(stderr);
    if json {
        builder.json().try_init()
    } else {
        builder.try_init()
    }
    .map_err(|error| anyhow!("logging was started twice: {error}"))
}
