//! The command line (design §9). Output is for people; `--json` is for programs.

pub mod apply;
pub mod audit;
mod doctor;
mod grant;
mod init;
mod key;
mod migrate;
pub mod open;
mod output;
mod person;
mod policy;
mod telemetry;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};

use self::output::Output;
use crate::config::{self, Environment};

/// Enterprise sign-in for every MCP client and server: one sign-in, one policy, one audit trail.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, max_term_width = 100)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args, Debug)]
struct Common {
    /// The deployment's boot facts.
    #[arg(long, global = true, default_value = config::DEFAULT_PATH, value_name = "FILE")]
    config: PathBuf,
    /// Print JSON for programs instead of text for people.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show everything on loopback: sign-in, ID-JAG, access token, tool call, refusal, revocation.
    Demo {
        /// Exit after the run: 0 only if every step did what it says.
        #[arg(long)]
        once: bool,
    },
    /// Write a working symbolon.toml and its key-encryption key.
    Init(init::Init),
    /// Serve the roles of the configuration.
    Serve,
    /// Bring the database to this version's schema.
    Migrate,
    /// Write manifests into the database; the same manifests change nothing the second time.
    Apply(apply::Apply),
    /// Check this deployment, or walk the sign-in of any MCP server and say what to change.
    Doctor {
        /// An MCP server; without one, the deployment of --config.
        url: Option<String>,
    },
    /// Signing keys.
    #[command(subcommand)]
    Key(key::Key),
    /// The audit trail.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Grants: who lets which client use which server.
    #[command(subcommand)]
    Grant(grant::Grant),
    /// People.
    #[command(subcommand)]
    User(user::User),
    /// Policies.
    #[command(subcommand)]
    Policy(policy::Policy),
}

/// Runs one command.
///
/// # Errors
/// Whatever kept the command from being done, in words that say what to change.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("a TLS provider was installed before this one"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the asynchronous runtime did not start")?;
    runtime.block_on(dispatch(arguments, Environment::of_process()))
}

async fn dispatch(arguments: Arguments, environment: Environment) -> Result<ExitCode> {
    let Arguments { common, command } = arguments;
    let output = Output::new(common.json);
    let is_demo = matches!(command, Command::Demo { .. });
    let default = if is_demo {
        telemetry::QUIET
    } else {
        telemetry::USUAL
    };
    telemetry::start(&environment, common.json, default)?;
    match command {
        Command::Demo { once } => return crate::demo::run(once).await,
        Command::Init(init) => init.run(&common.config, &output),
        Command::Serve => crate::serve::run(&common.config, &environment).await,
        Command::Migrate => migrate::run(&common.config, &environment, &output).await,
        Command::Apply(apply) => apply.run(&common.config, &environment, &output).await,
        Command::Doctor { url } => {
            return doctor::run(url.as_deref(), &common.config, &environment, &output).await;
        }
        Command::Key(key) => key.run(&common.config, &environment, &output).await,
        Command::Audit(audit) => return audit.run(&common.config, &environment, &output).await,
        Command::Grant(grant) => grant.run(&common.config, &environment, &output).await,
        Command::User(user) => user.run(&common.config, &environment, &output).await,
        Command::Policy(policy) => {
            return policy.run(&common.config, &environment, &output).await;
        }
    }
    .map(|()| ExitCode::SUCCESS)
}
